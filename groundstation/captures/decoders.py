"""A decoder for each kind of capture: the profile says which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from groundstation.captures.decoder import CaptureDecoder, DecodeReport
from groundstation.captures.packet_rows import CapturedPacket
from groundstation.captures.packets_decoder import PacketsDecoder, PacketsReport
from groundstation.captures.tc_decoder import TcDecoder, TcReport
from groundstation.errors import CallerError
from protocols.capture_profile import CaptureProfile, PacketsProfile, TcProfile
from protocols.declare.dictionary import Dictionary
from protocols.sync.bit_sync import BitForm

Report = DecodeReport | PacketsReport | TcReport


class Decoder(Protocol):
    """Bytes to packets and counts."""

    def feed(self, data: bytes, ert: int | None = None) -> list[CapturedPacket]:
        """Take the next piece, received at ``ert``; give the packets that it completes."""

    def finish(self) -> list[CapturedPacket]:
        """The capture has ended: give what was waiting for more."""

    def report(self) -> Report:
        """All counts so far."""

    def trouble(self) -> str | None:
        """Why nothing usable came out, in words that help; None if something did."""


def make_decoder(
    profile: CaptureProfile,
    dictionary: Dictionary | None,
    form: BitForm = "packed",
    take_frame: Callable[[msgspec.Struct], None] | None = None,
) -> Decoder:
    """The decoder of a profile's kind.

    Args:
        profile: of the capture.
        dictionary: what is known of the packets; None: they stay raw.
        form: how bits stand in the bytes of a bit stream.
        take_frame: given each frame, good or rejected, as a row.

    Raises:
        CallerError: rows of frames are asked for, where there are none.
    """
    if isinstance(profile, PacketsProfile):
        if take_frame is not None:
            raise CallerError("a file of packets has no frames: use --jsonl for its packets")
        return PacketsDecoder(profile, dictionary)
    if isinstance(profile, TcProfile):
        return TcDecoder(profile, dictionary, take_frame)
    return CaptureDecoder(profile, dictionary, form, take_frame)

"""A target's own stream, before any fault, cut into frames: what the channel needs to know of each.

It is not the station's frame synchronisation. Rules:

1. A target sends frame after frame. So once a frame was seen the next begins where it ended, whatever its first bytes
   are: a chip that fails damages the ASM too.
2. Only a reset cuts a frame off. Then an ASM begins inside of what should be a frame and does not fit its FECF, and
   the piece up to there is in no frame.
3. What comes before the first ASM is in no frame.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from functools import lru_cache

from protocols.declare.dictionary import Dictionary
from protocols.decode.frame_content import frame_counter, frame_time
from protocols.decode.packets import PacketExtractor, PacketFound
from protocols.decode.telemetry import decode_telemetry
from protocols.errors import DecodeError
from protocols.lander import MARS6
from protocols.profile import LinkProfile
from protocols.sync.frames import TransferFrame, decode_frame

_EVENT_SERVICE = 5
"""Of PUS."""


@dataclass(frozen=True, slots=True)
class SentFrame:
    """A frame, or bytes in none.

    Attributes:
        offset: in the stream.
        data: ASM first.
        vcid: of the frame; None for bytes in no frame.
        vcfc: its count.
        scet: mission time that it carries, in ns; None if it carries none.
        events: names of onboard events whose packets it completes.
    """

    offset: int
    data: bytes
    vcid: int | None = None
    vcfc: int | None = None
    scet: int | None = None
    events: tuple[str, ...] = ()


_REMEMBERED = 4096
"""Frames of which is known what they are: a pass has fewer, and the runs of a campaign have the same."""


class FrameSplitter:
    """Feed it what a target sends."""

    def __init__(
        self, profile: LinkProfile, events_of: Dictionary | None = None, dictionary: Dictionary = MARS6
    ) -> None:
        """Prepare.

        Args:
            profile: the link's framing.
            events_of: whose onboard events to look for; None: none, which is faster.
            dictionary: where a packet's header says its time.
        """
        self._dictionary = events_of or dictionary
        self._profile = profile
        self._size = profile.cadu_length
        self._rest = b""
        self._offset = 0
        self._aligned = False
        self._events_of = events_of
        self._counter = frame_counter(profile, events_of)
        self._extractors: dict[int, PacketExtractor] = {}

    def feed(self, data: bytes) -> list[SentFrame]:
        """The frames that are whole now. What is left waits for more."""
        self._rest += data
        cuts = []
        while (size := self._next()) > 0:
            cuts.append(self._split_off(size))
        return cuts

    def end(self) -> list[SentFrame]:
        """No more comes for now: what waits is a frame at most, and a piece in none."""
        cuts = []
        while self._rest:
            cuts.append(self._split_off(min(len(self._rest), self._size)))
        return cuts

    def _next(self) -> int:
        """Length of the piece that is to be cut off; 0 if more has to come first."""
        asm, rest = self._profile.asm, self._rest
        begins = rest.startswith(asm)
        self._aligned = self._aligned or begins
        inside = rest.find(asm, 1, self._size + len(asm) - 1)
        if not self._aligned:
            return inside if inside > 0 else max(0, len(rest) - len(asm) + 1)
        if 0 < inside < self._size and not (begins and self._frame(rest[: self._size])):
            return inside
        if len(rest) < self._size or (not begins and self._may_begin_inside()):
            return 0
        return self._size

    def _may_begin_inside(self) -> bool:
        """Whether the last bytes of a frame may be the first of an ASM that has not come whole."""
        tails = (self._rest[self._size - n :] for n in range(1, len(self._profile.asm)))
        return any(len(tail) < len(self._profile.asm) and self._profile.asm.startswith(tail) for tail in tails)

    def _split_off(self, size: int) -> SentFrame:
        piece, self._rest = self._rest[:size], self._rest[size:]
        offset = self._offset
        self._offset += size
        frame = self._frame(piece)
        if frame is None:
            return SentFrame(offset, piece)
        time = frame_time(frame, self._dictionary)
        return SentFrame(offset, piece, frame.vcid, frame.vcfc, time, self._events(frame, time))

    def _frame(self, piece: bytes) -> TransferFrame | None:
        """The frame that a piece is, whatever its ASM; None if it is none, or was spoiled by a chip that fails."""
        return _decode(piece, self._profile) if len(piece) == self._size else None

    def _events(self, frame: TransferFrame, time: int | None) -> tuple[str, ...]:
        """Onboard events whose packets a frame completes."""
        if self._events_of is None:
            return ()
        extractor = self._extractors.setdefault(frame.vcid, PacketExtractor())
        found = extractor.push(frame, self._counter.count(frame, time))
        return tuple(name for item in found if isinstance(item, PacketFound) and (name := self._event(item.data)))

    def _event(self, packet: bytes) -> str | None:
        """The onboard event that a packet reports, if it is declared."""
        if self._events_of is None:
            return None
        try:
            sample = decode_telemetry(self._events_of, packet)
        except DecodeError:
            return None
        number = sample.values.get("number") if sample.header.service == _EVENT_SERVICE else None
        event = self._events_of.event_by_number.get(number) if isinstance(number, int) else None
        return None if event is None else event.name


@lru_cache(maxsize=_REMEMBERED)
def _decode(piece: bytes, profile: LinkProfile) -> TransferFrame | None:
    if profile.fecf and binascii.crc_hqx(piece[len(profile.asm) :], 0xFFFF):
        return None
    try:
        return decode_frame(piece[len(profile.asm) :], profile)
    except DecodeError:
        return None

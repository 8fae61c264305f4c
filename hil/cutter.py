"""A target's own stream, before any fault, cut into frames: what the channel needs to know of each.

It is not the station's frame synchronisation: a target sends frame after frame without damage. Only a reset may cut
one off; then the piece up to the next ASM is in no frame.
"""

from __future__ import annotations

import binascii
from contextlib import suppress
from dataclasses import dataclass

from groundstation.links.base import Chunk
from groundstation.messages import EventMessage
from groundstation.receiver import Receiver
from protocols.ccsds import cds, pus
from protocols.ccsds.tm_frame import MAX_POINTER
from protocols.dictionary import Dictionary
from protocols.errors import DecodeError
from protocols.frames import TransferFrame, decode_frame
from protocols.profile import LinkProfile


@dataclass(frozen=True, slots=True)
class Cut:
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


class Cutter:
    """Feed it what a target sends."""

    def __init__(self, profile: LinkProfile, events_of: Dictionary | None = None) -> None:
        """Args: how frames lie on the wire, and whose onboard events are wanted; None: nobody's, which is faster."""
        self._profile = profile
        self._size = profile.cadu_length
        self._rest = b""
        self._offset = 0
        self._receiver = Receiver(events_of, profile, "target:") if events_of is not None else None

    def feed(self, data: bytes) -> list[Cut]:
        """The frames that are whole now. What is left waits for more."""
        self._rest += data
        cuts = []
        while (size := self._next()) > 0:
            piece, self._rest = self._rest[:size], self._rest[size:]
            cuts.append(self._cut(piece))
            self._offset += size
        return cuts

    def end(self) -> list[Cut]:
        """No more comes for now: what waits is in no frame."""
        piece, self._rest = self._rest, b""
        self._offset += len(piece)
        return [Cut(self._offset - len(piece), piece)] if piece else []

    def _next(self) -> int:
        """Length of the piece that is to be cut off; 0 if more has to come first."""
        asm, rest = self._profile.asm, self._rest
        inside = rest.find(asm, 1, self._size + len(asm) - 1)
        if not rest.startswith(asm[: len(rest)]):
            return inside if inside > 0 else max(0, len(rest) - len(asm) + 1)
        if 0 < inside < self._size and not self._fits(rest[: self._size]):
            return inside
        return self._size if len(rest) >= self._size else 0

    def _fits(self, piece: bytes) -> bool:
        """Whether it is a frame although an ASM is in it."""
        return self._frame(piece) is not None

    def _frame(self, piece: bytes) -> TransferFrame | None:
        """The frame that a piece is; None if it is none, or was spoiled by a chip that fails."""
        asm = self._profile.asm
        if len(piece) != self._size or not piece.startswith(asm):
            return None
        if self._profile.fecf and binascii.crc_hqx(piece[len(asm) :], 0xFFFF):
            return None
        try:
            return decode_frame(piece[len(asm) :], self._profile)
        except DecodeError:
            return None

    def _cut(self, piece: bytes) -> Cut:
        frame = self._frame(piece)
        if frame is None:
            return Cut(self._offset, piece)
        pointer = frame.first_header_pointer
        scet = None
        if pointer <= MAX_POINTER and pointer + pus.BODY_OFFSET <= len(frame.data) and frame.data[pointer] & 0x08:
            with suppress(DecodeError):  # a chip that fails may have no time
                scet = cds.decode_cds(frame.data, pointer + pus.TIME_OFFSET)
        return Cut(self._offset, piece, frame.vcid, frame.vcfc, scet, self._events(piece))

    def _events(self, piece: bytes) -> tuple[str, ...]:
        if self._receiver is None:
            return ()
        outcomes = self._receiver.take(Chunk(0, piece))
        return tuple(o.name for o in outcomes if isinstance(o, EventMessage) and o.source != "STATION")

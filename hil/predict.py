"""What a station has to make of the bytes that a channel delivered: said from the channel's own records.

Nothing here searches for frames. The rig knows where the target's frames began and which bytes came through, so it can
say of each frame whether it has to be found, and which rejects there have to be:

1. A frame that came through whole and unchanged is good.
2. Where a frame's ASM came through and the bytes behind it do not fit their FECF, there is one CRC reject. Once in
   65,536 times they fit by chance: an undetected error.
3. A frame that begins inside a good one is lost: where a frame's last byte is missing, the next one's first may be
   just that byte.
4. A frame without its ASM is nobody's: it may be found (in LOCK, if nothing else happened to it) or not.
5. A channel's signal is lost when, after three frames in a row, the next good one comes no sooner than its time-out.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from groundstation.receiver import FrameNote
from hil.channel import Channel, Delivered
from hil.cutter import Cut
from protocols.profile import LinkProfile

CONTACT_FRAMES = 3
_PERIOD = 100_000_000
"""Of the lander's frames, in ns."""
_PERIODS = 16
"""Of so many the median is taken."""
_PREVIEW = 3
"""In LOCK a failed frame is judged when the next ASM could be there, but for its last byte."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame that came through unchanged. ``position`` is where its ASM is in the received stream."""

    position: int
    at: int
    vcid: int
    vcfc: int
    scet: int | None


@dataclass(frozen=True, slots=True)
class Prediction:
    """What has to be found in a received stream.

    Attributes:
        good: frames, in the order they came.
        crc_rejects: how many.
        undetected: damaged frames that fit their FECF by chance.
        undecided: candidates at the very end that are rejects only if the stream goes on.
        stream: the bytes, as they were delivered.
    """

    good: list[Arrival]
    crc_rejects: int
    undetected: int
    undecided: int
    stream: bytes


def predict(channel: Channel, profile: LinkProfile) -> Prediction:
    """Say what a station finds in what a channel delivered downwards."""
    delivered = channel.delivered("down")
    stream = b"".join(piece.data for piece in delivered)
    starts = dict(zip((cut.offset for cut in channel.cuts), channel.cuts, strict=True))
    good: list[Arrival] = []
    rejects = undetected = undecided = taken = 0
    for position, cut, last in _markers(delivered, starts, len(profile.asm)):
        block = stream[position : position + profile.cadu_length]
        if not block.startswith(profile.asm) or len(block) < profile.cadu_length or position < taken:
            continue
        if block == cut.data and cut.vcid is not None and cut.vcfc is not None:
            taken = position + profile.cadu_length
            good.append(Arrival(position, _time(delivered, last, position, profile), cut.vcid, cut.vcfc, cut.scet))
        elif not binascii.crc_hqx(block[len(profile.asm) :], 0xFFFF):
            undetected += 1
            taken = position + profile.cadu_length
        elif position + profile.cadu_length + _PREVIEW > len(stream):
            undecided += 1
        else:
            rejects += 1
    return Prediction(good, rejects, undetected, undecided, stream)


def _markers(
    delivered: Sequence[Delivered], starts: dict[int, Cut], marker: int
) -> Iterator[tuple[int, Cut, tuple[int, int]]]:
    """Where frames' first bytes came out: position in the stream, the frame, and the piece (index, position)."""
    position = 0
    for index, piece in enumerate(delivered):
        if piece.origin is not None:
            for offset in _offsets_in(piece, starts):
                yield position + offset - piece.origin, starts[offset], (index, position)
        position += len(piece.data)


def _offsets_in(piece: Delivered, starts: dict[int, Cut]) -> Iterable[int]:
    """Offsets of frames that begin in a piece. Most pieces are a frame."""
    assert piece.origin is not None
    end = piece.origin + len(piece.data)
    return (offset for offset in range(piece.origin, end) if offset in starts)


def _time(delivered: Sequence[Delivered], place: tuple[int, int], position: int, profile: LinkProfile) -> int:
    """When the frame's last byte came."""
    index, at = place
    end = position + profile.cadu_length
    while at + len(delivered[index].data) < end:
        at += len(delivered[index].data)
        index += 1
    return delivered[index].at


def losses(notes: Iterable[tuple[int, FrameNote]], vcid: int, modulus: int) -> list[int]:
    """When a channel's signal is lost, by what was found in its stream: the times of the last frames before, in ns.

    Args:
        notes: every frame and reject, in order, with when it came.
        vcid: of the channel.
        modulus: of its frame count.
    """
    lost: list[int] = []
    contact = _Contact()
    for ert, note in notes:
        if contact.silent(ert):
            lost += [contact.last] if contact.locked else []
            contact = _Contact()
        if note.quality not in ("GOOD", "CORRECTED"):
            contact.run = 0
        elif note.vcid == vcid and note.vcfc is not None:
            contact.frame(ert, note.vcfc, modulus)
    return [*lost, *([contact.last] if contact.locked else [])]


@dataclass(slots=True)
class _Contact:
    """One contact of a channel, from its first frame on."""

    last: int = 0
    count: int | None = None
    run: int = 0
    locked: bool = False
    periods: list[int] = field(default_factory=list)

    def frame(self, ert: int, vcfc: int, modulus: int) -> None:
        if self.count is not None:
            self.periods.append((ert - self.last) // ((vcfc - self.count - 1) % modulus + 1))
        self.run = self.run + 1 if self.count is not None else 1
        self.locked = self.locked or self.run >= CONTACT_FRAMES
        self.last, self.count = ert, vcfc

    def silent(self, now: int) -> bool:
        """Three periods without a frame, 300 ms at least; a period is the declared one, or longer if measured so."""
        measured = int(median(self.periods[-_PERIODS:])) if self.periods else 0
        return self.count is not None and now - self.last >= 3 * max(measured, _PERIOD)

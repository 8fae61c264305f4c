"""What a station has to make of the bytes that a channel delivered: said from the channel's own records.

1. A frame that came through whole and unchanged has to be found, unless it begins inside another good one: where a
   frame's last byte is missing, the next one's first may be just that byte. The rig knows where the target's frames
   began and which bytes came through.
2. How many rejects there are, and which damaged frames fit their FECF all the same (once in 65,536 times), depends on
   where an ASM lies in the damaged stream, and on what comes before it: bytes that were added may be one. So the stream
   is searched as the standard has it, by `reference_deframer`.
3. A channel's signal is lost when, after three frames in a row, the next good one comes no sooner than its time-out.
   A reject between two of them breaks the row, but not if the channel's count says that nothing of it was lost.
4. Of each channel the rig knows every frame that was sent, in its order. So it knows how many are missing between two
   that came, and how often each came.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from groundstation.downlink.receiver import FrameNote
from hil.channel.channel import Channel, Delivered
from hil.channel.frame_splitter import SentFrame
from hil.verdict.frames.reference_deframer import find_frames
from hil.verdict.limits import PERIOD_MS
from protocols.counts import FrameStep
from protocols.profile import LinkProfile
from protocols.units import NS_PER_MS

CONTACT_FRAMES = 3
_PERIOD = PERIOD_MS * NS_PER_MS
_LEAST = 300 * NS_PER_MS
"""Of the lander's frames, in ns."""
_SLOWEST = 12
"""Declared periods from frame to frame at which a signal can be acquired."""
_PERIODS = 16
"""Of so many the median is taken."""


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
        stream: the bytes, as they were delivered.
    """

    good: list[Arrival]
    crc_rejects: int
    undetected: int
    stream: bytes


def predict(channel: Channel, profile: LinkProfile) -> Prediction:
    """Say what a station finds in what a channel delivered downwards."""
    delivered = channel.delivered("down")
    stream = b"".join(piece.data for piece in delivered)
    found = list(find_frames(stream, profile))
    ends = [each.offset + profile.cadu_length for each in found if each.good]
    sent = {cut.data[len(profile.asm) :] for cut in channel.cuts}
    blocks = (stream[end - profile.cadu_length + len(profile.asm) : end] for end in ends)
    return Prediction(
        list(_intact(channel.cuts, delivered, stream, ends, profile)),
        sum(each.marked and not each.good for each in found),
        sum(block not in sent for block in blocks),
        stream,
    )


def _intact(
    cuts: Sequence[SentFrame], delivered: Sequence[Delivered], stream: bytes, ends: Sequence[int], profile: LinkProfile
) -> Iterator[Arrival]:
    """The frames that came through unchanged, but for those that begin in one that ends at one of ``ends``."""
    size = profile.cadu_length
    for position, cut, last in _markers(delivered, cuts):
        if cut.vcid is None or cut.vcfc is None or not cut.data.startswith(profile.asm):
            continue
        if stream[position : position + size] != cut.data:
            continue
        inside = bisect_right(ends, position)
        if inside < len(ends) and ends[inside] < position + size:
            continue
        yield Arrival(position, _time(delivered, last, position, profile), cut.vcid, cut.vcfc, cut.scet)


def _markers(
    delivered: Sequence[Delivered], cuts: Sequence[SentFrame]
) -> Iterator[tuple[int, SentFrame, tuple[int, int]]]:
    """Where frames' first bytes came out: position in the stream, the frame, and the piece (index, position)."""
    position, offsets = 0, [cut.offset for cut in cuts]
    for index, piece in enumerate(delivered):
        if piece.origin is not None:
            first, last = (bisect_left(offsets, place) for place in (piece.origin, piece.origin + len(piece.data)))
            for cut in cuts[first:last]:
                yield position + cut.offset - piece.origin, cut, (index, position)
        position += len(piece.data)


def _time(delivered: Sequence[Delivered], place: tuple[int, int], position: int, profile: LinkProfile) -> int:
    """When the frame's last byte came."""
    index, at = place
    end = position + profile.cadu_length
    while at + len(delivered[index].data) < end:
        at += len(delivered[index].data)
        index += 1
    return delivered[index].at


def losses(
    notes: Iterable[tuple[int, FrameNote]], vcid: int, heard_until: int | None = None, period: int = _PERIOD
) -> list[int]:
    """When a channel's signal is lost, by what was found in its stream: the times of the last frames before, in ns.

    Args:
        notes: every frame and reject, in order, with when it came.
        vcid: of the channel.
        heard_until: when the station stopped to listen; None: it listened for long after the last frame.
        period: declared, of the channel's frames, in ns.
    """
    lost: list[int] = []
    contact = _Contact(period)
    for ert, note in notes:
        if contact.silent(ert):
            lost += [contact.last] if contact.locked else []
            contact = _Contact(period, before=None if contact.locked else contact.newest)
        if note.quality not in ("GOOD", "CORRECTED"):
            contact.run = 0
        elif note.vcid == vcid and note.step is not None and note.step.is_new:
            contact.frame(ert, note.step)
    over = heard_until is None or contact.silent(heard_until)
    return [*lost, *([contact.last] if contact.locked and over else [])]


@dataclass(slots=True)
class _Contact:
    """One contact of a channel, from its first frame on.

    ``before``: place and time of the newest frame of the contact before, if that was not acquired.
    """

    period: int
    before: tuple[int, int] | None = None
    last: int = 0
    newest: tuple[int, int] | None = None
    run: int = 0
    unbroken: int = 0
    locked: bool = False
    periods: list[int] = field(default_factory=list)

    def frame(self, ert: int, step: FrameStep) -> None:
        self.last = ert
        if not step.in_order:
            return
        if self.newest is not None:
            place, at = self.newest
            self.periods.append((ert - at) // max(1, step.place - place))
        elif self.before is not None and step.kind == "NEXT" and step.place == self.before[0] + 1:
            slow = ert - self.before[1]  # frames that follow each other too slowly to be acquired
            self.periods += [slow] if slow <= _SLOWEST * self.period else []
        self.run = self.run + 1 if self.newest is not None else 1
        follows = self.newest is not None and step.place == self.newest[0] + 1
        self.unbroken = self.unbroken + 1 if follows else 1
        self.locked = self.locked or max(self.run, self.unbroken) >= CONTACT_FRAMES
        self.newest = step.place, ert

    def silent(self, now: int) -> bool:
        """Three periods without a frame, 300 ms at least; a period is the declared one, or longer if measured so."""
        measured = int(median(self.periods[-_PERIODS:])) if self.periods else 0
        return self.newest is not None and now - self.last >= max(3 * max(measured, self.period), _LEAST)

"""What whole batches of frames are, by their counters: which are duplicates or late, and where a channel breaks off.

`counts.FrameCounter` says it, frame by frame; most batches are plain, and for those numpy can tell so at once: on each
channel every VCFC follows the one before, sequence counts and times go up and leave no room for a turn. Only for the
others the counter is asked, after the last frames before them, so that it knows what it would know by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from protocols.ccsds.space_packet import IDLE_APID, SEQUENCE_MODULO
from protocols.ccsds.tm_frame import MAX_POINTER, TmFrame
from protocols.counts import PLAIN_STEP, FrameCounter
from protocols.declare.dictionary import Dictionary
from protocols.decode.bulk_frames import FrameBatch, Ints
from protocols.decode.bulk_times import read_times
from protocols.decode.frame_content import frame_counter, frame_time
from protocols.profile import LinkProfile
from protocols.units import NS_PER_MS

_CONTEXT = 256
"""Frames of each channel that the counter has to have seen: as many as it remembers."""

_NONE = -1


class _End(NamedTuple):
    """How a plain channel ends: its last VCFC, the last sequence count of each APID, and the last time in ms."""

    vcfc: int | None = None
    sequences: Mapping[int, int] = MappingProxyType({})
    time: int | None = None


class BulkCounter:
    """Feed it the frames of one spacecraft, batch by batch."""

    def __init__(self, profile: LinkProfile, dictionary: Dictionary | None) -> None:
        self._profile = profile
        self._dictionary = dictionary
        self._modulus = profile.vcfc_modulus
        periods = () if dictionary is None else dictionary.channels
        self._periods = {c.vcid: c.period_ms for c in periods if c.period_ms}
        self._context: FrameBatch | None = None
        self._counter: FrameCounter | None = None
        self._ends: dict[int, _End] = {}

    def count(self, frames: FrameBatch) -> FrameBatch:
        """The same frames without duplicates, with what each is to those before it."""
        vcids: list[int] = np.unique(frames.vcid).tolist()
        if self._counter is None and all(self._follows(vcid, frames.of(vcid)) for vcid in vcids):
            self._remember(frames, vcids)
            return frames
        self._ends.clear()
        joined = frames if self._context is None else self._context.join(frames)
        old = len(joined.row) - len(frames.row)
        if all(self._follows(vcid, joined.of(vcid)) for vcid in np.unique(joined.vcid).tolist()):
            self._counter = None
            counted = frames
        else:
            self._ends.clear()
            counted = self._counted(joined, old)
        self._keep(joined)
        return counted

    def _counted(self, joined: FrameBatch, old: int) -> FrameBatch:
        """Ask the counter."""
        start = old
        if self._counter is None:
            self._counter, start = frame_counter(self._profile, self._dictionary), 0
        steps = [self._step(self._counter, joined, n) for n in range(start, len(joined.row))][old - start :]
        late, breaks, places, new = (list(each) for each in zip(*steps, strict=True)) if steps else ([], [], [], [])
        frames = joined.where(slice(old, None))
        marked = frames.marked(np.array(breaks, np.bool_), np.array(late, np.bool_), np.array(places, np.int64))
        return marked.where(np.array(new, np.bool_))

    def _step(self, counter: FrameCounter, frames: FrameBatch, n: int) -> tuple[bool, bool, int, bool]:
        """Whether a frame is late, whether it breaks its channel off, its place, and whether it is new."""
        data = frames.data[n].tobytes()
        mcfc = None if frames.mcfc[n] == _NONE else int(frames.mcfc[n])
        fields = int(frames.vcid[n]), mcfc, int(frames.vcfc[n]), int(frames.pointer[n])
        frame = TmFrame(0, *fields, data, None)  # type: ignore[arg-type]  # of AOS frames it has what is counted
        ert = None if frames.ert[n] == _NONE else int(frames.ert[n])
        step = counter.count(frame, None if self._dictionary is None else frame_time(frame, self._dictionary), ert)
        follows = step.kind in ("NEXT", "STILL", "LATE")
        return step.kind == "LATE", not follows, step.place, step.is_new

    def _follows(self, vcid: int, channel: FrameBatch) -> bool:
        """Whether each frame of a channel follows the one before, and nothing speaks against it.

        If so, how the channel ends is remembered for the next batch.
        """
        end = self._ends.get(vcid, _End())
        vcfc = channel.vcfc if end.vcfc is None else np.concatenate(([end.vcfc], channel.vcfc))
        if (np.diff(vcfc) % self._modulus != 1).any():
            return False
        rows, apid, sequence = _first_packets(channel)
        sequences = dict(end.sequences)
        for each in np.unique(apid).tolist():
            counts = sequence[apid == each]
            steps = np.diff(np.concatenate(([sequences[each]], counts)) if each in sequences else counts)
            steps %= SEQUENCE_MODULO
            if ((steps <= 0) | (steps >= PLAIN_STEP)).any():
                return False
            sequences[each] = int(counts[-1])
        time = end.time
        if self._dictionary is not None:
            times = _times(channel, rows, apid, self._dictionary)
            steps = np.diff(times if time is None else np.concatenate(([time], times)))
            room = self._periods.get(vcid, 0) * self._modulus // 2 or np.iinfo(np.int64).max
            if not ((steps >= 0) & (steps < room)).all():
                return False
            time = int(times[-1]) if len(times) else time
        self._ends[vcid] = _End(int(channel.vcfc[-1]), sequences, time)
        return True

    def _remember(self, frames: FrameBatch, vcids: list[int]) -> None:
        """Plain frames: they are the context, if they are enough; no copy is made of them then."""
        enough = all(np.count_nonzero(frames.vcid == vcid) >= _CONTEXT for vcid in vcids)
        if enough and self._ends.keys() <= set(vcids):
            self._context = frames
        elif vcids:
            self._keep(frames if self._context is None else self._context.join(frames))

    def _keep(self, frames: FrameBatch) -> None:
        """The last frames of each channel."""
        keep = np.zeros(len(frames.row), np.bool_)
        for vcid in np.unique(frames.vcid).tolist():
            keep[np.flatnonzero(frames.vcid == vcid)[-_CONTEXT:]] = True
        self._context = frames.where(keep)


def _first_packets(frames: FrameBatch) -> tuple[Ints, Ints, Ints]:
    """Of those in which a space packet starts that is not idle: the row, the packet's APID and sequence count."""
    at, length = frames.pointer, frames.data.shape[1]
    rows = np.flatnonzero((at <= MAX_POINTER) & (at + 4 <= length))
    rows = rows[frames.data[rows, at[rows]] >> 5 == 0]
    apid = (_octet(frames, rows, 0) & 7) << 8 | _octet(frames, rows, 1)
    rows, apid = rows[apid != IDLE_APID], apid[apid != IDLE_APID]
    return rows, apid, (_octet(frames, rows, 2) & 0x3F) << 8 | _octet(frames, rows, 3)


def _times(frames: FrameBatch, rows: Ints, apid: Ints, dictionary: Dictionary) -> Ints:
    """The times of those packets of which the headers lie in the frame whole, and have one, in ms."""
    length, flagged = frames.data.shape[1], _octet(frames, rows, 0) & 0x08 != 0
    times, stamped = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.bool_)
    for each in np.unique(apid).tolist():
        header = dictionary.header_by_apid.get(each)
        if header is None or header.time is None or header.time_offset is None:
            continue
        chosen = flagged & (apid == each) & (frames.pointer[rows] + header.body_offset <= length)
        octet = partial(_octet_after, frames, rows[chosen], header.time_offset)
        times[chosen], _ = read_times(octet, header.time)
        stamped |= chosen
    return times[stamped] // NS_PER_MS


def _octet(frames: FrameBatch, rows: Ints, place: int) -> Ints:
    """One byte of the first packet of each of these frames; where the frame ends before it, its last byte."""
    at = np.minimum(frames.pointer[rows] + place, frames.data.shape[1] - 1)
    octets: npt.NDArray[np.uint8] = frames.data[rows, at]
    return octets.astype(np.int64)


def _octet_after(frames: FrameBatch, rows: Ints, start: int, place: int) -> Ints:
    return _octet(frames, rows, start + place)

"""Whole batches of bytes to frames and of frames to packets, by numpy: for archives and exports, not for the live path.

`sync.deframer.Deframer` and `packets.PacketExtractor` are the oracles: the same bytes give the same frames and packets,
byte for byte and in the same order (tests hold it). What makes it fast: frames without trouble are taken as one table,
and only where trouble is, the deframer looks. All frames of a channel are walked at once, packet by packet, and a
packet that goes over a frame's end is simply whole in the joined data fields, if only the frames follow each other and
the next first header pointer agrees with where it ends. Whether they follow each other, `bulk_counts` says; where
frames come late, the extractor itself is asked.
"""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from protocols.ccsds import aos_frame
from protocols.ccsds.encapsulation import VERSION
from protocols.ccsds.space_packet import HEADER_SIZE, IDLE_APID, MAX_SIZE
from protocols.ccsds.tm_frame import HEADER_SIZE as TM_HEADER_SIZE
from protocols.ccsds.tm_frame import MAX_POINTER, NO_PACKET_START, TmFrame
from protocols.counts import FrameStep, Lost, StepKind
from protocols.decode.packets import PacketExtractor, PacketFound
from protocols.errors import DecodeError
from protocols.profile import LinkProfile
from protocols.sync.deframer import Deframer, Frame
from protocols.sync.frames import decode_frame

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
_AOS_HEAD = 6
_UNKNOWN = -1
"""The size of a packet whose header is not there whole."""
_LATE_KEPT = 256
"""Frames of a channel that a late one may lie between."""


@dataclass(frozen=True, slots=True)
class FrameTable:
    """Good frames like `sync.deframer.Frame`, a row each: where its ASM starts, whether it was mended, its bytes."""

    offset: Ints
    corrected: npt.NDArray[np.bool_]
    octets: Bytes


class BulkDeframer:
    """The good frames of a stream of bytes, block by block."""

    def __init__(self, profile: LinkProfile) -> None:
        self._profile = profile
        self._plain = bool(profile.asm) and profile.fecf and not (profile.rs_depth or profile.randomised)
        self._deframer = Deframer(profile)
        self._base = 0
        self._locked = False
        self._last = b""

    def feed(self, data: bytes) -> FrameTable:
        """The good frames that the next bytes complete."""
        size = self._profile.cadu_length
        start, clean = self._base + self._deframer.count().total, 0
        if self._locked:
            pending = self._deframer.pending
            start, data = start - len(pending), pending + data
            clean = self._clean(data)
            # The last good frame once more: a deframer that begins behind it has the same lock.
            last = data[(clean - 1) * size : clean * size] if clean else self._last
            self._deframer, self._base = Deframer(self._profile), start + clean * size - size
            self._deframer.feed(last)
        found = [item for item in self._deframer.feed(data[clean * size :]) if isinstance(item, Frame)]
        self._settle(found, data, clean)
        return self._table(start, data, clean, found)

    def _settle(self, found: list[Frame], data: bytes, clean: int) -> None:
        """Whether the next block may be taken as a table: the last frame was good and ends where the rest begins."""
        size = self._profile.cadu_length
        count, pending = self._deframer.count(), self._deframer.pending
        end = count.total - len(pending)
        whole = found[-1].offset + size == end if found else self._locked and end == size
        self._locked = self._plain and whole and len(pending) < size
        if found:
            self._last = self._profile.asm + found[-1].data
        elif clean:
            self._last = data[(clean - 1) * size : clean * size]

    def _clean(self, data: bytes) -> int:
        """How many frames in a row are there from the start on, ASM and FECF without fault."""
        size, marker = self._profile.cadu_length, len(self._profile.asm)
        count = len(data) // size
        octets = np.frombuffer(data, np.uint8, count * size).reshape(count, size)
        marked = (octets[:, :marker] == np.frombuffer(self._profile.asm, np.uint8)).all(axis=1)
        blocks = struct.unpack_from(f"{marker}x{size - marker}s" * count, data)
        if marked.all() and not any(map(binascii.crc_hqx, blocks, repeat(0xFFFF))):
            return count
        fits = np.fromiter(map(binascii.crc_hqx, blocks, repeat(0xFFFF)), np.uint16, count) == 0
        trouble = np.flatnonzero(~(marked & fits))
        return int(trouble[0]) if len(trouble) else count

    def _table(self, start: int, data: bytes, clean: int, found: list[Frame]) -> FrameTable:
        size, length = self._profile.cadu_length, self._profile.frame_length
        octets = np.frombuffer(data, np.uint8, clean * size).reshape(clean, size)[:, len(self._profile.asm) :]
        offset, corrected = start + np.arange(clean) * size, np.zeros(clean, np.bool_)
        if found:
            octets = octets if clean else np.empty((0, length), np.uint8)
            more = np.frombuffer(b"".join(frame.data for frame in found), np.uint8).reshape(-1, length)
            octets = np.concatenate((octets, more))
            offset = np.append(offset, [self._base + frame.offset for frame in found])
            corrected = np.append(corrected, [frame.corrected > 0 for frame in found])
        return FrameTable(offset, corrected, octets if len(octets) else np.empty((0, length), np.uint8))


@dataclass(frozen=True, slots=True)
class FrameBatch:
    """Good frames in the order they came, one row each. ``row`` is where each stood in what `read_frames` was given.

    Frames that the profile does not fit, and those of other spacecraft, are left out. ``mcfc`` is -1 in AOS frames,
    ``ert`` where the time of reception is not known; it is in ns.
    ``breaks`` marks those that do not follow the one before on their channel, ``late`` those that came too late for
    it, and ``place`` says where they stand there: as `bulk_counts.BulkCounter` finds.
    """

    row: Ints
    vcid: Ints
    mcfc: Ints
    vcfc: Ints
    pointer: Ints
    data: Bytes
    ert: Ints
    breaks: Bools
    late: Bools
    place: Ints

    @classmethod
    def uncounted(cls, row: Ints, vcid: Ints, mcfc: Ints, vcfc: Ints, pointer: Ints, data: Bytes) -> FrameBatch:
        """Frames whose continuity is not checked yet: each is taken as the next one."""
        no = np.zeros(len(row), np.bool_)
        return cls(row, vcid, mcfc, vcfc, pointer, data, np.full(len(row), -1), no, no, np.arange(len(row)))

    def received(self, ert: Ints) -> FrameBatch:
        """The same frames with their times of reception."""
        return replace(self, ert=ert)

    def marked(self, breaks: Bools, late: Bools, place: Ints) -> FrameBatch:
        """The same frames with what they are to each other."""
        return replace(self, breaks=breaks, late=late, place=place)

    def join(self, later: FrameBatch) -> FrameBatch:
        """These, then those."""
        pairs = ((getattr(self, name), getattr(later, name)) for name in self.__slots__)
        return FrameBatch(*(np.concatenate(pair) for pair in pairs))

    def of(self, vcid: int) -> FrameBatch:
        """Those of one virtual channel."""
        chosen = self.vcid == vcid
        return self if chosen.all() else self.where(chosen)

    def where(self, chosen: npt.NDArray[np.bool_] | slice) -> FrameBatch:
        """Some of them."""
        return FrameBatch(*(getattr(self, name)[chosen] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class PacketBatch:
    """Space packets in ``stream``, in the order of their completion. ``row`` is that of the completing frame."""

    stream: Bytes
    start: Ints
    size: Ints
    row: Ints

    def item(self, place: int) -> npt.NDArray[np.uint8]:
        """One byte of every packet, counted from its start; every packet must be that long."""
        return self.stream[self.start + place]

    def where(self, chosen: npt.NDArray[np.bool_]) -> PacketBatch:
        """Some of them."""
        return PacketBatch(self.stream, self.start[chosen], self.size[chosen], self.row[chosen])

    def joined(self, size: int) -> bytes:
        """All packets one after the other; all have this size."""
        if not len(self.start):
            return b""
        windows = np.lib.stride_tricks.sliding_window_view(self.stream, size)
        return windows[self.start].tobytes()


def read_frames(octets: Bytes, scid: int, profile: LinkProfile) -> FrameBatch:
    """The headers and data fields of frames, one row each, as `FrameTable` has them."""
    if profile.kind == "TM":
        return _read_tm(octets, scid, profile)
    if profile.uniform and not profile.header_error_control:
        return _read_aos(octets, scid, profile)
    rows, fields, data = [], [], []
    for row, raw in enumerate(octets):
        try:
            frame = decode_frame(raw.tobytes(), profile)
        except DecodeError:
            continue
        if frame.scid == scid:
            rows.append(row)
            count = -1 if frame.mcfc is None else frame.mcfc
            fields.append((frame.vcid, count, frame.vcfc, frame.first_header_pointer))
            data.append(frame.data)
    numbers = np.array(fields, np.int64).reshape(-1, 4)
    fields_of_data = np.frombuffer(b"".join(data), np.uint8).reshape(-1, profile.data_length)
    vcid, mcfc, vcfc, pointer = (numbers[:, n] for n in range(4))
    return FrameBatch.uncounted(np.array(rows, np.int64), vcid, mcfc, vcfc, pointer, fields_of_data)


def scids_of(octets: Bytes, profile: LinkProfile) -> list[int]:
    """The spacecraft of frames, as `FrameTable` has them; those of another version are left out."""
    words = np.ascontiguousarray(octets[:, :2]).view(">u2")[:, 0].astype(np.int64)
    version, bits, shift = (0, 0x3FF, 4) if profile.kind == "TM" else (aos_frame.VERSION, 0xFF, 6)
    found: list[int] = np.unique(words[words >> 14 == version] >> shift & bits).tolist()
    return found


def _read_aos(octets: Bytes, scid: int, profile: LinkProfile) -> FrameBatch:
    start, length = profile.data_offset, profile.data_length
    head = octets[:, :_AOS_HEAD].astype(np.int64)
    fits = (head[:, 0] << 8 | head[:, 1]) >> 6 == aos_frame.VERSION << 8 | scid
    vcid = head[:, 1] & aos_frame.ONLY_IDLE_VCID
    pointer = (octets[:, start - 2].astype(np.int64) & 7) << 8 | octets[:, start - 1]
    pointer[vcid == aos_frame.ONLY_IDLE_VCID] = aos_frame.ONLY_IDLE
    batch = FrameBatch.uncounted(
        np.arange(len(octets)),
        vcid,
        np.full(len(octets), -1),
        head[:, 2] << 16 | head[:, 3] << 8 | head[:, 4],
        pointer,
        octets[:, start : start + length],
    )
    return batch if fits.all() else batch.where(fits)


def _read_tm(octets: Bytes, scid: int, profile: LinkProfile) -> FrameBatch:
    words = np.ascontiguousarray(octets[:, :TM_HEADER_SIZE]).view(">u2").astype(np.int64)
    start = profile.data_offset
    secondary = start > TM_HEADER_SIZE
    fits = (words[:, 0] & 0xFFF1) == (scid << 4 | profile.ocf)
    fits &= (words[:, 2] >> 15) == secondary
    if secondary:
        fits &= (octets[:, TM_HEADER_SIZE] & 0x3F) == start - TM_HEADER_SIZE - 1
    batch = FrameBatch.uncounted(
        np.arange(len(octets)),
        words[:, 0] >> 1 & 7,
        words[:, 1] >> 8,
        words[:, 1] & 0xFF,
        words[:, 2] & 0x7FF,
        octets[:, start : start + profile.data_length],
    )
    return batch if fits.all() else batch.where(fits)


class BulkExtractor:
    """Packets out of one virtual channel's frames, batch by batch."""

    def __init__(self, profile: LinkProfile, max_packet: int = MAX_SIZE) -> None:
        self._max_packet = max_packet
        self._kept = max(max_packet // profile.data_length + 2, _LATE_KEPT)
        self._before: FrameBatch | None = None

    def push(self, frames: FrameBatch) -> PacketBatch:
        """The packets that the channel's next frames complete; idle and encapsulation packets are left out."""
        old = 0
        if self._before is not None:
            old = len(self._before.row)
            frames = self._before.join(frames)
        self._before = frames.where(slice(max(0, len(frames.row) - self._kept), None))
        return self._one_by_one(frames, old) if frames.late.any() else self._extract(frames, old)

    def _one_by_one(self, frames: FrameBatch, old: int) -> PacketBatch:
        """Where frames came late: as `PacketExtractor` has it."""
        extractor, newest = PacketExtractor(self._max_packet), 0
        found: list[tuple[int, bytes]] = []
        for n, place in enumerate(frames.place.tolist()):
            kind: StepKind = "LATE" if frames.late[n] else "GAP" if frames.breaks[n] else "NEXT"
            step = FrameStep(kind, place, Lost(max(0, place - newest - 1)))
            newest = newest if frames.late[n] else place
            frame = TmFrame(0, 0, 0, 0, int(frames.pointer[n]), frames.data[n].tobytes(), None)
            items = extractor.push(frame, step)
            found += [(n, item.data) for item in items if isinstance(item, PacketFound) and n >= old]
        size = np.array([len(data) for _, data in found], np.int64)
        stream = np.frombuffer(b"".join(data for _, data in found) or b"\0", np.uint8)
        return PacketBatch(stream, size.cumsum() - size, size, frames.row[[n for n, _ in found]])

    def _extract(self, frames: FrameBatch, old: int) -> PacketBatch:
        """The packets in ``frames`` that are complete only with one from ``old`` on."""
        count, length = frames.data.shape
        stream = np.ascontiguousarray(frames.data).reshape(-1)
        starts, sizes, last = self._walk(stream, frames.pointer, count, length)
        whole = last >= 0
        spilled = ~whole
        last[spilled] = self._completing(frames, starts[spilled], sizes[spilled], stream, length)
        good = (last >= old) & (sizes != 0)
        starts, last = starts[good], last[good]
        sizes = np.where(whole[good], sizes[good], self._sizes(stream, starts, len(stream)))
        is_space = stream[starts] >> 5 == 0
        apid = (stream[starts].astype(np.int64) & 7) << 8 | stream[np.minimum(starts + 1, len(stream) - 1)]
        wanted = is_space & (apid != IDLE_APID)
        order = np.argsort(starts[wanted], kind="stable")
        starts, sizes, last = (each[wanted][order] for each in (starts, sizes, last))
        return PacketBatch(stream, starts, sizes, frames.row[last])

    def _walk(self, stream: Bytes, pointer: Ints, count: int, length: int) -> tuple[Ints, Ints, Ints]:
        """All packets that start in a frame: their place, size and frame; -1 for the frame if they do not end in it."""
        frame = np.flatnonzero((pointer <= MAX_POINTER) & (pointer < length))
        place = frame * length + pointer[frame]
        found: list[tuple[Ints, Ints, Ints]] = []
        while len(frame):
            end = (frame + 1) * length
            size = self._sizes(stream, place, end)
            spills = (size == _UNKNOWN) | (place + size > end)
            found.append((place, size, np.where(spills, -1, frame)))
            on = ~spills & (size > 0)
            frame, place = frame[on], place[on] + size[on]
            inside = place < (frame + 1) * length
            frame, place = frame[inside], place[inside]
        if not found:
            empty = np.empty(0, np.int64)
            return empty, empty, empty
        starts, sizes, last = (np.concatenate(each) for each in zip(*found, strict=True))
        return starts, sizes, last

    def _completing(self, frames: FrameBatch, starts: Ints, sizes: Ints, stream: Bytes, length: int) -> Ints:
        """The frame that completes each packet that goes over its frame's end; -1 if none does."""
        count = len(frames.row)
        begins = frames.pointer != NO_PACKET_START
        index = np.where(begins, np.arange(count), count)
        following = np.append(np.minimum.accumulate(index[::-1])[::-1], [count, count])
        run = np.append(frames.breaks.cumsum(), [-1])
        home = starts // length
        known = self._sizes(stream, starts, len(stream))
        end = starts + known
        after = following[home + 1]
        pointer = np.append(frames.pointer, [NO_PACKET_START])[after]
        agrees = (pointer <= MAX_POINTER) & (pointer < length) & (end == after * length + pointer)
        in_next = np.where(agrees & (run[after] == run[home]), after, -1)
        tail = end // length - 1
        fills = (end % length == 0) & (tail > home) & (tail < after) & (run[np.minimum(tail, count)] == run[home])
        completed = np.where(fills, tail, in_next)
        return np.where((known > 0) & (sizes != 0), completed, -1)

    def _sizes(self, stream: Bytes, place: Ints, end: Ints | int) -> Ints:
        """Whole size of the packets at these places; 0: cannot be one; `_UNKNOWN`: not there whole before ``end``."""
        left = np.asarray(end - place)
        byte = [stream[np.minimum(place + n, len(stream) - 1)].astype(np.int64) for n in range(HEADER_SIZE)]
        size = HEADER_SIZE + 1 + (byte[4] << 8 | byte[5])
        size[(byte[0] >> 5 != 0) & (left > 0)] = 0
        size[(byte[0] >> 5 == 0) & (left < HEADER_SIZE)] = _UNKNOWN
        wrapped = np.flatnonzero((byte[0] >> 5 == VERSION) & (left > 0))
        if len(wrapped):
            size[wrapped] = self._encapsulated(stream, place[wrapped], left[wrapped])
        size[left <= 0] = _UNKNOWN
        size[size > self._max_packet] = 0
        return size

    def _encapsulated(self, stream: Bytes, place: Ints, left: Ints) -> Ints:
        """The same for encapsulation packets: the first byte says where the length stands."""
        byte: list[npt.NDArray[Any]] = [
            stream[np.minimum(place + n, len(stream) - 1)].astype(np.int64) for n in range(8)
        ]
        form = byte[0] & 3
        header = 1 << form
        lengths = [
            np.ones_like(form),
            byte[1],
            byte[2] << 8 | byte[3],
            byte[4] << 24 | byte[5] << 16 | byte[6] << 8 | byte[7],
        ]
        size = np.choose(form, lengths)
        size[size < header] = 0
        size[left < header] = _UNKNOWN
        return size

"""Where the packets of a capture lie, as arrays: frames or bare packets, batch by batch, in flat memory.

`sync.Deframer`, `counts.FrameCounter` and `packets.PacketExtractor` are the oracles, `sync.PacketSplitter` for bare
packets: the same packets come out in the same order (tests hold it).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from protocols.capture_profile import PacketsProfile
from protocols.ccsds.space_packet import IDLE_APID
from protocols.decode.bulk_counts import BulkCounter
from protocols.decode.bulk_frames import BulkDeframer, BulkExtractor, Bytes, Ints, PacketBatch, read_frames, scids_of
from protocols.profile import LinkProfile
from protocols.sync.packet_splitter import PacketSplitter

BATCH = 1 << 21
"""Bytes that are taken together. Pieces of this size are taken as they are."""


@dataclass(frozen=True, slots=True)
class PacketIndex:
    """Space packets that are not idle, one item each in every array.

    Attributes:
        offset: where in the capture the frame starts that completes it (its ASM), or the packet itself in a file of
            packets; in bytes.
        length: whole packet, header included, in bytes.
        apid: its APID.
        count: its sequence count.
        stream: bytes that hold the packets of this batch.
        start: where each packet starts in ``stream``.
    """

    offset: Ints
    length: Ints
    apid: Ints
    count: Ints
    stream: Bytes
    start: Ints

    def joined(self, apid: int) -> bytes:
        """The packets of one APID, one after the other, as `bulk_packets.decode_batch` wants them."""
        chosen = self.apid == apid
        if chosen.all() and len(self.start) and self._is_contiguous:
            return self.stream[self.start[0] : self.start[-1] + self.length[-1]].tobytes()
        batch = PacketBatch(self.stream, self.start[chosen], self.length[chosen], self.offset[chosen])
        sizes = np.unique(batch.size)
        if len(sizes) == 1:
            return batch.joined(int(sizes[0]))
        ends = batch.start + batch.size
        return b"".join(self.stream[a:b].tobytes() for a, b in zip(batch.start.tolist(), ends.tolist(), strict=True))

    @property
    def _is_contiguous(self) -> bool:
        size = self.length[0]
        return bool((self.length == size).all() and (np.diff(self.start) == size).all())


def index_frames(pieces: Iterable[bytes], profile: LinkProfile) -> Iterator[PacketIndex]:
    """The packets in a stream of frames, of every spacecraft and channel; those of a channel are in order.

    Args:
        pieces: the stream, in pieces of any size.
        profile: of its frames: bytes, of the same fields on all channels.
    """
    deframer = BulkDeframer(profile)
    counters: dict[int, BulkCounter] = {}
    extractors: dict[tuple[int, int], BulkExtractor] = {}
    for piece in _batches(pieces):
        table = deframer.feed(piece)
        for scid in scids_of(table.octets, profile):
            frames = read_frames(table.octets, scid, profile)
            if not len(frames.row):
                continue
            frames = replace(frames, row=table.offset[frames.row])
            frames = counters.setdefault(scid, BulkCounter(profile, None)).count(frames)
            for vcid in np.unique(frames.vcid).tolist():
                extractor = extractors.get((scid, vcid))
                if extractor is None:
                    extractor = extractors[scid, vcid] = BulkExtractor(profile)
                yield _index(extractor.push(frames.of(vcid)))


def index_packets(pieces: Iterable[bytes], profile: PacketsProfile) -> Iterator[PacketIndex]:
    """The packets in a stream of bare packets; encapsulation packets are left out."""
    splitter = PacketSplitter(profile)
    for piece in _batches(pieces):
        yield _found(splitter, piece)
    yield _found(splitter, None)


def _batches(pieces: Iterable[bytes]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= BATCH:
            yield waiting[0] if len(waiting) == 1 else b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def _index(packets: PacketBatch) -> PacketIndex:
    stream, start = packets.stream, packets.start
    apid = (stream[start].astype(np.int64) & 7) << 8 | stream[start + 1]
    count = (stream[start + 2].astype(np.int64) & 0x3F) << 8 | stream[start + 3]
    return PacketIndex(packets.row, packets.size, apid, count, stream, start)


def _found(splitter: PacketSplitter, piece: bytes | None) -> PacketIndex:
    found = splitter.find(piece)
    stream, base = np.frombuffer(found.stream or b"\0", np.uint8), found.offset
    start, end = np.array(found.starts, np.int64), np.array(found.ends, np.int64)
    first = stream[start]
    index = _index(PacketBatch(stream, start, end - start, base + start))
    wanted = (first >> 5 != 7) & (index.apid != IDLE_APID)
    if wanted.all():
        return index
    offset, length, apid, count = (each[wanted] for each in (index.offset, index.length, index.apid, index.count))
    return PacketIndex(offset, length, apid, count, stream, start[wanted])

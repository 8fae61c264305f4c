"""A recording to numpy columns: its index of frames, and its packets by the bulk decoder.

The packets come from the recorded bytes, not from the index: they are all there is, also after a crash, and also in
recordings without an index. Only good frames count here; what can be had from the others is `salvage`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any

import numpy as np
import numpy.typing as npt

from groundstation.recordings.merged import one_stream
from groundstation.recordings.reader import ArchiveReader
from protocols.ccsds.space_packet import SEQUENCE_MODULO
from protocols.declare.dictionary import Dictionary, Packet
from protocols.decode.bulk_counts import BulkCounter
from protocols.decode.bulk_frames import BulkDeframer, BulkExtractor, FrameTable, PacketBatch, read_frames
from protocols.decode.bulk_packets import NO_TIME, Column, decode_batch, decode_times, intact, labels
from protocols.decode.judging.quality import QualityMonitor
from protocols.decode.judging.verdicts import Verdicts
from protocols.decode.telemetry import decode_telemetry
from protocols.errors import DecodeError
from protocols.profile import LinkProfile
from protocols.words import Quality

Times = npt.NDArray[np.int64]
_FRAMES_A_READ = 65_536
CHUNKS_A_READ = 16_384
BLOCK = 8 << 20
"""Bytes decoded at a time."""

_MAX_PACKET = 4096
QUALITIES: tuple[Quality, ...] = ("good", "suspect", "unusable")
"""What ``quality`` counts in."""
_FRAME_COLUMNS = ("id", "ert", "scet", "vcid", "vcfc", "quality", "chunk", "offset", "size")
_INT64 = np.iinfo(np.int64)
_LEAST = np.array([1, _INT64.min + 1, _INT64.min, -1, -1, 0, 1, 0, 0], np.int64)
_MOST = np.array([_INT64.max] * 3 + [63, 2**32 - 1, 4, _INT64.max, 2**31, 2**31], np.int64)
"""Between what the numbers of the index lie."""


GOOD = ("GOOD", "CORRECTED")
"""Qualities of packets in good frames."""


@dataclass(frozen=True, slots=True)
class PacketColumns:
    """Packets of one type in the order they were received. Times in ns UTC since 1970.

    ``scet`` is `bulk_packets.NO_TIME` where the packets have no onboard time, as ``packet.header`` says.
    ``corrected`` marks those of which Reed–Solomon mended the frame; ``qualities`` are the words for
    both. ``values`` holds calibrated columns by name;
    numbers of enums stay numbers (`bulk_packets.labels` has the words). ``void`` says where a parameter means nothing,
    since the flag that it depends on is 0; those that depend on none are not in it. ``checked`` are the
    parameters that a check is declared for; ``bad`` has the verdicts of the rows that have a value that is not good.
    """

    packet: Packet
    ert: Times
    scet: Times
    vcid: Times
    sequence: Times
    corrected: npt.NDArray[np.bool_]
    values: dict[str, Column]
    void: dict[str, npt.NDArray[np.bool_]]
    checked: tuple[str, ...] = ()
    bad: Mapping[int, Verdicts] = field(default_factory=dict)
    qualities: tuple[str, str] = GOOD

    def quality(self, name: str) -> npt.NDArray[np.int8]:
        """How good the values of a parameter are: for each row a place in `QUALITIES`."""
        places = np.zeros(len(self.ert), np.int8)
        for row, verdicts in self.bad.items():
            if name in verdicts:
                places[row] = QUALITIES.index(verdicts[name].quality)
        return places

    def reasons(self) -> list[str]:
        """For each row which checks found what: ``altitude: rate; speed: range``."""
        texts = [""] * len(self.ert)
        for row, verdicts in self.bad.items():
            texts[row] = "; ".join(f"{name}: {verdict.reason}" for name, verdict in verdicts.items())
        return texts


@dataclass(frozen=True, slots=True)
class _Block:
    """Some of the recording's frames: what is known of each beside its bytes."""

    frames: FrameTable
    ert: Times


def frame_columns(reader: ArchiveReader) -> dict[str, Times]:
    """The index of frames as columns, good and rejected; ``quality`` is a place in `records.QUALITIES`.

    Raises:
        ArchiveError: the recording is older than the index, or cannot be read.
    """
    width = len(_FRAME_COLUMNS)
    pages = [
        np.fromiter(chain.from_iterable(page), np.int64, len(page) * width).reshape(-1, width)
        for page in reader.frame_numbers(_FRAMES_A_READ)
    ]
    table = np.concatenate(pages) if pages else np.empty((0, width), np.int64)
    if len(table) and reader.damage is None and not _are_possible(table):
        reader.distrust("a frame holds numbers that cannot be")
        return frame_columns(reader)
    return {name: np.ascontiguousarray(table[:, n]) for n, name in enumerate(_FRAME_COLUMNS)}


def _are_possible(table: Times) -> bool:
    """Whether the numbers of an index are such as frames have."""
    least, most = table.min(axis=0), table.max(axis=0)
    return bool((least >= _LEAST).all() and (most <= _MOST).all())


def packet_columns(
    reader: ArchiveReader,
    dictionary: Dictionary,
    profile: LinkProfile,
    names: Collection[str] | None = None,
    advance: Callable[[int], None] = lambda count: None,
    *,
    quality: bool = True,
) -> Iterator[PacketColumns]:
    """The packets of good frames, block by block: in each block, one `PacketColumns` for each type in it.

    Args:
        reader: the recording.
        dictionary: what the packets mean.
        profile: what the frames look like.
        names: the packet types that are wanted; by default all that are declared.
        advance: told how many bytes were read.
        quality: judge the values, which is done one by one and takes several times as long as all the rest.

    Raises:
        ArchiveError: the recording cannot be read.
    """
    wanted = [p for name, p in dictionary.by_name.items() if names is None or name in names]
    extractors: dict[int, BulkExtractor] = {}
    counter = BulkCounter(profile, dictionary)
    judges = QualityMonitor(dictionary)
    for block in _blocks(reader, dictionary, profile, advance):
        frames = read_frames(block.frames.octets, dictionary.scid, profile)
        frames = counter.count(frames.received(block.ert[frames.row]))
        found = []
        for channel in dictionary.channels:
            extractor = extractors.setdefault(channel.vcid, BulkExtractor(profile, _MAX_PACKET))
            found.append((channel.vcid, extractor.push(frames.of(channel.vcid))))
        for packet in wanted:
            make = _columns if packet.size is not None else _columns_of_any_size
            columns = make(dictionary, packet, found, block)
            if columns is not None:
                yield judged(judges, columns) if quality else columns


def _blocks(
    reader: ArchiveReader, dictionary: Dictionary, profile: LinkProfile, advance: Callable[[int], None]
) -> Iterator[_Block]:
    deframer = BulkDeframer(profile)
    ends, erts = np.empty(0, np.int64), np.empty(0, np.int64)
    total = 0
    for times, pieces in _reads(_pages(reader, dictionary, profile)):
        sizes = np.fromiter(map(len, pieces), np.int64, len(pieces))
        ends = np.concatenate((ends, total + sizes.cumsum()))
        erts = np.concatenate((erts, np.array(times, np.int64)))
        total = int(ends[-1])
        frames = deframer.feed(b"".join(pieces))
        last_byte = frames.offset + profile.cadu_length - 1
        yield _Block(frames, erts[ends.searchsorted(last_byte, "right")])
        keep = 2 * profile.cadu_length  # a frame may be accepted when later bytes have come
        ends, erts = ends[-keep:], erts[-keep:]
        advance(int(sizes.sum()))


def _pages(
    reader: ArchiveReader, dictionary: Dictionary, profile: LinkProfile
) -> Iterator[tuple[list[int], list[bytes]]]:
    """Times and bytes of chunks; of several links, of their merged frames."""
    if not reader.named_links():
        for page in reader.chunk_rows(CHUNKS_A_READ):
            yield [row[1] for row in page], [row[2] for row in page]
        return
    merged = one_stream(reader, profile, dictionary)
    while chunks := list(islice(merged, CHUNKS_A_READ)):
        yield [ert for ert, _ in chunks], [data for _, data in chunks]


def _reads(pages: Iterable[tuple[list[int], list[bytes]]]) -> Iterator[tuple[list[int], list[bytes]]]:
    """So many of them that they make a block."""
    times: list[int] = []
    pieces: list[bytes] = []
    size = 0
    for erts, fresh in pages:
        times += erts
        pieces += fresh
        size += sum(map(len, fresh))
        if size >= BLOCK:
            yield times, pieces
            times, pieces, size = [], [], 0
    if pieces:
        yield times, pieces


def _columns(
    dictionary: Dictionary, packet: Packet, found: list[tuple[int, PacketBatch]], block: _Block
) -> PacketColumns | None:
    size = packet.min_size
    joined, rows, vcids = [], [], []
    for vcid, batch in found:
        chosen = _of_type(dictionary, packet, batch.where(batch.size == size))
        joined.append(chosen.joined(size))
        rows.append(chosen.row)
        vcids.append(np.full(len(chosen.row), vcid, np.int64))
    row, vcid_of, packets = np.concatenate(rows), np.concatenate(vcids), b"".join(joined)
    good = intact(packets, size) if packet.header.crc else np.ones(len(row), np.bool_)
    if not good.all() or sum(map(bool, joined)) > 1:
        order = np.flatnonzero(good)
        order = order[np.argsort(row[order], kind="stable")]
        row, vcid_of, packets = row[order], vcid_of[order], _chosen(packets, size, order)
    if not len(row):
        return None
    try:
        values, times = decode_batch(packets, packet), decode_times(packets, packet)
    except DecodeError:
        order = _decodable(dictionary, packets, size)
        row, vcid_of, packets = row[order], vcid_of[order], _chosen(packets, size, order)
        values, times = decode_batch(packets, packet), decode_times(packets, packet)
    sequence = np.frombuffer(packets, np.uint8).reshape(-1, size)[:, 2:4].astype(np.int64)
    return PacketColumns(
        packet,
        block.ert[row],
        times,
        vcid_of,
        (sequence[:, 0] << 8 | sequence[:, 1]) % SEQUENCE_MODULO,
        block.frames.corrected[row],
        values,
        void_of(packet, values),
    )


def void_of(packet: Packet, values: dict[str, Column]) -> dict[str, npt.NDArray[np.bool_]]:
    """Where parameters mean nothing; not for repeated ones, whose cells are lists."""
    words = labels(packet)
    return {
        name: np.asarray(values[flag] == (0 if flag in words else off), np.bool_)
        for name, flag, off in packet.conditional
        if "[]" not in name
    }


def _columns_of_any_size(
    dictionary: Dictionary, packet: Packet, found: list[tuple[int, PacketBatch]], block: _Block
) -> PacketColumns | None:
    """As `_columns`, of packets whose size varies: one by one."""
    picked: list[tuple[int, int, bytes]] = []
    for vcid, batch in found:
        chosen = _of_type(dictionary, packet, batch.where(batch.size >= packet.min_size))
        for row, start, size in zip(chosen.row.tolist(), chosen.start.tolist(), chosen.size.tolist(), strict=True):
            data = chosen.stream[start : start + size].tobytes()
            if is_decodable(dictionary, data):
                picked.append((row, vcid, data))
    if not picked:
        return None
    picked.sort(key=lambda each: each[0])
    packets = [data for _, _, data in picked]
    row = np.array([each for each, _, _ in picked], np.int64)
    values = decode_batch(packets, packet)
    return PacketColumns(
        packet,
        block.ert[row],
        decode_times(packets, packet),
        np.array([vcid for _, vcid, _ in picked], np.int64),
        np.array([(data[2] << 8 | data[3]) % SEQUENCE_MODULO for data in packets], np.int64),
        block.frames.corrected[row],
        values,
        void_of(packet, values),
    )


def _of_type(dictionary: Dictionary, packet: Packet, batch: PacketBatch) -> PacketBatch:
    """Those that carry this type, by APID and what else tells it; every packet must be as long as its smallest."""
    apid = (batch.item(0).astype(np.int64) & 7) << 8 | batch.item(1)
    fits = apid == packet.definition.apid
    for place, mask, value in dictionary.marks(packet):
        fits &= (batch.item(place) & mask) == value
    return batch.where(fits)


def _chosen(packets: bytes, size: int, rows: Times) -> bytes:
    return np.frombuffer(packets, np.uint8).reshape(-1, size)[rows].tobytes()


def _decodable(dictionary: Dictionary, packets: bytes, size: int) -> Times:
    """The rows that the live decoder takes: one odd constant or time stops a whole batch."""
    good = []
    for row in range(len(packets) // size):
        if is_decodable(dictionary, packets[row * size : (row + 1) * size]):
            good.append(row)
    return np.array(good, np.int64)


def is_decodable(dictionary: Dictionary, packet: bytes) -> bool:
    """Whether the live decoder takes a packet."""
    try:
        decode_telemetry(dictionary, packet)
    except DecodeError:
        return False
    return True


def judged(monitor: QualityMonitor, columns: PacketColumns) -> PacketColumns:
    """The columns with the quality of their values, which follow those that the monitor has judged."""
    packet, checked = columns.packet, monitor.checked(columns.packet)
    if not checked:
        return columns
    words, bad = labels(packet), dict[int, Verdicts]()
    lists = [_cells(columns.values[name], words.get(name)) for name in checked]
    times = np.where(columns.scet == NO_TIME, columns.ert, columns.scet).tolist()
    gone = [(name, columns.void[name].tolist()) for name in checked if name in columns.void]
    for row, (time, cells) in enumerate(zip(times, zip(*lists, strict=True), strict=True)):
        void = [name for name, marks in gone if marks[row]]
        verdicts = monitor.judge(packet, dict(zip(checked, cells, strict=True)), time, void)
        if verdicts:
            bad[row] = verdicts
    return replace(columns, checked=checked, bad=bad)


def _cells(column: Column, words: Mapping[int, str] | None) -> list[Any]:
    """The cells, with words where a number has one."""
    cells: list[Any] = column.tolist()
    return cells if words is None else [words.get(cell, cell) for cell in cells]

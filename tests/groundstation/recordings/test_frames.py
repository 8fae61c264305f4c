"""The index of frames: what stands in it, and that it leads to the bytes."""

from __future__ import annotations

import random
import sqlite3
from bisect import bisect_right
from contextlib import closing
from itertools import accumulate
from pathlib import Path

import pytest

from groundstation.downlink.receiver import Receiver
from groundstation.errors import ArchiveError
from groundstation.links.base import Chunk
from groundstation.recordings.export.columns import frame_columns, packet_columns
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.records import FrameEntry, OnboardSpan
from groundstation.recordings.writer import ArchiveWriter
from groundstation.station.recorder import ArchivingReceiver
from protocols.lander import EPOCH, MARS6
from protocols.profile import UART
from protocols.sync.deframer import Deframer, Frame
from tests import descent
from tests.groundstation.made_recordings import make_old, record

STREAM = descent.stream()[: 132 * 400]


def spoilt() -> bytes:
    chance = random.Random(5)
    data = bytearray(STREAM)
    for _ in range(40):
        at = chance.randrange(len(data))
        if chance.random() < 0.5:
            data[at] ^= 0x40
        else:
            del data[at : at + chance.randrange(1, 40)]
    return bytes(data)


@pytest.mark.parametrize("size", [1, 7, 132, 1000, 4096])
def test_leads_to_the_bytes_however_they_were_cut(tmp_path: Path, size: int) -> None:
    data = spoilt()[: 132 * 40 if size == 1 else None]
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as archive:
        recorder = ArchivingReceiver(Receiver(MARS6, UART, "test:"), archive, str(path))
        for at in range(0, len(data), size):
            recorder.decode(recorder.keep(Chunk(EPOCH + at, data[at : at + size])))
    wanted = Deframer(UART).feed(data)
    with ArchiveReader(path) as reader:
        found = list(reader.frames())
        assert len(found) == len(wanted) > 20
        for record_, item in zip(found, wanted, strict=True):
            assert reader.frame_bytes(record_) == data[item.offset : item.offset + 132]
            assert record_.quality == ("GOOD" if isinstance(item, Frame) else item.reason)


def test_frames_are_indexed_once_when_a_station_stalls_and_ends(tmp_path: Path) -> None:
    """No silence comes between the last frame and the end: nothing may be indexed with that again."""
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as archive:
        recorder = ArchivingReceiver(Receiver(MARS6, UART, "test:"), archive, str(path))
        for number in range(5):
            recorder.decode(recorder.keep(Chunk(EPOCH + number, STREAM[132 * number : 132 * (number + 1)])))
        recorder.stalled(EPOCH + 10)
        recorder.finish()
    with ArchiveReader(path) as reader:
        chunks = [frame.chunk for frame in reader.frames()]
        assert len(chunks) == len(set(chunks)) == 5
        reader.check()
        assert reader.lack == ""


def test_both_times_channel_and_count(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    record(path)
    with ArchiveReader(path) as reader:
        frames = list(reader.frames())
        assert reader.frame_counts() == {(0, "GOOD"): 2240, (2, "GOOD"): 322}
        last = [frame for frame in frames if frame.vcid == 0][-1]
        assert (last.ert, last.scet, last.vcfc) == (EPOCH + 311_900_000_000, EPOCH + 311_900_000_000, 2239 % 256)
        columns = frame_columns(reader)
        assert columns["scet"].tolist() == [frame.scet for frame in frames]
        assert columns["vcfc"].tolist() == [frame.vcfc for frame in frames]
        assert set(columns["quality"].tolist()) == {0}
        found = reader.frame_by_scet(EPOCH + 100_000_000_000)
        assert found is not None
        assert found.ert == EPOCH + 100_000_000_000
        assert reader.onboard_spans() == [OnboardSpan(EPOCH, EPOCH + 321_000_000_000, 2240 + 322)]


def test_an_older_recording_is_read_and_says_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    record(path, bursts=50)
    with ArchiveReader(path) as reader:
        digest = reader.sha256()
    make_old(path)
    with ArchiveReader(path) as reader:
        assert reader.sha256() == digest
        assert not reader.has_frames
        assert reader.onboard_spans() == []
        with pytest.raises(ArchiveError, match="no index of frames"):
            list(reader.frames())


@pytest.mark.parametrize("size", [7, 132, 1000])
def test_a_frame_was_received_with_its_last_byte(tmp_path: Path, size: int) -> None:
    """Also if it was accepted later: two bytes too many stand before each fifth frame, so that the next one is seen."""
    frames = [STREAM[at : at + 132] for at in range(132 * 120, 132 * 160, 132)]
    chunks = []
    for number, sent in enumerate(frames):
        data = sent if number % 5 else b"\xaa\xaa" + sent
        chunks += [data[at : at + size] for at in range(0, len(data), size)]
    path = tmp_path / "pass.sqlite"
    accepted: dict[int, int] = {}
    with ArchiveWriter(path, {}) as archive:
        recorder = ArchivingReceiver(Receiver(MARS6, UART, "test:"), archive, str(path))
        for number, data in enumerate(chunks):
            recorder.decode(recorder.keep(Chunk(EPOCH + number, data)))
            accepted |= {frame.offset: EPOCH + number for frame in recorder.receiver.frames}
    ends = list(accumulate(map(len, chunks)))
    with ArchiveReader(path) as reader:
        starts = list(accumulate(map(len, (data for _, _, data in reader.chunks_from(1))), initial=0))
        numbers = [number for number, _, _ in reader.chunks_from(1)]
        late = 0
        for frame in reader.frames():
            offset = starts[numbers.index(frame.chunk)] + frame.offset
            assert frame.ert == EPOCH + bisect_right(ends, offset + frame.size - 1)
            late += accepted[offset] > frame.ert
        indexed = [frame.ert for frame in reader.frames() if frame.vcid == 0 and frame.quality == "GOOD"]
        (exported,) = packet_columns(reader, MARS6, UART, ["DESCENT"])
    assert late >= 7
    assert indexed == exported.ert.tolist()


def test_a_frame_whose_first_chunk_is_missing_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as writer:
        ids = [writer.chunk(number, "x", bytes([number]) * 100) for number in range(3)]
        places = [(ids[0], 10, 30), (ids[1], 50, 132), (ids[2], 10, 30)]
        writer.frames([FrameEntry(1, None, None, None, "CRC", *place) for place in places])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM chunk WHERE id = ?", (ids[1],))
    with ArchiveReader(path) as reader:
        assert [reader.frame_bytes(frame) for frame in reader.frames()] == [b"\0" * 30, b"", b"\2" * 30]


def test_a_frame_ends_at_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as writer:
        first = writer.chunk(1, "x", b"a" * 100)
        writer.chunk(2, "x", b"b" * 10)
        writer.event(3, None, "gap", b"{}")
        writer.chunk(4, "x", b"c" * 100)
        writer.frames([FrameEntry(1, None, None, None, "CRC", first, 50, 132)])
    with ArchiveReader(path) as reader:
        (frame,) = reader.frames()
        assert reader.frame_bytes(frame) == b"a" * 50 + b"b" * 10


def test_an_overrun_loses_no_place(tmp_path: Path) -> None:
    """Reads that were archived but not decoded move what comes behind them."""
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as archive:
        recorder = ArchivingReceiver(Receiver(MARS6, UART, "test:"), archive, str(path))
        for number in range(60):
            kept = recorder.keep(Chunk(EPOCH + number, STREAM[number * 132 : (number + 1) * 132]))
            if not 20 <= number < 25:
                recorder.decode(kept)
    with ArchiveReader(path) as reader:
        found = [reader.frame_bytes(frame) for frame in reader.frames()]
    assert found == [STREAM[n * 132 : (n + 1) * 132] for n in range(60) if not 20 <= n < 25]

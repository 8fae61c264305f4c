"""The archive at speed, beside plain SQLite and plain pyarrow in the same run: ingest, reading back, export.

    ingest      chunks of one frame each and the index of frames, synchronous=FULL, beside bare executemany
    columns     a million frames back into numpy columns: the index, and the packets decoded
    Parquet     export of the same recording, beside pyarrow writing the same columns that are in memory already

Rates are of this machine; only ratios travel.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from pathlib import Path

import pyarrow
import pyarrow.parquet

from groundstation.recordings import schema
from groundstation.recordings.export.columns import frame_columns, packet_columns
from groundstation.recordings.export.tables import export
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.records import FrameEntry
from groundstation.recordings.writer import ArchiveWriter
from hil.verdict.oracle import fly
from protocols.ccsds.tm_frame import TmFrame, decode_frame, encode_frame
from protocols.lander import EPOCH, MARS6
from protocols.profile import UART

FRAMES = 1_000_000
INGEST = 300_000
MS = 1_000_000
LINK = "serial:/dev/ttyACM0?baud=115200"


def lander_frames(count: int) -> list[bytes]:
    """Frames of the descent over and over, with the frame counts going on."""
    size = UART.cadu_length
    stream = b"".join(burst.data for burst in fly())
    cadus = [stream[n : n + size] for n in range(0, len(stream), size)]
    frames = [decode_frame(cadu[len(UART.asm) :], UART) for cadu in cadus]
    science = [frame for frame in frames if frame.vcid == 0][:2048]  # a whole number of rounds of the frame count
    wired = [
        encode_frame(TmFrame(f.scid, 0, n & 0xFF, n & 0xFF, f.first_header_pointer, f.data, f.ocf), UART)
        for n, f in enumerate(science)
    ]
    return (wired * (count // len(wired) + 1))[:count]


def record(path: Path, frames: list[bytes]) -> float:
    """Record every frame as a read of its own, and index it; frames a second."""
    start = time.perf_counter()
    with ArchiveWriter(path, {"mission": MARS6.name}) as archive:
        for number, frame in enumerate(frames):
            ert = EPOCH + number * 10 * MS
            chunk = archive.chunk(ert, LINK, frame)
            archive.frames([FrameEntry(ert, ert, 0, number & 0xFF, "GOOD", chunk, 0, len(frame))])
        archive.flush()
        took = time.perf_counter() - start
        assert archive.dropped == 0
    return len(frames) / took


def plain_sqlite(path: Path, frames: list[bytes]) -> float:
    """The floor: rows of the same kind in bare transactions of 5,000 frames."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.executescript(schema.CREATE)
    start = time.perf_counter()
    for first in range(0, len(frames), 5000):
        batch = list(enumerate(frames[first : first + 5000], first))
        with db:
            db.executemany(schema.INSERT_CHUNK, [(2 * n + 1, EPOCH + n * 10 * MS, 1, f) for n, f in batch])
            db.executemany(
                schema.INSERT_FRAME,
                [(2 * n + 2, EPOCH + n, EPOCH + n, 0, n & 0xFF, "GOOD", 2 * n + 1, 0, 132) for n, _ in batch],
            )
    took = time.perf_counter() - start
    db.close()
    return len(frames) / took


def read_back(path: Path) -> tuple[float, float]:
    """Seconds for the index of frames, and for the packets, as numpy columns."""
    with ArchiveReader(path) as reader:
        start = time.perf_counter()
        reader.check()  # as every command does
        index = frame_columns(reader)
        for_index = time.perf_counter() - start
        assert len(index["ert"]) == FRAMES
        start = time.perf_counter()
        rows = {"DESCENT": 0}
        for block in packet_columns(reader, MARS6, UART):
            name = block.packet.definition.name
            rows[name] = rows.get(name, 0) + len(block.ert)
        for_packets = time.perf_counter() - start
    assert rows["DESCENT"] == FRAMES, rows
    return for_index, for_packets


def plain_parquet(path: Path, exported: Path) -> float:
    """What pyarrow alone takes for the table that was exported."""
    table = pyarrow.parquet.read_table(exported)
    start = time.perf_counter()
    pyarrow.parquet.write_table(table, path, compression="zstd")
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    frames = lander_frames(FRAMES)
    with tempfile.TemporaryDirectory(dir=".", prefix="bench-") as folder:
        root = Path(folder)
        floor = plain_sqlite(root / "plain.sqlite", frames[:INGEST])
        rate = record(root / "ingest.sqlite", frames[:INGEST])
        print(f"ingest: {rate:,.0f} frames/s with their index; bare SQLite {floor:,.0f}; wanted 50,000")
        record(root / "pass.sqlite", frames)
        for_index, for_packets = read_back(root / "pass.sqlite")
        print(f"{FRAMES:,} frames back: index {for_index:.2f} s, packets decoded {for_packets:.2f} s; wanted 3 s")
        start = time.perf_counter()
        with ArchiveReader(root / "pass.sqlite") as reader:
            written = export(reader, MARS6, UART, "parquet", root / "out")
        took = time.perf_counter() - start
        science = next(path for path in written if "DESCENT" in path.name)
        plain = plain_parquet(root / "plain.parquet", science)
        print(f"export to Parquet: {took:.2f} s; pyarrow alone {plain:.2f} s; wanted 5 s")


if __name__ == "__main__":
    main()

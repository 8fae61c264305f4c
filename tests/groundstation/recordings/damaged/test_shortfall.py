"""What a recording lacks at its end, on disks that are full and files that are taken away."""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.writer import ArchiveWriter

LINK = "serial:///dev/ttyUSB0"

FULL_TO_THE_END = """
import json, resource, sys, time
from pathlib import Path
from groundstation.recordings.records import FrameEntry
from groundstation.recordings.writer import ArchiveWriter

writer = ArchiveWriter(Path(sys.argv[1]), {}, retry_every_s=0.02, max_records=100)
for n in range(10):
    writer.chunk(n, "x", bytes(1000))
writer.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
for n in range(10, 200):
    number = writer.chunk(n, "x", bytes(1000))
    writer.frames([FrameEntry(n, n, 0, n, "GOOD", number, 0, 132)])
    writer.event(n, None, "event", b"{}" * 50)
if sys.argv[2] == "recovers":
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    writer.flush()
if sys.argv[2] == "takes no more":
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
writer.close()
lacks = writer.shortfall
gap = lacks.missing
print(json.dumps([str(lacks), gap.records, gap.reads, gap.bytes, gap.first_ert, gap.last_ert, lacks.noted]))
"""


def fill_disk(path: Path, then: str) -> Any:
    done = subprocess.run([sys.executable, "-c", FULL_TO_THE_END, path, then], capture_output=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("then", ["stays full", "takes no more", "recovers"])
def test_shortfall_is_all_that_is_not_in_the_file(tmp_path: Path, then: str) -> None:
    path = tmp_path / "pass.sqlite"
    words, records, reads, size, first, last, noted = fill_disk(path, then)
    with ArchiveReader(path) as reader:
        kept = list(reader.chunks())
        others = sum(1 for _ in reader.frames()) + sum(event.kind == "event" for event in reader.events())
        gaps = [json.loads(event.body) for event in reader.events("gap")]
        assert reader.closed == noted
    assert noted or then != "recovers"
    assert not (noted and then == "takes no more")
    assert reads == 200 - len(kept) > 0
    assert size == 1000 * reads
    assert records == 10 + 3 * 190 - len(kept) - others
    assert last == 199
    assert first >= len(kept) - 1
    assert f"{path} lacks {reads} reads and {records - reads} records about them, {size:,} bytes, received" in words
    assert ("not closed" in words) == (not noted)
    if noted:
        (gap,) = gaps
        assert (gap["records"], gap["reads"], gap["bytes"]) == (records, reads, size)


def test_bytes_of_a_gap_are_received_bytes(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    writer = ArchiveWriter(path, {}, max_records=1)
    path.rename(tmp_path / "away")  # nothing is taken from the queue any more
    writer.chunk(1, LINK, b"x")
    writer.event(2, None, "event", b"{}" * 1000)
    writer.chunk(3, LINK, b"yz")
    (tmp_path / "away").rename(path)
    writer.flush()
    writer.close()
    with ArchiveReader(path) as reader:
        (gap,) = reader.events("gap")
    body = json.loads(gap.body)
    assert (body["records"], body["reads"], body["bytes"]) == (2, 1, 2)


def test_nothing_is_missing_of_a_recording_that_was_closed(tmp_path: Path) -> None:
    writer = ArchiveWriter(tmp_path / "pass.sqlite", {})
    writer.chunk(1, LINK, b"x")
    writer.close()
    assert writer.shortfall is None


def test_all_is_missing_of_a_recording_that_was_removed(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    writer = ArchiveWriter(path, {})
    for number in range(3):
        writer.chunk(number, LINK, b"kept")
    writer.flush()
    for each in tmp_path.iterdir():
        each.unlink()
    writer.chunk(3, LINK, b"late")
    writer.close()
    assert writer.shortfall is not None
    missing = writer.shortfall.missing
    assert missing is not None
    assert (missing.reads, missing.bytes, missing.first_ert, missing.last_ert) == (4, 16, 0, 3)
    assert "removed while it was written: nothing of it is left" in str(writer.shortfall)
    assert list(tmp_path.iterdir()) == []


def test_what_came_since_a_recording_was_moved_is_missing(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "pass.sqlite", tmp_path / "elsewhere.sqlite"
    writer = ArchiveWriter(path, {})
    writer.chunk(0, LINK, b"kept")
    writer.flush()
    path.rename(elsewhere)
    path.write_bytes(b"another")
    writer.chunk(1, LINK, b"late!")
    writer.close()
    assert writer.shortfall is not None
    assert writer.shortfall.missing is not None
    assert (writer.shortfall.missing.reads, writer.shortfall.missing.bytes) == (1, 5)
    assert f"moved to {elsewhere}, and another file is in its place" in str(writer.shortfall)
    assert path.read_bytes() == b"another"
    with ArchiveReader(elsewhere) as reader:
        assert [data for _, _, data in reader.chunks()] == [b"kept"]
        assert len(list(reader.events("gap"))) == 1


def test_a_file_that_is_taken_away_is_told_while_nothing_comes(tmp_path: Path) -> None:
    path, away = tmp_path / "pass.sqlite", tmp_path / "away"
    with ArchiveWriter(path, {}, retry_every_s=0.02) as writer:
        for source, target, wrong in [(path, away, True), (away, path, False)]:
            source.rename(target)
            patience = time.monotonic() + 10
            while (writer.error is not None) != wrong:
                assert time.monotonic() < patience
                time.sleep(0.01)
    assert writer.shortfall is None


def test_a_disk_without_room_for_a_recording_is_refused(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(Exception, match=r"cannot record to .*: File too large"):
            ArchiveWriter(tmp_path / "pass.sqlite", {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []

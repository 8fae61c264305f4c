import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from groundstation.errors import ArchiveError
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.writer import ArchiveWriter

LINK = "serial:///dev/ttyUSB0"


def read_chunks(path: Path) -> list[tuple[int, str, bytes]]:
    with ArchiveReader(path) as reader:
        return list(reader.chunks())


@contextmanager
def someone_else() -> Iterator[None]:
    """Root may write anywhere: become an unprivileged user for a moment."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_what_goes_in_comes_out_in_order(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "pass.sqlite"
    with ArchiveWriter(path, {"mission": "Mars 6"}) as writer:
        writer.chunk(3, LINK, b"\x00\xff")
        writer.event(2, 17, "event", b'{"name": "\xc3\xa4"}')
        writer.chunk(1, "zmq", b"abc")
        writer.event(5, None, "contact", b"{}")
        writer.meta("label", "first")
        writer.meta("label", "second")
    with ArchiveReader(path) as reader:
        assert reader.meta() == {"mission": "Mars 6", "label": "second", "closed": "yes"}
        assert list(reader.chunks()) == [(3, LINK, b"\x00\xff"), (1, "zmq", b"abc")]
        assert list(reader.events()) == [
            (2, 2, 17, "event", b'{"name": "\xc3\xa4"}'),
            (4, 5, None, "contact", b"{}"),
        ]
        assert [event.id for event in reader.events("contact")] == [4]
        assert reader.bytes_total == 5
    assert not path.with_name("pass.sqlite-wal").exists()


def test_any_sqlite_can_read_the_events(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as writer:
        writer.event(1, None, "event", b'{"name": "LOS"}')
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT json_extract(body, '$.name') FROM event").fetchall() == [("LOS",)]


def test_flush_makes_it_readable_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}, commit_every_s=60) as writer:
        for number in range(5):
            writer.chunk(number, LINK, b"x")
            writer.flush()
            assert len(read_chunks(path)) == number + 1
        writer.flush()


def test_commits_are_bundled(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}, commit_every_s=0.3) as writer, ArchiveReader(path) as reader:
        seen = set()
        began = time.monotonic()
        while time.monotonic() - began < 0.8:
            writer.chunk(0, LINK, b"x")
            seen.add(reader.bytes_total)
            time.sleep(0.005)
    assert len(seen) <= 5


def commits(path: Path) -> int:
    """How many commits are in the journal: the last frame of each says how large the file is then."""
    journal = path.with_name(f"{path.name}-wal").read_bytes()
    frame = 24 + int.from_bytes(journal[8:12], "big")
    return sum(journal[at + 4 : at + 8] != bytes(4) for at in range(32, len(journal), frame))


def test_a_whole_descent_in_bulk(tmp_path: Path) -> None:
    """Commits, which are what takes time, are as many as the clock allows, however many records there are."""
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}, commit_every_s=0.08) as writer:
        before, began = commits(path), time.perf_counter()
        for number in range(2600):
            writer.chunk(number, LINK, bytes(128))
        writer.flush()
        took = time.perf_counter() - began
        assert 1 <= commits(path) - before <= took / 0.08 + 3
    assert writer.dropped == 0
    assert len(read_chunks(path)) == 2600


def test_many_threads(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as writer:

        def work(name: str) -> None:
            for number in range(500):
                writer.chunk(number, name, b"x")

        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    chunks = read_chunks(path)
    for name in "abcd":
        assert [ert for ert, link, _ in chunks if link == name] == list(range(500))


def test_closed_is_closed(tmp_path: Path) -> None:
    writer = ArchiveWriter(tmp_path / "pass.sqlite", {})
    writer.close()
    writer.close()
    writer.flush()
    with pytest.raises(ArchiveError, match="closed"):
        writer.meta("a", "b")
    writer.chunk(0, LINK, b"late")
    assert writer.dropped == 1


def test_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    path.write_text("precious")
    with pytest.raises(ArchiveError, match="exists already"):
        ArchiveWriter(path, {})
    assert path.read_text() == "precious"


def test_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with someone_else(), pytest.raises(ArchiveError, match=r"cannot record to .*: Permission denied"):
        ArchiveWriter(tmp_path / "pass.sqlite", {})


def test_folder_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArchiveError, match="cannot record to"):
        ArchiveWriter(tmp_path / "file" / "pass.sqlite", {})


@pytest.mark.parametrize("ert", [2**63, -(2**63) - 1])
def test_refuses_at_the_caller_what_cannot_be_stored(tmp_path: Path, ert: int) -> None:
    with ArchiveWriter(tmp_path / "pass.sqlite", {}) as writer:
        with pytest.raises(ValueError, match="64 bits"):
            writer.chunk(ert, LINK, b"x")
        with pytest.raises(ValueError, match="64 bits"):
            writer.event(0, ert, "event", b"{}")
        with pytest.raises(UnicodeEncodeError):
            writer.chunk(0, "\udc80", b"x")
        assert writer.dropped == 0


VICTIM = """
import sys, time
from pathlib import Path
from groundstation.recordings.writer import ArchiveWriter
writer = ArchiveWriter(Path(sys.argv[1]), {})
for number in range(100_000):
    writer.chunk(time.monotonic_ns(), "x", number.to_bytes(4, "big"))
    print(number, flush=True)
    time.sleep(0.001)
"""


def test_kill_loses_the_last_commit_interval_at_most(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    with subprocess.Popen([sys.executable, "-c", VICTIM, path], stdout=subprocess.PIPE) as victim:
        assert victim.stdout is not None
        for _ in range(500):
            victim.stdout.readline()
        with ArchiveReader(path) as reader:
            committed = list(reader.chunks())
        victim.send_signal(signal.SIGKILL)
        killed_ns = time.monotonic_ns()
        victim.communicate()
    survived = read_chunks(path)
    assert len(committed) > 100
    assert survived[: len(committed)] == committed
    assert [data for _, _, data in survived] == [n.to_bytes(4, "big") for n in range(len(survived))]
    assert killed_ns - survived[-1][0] < 400_000_000  # 100 ms and a slow disk


FULL_DISK = """
import json, resource, sys, time
from pathlib import Path
from groundstation.recordings.writer import ArchiveWriter
from groundstation.errors import ArchiveError

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

writer = ArchiveWriter(Path(sys.argv[1]), {}, retry_every_s=0.05, max_records=200)
sent, slowest = 0, 0.0
def send(count):
    global sent, slowest
    for _ in range(count):
        began = time.perf_counter()
        writer.chunk(sent, "x", sent.to_bytes(4, "big") + bytes(1000))
        slowest = max(slowest, time.perf_counter() - began)
        sent += 1

send(10)
writer.flush()
limit(100_000)
send(150)
try:
    writer.flush()
    refused = ""
except ArchiveError as error:
    refused = str(error)
send(100)
during, dropped = writer.error, writer.dropped
if sys.argv[2] == "recover":
    limit(resource.RLIM_INFINITY)
    time.sleep(0.3)
    send(5)
    writer.flush()
if sys.argv[2] == "no word more":
    limit(0)
writer.meta("label", "told while it was full")
writer.close()
print(json.dumps([refused, during, dropped, writer.error, writer.dropped, slowest]))
"""


def fill_disk(path: Path, then: str) -> Any:
    done = subprocess.run([sys.executable, "-c", FULL_DISK, path, then], capture_output=True, check=True)
    return json.loads(done.stdout)


def test_full_disk_then_room_again(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    refused, during, dropped, after, dropped_after, slowest = fill_disk(path, "recover")
    assert "cannot be written" in refused
    assert during == refused
    assert dropped > 0
    assert slowest < 0.3
    assert (after, dropped_after) == (None, dropped)
    numbers = [int.from_bytes(data[:4], "big") for _, _, data in read_chunks(path)]
    assert numbers == [*range(210), *range(260, 265)]
    with ArchiveReader(path) as reader:
        (gap,) = reader.events("gap")
    assert json.loads(gap.body) == {"records": 50, "reads": 50, "bytes": 50 * 1004, "first_ert": 210, "last_ert": 259}
    assert dropped == 50


def test_full_disk_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    _, _, _, after, dropped, _ = fill_disk(path, "end")
    assert "cannot be written" in after
    chunks = read_chunks(path)
    assert len(chunks) + dropped == 260
    assert len(chunks) >= 10
    with ArchiveReader(path) as reader:
        (gap,) = reader.events("gap")
        assert reader.closed
        assert reader.meta()["label"] == "told while it was full"
    told = {"records": dropped, "reads": dropped, "bytes": dropped * 1004, "first_ert": len(chunks), "last_ert": 259}
    assert json.loads(gap.body) == told
    assert gap.id > 260


def test_full_disk_that_takes_no_word_more_is_not_closed(tmp_path: Path) -> None:
    """Better open than closed without a word of what is missing."""
    path = tmp_path / "pass.sqlite"
    _, _, _, _, dropped, _ = fill_disk(path, "no word more")
    assert len(read_chunks(path)) + dropped == 260
    with ArchiveReader(path) as reader:
        assert list(reader.events("gap")) == []
        assert not reader.closed


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Within it the recording takes no event: SQLite refuses with "no"."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TRIGGER no BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'no'); END")
        yield
        db.execute("DROP TRIGGER IF EXISTS no")


@contextmanager
def hanging(path: Path) -> Iterator[sqlite3.Connection]:
    """Within it a commit hangs, as on a disk that does not answer, for at most the 5 s that SQLite waits."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield db
        db.commit()


def test_a_gap_that_cannot_be_told_leaves_it_open(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    writer = ArchiveWriter(path, {})
    with refusing(path):
        writer.event(7, None, "event", b"{}")
        writer.close()
    assert writer.dropped == 1
    with ArchiveReader(path) as reader:
        assert not reader.closed


def test_what_came_while_it_closed_is_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    writer = ArchiveWriter(path, {})
    closing_it = threading.Thread(target=writer.close)
    with hanging(path):
        writer.chunk(0, LINK, b"in time")
        closing_it.start()
        number = 0
        while not writer.dropped:  # until the writer closes there is room
            number += 1
            writer.chunk(number, LINK, b"late")
    closing_it.join(10)
    with ArchiveReader(path) as reader:
        (gap,) = reader.events("gap")
        assert reader.closed
        assert [ert for ert, _, _ in reader.chunks()] == list(range(number))
    told = {"records": 1, "reads": 1, "bytes": 4, "first_ert": number, "last_ert": number}
    assert json.loads(gap.body) == told


def errors_until(writer: ArchiveWriter, condition: Callable[[], bool]) -> list[str | None]:
    """What a viewer that looks all the time sees, each text once."""
    seen: list[str | None] = []
    deadline = time.monotonic() + 10
    while True:
        if (error := writer.error) not in seen:
            seen.append(error)
        if condition():
            return seen
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_disk_that_does_not_answer_is_told_once_and_so_is_its_answer(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    silence = f"{path}: cannot be written: the disk has not answered for more than 0.1 s"
    with ArchiveWriter(path, {}, answer_within_s=0.1, max_records=4) as writer:
        writer.chunk(0, LINK, b"x")
        writer.flush()
        assert errors_until(writer, lambda: True) == [None]
        with hanging(path):
            writer.chunk(1, LINK, b"x")
            assert set(errors_until(writer, lambda: writer.error is not None)) <= {None, silence}
            for number in range(2, 8):
                writer.chunk(number, LINK, b"x")
            assert writer.dropped > 0
            began = time.monotonic()
            assert errors_until(writer, lambda: time.monotonic() > began + 0.2) == [silence]
        writer.flush()
        assert errors_until(writer, lambda: True) == [None]
    with ArchiveReader(path) as reader:
        (gap,) = reader.events("gap")
    assert json.loads(gap.body)["records"] == writer.dropped


def test_dropping_is_an_error_before_the_disk_is_late(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}, answer_within_s=1.0, max_records=2) as writer:
        with hanging(path):
            for number in range(4):
                writer.chunk(number, LINK, b"x")
            assert writer.dropped == 2
            began = time.monotonic()
            seen = errors_until(writer, lambda: time.monotonic() > began + 1.0)
            assert seen == [f"{path}: cannot be written: the disk is too slow"]
        writer.flush()
        assert writer.error is None
    assert [ert for ert, _, _ in read_chunks(path)] == [0, 1]


def test_a_disk_that_refuses_is_no_silent_one(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}, retry_every_s=0.01, answer_within_s=0.05) as writer, refusing(path):
        writer.event(0, None, "event", b"{}")
        seen = errors_until(writer, lambda: writer.error is not None)
        with hanging(path) as db:
            began = time.monotonic()
            seen += errors_until(writer, lambda: time.monotonic() > began + 0.2)
            db.execute("DROP TRIGGER no")
        seen += errors_until(writer, lambda: writer.error is None)
        assert set(seen) == {None, f"{path}: cannot be written: no"}


def test_closes_at_once_despite_a_held_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    writer = ArchiveWriter(path, {})
    writer.chunk(1, LINK, b"x")
    writer.flush()
    with closing(sqlite3.connect(path)) as db:
        db.execute("BEGIN")
        assert db.execute("SELECT count(*) FROM chunk").fetchone() == (1,)
        writer.chunk(2, LINK, b"y")
        began = time.monotonic()
        writer.close()
        assert time.monotonic() - began < 4  # SQLite alone would wait 5 s
        with ArchiveReader(path) as reader:
            assert reader.closed
            assert reader.bytes_total == 2
        db.execute("ROLLBACK")
    assert not path.with_name("pass.sqlite-wal").exists()
    assert len(read_chunks(path)) == 2


@pytest.mark.parametrize("what", ["pass.sqlite", "pass.sqlite-wal"])
def test_a_recording_that_is_moved_away_is_told_and_goes_on_when_it_is_back(tmp_path: Path, what: str) -> None:
    path, away = tmp_path / "pass.sqlite", tmp_path / "elsewhere"
    with ArchiveWriter(path, {}, retry_every_s=0.02, max_records=10) as writer:
        writer.chunk(0, LINK, b"a")
        writer.flush()
        (tmp_path / what).rename(away)
        for number in range(1, 21):
            writer.chunk(number, LINK, b"b")
        with pytest.raises(ArchiveError, match=r"pass\.sqlite: cannot be written: it was moved or removed"):
            writer.flush()
        assert writer.dropped == 10
        away.rename(tmp_path / what)
        writer.flush()
        assert writer.error is None
    assert [ert for ert, _, _ in read_chunks(path)] == list(range(11))
    with ArchiveReader(path) as reader:
        (gap,) = reader.events("gap")
    assert json.loads(gap.body)["records"] == 10


def test_another_file_in_its_place_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as writer:
        path.unlink()
        path.write_text("another program's")
        writer.chunk(0, LINK, b"a")
        with pytest.raises(ArchiveError, match="moved or removed"):
            writer.flush()
    assert path.read_text() == "another program's"
    assert writer.dropped == 1

"""Damaged recordings: what can be read is given, what cannot is told; nothing is given that was not recorded."""

import random
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from groundstation.errors import ArchiveError, PartlyRead, StationError
from groundstation.recordings.export.columns import frame_columns
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.records import FrameEntry
from groundstation.recordings.writer import ArchiveWriter
from tests.groundstation.recordings.test_opening import killed

PAGE = 4096
READS = 400
EVERY = 10
"""An event stands behind so many reads."""


def data_of(number: int) -> bytes:
    return number.to_bytes(4, "big") * 33


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A recording of reads of one frame each, with their index, and of events."""
    path = tmp_path_factory.mktemp("whole") / "pass.sqlite"
    with ArchiveWriter(path, {"mission": "Mars 6", "station": "bench"}) as writer:
        for n in range(READS):
            number = writer.chunk(n, "test:", data_of(n))
            writer.frames([FrameEntry(n, n, 0, n & 0xFF, "GOOD", number, 0, 132)])
            if n % EVERY == 0:
                writer.event(n, None, "event", b"{}")
    return path.read_bytes()


def put(folder: Path, data: bytes) -> Path:
    path = folder / "pass.sqlite"
    path.write_bytes(data)
    return path


def plain_reads(path: Path) -> set[int]:
    """What SQLite alone reads: the times of sound reads, from both ends and around what is damaged."""
    found = set()
    with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as db, suppress(sqlite3.Error):
        for order in ("ASC", "DESC"):
            with suppress(sqlite3.Error):
                rows = db.execute(f"SELECT ert, data FROM chunk ORDER BY id {order}")
                found |= {ert for ert, data in rows if ert in range(READS) and data == data_of(ert)}
    return found


def check_readable(path: Path) -> None:
    """Nothing is given that was not recorded, all that SQLite reads is, and what is missing is told in numbers."""
    with ArchiveReader(path) as reader:
        reader.check()
        reads = [(ert, data) for ert, _, data in reader.chunks()]
        assert all(data == data_of(ert) for ert, data in reads)
        erts = [ert for ert, _ in reads]
        assert erts == sorted(set(erts))
        assert plain_reads(path) <= set(erts)
        frames, events = list(reader.frames()), list(reader.events())
        missing = 2 * READS + READS // EVERY - len(reads) - len(frames) - len(events)
        assert len(reads) * 132 == reader.bytes_total
        lost = 0 if reader.damage is None else reader.damage.records
        assert missing == lost
        if missing:
            assert reader.damage is not None
            assert reader.damage.is_partial
        if reader.damage is not None and reader.damage.reads is not None:
            assert reader.damage.reads == READS - len(reads)


def test_a_zeroed_page_costs_what_was_in_it_and_is_told(tmp_path: Path, whole: bytes) -> None:
    for number in range(1, len(whole) // PAGE):
        path = put(tmp_path, whole[: number * PAGE] + bytes(PAGE) + whole[(number + 1) * PAGE :])
        check_readable(path)


def test_a_page_of_noise_costs_what_was_in_it_and_is_told(tmp_path: Path, whole: bytes) -> None:
    for number in range(1, len(whole) // PAGE):
        noise = random.Random(number).randbytes(PAGE)
        check_readable(put(tmp_path, whole[: number * PAGE] + noise + whole[(number + 1) * PAGE :]))


@pytest.mark.parametrize("first", [bytes(PAGE), random.Random(0).randbytes(PAGE)])
def test_the_first_page_costs_no_record(tmp_path: Path, whole: bytes, first: bytes) -> None:
    path = put(tmp_path, first + whole[PAGE:])
    with ArchiveReader(path) as reader:
        assert len(list(reader.chunks())) == READS
        assert len(list(reader.frames())) == READS
        assert reader.meta()["station"] == "bench"
        assert "1 page of 4,096 bytes" in reader.lack


def test_one_page_of_reads_is_told_in_reads_bytes_and_times(tmp_path: Path, whole: bytes) -> None:
    with closing(sqlite3.connect(put(tmp_path, whole))) as db:
        (leaf,) = (n for n in range(len(whole) // PAGE) if whole[n * PAGE] == 13 and data_of(200) in page(whole, n))
        ids = dict(db.execute("SELECT ert, id FROM chunk"))
    gone = [n for n in range(READS) if data_of(n) in page(whole, leaf)]
    path = put(tmp_path, whole[: leaf * PAGE] + bytes(PAGE) + whole[(leaf + 1) * PAGE :])
    with ArchiveReader(path) as reader:
        assert len(list(reader.chunks())) == READS - len(gone) < READS
        damage = reader.damage
    assert damage is not None
    assert (damage.reads, damage.records, damage.bytes) == (len(gone), len(gone), 132 * len(gone))
    assert damage is not None
    (lost,) = damage.lost
    assert (lost.received, lost.first, lost.last) == ((gone[0], gone[-1]), ids[gone[0]], ids[gone[-1]])
    assert f"{len(gone)} reads of about {132 * len(gone):,} bytes, received 1970-01-01 00:00:00.000" in str(damage)


def test_rows_that_are_gone_without_a_trace_are_told_by_their_frames(tmp_path: Path, whole: bytes) -> None:
    """SQLite finds nothing wrong with it, and the link would get the blame for the lost frames."""
    path = put(tmp_path, whole)
    with closing(sqlite3.connect(path)) as db, db:
        gone = [number for (number,) in db.execute("SELECT id FROM chunk WHERE ert BETWEEN 100 AND 109")]
        db.execute("DELETE FROM chunk WHERE ert BETWEEN 100 AND 109")
    with ArchiveReader(path) as reader:
        reader.check()
        assert reader.damage is not None
        assert (reader.damage.reads, reader.damage.bytes) == (len(gone), 132 * len(gone)) == (10, 1320)
        assert "frames are indexed whose bytes are missing" in reader.lack


def test_reads_whose_bytes_are_gone_are_told_by_their_frames(tmp_path: Path, whole: bytes) -> None:
    path = put(tmp_path, whole)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE chunk SET data = x'' WHERE ert BETWEEN 100 AND 109")
    with ArchiveReader(path) as reader:
        reader.check()
        assert reader.damage is not None
        assert (reader.damage.reads, reader.damage.bytes) == (10, 1320)
        assert "frames are indexed whose bytes are missing" in reader.lack


def test_shortened_reads_are_told_by_their_frames(tmp_path: Path, whole: bytes) -> None:
    path = put(tmp_path, whole)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE chunk SET data = substr(data, 1, 100) WHERE ert BETWEEN 100 AND 109")
    with ArchiveReader(path) as reader:
        reader.check()
        assert reader.damage is not None
        assert reader.damage.refused == 10
        assert reader.damage.places[0].endswith(": it is shorter than its frames")
        with pytest.raises(PartlyRead, match="10 records cannot be read"):
            reader.require_whole()


def page(data: bytes, number: int) -> bytes:
    return data[number * PAGE : (number + 1) * PAGE]


@pytest.mark.parametrize("sixteenths", range(8, 16))
def test_a_file_that_is_cut_off_gives_what_is_left(tmp_path: Path, whole: bytes, sixteenths: int) -> None:
    path = put(tmp_path, whole[: len(whole) * sixteenths // 16])
    with ArchiveReader(path) as reader:
        reads = [(ert, data) for ert, _, data in reader.chunks()]
        assert reads
        assert all(data == data_of(ert) for ert, data in reads)
        assert f"{len(whole) - path.stat().st_size:,} bytes of the file's end are missing" in reader.lack
    kept = sum(data_of(n) in path.read_bytes() for n in range(READS))
    assert len(reads) == kept


@pytest.mark.parametrize("seed", range(4))
def test_flipped_bits_are_never_worse_than_what_sqlite_reads(tmp_path: Path, whole: bytes, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(25):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 1, 3, 30))):
            data[chance.randrange(PAGE, len(data))] ^= 1 << chance.randrange(8)
        path = put(tmp_path, bytes(data))
        plain = plain_reads(path)
        with ArchiveReader(path) as reader:
            reader.check()
            assert plain <= {ert for ert, _, data in reader.chunks() if ert in range(READS) and data == data_of(ert)}
            list(reader.frames())
            list(reader.events())


VALUES = ["NULL", "1.5", "'text'", "x'00ff'", "-5", "9223372036854775807", "-9223372036854775808", "zeroblob(70000000)"]


@pytest.mark.long
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    "column",
    ["chunk.ert", "chunk.link", "chunk.data", "event.ert", "event.scet", "event.kind", "event.body"]
    + [f"frame.{name}" for name in ("ert", "scet", "vcid", "vcfc", "quality", "chunk", "offset", "size")],
)
def test_a_value_of_any_kind_in_any_column_costs_its_row_at_most(tmp_path: Path, column: str, value: str) -> None:
    path = loose(tmp_path / "pass.sqlite")
    table, name = column.split(".")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"UPDATE {table} SET {name} = {value} WHERE id = (SELECT min(id) FROM {table})")
    with ArchiveReader(path) as reader:
        index = frame_columns(reader)
        reads, frames, events = list(reader.chunks()), list(reader.frames()), list(reader.events())
        assert index["id"].tolist() == [frame.id for frame in frames]
        counts = (len(reads), len(frames), len(events))
        assert all(type(ert) is int and type(data) is bytes for ert, _, data in reads)
        for each in (reader.span(), reader.onboard_spans(), reader.frame_counts(), reader.event_counts()):
            assert each is not None
    rows = {"chunk": 0, "frame": 1, "event": 2}
    assert sum(counts) >= 8
    assert all(count == 3 for table_, place in rows.items() if table_ != table for count in [counts[place]])
    if column == "chunk.link":
        assert reader.damage is not None
    else:
        assert (reader.damage is not None) == (sum(counts) == 8)


def loose(path: Path) -> Path:
    """A recording of three of each, whose columns take any value."""
    with ArchiveWriter(path, {"station": "bench"}) as writer:
        for n in range(3):
            number = writer.chunk(n, "test:", data_of(n))
            writer.frames([FrameEntry(n, n, 0, n, "GOOD", number, 0, 132)])
            writer.event(n, n, "event", b"{}")
    with closing(sqlite3.connect(path)) as db:
        db.executescript("""
            CREATE TABLE c (id INTEGER PRIMARY KEY, ert, link, data);
            CREATE TABLE e (id INTEGER PRIMARY KEY, ert, scet, kind, body);
            CREATE TABLE f (id INTEGER PRIMARY KEY, ert, scet, vcid, vcfc, quality, chunk, offset, size);
            INSERT INTO c SELECT * FROM chunk; INSERT INTO e SELECT * FROM event; INSERT INTO f SELECT * FROM frame;
            DROP TABLE chunk; DROP TABLE event; DROP TABLE frame;
            ALTER TABLE c RENAME TO chunk; ALTER TABLE e RENAME TO event; ALTER TABLE f RENAME TO frame;
        """)
    return path


@pytest.mark.parametrize("number", [-7, 0])
def test_records_with_impossible_ids_are_told(tmp_path: Path, number: int) -> None:
    path = loose(tmp_path / "pass.sqlite")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE chunk SET id = ? WHERE id = 1", (number,))
    with ArchiveReader(path) as reader:
        reader.check()
        assert [ert for ert, _, _ in reader.chunks()] == [1, 2]
        assert reader.damage is not None
        assert f"chunk {number}: id cannot be {number}" in reader.damage.places


def test_an_id_that_is_far_from_the_others_is_not_believed(tmp_path: Path, whole: bytes) -> None:
    path = put(tmp_path, whole)
    with closing(sqlite3.connect(path)) as db, db:
        last = db.execute("SELECT max(id) FROM chunk").fetchone()[0]
        db.execute("UPDATE chunk SET id = id + 1000000 WHERE id = ?", (last,))
    data = path.read_bytes().replace(data_of(100), data_of(100)[:-1] + b"\xff")
    path.write_bytes(data[: 7 * PAGE] + bytes(PAGE) + data[8 * PAGE :])
    with ArchiveReader(path) as reader:
        reader.check()
        assert [ert for ert, _, _ in reader.chunks()] == list(range(READS))
        repaired = f"chunk {last + 1_000_000}: its id is too far from the others, taken for {last}"
        assert reader.damage is not None
        assert repaired in reader.damage.places
        reader.require_whole()


def test_a_record_whose_id_is_out_of_order_stays_in_its_place(tmp_path: Path, whole: bytes) -> None:
    """SQLite would find nothing behind it."""
    with closing(sqlite3.connect(put(tmp_path, whole))) as db:
        number = dict(db.execute("SELECT ert, id FROM chunk"))[300]
    varint = bytes([number >> 7 | 0x80, number & 0x7F])
    at = whole.index(data_of(300))
    at = whole.rindex(varint, at - 40, at)
    path = put(tmp_path, whole[:at] + bytes([0xFF, 0x7F]) + whole[at + 2 :])
    with ArchiveReader(path) as reader:
        assert [ert for ert, _, data in reader.chunks()] == list(range(READS))
        assert reader.damage is not None
        assert f"chunk 16383: its id is out of order, taken for {number}" in reader.damage.places
        reader.require_whole()


def test_a_body_that_does_not_decode_costs_its_event(tmp_path: Path) -> None:
    from groundstation.recordings.event_bodies import Gap

    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as writer:
        writer.event(1, None, "gap", b"{no JSON")
        writer.event(2, None, "gap", b'{"records": 1, "bytes": 2, "first_ert": 3, "last_ert": 4}')
    with ArchiveReader(path) as reader:
        bodies = [reader.body(event, Gap) for event in reader.events("gap")]
        assert bodies == [None, Gap(1, 2, 3, 4)]
        assert reader.damage is not None
        assert reader.damage.refused == 1
        assert reader.damage is not None
        assert "record 1, kind 'gap'" in reader.damage.places[0]


def test_a_gap_is_not_taken_for_damage(tmp_path: Path, whole: bytes) -> None:
    """Holes that the recording notes itself were never recorded."""
    path = tmp_path / "pass.sqlite"
    writer = ArchiveWriter(path, {}, max_records=5)
    for number in range(3):
        writer.chunk(number, "test:", data_of(number))
    writer.flush()
    path.rename(tmp_path / "away")
    for number in range(3, 50):
        writer.chunk(number, "test:", data_of(number))
    (tmp_path / "away").rename(path)
    writer.flush()
    writer.close()
    data = bytearray(path.read_bytes())
    data[5 * PAGE : 6 * PAGE] = bytes(PAGE)  # an index
    path.write_bytes(data)
    with ArchiveReader(path) as reader:
        reader.check()
        list(reader.frames())
        assert reader.damage is not None
        assert reader.damage.records == 0


def test_reading_goes_on_where_it_was_when_damage_was_met(tmp_path: Path, whole: bytes) -> None:
    leaves = [n for n in range(len(whole) // PAGE) if whole[n * PAGE] == 13 and data_of(390) in page(whole, n)]
    path = put(tmp_path, whole[: leaves[0] * PAGE] + bytes(PAGE) + whole[(leaves[0] + 1) * PAGE :])
    with ArchiveReader(path) as reader:
        numbers = [number for number, *_ in reader.records_from(1)]
        assert numbers == sorted(set(numbers))
        pages = list(reader.chunk_rows(7))
        assert max(map(len, pages)) == 7
        assert reader.damage is not None


@pytest.mark.parametrize("at", [33, 60, 4096, 20_000])
def test_a_damaged_journal_costs_one_page_of_it(tmp_path: Path, at: int) -> None:
    """SQLite leaves out all that stands behind, without a word."""
    path = killed(tmp_path / "pass.sqlite", chunks=3000)
    journal = tmp_path / "pass.sqlite-wal"
    data = bytearray(journal.read_bytes())
    data[at] ^= 0x10
    journal.write_bytes(data)
    (tmp_path / "pass.sqlite-shm").unlink()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        plain = db.execute("SELECT count(*) FROM chunk").fetchone()[0]
    with ArchiveReader(path) as reader:
        reader.check()
        found = len(list(reader.chunks()))
        assert "1 page of its journal" in reader.lack
    assert found > plain
    assert found > 2950


def test_noise_is_no_recording(tmp_path: Path) -> None:
    for size in (10, 5000, 200_000):
        path = put(tmp_path, random.Random(size).randbytes(size))
        with pytest.raises(ArchiveError, match="not a recording of this station"):
            ArchiveReader(path)


def test_a_recording_without_anything_readable_is_an_error(tmp_path: Path, whole: bytes) -> None:
    path = put(tmp_path, whole[:PAGE] + random.Random(1).randbytes(len(whole) - PAGE))
    with pytest.raises(StationError, match="nothing of it can be read"), ArchiveReader(path) as reader:
        list(reader.chunks())

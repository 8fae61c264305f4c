import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from groundstation.errors import ArchiveError
from groundstation.recordings import schema
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.writer import ArchiveWriter
from tests.groundstation.recordings.test_writer import LINK, someone_else


def test_more_than_a_page_while_written(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as writer, ArchiveReader(path) as reader:
        assert list(reader.chunks()) == []
        for number in range(1500):
            writer.chunk(number, LINK, number.to_bytes(2, "big"))
        writer.flush()
        chunks = reader.chunks()
        first = [next(chunks) for _ in range(1200)]
        writer.chunk(1500, LINK, b"\xff")
        writer.flush()
        assert [ert for ert, _, _ in first] == list(range(1200))
        assert [ert for ert, _, _ in chunks] == list(range(1200, 1501))
        assert len(list(reader.chunks())) == 1501
        assert reader.bytes_total == 3001


def test_writer_leaves_all_in_the_file_despite_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    writer = ArchiveWriter(path, {})
    with ArchiveReader(path) as reader:
        writer.chunk(1, LINK, b"x")
        writer.close()
        assert reader.bytes_total == 1
        shutil.copy(path, tmp_path / "copy.sqlite")
    with ArchiveReader(tmp_path / "copy.sqlite") as reader:
        assert reader.bytes_total == 1


def test_sha256_is_that_of_the_bytes_however_they_were_cut(tmp_path: Path) -> None:
    data = bytes(range(256)) * 10
    digests = set()
    for size in (1, 7, 4096):
        path = tmp_path / f"{size}.sqlite"
        with ArchiveWriter(path, {}) as writer:
            for start in range(0, len(data), size):
                writer.chunk(start, LINK, data[start : start + size])
        with ArchiveReader(path) as reader:
            digests.add(reader.sha256())
    assert digests == {hashlib.sha256(data).hexdigest()}


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no recording at"):
        ArchiveReader(tmp_path / "none.sqlite")
    with pytest.raises(ArchiveError, match="is a folder, not a recording"):
        ArchiveReader(tmp_path)
    assert not (tmp_path / "none.sqlite").exists()


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 10_000])
def test_foreign_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign.sqlite"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="not a recording of this station"):
        ArchiveReader(path)
    assert path.read_bytes() == content


def test_foreign_database(tmp_path: Path) -> None:
    path = tmp_path / "foreign.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE chunk (id)")
    with pytest.raises(ArchiveError, match="not a recording of this station"):
        ArchiveReader(path)


def test_newer_schema(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    ArchiveWriter(path, {}).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    with pytest.raises(ArchiveError, match="newer version"):
        ArchiveReader(path)


def test_damaged(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as writer:
        for number in range(500):
            writer.chunk(number, LINK, bytes(500))
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xaa" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="nothing of it can be read"), ArchiveReader(path) as reader:
        list(reader.chunks())


def test_name_with_every_uri_trap(tmp_path: Path) -> None:
    path = tmp_path / "a?b#c%41 ä.sqlite"
    with ArchiveWriter(path, {}) as writer:
        writer.chunk(1, LINK, b"x")
    with ArchiveReader(path) as reader:
        assert reader.bytes_total == 1


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff%\xe4.sqlite")
    with ArchiveWriter(path, {}) as writer:
        writer.chunk(1, LINK, b"x")
    with ArchiveReader(path) as reader:
        assert reader.bytes_total == 1


def test_read_only_medium(tmp_path: Path) -> None:
    written = tmp_path / "pass.sqlite"
    with ArchiveWriter(written, {}) as writer:
        writer.chunk(1, LINK, b"x")
    with TemporaryDirectory() as folder:
        medium = Path(folder)
        shutil.copy(written, medium)
        medium.chmod(0o555)
        with someone_else(), ArchiveReader(medium / "pass.sqlite") as reader:
            assert reader.bytes_total == 1
        assert [path.name for path in medium.iterdir()] == ["pass.sqlite"]
        medium.chmod(0o755)

"""Rows read from pages are those that SQLite reads."""

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundstation.recordings.damaged.pages import PageFile
from tests.groundstation.recordings.test_opening import killed

VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([0, 1, -1, 127, -128, 2**15, 2**23 - 1, -(2**23), 2**31, 2**47, -(2**47)]),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=50),
    st.binary(max_size=60),
    st.integers(3000, 30_000).map(bytes),
)


def rows_of(path: Path) -> list[tuple[object, ...]]:
    with PageFile(path, with_journal=True) as file:
        found = []
        for number in range(2, file.count + 1):
            leaf = file.leaf(number, file.page(number))
            if leaf is not None:
                assert leaf.unreadable == 0
                found += [(row.id, *row.values[1:]) for row in leaf.rows]
    return sorted(found, key=lambda row: (len(row), row))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.integers(-(2**63), 2**63 - 1), st.tuples(VALUES, VALUES), max_size=60),
    st.sampled_from([512, 1024, 4096, 65536]),
)
def test_rows_are_those_that_sqlite_reads(rows: dict[int, tuple[object, object]], page_size: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "any.sqlite"
        with closing(sqlite3.connect(path)) as db, db:
            db.execute(f"PRAGMA page_size = {page_size}")
            db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)")
            db.executemany("INSERT INTO t VALUES (?, ?, ?)", [(key, *values) for key, values in rows.items()])
        with closing(sqlite3.connect(path)) as db:
            wanted = sorted(db.execute("SELECT id, a, b FROM t"), key=lambda row: row[0])
        assert [repr(row) for row in rows_of_any(path)] == [repr(row) for row in wanted]


def rows_of_any(path: Path) -> list[tuple[object, ...]]:
    with PageFile(path, with_journal=False) as file:
        free = file.free_pages()
        leaves = [file.leaf(n, file.page(n)) for n in range(2, file.count + 1) if n not in free]
        overflow = file.overflow
        leaves = [file.leaf(n, file.page(n)) for n in range(2, file.count + 1) if n not in free | overflow]
    rows = sorted((row for leaf in leaves if leaf for row in leaf.rows), key=lambda row: row.id)
    return [(row.id, *row.values[1:]) for row in rows]


def test_pages_of_the_journal_stand_in_place_of_older_ones(tmp_path: Path) -> None:
    path = killed(tmp_path / "pass.sqlite", chunks=2000)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        wanted = db.execute("SELECT id, ert, link, data FROM chunk ORDER BY id").fetchall()
    assert [row for row in rows_of(path) if len(row) == 4] == wanted
    assert len(wanted) == 2000

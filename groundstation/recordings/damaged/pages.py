"""The rows in the pages of an SQLite file, read page by page without SQLite: for files that SQLite cannot read.

One damaged page makes SQLite refuse all that it has to pass on its way: a leaf costs what is in it, a page higher up
all that is below it, the first page everything. The leaves themselves say all there is to know: rows with their ids. So
each page is looked at alone, and each cell in it; what does not add up costs the cell or the page, and is counted.

The format is SQLite's own, https://sqlite.org/fileformat2.html, and does not change.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from groundstation.recordings.creation import MAGIC, journal_of
from groundstation.recordings.damaged.journal import Journal, read_journal
from groundstation.recordings.records import Value

_HEADER_SIZE = 100
_PAGE_SIZE = 4096
"""Where the header does not say."""

_INDEX_INTERIOR, _TABLE_INTERIOR, _INDEX_LEAF, _TABLE_LEAF = 2, 5, 10, 13
_SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
"""Bytes of a value, by its serial type."""

_FREELIST_MAX = 1_000_000
_LARGEST = 64 << 20
"""Bytes of a row: a writer accepts no more."""


class Row(NamedTuple):
    """One row of a table. ``id`` is its rowid; the first of the values is None where it is the table's key."""

    page: int
    id: int
    values: tuple[Value, ...]


class Leaf(NamedTuple):
    """What is in a leaf: its rows, or entries of an index (without an id), and how many cells could not be read."""

    rows: list[Row]
    entries: list[tuple[Value, ...]]
    unreadable: int


class PageFile:
    """The pages of a file, with those of its journal in their place. Nothing in them is believed.

    Attributes:
        page_size: bytes of a page.
        count: pages that there are.
        missing_bytes: how much of its end the file lacks.
        journal: what the journal holds.
    """

    def __init__(self, path: Path, *, with_journal: bool) -> None:
        """Open the file.

        Raises:
            OSError: it cannot be opened.
        """
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._log = -1
        self.journal = Journal()
        size = os.fstat(self._file).st_size
        header = os.pread(self._file, _HEADER_SIZE, 0)
        self.has_header = header.startswith(MAGIC) and len(header) == _HEADER_SIZE
        stated = int.from_bytes(header[16:18], "big") if self.has_header else 0
        self.page_size = 65536 if stated == 1 else stated if stated >= 512 else _PAGE_SIZE
        self._usable = self.page_size - (header[20] if self.has_header else 0)
        self._freelist = int.from_bytes(header[32:36], "big") if self.has_header else 0
        pages_stated = int.from_bytes(header[28:32], "big") if self.has_header else 0
        self.missing_bytes = max(0, pages_stated * self.page_size - size)
        if with_journal:
            with suppress(OSError):
                self.journal = read_journal(journal_of(path))
                self._log = os.open(journal_of(path), os.O_RDONLY | os.O_CLOEXEC)
        self.count = max(-(-size // self.page_size), *self.journal.pages, 0)
        self.overflow: set[int] = set()
        """Pages that rows go on in, as far as rows were read."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in (self._file, self._log):
            if number >= 0:
                os.close(number)

    def page(self, number: int) -> bytes:
        """A page; fewer bytes, or none, where they cannot be read."""
        with suppress(OSError):  # a bad sector
            if number in self.journal.pages:
                return os.pread(self._log, self.page_size, self.journal.pages[number])
            return self.page_in_file(number)
        return b""

    def page_in_file(self, number: int) -> bytes:
        """A page as it stands in the file itself.

        Raises:
            OSError: it cannot be read.
        """
        return os.pread(self._file, self.page_size, (number - 1) * self.page_size) if number > 0 else b""

    def kind(self, number: int, page: bytes) -> int:
        """The first byte of a tree's page: of which kind it is."""
        at = _HEADER_SIZE if number == 1 else 0
        return page[at] if len(page) > at else 0

    def is_tree(self, number: int, page: bytes) -> bool:
        """Whether it can be a page of a table or an index."""
        return self.kind(number, page) in (_INDEX_INTERIOR, _TABLE_INTERIOR, _INDEX_LEAF, _TABLE_LEAF)

    def free_pages(self) -> set[int]:
        """Pages that are in use no more; what still stands in them was removed."""
        found: set[int] = set()
        trunk = self._freelist
        while trunk and trunk not in found and len(found) < _FREELIST_MAX:
            found.add(trunk)
            page = self.page(trunk)
            if len(page) < 8:
                break
            trunk, leaves = struct.unpack_from(">2I", page)
            listed = min(leaves, (len(page) - 8) // 4)
            found.update(struct.unpack_from(f">{listed}I", page, 8))
        return found

    def children_of_index(self, number: int, page: bytes) -> list[int]:
        """The pages below one in the middle of an index; none of any other page."""
        if self.kind(number, page) != _INDEX_INTERIOR or len(page) < 12:
            return []
        count = int.from_bytes(page[3:5], "big")
        places = [at for at in self._places(page, 12, count) if at + 4 <= len(page)]
        return [int.from_bytes(page[at : at + 4], "big") for at in (8, *places)]

    def leaf(self, number: int, page: bytes) -> Leaf | None:
        """What is in a leaf of a table, or of an index of texts; None if the page is neither."""
        kind = self.kind(number, page)
        if kind != _TABLE_LEAF and not self._has_texts(number, page):
            return None
        head = _HEADER_SIZE if number == 1 else 0
        if len(page) < head + 8:
            return Leaf([], [], 1)
        count = int.from_bytes(page[head + 3 : head + 5], "big")
        leaf, unreadable = Leaf([], [], 0), 0
        places = self._places(page, head + 8, count)
        for at in places:
            try:
                if kind == _TABLE_LEAF:
                    leaf.rows.append(self._row(number, page, at))
                else:
                    leaf.entries.append(_values(self._entry(page, at)))
            except (ValueError, IndexError, struct.error):
                unreadable += 1
        return leaf._replace(unreadable=unreadable + count - len(places))

    def _has_texts(self, number: int, page: bytes) -> bool:
        """Whether the page is a leaf of the facts, which are kept like an index; the others are of numbers."""
        if self.kind(number, page) != _INDEX_LEAF:
            return False
        with suppress(ValueError, IndexError, struct.error):
            return isinstance(_values(self._entry(page, self._places(page, 8, 1)[0]))[0], str)
        return False

    def _places(self, page: bytes, start: int, count: int) -> tuple[int, ...]:
        """Where the cells begin; fewer if they cannot be so many."""
        count = min(count, (len(page) - start) // 2)
        mask = self.page_size - 1  # as SQLite does: what a damaged place leads out of the page by is left out
        return tuple(place & mask for place in struct.unpack_from(f">{count}H", page, start))

    def _row(self, number: int, page: bytes, at: int) -> Row:
        size, at = _varint(page, at)
        rowid, at = _varint(page, at)
        payload = self._payload(page, at, size, self._usable - 35)
        return Row(number, rowid - 2**64 if rowid >= 2**63 else rowid, _values(payload))

    def _entry(self, page: bytes, at: int) -> bytes:
        size, at = _varint(page, at)
        return self._payload(page, at, size, (self._usable - 12) * 64 // 255 - 23)

    def _payload(self, page: bytes, at: int, size: int, most: int) -> bytes:
        """The bytes of a row, which may go on in other pages. ``most`` of them are in this one."""
        if size <= most:
            if at + size > len(page):
                raise ValueError("cut off")
            return page[at : at + size]
        least = (self._usable - 12) * 32 // 255 - 23
        here = least + (size - least) % (self._usable - 4)
        here = here if here <= most else least
        data = bytearray(page[at : at + here])
        following = int.from_bytes(page[at + here : at + here + 4], "big")
        if size > _LARGEST:
            self._pass_over(following)
            raise ValueError("no row is so large")
        while len(data) < size:
            self.overflow.add(following)
            more = self.page(following)
            if len(more) < self._usable:
                raise ValueError("goes on nowhere")
            following = int.from_bytes(more[:4], "big")
            data += more[4 : 4 + min(size - len(data), self._usable - 4)]
        return bytes(data)

    def _pass_over(self, number: int) -> None:
        """Note the pages that a row goes on in."""
        while 0 < number <= self.count and number not in self.overflow:
            self.overflow.add(number)
            number = int.from_bytes(self.page(number)[:4], "big")


def are_of_one_recording(path: Path) -> bool:
    """Whether no record that is in the file and in its journal is another one there: records are never changed."""
    with suppress(OSError), PageFile(path, with_journal=True) as file:
        for number in file.journal.pages:
            leaves = [file.leaf(number, page) for page in (file.page_in_file(number), file.page(number))]
            before, after = ({row.id: row.values for row in leaf.rows} if leaf else {} for leaf in leaves)
            if any(after.get(number, values) != values for number, values in before.items()):
                return False
    return True


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where it ends."""
    value = data[at]
    at += 1
    if value < 128:
        return value, at
    value &= 127
    for _ in range(7):
        byte = data[at]
        at += 1
        value = value << 7 | byte & 127
        if byte < 128:
            return value, at
    return value << 8 | data[at], at + 1


def _values(record: bytes) -> tuple[Value, ...]:
    """The values of a row; bytes of text that are not UTF-8 come as lone surrogates.

    Raises:
        ValueError: it is not one.
    """
    head = record[: record[0]]
    plan = _PLANS.get(head) or _planned(head)
    if plan.size != len(record):
        raise ValueError("not a row")
    return tuple(
        [read(record[start:end]) if read is not None else constant for read, constant, start, end in plan.values]
    )


class _Plan(NamedTuple):
    """How to read the rows whose heads are equal: for each value, what makes it of which bytes, or a constant."""

    size: int
    values: list[tuple[Callable[[bytes], Value] | None, Value, int, int]]


_PLANS: dict[bytes, _Plan] = {}
_PLANS_MAX = 10_000


def _planned(head: bytes) -> _Plan:
    """The plan for a head: bounded, since damaged files have any number of heads."""
    end, at = _varint(head, 0)
    if end != len(head):
        raise ValueError("not a row")
    place = end
    values: list[tuple[Callable[[bytes], Value] | None, Value, int, int]] = []
    while at < end:
        serial, at = _varint(head, at)
        if serial in (10, 11):
            raise ValueError("not a row")
        size = _SIZES[serial] if serial < 10 else (serial - 12) // 2
        values.append((_reader_of(serial), serial - 8 if serial in (8, 9) else None, place, place + size))
        place += size
    if len(_PLANS) >= _PLANS_MAX:
        _PLANS.clear()
    _PLANS[head] = plan = _Plan(place, values)
    return plan


def _reader_of(serial: int) -> Callable[[bytes], Value] | None:
    if serial >= 12:
        return bytes if serial % 2 == 0 else _text
    if serial in (0, 8, 9):
        return None
    return _real if serial == 7 else _integer


_text = partial(bytes.decode, errors="surrogateescape")
_integer = partial(int.from_bytes, byteorder="big", signed=True)


def _real(data: bytes) -> float:
    value: float = struct.unpack(">d", data)[0]
    return value

"""What is wrong with the values of a recording; an empty text if nothing is.

SQLite stores any value in any column of a damaged file and says nothing. So types and ranges are looked at before
anything else works with them: row by row where each may be damaged, by the column where all should be sound.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Sequence
from itertools import chain
from operator import lt
from types import NoneType
from typing import NamedTuple

from groundstation.recordings.records import QUALITIES, Value

_TIMES = range(-(2**63) + 1, 2**63)
"""Nanoseconds. The least of all numbers is numpy's "not a time"."""

_IDS = range(1, 2**63)
_VCIDS = range(64)
_COUNTS = range(2**32)
_PLACES = range(2**31)
_LINKS = range(2**31)
_APIDS = range(2**11)
_SEQUENCES = range(2**14)


class Column(NamedTuple):
    """What the values of a column can be: of which types, and which of them; None: all."""

    name: str
    types: frozenset[type]
    allowed: Container[Value] | None = None
    is_various: bool = False
    """Hardly two values are equal: only the least and the largest are looked at."""

    def fault(self, values: Collection[Value]) -> str:
        """What is wrong with one of the values."""
        if not self.types.issuperset(map(type, values)):
            return f"{self.name} of {', '.join(sorted(t.__name__ for t in set(map(type, values)) - self.types))}"
        if self.allowed is None or not values:
            return ""
        ends = (min(values), max(values)) if self.is_various else set(values)  # type: ignore[type-var]
        wrong = next((value for value in ends if value is not None and value not in self.allowed), None)
        return "" if wrong is None else _wrong(self.name, wrong)


_INT, _TEXT, _BLOB = frozenset({int}), frozenset({str}), frozenset({bytes})
_INT_OR_NONE = frozenset({int, NoneType})
ID = Column("id", _INT)
ERT = Column("ert", _INT, _TIMES, is_various=True)
SCET = Column("scet", _INT_OR_NONE)
LINK = Column("link", _INT, _LINKS)
LINK_URL = Column("link", _TEXT)
"""Before schema 3."""

KIND = Column("kind", _TEXT)
KIND_OR_NONE = Column("kind", _TEXT | {NoneType})
DATA = Column("data", _BLOB)
VCID = Column("vcid", _INT_OR_NONE, _VCIDS)
QUALITY = Column("quality", _TEXT, QUALITIES)
FRAME_COLUMNS = (
    ID,
    ERT,
    SCET,
    VCID,
    Column("vcfc", _INT_OR_NONE, _COUNTS),
    QUALITY,
    Column("chunk", _INT, _IDS, is_various=True),
    Column("offset", _INT, _PLACES, is_various=True),
    Column("size", _INT, _PLACES, is_various=True),
)


def is_rising(ids: Sequence[int], last: int) -> bool:
    """Whether each is larger than the one before, and the first than ``last``."""
    return all(map(lt, chain((last,), ids), ids))


def chunk_fault(number: Value, ert: Value, link: Value, data: Value) -> str:
    """Of a row of ``chunk``."""
    if not isinstance(data, bytes):
        return _wrong("data", data)
    if not is_link(link):
        return _wrong("link", link)
    return _id_fault(number) or _time_fault("ert", ert)


def event_fault(number: Value, ert: Value, scet: Value, kind: Value, body: Value) -> str:
    """Of a row of ``event``; the body may be text or its bytes."""
    if not is_text(kind):
        return _wrong("kind", kind)
    if not isinstance(body, bytes) and not is_text(body):
        return _wrong("body", body)
    return _id_fault(number) or _time_fault("ert", ert) or ("" if scet is None else _time_fault("scet", scet))


def frame_fault(
    number: Value,
    ert: Value,
    scet: Value,
    vcid: Value,
    vcfc: Value,
    quality: Value,
    chunk: Value,
    offset: Value,
    size: Value,
) -> str:
    """Of a row of ``frame``."""
    if quality not in QUALITIES:
        return _wrong("quality", quality)
    for name, value, allowed in (("scet", scet, _TIMES), ("vcid", vcid, _VCIDS), ("vcfc", vcfc, _COUNTS)):
        if value is not None and not _is_in(value, allowed):
            return _wrong(name, value)
    for name, value, allowed in (
        ("id", number, _IDS),
        ("ert", ert, _TIMES),
        ("chunk", chunk, _IDS),
        ("offset", offset, _PLACES),
        ("size", size, _PLACES),
    ):
        if not _is_in(value, allowed):
            return _wrong(name, value)
    return ""


def link_fault(number: Value, url: Value) -> str:
    """Of a row of ``link``."""
    return "" if is_link(number) and is_text(url) else _wrong("url", url)


def value_quality_fault(
    number: Value,
    ert: Value,
    scet: Value,
    apid: Value,
    sequence: Value,
    parameter: Value,
    quality: Value,
    reason: Value,
) -> str:
    """Of a row of ``value_quality``."""
    for name, text in (("parameter", parameter), ("quality", quality), ("reason", reason)):
        if not is_text(text):
            return _wrong(name, text)
    for name, value, allowed in (("apid", apid, _APIDS), ("sequence", sequence, _SEQUENCES)):
        if not _is_in(value, allowed):
            return _wrong(name, value)
    return _id_fault(number) or _time_fault("ert", ert) or ("" if scet is None else _time_fault("scet", scet))


def _id_fault(number: Value) -> str:
    return "" if _is_in(number, _IDS) else _wrong("id", number)


def _time_fault(name: str, value: Value) -> str:
    return "" if _is_in(value, _TIMES) else _wrong(name, value)


def is_link(value: Value) -> bool:
    """Whether it can be the number of a link; 0 is the unknown one."""
    return _is_in(value, _LINKS)


def is_text(value: Value) -> bool:
    """Whether it is text, and UTF-8."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_in(value: Value, allowed: range) -> bool:
    return type(value) is int and value in allowed


def _wrong(name: str, value: Value) -> str:
    if value is None:
        return f"{name} is missing"
    if isinstance(value, str | bytes):
        return f"{name} cannot be {type(value).__name__} of {len(value)}"
    return f"{name} cannot be {value}"

"""The bodies of recorded events. Sans-I/O.

A body that is not one any more (a damaged page, a file edited by other programs) is an `ArchiveError` here, and nothing
else anywhere: readers of recordings handle that error.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from groundstation.errors import ArchiveError
from groundstation.formats.counted import counted
from groundstation.messages.base import Int64
from groundstation.messages.text import utc
from groundstation.recordings.records import EventRecord
from protocols.units import NS_PER_S

T = TypeVar("T")


class Gap(msgspec.Struct, frozen=True):
    """Records that could not be kept.

    ``bytes`` is how many received bytes they held, in ``reads`` reads; recordings of before counted the bodies of
    events with them, and do not say how many reads there were.
    """

    records: int
    bytes: int
    first_ert: Int64
    last_ert: Int64
    reads: int | None = None

    def __str__(self) -> str:
        count = counted(self.records, "record")
        if self.reads is not None:
            others = self.records - self.reads
            count = counted(self.reads, "read") + (f" and {counted(others, 'record')} about them" if others else "")
        return f"{count}, {self.bytes:,} bytes, received {span_words(self.first_ert, self.last_ert)}"


def sum_of(gaps: Sequence[Gap]) -> Gap:
    """Several gaps, one at least, as one."""
    reads = None if any(gap.reads is None for gap in gaps) else sum(gap.reads or 0 for gap in gaps)
    first, last = min(gap.first_ert for gap in gaps), max(gap.last_ert for gap in gaps)
    return Gap(sum(gap.records for gap in gaps), sum(gap.bytes for gap in gaps), first, last, reads)


def moment(ert: int) -> str:
    """An Earth received time with its day, to the millisecond."""
    return f"{_day(ert)} {utc(ert, 3)}"


def span_words(first_ert: int, last_ert: int) -> str:
    """Two of them: ``1974-03-12 09:10:11.000 to 09:10:12.500``; the second day only if it is another."""
    same_day = _day(first_ert) == _day(last_ert)
    return f"{moment(first_ert)} to {utc(last_ert, 3) if same_day else moment(last_ert)}"


def _day(ert: int) -> date:
    return datetime.fromtimestamp(ert // NS_PER_S, UTC).date()


def body_of(event: EventRecord, kind: type[T], path: Path) -> T:
    """The body of an event of the recording at ``path``.

    Raises:
        ArchiveError: it is not one.
    """
    try:
        return msgspec.json.decode(event.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ArchiveError(f"{path} is damaged: record {event.id}, kind {event.kind!r}: {error}") from error

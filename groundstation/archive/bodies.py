"""The bodies of recorded events. Sans-I/O.

A body that is none any more (a damaged page, another hand in the file) is an `ArchiveError` here, and nothing else
anywhere: whoever reads recordings knows that error.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from groundstation.archive.records import EventRecord
from groundstation.errors import ArchiveError
from groundstation.message_base import Int64
from groundstation.plain import utc

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
        what = _records(self.records) if self.reads is None else _reads(self.reads, self.records - self.reads)
        return f"{what}, {self.bytes:,} bytes, received {span_words(self.first_ert, self.last_ert)}"


def sum_of(gaps: Sequence[Gap]) -> Gap:
    """Several gaps, one at least, as one."""
    reads = None if any(gap.reads is None for gap in gaps) else sum(gap.reads or 0 for gap in gaps)
    first, last = min(gap.first_ert for gap in gaps), max(gap.last_ert for gap in gaps)
    return Gap(sum(gap.records for gap in gaps), sum(gap.bytes for gap in gaps), first, last, reads)


def span_words(first_ert: int, last_ert: int) -> str:
    """Two Earth received times: ``1974-03-12 09:10:11.000 to 09:10:12.500``; the second day only if it is another."""
    first, last = (datetime.fromtimestamp(ert // 1_000_000_000, UTC).date() for ert in (first_ert, last_ert))
    return f"{first} {utc(first_ert, 3)} to {'' if first == last else f'{last} '}{utc(last_ert, 3)}"


def _reads(reads: int, others: int) -> str:
    more = f" and {_records(others)} about them" if others else ""
    return f"{reads:,} read{'' if reads == 1 else 's'}{more}"


def _records(count: int) -> str:
    return f"{count:,} record{'' if count == 1 else 's'}"


def body_of(event: EventRecord, kind: type[T], path: Path) -> T:
    """The body of an event of the recording at ``path``.

    Raises:
        ArchiveError: it is no such thing.
    """
    try:
        return msgspec.json.decode(event.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ArchiveError(f"{path} is damaged: record {event.id}, kind {event.kind!r}: {error}") from error

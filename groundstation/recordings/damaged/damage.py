"""What of a recording cannot be read, as values and in words."""

from __future__ import annotations

import msgspec

from groundstation.formats.counted import counted
from groundstation.messages.base import Int64
from groundstation.recordings.event_bodies import moment, span_words

PLACES_SHOWN = 20
"""Of what is damaged, so many places are named; all are counted."""


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """Records in a row that cannot be read, from the id ``first`` to the id ``last``.

    ``reads`` is how many of them held received bytes, and ``bytes`` how many those were, as far as the frames that are
    known to lie in them tell; None where nothing tells. ``received`` is when, or between which records.
    """

    first: int
    last: int
    records: int
    reads: int | None
    bytes: int | None
    received: tuple[Int64, Int64] | None

    def __str__(self) -> str:
        where = f"record {self.first:,}" if self.first == self.last else f"records {self.first:,} to {self.last:,}"
        return f"{where}: {self.amount}"

    @property
    def amount(self) -> str:
        """How much, and when."""
        if self.received is None:
            return self._count
        first, last = self.received
        return f"{self._count}, received {moment(first) if first == last else span_words(first, last)}"

    @property
    def _count(self) -> str:
        if self.reads is None:
            return counted(self.records, "record") + ("" if self.bytes is None else f", about {self.bytes:,} bytes")
        size = "" if not self.bytes else f" of about {self.bytes:,} bytes"
        reads = [f"{counted(self.reads, 'read')}{size}"] if self.reads else []
        others = [counted(self.records - self.reads, "other record")] if self.records > self.reads else []
        return " and ".join(reads + others)


class Damage(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in a damaged recording.

    Attributes:
        reason: what showed it.
        pages: pages of the file, of ``page_size`` bytes, that hold nothing readable.
        missing_bytes: how much of its end the file lacks.
        journal_frames: pages of its journal that are damaged.
        refused: records with values that cannot be.
        places: the first of them.
        lost: where records are missing, the first of them.
        records: how many are missing altogether, the refused ones among them.
        reads: how many of those held received bytes; None: nothing tells.
        bytes: how many received bytes are missing, about; None: nothing tells.
    """

    reason: str
    pages: int = 0
    page_size: int = 4096
    missing_bytes: int = 0
    journal_frames: int = 0
    refused: int = 0
    places: list[str] = []
    lost: list[Lost] = []
    records: int = 0
    reads: int | None = 0
    bytes: int | None = 0

    @property
    def is_partial(self) -> bool:
        """Whether something is missing, and not an index alone, from which nothing is read that is not elsewhere."""
        return bool(self.pages or self.missing_bytes or self.journal_frames or self.refused or self.records)

    def __str__(self) -> str:
        what = ", ".join(self._file_words()) or self.reason
        missing = self._missing_words() if self.is_partial else "all of its records can be read"
        return f"damaged ({what}): {missing}"

    def lines(self) -> list[str]:
        """All of it for people."""
        lines = [str(self)]
        lines += [f"damaged: {place}" for place in self.places]
        if self.refused > len(self.places):
            lines.append(f"damaged: {self.refused - len(self.places):,} more")
        lines += [f"cannot be read: {lost}" for lost in self.lost]
        left = self.records - sum(lost.records for lost in self.lost)
        return lines + ([f"cannot be read: {counted(left, 'more record')}"] if left > 0 else [])

    def _file_words(self) -> list[str]:
        words = []
        if self.pages:
            words.append(f"{counted(self.pages, 'page')} of {self.page_size:,} bytes")
        if self.missing_bytes:
            words.append(f"{self.missing_bytes:,} bytes of the file's end are missing")
        if self.journal_frames:
            words.append(f"{counted(self.journal_frames, 'page')} of its journal")
        return words

    def _missing_words(self) -> str:
        if not self.records:
            return (
                f"{counted(self.refused, 'record')} cannot be read"
                if self.refused
                else "no record is known to be missing"
            )
        spans = [lost.received for lost in self.lost if lost.received is not None]
        received = (min(first for first, _ in spans), max(last for _, last in spans)) if spans else None
        whole = Lost(first=0, last=0, records=self.records, reads=self.reads, bytes=self.bytes, received=received)
        return f"{whole.amount} cannot be read"

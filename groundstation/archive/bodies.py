"""The bodies of recorded events. Sans-I/O.

A body that is none any more (a damaged page, another hand in the file) is an `ArchiveError` here, and nothing else
anywhere: whoever reads recordings knows that error.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from groundstation.archive.records import EventRecord
from groundstation.errors import ArchiveError
from groundstation.message_base import Int64

T = TypeVar("T")


class Gap(msgspec.Struct, frozen=True):
    """Records that could not be kept."""

    records: int
    bytes: int
    first_ert: Int64
    last_ert: Int64


def body_of(event: EventRecord, kind: type[T], path: Path) -> T:
    """The body of an event of the recording at ``path``.

    Raises:
        ArchiveError: it is no such thing.
    """
    try:
        return msgspec.json.decode(event.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ArchiveError(f"{path} is damaged: record {event.id}, kind {event.kind!r}: {error}") from error

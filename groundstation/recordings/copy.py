"""Copies a recording, also while its station writes it: one file, with all that was committed when the copy began.

A file that is copied by other means lacks what stands in its journal, or catches the two at different moments.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from groundstation.errors import ArchiveError, CallerError
from groundstation.formats.output_file import check_free, give_name
from groundstation.recordings import older, schema
from groundstation.recordings.reader import ArchiveReader


def copy_recording(
    reader: ArchiveReader,
    target: Path,
    moment: str,
    advance: Callable[[int], None] = lambda count: None,
    *,
    force: bool = False,
    upgrade: bool = False,
) -> None:
    """Copy a recording into a new file.

    Args:
        reader: the recording; what is damaged in it is copied as it is.
        target: the new file. It appears under its name when it is whole.
        moment: now, ISO 8601: a copy of a recording that is not closed says when it was made.
        advance: told how many more bytes were copied.
        force: replace a file of that name.
        upgrade: make the copy one of today's schema.

    Raises:
        ArchiveError: the recording cannot be read, or the copy not be written.
        CallerError: a file of that name is there already, or the recording is too old to be upgraded.
    """
    check_free(target, force=force)
    try:
        with ExitStack() as stack:
            place = tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=".copy.", suffix=".part")
            part = Path(stack.enter_context(place)) / "copy"
            with closing(sqlite3.connect(part)) as copy:
                reader.backup(copy, advance)
                copy.execute("PRAGMA journal_mode = DELETE")
                if not reader.closed and reader.journal in ("none", "read"):
                    with copy:
                        copy.execute(schema.INSERT_META, (schema.COPIED, moment))
                if upgrade:
                    older.upgrade(copy, reader.schema_version)
            _sync(part)
            give_name(part, target, force=force)
    except CallerError:
        raise
    except (sqlite3.Error, OSError) as error:
        raise ArchiveError(f"cannot copy {reader.path} to {target}: {error}") from error


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)

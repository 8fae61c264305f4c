"""Files that this program writes for its user: tables, reports, screenshots.

Rules:
1. A file appears under its name when it is whole; until then it is ``NAME.XXXXXXXX.part`` beside it. An error, Ctrl-C
   or a full disk leaves what was there before.
2. What is there is replaced only if that was asked for, also when it came into being in the meantime.
3. Nothing is written through a symbolic link, of either name: in a folder that others can write, a link that was put
   there leads to a file of theirs, or of ours.
4. A pipe, a FIFO or a device (``/dev/stdout``, ``/dev/null``) has no name to keep: it is written at once.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from groundstation.errors import CallerError

_OWN_STREAMS = ("/dev/stdout", "/dev/stderr")


class OutputFile:
    """One file while it is written. As a context manager it is finished, or discarded if an exception ends the block.

    Attributes:
        path: the name that it is to have.
        file: what is written to.
    """

    def __init__(self, path: Path, *, force: bool = False) -> None:
        """Begin.

        Args:
            path: the name that it is to have.
            force: replace what is there.

        Raises:
            CallerError: a file is there already.
            OSError: it cannot be made.
        """
        self.path = path
        self._force = force
        self._part: Path | None = None
        if _is_stream(path):
            self.file: BinaryIO = os.fdopen(os.open(path, os.O_WRONLY | os.O_CLOEXEC), "wb")
            return
        if not force and os.path.lexists(path):
            raise exists(path)
        part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self.file = os.fdopen(os.open(part, flags, 0o666), "wb")
        self._part = part

    def close(self) -> None:
        """Write what is still in memory; the name is still to be given. Idempotent.

        Raises:
            OSError: the disk is full, or says no.
        """
        self.file.close()

    def finish(self) -> None:
        """Give it its name.

        Raises:
            CallerError: a file is there by now.
            OSError: it cannot be written or named.
        """
        self.close()
        if self._part is None:
            return
        if self._force:
            self._part.replace(self.path)
        else:
            _link(self._part, self.path)
        self._part = None

    def discard(self) -> None:
        """Leave nothing behind, unless it was finished. Idempotent."""
        with suppress(OSError):
            self.file.close()
        if self._part is not None:
            with suppress(OSError):
                self._part.unlink(missing_ok=True)
            self._part = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.finish()
        finally:
            self.discard()


def write_output(path: Path, data: bytes, *, force: bool = False) -> None:
    """Write a whole file.

    Raises:
        CallerError: a file is there already.
        OSError: it cannot be written.
    """
    with OutputFile(path, force=force) as output:
        output.file.write(data)


def exists(path: Path) -> CallerError:
    """What to say of a file that is there already."""
    return CallerError(f"{path} exists: --force overwrites it, --output chooses another folder")


def _is_stream(path: Path) -> bool:
    """Whether bytes written there go elsewhere; a link to a regular file is none, unless it is our own output."""
    if str(path) in _OWN_STREAMS or os.path.realpath(path.parent).startswith("/proc/"):
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def _link(part: Path, path: Path) -> None:
    """Name a file, unless the name is taken: the check and the naming are one step where the disk knows links."""
    try:
        os.link(part, path, follow_symlinks=False)
    except FileExistsError as error:
        raise exists(path) from error
    except OSError as error:  # FAT and some network file systems know no links
        if os.path.lexists(path):
            raise exists(path) from error
        part.replace(path)
        return
    part.unlink()

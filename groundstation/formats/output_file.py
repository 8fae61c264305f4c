"""Files that this program writes for its user: tables, reports, screenshots.

Rules:
1. A file appears under its name when it is whole; until then it is ``NAME.XXXXXXXX.part`` beside it. An error, Ctrl-C
   or a full disk leaves what was there before.
2. What is there is replaced only if that was asked for, also when it came into being in the meantime.
3. Nothing is written through a symbolic link, of either name: in a folder that others can write, a link that was put
   there leads to a file of theirs, or of ours.
4. A pipe, a FIFO or a device (``/dev/stdout``, ``>(gzip)``, ``/dev/null``) has no name to keep: it is written at once.
   A link to one is a link: rule 3.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from groundstation.errors import CallerError, OutputFailed

_DESCRIPTORS = re.compile(r"/proc/\d+/(task/\d+/)?fd")
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EINVAL)
"""What file systems without hard links say: FAT, some on networks and in user space."""

_PART_NAME_BYTES = 200
"""So much of a name goes into that of its part: a name has at most 255 bytes."""


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
            CallerError: a file is there already, or a folder.
            OSError: it cannot be made.
        """
        check_free(path, force=force)
        self.path = path
        self._force = force
        self._part: Path | None = None
        if _is_stream(path):
            self.file: BinaryIO = os.fdopen(os.open(path, os.O_WRONLY | os.O_CLOEXEC), "wb")
            return
        name = os.fsdecode(os.fsencode(path.name)[:_PART_NAME_BYTES])
        part = path.with_name(f"{name}.{secrets.token_hex(4)}.part")
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
        if self._part is None:
            self.close()
            return
        if not self.file.closed:
            self.file.flush()
            os.fsync(self.file.fileno())
        self.close()
        give_name(self._part, self.path, force=self._force)
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


@contextmanager
def writing(*paths: Path) -> Iterator[None]:
    """Work that writes these files, or standard output without any: an error of the disk names them.

    Raises:
        OutputFailed: they cannot be written. That the reader of a pipe has gone stays a BrokenPipeError.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        names = " and ".join(map(str, paths)) or "standard output"
        raise OutputFailed(f"{names} cannot be written: {error.strerror}") from error


def write_output(path: Path, data: bytes, *, force: bool = False) -> None:
    """Write a whole file.

    Raises:
        CallerError: a file is there already.
        OSError: it cannot be written.
    """
    with OutputFile(path, force=force) as output:
        output.file.write(data)


def write_numbered(path: Path, data: bytes) -> Path:
    """Write a whole file under that name, or with a number after it if that is taken: ``name-2.svg``; its path.

    Raises:
        OSError: it cannot be written.
    """
    for number in count(1):
        target = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        if os.path.lexists(target):
            continue
        with suppress(CallerError):  # another program was faster
            write_output(target, data)
            return target
    raise AssertionError("numbers do not end")


def give_name(part: Path, path: Path, *, force: bool = False) -> None:
    """Give a file that is whole its name; ``part`` is in the same file system.

    Raises:
        CallerError: a file is there by now.
        OSError: it cannot be named.
    """
    if force:
        part.replace(path)
    else:
        _link(part, path)


def check_free(path: Path, *, force: bool = False) -> None:
    """See that a file may be written there: before long work, to say so early.

    Raises:
        CallerError: a file is there already, or a folder.
    """
    if path.is_dir() and not path.is_symlink():
        raise CallerError(f"{path} is a folder: a file name is needed")
    if not force and os.path.lexists(path) and not _is_stream(path):
        raise exists(path)


def exists(path: Path) -> CallerError:
    """What to say of a file that is there already."""
    return CallerError(f"{path} exists: --force overwrites it, or choose another place")


def _is_stream(path: Path) -> bool:
    """Whether bytes written there go elsewhere. A link is none, unless it is one of this process's own descriptors."""
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode):
            return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
        places = (path.parent, (path.parent / path.readlink()).parent)
    except OSError:
        return False
    return any(_DESCRIPTORS.fullmatch(os.path.realpath(place)) for place in places)


def _link(part: Path, path: Path) -> None:
    """Name a file, unless the name is taken: the check and the naming are one step."""
    try:
        os.link(part, path, follow_symlinks=False)
    except FileExistsError as error:
        raise exists(path) from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _claim(path)
        part.replace(path)
        return
    part.unlink()


def _claim(path: Path) -> None:
    """Take a name with an empty file, where the disk knows no links."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666))
    except FileExistsError as error:
        raise exists(path) from error

"""Bytes from wherever a command line says: a file, a pipe, a FIFO, a socket, or standard input as ``-``.

Rules:
1. Each is opened once, and every byte that was looked at is given out again: a pipe does not give it twice.
2. A descriptor of this process (``-``, ``/dev/stdin``, ``<(…)``, which is ``/dev/fd/63``) is duplicated, not opened
   again: a socket cannot be opened by its name, and a file would be read from its start once more.
3. A read waits for bytes and gives what there is: what another program writes now is decoded now. A descriptor that was
   left non-blocking is made blocking, or "nothing yet" would look like the end.
"""

from __future__ import annotations

import os
import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

STDIN = Path("-")
_READ = 1 << 17
"""More is slower: such buffers come from the system each time, page by page."""
_OWN = re.compile(r"/dev/fd/(\d+)|/proc/self/fd/(\d+)")


class ByteSource:
    """Bytes to be read once, in order.

    Attributes:
        size: how many there are, as far as is known: None for a pipe.
    """

    def __init__(self, path: Path) -> None:
        """Open.

        Args:
            path: of a file, pipe, FIFO or socket (a stream is connected to); ``-`` is standard input.

        Raises:
            OSError: it cannot be opened.
        """
        number = descriptor_of(path)
        if number is not None:
            self._fd = os.dup(number)
            os.set_blocking(self._fd, True)
        elif stat.S_ISSOCK(path.stat().st_mode):
            self._fd = _connected(path)
        else:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._head = b""
        self.size = _size(self._fd)

    @property
    def file(self) -> Path | None:
        """The path of the regular file that it reads, to seek in; None for a pipe, or if it has none now."""
        name = Path(f"/proc/self/fd/{self._fd}")
        try:
            behind = name.readlink()
            return behind if stat.S_ISREG(os.fstat(self._fd).st_mode) and behind.samefile(name) else None
        except OSError:
            return None

    @property
    def is_terminal(self) -> bool:
        """Whether the bytes would have to be typed."""
        return os.isatty(self._fd)

    def is_same_file(self, path: Path) -> bool:
        """Whether a path leads to this very file."""
        try:
            return os.path.samestat(os.fstat(self._fd), path.stat())
        except OSError:
            return False

    def peek(self, size: int) -> bytes:
        """The next ``size`` bytes, fewer only at the end; they are still to be read.

        Raises:
            OSError: they cannot be read.
        """
        while len(self._head) < size and (data := os.read(self._fd, _READ)):
            self._head += data
        return self._head[:size]

    def pieces(self) -> Iterator[bytes]:
        """All bytes, in pieces of up to 128 KiB, as they come.

        Raises:
            OSError: they cannot be read any further.
        """
        head, self._head = self._head, b""
        if head:
            yield head
        while data := os.read(self._fd, _READ):
            yield data

    def sample(self, offset: int, size: int) -> bytes:
        """Bytes further on in a regular file, without moving on; empty if it is a pipe.

        Raises:
            OSError: they cannot be read.
        """
        return os.pread(self._fd, size, offset) if self.size is not None else b""

    def close(self) -> None:
        """Close it. Idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def descriptor_of(path: Path) -> int | None:
    """The number of the descriptor of this process that a path names; None if it names none."""
    if path == STDIN or str(path) == "/dev/stdin":
        return 0
    own = _OWN.fullmatch(str(path))
    return int(own[1] or own[2]) if own else None


def name_of(path: Path) -> str:
    """What to call it."""
    return "standard input" if path == STDIN else str(path)


def _connected(path: Path) -> int:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        stream.connect(str(path))
        return stream.detach()


def _size(fd: int) -> int | None:
    status = os.fstat(fd)
    return max(0, status.st_size - os.lseek(fd, 0, os.SEEK_CUR)) if stat.S_ISREG(status.st_mode) else None

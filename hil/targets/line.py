"""The rig's end of a machine's serial line, drained by a thread of its own.

An emulator stalls if its line is not read, and so does everything else that it serves.
"""

from __future__ import annotations

import os
import select
import time

from groundstation.links.reader import ReaderThread
from hil.errors import MachineFailed
from hil.targets.base import Sink

WRITE_TIMEOUT_S = 5.0
_READ_SIZE = 65536
_CROWD = 1024
_NAP_S = 0.0003
"""An emulator sends byte by byte: who reads each of them at once keeps both from their work."""


class Line:
    """A file descriptor of both directions, or one for each; they are this object's own and closed with it.

    Attributes:
        ended: the other end is gone.
    """

    def __init__(self, fd: int, sink: Sink, name: str, write_fd: int | None = None) -> None:
        """Args: a descriptor, who takes what is read, a name for errors, and the way up, if that is another one."""
        self._fd = fd
        self._write_fd = fd if write_fd is None else write_fd
        self._sink = sink
        self._name = name
        self.ended = False
        os.set_blocking(fd, False)
        os.set_blocking(self._write_fd, False)
        self._reader = ReaderThread(self._run, f"line of {name}")
        self._reader.start()

    def write(self, data: bytes) -> None:
        """Send bytes, as fast as the machine takes them.

        Raises:
            MachineFailed: it took none for some seconds, or is gone.
        """
        rest = memoryview(data)
        room = select.poll()
        room.register(self._write_fd, select.POLLOUT)
        deadline = time.monotonic() + WRITE_TIMEOUT_S
        while rest:
            try:
                rest = rest[os.write(self._write_fd, rest) :]
                deadline = time.monotonic() + WRITE_TIMEOUT_S
            except BlockingIOError:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise MachineFailed(f"{self._name} takes no bytes: {len(rest)} were not sent") from None
                room.poll(left * 1000)
            except OSError as error:
                raise MachineFailed(f"{self._name} is gone: {error.strerror}") from error

    def close(self) -> None:
        """End the thread; what came before has reached the sink. Idempotent."""
        self._reader.stop()
        if self._fd >= 0:
            for fd in {self._fd, self._write_fd}:
                os.close(fd)
            self._fd = -1

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        poll.register(self._reader.wake_fd, select.POLLIN)
        while poll.poll():
            try:
                data = os.read(self._fd, _READ_SIZE)
            except BlockingIOError:
                if self._reader.stopping:
                    return
                self._reader.clear()
                continue
            except OSError:
                data = b""
            if not data:
                self.ended = True
                return
            self._sink(data)
            if len(data) < _CROWD:
                time.sleep(_NAP_S)

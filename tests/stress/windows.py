"""Terminal windows without a desktop: a pseudo-terminal with a program as the leader of its session, closed at will."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

SIZE = (80, 24)
_KEPT = 200
"""Reads of what was written to it."""


class Window:
    """A window and the program in it. It shows nothing, but it takes what is written, unless it stalls."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        size: tuple[int, int] = SIZE,
        folder: Path | None = None,
        stalled: bool = False,
    ) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=dict(environment),
            cwd=folder, preexec_fn=_take_terminal,  # noqa: PLW1509 - one system call, no lock
        )  # fmt: skip
        os.close(slave)
        self._seen: deque[bytes] = deque(maxlen=_KEPT)
        self._closing = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        if not stalled:
            self._reader.start()

    @property
    def pid(self) -> int:
        """The process that leads its session."""
        return self.process.pid

    @property
    def text(self) -> str:
        """The last of what was written to it, escape sequences and all."""
        return b"".join(self._seen).decode(errors="replace")

    def type(self, data: bytes) -> None:
        """Press keys; or send what is none."""
        os.write(self._master, data)

    def wait_for(self, text: str, seconds: float = 30.0) -> None:
        """Wait until a text was written to it."""
        deadline = time.monotonic() + seconds
        while text not in self.text:
            assert time.monotonic() < deadline, f"{text!r} did not come; it was {self.text[-3000:]!r}"
            time.sleep(0.02)

    def close(self) -> None:
        """Close the window: the kernel tells its session. Idempotent."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._reader.is_alive():
            self._reader.join()
        os.close(self._master)

    def reap(self, seconds: float = 30.0) -> int:
        """Wait for the program to end; its exit code."""
        return self.process.wait(seconds)

    def _read(self) -> None:
        ready = select.poll()
        ready.register(self._master, select.POLLIN)
        while not self._closing.is_set():
            try:
                if ready.poll(20):
                    self._seen.append(os.read(self._master, 65536))
            except OSError:  # everybody who had it open has gone
                return


def living(mark: str) -> dict[int, str]:
    """Processes whose environment holds ``mark``: number and command line. Zombies are left out."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if mark.encode() in (entry / "environ").read_bytes():
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            except OSError:
                continue
    return found


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)

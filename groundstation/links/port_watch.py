"""What other programs do to a port that is open: they open it, too, and change its settings. Both are noticed.

Rules:
1. inotify reports opens of the port, so that nothing is polled until one happens. A program that opens and closes it at
   once (as `stty`) is not a reader; one that stays has its name looked up, and its close is noticed, too.
2. Settings are compared with those of the open every 100 ms, and after each open and close of others. Changed ones are
   set back. They are kept as the kernel's termios2: that has any baud rate, which termios has not.
3. A program that does either again and again does not fill the log: a change of settings is reported at once, then
   counted every ten seconds; readers at most once a second.
4. What lasts is a state, reported when it begins and when it ends: another reader, and settings that are changed again
   within a second of being set back. It stays the cause of whatever is lost until it ends.
5. All of it is done by a thread of its own: no byte waits for it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import select
import struct
import termios
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from groundstation.links.base import Disturbance
from groundstation.messages.throttle import EventThrottle
from groundstation.ports.access import Holder, holders

LOOK_S = 0.1
_LOOK_AGAIN_S = 1.0
_FIGHT_S = 1.0
"""Settings that are changed again sooner than this are fought over; the fight is over after as long again without."""
_SETTLE_S = 0.1
"""A program that opens the port has it a moment after inotify says so."""
_TCGETS2, _TCSETS2 = 0x802C542A, 0x402C542B
_TERMIOS2 = struct.Struct("4IB19s2I")
_IN_OPEN, _IN_CLOSE = 0x20, 0x08 | 0x10


@dataclass(frozen=True, slots=True)
class Meddling:
    """What another program did to the port, in words; ``kind`` is empty when it has left it."""

    kind: Disturbance
    text: str


class PortWatch:
    """Watches one open port until `close`."""

    def __init__(self, fd: int, path: str, others: list[Holder], publish: Callable[[Meddling], None]) -> None:
        """Begin.

        Args:
            fd: the open port, configured. It has to stay open until `close`.
            path: its name.
            others: who had it open before.
            publish: told what others do, from a thread of its own.
        """
        self._fd = fd
        self._path = path
        self._publish = publish
        self._others = others
        self._settings = _settings(fd)
        self._repeated = EventThrottle(lambda text: publish(Meddling("moment", text)), time.monotonic_ns)
        self._inotify = _inotify(path)
        self._stop_read, self._stop_write = os.pipe2(os.O_CLOEXEC)
        self._changed = ""
        self._changed_at = -_FIGHT_S
        self._fighting = False
        # Who opened the port after it was asked for others, and before inotify, made no event.
        self._look_at: float | None = time.monotonic() + _SETTLE_S
        self._looked_at = -_LOOK_AGAIN_S
        self._thread = threading.Thread(target=self._run, name=f"watch {path}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread. Idempotent."""
        if self._stop_write < 0:
            return
        os.close(self._stop_write)
        self._thread.join()
        self._stop_write = -1
        for fd in (self._stop_read, self._inotify):
            if fd >= 0:
                os.close(fd)

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._stop_read, select.POLLHUP)
        if self._inotify >= 0:
            poll.register(self._inotify, select.POLLIN)
        while self._stop_read not in (ready := dict(poll.poll(self._pause_ms))):
            if self._inotify in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._inotify, 4096)
                self._look_at = max(time.monotonic() + _SETTLE_S, self._looked_at + _LOOK_AGAIN_S)
            self._check_settings()
            self._check_fight()
            self._repeated.tick()
            if self._look_at is not None and time.monotonic() >= self._look_at:
                self._look_at, self._looked_at = None, time.monotonic()
                self._check_readers()

    @property
    def _pause_ms(self) -> float:
        if self._look_at is None:
            return LOOK_S * 1000
        return min(LOOK_S, max(0.0, self._look_at - time.monotonic())) * 1000 + 1

    def _check_settings(self) -> None:
        now = _settings(self._fd)
        if self._settings is None or now is None or now == self._settings:
            return
        with contextlib.suppress(OSError):  # it has gone: the reader finds that out
            fcntl.ioctl(self._fd, _TCSETS2, self._settings)
            self._changed = _difference(self._settings, now)
            self._count_change()

    def _count_change(self) -> None:
        """Settings were changed, and are as they were."""
        now, before = time.monotonic(), self._changed_at
        self._changed_at = now
        if now - before < _FIGHT_S and not self._fighting:
            self._fighting = True
            self._report_state("")
        elif not self._fighting:
            self._repeated.note(self._changed, f"another program set {self._path} to {self._changed}; it was set back")

    def _check_fight(self) -> None:
        if self._fighting and time.monotonic() - self._changed_at >= _FIGHT_S:
            self._fighting = False
            self._report_state("its settings are left alone")

    def _check_readers(self) -> None:
        found = others_at(self._path)
        if found == self._others:
            return
        left = [str(holder) for holder in self._others if holder not in found]
        self._others = found
        self._report_state(f"{' and '.join(left)} left it")

    def _report_state(self, ended: str) -> None:
        """What others do and go on doing; if it is nothing, what has ended."""
        told = [shared_text(self._others)] if self._others else []
        if self._fighting:
            told.append(f"another program sets it to {self._changed} again and again; it is set back each time")
        kind: Disturbance = "lasting" if told else ""
        self._publish(Meddling(kind, f"{self._path} is open; {'; '.join(told) or ended}"))


def others_at(path: str) -> list[Holder]:
    """The other processes that have a port open."""
    return [holder for holder in holders(path) if holder.pid != os.getpid()]


def shared_text(others: list[Holder]) -> str:
    """That others have the port open."""
    return f"{', '.join(map(str, others))} {'has' if len(others) == 1 else 'have'} it open too and may take bytes"


def _settings(fd: int) -> bytes | None:
    """All settings of a port; None if it has gone, or this kernel has other calls for it."""
    found = bytearray(_TERMIOS2.size)
    try:
        fcntl.ioctl(fd, _TCGETS2, found)
    except OSError:
        return None
    return bytes(found)


def _difference(wanted: bytes, found: bytes) -> str:
    """What is different, in words: the new baud rate, and what was switched on."""
    before, after = _TERMIOS2.unpack(wanted), _TERMIOS2.unpack(found)
    said = [f"{after[7]} baud"] if after[7] != before[7] else []
    said += [name for name, place, bit in _FLAGS if after[place] & bit and not before[place] & bit]
    return ", ".join(said) or "other settings"


_FLAGS = (
    ("line mode", 3, termios.ICANON),
    ("echo", 3, termios.ECHO),
    ("parity", 2, termios.PARENB),
    ("two stop bits", 2, termios.CSTOPB),
    ("flow control by lines", 2, termios.CRTSCTS),
    ("flow control by characters", 0, termios.IXON),
    ("processed output", 1, termios.OPOST),
)
"""What one is told of: its name, in which word it is, and its bit."""


def _inotify(path: str) -> int:
    """An inotify descriptor that reports opens and closes of the file; -1 if there is none."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = int(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
    if fd < 0:
        return -1
    if libc.inotify_add_watch(fd, os.fsencode(os.path.realpath(path)), _IN_OPEN | _IN_CLOSE) < 0:
        os.close(fd)
        return -1
    return fd

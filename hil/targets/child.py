"""Programs that are machines: started so that none outlives the rig, even if the rig is killed."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from groundstation.formats.printable import shell_join
from hil.errors import MachineFailed

_LOG = logging.getLogger("hil.targets")

END_TIMEOUT_S = 5.0
_TIE = "setpriv"
_UNLESS_ORPHANED = '[ "$PPID" = "$0" ] && exec "$@"'
"""The parent may have died before the tie: run by a shell that the tie has started, with the parent and the program."""
_LOOK_S = 0.001
# The kernel sends the signal when the *thread* that started the child ends: this one lives as long as the rig.
_STARTER = ThreadPoolExecutor(1, "machines")


class Child:
    """One program, from its start to its end."""

    def __init__(self, arguments: Sequence[str], fds: Sequence[int] = ()) -> None:
        """Start it.

        Args:
            arguments: the program and its arguments.
            fds: descriptors that it inherits under their numbers.

        Raises:
            MachineFailed: it cannot be started.
        """
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed in `end`
        try:
            self._process = _STARTER.submit(self._start, [*_bound(), *arguments], fds).result()
            self._await_bound()
            _LOG.info("started %s, pid %d", shell_join(arguments), self._process.pid)
        except OSError as error:
            self._words.close()
            raise MachineFailed(f"{arguments[0]} cannot be started: {error.strerror}") from error

    def _start(self, arguments: Sequence[str], fds: Sequence[int]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=self._words,
            stderr=self._words,
            pass_fds=fds,
            start_new_session=True,  # Ctrl-C in the terminal is the rig's
        )

    def _await_bound(self) -> None:
        """Wait until the child is tied to its parent: a rig stopped before that would leave it running."""
        deadline = time.monotonic() + END_TIMEOUT_S
        starters = [os.path.realpath(shutil.which(name) or name) for name in (_TIE, "sh")]
        while self.running and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{self.pid}/exe") not in starters:
                    return
            time.sleep(_LOOK_S)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """It has not ended."""
        return self._process.poll() is None

    @property
    def fate(self) -> str:
        """How it ended, in words: ``was killed by SIGKILL``, ``ended with code 1``."""
        code = self._process.poll()
        if code is None:
            return "runs"
        return f"ended with code {code}" if code >= 0 else f"was killed by {signal.Signals(-code).name}"

    def words(self) -> str:
        """What it said so far."""
        if self._words.closed:
            return ""
        return os.pread(self._words.fileno(), 65536, 0).decode(errors="replace").strip()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; nothing happens if it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def wait(self) -> bool:
        """Wait a little for its end. False: it goes on."""
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self) -> str:
        """End it at once; its last words. One that the kernel cannot end yet is left to it. Idempotent."""
        self._process.kill()
        self.wait()
        words = self.words()
        if not self._words.closed:
            _LOG.info("pid %d %s", self._process.pid, self.fate)
        self._words.close()
        return words


def _bound() -> list[str]:
    """What ties a program to its parent's life, as far as this computer can."""
    tie = [_TIE, "--pdeathsig", "KILL", "--", "sh", "-c", _UNLESS_ORPHANED, str(os.getpid())]
    return tie if shutil.which(_TIE) else []

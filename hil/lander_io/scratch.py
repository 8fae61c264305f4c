"""Folders for what is needed while something flies. Each goes with the process that made it, however that ends.

Rules:
1. What removes the folder of a killed process is there before the folder: at no moment a kill leaves one behind.
2. What the process started may die a moment after it, and write until then: removing is tried for some seconds.
3. Where that is killed as well (a container stops, a cgroup is killed), the folder stays until the next one of its kind
   is made. The owner holds a lock in it: one whose lock is free has no owner. One that is kept has no lock.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from hil.lander_io.afterwards import Afterwards

_SWEEP = 'for n in 1 2 3 4; do rm -rf -- "$0"; [ -e "$0" ] || exit 0; sleep 1; done'
_LOCK = ".owned"
_YOUNG_S = 10.0
"""The lock of a folder as young as this may just be about to be taken."""


class Scratch:
    """A folder that this user alone may enter.

    Attributes:
        path: of the folder; it is there until `close`.
    """

    def __init__(self, prefix: str) -> None:
        """Make it.

        Args:
            prefix: of its name, among the other temporary files.

        Raises:
            OSError: it cannot be made.
        """
        place = Path(tempfile.gettempdir())
        _remove_abandoned(place, prefix)
        self.path = place / f"{prefix}{secrets.token_hex(6)}"
        self._kept = False
        self._lock = -1
        self._sweeper = Afterwards(_SWEEP, str(self.path), environment={"PATH": os.defpath})
        try:
            self.path.mkdir(mode=0o700)
            self._lock = os.open(self.path / _LOCK, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        except OSError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the folder and all that is in it, unless it is kept. Idempotent."""
        if not self._kept:
            shutil.rmtree(self.path, ignore_errors=True)
        if self._kept or not self.path.exists():
            self._sweeper.call_off()
        else:  # something was written to it just now
            self._sweeper.do_now()
        self._unlock()

    def keep(self) -> None:
        """Let the folder stay, from now on, whatever becomes of this process."""
        self._kept = True
        (self.path / _LOCK).unlink(missing_ok=True)
        self._sweeper.call_off()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _remove_abandoned(place: Path, prefix: str) -> None:
    """Remove the folders of processes that are gone, as far as they are this user's."""
    for lock in place.glob(f"{prefix}*/{_LOCK}"):
        with suppress(OSError):  # another program was faster, or it is another user's
            fd = os.open(lock, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                status = os.fstat(fd)
                if status.st_uid != os.getuid() or time.time() - status.st_mtime < _YOUNG_S:
                    continue
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
            finally:
                os.close(fd)

"""Folders for what is needed while something flies. Each goes with the process that made it, however that ends.

Rules:
1. What removes the folder of a killed process is there before the folder: at no moment a kill leaves one behind.
2. What the process started may die a moment after it, and write until then: removing is tried for some seconds.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Self

from hil.afterwards import Afterwards

_SWEEP = 'for n in 1 2 3 4; do rm -rf -- "$0"; [ -e "$0" ] || exit 0; sleep 1; done'


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
        self.path = Path(tempfile.gettempdir()) / f"{prefix}{secrets.token_hex(6)}"
        self._kept = False
        self._sweeper = Afterwards(_SWEEP, str(self.path), environment={"PATH": os.defpath})
        try:
            self.path.mkdir(mode=0o700)
        except OSError:
            self._sweeper.call_off()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the folder and all that is in it, unless it is kept. Idempotent."""
        if not self._kept:
            shutil.rmtree(self.path, ignore_errors=True)
        self._sweeper.call_off()

    def keep(self) -> None:
        """Let the folder stay, from now on, whatever becomes of this process."""
        self._kept = True
        self._sweeper.call_off()

"""Folders for what is needed while something flies. Each goes with the process that made it, however that ends.

Rules:
1. `Scratch.close` removes the folder. If the process is killed before, a shell does: it waits for the end of a pipe
   that this process alone holds, since after SIGKILL nothing of this process runs.
2. The shell is there before the folder, so that at no moment a kill leaves one behind.
3. The shell has a session of its own: a signal to the process group, or the end of a terminal, does not reach it.
4. What this process started may die a moment later, and write until then: the shell tries again for some seconds.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Self

_SWEEP = 'read -r kept && exit; for n in 1 2 3 4; do rm -rf -- "$0"; [ -e "$0" ] || exit 0; sleep 1; done'
_KEEP = b"kept\n"


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
        end, self._pipe = os.pipe()
        try:
            self._sweeper = subprocess.Popen(
                ["/bin/sh", "-c", _SWEEP, str(self.path)],
                stdin=end,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"PATH": os.defpath},
                start_new_session=True,
            )
        except OSError:
            os.close(self._pipe)
            raise
        finally:
            os.close(end)
        try:
            self.path.mkdir(mode=0o700)
        except OSError:
            self._dismiss()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the folder and all that is in it. Idempotent."""
        if self._pipe >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            self._dismiss()

    def keep(self) -> None:
        """Let the folder stay, from now on, whatever becomes of this process."""
        if self._pipe >= 0:
            self._dismiss()

    def _dismiss(self) -> None:
        """End the shell; it removes nothing."""
        with suppress(BrokenPipeError):  # it was killed
            os.write(self._pipe, _KEEP)
        os.close(self._pipe)
        self._pipe = -1
        self._sweeper.wait()

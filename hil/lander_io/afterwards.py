"""What is to be done when this process has ended, even if it was killed: by a shell that waits for that.

Rules:
1. The shell waits for the end of a pipe that this process alone holds: after SIGKILL nothing of this process runs.
2. It has a session of its own: a signal to the process group, or the end of a terminal, does not reach it.
3. `call_off` ends it at once, and nothing is done; `do_now` has it done although this process goes on.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress

_WAIT = "read -r word && exit; "


class Afterwards:
    """A shell that waits."""

    def __init__(self, script: str, *arguments: str, environment: Mapping[str, str]) -> None:
        """Start it.

        Args:
            script: of the shell; what is done when this process has ended.
            arguments: of the script, as ``$0``, ``$1`` …
            environment: of the script.

        Raises:
            OSError: it cannot be started.
        """
        end, self._pipe = os.pipe()
        try:
            self._shell = subprocess.Popen(
                ["/bin/sh", "-c", _WAIT + script, *arguments],
                stdin=end,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=environment,
                start_new_session=True,
            )
        except OSError:
            os.close(self._pipe)
            raise
        finally:
            os.close(end)

    def call_off(self) -> None:
        """Nothing is to be done any more. Idempotent."""
        if self._pipe < 0:
            return
        with suppress(BrokenPipeError):  # the shell was killed
            os.write(self._pipe, b"done\n")
        self.do_now()

    def do_now(self) -> None:
        """Have it done, and wait for that. Idempotent."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
            self._shell.wait()

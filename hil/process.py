"""Processes that the rig starts: they speak JSON lines, and end with the rig."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import TracebackType
from typing import Any, Self

from groundstation.errors import WorldError

_STOP_TIMEOUT_S = 5.0


class ProcessFailed(WorldError):
    """A process of the rig ended before it was ready. Its last words are in the text."""

    exit_code = 20


class Helper:
    """One process and its JSON lines."""

    def __init__(self, arguments: list[str]) -> None:
        """Start ``python -m …``. What is started calls `groundstation.shell.end_with_parent`."""
        self._name = arguments[0].partition(".")[0]
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C in the terminal is the rig's: it ends its helpers in order
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def read(self) -> dict[str, Any]:
        """Its next JSON line.

        Raises:
            ProcessFailed: it ended instead.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            words = self._process.stderr.read().strip() if self._process.stderr else ""
            raise ProcessFailed(words or f"{self._name} ended with exit code {code}")
        message: dict[str, Any] = json.loads(line)
        return message

    def stop(self) -> int:
        """End it: politely, then not. Returns its exit code. Idempotent."""
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._reap()

    def kill(self) -> int:
        """End it without a word, even one that is stopped. Returns its exit code. Idempotent."""
        self._process.kill()
        return self._reap()

    def _reap(self) -> int:
        code = self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        return code


def say(**fields: Any) -> None:
    """One JSON line to the process that started this one."""
    os.write(1, (json.dumps(fields) + "\n").encode())

"""A lander as a process of its own: it speaks JSON lines, and ends with the test."""

from __future__ import annotations

import json
import subprocess
import sys
from types import TracebackType
from typing import Any, Self

from groundstation.host.service import parented

_STOP_TIMEOUT_S = 5.0


class ChildProcess:
    """One process and its JSON lines."""

    def __init__(self, arguments: list[str]) -> None:
        """Start ``python -m …``. What is started calls `groundstation.host.service.end_with_parent`."""
        self._name = arguments[0].partition(".")[0]
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=parented(),
            start_new_session=True,  # Ctrl-C in the terminal is the test's
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def read(self) -> dict[str, Any]:
        """Its next JSON line.

        Raises:
            RuntimeError: it ended instead.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            words = self._process.stderr.read().strip() if self._process.stderr else ""
            raise RuntimeError(words or f"{self._name} ended with exit code {code}")
        message: dict[str, Any] = json.loads(line)
        return message

    def stop(self) -> int:
        """End it: politely, then not. Returns its exit code. Idempotent."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._reap()

    def _reap(self) -> int:
        code = self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        return code

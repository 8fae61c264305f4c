"""What the rig says to QEMU: its machine protocol (QMP), and memory through its debugger's stub."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

from hil.errors import MachineFailed

TIMEOUT_S = 5.0
_STOPPED = (b"T", b"S")


class Qmp:
    """One connection. A QEMU whose serial line is not read does not answer here either: hence the time-outs."""

    def __init__(self, line: socket.socket) -> None:
        """Take the greeting and negotiate. The socket is this object's own.

        Raises:
            MachineFailed: QEMU did not answer.
        """
        self._socket = line
        self._socket.settimeout(TIMEOUT_S)
        self._lines = self._socket.makefile("rb")
        self._lock = threading.Lock()
        if "QMP" not in self._read():
            raise MachineFailed("qemu does not speak QMP")
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: Any) -> Any:
        """Carry out a command; what it returns.

        Raises:
            MachineFailed: QEMU refused it, or did not answer.
        """
        with self._lock:
            try:
                self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
            except OSError as error:
                raise MachineFailed(f"qemu does not take {command!r}: {error}") from error
            deadline = time.monotonic() + TIMEOUT_S
            while time.monotonic() < deadline:  # events come unasked
                answer = self._read()
                if "error" in answer:
                    raise MachineFailed(f"qemu refuses {command!r}: {answer['error'].get('desc')}")
                if "return" in answer:
                    return answer["return"]
            raise MachineFailed(f"qemu does not answer {command!r}")

    def close(self) -> None:
        """Hang up. Idempotent."""
        self._lines.close()
        self._socket.close()

    def _read(self) -> dict[str, Any]:
        try:
            line = self._lines.readline()
            answer: dict[str, Any] = json.loads(line)
        except (OSError, ValueError) as error:
            raise MachineFailed(f"qemu does not answer: {error or 'it hung up'}") from error
        return answer


class Debugger:
    """The stub of GDB's remote protocol: attached for a moment, during which the machine stands."""

    def __init__(self, path: Path) -> None:
        """Args: the stub's socket."""
        self._path = path

    def peek(self, address: int, size: int) -> bytes:
        """Read memory.

        Raises:
            MachineFailed: there is no such memory, or no answer.
        """
        answer = self._ask(f"m{address:x},{size:x}".encode())
        try:
            return bytes.fromhex(answer.decode())
        except ValueError as error:
            raise MachineFailed(f"{size} bytes at {address:#x} cannot be read: {answer!r}") from error

    def poke(self, address: int, data: bytes) -> None:
        """Write memory.

        Raises:
            MachineFailed: there is no such memory, or no answer.
        """
        answer = self._ask(f"M{address:x},{len(data):x}:{data.hex()}".encode())
        if answer != b"OK":
            raise MachineFailed(f"{len(data)} bytes at {address:#x} cannot be written: {answer!r}")

    def _ask(self, request: bytes) -> bytes:
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(TIMEOUT_S)
                line.connect(str(self._path))
                line.sendall(b"+" + _packed(request))  # attaching has stopped the machine
                answer = _answer(line)
                line.sendall(_packed(b"D"))  # detach: it runs on
                _answer(line)
        except OSError as error:
            raise MachineFailed(f"qemu's debugger stub does not answer: {error}") from error
        return answer


def _packed(body: bytes) -> bytes:
    return b"$" + body + b"#" + b"%02x" % (sum(body) & 0xFF)


def _answer(line: socket.socket) -> bytes:
    """The next packet that is an answer, acknowledged. That the machine stopped is said unasked, at any moment."""
    heard, deadline = b"", time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        _, dollar, rest = heard.partition(b"$")
        body, hash_sign, tail = rest.partition(b"#")
        if dollar and hash_sign and len(tail) >= 2:
            line.sendall(b"+")
            heard = tail[2:]
            if not body.startswith(_STOPPED):
                return body
            continue
        more = line.recv(65536)
        if not more:
            break
        heard += more
    raise OSError("no answer")

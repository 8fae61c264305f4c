"""Command lines run in forks of a process that has their imports done: the imports take longer than most commands.

Each is a process of its own, with its own arguments, environment, folder, streams and exit code. What differs from
``python -m groundstation.cli`` is that nothing is imported anew; tests of start-up, terminals and signals start theirs.
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pkgutil import iter_modules

PROGRAMS = ("groundstation", "hil")
_MESSAGE = 1 << 17
_PATIENCE_S = 300
_LATER = ("groundstation.viewer.client", "groundstation.recordings.reader", "hil.runs.run", "zmq.asyncio", "numpy")
"""What commands import when they are executed."""


class ForkedCommands:
    """A process that forks one child for each command line."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "tests.forked_commands", str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()])

    def run(self, program: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command line to its end.

        Raises:
            subprocess.TimeoutExpired: that took more than five minutes.
        """
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(stdin.encode())
            given.seek(0)
            order = {"program": program, "arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}
            streams = [given.fileno(), out.fileno(), err.fileno()]
            self._socket.settimeout(_PATIENCE_S)
            socket.send_fds(self._socket, [json.dumps(order).encode()], streams)
            child = int(self._socket.recv(_MESSAGE))
            try:
                code = int(self._socket.recv(_MESSAGE))
            except TimeoutError as error:
                os.kill(child, signal.SIGKILL)
                self._socket.recv(_MESSAGE)
                raise subprocess.TimeoutExpired([program, *arguments], _PATIENCE_S) from error
            texts = []
            for stream in (out, err):
                stream.seek(0)
                texts.append(stream.read().decode())
        return subprocess.CompletedProcess([program, *arguments], code, *texts)

    def close(self) -> None:
        """End the process."""
        self._socket.close()
        self._process.wait(20)


@contextmanager
def forked_commands() -> Iterator[ForkedCommands]:
    """Such a process, ended at the end."""
    commands = ForkedCommands()
    try:
        yield commands
    finally:
        commands.close()


def _serve(orders: socket.socket) -> None:
    """Fork for each order, until the other end is closed."""
    while True:
        data, streams, _, _ = socket.recv_fds(orders, _MESSAGE, 3)
        if not data:
            return
        child = os.fork()
        if not child:
            orders.close()
            os._exit(_execute(json.loads(data), streams))
        for stream in streams:
            os.close(stream)
        orders.send(str(child).encode())
        _, status = os.waitpid(child, 0)
        orders.send(str(os.waitstatus_to_exitcode(status)).encode())


def _execute(order: dict[str, object], streams: list[int]) -> int:
    """In the child: the command line as ``python -m`` would run it; its exit code. Python's streams are those below."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number, inheritable=True)
        os.close(stream)
    os.chdir(str(order["folder"]))
    os.environ.clear()
    os.environ.update(dict(order["environment"]))  # type: ignore[call-overload]  # of strings
    sys.argv[1:] = list(order["arguments"])  # type: ignore[call-overload]  # of strings
    code: object = 0
    try:
        runpy.run_module(f"{order['program']}.cli", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        code = 1
    for text in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            text.flush()
    return code if isinstance(code, int) else int(code is not None)


if __name__ == "__main__":
    for package in PROGRAMS:
        place = import_module(f"{package}.cli").__path__
        for module in iter_modules(place, f"{package}.cli."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    for name in _LATER:
        import_module(name)
    with socket.socket(fileno=int(sys.argv[1])) as ours:
        _serve(ours)

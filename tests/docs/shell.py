"""Runs the command lines of a document in order, as a reader would: in one folder, beside a lander and a station."""

from __future__ import annotations

import os
import re
import select
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE_S = 60.0
BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]
NEEDS_STATION = re.compile(r"^groundstation (send|arm|cop|watch|stop|acknowledge)\b(?!.*tcp://)")
STATION = re.compile(r"^groundstation (serve|run)\b")
BRIDGE = re.compile(r"^groundstation bridge\b")
LANDER = re.compile(r"^hil lander\b")
ENDLESS = re.compile(r"^groundstation watch\b(?!.*\|)")


class Shell:
    """One folder with its own stations, recordings and keys.

    Attributes:
        folder: where the commands run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lander = folder / "lander"
        self._ports = {port: str(_free_port()) for port in ("5570", "5580")} | {"5571": str(_free_pair())}
        self._keys: dict[str, str] = {}
        self._running: dict[str, subprocess.Popen[str]] = {}
        runtime = folder / "run"
        runtime.mkdir(mode=0o700)
        (folder / "usb").mkdir()
        self._environment = os.environ | {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "XDG_RUNTIME_DIR": str(runtime),
            "HOME": str(folder),
            "XDG_DATA_HOME": str(folder / "data"),
            "TERM": "dumb",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self._running):
            self._end(name)

    def filled_in(self, line: str) -> str:
        """A line with its placeholders replaced by what is in this folder."""
        texts = {
            "/tmp/lander": str(self._lander),
            "/dev/ttyACM0": str(self._lander),
            "/dev/ttyX": str(self._lander),
            "/media/usb/": "usb/",
            "RECORDING": "pass.sqlite",
            "HOST": "127.0.0.1",
            "5c1e…": self._keys.get("anna", "00" * 32),
            "1a84…": self._keys.get("bench", "00" * 32),
            "9f02…": self._keys.get("station", "00" * 32),
            **{f":{port}": f":{free}" for port, free in self._ports.items()},
        }
        for text, real in texts.items():
            line = line.replace(text, real)
        return line

    def run(self, line: str) -> None:
        """Run a line: to its end, or, if it has none, until it shows that it works.

        Raises:
            AssertionError: it failed; with its words.
        """
        real = self.filled_in(line)
        if LANDER.match(line):
            self._start("lander", real)
        elif BRIDGE.match(line):
            self._end("station")
            self._need_lander()
            self._start("bridge", real)
        elif STATION.match(line):
            self._end("station")
            if str(self._lander) in real or ":5570" not in line:
                self._need_lander()
            if ":5570" in line:
                self._need_lander(True, self._ports["5570"])
            self._start("station", real)
        elif ENDLESS.match(line):
            self._need_station(line)
            self._start("viewer", real)
            self._end("viewer")
        else:
            self._need_station(line)
            self._finish(real)
            if line.startswith("groundstation stop"):
                self._running.pop("station").communicate(timeout=PATIENCE_S)

    def _need_station(self, line: str) -> None:
        if NEEDS_STATION.match(line) and "station" not in self._running:
            self._need_lander()
            self._start("station", f"groundstation serve serial:{self._lander}")

    def _need_lander(self, zmq: bool = False, port: str = "") -> None:
        name = "zmq lander" if zmq else "lander"
        if name not in self._running:
            where = f"--zmq tcp://127.0.0.1:{port}" if zmq else f"--pty --symlink {self._lander}"
            self._start(name, f"hil lander {where} --ready")

    def _start(self, name: str, line: str) -> None:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {line}"],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._running[name] = process
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], PATIENCE_S)
        assert ready, f"{line}: says nothing in {PATIENCE_S:g} s"
        first = process.stdout.readline()
        time.sleep(0.2)
        assert process.poll() is None, f"{line}: ended with {process.returncode}: {first}{process.stdout.read()}"

    def _end(self, name: str) -> None:
        process = self._running.pop(name, None)
        if process is None:
            return
        process.terminate()
        process.communicate(timeout=PATIENCE_S)

    def _finish(self, line: str) -> None:
        done = subprocess.run(
            ["bash", "-c", line if "| head" in line else f"set -o pipefail; {line}"],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, f"{line}: exit code {done.returncode}\n{done.stdout[-1000:]}{done.stderr}"
        if made := re.match(r"groundstation keys new (\w+)", line):
            self._keys[made[1]] = re.findall(r"\b[0-9a-f]{64}\b", done.stdout)[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _free_pair() -> int:
    """A port that is free, and so is the next one."""
    while True:
        port = _free_port()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port + 1)):
                return port

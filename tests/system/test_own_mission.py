"""SPARROW flies by the commands of docs/own-mission.md: served on a pseudo-terminal, received, shown, commanded,
recorded, replayed, exported, and judged by a scenario."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.test_terminal import Terminal

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/own-mission.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples/sparrow"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 40
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


class Shell:
    """The page's lines in a folder with a copy of the example, with a port and stations of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(EXAMPLE, folder / "examples/sparrow", ignore=shutil.ignore_patterns("__pycache__"))
        self.port = folder / "port"
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = os.environ | {"PATH": path, "XDG_RUNTIME_DIR": str(folder), "XDG_DATA_HOME": str(folder)}
        self.running: list[subprocess.Popen[bytes]] = []

    def begin(self, line: str) -> None:
        command = self._own(line.removesuffix("&").strip())
        self.running.append(subprocess.Popen(f"exec {command}", shell=True, cwd=self.folder, env=self.environment))

    def run(self, line: str) -> str:
        call = subprocess.run(
            self._own(line),
            shell=True,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert call.returncode == 0, f"{line}: {call.stdout}{call.stderr}"
        return call.stdout

    def close(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()

    def _own(self, line: str) -> str:
        return line.replace("/tmp/sparrow", str(self.port))


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    made = Shell(tmp_path)
    yield made
    made.close()


def test_the_page_declares_what_the_example_does() -> None:
    example = (EXAMPLE / "sparrow.py").read_text(encoding="utf-8")
    assert re.sub(r"\n# Run: .*\n", "", example, count=1) == blocks("python")[0]
    assert blocks("toml")[0].split("\n\n")[0] in (EXAMPLE / "sparrow.toml").read_text(encoding="utf-8")
    assert len((EXAMPLE / "sparrow_lander.py").read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("sparrow.py", "plots     HK.battery"),
        pytest.param("test_sparrow.py", "3 passed", marks=pytest.mark.long),
    ],
)
def test_the_line_at_the_top_of(name: str, told: str, shell: Shell) -> None:
    lines = re.findall(r"\bRun: (.*?)(?:   .*)?$", (EXAMPLE / name).read_text(encoding="utf-8"), re.M)
    assert told in shell.run(lines[0])


@pytest.mark.long
def test_sparrow_flies_by_the_page(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [re.sub(r"\s+#.*$", "", line) for line in blocks("sh")[0].splitlines()]
    lander, serve, watch, send, stop, replay, export, judge = lines
    shell.begin(lander)
    until(shell.port.exists, "the lander serves on its port")
    shell.begin(serve)
    until((shell.folder / "sparrow.sqlite").exists, "the station records")
    for name, value in shell.environment.items():
        monkeypatch.setenv(name, value)
    screen = Terminal(tmp_path, 100, 30, watch)
    try:
        screen.wait_for("Battery")
        assert "completed" in shell.run(send).lower()
        shown = screen.wait_for("Switches camera           yes")
        assert "SPARROW" in shown
        assert "HK" in shown
        screen.press("p")
        assert "BAT" in screen.wait_for("BAT").upper()
        screen.press("q")
    finally:
        screen.close()
    shell.run(stop)
    assert re.search(r"TM\.?.*HK|HK .*battery", shell.run(replay), re.I)
    shell.run(export)
    (table,) = (shell.folder / "sparrow-csv").glob("*HK.csv")
    rows = table.read_text(encoding="utf-8").splitlines()
    assert "battery" in rows[0]
    assert len(rows) > 2  # the page is done within seconds
    assert "no oracle: judged by conservation" in shell.run(judge)

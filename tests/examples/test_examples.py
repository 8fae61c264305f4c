"""Each example does what it says, by the line at its top, beside a real station where it needs one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.long
ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
BIN = Path(sys.executable).parent


class Place:
    """A folder like a fresh checkout: the examples, a folder for output, stations of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runtime = folder / "run"
        self.runtime.mkdir(mode=0o700)
        (folder / "out").mkdir()
        shutil.copytree(EXAMPLES, folder / "examples", ignore=shutil.ignore_patterns("node_modules"))
        self.environment = os.environ | {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "XDG_RUNTIME_DIR": str(self.runtime),
            "XDG_DATA_HOME": str(folder / "data"),
            "HOME": str(folder),
        }

    def run(self, line: str) -> str:
        """What a command line prints; it must succeed."""
        done = self.attempt(["bash", "-ec", line])
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def attempt(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever that is."""
        return subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def start(self, line: str) -> subprocess.Popen[bytes]:
        """A command line that goes on."""
        return subprocess.Popen(line.split(), cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty place."""
    return Place(tmp_path)


@pytest.fixture
def station(place: Place) -> Iterator[Path]:
    """A station that receives a lander in READY; its folder."""
    lander = place.start(f"hil lander --pty --symlink {place.folder}/port --ready")
    wait_for(place.folder / "port")
    serving = place.start(f"groundstation serve serial:{place.folder}/port --name bench")
    folder = place.runtime / "groundstation" / "bench"
    wait_for(folder / "cmd")
    yield folder
    for process in (serving, lander):
        process.terminate()
        process.wait(20)


def wait_for(path: Path) -> None:
    """Until a file is there."""
    until = time.monotonic() + 30
    while not os.path.lexists(path):
        assert time.monotonic() < until, f"no {path}"
        time.sleep(0.02)


def line_of(name: str) -> str:
    """The command line at the top of an example."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    lines = re.findall(r"^(?://)? {4,}(\S.*)$", text.split("import", 1)[0], re.M)
    assert lines, name
    return " && ".join(lines)


def test_every_example_is_tested_and_listed() -> None:
    files = {
        path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*.*") if "node_modules" not in path.parts
    }
    here = Path(__file__).read_text(encoding="utf-8") + (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for name in files - {"README.md", "node/package.json"}:
        if not name.startswith("sparrow/") and "__pycache__" not in name and not name.startswith("node/package"):
            assert here.count(f"({name})") and here.count(f'"{name}"'), name


def test_a_descent_is_plotted(place: Place) -> None:
    told = place.run(line_of("plot_descent.py"))
    assert "2240 packets, 1974-03-12T09:07:21.000000000 to 1974-03-12T09:11:04.900000000" in told
    assert (place.folder / "out/descent.png").read_bytes().startswith(b"\x89PNG")


def test_the_cells_of_the_notebook_run(place: Place) -> None:
    told = place.run(line_of("notebook.py"))
    assert "2240 packets, 0 missing" in told and "greatest load 9.76 g at 09:07:28.9" in told
    assert "lander LANDER_ONLY" in told


def test_a_capture_is_decoded_without_a_station(place: Place) -> None:
    told = place.run(line_of("decode_capture.py"))
    assert "DESCENT      2240\n" in told and "last: RETRO_ARMED at " in told


def test_a_scenario_is_flown_and_judged(place: Place) -> None:
    told = place.run(line_of("fly_and_judge.py"))
    assert told.splitlines()[-1].startswith("PASS     los-091105 on software")


def test_a_command_is_sent_and_its_report_awaited(place: Place, station: Path) -> None:
    assert "PING: COMPLETED" in place.run(line_of("send_command.py").replace(" [KEY=VALUE ...]", ""))
    refused = place.attempt([sys.executable, "examples/send_command.py", "PONG"])
    assert refused.returncode == 1 and "refused: no command 'PONG'; did you mean 'PING'?" in refused.stdout


def test_a_live_station_is_followed(place: Place, station: Path) -> None:
    follow = line_of("watch_live.py").replace("[STATION] [SECONDS]", "bench 12")
    watching = subprocess.Popen(
        follow.split(), cwd=place.folder, env=place.environment, stdout=subprocess.PIPE, text=True
    )
    place.run("groundstation send START --wait")
    told, _ = watching.communicate(timeout=60)
    assert watching.returncode == 0
    assert "bench: MARS-6," in told and "START" in told


def test_json_and_zeromq_are_enough(place: Place, station: Path) -> None:
    told = place.run(line_of("subscribe_json.py").replace("[FOLDER]", str(station))).splitlines()
    assert told[0].startswith("bench: MARS-6, ") and len(told) == 51
    assert any(line.startswith("tm.BUS_HK ") and "slant_range" in line for line in told)


def test_node_follows_a_station(place: Place, station: Path) -> None:
    if shutil.which("npm") is None:
        if os.environ.get("MARS6_REQUIRE_ALL"):
            pytest.fail("npm not found")
        pytest.skip("npm not found: apt-get install nodejs npm")
    line = line_of("node/subscribe.mjs").replace("npm install", "npm install --no-audit --no-fund")
    told = place.run(line.replace("FOLDER", str(station))).splitlines()
    first = next(n for n, line in enumerate(told) if line.startswith("bench: MARS-6, "))
    assert len(told[first:]) == 51
    assert any(line.startswith("tm.BUS_HK ") and "slant_range" in line for line in told)

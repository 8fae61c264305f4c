"""Tab in a shell: what each place offers, asked of the programs as bash asks them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from groundstation.station.registry import Registry, StationInfo
from protocols.lander import MARS6


def offered(words: str, incomplete: str = "", **environment: str) -> list[str]:
    program, *before = shlex.split(words)
    variables = {
        f"_{program.upper()}_COMPLETE": "bash_complete",
        "COMP_WORDS": shlex.join([program, *before, incomplete]) if incomplete else f"{words} ",
        "COMP_CWORD": str(1 + len(before)),
    }
    done = subprocess.run(
        [Path(sys.executable).parent / program],
        env={**os.environ, **variables, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line.startswith("plain,")]


PROFILES = [label for _, label in MARS6.command("SELECT_PROFILE").arguments[0].labels]


@pytest.mark.parametrize(
    ("words", "incomplete", "expected"),
    [
        ("groundstation", "se", ["send", "serve"]),
        ("groundstation", "--verb", ["--verbose"]),
        ("groundstation keys", "re", ["revoke"]),
        ("groundstation send", "sel", ["SELECT_PROFILE", "SELECT_SPAN"]),
        ("groundstation send SELECT_PROFILE", "", [f"profile={name}" for name in PROFILES]),
        ("groundstation send SELECT_PROFILE", "profile=SO", ["profile=SOFT_LANDING"]),  # as zsh and fish ask
        ("groundstation send SELECT_PROFILE profile =", "SO", ["SOFT_LANDING"]),  # bash splits at "="
        ("groundstation send SELECT_PROFILE profile", "=", PROFILES),
        ("groundstation send STEP", "", ["ticks="]),
        ("groundstation send NOPE", "", []),
        ("groundstation commands", "PI", ["PING"]),
        ("groundstation cop", "un", ["unlock"]),
        ("groundstation export x --to", "", ["csv", "jsonl", "parquet"]),
        ("hil", "ca", ["campaign"]),
        ("hil run", "los-0", ["los-091105"]),
        ("hil run los-091105", "al", ["altimeter-blind", "all"]),
        ("hil fly", "al", ["altimeter-blind"]),
        ("hil campaign", "random", ["random-faults"]),
        ("hil run x --target", "q", ["qemu"]),
        ("hil firmware build", "u", ["uno"]),
    ],
)
def test_tab_offers(words: str, incomplete: str, expected: list[str]) -> None:
    assert offered(words, incomplete) == expected


@pytest.mark.long
def test_tab_offers_recordings_of_this_host_and_of_the_folder_begun(tmp_path: Path) -> None:
    passes = tmp_path / "data" / "groundstation" / "passes"
    passes.mkdir(parents=True)
    for name in ("20260101-a.sqlite", "20260102-b.sqlite", "notes.txt", "\x1b[2J.sqlite"):
        (passes / name).touch()
    here = tmp_path / "here"
    here.mkdir()
    (here / "kept.sqlite").touch()
    data = {"XDG_DATA_HOME": str(tmp_path / "data")}
    newest_first = [str(passes / "20260102-b.sqlite"), str(passes / "20260101-a.sqlite")]
    for command in ("replay", "info", "export", "copy", "salvage"):
        assert offered(f"groundstation {command}", "", **data) == newest_first
    assert offered("groundstation replay", f"{here}/", **data) == [f"{here}/kept.sqlite"]


def test_tab_offers_stations_that_run(tmp_path: Path) -> None:
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    registry = Registry(runtime / "groundstation")
    ends = registry.endpoints("bench")
    info = StationInfo(
        name="bench",
        pid=os.getpid(),
        link="serial:/dev/x",
        started=time.time_ns(),
        telemetry=ends.telemetry,
        command=ends.command,
    )
    registry.register(info)
    try:
        for words in ("groundstation watch", "groundstation stop", "groundstation send PING --station"):
            assert offered(words, "be", XDG_RUNTIME_DIR=str(runtime)) == ["bench"]
        assert offered("groundstation watch", "x", XDG_RUNTIME_DIR=str(runtime)) == []
    finally:
        registry.unregister("bench")


@pytest.mark.parametrize("program", ["groundstation", "hil"])
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_each_shell_is_written(program: str, shell: str) -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / program],
        env={**os.environ, f"_{program.upper()}_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"_{program.upper()}_COMPLETE={shell}_complete" in done.stdout.replace(" ", "=").replace("==", "=")


def test_bash_itself_completes_a_command() -> None:
    script = """
eval "$(_GROUNDSTATION_COMPLETE=bash_source groundstation)"
COMP_WORDS=(groundstation send sel); COMP_CWORD=2
_groundstation_completion groundstation sel send
echo "${COMPREPLY[@]}"
"""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "SELECT_PROFILE SELECT_SPAN\n"

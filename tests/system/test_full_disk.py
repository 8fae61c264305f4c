"""A full disk: an error that names what could not be written, exit code 14, no traceback.

A limit on the size of files stands for the disk: the system's answer differs in one word (EFBIG for ENOSPC), and no
other file system has to be mounted. /dev/full is a full disk for what is written to standard output.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

Full = Callable[..., "subprocess.CompletedProcess[str]"]
FULL = 14


@pytest.fixture
def full(home: Path) -> Full:
    """Run a program that can write no file beyond some bytes."""

    def call(limit: int, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", f"{program}.cli", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            env=dict(os.environ),
            check=False,
            preexec_fn=partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit)),
        )

    return call


def check(done: subprocess.CompletedProcess[str], named: str) -> None:
    assert done.returncode == FULL, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert named in done.stdout + done.stderr


SMALL, MIDDLE, LARGE = 2_000, 60_000, 200_000
"""Bytes: too few to begin a recording, to end one, and for the capture of a run."""


@pytest.mark.parametrize("limit", [SMALL, MIDDLE, LARGE])
@pytest.mark.parametrize("more", [("--lockstep",), ("--realtime", "--speed", "100"), ("los-reset", "--jobs", "2")])
def test_hil_run_names_what_it_could_not_write(tmp_path: Path, full: Full, limit: int, more: tuple[str, ...]) -> None:
    out = tmp_path / "out"
    check(full(limit, "hil", "run", "los-091105", *more, "--report", str(out)), f"{out}/")


def test_hil_run_without_a_report_needs_a_disk_too(tmp_path: Path, full: Full, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    check(full(MIDDLE, "hil", "run", "los-091105"), str(tmp_path))


def test_hil_campaign_names_what_it_could_not_write(tmp_path: Path, full: Full) -> None:
    out = tmp_path / "out"
    done = full(MIDDLE, "hil", "campaign", "los-091105", "--runs", "3", "--report", str(out))
    check(done, f"cannot record to {out}/runs/000000/recording.sqlite")


@pytest.mark.parametrize("limit", [SMALL, MIDDLE])
@pytest.mark.parametrize("mode", [("--lockstep",), ("--speed", "100")])
def test_hil_fly_names_its_recording(tmp_path: Path, full: Full, limit: int, mode: tuple[str, ...]) -> None:
    check(full(limit, "hil", "fly", *mode, "--plain", "--record", str(tmp_path / "x.sqlite")), "x.sqlite")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("flown") / "out"
    run = [sys.executable, "-m", "hil.cli", "run", "los-091105", "--report", str(out)]
    subprocess.run(run, check=True, capture_output=True, timeout=60)
    return out / "runs" / "los-091105-software"


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_export_names_its_folder(tmp_path: Path, full: Full, bundle: Path, form: str) -> None:
    out = tmp_path / "tables"
    check(
        full(SMALL, "groundstation", "export", str(bundle / "recording.sqlite"), "--to", form, "--output", str(out)),
        str(out),
    )
    assert not list(out.glob("*"))


@pytest.mark.parametrize("option", ["--jsonl", "--parquet", "--frames"])
def test_decode_names_its_file(tmp_path: Path, full: Full, bundle: Path, option: str) -> None:
    out = tmp_path / "rows"
    check(
        full(SMALL, "groundstation", "decode", str(bundle / "sent.bin"), option, str(out)), f"{out} cannot be written"
    )
    assert not out.exists()


@pytest.mark.parametrize(
    "command",
    [
        ("hil", "run", "los-091105"),
        ("hil", "run", "los-091105", "--json"),
        ("hil", "fly", "--lockstep", "--json"),
        ("hil", "fly", "--speed", "100", "--json"),
        ("hil", "campaign", "los-091105", "--runs", "2"),
        ("groundstation", "commands"),
        ("groundstation", "info", "{}/recording.sqlite"),
        ("groundstation", "replay", "{}/recording.sqlite", "--json", "--speed", "1000"),
        ("groundstation", "decode", "{}/sent.bin"),
        ("groundstation", "decode", "{}/sent.bin", "--jsonl", "-"),
    ],
    ids=" ".join,
)
def test_standard_output_on_a_full_disk_is_an_error(home: Path, bundle: Path, command: tuple[str, ...]) -> None:
    program, *words = (word.format(bundle) for word in command)
    with open("/dev/full", "w") as disk:
        done = subprocess.run(
            [sys.executable, "-m", f"{program}.cli", *words],
            stdout=disk,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            env=dict(os.environ),
            check=False,
        )
    assert done.returncode == FULL, done.stderr
    assert done.stderr.endswith(f"{program}: standard output cannot be written: No space left on device\n")
    assert "Traceback" not in done.stderr

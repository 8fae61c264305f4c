"""The suite of docs/hil-tests.md, copied as a user would, passes, and its jobs for CI servers do what they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.targets.bench import require

yaml = pytest.importorskip("yaml")  # of the group dev, which has it in CI
DOC = Path(__file__).parents[2] / "docs" / "hil-tests.md"
FILE = re.compile(r"^\*\*`(?P<name>[^`]+)`\*\*\n\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


NAMES = ("test_silence", "test_commands_through_noise", "test_a_cable_that_is_put_back", "test_loads", "my-noise")
PROVIDED = ("apt-get", "pip")
"""Commands that need root or an index: stand-ins write down how they were called."""


@dataclass(frozen=True)
class Job:
    """What a CI server does: it runs lines with variables, and takes files whether they passed or not."""

    shell: list[str]
    lines: list[str]
    variables: dict[str, str]
    kept: list[str]


def github(text: str) -> Job:
    job = yaml.safe_load(text)["jobs"]["hil"]
    steps = job["steps"]
    upload = next(step for step in steps if str(step.get("uses", "")).startswith("actions/upload-artifact@"))
    assert upload["if"] == "always()"
    lines = [step["run"] for step in steps if "run" in step]
    return Job(["bash", "-e", "-o", "pipefail", "-c"], lines, job["env"], [upload["with"]["path"]])


def gitlab(text: str) -> Job:
    job = yaml.safe_load(text)["hil"]
    artifacts = job["artifacts"]
    assert artifacts["when"] == "always"
    kept = [*artifacts["paths"], artifacts["reports"]["junit"]]
    return Job(["sh", "-e", "-c"], [*job["before_script"], *job["script"]], job["variables"], kept)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    found = {match["name"]: match["text"] for match in FILE.finditer(DOC.read_text(encoding="utf-8"))}
    files = {"pyproject.toml", "tests/test_los.py", "scenarios/my-noise.toml"}
    assert set(found) == files | {".github/workflows/hil.yml", ".gitlab-ci.yml"}
    for name, text in found.items():
        path = tmp_path / "suite" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "suite"


@pytest.mark.long
@pytest.mark.parametrize("target", ["software", pytest.param("qemu", marks=pytest.mark.target)])
def test_the_suite_of_the_document(suite: Path, target: str) -> None:
    require(target)
    options = ["--hil-target", target, "--hil-report", "out", "-W", "error"]
    command = [sys.executable, "-m", "pytest", *options]
    done = subprocess.run(
        command, cwd=suite, env=clean_environment(), capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout
    names = {path.name for path in (suite / "out" / "runs").iterdir()}
    assert names == {f"{name}-{target}" for name in NAMES}
    assert (suite / "out" / "report.html").is_file()


def clean_environment() -> dict[str, str]:
    """Without what runs this test, and without plugins of the developers' environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return environment | {"PYTEST_ADDOPTS": "-p no:fprime_test_api -p no:hypothesispytest"}


def run_job(job: Job, suite: Path, tools: Path) -> tuple[list[subprocess.CompletedProcess[str]], list[str]]:
    """Run a job's lines until one fails, as its server does; and what its stand-ins were told."""
    tools.mkdir()
    log = tools / "log"
    log.touch()
    for name in PROVIDED:
        (tools / name).write_text(f'#!/bin/sh\necho {name} "$@" >>"{log}"\n')
    (tools / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
    for tool in (*PROVIDED, "sudo"):
        (tools / tool).chmod(0o755)
    path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = clean_environment() | job.variables | {"PATH": path, "CI": "true"}
    done: list[subprocess.CompletedProcess[str]] = []
    for line in job.lines:
        command = [*job.shell, line]
        ran = subprocess.run(
            command, cwd=suite, env=environment, capture_output=True, text=True, timeout=200, check=False
        )
        done.append(ran)
        if ran.returncode:
            break
    return done, log.read_text().splitlines()


@pytest.mark.long
@pytest.mark.target
@pytest.mark.parametrize(("file", "read"), [(".github/workflows/hil.yml", github), (".gitlab-ci.yml", gitlab)])
def test_job_of_a_ci_server_flies_and_keeps_its_report(suite: Path, file: str, read: Callable[[str], Job]) -> None:
    require("qemu")
    job = read((suite / file).read_text(encoding="utf-8"))
    done, told = run_job(job, suite, suite.parent / "tools")
    assert [ran.returncode for ran in done] == [0] * len(job.lines), done[-1].stdout + done[-1].stderr
    assert "10 passed" in done[-1].stdout
    assert told == [
        "apt-get update",
        "apt-get install -y --no-install-recommends qemu-system-arm",
        "pip install mars6-groundstation[pytest] @ git+https://example.org/mars6-groundstation",
    ]
    assert all((suite / path).exists() for path in job.kept)
    assert {path.name for path in (suite / "out" / "runs").iterdir()} == {
        f"{name}-{target}" for name in NAMES for target in ("software", "qemu")
    }
    root = ET.parse(suite / "out" / "junit.xml").getroot()
    assert (root.get("tests"), root.get("failures")) == ("10", "0")


@pytest.mark.long
@pytest.mark.parametrize(("file", "read"), [(".github/workflows/hil.yml", github), (".gitlab-ci.yml", gitlab)])
def test_job_fails_and_keeps_its_report_without_qemu(
    suite: Path, file: str, read: Callable[[str], Job], tmp_path: Path
) -> None:
    """What apt-get should have installed is not there: no skip, and the files are there all the same."""
    (suite / "tests" / "test_los.py").write_text("def test_flies(hil_flight):\n    hil_flight.fly()\n")
    (suite / "scenarios" / "my-noise.toml").unlink()
    job = read((suite / file).read_text(encoding="utf-8"))
    hidden = tmp_path / "bin"
    hidden.mkdir()
    for name in ("sh", "bash", "env", "git"):
        if found := shutil.which(name):
            (hidden / name).symlink_to(found)
    only = replace(job, lines=[f"export PATH={hidden}:{Path(sys.executable).parent}; {job.lines[-1]}"])
    (ran,), _ = run_job(only, suite, tmp_path / "tools")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "1 passed, 1 error" in ran.stdout
    assert "qemu-system-arm not found" in ran.stdout
    assert all((suite / path).exists() for path in job.kept)
    root = ET.parse(suite / "out" / "junit.xml").getroot()
    assert root.get("failures") == "1"

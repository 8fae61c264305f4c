"""The suite of docs/hil-tests.md, copied as a user would, passes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.targets.bench import require

DOC = Path(__file__).parents[2] / "docs" / "hil-tests.md"
FILE = re.compile(r"^\*\*`(?P<name>[^`]+)`\*\*\n\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    found = {match["name"]: match["text"] for match in FILE.finditer(DOC.read_text(encoding="utf-8"))}
    assert set(found) == {"pyproject.toml", "tests/test_los.py", "scenarios/my-noise.toml", ".github/workflows/hil.yml"}
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
    options += ["-p", "no:fprime_test_api", "-p", "no:hypothesispytest"]  # of the developers' environment
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", *options]
    done = subprocess.run(command, cwd=suite, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
    names = {path.name for path in (suite / "out" / "runs").iterdir()}
    tests = ("test_silence", "test_commands_through_noise", "test_a_cable_that_is_put_back", "my-noise")
    assert names == {f"{name}-{target}" for name in tests}
    assert (suite / "out" / "report.html").is_file()

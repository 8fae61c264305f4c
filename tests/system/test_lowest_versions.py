"""A descent is flown with the lowest versions that pyproject.toml allows, and with the newest, on each Python here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PYTHONS = ("3.11", "3.12", "3.13")
_LOWEST = re.compile(r"(?:>=|==)([0-9.]+)")


def find_python(version: str) -> str | None:
    """A Python of that version that starts: on the path, or of pyenv."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    named = shutil.which(f"python{version}")
    for path in [named, *map(str, sorted(root.glob(f"versions/{version}.*/bin/python{version}")))]:
        if path and subprocess.run([path, "-c", "import ensurepip"], capture_output=True, check=False).returncode == 0:
            return path
    return None


def lowest(requirement: str, python: str) -> list[str]:
    """The requirement pinned to the lowest version that it allows; none if it is not for that Python."""
    parsed = Requirement(requirement)
    if parsed.marker is not None and not parsed.marker.evaluate({"python_version": python}):
        return []
    found = _LOWEST.search(str(parsed.specifier))
    assert found is not None, f"{requirement} has no lower bound"
    return [f"{parsed.name}=={found[1]}"]


@pytest.mark.alone
@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("which", ["lowest", "newest"])
@pytest.mark.parametrize("version", PYTHONS)
def test_a_descent_flies_with_these_versions(tmp_path: Path, home: Path, version: str, which: str) -> None:
    if (python := find_python(version)) is None:
        pytest.skip(f"there is no Python {version} on this machine")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    given = [*project["dependencies"], *project["optional-dependencies"]["parquet"]]
    wanted = given if which == "newest" else [pin for each in given for pin in lowest(each, version)]
    source = tmp_path / "source"
    for name in ("protocols", "groundstation", "hil"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "build"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    run([python, "-m", "venv", str(tmp_path / "venv")])
    bin_ = tmp_path / "venv" / "bin"
    pip = [str(bin_ / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, *wanted])
    run([*pip, "--no-deps", str(source)])
    for words in (
        ["hil", "fly", "--speed", "100", "--plain", "--record", str(tmp_path / "x.sqlite")],
        ["hil", "run", "los-091105", "--report", str(tmp_path / "out")],
        ["groundstation", "export", str(tmp_path / "x.sqlite"), "--to", "parquet"],
    ):
        run([str(bin_ / words[0]), *words[1:]])


def run(words: list[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

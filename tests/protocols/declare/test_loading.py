"""Dictionaries by name, and the example of docs/own-mission.md as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from protocols.declare.loading import DEFAULT, load_dictionary
from protocols.errors import DeclarationError
from protocols.lander import MARS6

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/own-mission.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The guide's code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.M | re.S)


def python(folder: Path, *arguments: str) -> str:
    """Run Python as a user of the package would, in ``folder``."""
    environment = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_guides_example_prints_what_it_says(tmp_path: Path) -> None:
    declaration, use = blocks("python")
    (tmp_path / "sparrow.py").write_text(declaration, encoding="utf-8")
    (tmp_path / "use.py").write_text(use, encoding="utf-8")
    assert python(tmp_path, "use.py") == blocks("text")[0]


def test_the_guides_export_works(tmp_path: Path) -> None:
    (tmp_path / "sparrow.py").write_text(blocks("python")[0], encoding="utf-8")
    command = blocks("sh")[0].split("python ", 1)[1].split()
    python(tmp_path, *command)
    python(tmp_path, *("check" if word == "all" else word for word in command))
    assert "SPARROW_HK_APID" in (tmp_path / "out/hil/firmware/generated/lander_packets.h").read_text(encoding="utf-8")


def test_the_default_is_this_lander() -> None:
    assert load_dictionary(DEFAULT) is MARS6


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("protocols.lander", "is named module:NAME"),
        (":MARS6", "is named module:NAME"),
        ("no_such_mission:X", "no module 'no_such_mission'"),
        ("protocols.no_such:X", "no module 'protocols.no_such'"),
        ("protocols.lander:MARS7", "did you mean 'MARS6'"),
        ("protocols.lander:mars6", "did you mean 'MARS6'"),
        ("protocols.lander:SCID", "SCID is a int, not a Dictionary"),
        ("protocols.errors:X", "it has no dictionaries"),
    ],
)
def test_a_wrong_name_is_told_with_its_place(name: str, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        load_dictionary(name)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import no_such_thing", "importing it failed: No module named 'no_such_thing'"),
        ("1 / 0", "importing it failed: ZeroDivisionError"),
        ("from protocols.errors import DeclarationError\nraise DeclarationError('HK.a', 'odd')", "wrong: HK.a: odd"),
    ],
)
def test_a_module_that_fails_is_told_of(
    source: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"mission_{abs(hash(source))}"
    (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DeclarationError, match=re.escape(message)):
        load_dictionary(f"{name}:X")

"""Dictionaries by name, and the example of docs/own-mission.md as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from protocols.declare.loading import DEFAULT, load_dictionary, load_mission
from protocols.errors import DeclarationError
from protocols.lander import MARS6, MISSION

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
    declaration, use = blocks("python")[:2]
    (tmp_path / "sparrow.py").write_text(declaration, encoding="utf-8")
    (tmp_path / "use.py").write_text(use, encoding="utf-8")
    assert python(tmp_path, "use.py") == blocks("text")[0]


def test_the_guides_second_example_prints_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "heron.py").write_text(blocks("python")[2], encoding="utf-8")
    assert python(tmp_path, "heron.py") == blocks("text")[1]


def test_the_guides_export_works(tmp_path: Path) -> None:
    (tmp_path / "sparrow.py").write_text(blocks("python")[0], encoding="utf-8")
    command = blocks("sh")[-1].split("python ", 1)[1].split()
    python(tmp_path, *command)
    python(tmp_path, *("check" if word == "all" else word for word in command))
    assert "SPARROW_HK_APID" in (tmp_path / "out/hil/firmware/generated/lander_packets.h").read_text(encoding="utf-8")


def test_the_default_is_this_lander() -> None:
    assert load_dictionary() is MARS6
    assert load_mission().display == MISSION.display and load_mission().source == DEFAULT


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("protocols.lander", "no such mission; known: mars6: name an installed mission, module:NAME"),
        ("mras6", "no such mission; did you mean 'mars6'"),
        ("no_such_mission:X", "no module 'no_such_mission'"),
        ("protocols.no_such:X", "no module 'protocols.no_such'"),
        ("protocols.lander:MARS7", "did you mean 'MARS6'"),
        ("protocols.lander:mars6", "did you mean 'MARS6'"),
        ("protocols.lander:SCID", "SCID is of type int: expected a Mission or Dictionary"),
        ("protocols.errors:X", "it has no missions and no dictionaries"),
    ],
)
def test_a_wrong_name_is_told_with_its_place(name: str, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        load_dictionary(name)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import no_such_thing", "importing it failed: No module named 'no_such_thing' (NAME.py, line 1)"),
        ("\n1 / 0", "importing it failed: ZeroDivisionError: division by zero (NAME.py, line 2)"),
        ("def f():\n    int('x')\n\nf()", "invalid literal for int() with base 10: 'x' (NAME.py, line 2)"),
        ("x = 1\ny = = 2", "importing it failed: SyntaxError: invalid syntax (NAME.py, line 2)"),
        ("raise SystemExit(3)", "importing it failed: SystemExit: 3 (NAME.py, line 1)"),
        (
            "from protocols.errors import DeclarationError\nraise DeclarationError('HK.a', 'odd')",
            "its declaration is wrong: HK.a: odd (NAME.py, line 2)",
        ),
        (
            "from protocols import PacketDef, Dictionary\nHK = PacketDef('HK', 1, 3, 25)\n"
            "X = Dictionary('X', 1, (HK,), (), (), ())",
            "its declaration is wrong: HK: expected a construct Struct, not None (NAME.py, line 3)",
        ),
    ],
)
def test_a_module_that_fails_is_told_of(
    source: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"mission_{abs(hash(source))}"
    (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for named in (f"{name}:X", str(tmp_path / f"{name}.py")):
        with pytest.raises(DeclarationError, match=re.escape(message.replace("NAME", name)) + "$"):
            load_dictionary(named)


DECLARATION = blocks("python")[0]


def test_a_file_is_named_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "sparrow_of_a_file.py"
    path.write_text(DECLARATION, encoding="utf-8")
    mission = load_mission(str(path))
    assert (mission.name, mission.source) == ("SPARROW", str(path))
    assert load_mission(f"{path}:SPARROW").dictionary is mission.dictionary
    assert load_mission(f"{path}:SPARROW").source == f"{path}:SPARROW"
    with pytest.raises(DeclarationError, match="did you mean 'SPARROW'"):
        load_mission(f"{path}:SPAROW")
    with pytest.raises(DeclarationError, match=f"no file {tmp_path}/no.py"):
        load_mission(str(tmp_path / "no.py"))


def test_a_file_of_two_missions_asks_which(tmp_path: Path) -> None:
    path = tmp_path / "two_missions.py"
    path.write_text(DECLARATION + "\nOTHER = MISSION\n", encoding="utf-8")
    with pytest.raises(DeclarationError, match="it has MISSION, OTHER: choose one"):
        load_mission(str(path))


def test_a_file_in_this_folder_is_hinted_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "swallow.py").write_text(DECLARATION, encoding="utf-8")
    with pytest.raises(DeclarationError, match=re.escape("name the file, ./swallow.py")):
        load_mission("swallow:SPARROW")

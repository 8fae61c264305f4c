"""The reference says what the program does: generated documents are current, written ones agree with the types."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from groundstation.recordings.schema import COLUMNS, SCHEMA_VERSION
from hil.scenario.scenario import parse_scenario
from protocols.profile import LinkProfile
from protocols.profile_text import profile_from_toml, read_profile

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def blocks(name: str, language: str) -> list[str]:
    text = (DOCS / name).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def rows(name: str) -> dict[str, list[str]]:
    """The table rows of a document that begin with a name in backticks: by that name, the other cells."""
    lines = (DOCS / name).read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_generated_reference_is_current() -> None:
    command = [sys.executable, "tools/make_reference.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_reference_lists_every_key_of_a_link_profile() -> None:
    told = rows("link-profiles.md")
    declared = {{"channels": "vc"}.get(field.name, field.name): field for field in fields(LinkProfile) if field.init}
    assert set(told) == set(declared)
    assert told.pop("vc")[:2] == ["tables", "none"] and declared["vc"].default == ()
    for name, (kind, default, *_) in told.items():
        value = declared[name].default
        kinds = {bool: "boolean", int: "integer", str: "text", bytes: "text", tuple: "list of integers"}
        assert kind == kinds[type(value)], name
        shown = value.hex().upper() if isinstance(value, bytes) else list(value) if isinstance(value, tuple) else value
        assert tomllib.loads(f"value = {default.strip('`')}")["value"] == shown, name


def test_link_profile_with_every_key_is_the_default() -> None:
    whole, *others = blocks("link-profiles.md", "toml")
    assert profile_from_toml(whole) == LinkProfile()
    assert len({read_profile(text) for text in others}) == len(others) == 6


def test_example_of_the_scenario_format_is_a_scenario(tmp_path: Path) -> None:
    text, expectations = blocks("scenarios.md", "toml")
    scenario = parse_scenario(text, "los-unplug.toml")
    assert (scenario.id, len(scenario.faults), len(scenario.vary)) == ("los-unplug", 2, 1)
    assert len(parse_scenario(f'[scenario]\nid = "x"\n{expectations}').expectations) == 4


@pytest.mark.parametrize("table", COLUMNS)
def test_recording_schema_lists_the_columns_of(table: str) -> None:
    text = (DOCS / "recordings.md").read_text(encoding="utf-8")
    section = text.split(f"### `{table}`\n")[1].split("\n#")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", section, re.M)) == COLUMNS[table]
    assert f"schema version {SCHEMA_VERSION}" in text

"""``--mission file.xml``: a stranger's packets decoded by a stranger's definition."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from groundstation.cli import cli
from groundstation.errors import CallerError
from protocols.declare.loading import load_mission
from protocols.errors import DeclarationError
from tests.protocols.xtce_reader.documents import compare, container, document, entry, integer, packet

ROOT = Path(__file__).parents[3]
CONTAINERS = container("HK", entry("volt") + entry("mode"), criteria=compare("APID", 11)) + container(
    "BAD", entry("gone"), criteria=compare("APID", 12)
)
DOCUMENT = document(integer("U8", 8), {"volt": "U8", "mode": "U8"}, CONTAINERS)
PACKETS = packet(11, b"\x05\x06") + packet(11, b"\x07\x08") + packet(11, b"\x09\x0a") + packet(11, b"\x0b\x0c")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a definition and packets."""
    (tmp_path / "jpss.xml").write_bytes(DOCUMENT)
    (tmp_path / "jpss.pkts").write_bytes(PACKETS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    """A command."""
    return CliRunner().invoke(cli, list(arguments))


def test_bare_packets_are_decoded_by_an_xtce_file(files: Path) -> None:
    done = run("decode", "jpss.pkts", "--mission", "jpss.xml", "--link-profile", "packets", "--jsonl", "-")
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["values"] for row in rows] == [{"volt": n, "mode": n + 1} for n in (5, 7, 9, 11)]
    assert {row["name"] for row in rows} == {"HK"}
    assert "TEST was read in part: TEST/BAD (line 1): no parameter 'gone'" in done.stderr


def test_a_file_called_packets_is_a_profile(files: Path) -> None:
    (files / "packets").write_text('kind = "packets"\nskip = 2\n', encoding="utf-8")
    (files / "skipped.pkts").write_bytes(b"".join(b"\xff\xff" + PACKETS[at : at + 8] for at in range(0, 32, 8)))
    done = run("decode", "skipped.pkts", "--mission", "jpss.xml", "--link-profile", "packets", "--jsonl", "-")
    assert done.exit_code == 0, done.output
    assert len(done.stdout.splitlines()) == 4


def test_missions_lists_what_is_not_read(files: Path) -> None:
    text = run("missions", "jpss.xml").stdout
    assert "TEST  no SCID" in text and "packet    HK" in text
    assert "not read  TEST/BAD (line 1): no parameter 'gone'" in text
    facts = json.loads(run("missions", "jpss.xml", "--json").stdout)
    assert facts["scid"] is None and len(facts["problems"]) == 1


def test_a_definition_that_cannot_be_read_ends_the_command(files: Path) -> None:
    (files / "bad.xml").write_text("<!DOCTYPE x><x/>", encoding="utf-8")
    for name, words in (("bad.xml", "it has a DOCTYPE"), ("none.xml", "cannot be read: No such file")):
        with pytest.raises(DeclarationError, match=f"{name}: .*{words}"):
            load_mission(name)
        assert isinstance(run("missions", name).exception, DeclarationError)


def test_the_guides_mission_gets_its_spacecraft(files: Path) -> None:
    page = (ROOT / "docs/own-mission.md").read_text(encoding="utf-8")
    code = page.split("## A mission from an XTCE file")[1].split("```python\n")[1].split("```")[0]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", f"{code}\nprint(JPSS.scid, JPSS.channels[0].name, JPSS.packets[0].name)"]
    done = subprocess.run(command, cwd=files, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "159 payload HK\n", done.stderr


def test_a_live_station_needs_the_spacecrafts_id(files: Path) -> None:
    done = run("serve", "zmq:ipc:///tmp/no-lander", "--mission", "jpss.xml", "--record", "x.sqlite")
    assert isinstance(done.exception, CallerError)
    assert "mission TEST has no SCID and no channels: give it both in Python" in str(done.exception)

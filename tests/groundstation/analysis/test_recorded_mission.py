"""A recording of a mission that is not installed is read by the XTCE that it keeps."""

from __future__ import annotations

import json
import sqlite3
import zlib
from base64 import b64encode
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from groundstation import open_recording
from groundstation.cli import cli
from groundstation.cli.options.mission import MissionType
from groundstation.errors import CallerError
from groundstation.recordings.mission_facts import XTCE, mission_facts
from groundstation.recordings.writer import ArchiveWriter
from protocols.ccsds.space_packet import idle_packet
from protocols.declare.loading import load_mission
from protocols.declare.mission import Mission
from protocols.lander import MARS6, MISSION
from tests.groundstation.made_recordings import record
from tests.protocols.links import cadu

OTHER = replace(MISSION, dictionary=replace(MARS6, name="Mars 7"))


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A recording of a mission that is not installed, with what a station writes of its mission."""
    path = tmp_path / "kept.sqlite"
    record(path, bursts=200)
    with closing(sqlite3.connect(path)) as db, db:
        put(db, mission_facts(Mission(OTHER.dictionary, source="nowhere:MARS7")))
    return path


def packed(document: str) -> str:
    """A document as a recording keeps it."""
    return b64encode(zlib.compress(document.encode())).decode()


def put(db: sqlite3.Connection, facts: Mapping[str, str]) -> None:
    """Write rows of the table ``meta``."""
    for key, value in facts.items():
        db.execute("DELETE FROM meta WHERE key = ?", (key,))
        db.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (key, value))


def columns(path: Path, mission: Mission | None) -> dict[str, dict[str, Any]]:
    """All columns of all packets."""
    with open_recording(path, mission=mission) as recording:
        names = [packet.name for packet in MARS6.packets]
        return {name: dict(recording.packets(name)) for name in names}


def test_every_value_is_that_of_the_mission_itself(kept: Path) -> None:
    by_xtce, by_mission = columns(kept, None), columns(kept, OTHER)
    assert by_xtce.keys() == by_mission.keys()
    compared = 0
    for name, expected in by_mission.items():
        told = {key for key in expected if key.endswith("_quality") or key == "reasons"}  # XTCE carries no checks
        assert by_xtce[name].keys() == expected.keys() - told
        for parameter, column in expected.items():
            if parameter in told:
                continue
            np.testing.assert_array_equal(by_xtce[name][parameter], column, f"{name}.{parameter}")
            compared += len(column)
    assert compared > 1000


def test_a_warning_says_that_the_mission_is_not_installed(kept: Path) -> None:
    with open_recording(kept) as recording:
        assert recording.warning.startswith(f"mission Mars 7 is not installed: {kept} is read by the XTCE")
        mission = recording.mission
    assert mission.name == "Mars 7" and mission.source == str(kept)
    assert mission.link_profile == MISSION.link_profile
    assert mission.dictionary.events == MARS6.events and mission.dictionary.timeline == MARS6.timeline


def test_a_station_can_load_it_by_the_recording(kept: Path) -> None:
    mission = MissionType().convert(str(kept), None, None)
    assert mission.name == "Mars 7" and mission.source == str(kept)


@pytest.mark.parametrize("command", [["export", "--to", "csv"], ["salvage"], ["decode"]])
def test_the_commands_read_it(kept: Path, command: list[str]) -> None:
    name, *options = command
    done = CliRunner().invoke(cli, [name, str(kept), *options])
    assert done.exit_code == 0, done.output
    assert "mission Mars 7 is not installed" in done.output


def test_decode_takes_profile_and_packets_of_the_recording(tmp_path: Path) -> None:
    source = (
        "from protocols import *\nfrom construct import Int8ub, Struct\nfrom protocols.profile import LinkProfile\n"
    )
    source += 'P = PacketDef("HELLO", 9, header=NO_HEADER, body=Struct("a" / Int8ub))\n'
    source += 'M = Mission(Dictionary("WREN", 6, (P,), (), (), ()), LinkProfile(frame_length=64, ocf=False))\n'
    (tmp_path / "wren.py").write_text(source, encoding="utf-8")
    wren = load_mission(tmp_path / "wren.py")
    path = tmp_path / "wren.sqlite"
    with ArchiveWriter(path, {"station": "s", "link": "l", **mission_facts(wren)}) as archive:
        packet = wren.dictionary.by_name["HELLO"].encode({"a": 42})
        data = packet + idle_packet(wren.link_profile.data_length - len(packet))
        archive.chunk(1, "l", b"".join(cadu(wren.link_profile, n, 0, data) for n in range(3)))
    for more in ([], ["--mission", str(tmp_path / "wren.py")]):
        done = CliRunner().invoke(cli, ["decode", str(path), "--jsonl", "-", *more])
        assert done.exit_code == 0, done.output
        assert [json.loads(line)["values"] for line in done.stdout.splitlines()] == [{"a": 42}] * 3
        assert ("mission WREN is not installed" in done.stderr) is (not more)
    other = CliRunner().invoke(cli, ["decode", str(path), "--mission", "mars6"])
    assert "was recorded with dictionary" in other.stderr and other.exit_code != 0


def test_a_mission_that_xtce_cannot_tell_is_recorded_and_read_by_its_file(tmp_path: Path) -> None:
    source = "from protocols import *\nfrom construct import Int8ub, Struct\n"
    source += 'P = PacketDef("HELLO", 9, header=NO_HEADER, body=Struct("a_b" / Int8ub, "a" / Struct("b" / Int8ub)))\n'
    source += 'D = Dictionary("FINCH", 6, (P,), (), (), ())\n'
    (tmp_path / "finch.py").write_text(source, encoding="utf-8")
    finch, path = load_mission(tmp_path / "finch.py"), tmp_path / "finch.sqlite"
    facts = mission_facts(finch)
    assert XTCE not in facts
    with ArchiveWriter(path, {"station": "s", "link": "l", **facts}):
        pass
    with open_recording(path, tmp_path / "finch.py") as recording:
        assert (recording.mission.name, recording.warning) == ("FINCH", "")
    with pytest.raises(CallerError, match=f"recorded with mission FINCH: name it, --mission {tmp_path}/finch.py"):
        open_recording(path)


def test_info_says_what_reads_it(kept: Path) -> None:
    line = CliRunner().invoke(cli, ["info", str(kept)]).output.splitlines()[1]
    assert line.endswith("of a mission that is not installed: read by the XTCE that it keeps")


@pytest.mark.parametrize(
    "xtce",
    [
        "",
        "not base64",
        b64encode(b"not zlib").decode(),
        *map(packed, ("<SpaceSystem name='x'/>", "<!DOCTYPE x><SpaceSystem/>")),
    ],
)
def test_an_xtce_that_cannot_be_read_is_said(kept: Path, xtce: str) -> None:
    with closing(sqlite3.connect(kept)) as db, db:
        put(db, {"xtce": xtce})
    with pytest.raises(CallerError, match=r"name it, --mission nowhere:MARS7; what the recording keeps of it cannot"):
        open_recording(kept)

"""``groundstation missions`` and the option ``--mission``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from groundstation.cli import cli
from groundstation.errors import CallerError
from groundstation.station.config import StationConfig
from groundstation.station.process import start_station
from groundstation.station.snapshot import SnapshotCache
from protocols.declare.mission import Mission
from protocols.lander import MARS6, MISSION
from tests.protocols.declare.test_loading import DECLARATION


@pytest.fixture
def sparrow(tmp_path: Path) -> Path:
    """The file of the guide's mission."""
    path = tmp_path / "sparrow_for_the_cli.py"
    path.write_text(DECLARATION, encoding="utf-8")
    return path


def output(*arguments: str) -> str:
    """What a command that succeeds prints."""
    done = CliRunner().invoke(cli, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_installed_missions_are_listed() -> None:
    line = next(line for line in output("missions").splitlines() if line.startswith("mars6 "))
    assert MARS6.hash_text in line and "protocols.lander:MISSION" in line


def test_all_about_a_mission_of_a_file(sparrow: Path) -> None:
    text = output("missions", str(sparrow))
    assert "SPARROW  SCID 0x02a" in text and "plots     HK.battery, HK.temperature" in text
    facts = json.loads(output("missions", str(sparrow), "--json"))
    assert facts["packets"]["HK"][:2] == ["mode", "battery"] and facts["display"]["zero"] == "DEPLOY"


def test_commands_of_another_mission(sparrow: Path) -> None:
    assert output("commands", "--mission", str(sparrow)).split()[0] == "PING"
    assert "1 … 16" in output("commands", "CAMERA", "--mission", str(sparrow))


def test_the_environment_names_the_mission(sparrow: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSTATION_MISSION", str(sparrow))
    assert "CAMERA" in output("commands")
    assert "CAMERA" not in output("commands", "--mission", "mars6")


def test_a_station_needs_a_mission_it_can_load(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="mission MARS-6 has no source: get it from load_mission"):
        start_station(StationConfig("bench", "zmq:ipc:///x", tmp_path / "x.sqlite", Mission(MARS6)))


def test_a_viewer_is_told_what_the_mission_shows() -> None:
    display = SnapshotCache(MISSION, "bench", 1, 1).display
    assert display.packets == ["DESCENT", "LANDER_SYSTEMS"]
    assert [(plot.packet, plot.name, plot.label) for plot in display.plots] == [
        ("DESCENT", "altitude", "ALT"),
        ("DESCENT", "speed", "SPD"),
    ]
    assert (display.phase, display.zero) == (("DESCENT", "phase"), "ENTRY")
    assert [view.name for view in display.views] == ["descent", "bus", "surface", "quality", "relays"]
    assert display.views[2].bars == ("SPECTRUM", "intensity")


def test_the_story_of_mars_6_has_its_sources() -> None:
    lines = output("mission").splitlines()
    assert lines[0].startswith("1973-08-05 17:45:48Z  [S]  LAUNCH ")
    assert next(line for line in lines if "COURSE_CORRECTION" in line).startswith("1973-08-13            [S]")
    assert all("[A]" in line for line in lines if "PARKING_ORBIT" in line or "BLOK_D" in line)
    moments = [json.loads(line) for line in output("mission", "--json").splitlines()]
    assert [moment["scet"] for moment in moments] == sorted(moment["scet"] for moment in moments)
    assert [moment["name"] for moment in moments][-1] == "RELAY_SET"


def test_a_mission_without_a_story_has_its_timeline(sparrow: Path) -> None:
    assert output("mission", "--mission", str(sparrow)) == "2031-05-01 12:00:00Z  [A]  DEPLOY\n"


def test_a_mission_names_its_light_times() -> None:
    told = output("mission").partition("Light time, one way:\n")[2].splitlines()[:2]
    assert [line.split(None, 1)[1].split() for line in told] == [
        ["Mars", "to", "Earth", "761.05", "s", "[C]"],
        ["lander", "to", "bus", "BUS_ORBIT.light_time"],
    ]
    facts = json.loads(output("missions", "mars6", "--json"))["light_times"]
    assert facts[0] == {"path": "Mars to Earth", "seconds": {"value": 761.05, "mark": "C"}, "parameter": None}


def test_a_mission_tells_its_relays_with_the_marks_of_their_figures() -> None:
    lines = output("mission").partition("Who could relay:\n")[2].splitlines()
    assert [line.split()[1] for line in lines if line.startswith("relay")] == [
        "MARS_6_BUS",
        "MARS_5",
        "MARS_4",
        "MARS_7",
    ]
    assert "700,000 km [C], link margin -44.8 dB [A]" in lines[-1]
    (facts,) = [
        each for each in json.loads(output("missions", "mars6", "--json"))["relays"] if each["name"] == "MARS_5"
    ]
    assert (
        facts["health"] == "FAILED" and facts["range_km"] is None and "failed after a few days" in facts["health_text"]
    )

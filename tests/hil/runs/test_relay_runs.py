"""Flights with two relays: judged by what the rig knows of every link."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundstation.recordings.reader import ArchiveReader
from hil.runs.run import Plan, fly_plan
from hil.scenario.scenario import SCENARIOS, load_scenario, parse_scenario
from hil.verdict.result import RunResult
from protocols.lander import LANDER

FLIGHT = """
[scenario]
id = "relays"
modes = ["lockstep"]
from = "09:08:50"
until = "09:09:30"

[[relay]]
name = "MARS_5"
delay_ms = {delay}

[[fault]]
kind = "{kind}"
{more}
"""


def fly(text: str, folder: Path) -> RunResult:
    plan = Plan(parse_scenario(text), "software", "lockstep", folder / "run", "")
    return fly_plan(plan, lambda: 0, lambda scet: None)


def values(result: RunResult) -> dict[str, object]:
    return {row.name: row.value for row in result.measurements}


@pytest.mark.parametrize("name", ["relay-bus-alone", "relay-mars5-alive", "relay-both-noisy", "relay-set"])
def test_the_shipped_scenarios_pass(name: str, tmp_path: Path) -> None:
    plan = Plan(load_scenario(SCENARIOS / f"{name}.toml"), "software", "lockstep", tmp_path / "run", "")
    result = fly_plan(plan, lambda: 0, lambda scet: None)
    assert result.state == "PASS", [row for row in result.measurements if row.state != "PASS"]


def test_a_relay_that_sets_is_not_a_lander_that_falls_silent(tmp_path: Path) -> None:
    """The same loss, expected with the other cause: the row says which elevation was the evidence."""
    text = (SCENARIOS / "relay-set.toml").read_text().replace('"RELAY_SET"', '"LANDER_ONLY"')
    rows = {row.name: row for row in fly(text, tmp_path).measurements}
    cause = rows["los_cause[surface]"]
    assert (cause.state, cause.value) == ("FAIL", "RELAY_SET")
    assert cause.note.startswith("MARS_6_BUS has set: elevation 14.9") and "its mask is 15°" in cause.note


def test_a_planned_loss_of_another_channel_is_told(tmp_path: Path) -> None:
    result = fly((SCENARIOS / "relay-set.toml").read_text(), tmp_path)
    told = [(loss.channel, loss.cause, loss.error_ms) for loss in result.verdict.losses]
    assert told == [("lander", "LANDER_ONLY", 0), ("surface", "RELAY_SET", 0)]
    assert [loss.planned for loss in result.verdict.losses] == ["09:11:05.800", "09:26:08.000"]


def test_the_fail_over_costs_the_delay_of_the_other_link(tmp_path: Path) -> None:
    text = FLIGHT.format(delay=70, kind="unplug", more='at = "09:09:00"\nfor = "10 s"')
    found = values(fly(text, tmp_path))
    assert (found["lander_lost"], found["merged_wrong"], found["failover"]) == (0, 0, 70.0)


def test_a_relay_too_slow_for_the_fail_over_is_told(tmp_path: Path) -> None:
    text = FLIGHT.format(delay=250, kind="unplug", more='at = "09:09:00"\nfor = "10 s"')
    rows = {row.name: row for row in fly(text, tmp_path).measurements}
    assert rows["failover"].state == "FAIL" and rows["lander_lost"].value == 0


def test_what_both_links_lose_is_lost_once(tmp_path: Path) -> None:
    silence = 'at = "09:09:00"\nfor = "1 s"\n'
    text = FLIGHT.format(delay=40, kind="silence", more=silence)
    text += f'[[fault]]\nkind = "silence"\nrelay = "MARS_5"\n{silence}'
    text += '[[loss]]\nat = "09:09:00"\ncause = "SILENCE"\n'
    rows = {row.name: row for row in fly(text, tmp_path).measurements}
    assert rows["lander_lost"].value == 10 and rows["merged_wrong"].value == 0
    assert rows["los_cause"].value == "SILENCE"


def test_the_recording_of_a_flight_names_its_links(tmp_path: Path) -> None:
    fly(FLIGHT.format(delay=40, kind="frame_drop", more="p = 0.2"), tmp_path)
    (path,) = tmp_path.rglob("*.sqlite")
    with ArchiveReader(path) as reader:
        counts = {count.link.name: count for count in reader.link_counts()}
        frames = [frame for frame in reader.frames() if frame.vcid == LANDER]
    assert list(counts) == ["MARS_6_BUS", "MARS_5"]
    assert len({frame.vcfc for frame in frames[:200]}) == 200 and counts["MARS_5"].first > 50


def test_a_relay_does_not_pass_on_what_a_failing_chip_damaged(tmp_path: Path) -> None:
    """Of the lander's 400 frames of these 40 s this chip leaves 171 that a relay can read."""
    text = FLIGHT.format(delay=40, kind="unplug", more='at = "09:09:00"\nfor = "10 s"')
    rows = {row.name: row for row in fly(text.replace("modes", 'profile = "degraded"\nmodes'), tmp_path).measurements}
    assert rows["merged_wrong"].value == rows["merged_disorder"].value == 0
    for share in ("share_miscounted[0] MARS_6_BUS", "share_miscounted[1] MARS_5"):
        assert rows[share].state == "PASS"

"""Which losses are expected of what a test does; the rig is the judge."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.faults import mission_time
from hil.runs.run import Plan, check_plan, fly_plan
from hil.scenario.scenario import parse_scenario
from hil.scenario.toml import to_toml
from hil.verdict.expected_losses import losses_of, with_losses

HISTORICAL = ("09:11:05.000", ["LANDER_ONLY"])


def losses(*faults: dict[str, object]) -> list[tuple[str, list[str]]] | None:
    tables = {"scenario": {"id": "x"}, "fault": list(faults)}
    found = losses_of(parse_scenario(to_toml(tables)).faults)
    return None if found is None else [(loss["at"], loss["cause"]) for loss in found]


def fault(kind: str, at: object, length: object = None, **keys: object) -> dict[str, object]:
    return {"kind": kind, "at": at, **({} if length is None else {"for": length}), **keys}


def test_what_follows() -> None:
    silence = ["SILENCE"]
    assert losses() is None
    assert losses(fault("silence", "09:10:00")) == [("09:10:00.000", silence)]
    assert losses(fault("silence", "09:11:05")) == [("09:11:05.000", silence)]
    assert losses(fault("silence", "09:12:00")) is None
    assert losses(fault("silence", "09:07:00")) == []
    assert losses(fault("silence", "09:07:00", "60 s")) == [HISTORICAL]
    assert losses(fault("silence", "09:10:00", "200 ms")) is None
    assert losses(fault("silence", "09:10:00", dir="up")) is None
    assert losses(fault("silence", {"event": "DROGUE"})) is None
    assert losses(fault("unplug", "09:10:00", "5 s")) == [("09:10:00.000", ["PORT"]), HISTORICAL]
    assert losses(fault("silence", "09:11:00", "30 s")) == [("09:11:00.000", ["SILENCE", "LANDER_ONLY"])]
    twice = fault("silence", "09:10:30"), fault("unplug", "09:09:00", "5 s")
    assert losses(*twice) == [("09:09:00.000", ["PORT"]), ("09:10:30.000", silence)]
    within = fault("silence", "09:09:00", "20 s"), fault("hang", "09:09:05")
    assert losses(*within) == [("09:09:00.000", silence)]


@pytest.mark.parametrize(
    "faults",
    [
        [fault("silence", "09:07:00", "60 s")],
        [fault("silence", "09:11:00", "30 s")],
        [fault("silence", "09:09:00", "5 s"), fault("silence", "09:10:00", "5 s")],
        [fault("unplug", "09:09:00", "5 s")],
        [fault("reset", "09:09:00")],
        [fault("power_off", "09:09:00", "5 s")],
        [fault("hang", "09:09:00")],
        [fault("peer_killed", "09:11:05")],
    ],
    ids=lambda faults: "-".join(f"{each['kind']}-{each['at']}" for each in faults).replace(":", ""),
)
def test_what_follows_is_what_is_seen(faults: list[dict[str, object]], tmp_path: Path) -> None:
    tables = {"scenario": {"id": "x"}, "fault": faults}
    found = losses_of(parse_scenario(to_toml(tables)).faults)
    text = to_toml({**tables, "loss": found}) if found else f"loss = []\n{to_toml(tables)}"
    plan = Plan(parse_scenario(text), "software", "lockstep", tmp_path / "run", "")
    check_plan(plan)
    result = fly_plan(plan, lambda: 0, lambda scet: None)
    assert result.state == "PASS", result.line


def test_a_chip_that_fails_loses_the_signal_before_its_link_drops(tmp_path: Path) -> None:
    """With this chip the signal is lost three times in the nine seconds before, and the last good frame is early."""
    head = {"id": "x", "profile": "degraded", "from": "09:10:30", "until": "09:10:41"}
    scenario = with_losses({"scenario": head, "fault": [fault("silence", "09:10:39.2")]}, "x")
    assert [(loss.at.value, loss.causes) for loss in scenario.losses] == [
        (mission_time("09:10:39.2"), ["SILENCE", "LANDER_ONLY", "CRC", "SYNC"])
    ]
    result = fly_plan(Plan(scenario, "software", "lockstep", tmp_path / "run", ""), lambda: 0, lambda scet: None)
    rows = {row.name: row for row in result.measurements}
    assert (result.state, rows["false_los"].value, rows["los_time_error"].state) == ("PASS", 0, "PASS")
    assert len(result.verdict.losses) > 1

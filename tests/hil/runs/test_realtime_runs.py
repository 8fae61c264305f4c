"""Scenarios in real time: machine, port, station, viewer. What depends on how busy the host is, is not asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundstation.host.clock import host_clock
from hil.errors import ScenarioError
from hil.runs.run import Plan, check_plan, fly_plan
from hil.scenario.scenario import SCENARIOS, Scenario, load_scenario, parse_scenario
from hil.verdict.result import RunResult

BUSY_HOST = {"los_declared_late", "byte_to_published_p99", "interarrival_p99", "false_los", "losses", "reacquisition"}

pytestmark = pytest.mark.long


def fly(scenario: Scenario, target: str, folder: Path) -> RunResult:
    plan = Plan(scenario, target, "realtime", folder / "run", "hil run", 40.0)
    check_plan(plan)
    return fly_plan(plan, host_clock, lambda scet: None)


def failed(result: RunResult) -> dict[str, object]:
    rows = (row for row in result.measurements if row.name.partition("[")[0] not in BUSY_HOST)
    return {row.name: row.value for row in rows if row.state not in ("PASS", "MARGINAL")}


def test_a_peer_that_is_killed(tmp_path: Path) -> None:
    result = fly(load_scenario(SCENARIOS / "los-zmq-peer-killed.toml"), "software", tmp_path)
    assert not result.error
    assert failed(result) == {}
    assert {row.name: row.value for row in result.measurements}["los_cause"] == "RELAY"
    assert result.planned_los == result.observed_los
    (summary,) = result.faults
    assert summary.windows[0][0] > (result.planned_los or 0) - 10**9  # and later, as late as the host is


def test_a_cable_that_is_pulled_and_put_back(tmp_path: Path) -> None:
    text = '[scenario]\nid = "x"\n[[fault]]\nkind = "unplug"\nat = "09:09:00"\nfor = "40 s"\n'
    text += '[[loss]]\nat = "09:09:00"\ncause = "PORT"\n[[loss]]\nat = "09:11:05"\ncause = ["LANDER_ONLY", "SILENCE"]\n'
    result = fly(parse_scenario(text), "software", tmp_path)
    assert not result.error
    values = {row.name: row.value for row in result.measurements}
    assert values["los_cause[1]"] == "PORT"
    assert values["stream_equal"] is True
    assert values["bytes_accounted"] is True
    assert isinstance(values["reacquisition"], float)


def test_a_commanded_flight_says_why_it_is_not_compared(tmp_path: Path) -> None:
    text = '[scenario]\nid = "x"\n[[command]]\nat = "09:08:00"\nname = "PING"\n'
    text += '[[limit]]\nname = "golden_to_los"\nequals = true\n'
    result = fly(parse_scenario(text), "software", tmp_path)
    row = next(row for row in result.measurements if row.name == "golden_to_los")
    assert row.state == "UNSET"
    assert row.note.startswith("telecommands were sent in real time")


def test_what_a_link_cannot_do_is_refused() -> None:
    def plan(kind: str, link: str) -> Plan:
        fault = f'[[fault]]\nkind = "{kind}"\nat = "09:09:00"\n'
        text = f'[scenario]\nid = "x"\nlink = "{link}"\n{fault}'
        return Plan(parse_scenario(text), "software", "realtime", Path("nowhere"), "")

    for kind, link in [("unplug", "zmq"), ("peer_killed", "pty"), ("peer_stopped", "pty")]:
        with pytest.raises(ScenarioError, match=rf"fault\[0\]\.kind: {kind}: not on a link of type {link}"):
            check_plan(plan(kind, link))
    with pytest.raises(ScenarioError, match="in lockstep alone"):
        check_plan(plan("hangup", "pty"))

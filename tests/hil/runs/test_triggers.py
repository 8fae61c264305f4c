"""Faults and commands that wait for a parameter, and expectations, flown: in lockstep and in real time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from groundstation.host.clock import host_clock
from hil.report import write_report
from hil.report.contents import Report
from hil.runs.run import Plan, check_plan, fly_plan
from hil.scenario.scenario import Mode, parse_scenario
from hil.verdict.result import Measurement, RunResult

BELOW = 'when = { parameter = "DESCENT.altitude", below = "5000 m" }\n'
FIRST_BELOW = "when DESCENT.altitude < 5000 m: 4992.7 m at 09:09:50.500"


def fly(text: str, folder: Path, *, target: str = "software", mode: Mode = "lockstep", speed: float = 1) -> RunResult:
    scenario = parse_scenario(f'[scenario]\nid = "x"\n{text}')
    plan = Plan(scenario, target, mode, folder / "run", "hil run", speed=speed)
    check_plan(plan)
    return fly_plan(plan, host_clock, lambda scet: None)


def rows(result: RunResult) -> dict[str, Measurement]:
    return {row.name: row for row in result.measurements}


def test_a_stream_fault_begins_with_the_frame_after_the_value(tmp_path: Path) -> None:
    result = fly(f'[[fault]]\nkind = "frame_drop"\n{BELOW}for = "300 ms"\n', tmp_path)
    assert result.state == "PASS"
    row = rows(result)["fault[0] frame_drop"]
    assert (row.value, row.note.split(";")[0]) == (3, f"planned {FIRST_BELOW}")
    (summary,) = result.faults
    assert summary.text == "frame_drop when DESCENT.altitude < 5000, for 0.3 s"
    assert [entry.scet % 10**10 // 10**8 for entry in result.applied] == [6, 7, 8]  # 09:09:50.6 and on


@pytest.mark.long
@pytest.mark.parametrize("target", ["software", "posix"])
def test_a_target_fault_and_a_command_act_in_the_next_tick(tmp_path: Path, target: str) -> None:
    text = f'[[fault]]\nkind = "hang"\n{BELOW}for = "200 ms"\n[[command]]\nname = "PING"\n{BELOW}'
    result = fly(text, tmp_path, target=target)
    found = rows(result)
    assert result.state == "PASS"
    assert found["command[1] PING"].note.endswith(FIRST_BELOW)
    assert found["fault[0] hang"].note == f"planned {FIRST_BELOW}; acted 1 time"
    (summary,) = result.faults
    assert [(end - begin) // 10**6 for begin, end in summary.windows] == [200]


def test_triggered_flights_are_the_same_each_time(tmp_path: Path) -> None:
    text = f'[[fault]]\nkind = "bit_flip"\nber = 1e-4\n{BELOW}\n[[command]]\nname = "PING"\n{BELOW}'
    first, second = (fly(text, tmp_path / name) for name in "ab")
    assert first.provenance["received sha256"] == second.provenance["received sha256"]
    assert first.measurements == second.measurements


def test_a_value_that_did_not_come_fires_nothing(tmp_path: Path) -> None:
    lost = '[[fault]]\nkind = "frame_drop"\nat = "09:09:50.500"\nfor = "100 ms"\n'
    result = fly(f'{lost}[[command]]\nname = "PING"\n{BELOW}', tmp_path)
    assert rows(result)["command[1] PING"].note.endswith("at 09:09:50.600")


def test_a_trigger_that_never_fired_is_in_the_verdict(tmp_path: Path) -> None:
    never = 'when = { parameter = "DESCENT.altitude", below = 10 }\n'
    result = fly(f'[[fault]]\nkind = "hang"\n{never}[[command]]\nname = "PING"\n{never}', tmp_path)
    found = rows(result)
    told = "when DESCENT.altitude < 10 m: never, the least of 2,240 values was 31.5 m"
    assert result.state == "FAIL"
    assert (found["fault[0] hang"].state, found["fault[0] hang"].note) == ("FAIL", f"planned {told}; acted 0 times")
    assert (found["command[1] PING"].state, found["command[1] PING"].note) == ("UNSET", f"never given; {told}")


def test_a_part_ends_before_a_trigger_fires(tmp_path: Path) -> None:
    result = fly(f'until = "09:08:30"\n[[fault]]\nkind = "hang"\n{BELOW}[[command]]\nname = "PING"\n{BELOW}', tmp_path)
    found = rows(result)
    assert {found[name].state for name in ("fault[0] hang", "command[1] PING")} == {"NA"}
    assert "the flight ended until 09:08:30.000: when DESCENT.altitude < 5000 m: never" in found["fault[0] hang"].note


EXPECT = """[[expect]]
parameter = "DESCENT.deceleration"
max = "{most} g"
[[expect]]
parameter = "DESCENT.phase"
between = ["09:08:00", {{ event = "MAIN" }}]
equals = "MAIN"
at_least_once = true
[[expect]]
parameter = "FAULT_TRACE.stack"
max = 3
"""


def test_expectations_are_rows_of_verdict_and_reports(tmp_path: Path) -> None:
    result = fly(EXPECT.format(most=9), tmp_path)
    found = [row for row in result.measurements if row.name.startswith("expect[")]
    assert [(row.state, row.value, row.limit) for row in found] == [
        ("FAIL", 9.76, "≤ 9"),
        ("FAIL", "AEROBRAKING", "= MAIN, at least once"),  # MAIN begins with the packet that closes the window
        ("FAIL", None, "≤ 3"),
    ]
    assert "expect[0] DESCENT.deceleration 9.76 g" in result.line
    write_report(Report(generated="2026-01-01T00:00:00Z", results=[result], unflown=0), tmp_path)
    page, junit = ((tmp_path / name).read_text(encoding="utf-8") for name in ("report.html", "junit.xml"))
    where = "at 09:07:28.900, VC0 frame 79"
    assert "expect[0] DESCENT.deceleration" in page
    assert where in page
    assert f"FAIL expect[0] DESCENT.deceleration: 9.76 g, limit ≤ 9 ({where}; 2,240 values)" in junit
    raw = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert "≤ 9" in {row["limit"] for row in raw["results"][0]["verdict"]["measurements"]}


def test_expectations_that_hold_pass(tmp_path: Path) -> None:
    text = EXPECT.format(most=12).split("[[expect]]")
    result = fly(f'[[expect]]{text[1]}[[expect]]\nparameter = "DESCENT.altitude"\nmonotonic = "decreasing"\n', tmp_path)
    assert result.state == "PASS"


@pytest.mark.long
def test_triggers_and_expectations_in_real_time(tmp_path: Path) -> None:
    part = 'from = "09:09:45"\nuntil = "09:10:05"\n'
    faults = f'[[fault]]\nkind = "frame_drop"\n{BELOW}for = {{ frames = 3 }}\n'
    expect = (
        '[[expect]]\nparameter = "DESCENT.altitude"\nbetween = ["09:09:46", "09:10:00"]\nmonotonic = "decreasing"\n'
    )
    result = fly(f'{part}{faults}[[command]]\nname = "PING"\n{BELOW}{expect}', tmp_path, mode="realtime", speed=8)
    found = rows(result)
    assert (found["fault[0] frame_drop"].state, found["fault[0] frame_drop"].value) == ("PASS", 3)
    assert FIRST_BELOW in found["fault[0] frame_drop"].note
    assert (found["command[1] PING"].value, found["command[1] PING"].state) == ("COMPLETED", "PASS")
    assert FIRST_BELOW in found["command[1] PING"].note
    assert found["expect[0] DESCENT.altitude"].state == "PASS"

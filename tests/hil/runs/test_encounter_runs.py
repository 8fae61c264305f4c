"""The encounter, flown and judged in lockstep: all of it on the targets that hold it, and parts of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundstation.host.clock import host_clock
from hil.runs.run import Plan, check_plan, fly_plan
from hil.scenario.scenario import SCENARIOS, load_scenario, parse_scenario
from hil.verdict.result import RunResult
from tests.targets.bench import require

ENCOUNTER = (SCENARIOS / "encounter.toml").read_text(encoding="utf-8")
HEAD = '[scenario]\nid = "x"\nspan = "encounter"\n'


def fly(text: str, folder: Path, target: str = "software") -> RunResult:
    plan = Plan(parse_scenario(text), target, "lockstep", folder / "x", "hil run")
    check_plan(plan)
    return fly_plan(plan, lambda: 0, lambda scet: None)


def failed(result: RunResult) -> dict[str, object]:
    return {row.name: row.value for row in result.measurements if row.state not in ("PASS", "NA")}


@pytest.mark.long
@pytest.mark.parametrize("target", ["posix", "qemu"])
def test_the_whole_encounter_on_the_firmware(target: str, tmp_path: Path) -> None:
    require(target)
    result = fly(ENCOUNTER, tmp_path, target)
    assert result.state == "PASS", failed(result)
    assert result.counters.frames_lost == 0


@pytest.mark.long
@pytest.mark.parametrize("target", ["software", "qemu"])
def test_a_part_of_the_encounter_in_real_time(target: str, tmp_path: Path) -> None:
    """Four hours are flown flat out, by fifteen STEPs; then the station hears the bow shock."""
    require(target)
    text = ENCOUNTER.replace('span = "enc', 'from = "09:02:00"\nuntil = "09:02:50"\nspan = "enc', 1)
    plan = Plan(parse_scenario(text), target, "realtime", tmp_path / "x", "hil run", speed=25.0)
    check_plan(plan)
    result = fly_plan(plan, host_clock, lambda scet: None)
    assert result.state == "PASS", failed(result)


def test_a_part_of_the_coast_passes_and_has_no_loss(tmp_path: Path) -> None:
    """Of the lander nothing comes yet: what needs the loss is left out."""
    part = 'from = "06:00:00"\nuntil = "06:02:00"\n'
    result = fly(HEAD + part, tmp_path)
    assert result.state == "PASS", failed(result)
    states = {row.name: row.state for row in result.measurements}
    assert states["los_cause"] == "NA"
    assert result.counters.frames_good == 120


@pytest.mark.long
def test_a_part_about_the_bow_shock_sees_it(tmp_path: Path) -> None:
    expect = (
        '[[expect]]\nparameter = "PLASMA.speed"\nbetween = [{ event = "BOW_SHOCK" }, "09:04:00"]\nmax = "260 km/s"\n'
        '[[expect]]\nparameter = "PLASMA.speed"\nbetween = ["09:00:00", "09:02:10"]\nmin = "400 km/s"\n'
    )
    result = fly(HEAD + 'from = "09:00:00"\nuntil = "09:04:00"\n' + expect, tmp_path)
    assert result.state == "PASS", failed(result)


@pytest.mark.long
def test_a_jump_at_another_place_fails(tmp_path: Path) -> None:
    """The same values are looked for a minute before the shock."""
    expect = '[[expect]]\nparameter = "PLASMA.speed"\nbetween = ["09:01:00", "09:02:00"]\nmax = "260 km/s"\n'
    result = fly(HEAD + 'from = "09:00:00"\nuntil = "09:03:00"\n' + expect, tmp_path)
    assert [name.split()[0] for name in failed(result)] == ["expect[0]"]


def test_commands_in_the_coast_are_answered_by_the_bus(tmp_path: Path) -> None:
    text = HEAD + 'until = "05:20:00"\n[[command]]\nname = "PING"\nat = "05:10:00"\n'
    result = fly(text, tmp_path)
    assert result.state == "PASS", failed(result)


@pytest.mark.long
def test_the_surface_is_lost_by_the_bus_that_sets(tmp_path: Path) -> None:
    """Of a lander that has survived: a loss with a cause of its own, by the elevation in BUS_HK."""
    result = fly('[scenario]\nid = "x"\nprofile = "soft-landing"\n', tmp_path)
    assert result.state == "PASS", failed(result)
    said = [moment.text for moment in result.moments if moment.text.startswith("surface LOCKED")]
    assert len(said) == 1
    assert said[0].startswith("surface LOCKED → LOS, RELAY_SET: MARS_6_BUS has set: elevation 14.")


@pytest.mark.parametrize("name", ["encounter", "encounter-soft-landing"])
def test_shipped_ones_fly_the_encounter(name: str) -> None:
    assert load_scenario(SCENARIOS / f"{name}.toml").head.span == "encounter"

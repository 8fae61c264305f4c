"""The garbage collector during a flight, and after it."""

from __future__ import annotations

import gc
from pathlib import Path

from hil.runs.run import Plan, fly_plan
from hil.scenario.scenario import parse_scenario


def test_collections_are_rare_in_a_flight_and_as_before_after_it(tmp_path: Path) -> None:
    before, within = gc.get_threshold(), set()
    plan = Plan(
        parse_scenario('[scenario]\nid = "x"\nuntil = "09:06:00"\n'), "software", "lockstep", tmp_path / "run", ""
    )
    fly_plan(plan, lambda: 0, lambda scet: within.add(gc.get_threshold()[0]))
    assert min(within) > before[0]
    assert gc.get_threshold() == before

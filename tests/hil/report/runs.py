"""Runs to report on: real descents in lockstep, and what could be made of them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from hil.report import Report, TestOutcome
from hil.runs.run import Plan, fly_plan
from hil.scenario.scenario import parse_scenario
from hil.verdict.result import RunResult, Verdict

QUIET = """
[scenario]
id = "quiet"
title = "Nothing goes wrong"
"""
ROUGH = """
[scenario]
id = "rough"
title = "One frame lost, one damaged, a silence, and a loss that comes too early"
seed = 4

[[fault]]
kind = "frame_drop"
p = 1
at = "09:08:00"
for = { frames = 1 }

[[fault]]
kind = "bit_flip"
bits = 9
at = "09:09:00"
for = { frames = 1 }

[[fault]]
kind = "silence"
at = "09:09:30"
for = "20 s"

[[fault]]
kind = "silence"
at = "09:11:04.7"

[[limit]]
name = "golden_to_los"
equals = true

[[limit]]
name = "frames_missing"
equals = 0
"""


@lru_cache
def fly(text: str, target: str = "software") -> RunResult:
    """One scenario, flown in lockstep; the same result for the same text."""
    scenario = parse_scenario(text)
    ticks = iter(range(0, 10**12, 10**9))
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder, f"{scenario.id}-{target}")
        plan = Plan(scenario, target, "lockstep", bundle, f"hil run {scenario.id} --target {target}")
        return fly_plan(plan, lambda: next(ticks), lambda _: None)


DATE = "2026-07-01T12:00:00Z"


def reported(*results: RunResult, tests: Sequence[TestOutcome] = ()) -> Report:
    """The contents of a report."""
    return Report(generated=DATE, results=list(results), tests=list(tests))


def quiet() -> RunResult:
    """It passes."""
    return fly(QUIET)


def rough() -> RunResult:
    """It fails."""
    return fly(ROUGH)


def changed(result: RunResult, **fields: object) -> RunResult:
    """A run of which something else is so; one that broke off has failed."""
    said = {key: fields.pop(key) for key in list(fields) if key in Verdict.__struct_fields__}
    if said.get("error"):
        said["state"] = "FAIL"
    if "state" in said:
        said["passed"] = said["state"] in ("PASS", "MARGINAL")
    return msgspec.structs.replace(result, verdict=msgspec.structs.replace(result.verdict, **said), **fields)

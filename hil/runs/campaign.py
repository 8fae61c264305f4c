"""Monte Carlo: one scenario many times, with other seeds and other parameters, and what came of it.

Each run is a scenario of its own, drawn from the campaign's seed and the run's number alone: it can be flown again from
its bundle, and does not depend on how many runs there are or which flew before it.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable
from random import Random

import msgspec

from groundstation.messages.lost_text import lost_text
from hil.errors import ScenarioError
from hil.faults.window import mission_time, span_ns
from hil.scenario.feasibility import check_feasible
from hil.scenario.scenario import Mode, Scenario, State, Vary, parse_scenario
from hil.scenario.toml import to_toml
from hil.verdict.result import RunResult
from protocols.units import NS_PER_MS
from protocols.words import Certainty

_Z = 1.959964
"""Of a confidence interval of 95 %."""

Drawn = dict[str, float | str]
"""What was drawn for a run: ``fault[0].ber`` and its value."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a campaign: what was drawn, and how it ended. ``bundle`` is empty if it was not kept."""

    number: int
    seed: int
    drawn: Drawn
    state: State
    line: str
    failed: list[str]
    rejects: int
    lost: int
    lost_certainty: Certainty
    took_s: float
    bundle: str = ""

    @property
    def run(self) -> str:
        """Name of the run, and of its bundle."""
        return run_name(self.number)

    @property
    def passed(self) -> bool:
        """Whether it was good enough."""
        return self.state in ("PASS", "MARGINAL")


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a campaign is to fly.

    Attributes:
        scenario: its id.
        title: of the scenario.
        seed: of the campaign; each run has its own, drawn with it.
        planned: runs.
        jobs: at once.
        began: host time, ns since 1970.
    """

    scenario: str
    title: str
    target: str
    mode: Mode
    seed: int
    planned: int
    jobs: int
    began: int
    requirements: list[str] = []
    tags: list[str] = []


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign, as far as it was flown. ``low`` and ``high`` bound the pass rate with 95 % confidence (Wilson)."""

    scenario: str
    title: str = ""
    target: str
    mode: Mode
    seed: int
    planned: int
    runs: int
    passed: int
    rate: float
    low: float
    high: float
    took_s: float
    per_second_and_core: float
    worst: list[Case]
    cases: list[Case]
    requirements: list[str] = []
    tags: list[str] = []


def run_name(number: int) -> str:
    """What a run of a campaign is called."""
    return f"{number:06}"


def draw(scenario: Scenario, seed: int, number: int) -> tuple[Scenario, Drawn]:
    """The scenario of one run, and what was drawn for it.

    Args:
        scenario: with its tables [[vary]]; without one, the seed alone is another.
        seed: of the campaign.
        number: of the run, from 0.

    Raises:
        ScenarioError: a drawn value is none that its fault takes.
    """
    random = Random(f"{seed}/{number}")  # noqa: S311 - repeatable, not secret
    tables = tomllib.loads(scenario.text)
    tables.pop("vary", None)
    tables["scenario"]["seed"] = random.randrange(1 << 32)
    drawn: Drawn = {}
    for vary in scenario.vary:
        value = _value(vary, random.random())
        tables["fault"][vary.fault][vary.key] = value
        drawn[f"fault[{vary.fault}].{vary.key}"] = value
    return parse_scenario(to_toml(tables), f"{scenario.id}, run {number}"), drawn


def check_vary(scenario: Scenario) -> None:
    """Whether both ends of every range can be flown.

    Raises:
        ScenarioError: one cannot.
    """
    for n, vary in enumerate(scenario.vary):
        for end in (0.0, 1.0):
            tables = tomllib.loads(scenario.text)
            tables.pop("vary")
            try:
                tables["fault"][vary.fault][vary.key] = _value(vary, end)
                check_feasible(parse_scenario(to_toml(tables), scenario.id))
            except (ScenarioError, ValueError) as error:
                raise ScenarioError(f"{scenario.id}: vary[{n}]: {error}") from error


def _value(vary: Vary, at: float) -> float | str:
    """The value that lies so far in the range, 0 … 1."""
    low, high = vary.low, vary.high
    if isinstance(low, str) or isinstance(high, str):
        if vary.key == "at":
            ns = _between(mission_time(str(low)), mission_time(str(high)), at, False)
            return _clock(round(ns / NS_PER_MS))
        return f"{round(_between(span_ns(str(low)), span_ns(str(high)), at, vary.log) / NS_PER_MS)} ms"
    value = _between(low, high, at, vary.log)
    return round(value) if float(low).is_integer() and float(high).is_integer() and not vary.log else value


def _between(low: float, high: float, at: float, log: bool) -> float:
    if not log:
        return low + (high - low) * at
    if low <= 0 or high <= 0:
        raise ValueError("a range in the logarithm is above 0")
    return float(low * (high / low) ** at)


def _clock(ms: int) -> str:
    """Time of day of a time since 1970."""
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds % 86400, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.{ms:03}"


def case_of(number: int, drawn: Drawn, result: RunResult, bundle: str) -> Case:
    """What is kept of one run."""
    counters = result.counters
    return Case(
        number=number,
        seed=result.seed,
        drawn=drawn,
        state=result.state,
        line=result.error or result.line,
        failed=[row.name for row in result.measurements if row.state in ("FAIL", "UNSET", "UNSTABLE")],
        rejects=counters.frames_rejected,
        lost=counters.frames_lost,
        lost_certainty=counters.frames_lost_certainty,
        took_s=result.took_s,
        bundle=bundle,
    )


def summarise(head: Head, cases: Iterable[Case], took_s: float) -> Summary:
    """The whole campaign; the worst cases first, and all in the order of their numbers."""
    flown = sorted(cases, key=lambda case: case.number)
    passed = sum(case.passed for case in flown)
    low, high = wilson(passed, len(flown))
    return Summary(
        scenario=head.scenario,
        title=head.title,
        target=head.target,
        mode=head.mode,
        seed=head.seed,
        planned=head.planned,
        runs=len(flown),
        passed=passed,
        rate=passed / len(flown) if flown else 0.0,
        low=low,
        high=high,
        took_s=round(took_s, 1),
        per_second_and_core=round(len(flown) / took_s / head.jobs, 3) if took_s else 0.0,
        worst=sorted(flown, key=lambda case: (case.passed, -case.lost, -case.rejects))[:10],
        cases=flown,
        requirements=head.requirements,
        tags=head.tags,
    )


def wilson(passed: int, runs: int) -> tuple[float, float]:
    """Bounds of a rate with 95 % confidence: Wilson's score interval, which is right at 0 and 1 too."""
    if not runs:
        return 0.0, 1.0
    rate, square = passed / runs, _Z * _Z
    middle = (rate + square / (2 * runs)) / (1 + square / runs)
    half = _Z * math.sqrt(rate * (1 - rate) / runs + square / (4 * runs * runs)) / (1 + square / runs)
    return max(0.0, middle - half), min(1.0, middle + half)


def rate_text(summary: Summary) -> str:
    """How many passed, in a line."""
    unflown = summary.planned - summary.runs
    return (
        f"{summary.passed} of {summary.runs} runs passed: {summary.rate:.1%} "
        f"(95 %: {summary.low:.1%} … {summary.high:.1%})" + (f"; {unflown} were not flown" if unflown else "")
    )


def drawn_text(value: float | str) -> str:
    """A drawn value, for people."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def summary_lines(summary: Summary) -> list[str]:
    """For people."""
    lines = [
        f"{summary.scenario} on {summary.target}: {rate_text(summary)}",
        f"{summary.took_s:g} s, {summary.per_second_and_core:g} descents a second and core",
    ]
    shown = [case for case in summary.worst if case.bundle]
    if shown:
        lines.append("the worst:")
    for case in shown:
        drawn = ", ".join(f"{key} {drawn_text(value)}" for key, value in case.drawn.items())
        lost = lost_text(case.lost, case.lost_certainty)
        lines.append(f"  run {case.number}: {case.state}, {lost} lost, {case.rejects} rejected; {drawn}")
        lines.append(f"    hil replay {case.bundle}")
    return lines

"""What of the mission a scenario flies: times, parts and plans of the encounter, and refusals in words."""

from __future__ import annotations

from itertools import islice

import pytest

from hil.errors import NeverHappens, ScenarioError
from hil.faults import mission_time
from hil.lander.flight_profile import PASSES, FlightPlan, longest_pass, pass_of
from hil.rigs.deadline import planned_seconds
from hil.scenario.feasibility import check_feasible
from hil.scenario.scenario import parse_scenario
from hil.targets.telecommands import part_script, start_script
from hil.verdict.oracle import fly
from protocols.lander import EPOCH

ENCOUNTER = '[scenario]\nid = "x"\nspan = "encounter"\n'
DESCENT = '[scenario]\nid = "x"\n'
PING = '[[command]]\nname = "PING"\nat = '
TICK = 100_000_000


def test_encounter_begins_at_separation_and_ends_an_hour_after_the_fly_by() -> None:
    plan = parse_scenario(ENCOUNTER).head.plan
    assert plan.begin == mission_time("05:01:56")
    assert plan.over == mission_time("10:13:33")
    assert plan.last_frame == mission_time("10:13:32")
    assert plan.loss == PASSES["historical"].loss


def test_bus_sends_a_frame_in_each_second_of_the_encounter() -> None:
    descent, encounter = PASSES["historical"], pass_of("historical", "encounter")
    assert encounter.frames - descent.frames == (40_600 + 146_370) // 10 - 322


def test_descent_is_flown_without_a_span() -> None:
    assert parse_scenario(DESCENT).head.part == parse_scenario(DESCENT + 'span = "descent"\n').head.part
    assert parse_scenario(DESCENT).head.part.begin == EPOCH


def test_parts_of_the_encounter_count_from_separation() -> None:
    part = parse_scenario(ENCOUNTER + 'from = "09:00:00"\nuntil = "09:04:00"\n').head.part
    assert (part.late, part.cut, part.whole) == (True, True, False)
    assert part.ticks_before == (mission_time("09:00:00") - mission_time("05:01:56")) // TICK
    assert parse_scenario(ENCOUNTER).head.part.whole
    assert not parse_scenario(ENCOUNTER).head.part.late


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (DESCENT + PING + '"08:00:00"', 'between 05:01:56 and 10:13:33 with span = "encounter"'),
        (DESCENT + 'from = "09:05:00"', "scenario.from: a mission time is between 09:05:53 and"),
        (
            ENCOUNTER + PING + '"05:01:55"',
            r"command\[0\].at: a mission time is between 05:01:56 and 10:13:33 of 12 Mar",
        ),
        (ENCOUNTER + 'until = "10:13:34"', "scenario.until: a mission time is between 05:01:56 and 10:13:33"),
        (ENCOUNTER + 'until = "05:01:56"', "scenario.until: nothing is flown before 05:01:56.000"),
        (ENCOUNTER + '[[fault]]\nkind = "silence"\nat = "05:00:00"', r"fault\[0\].at: a mission time"),
        (ENCOUNTER + '[[loss]]\nat = "04:00:00"\ncause = "PORT"', r"loss\[0\].at: a mission time"),
        ('[scenario]\nid = "x"\nspan = "encouter"', r"unknown value 'encouter'; did you mean 'encounter'\?"),
        (
            DESCENT + '[[expect]]\nparameter = "BUS_HK.slant_range"\nmax = "1 km"\nbetween = ["06:00:00", "07:00:00"]',
            r"expect\[0\].between\[0\]: a mission time",
        ),
    ],
)
def test_times_outside_the_span_are_refused_with_it(text: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        parse_scenario(text)


@pytest.mark.parametrize("at", ["05:01:56", "08:00:00", "10:13:00"])
def test_times_of_the_encounter_are_taken(at: str) -> None:
    scenario = parse_scenario(ENCOUNTER + f'{PING}"{at}"\n')
    check_feasible(scenario)
    assert scenario.commands[0].at is not None
    assert scenario.commands[0].at.value == mission_time(at)


def test_a_time_after_the_entry_counts_from_the_entry() -> None:
    scenario = parse_scenario(ENCOUNTER + PING + '"+12.5 s"')
    assert scenario.commands[0].at is not None
    assert scenario.commands[0].at.value == EPOCH + 12_500_000_000


def test_a_fault_between_two_frames_of_the_coast_is_refused() -> None:
    """The bus sends once a second, and the lander nothing yet."""
    text = ENCOUNTER + '[[fault]]\nkind = "silence"\nat = "06:00:00.100"\nfor = "800 ms"\n'
    with pytest.raises(NeverHappens, match="no frame is stamped from"):
        check_feasible(parse_scenario(text))
    check_feasible(parse_scenario(text.replace("800 ms", "1 s")))


def test_a_deadline_counts_from_the_first_tick_of_the_span() -> None:
    whole = planned_seconds(parse_scenario(ENCOUNTER), 100)
    assert whole == pytest.approx((40_600 + 146_370) / 10 / 100)
    part = parse_scenario(ENCOUNTER + 'from = "09:00:00"\nuntil = "09:04:00"\n')
    assert planned_seconds(part, 10) == pytest.approx(24)


def test_the_longest_pass_of_a_span_is_over_last() -> None:
    assert longest_pass("descent").over == max(plan.over for plan in PASSES.values())
    assert longest_pass("encounter").over == mission_time("10:13:33")


def test_a_long_way_to_a_part_is_stepped_in_pieces() -> None:
    """STEP takes 10,000 ticks; each piece comes at the tick at which the one before has ended."""
    encounter = FlightPlan(span="encounter")
    script = part_script(10, encounter, 25_000)
    assert [ticks for ticks, _ in script] == [0, 10_000, 20_000, 25_000]
    plain = [burst.data for burst in islice(fly(script=start_script(10, encounter), ready=True), 26_000)]
    parted = list(islice(fly(script=script, ready=True), 26_000))
    assert [burst.scet for burst in parted[24_990:25_010]] == [
        mission_time("05:01:56") + tick * TICK for tick in range(24_990, 25_010)
    ]
    assert [len(burst.data) for burst in parted] == [len(data) for data in plain]

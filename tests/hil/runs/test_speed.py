"""How fast a scenario can be flown in real time: the station's time-outs are its own, and do not scale."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from hil.errors import ScenarioError, TooFast
from hil.runs.run import Plan, check_plan, slower
from hil.scenario.scenario import SCENARIOS, load_scenario, parse_scenario

UNPLUG = '[[fault]]\nkind = "unplug"\nat = "09:09:00"\nfor = "4 s"\n'
LOSS = '[[loss]]\nat = "09:09:00"\ncause = "PORT"\n'


def check(tables: str, speed: float | None, target: str = "software", head: str = "") -> None:
    scenario = parse_scenario(f'[scenario]\nid = "x"\n{head}{tables}')
    check_plan(Plan(scenario, target, "realtime", Path("nowhere"), "", speed))


def test_an_outage_that_the_station_could_not_see_is_refused() -> None:
    check(UNPLUG + LOSS, 13.3)
    told = (
        r"x: fault\[0\]\.for: at speed 50 it lasts 0\.08 s, and the station declares a loss after 0\.3 s without a "
        r"frame: fly it at 13\.3 or slower \(--speed, scenario\.speed\)"
    )
    with pytest.raises(TooFast, match=told):
        check(UNPLUG + LOSS, 50)
    with pytest.raises(TooFast, match=told):
        check(UNPLUG + LOSS, None, head="speed = 50\n")
    check(UNPLUG + LOSS, 50, "simavr")  # which flies no faster than 5


@pytest.mark.parametrize(
    "tables",
    [
        UNPLUG,  # no loss is planned for it
        LOSS + UNPLUG.replace('for = "4 s"\n', ""),  # it stays unplugged
        LOSS + UNPLUG.replace("09:09:00", "09:08:50"),  # another loss's fault
        LOSS + UNPLUG + '[[fault]]\nkind = "silence"\nat = "09:09:00"\nfor = "30 s"\n',  # the longer one counts
        LOSS + UNPLUG.replace("unplug", "power_off"),  # the lander does not fly on
        LOSS + UNPLUG.replace("4 s", "200 ms"),  # too short at any speed
        (LOSS + UNPLUG).replace("09:09:00", "09:11:05"),  # the lander is silent then by itself
    ],
)
def test_what_may_be_flown_fast(tables: str) -> None:
    check(tables, 50)


def test_shipped_ones_can_be_flown_at_their_own_speed() -> None:
    for path in SCENARIOS.glob("*.toml"):
        scenario = load_scenario(path)
        with suppress(ScenarioError):  # a mode or a target that it is not for
            try:
                check_plan(Plan(scenario, "software", "realtime", Path("nowhere"), ""))
            except TooFast as error:
                pytest.fail(str(error))


def test_a_flight_that_is_slower_than_asked_for_says_so() -> None:
    scenario = parse_scenario('[scenario]\nid = "x"\nspeed = 20\n')

    def told(target: str, mode: str, speed: float | None) -> str | None:
        return slower(Plan(scenario, target, mode, Path("nowhere"), "", speed))  # type: ignore[arg-type]

    assert told("simavr", "realtime", 10) == "simavr flies no more than 5 mission seconds a second, not 10"
    assert [told("simavr", "realtime", 5), told("simavr", "realtime", None), told("qemu", "realtime", 10)] == [None] * 3
    assert told("simavr", "lockstep", 10) is None

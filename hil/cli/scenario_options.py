"""Options of a command line in place of keys of the table [scenario]."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, get_args

import click

from groundstation.cli.options.named import Choice
from hil.cli.mission_time import MissionTime, exact
from hil.lander.flight_profile import FlightProfile, FlightSpan
from hil.scenario.scenario import Scenario, parse_scenario
from hil.scenario.toml import to_toml

Keys = Mapping[str, str]
"""Keys of the table [scenario] that were given as options."""

seed_option = click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Random seed. Default: the scenario's.")
"""Of a flight's faults, of the chip that fails and of the instruments' noise."""

_OPTIONS = (
    click.option(
        "--profile",
        "--flight-profile",
        "profile",
        type=Choice(get_args(FlightProfile)),
        help="What happens in the descent. Default: the scenario's, mostly historical.",
    ),
    click.option(
        "--span",
        type=Choice(get_args(FlightSpan)),
        help="What is flown: from entry, or from separation to an hour after the fly-by. Default: the scenario's.",
    ),
    click.option(
        "--from",
        "start",
        type=MissionTime(),
        help="Fly flat out to this mission time; the station listens from then on. Default: the scenario's.",
    ),
    click.option("--until", type=MissionTime(), help="End the flight at this mission time. Default: the scenario's."),
)


def scenario_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options; it gets what was given as the argument ``keys``."""

    @functools.wraps(command)
    def with_keys_given(
        *arguments: Any,
        profile: str | None,
        span: str | None,
        start: int | None,
        until: int | None,
        **options: Any,
    ) -> Any:
        keys = {key: word for key, word in (("profile", profile), ("span", span)) if word is not None}
        times = {"from": start, "until": until}
        keys |= {key: exact(time) for key, time in times.items() if time is not None}
        return command(*arguments, keys=keys, **options)

    decorated: Callable[..., Any] = with_keys_given
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def with_keys(scenario: Scenario, keys: Keys) -> Scenario:
    """The same scenario with other keys in its table [scenario].

    Raises:
        ScenarioError: they do not go together with the rest of it.
    """
    if not keys:
        return scenario
    tables = tomllib.loads(scenario.text)
    if "profile" in keys:
        tables["scenario"].pop("flight_profile", None)  # its name of before
    tables["scenario"].update(keys)
    return parse_scenario(to_toml(tables), scenario.id)


def key_words(keys: Keys) -> list[str]:
    """The words of a command line that give the same keys again."""
    return [word for key, value in keys.items() for word in (f"--{key.replace('_', '-')}", value)]

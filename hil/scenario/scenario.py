"""Scenarios: what is flown, what goes wrong, and what has to hold. TOML data; anything with branches is a pytest test.

    [scenario]
    id = "los-unplug"                    # the file's name without .toml
    title = "The cable is pulled and put back"
    mission = "mars6"                    # a mission by its name; another one has no oracle (hil.scenario.missions)
    seed = 6                             # of all random numbers
    modes = ["lockstep"]                 # and "realtime": where it can be flown; the first is the default
    targets = ["software", "qemu"]       # where it can be flown; without it, on all
    link = "pty"                         # in real time: "pty" or "zmq"
    speed = 10                           # in real time: mission seconds a second
    baud = 115200                        # in real time: bytes are paced by it; 0 is not at all
    profile = "historical"               # what happens in the descent: "soft-landing", "degraded", "main-fails" …
    span = "descent"                     # or "encounter": from separation, 05:01:56, to an hour after the fly-by
    from = "09:07:30"                    # fly flat out to there; the station listens from then on
    until = "09:11:15"                   # the flight ends there
    requirements = ["LOS-3"]             # ids that a run of it verifies: in JUnit, and in the report's coverage
    tags = ["smoke"]                     # for choosing: hil run all --tag smoke, pytest -k smoke

    [[fault]]                            # hil.faults says which there are and what they take
    kind = "unplug"
    at = "09:09:00"
    for = "2 s"

    [[fault]]
    kind = "hang"
    when = { parameter = "DESCENT.altitude", below = 5000 }    # once, by what the station decodes (hil.faults.when)
    for = "1 s"

    [[relay]]                            # another spacecraft that carries the lander (hil.scenario.relays)
    name = "MARS_5"

    [[command]]                          # given to the station, which sends it over COP-1
    at = "09:08:00"                      # or when = { parameter = …, above, below or equals = … }
    name = "PING"
    expect = "COMPLETED"

    [[expect]]                           # what a parameter has to do (hil.scenario.expectation)
    parameter = "DESCENT.deceleration"
    between = ["09:08:00", { event = "MAIN" }]
    max = "12 g"

    [[loss]]                             # the losses of the lander's signal, in order; all of them
                                         # with channel = "surface": of that channel's, likewise
    at = "09:09:00"
    cause = "PORT"

    [[limit]]                            # in place of the usual limits of a measurement (hil.verdict.limits)
    name = "frames_lost"
    max = 2
    on = ["qemu"]

    [[vary]]                             # for `hil campaign`: drawn at random for each run
    fault = 0
    key = "for"
    low = "1 s"
    high = "20 s"

Unknown keys are refused with their place and the nearest known one. Without a [[loss]] the one is expected with which
the profile ends, LANDER_ONLY, and such as follow from the frames that the faults left: the historical one at 09:11:05;
in other profiles the one after the frame of touchdown or impact. ``flight_profile`` is what ``profile`` was called.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import partial, reduce
from itertools import pairwise
from operator import or_
from pathlib import Path
from types import GenericAlias
from typing import Annotated, Any, Literal, get_args
from zlib import crc32

import msgspec

from groundstation.errors import CallerError
from groundstation.formats.text_file import read_text
from groundstation.messages.base import Value
from groundstation.messages.commanding import CommandState
from groundstation.messages.text import utc
from groundstation.messages.wire import Cause
from hil.errors import ScenarioError
from hil.faults import FAULTS, Amount, At, EnvironmentFault, For, Spec, When
from hil.faults.spec import Direction
from hil.lander.flight_profile import (
    PASSES,
    FlightPlan,
    FlightProfile,
    FlightSpan,
    PassPlan,
    longest_pass,
    pass_of,
)
from hil.lander.sequencer import RELAY_SET_MS
from hil.scenario.expectation import Expect, Monotonic, Within, check_expectation
from hil.scenario.flown_part import FlownPart
from hil.scenario.lines import line_of
from hil.scenario.measurements import MEASURED, check_limiting, check_reachable
from hil.scenario.missions import check_time, has_oracle, mission_of, open_part, with_times
from hil.scenario.parameters import check_when
from hil.scenario.relays import RelayLink, check_relays
from protocols.declare.loading import DEFAULT
from protocols.declare.mission import Mission
from protocols.errors import EncodeError
from protocols.lander import EPOCH
from protocols.nearest import nearest
from protocols.toml_text import read_toml
from protocols.units import NS_PER_MS

SCENARIOS = Path(__file__).parent / "shipped"
"""Those that come with the package."""

LinkKind = Literal["pty", "zmq"]
"""How lander and station are joined in real time."""
Mode = Literal["lockstep", "realtime"]
TARGETS = ("software", "posix", "qemu", "simavr", "process", "board")
"""What a scenario may name; `hil.targets` has them."""
State = Literal["PASS", "MARGINAL", "FAIL", "UNSET", "INCOMPLETE", "UNSTABLE", "NA"]
"""Of a measurement or a whole run. A measurement is never INCOMPLETE: that is a run which its viewer ended. A run is
never NA: that is a row which needs a part of the pass that was not flown. UNSTABLE is a row in real time that a late
host may have spoilt, and a run with nothing worse."""


_LONGEST_LABEL = 100
_MISSION_FILE = re.compile(r"^(?P<key>\s*mission\s*=\s*)([\"'])(?P<name>[^\"'\n]+\.py(?::\w+)?)\2", re.MULTILINE)
_TABLE_SCENARIO = re.compile(r"^\s*\[\s*scenario\s*\].*$", re.MULTILINE)
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")


_LANDER_SEEDS = 0xFFFFFFFF
"""The greatest seed that the command SEED carries."""


def lander_seed(seed: int) -> int:
    """The 32 bits that the lander is told of a seed: the seed itself, or a hash of one that has more bits."""
    return seed if seed <= _LANDER_SEEDS else crc32(seed.to_bytes(8, "big"))


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [scenario]; the module says what each key means."""

    id: str
    title: str = ""
    mission: str = DEFAULT
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 6
    modes: list[Mode] = msgspec.field(default_factory=lambda: ["lockstep", "realtime"])
    targets: list[str] | None = None
    link: LinkKind = "pty"
    speed: Annotated[float, msgspec.Meta(ge=0.1, le=100)] = 1.0
    baud: Annotated[int, msgspec.Meta(ge=0, le=100_000_000)] = 115200
    requirements: list[str] = []
    tags: list[str] = []
    profile: FlightProfile = "historical"
    span: FlightSpan = "descent"
    start: At | None = msgspec.field(default=None, name="from")
    until: At | None = None

    @property
    def has_oracle(self) -> bool:
        """`hil.lander` says what the target has to send: the mission is MARS-6, by its one name."""
        return self.mission == DEFAULT

    @property
    def plan(self) -> PassPlan:
        """The pass, by profile and span; of MARS-6."""
        return pass_of(self.profile, self.span)

    @property
    def flight(self) -> FlightPlan:
        """What the lander is told before it flies. The historical flight is one and the same whatever the seed."""
        return FlightPlan(self.profile, self.span, 0 if self.profile == "historical" else lander_seed(self.seed))

    @property
    def part(self) -> FlownPart:
        """What of the pass is flown."""
        if not self.has_oracle:
            return open_part(self.start, self.until)
        plan = self.plan
        begin, end = (None if at is None else int(at.value) for at in (self.start, self.until))
        over = plan.over
        return FlownPart(begin or plan.begin, min(end or over, over), end is not None and end < over, plan.begin)


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command that is given at a mission time or when a parameter says so, and the state in which it has to end."""

    at: At | None = None
    when: When | None = None
    name: str
    args: dict[str, Value] = msgspec.field(default_factory=dict)
    expect: CommandState = "COMPLETED"
    bypass: bool = False


class Loss(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A loss of signal that has to happen: when, and the cause that has to be found, or any of several.

    ``channel`` is the name of the channel that is lost, as the mission declares it; None: the lander's, its first.
    """

    at: At
    cause: Cause | list[Cause]
    channel: str | None = None

    @property
    def causes(self) -> list[Cause]:
        """All that are right."""
        return self.cause if isinstance(self.cause, list) else [self.cause]


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another limit for a measurement. A value beyond ``marginal`` but within the limits is MARGINAL.

    Attributes:
        name: of the measurement.
        min: least that passes, in its unit.
        max: most that passes.
        marginal_min: below it, marginal.
        marginal_max: above it, marginal.
        equals: the one value that passes.
        on: targets that it is for; None: all.
        mode: where it is for; None: both.
    """

    name: str
    min: float | None = None
    max: float | None = None
    marginal_min: float | None = None
    marginal_max: float | None = None
    equals: float | str | bool | None = None
    on: list[str] | None = None
    mode: Mode | None = None


class Vary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault's key that a campaign draws for each run, uniformly or log-uniformly."""

    fault: Annotated[int, msgspec.Meta(ge=0)]
    key: str
    low: float | str
    high: float | str
    log: bool = False


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario, checked.

    Attributes:
        losses: of the lander's signal.
        channel_losses: of other channels.
        complete: its losses are listed, so that there may be no others.
        text: the TOML that it was read from.
    """

    head: Head
    faults: list[Spec]
    commands: list[Command]
    expectations: list[Expect]
    losses: list[Loss]
    channel_losses: list[Loss]
    relays: list[RelayLink]
    limits: list[Limit]
    vary: list[Vary]
    complete: bool
    text: str

    @property
    def id(self) -> str:
        """Its name."""
        return self.head.id

    @property
    def longest_pass(self) -> PassPlan:
        """The pass that is flown, or the longest if a command may make it another."""
        return longest_pass(self.head.span) if self._changes_pass else self.head.plan

    @property
    def latest_loss(self) -> int:
        """Mission time in ns after which the lander cannot be lost: it comes down, or the bus sets."""
        plan = self.longest_pass
        return EPOCH + RELAY_SET_MS * NS_PER_MS if self._changes_pass else plan.loss

    @property
    def _changes_pass(self) -> bool:
        names = {command.name for command in self.commands}
        fixed = self.head.profile in ("historical", "degraded")  # its end is not that of the descent
        return "SELECT_PROFILE" in names or (not fixed and bool(names & {"DEPLOY_PARACHUTE", "FIRE_RETROS"}))


def last_loss(profile: FlightProfile) -> Loss:
    """With what a flight ends, if nothing goes wrong: the lander falls silent on VC0, and the bus goes on.

    The last frames of a failing chip come damaged.
    """
    causes: list[Cause] = ["LANDER_ONLY", "CRC", "SYNC"] if profile == "degraded" else ["LANDER_ONLY"]
    return Loss(at=At("scet", PASSES[profile].loss), cause=causes if len(causes) > 1 else causes[0])


HISTORICAL = last_loss("historical")


_Fault = reduce(or_, FAULTS.values())
_ENTRIES: dict[str, Any] = {
    "scenario": Head,
    "fault": _Fault,
    "command": Command,
    "expect": Expect,
    "loss": Loss,
    "relay": RelayLink,
    "limit": Limit,
    "vary": Vary,
}
_TABLES: dict[str, Any] = {
    key: kind if key == "scenario" else GenericAlias(list, (kind,)) for key, kind in _ENTRIES.items()
}
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>[^`]+)`")
_KIND = re.compile(r"Invalid value '(?P<kind>[^']+)'")
_WORD = re.compile(r"Invalid enum value '(?P<word>[^']+)'")
WORDS: dict[str, tuple[str, ...]] = {
    "mode": get_args(Mode),
    "modes": get_args(Mode),
    "link": ("pty", "zmq"),
    "profile": get_args(FlightProfile),
    "span": get_args(FlightSpan),
    "dir": get_args(Direction),
    "cause": get_args(Cause),
    "expect": get_args(CommandState),
    "monotonic": get_args(Monotonic),
}
"""Keys that take one of some words."""
_PLACE = re.compile(r" - at `(?P<place>[^`]+)`")


def load_scenario(path: str | Path, mission: str | None = None) -> Scenario:
    """Read a scenario's file.

    Args:
        path: of the file.
        mission: by its name, if the file says none; None: MARS-6.

    Raises:
        ScenarioError: it cannot be read, or is none.
    """
    path = Path(path)
    try:
        text = read_text(path)
    except CallerError as error:
        raise ScenarioError(str(error)) from error
    text = _MISSION_FILE.sub(partial(_beside, path), text)
    scenario = parse_scenario(text, str(path), mission, lines=True)
    if scenario.id != path.stem:
        raise ScenarioError(f"{path}: scenario.id is {scenario.id!r}, the file's name says {path.stem!r}")
    try:
        _check_own_end(scenario)
    except ValueError as error:
        line = line_of(text, str(error))
        raise ScenarioError(f"{path}{'' if line is None else f':{line}'}: {error}") from error
    return scenario


def _check_own_end(scenario: Scenario) -> None:
    """Refuse what a scenario's file asks for after its own ``until``: only ``--until`` leaves out what it asks for."""
    part = scenario.head.part
    asked = {f"fault[{n}].at": fault.at for n, fault in enumerate(scenario.faults)}
    asked |= {f"command[{n}].at": command.at for n, command in enumerate(scenario.commands)}
    asked |= {f"loss[{n}].at": loss.at for n, loss in enumerate(scenario.losses) if scenario.complete}
    asked |= {
        f"expect[{n}].between": expect.between[0] for n, expect in enumerate(scenario.expectations) if expect.between
    }
    for place, at in asked.items():
        if part.cut and at is not None and at.kind == "scet" and int(at.value) >= part.end:
            raise ValueError(
                f"{place}: {utc(int(at.value), 3)} is not before scenario.until, {utc(part.end, 3)}: it would never "
                "happen"
            )


def _beside(path: Path, found: re.Match[str]) -> str:
    """The line that names a mission's file, with its whole path: it is looked for from the scenario's folder."""
    return f"{found['key']}{json.dumps(str((path.parent / found['name']).absolute()))}"


def parse_scenario(text: str, name: str = "scenario", mission: str | None = None, *, lines: bool = False) -> Scenario:
    """Check a scenario.

    Args:
        text: TOML.
        name: of the file, for errors.
        mission: whose commands, parameters and onboard events it may name, if it says none itself; None: MARS-6.
        lines: errors give the line: the text is one that its author wrote.

    Raises:
        ScenarioError: it is none; with the place.
    """
    try:
        tables = read_toml(text)
    except ValueError as error:
        raise ScenarioError(f"{name}: {error}") from error
    for key in tables:
        if key not in _TABLES:
            raise ScenarioError(f"{name}: unknown table [{key}]{nearest(key, _TABLES)}")
    if "scenario" not in tables:
        raise ScenarioError(f"{name}: it begins with a table [scenario] that has an id")
    try:
        _rename_profile(tables["scenario"])
        scenario, found = _scenario(tables, text, mission)
        if has_oracle(found.dictionary):
            scenario = anchored(scenario, EPOCH)
        _check(scenario, found)
    except ValueError as error:
        line = line_of(text, str(error)) if lines else None
        raise ScenarioError(f"{name}{'' if line is None else f':{line}'}: {error}") from error
    return scenario


def _rename_profile(table: dict[str, Any]) -> None:
    """Take the key `profile` by its name of before.

    Raises:
        ValueError: both names are there.
    """
    if isinstance(table, dict) and "flight_profile" in table:
        if "profile" in table:
            raise ValueError("scenario.flight_profile: the name of before for scenario.profile: leave out one of them")
        table["profile"] = table.pop("flight_profile")


def anchored(scenario: Scenario, first: int) -> Scenario:
    """The same with all times as mission times, those that count from the first packet too, which came at ``first``."""
    lists = {
        name: [with_times(entry, first) for entry in getattr(scenario, name)]
        for name in ("faults", "commands", "losses", "channel_losses", "expectations")
    }
    head = with_times(scenario.head, first)
    if not head.has_oracle:
        head = msgspec.structs.replace(head, start=At("scet", first))
    return msgspec.structs.replace(scenario, head=head, **lists)


def _scenario(tables: dict[str, Any], text: str, mission: str | None) -> tuple[Scenario, Mission]:
    """A scenario of these tables, as far as types say, and the mission that it is for.

    Raises:
        ValueError: it is none; with the place.
    """
    parts = {key: _convert(tables[key], kind, key) for key, kind in _TABLES.items() if key in tables}
    head, found = _for_mission(parts["scenario"], tables["scenario"], mission)
    if mission is not None and "mission" not in tables["scenario"]:
        text = _TABLE_SCENARIO.sub(lambda line: f"{line[0]}\nmission = {json.dumps(head.mission)}", text, count=1)
    given: list[Loss] = parts.get("loss", [])
    planned = [last_loss(head.profile)] if head.has_oracle else []
    scenario = Scenario(
        head=head,
        faults=parts.get("fault", []),
        commands=parts.get("command", []),
        expectations=parts.get("expect", []),
        losses=[loss for loss in given if loss.channel is None] or planned if given else parts.get("loss", planned),
        channel_losses=[loss for loss in given if loss.channel is not None],
        relays=parts.get("relay", []),
        limits=parts.get("limit", []),
        vary=parts.get("vary", []),
        complete="loss" in parts and (not given or any(loss.channel is None for loss in given)),
        text=text,
    )
    return scenario, found


def _for_mission(head: Head, table: dict[str, Any], given: str | None) -> tuple[Head, Mission]:
    """The head with its mission; without an oracle all is in real time, and flies from its first packet to an end.

    Raises:
        ValueError: a key does not go with the mission.
    """
    if given is not None and "mission" in table and mission_of(head.mission).source != mission_of(given).source:
        raise ValueError(f"scenario.mission: {head.mission!r}, but {given!r} was asked for: leave out one of them")
    name = given or head.mission
    mission = mission_of(name)
    if has_oracle(mission.dictionary):
        return msgspec.structs.replace(head, mission=DEFAULT), mission
    if not mission.dictionary.channels:
        raise ValueError(f"scenario.mission: {mission.name} declares no channel, whose signal would be judged")
    for key in ("from", "profile", "span", "speed"):
        if key in table:
            raise ValueError(f"scenario.{key}: not of {mission.name}, which has no oracle: it flies what it flies")
    if "modes" in table and head.modes != ["realtime"]:
        raise ValueError(f'scenario.modes: {mission.name} has no oracle and flies in real time: ["realtime"]')
    if head.until is None:
        raise ValueError(f'scenario.until: {mission.name} has no planned end: say when the flight ends, as "+30 s"')
    return msgspec.structs.replace(head, mission=mission.source, modes=["realtime"]), mission


def with_seed(scenario: Scenario, seed: int) -> Scenario:
    """The same with another seed."""
    return msgspec.structs.replace(scenario, head=msgspec.structs.replace(scenario.head, seed=seed))


def _convert(raw: Any, kind: Any, key: str) -> Any:
    try:
        return msgspec.convert(raw, kind, dec_hook=_hook, strict=True)
    except (msgspec.ValidationError, ValueError) as error:
        raise ValueError(_explain(str(error), raw, key)) from error


def _hook(kind: type, value: Any) -> Any:
    if kind in (At, For, Amount):
        return kind.parse(value)
    raise NotImplementedError(kind)  # what msgspec wants to hear of a type that is not ours


def _explain(message: str, raw: Any, key: str) -> str:
    """The place in the file, what is wrong there, and the nearest right word."""
    place = _PLACE.search(message)
    where = key + (place["place"][1:] if place else "")
    said = _PLACE.sub("", message)
    if unknown := _UNKNOWN.search(message):
        return f"{where}.{unknown['key']}: unknown key{nearest(unknown['key'], _keys(raw, where, key))}"
    if key == "fault" and where.endswith("kind") and (kind := _KIND.search(message)):
        return f"{where}: unknown fault '{kind['kind']}'{nearest(kind['kind'], FAULTS)}"
    if wrong := _WORD.search(said):
        field = re.sub(r"\[[^\]]*\]", "", where).rpartition(".")[2]
        return f"{where}: unknown value {wrong['word']!r}" + (
            nearest(wrong["word"], WORDS[field]) if field in WORDS else ""
        )
    return f"{where}: {said}"


def _keys(raw: Any, where: str, table: str) -> list[str]:
    """The keys that are known at a place."""
    inner = {".when": When, ".within": Within}.get(where[where.rfind(".") :])
    if inner is not None:
        kind: Any = inner
    elif table == "fault":
        index = re.search(r"\[(\d+)\]", where)
        kind = FAULTS[raw[int(index[1]) if index else 0]["kind"]]
    else:
        kind = _ENTRIES[table]
    return [field.encode_name for field in msgspec.structs.fields(kind)]


def _check(scenario: Scenario, mission: Mission) -> None:
    """What types alone do not say."""
    head = scenario.head
    if not _ID.fullmatch(head.id):
        raise ValueError(f"scenario.id: {head.id!r} is not of up to 100 small letters, digits and hyphens")
    if not head.modes:
        raise ValueError("scenario.modes: expected at least one")
    _check_targets("scenario.targets", head.targets)
    _check_part(head, scenario.commands, mission)
    check_relays(scenario.relays, scenario.faults, head.modes, mission)
    check_labels("scenario.requirements", head.requirements)
    check_labels("scenario.tags", head.tags)
    _check_faults(scenario.faults, mission, head.span)
    for n, command in enumerate(scenario.commands):
        _check_command(f"command[{n}]", command, mission, head.span)
    for n, expect in enumerate(scenario.expectations):
        check_expectation(f"expect[{n}]", expect, mission, head.span)
        _check_flown(f"expect[{n}].between", expect, head)
    _check_losses(scenario, mission)
    for n, limit in enumerate(scenario.limits):
        _check_limit(f"limit[{n}]", limit, head)
        _check_applied(n, scenario)
    for n in range(len(scenario.vary)):
        _check_vary(n, scenario)


def _check_losses(scenario: Scenario, mission: Mission) -> None:
    names = [channel.name for channel in mission.dictionary.channels]
    for n, loss in enumerate([*scenario.losses, *scenario.channel_losses]):
        check_time(f"loss[{n}].at", loss.at, mission, scenario.head.span)
        if not loss.causes:
            raise ValueError(f"loss[{n}].cause: expected at least one")
        if loss.channel is not None and loss.channel not in names[1:]:
            other = nearest(loss.channel, names[1:])
            raise ValueError(f"loss[{n}].channel: no channel {loss.channel!r} besides {names[0]}{other}")


def _check_flown(place: str, expect: Expect, head: Head) -> None:
    """Whether a window of a mission without an oracle ends with the flight or before, as far as one can say."""
    end, until = None if expect.between is None else expect.between[1], head.until
    if head.has_oracle or end is None or until is None or end.kind != until.kind:
        return
    if int(end.value) > int(until.value):
        raise ValueError(f"{place}: it ends after the flight (scenario.until)")


def _check_part(head: Head, commands: list[Command], mission: Mission) -> None:
    """Whether something is left to be flown, and the station is there to give the commands."""
    part = head.part
    for key, at in (("from", head.start), ("until", head.until)):
        if at is not None and at.kind not in ("scet", "elapsed"):
            raise ValueError(f'scenario.{key}: a mission time, as "09:10:55"; not a frame, byte or event')
        if at is not None:
            check_time(f"scenario.{key}", at, mission, head.span)
    if not head.has_oracle:
        return
    if head.start is not None and part.start >= part.end:
        raise ValueError(f"scenario.from: {utc(part.start, 3)} is not before the flight's end, {utc(part.end, 3)}")
    if part.end <= part.begin:
        raise ValueError(f"scenario.until: nothing is flown before {utc(part.begin, 3)}, with which the pass begins")
    for n, command in enumerate(commands):
        if command.at is not None:
            check_time(f"command[{n}].at", command.at, mission, head.span)
        if command.at is not None and int(command.at.value) < part.start:
            raise ValueError(
                f"command[{n}].at: {utc(int(command.at.value), 3)} is before scenario.from, {utc(part.start, 3)}: the "
                "station, which gives it, listens from then on; fly from earlier"
            )


def check_labels(place: str, labels: Sequence[str]) -> None:
    """Whether labels are words of 1 to 100 visible characters, each once.

    Raises:
        ValueError: one is not; with the place.
    """
    for n, label in enumerate(labels):
        if not 0 < len(label) <= _LONGEST_LABEL or not label.isprintable() or label.split() != [label]:
            raise ValueError(f"{place}[{n}]: {label!r} is not a word of 1 to {_LONGEST_LABEL} visible characters")
        if label in labels[:n]:
            raise ValueError(f"{place}[{n}]: {label!r} stands there twice")


def _check_targets(place: str, names: list[str] | None) -> None:
    """Whether what is named is a target, and anything is."""
    if names == []:
        raise ValueError(f"{place}: expected at least one; leave it out for all of them")
    for n, name in enumerate(names or []):
        if name not in TARGETS:
            raise ValueError(f"{place}[{n}]: unknown target {name!r}{nearest(name, TARGETS)}")


def _check_limit(place: str, limit: Limit, head: Head) -> None:
    """Whether a limit limits something, somewhere, and lets a value pass."""
    base = limit.name.partition("[")[0]
    name = next((each for each in MEASURED if each == base), None)
    if name is None:
        raise ValueError(f"{place}.name: unknown measurement {base!r}{nearest(base, MEASURED)}")
    check_bounds(place, limit)
    check_reachable(place, name, limit.max, limit.equals)
    if limit.equals is None:
        check_limiting(place, name, limit.min, limit.max)
    _check_targets(f"{place}.on", limit.on)
    if head.targets is not None and limit.on is not None and not set(limit.on) & set(head.targets):
        raise ValueError(f"{place}.on: the scenario is for {', '.join(head.targets)} alone (scenario.targets)")
    if limit.mode is not None and limit.mode not in head.modes:
        raise ValueError(f"{place}.mode: the scenario is for {' and '.join(head.modes)} alone (scenario.modes)")


def check_bounds(place: str, limit: Limit) -> None:
    """Whether a value can pass, and another one fail."""
    bounds = {key: getattr(limit, key) for key in ("min", "marginal_min", "marginal_max", "max")}
    given = {key: bound for key, bound in bounds.items() if bound is not None}
    if limit.equals is not None:
        if given:
            raise ValueError(f"{place}: equals is the one value that passes; leave out {', '.join(given)}")
        return
    if limit.min is None and limit.max is None:
        raise ValueError(f"{place}: nothing can fail it; give min, max or equals")
    for (low, least), (high, most) in pairwise(given.items()):
        if least > most:
            raise ValueError(f"{place}: {low} {least:g} is above {high} {most:g}")


def _check_applied(n: int, scenario: Scenario) -> None:
    """Whether there is a target and a mode in which no earlier limit of the same measurement comes first."""
    limit, head = scenario.limits[n], scenario.head
    targets, modes = set(limit.on or head.targets or TARGETS), {limit.mode} if limit.mode else set(head.modes)
    left = {(target, mode) for target in targets for mode in modes}
    for earlier in scenario.limits[:n]:
        if earlier.name in (limit.name, limit.name.partition("[")[0]):
            left = {each for each in left if not applies(earlier, *each)}
    if not left:
        raise ValueError(f"limit[{n}]: never applied: another limit of {limit.name} stands before it")


def applies(limit: Limit, target: str, mode: Mode) -> bool:
    """Whether a limit is for this target and mode."""
    return (limit.on is None or target in limit.on) and limit.mode in (None, mode)


def _check_vary(n: int, scenario: Scenario) -> None:
    """Whether what is drawn goes into a fault, and stays there."""
    vary = scenario.vary[n]
    if vary.fault >= len(scenario.faults):
        raise ValueError(f"vary[{n}].fault: unknown fault {vary.fault}; faults count from 0")
    if any((later.fault, later.key) == (vary.fault, vary.key) for later in scenario.vary[n + 1 :]):
        raise ValueError(f"vary[{n}]: never applied: another one of fault {vary.fault}, {vary.key}, comes after it")


def _check_faults(faults: list[Spec], mission: Mission, span: FlightSpan) -> None:
    for n, fault in enumerate(faults):
        _check_window(f"fault[{n}]", fault.at, mission, span)
        if fault.when is not None:
            if fault.at is not None:
                raise ValueError(f"fault[{n}].when: give 'at' or 'when', not both")
            check_when(f"fault[{n}].when", fault.when, mission.dictionary)
        try:
            fault.check()
            fault.check_length(mission.link_profile.cadu_length)
        except ValueError as error:
            raise ValueError(f"fault[{n}]: {error}") from error
        if isinstance(fault, EnvironmentFault) and fault.direction != "down":
            raise ValueError(f"fault[{n}].dir: {fault.kind} has no direction")


def _check_window(place: str, at: At | None, mission: Mission, span: FlightSpan) -> None:
    events = [event.name for event in mission.dictionary.events]
    if at is None:
        return
    if at.kind in ("scet", "elapsed"):
        check_time(f"{place}.at", at, mission, span)
    elif at.kind == "event" and at.value not in events:
        raise ValueError(f"{place}.at: unknown onboard event {at.value!r}{nearest(str(at.value), events)}")


def _check_command(place: str, command: Command, mission: Mission, span: FlightSpan) -> None:
    if (command.at is None) == (command.when is None):
        raise ValueError(f"{place}: expected one of 'at' and 'when'")
    if command.at is not None:
        check_time(f"{place}.at", command.at, mission, span)
    if command.when is not None:
        check_when(f"{place}.when", command.when, mission.dictionary)
    try:
        mission.dictionary.command(command.name).encode(dict(command.args))
    except EncodeError as error:
        raise ValueError(f"{place}: {error}") from error

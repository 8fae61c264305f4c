"""Expectations and conditions in a scenario's file: what is refused, with line, place and the nearest word."""

from __future__ import annotations

from pathlib import Path

import construct as c
import pytest

from hil.errors import NeverHappens, ScenarioError
from hil.faults import Amount, At
from hil.scenario.expectation import Within
from hil.scenario.feasibility import check_feasible
from hil.scenario.lines import line_of
from hil.scenario.parameters import find_parameter
from hil.scenario.scenario import load_scenario, parse_scenario
from protocols.declare.dictionary import Dictionary, PacketDef
from protocols.declare.headers import NO_HEADER
from protocols.structures.fields import EnumRanges, Quantity

HEAD = '[scenario]\nid = "x"\n'
G = HEAD + '[[expect]]\nparameter = "DESCENT.deceleration"\n'
PHASE = HEAD + '[[expect]]\nparameter = "DESCENT.phase"\n'
LOCK = HEAD + '[[expect]]\nparameter = "DESCENT.altimeter_lock"\n'
HANG = HEAD + '[[fault]]\nkind = "hang"\nfor = "1 s"\n'
PING = HEAD + '[[command]]\nname = "PING"\n'


def test_all_keys_are_read() -> None:
    text = G + 'between = ["09:08:00", { event = "MAIN" }]\nmin = -1\nmax = "12 g"\nat_least_once = true\n'
    text += '[[expect]]\nparameter = "DESCENT.radio_altitude"\nwithin = { of = "DESCENT.altitude", by = "50 m" }\n'
    bounds, near = parse_scenario(text).expectations
    assert bounds.between is not None
    assert bounds.between[1] == At("event", "MAIN")
    assert (bounds.min, bounds.max, bounds.at_least_once) == (Amount(-1), Amount(12, "g"), True)
    assert near.within == Within(of="DESCENT.altitude", by=Amount(50, "m"))


def test_an_item_of_a_repeated_parameter_is_known_by_its_number() -> None:
    body = c.Struct(
        "n" / c.Int8ub, "p" / c.Array(c.this.n, c.Struct("x" / Quantity(c.Int8ub, "V"), "z" / c.Array(2, c.Int8ub)))
    )
    mission = Dictionary("M", 1, (PacketDef("SCI", 5, body=body, header=NO_HEADER),), (), (), ())
    found = find_parameter("expect[0]", "SCI.p[3].x", mission)
    assert (found.name, found.unit, found.is_number) == ("p[3].x", "V", True)
    assert find_parameter("expect[0]", "SCI.p[3].z[1]", mission).name == "p[3].z[1]"
    with pytest.raises(ValueError, match=r"SCI has no parameter 'p\[3\]\.z\[2\]'"):
        find_parameter("expect[0]", "SCI.p[3].z[2]", mission)
    with pytest.raises(ValueError, match=r"SCI has no parameter 'p\[3\]\.y'"):
        find_parameter("expect[0]", "SCI.p[3].y", mission)


def test_what_a_parameter_can_never_equal_is_refused() -> None:
    zones = EnumRanges(c.Int8ub, COLD=(0, 99), HOT=200)
    body = c.Struct("zone" / zones, "name" / c.PaddedString(4, "ascii"), "raw" / c.Bytes(2))
    mission = Dictionary("M", 1, (PacketDef("SCI", 5, body=body, header=NO_HEADER),), (), (), ())
    zone, name, raw = (find_parameter("p", f"SCI.{each}", mission) for each in ("zone", "name", "raw"))
    for parameter, value in ((zone, "HOT"), (zone, 150), (name, "ab"), (raw, "00ff")):
        parameter.check_equals("p", value)
    for parameter, value, told in (
        (zone, 50, "p: SCI.zone is never 50: expected its word, 'COLD'"),
        (name, 3, "p: SCI.name is text or bytes: expected text"),
        (raw, False, "p: SCI.raw is text or bytes: expected text, bytes in hex, not False"),
    ):
        with pytest.raises(ValueError, match=told):
            parameter.check_equals("p", value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (G, r"expect\[0\]: nothing can fail it: give min or max"),
        (G + 'max = 3\nmonotonic = "increasing"\n', r"expect\[0\]: too much for one row"),
        (G + "mx = 3\n", r"expect\[0\]\.mx: unknown key; did you mean 'max'"),
        (G + 'max = "12 m"\n', r"expect\[0\]\.max: DESCENT\.deceleration is in g, not in m"),
        (G + 'max = "lots"\n', r"expect\[0\]\.max: invalid value 'lots': expected a number"),
        (G + "min = 3\nmax = 2\n", r"expect\[0\]: min 3 is above max 2"),
        (G + 'equals = "MAIN"\n', r"expect\[0\]\.equals: DESCENT\.deceleration is a number"),
        (G + 'monotonic = "incresing"\n', r"expect\[0\]\.monotonic: unknown value 'incresing'; did you mean 'incr"),
        (G + 'monotonic = "increasing"\nat_least_once = true\n', r"expect\[0\]\.at_least_once: monotonic is about all"),
        (G.replace("deceleration", "decelaration") + "max = 1\n", r"no parameter 'decelaration'; did you mean 'decel"),
        (
            G.replace("DESCENT", "DECENT") + "max = 1\n",
            r"expect\[0\]\.parameter: unknown packet 'DECENT'; did you mean",
        ),
        (G.replace("DESCENT.", "") + "max = 1\n", r"expect\[0\]\.parameter: 'deceleration' is not a parameter"),
        (PHASE + "max = 3\n", r"expect\[0\]\.max: DESCENT\.phase is an enumeration, which has no order: use equals"),
        (PHASE + 'equals = "MIAN"\n', r"expect\[0\]\.equals: DESCENT\.phase has no value 'MIAN'; did you mean 'MAIN'"),
        (PHASE + "equals = 4\n", r"expect\[0\]\.equals: DESCENT\.phase is never 4: expected its word, 'MAIN'"),
        (PHASE + "equals = true\n", r"expect\[0\]\.equals: DESCENT\.phase is an enumeration: expected one of "),
        (PHASE + "equals = 0.5\n", r"expect\[0\]\.equals: DESCENT\.phase is an enumeration: expected one of "),
        (PHASE + "equals = inf\n", r"equals: inf is not a finite number"),
        (
            HANG + 'when = { parameter = "DESCENT.phase", equals = 4 }\n',
            r"when\.equals: DESCENT\.phase is never 4: expected its word, 'MAIN'",
        ),
        (PHASE + 'monotonic = "increasing"\n', r"expect\[0\]\.monotonic: DESCENT\.phase is an enumeration"),
        (LOCK + "equals = 1\n", r"expect\[0\]\.equals: DESCENT\.altimeter_lock is a flag: expected true or false"),
        (LOCK + "min = 1\n", r"expect\[0\]\.min: DESCENT\.altimeter_lock is a flag"),
        (
            G + 'within = { of = "DESCENT.altitude", by = 3 }\n',
            r"within\.of: DESCENT\.altitude cannot be compared .* m and g",
        ),
        (
            G + 'within = { of = "DESCENT.deceleration", by = 3 }\n',
            r"within\.of: DESCENT\.deceleration is the parameter it",
        ),
        (
            G + 'within = { off = "DESCENT.altitude", by = 3 }\n',
            r"expect\[0\]\.within\.off: unknown key; did you mean 'of'",
        ),
        (G + 'max = 3\nbetween = ["09:08:00"]\n', r"expect\[0\]\.between: Expected `array` of length 2"),
        (G + 'max = 3\nbetween = ["09:08:00", "09:07:00"]\n', r"expect\[0\]\.between: it ends before it begins"),
        (
            G + 'max = 3\nbetween = ["09:08:00", { event = "MIAN" }]\n',
            r"between\[1\]: unknown onboard event 'MIAN'; did",
        ),
        (
            G + 'max = 3\nbetween = [{ frame = 3 }, "09:08:00"]\n',
            r"between\[0\]: a time or an onboard event, not a frame",
        ),
        (G + 'max = 3\nbetween = ["10:08:00", "10:09:00"]\n', r"between\[0\]: a mission time is between"),
        (HANG, r"fault\[0\]: hang needs 'at' or 'when'"),
        (
            HANG + 'at = "09:08:00"\nwhen = { parameter = "DESCENT.altitude", below = 3 }\n',
            r"when: give 'at' or 'when', not",
        ),
        (
            HANG + 'when = { parameter = "DESCENT.altitud", below = 3 }\n',
            r"fault\[0\]\.when\.parameter: .*did you mean 'alti",
        ),
        (
            HANG + 'when = { parameter = "DESCENT.altitude" }\n',
            r"fault\[0\]\.when: expected one of above, below and eq",
        ),
        (
            HANG + 'when = { parameter = "DESCENT.altitude", bellow = 3 }\n',
            r"when\.bellow: unknown key; did you mean 'below'",
        ),
        (HANG + 'when = { parameter = "DESCENT.altitude", below = "3 km" }\n', r"when\.below: .* is in m, not in km"),
        (PING, r"command\[0\]: expected one of 'at' and 'when'"),
        (PING + 'when = { parameter = "DESCENT.phase", above = 3 }\n', r"command\[0\]\.when\.above: .*an enumeration"),
    ],
)
def test_refused_with_place_and_nearest_word(text: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        parse_scenario(text)


def test_errors_of_a_file_give_the_line(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(G + "max = 3\n\n" + G.removeprefix(HEAD) + '# a comment\nmax = "4 m"\n')
    with pytest.raises(ScenarioError, match=r"x\.toml:10: expect\[1\]\.max: .* is in g, not in m"):
        load_scenario(path)
    path.write_text(G + "max = 3\n[[fault]]\nkind = 'hang'\n")
    with pytest.raises(ScenarioError, match=r"x\.toml:6: fault\[0\]: hang needs"):
        load_scenario(path)


@pytest.mark.parametrize(
    ("place", "line"),
    [("expect[1].max: no", 7), ("expect[1]: no", 6), ("expect[2].max", None), ("scenario.id", 2), ("fault", None)],
)
def test_the_line_of_a_place(place: str, line: int | None) -> None:
    text = '[scenario]\nid = "x"\n[[expect]]\nmax = 3\n\n[[ expect ]]\n"max" = 4\n'
    assert line_of(text, place) == line


def test_no_line_is_guessed_beside_long_strings() -> None:
    assert line_of('[scenario]\ntitle = """\n[[fault]]\n"""\n[[fault]]\n', "fault[0]") is None


def test_a_window_of_an_event_that_cannot_come_is_refused() -> None:
    text = 'max = 3\nbetween = ["09:08:00", { event = "TOUCHDOWN" }]\n'
    check_feasible(parse_scenario(G.replace('"x"\n', '"x"\nprofile = "soft-landing"\n') + text))
    with pytest.raises(NeverHappens, match=r"expect\[0\]\.between: this pass has no event TOUCHDOWN"):
        check_feasible(parse_scenario(G + text))

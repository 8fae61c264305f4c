"""What a person types: read, checked and completed as the station would."""

from __future__ import annotations

import construct as c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundstation.errors import CommandRefused
from groundstation.messages.commanding import ArmRequest, CommandRequest, CopDirectiveRequest
from groundstation.messages.declared import commands_of
from groundstation.tui.entry import (
    STATION_ORDERS,
    ArmDraft,
    CommandDraft,
    DirectiveDraft,
    complete,
    find,
    hint,
    matching,
    order_of,
    read,
)
from groundstation.viewer.requests import RequestFactory
from protocols.declare.commands import CommandDef
from protocols.declare.dictionary import Dictionary
from protocols.errors import EncodeError
from protocols.lander import MARS6

KNOWN = [*commands_of(MARS6), *STATION_ORDERS]


def test_text_and_bytes_are_taken_as_they_are_typed() -> None:
    body = c.Struct("name" / c.PaddedString(4, "ascii"), "key" / c.Bytes(2), "level" / c.Int8ub)
    load = CommandDef("LOAD", 0x20, 6, 2, "Load a table.", arguments=body)
    known = commands_of(Dictionary("M", 1, (), (), (), (), (load,)))
    assert read("LOAD name=wren key=00ff level=3", known) == CommandDraft(
        "LOAD", {"name": "wren", "key": "00ff", "level": "3"}
    )
    with pytest.raises(CommandRefused, match="level is 'x': expected a number"):
        read("LOAD wren 00ff x", known)


@pytest.mark.parametrize(
    ("text", "draft"),
    [
        ("PING", CommandDraft("PING", {})),
        ("  ping ", CommandDraft("PING", {})),
        ("STEP ticks=10", CommandDraft("STEP", {"ticks": "10"})),
        ("step 0x10", CommandDraft("STEP", {"ticks": "0x10"})),
        ("SCALE 2.5 --bypass", CommandDraft("SCALE", {"factor": "2.5"}, bypass=True)),
        ("TRANSMITTER on=off", CommandDraft("TRANSMITTER", {"on": "off"})),
        ("SELECT_PROFILE soft_landing", CommandDraft("SELECT_PROFILE", {"profile": "soft_landing"})),
        (
            "INJECT_FAULT seed=7 BOND 50",
            CommandDraft("INJECT_FAULT", {"seed": "7", "fault": "BOND", "level": "50"}),
        ),
        ("arm 30", ArmDraft(30.0)),
        ("arm seconds=0", ArmDraft(0.0)),
        ("disarm", ArmDraft(0.0)),
        ("unlock", DirectiveDraft("unlock")),
        ("cop-initiate", DirectiveDraft("initiate-with-clcw-check")),
    ],
)
def test_what_is_typed_is_read(text: str, draft: object) -> None:
    assert read(text, KNOWN) == draft


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "type a command"),
        ("FIRE_RETRO", "no command 'FIRE_RETRO'; did you mean 'FIRE_RETROS'?"),
        ("STEP", "STEP.ticks is missing: 1 … 10000 tick"),
        ("STEP ticks=0", "STEP.ticks is 0: the range is 1 … 10000 tick"),
        ("STEP ticks=1.5", "expected a whole number"),
        ("STEP ticks=ten", "expected a number"),
        ("STEP ticks=nan", "expected a number"),
        ("STEP tick=1", "no argument 'tick'; did you mean 'ticks'?"),
        ("STEP 1 2", "'2' is too much"),
        ("STEP ticks=1 ticks=2", "given twice"),
        ("PING now", "takes no more"),
        ("SELECT_PROFILE SOFT", "has no value 'SOFT'"),
        ("SELECT_PROFILE SOFT_LANDNG", "did you mean 'SOFT_LANDING'?"),
        ("TRANSMITTER maybe", "known: on, off"),
        ("arm 601", "the range is 0 … 600 s"),
        ("arm", "arm.seconds is missing"),
    ],
)
def test_what_cannot_be_is_refused_with_range_and_nearest_name(text: str, words: str) -> None:
    with pytest.raises(CommandRefused) as caught:
        read(text, KNOWN)
    assert words in str(caught.value)


values = st.one_of(
    st.integers(-(2**33), 2**33).map(str),
    st.floats().map(str),
    st.sampled_from(["on", "OFF", "true", "1", "0", "BOND", "bond", "SOFT_LANDING", "STUCK", "0x1f", "1e3", "", "x"]),
    st.text(st.characters(exclude_categories=["Z", "C"]), max_size=6),
)


@settings(deadline=None)
@given(st.data())
def test_the_screen_refuses_what_the_station_refuses_and_nothing_else(data: st.DataObject) -> None:
    info = data.draw(st.sampled_from(commands_of(MARS6)))
    given_values = {argument.name: data.draw(values) for argument in info.arguments}
    text = " ".join([info.name, *(f"{name}={value}" for name, value in given_values.items())])
    try:
        MARS6.command(info.name).encode(given_values)
    except EncodeError:
        with pytest.raises(CommandRefused):
            read(text, KNOWN)
    else:
        assert read(text, KNOWN) == CommandDraft(info.name, given_values)


def test_completing_a_name_an_argument_and_a_label() -> None:
    step, profile, ping = find("STEP", KNOWN), find("SELECT_PROFILE", KNOWN), find("PING", KNOWN)
    assert complete("st", step) == "STEP ticks="
    assert complete("", ping) == "PING "
    assert complete("PING ", ping) == "PING "
    assert complete("STEP t", step) == "STEP ticks="
    assert complete("STEP ", step) == "STEP ticks="
    assert complete("SELECT_PROFILE profile=so", profile) == "SELECT_PROFILE profile=SOFT_LANDING "
    assert complete("SELECT_PROFILE profile=x", profile) == "SELECT_PROFILE profile=x"
    assert complete("INJECT_FAULT fault=BOND ", find("INJECT_FAULT", KNOWN)) == "INJECT_FAULT fault=BOND level="
    assert complete("nothing", None) == "nothing"
    assert hint("STEP ticks=", step).startswith("ticks: 1 … 10000 tick")
    assert hint("STEP ", step) == ""


def test_no_two_orders_have_one_name() -> None:
    assert len({info.name.casefold() for info in KNOWN}) == len(KNOWN)


def test_searching() -> None:
    assert [info.name for info in matching("st", KNOWN)] == ["START", "STEP"]
    assert [info.name for info in matching("retro", KNOWN)] == ["FIRE_RETROS"]
    assert [info.name for info in matching("STEP ti", KNOWN)] == ["STEP"]
    assert len(matching("", KNOWN)) == len(KNOWN)
    assert matching("ST x", KNOWN) == []


def test_orders_say_who_and_when_and_are_unlike_any_other() -> None:
    orderer = RequestFactory("ada@bench", lambda: 17)
    first, second = (order_of(CommandDraft("STEP", {"ticks": "1"}, bypass=True), orderer) for _ in range(2))
    assert isinstance(first, CommandRequest)
    assert (first.who, first.issued, first.bypass, first.arguments) == ("ada@bench", 17, True, {"ticks": "1"})
    assert first.token != second.token
    arm, unlock = order_of(ArmDraft(3.0), orderer), order_of(DirectiveDraft("unlock"), orderer)
    assert isinstance(arm, ArmRequest) and arm.seconds == 3.0
    assert isinstance(unlock, CopDirectiveRequest) and unlock.directive == "unlock"

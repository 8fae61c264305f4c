"""The C lander beside the Python lander: the same bytes, tick by tick."""

from __future__ import annotations

import hashlib
import json
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.lander.modes import Mode
from hil.lander.spacecraft import Spacecraft
from protocols.ccsds.cltu import encode_cltu
from protocols.lander import MARS6
from tests.firmware.core import CLander, Core
from tests.hil.lander.uplink import GroundDecoder, ad, bd, command, packet, reports

GOLDEN = Path(__file__).parents[1] / "golden"
COMMANDED: dict[str, Any] = json.loads((GOLDEN / "commanded.json").read_text(encoding="utf-8"))
MODES = {Mode.READY: 0, Mode.RUNNING: 1, Mode.HELD: 2}
Bytes = list[tuple[int, bytes]]


def agree(lander: CLander, craft: Spacecraft, calls: int, uplink: Bytes) -> None:
    """Fly both side by side; the C lander gets the uplink byte by byte, the Python lander whole."""
    coming = {tick: b"".join(data for _, data in group) for tick, group in groupby(uplink, key=lambda entry: entry[0])}
    for call in range(calls):
        data = coming.get(call, b"")
        answer = b"".join(lander.receive(data[at : at + 1]) for at in range(len(data)))
        assert answer == craft.receive(data), f"answer before call {call}"
        assert lander.step() == craft.step(), f"call {call}"
        assert (lander.mode, lander.tick) == (MODES[craft.mode], craft.tick)
        assert (lander.raw.scale, lander.raw.frames_dropped) == (craft.scale, craft.frames_dropped & 0xFFFF)


def test_the_historical_descent_tick_by_tick(core: Core) -> None:
    lander, craft = CLander(core), Spacecraft()
    lander.start()
    craft.start()
    agree(lander, craft, 3230, [])
    assert lander.finished
    assert not lander.step_pending


def test_the_historical_descent_is_the_golden_one(core: Core) -> None:
    lander, digest = CLander(core), hashlib.sha256()
    lander.start()
    while not lander.finished:
        digest.update(lander.step())
    assert digest.hexdigest() == (GOLDEN / "historical.sha256").read_text(encoding="utf-8").strip()


@pytest.mark.parametrize(
    ("profile", "seed"),
    [
        ("HISTORICAL", 0),
        pytest.param("SOFT_LANDING", 7, marks=pytest.mark.long),
        pytest.param("DEGRADED", 8, marks=pytest.mark.long),
        pytest.param("PARACHUTE_FAILS", 2**32 - 1, marks=pytest.mark.long),
    ],
)
def test_the_whole_encounter_tick_by_tick(core: Core, profile: str, seed: int) -> None:
    """187,000 ticks, from separation to an hour after the fly-by."""
    lander, craft = CLander(core), Spacecraft()
    for order in (
        command("SELECT_PROFILE", profile=profile),
        command("SELECT_SPAN", span="ENCOUNTER"),
        command("SEED", seed=seed),
        command("START"),
    ):
        assert lander.receive(order) == craft.receive(order)
    assert lander.tick == craft.tick == -146_370
    while not craft.finished:
        assert lander.step() == craft.step(), craft.tick
    assert lander.finished
    assert craft.tick == 40_600


@pytest.mark.long
@pytest.mark.parametrize("profile", ["HISTORICAL", "SOFT_LANDING"])
def test_a_small_board_flies_the_same_descent(small_core: Core, profile: str) -> None:
    """With ticks of 16 bits, and the tables of the descent alone."""
    lander, craft = CLander(small_core), Spacecraft()
    select = command("SELECT_PROFILE", profile=profile)
    assert lander.receive(select + command("START")) == craft.receive(select + command("START"))
    while not craft.finished:
        assert lander.step() == craft.step(), craft.tick
    assert lander.finished


def test_a_small_board_does_not_know_the_encounter(small_core: Core) -> None:
    """SELECT_SPAN is refused like a command that is in no table, and changes nothing."""
    lander, ground = CLander(small_core), GroundDecoder()
    told = ground.hear(lander.receive(command("SELECT_SPAN", span="ENCOUNTER")))
    assert reports(told) == [("REFUSED", "UNKNOWN_COMMAND")]
    assert lander.tick == 0


def test_the_firmware_has_the_dictionary(core: Core) -> None:
    assert COMMANDED["dictionary_hash"] == MARS6.hash_text
    header = (Path(__file__).parents[2] / "hil/firmware/generated/lander_packets.h").read_text(encoding="utf-8")
    assert f"0x{MARS6.hash:08X}" in header


@pytest.mark.parametrize("name", COMMANDED["runs"])
def test_a_commanded_run_is_the_golden_one(core: Core, name: str) -> None:
    run = COMMANDED["runs"][name]
    lander, digest, length = CLander(core), hashlib.sha256(), 0
    for call in range(run["calls"]):
        sent = b"".join(lander.receive(bytes.fromhex(e["cltu"])) for e in run["uplink"] if e["tick"] == call)
        sent += lander.step()
        digest.update(sent)
        length += len(sent)
        assert run["so_far"].get(str(call + 1), digest.hexdigest()) == digest.hexdigest(), f"before call {call + 1}"
    assert (digest.hexdigest(), length) == (run["sha256"], run["length"])


ORDERS = st.one_of(
    st.sampled_from(["PING", "START", "HOLD", "RESUME", "RESET", "REQUEST_HK", "DEPLOY_PARACHUTE", "FIRE_RETROS"]).map(
        lambda name: (name, {})
    ),
    st.tuples(st.just("STEP"), st.fixed_dictionaries({"ticks": st.integers(1, 900)})),
    st.tuples(st.just("SCALE"), st.fixed_dictionaries({"factor": st.integers(10, 10_000).map(lambda raw: raw / 100)})),
    st.tuples(st.just("TRANSMITTER"), st.fixed_dictionaries({"on": st.booleans()})),
    st.tuples(st.just("FRAME_RATE"), st.fixed_dictionaries({"period": st.integers(1, 100)})),
    st.tuples(st.just("SELECT_PROFILE"), st.fixed_dictionaries({"profile": st.integers(0, 1)})),
    st.tuples(
        st.just("INJECT_FAULT"),
        st.fixed_dictionaries(
            {"fault": st.integers(1, 4), "level": st.integers(1, 100), "seed": st.integers(0, 2**32 - 1)}
        ),
    ),
    st.tuples(st.just("CLEAR_FAULTS"), st.fixed_dictionaries({"fault": st.integers(0, 4)})),
    st.tuples(st.just("SELECT_SPAN"), st.fixed_dictionaries({"span": st.integers(0, 1)})),
    st.tuples(st.just("SEED"), st.fixed_dictionaries({"seed": st.integers(0, 2**32 - 1)})),
)
CLTUS = st.one_of(
    st.tuples(ORDERS, st.integers(0, 15), st.integers(0, 0x3FFF)).map(
        lambda o: command(o[0][0], o[2], o[1], **o[0][1])
    ),
    st.tuples(ORDERS, st.integers(0, 255)).map(lambda o: encode_cltu(ad(o[1], packet(o[0][0], **o[0][1])))),
    st.binary(min_size=1, max_size=30).map(lambda data: encode_cltu(bd(data))),
    st.binary(max_size=100),
    st.lists(ORDERS, min_size=2, max_size=2).map(
        lambda orders: encode_cltu(b"".join(bd(packet(name, **values)) for name, values in orders))
    ),
)
START_FIRST = [(0, command("START"))]


@settings(max_examples=25, deadline=None)
@given(script=st.lists(st.tuples(st.integers(0, 1200), CLTUS), max_size=60), wakes=st.booleans())
def test_any_commands_at_any_ticks(core: Core, script: Bytes, wakes: bool) -> None:
    uplink = sorted((START_FIRST if wakes else []) + script, key=lambda entry: entry[0])
    agree(CLander(core), Spacecraft(), 1250, uplink)


@pytest.mark.long
@settings(max_examples=10, deadline=None)
@given(script=st.lists(st.tuples(st.integers(880, 4560), ORDERS.filter(lambda o: o[0] != "RESET")), max_size=20))
def test_whole_passes_with_commands(core: Core, script: list[tuple[int, Any]]) -> None:
    begin = [(0, command("SELECT_PROFILE", profile="SOFT_LANDING")), (0, command("START"))]
    orders = [(tick, command(name, **values)) for tick, (name, values) in script]
    agree(CLander(core), Spacecraft(), 4580, begin + sorted(orders, key=lambda entry: entry[0]))


def test_the_pace(core: Core) -> None:
    lander = CLander(core)
    assert lander.period_us == 100_000
    for factor, period in ((0.1, 1_000_000), (2.5, 40_000), (100.0, 1_000)):
        lander.receive(command("SCALE", factor=factor))
        assert lander.period_us == period
    for name in ("START", "HOLD"):
        lander.receive(command(name))
        lander.step()
    assert not lander.step_pending
    lander.receive(command("STEP", ticks=2))
    pending = []
    for _ in range(3):
        pending.append(lander.step_pending)
        lander.step()
    assert pending == [True, True, False]

"""The uplink's layers against their Python twins, and whatever bytes may come."""

from __future__ import annotations

import random
import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.lander.bus import FaultTrace, ResetReason
from hil.lander.commanding import FARM_WINDOW, MAX_CLTU, CommandReceiver, Refusal, check
from hil.lander.spacecraft import Spacecraft
from hil.targets.greeting import read_greeting
from protocols.ccsds.cltu import START, TAIL, CltuReceiver, encode_cltu
from protocols.ccsds.tc_frame import SetVr, Unlock, encode_control
from protocols.cop1 import Farm1
from protocols.lander import MARS6
from tests.firmware.core import FIRMWARE, RUNNING, CLander, Core
from tests.hil.lander.uplink import GroundDecoder, bd, command, frames, packet, sealed

PING, LONG = encode_cltu(bd(packet("PING"))), encode_cltu(bytes(range(70)))
PIECES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([PING, LONG, START, TAIL, encode_cltu(bytes(90)), PING[:-8], PING[:13], b"\xeb" * 3]),
    st.tuples(st.sampled_from([PING, LONG]), st.lists(st.integers(0, 335), max_size=3)).map(lambda p: damaged(*p)),
)


def damaged(data: bytes, bits: list[int]) -> bytes:
    out = bytearray(data)
    for bit in bits:
        out[bit // 8 % len(out)] ^= 1 << bit % 8
    return bytes(out)


def cltus(core: Core, data: bytes) -> list[bytes]:
    """What the C receiver finds, fed byte by byte."""
    receiver, out, found = core.new("cltu"), core.ffi.new("uint8_t[]", MAX_CLTU), []
    core.lib.cltu_init(receiver)
    for byte in data:
        core.lib.cltu_put(receiver, byte)
        while core.lib.cltu_next(receiver):
            found.append(bytes(core.ffi.buffer(out, core.lib.cltu_read(receiver, out))))
    return found


@settings(max_examples=500, deadline=None)
@given(pieces=st.lists(PIECES, max_size=12))
def test_cltus(core: Core, pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    assert cltus(core, data) == [cltu.data for cltu in CltuReceiver(MAX_CLTU).feed(data)]


@settings(max_examples=200, deadline=None)
@given(data=st.lists(st.sampled_from([b"\xeb", b"\x90", b"\xc5", b"\x79", b"\0"]), max_size=400).map(b"".join))
def test_cltus_of_few_bytes(core: Core, data: bytes) -> None:
    assert cltus(core, data) == [cltu.data for cltu in CltuReceiver(MAX_CLTU).feed(data)]


@pytest.mark.parametrize("bit", range(8 * len(PING)))
def test_one_wrong_bit_anywhere(core: Core, bit: int) -> None:
    data = damaged(PING, [bit]) + PING
    assert cltus(core, data) == [cltu.data for cltu in CltuReceiver(MAX_CLTU).feed(data)]


NS = st.integers(0, 255)
CONTROL = st.one_of(
    st.just(encode_control(Unlock())), NS.map(lambda vr: encode_control(SetVr(vr))), st.binary(min_size=1, max_size=4)
)
FARM_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ad"), NS, st.booleans()),
        st.tuples(st.just("near"), st.integers(-11, 11), st.booleans()),
        st.tuples(st.just("bd"), st.just(0), st.just(True)),
        st.tuples(st.just("bc"), CONTROL, st.just(True)),
        st.tuples(st.just("release"), st.just(0), st.just(True)),
    ),
    max_size=40,
)


@settings(max_examples=300)
@given(steps=FARM_STEPS)
def test_farm(core: Core, steps: list[tuple[str, Any, bool]]) -> None:
    twin, farm, lib = core.new("farm1"), Farm1(0, FARM_WINDOW), core.lib
    lib.farm1_init(twin)
    for kind, value, room in steps:
        if kind in ("ad", "near"):
            ns = value if kind == "ad" else (farm.vr + value) & 0xFF
            accepted = farm.frame(False, False, ns, b"fdu", room).fdu is not None
            assert lib.farm1_sequenced(twin, ns, room) == accepted
        elif kind == "bd":
            farm.frame(True, False, 0, b"fdu")
            lib.farm1_bypass(twin)
        elif kind == "bc":
            farm.frame(True, True, 0, value)
            lib.farm1_control(twin, value, len(value))
        else:
            farm.release()
            lib.farm1_release(twin)
        assert lib.farm1_clcw(twin) == int.from_bytes(farm.clcw().encode(), "big")
        assert twin.state == farm.state


NAMES = {each.name: each.function or 0 for each in MARS6.commands}


def packets() -> st.SearchStrategy[bytes]:
    valid = st.sampled_from([packet("PING"), packet("STEP", ticks=3), packet("INJECT_FAULT", fault=1, level=1, seed=1)])
    changed = st.tuples(valid, st.integers(0, 18), st.integers(0, 255)).map(
        lambda c: sealed((c[0][: c[1]] + bytes([c[2]]) + c[0][c[1] + 1 :])[:-2])
    )
    function = st.tuples(st.integers(0, 17), st.binary(max_size=7)).map(
        lambda f: sealed(b"\x18\x64\xc0\0\0" + bytes([7 + len(f[1])]) + b"\x29\x08\x01\0\0" + bytes([f[0]]) + f[1])
    )
    return st.one_of(valid, changed, function, st.binary(max_size=63), st.binary(max_size=20).map(sealed))


@settings(max_examples=1000)
@given(data=packets())
def test_checks(core: Core, data: bytes) -> None:
    if not data:
        return
    found, order = core.new("command"), check(data)
    failure = core.lib.check_packet(found, data, len(data))
    assert found.request == order.request
    if isinstance(order, Refusal):
        assert failure == order.failure
        return
    assert (failure, found.function, found.acknowledge) == (0, NAMES[order.name], order.acknowledge)


@settings(max_examples=100, deadline=None)
@given(pieces=st.lists(PIECES, max_size=30))
def test_what_is_dropped(core: Core, pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    lander, receiver = CLander(core), CommandReceiver()
    lander.receive(data)
    for _ in receiver.receive(data):
        pass
    assert lander.raw.frames_dropped == receiver.dropped


@pytest.mark.parametrize("kind", ["noise", "starts", "false starts", "cltus", "tails"])
def test_a_flood_neither_hangs_nor_breaks_it(core: Core, kind: str) -> None:
    rng = random.Random(kind)
    floods = {
        "noise": rng.randbytes(200_000),
        "starts": START * 50_000,
        "false starts": (START + bytes(6) + b"\xfe") * 10_000,
        "cltus": command("REQUEST_HK", acknowledge=9) * 3_000,
        "tails": TAIL * 20_000,
    }
    lander, began = CLander(core), time.perf_counter()
    lander.start()
    flood = floods[kind]
    for at in range(0, len(flood), 1152):  # what 115,200 baud carry in a tick
        lander.receive(flood[at : at + 1152])
        lander.step()
    assert time.perf_counter() - began < 20
    assert lander.mode == RUNNING
    assert lander.tick == min(3220, -(-len(flood) // 1152))
    lander.receive(bytes(100))  # ends whatever CLTU the flood left open
    lander.step()
    lander.receive(command("PING", 77))
    assert packet("PING", 77)[:4] in b"".join(lander.step() for _ in range(12))


@pytest.mark.parametrize("seed", range(4))
def test_a_flood_is_answered_as_in_python(core: Core, seed: int) -> None:
    rng = random.Random(seed)
    lander, craft = CLander(core), Spacecraft()
    names = ["PING", "HOLD", "RESUME", "START", "REQUEST_HK", "DEPLOY_PARACHUTE"]
    for _ in range(300):
        pieces = [command(rng.choice(names), rng.randrange(9999), rng.randrange(16)) for _ in range(rng.randrange(30))]
        data = b"".join(damaged(p, [rng.randrange(336)] if rng.random() < 0.3 else []) for p in pieces)
        assert lander.receive(data) == craft.receive(data)
        assert lander.step() == craft.step()


def test_hello(core: Core) -> None:
    lander, craft = CLander(core), Spacecraft()
    for reason, build in ((ResetReason.WATCHDOG, 0x7FFFFFFF), (ResetReason.UNKNOWN, 0xFFFFFFFF), (ResetReason.PIN, 0)):
        greeting = lander.hello(reason, build)
        assert greeting == craft.hello(reason, build)
        assert len(frames(greeting)) == 1
    (hk, boot) = GroundDecoder().hear(Spacecraft().hello(ResetReason.WATCHDOG, 0x12345678))
    assert (hk.name, hk.values["tick"], hk.values["dictionary_hash"]) == ("BUS_HK", 0, MARS6.hash)
    assert (boot.name, boot.values["a"], boot.values["b"]) == ("BUS_EVENT", 4, 0x12345678)
    for cltu in (command("PING"), command("SELECT_PROFILE", profile="SOFT_LANDING")):
        assert lander.receive(cltu) == craft.receive(cltu)
        assert lander.hello(ResetReason.PIN, 7) == craft.hello(ResetReason.PIN, 7) != b""
    for each in (lander, craft):
        each.receive(command("START"))
        assert each.hello(ResetReason.WATCHDOG, 1) == b""
    assert lander.step() == craft.step()
    for each in (lander, craft):
        each.receive(command("RESET"))
    assert lander.step() == craft.step()
    assert lander.hello(ResetReason.SOFTWARE, 1) == craft.hello(ResetReason.SOFTWARE, 1) != b""


@pytest.mark.parametrize("word", [0, 1, 0x8000_0000, 0xFFFF_FFFF])
def test_hello_after_a_fault_is_one_frame(core: Core, word: int) -> None:
    """With the trace in it; what comes next is as without one."""
    lander, craft = CLander(core), Spacecraft()
    trace = FaultTrace(pc=0x0800_1234, lr=word, cfsr=0x0001_0000, stack=812)
    for each in (trace, None, trace):
        greeting = lander.hello(ResetReason.SOFTWARE, 7, each)
        assert greeting == craft.hello(ResetReason.SOFTWARE, 7, each)
        assert len(greeting) == 132
        told = read_greeting(greeting)
        assert told is not None
        assert (told.build_id, told.fault) == (7, each)
    lander.start()
    craft.start()
    assert b"".join(lander.step() for _ in range(30)) == b"".join(craft.step() for _ in range(30))


def test_reset_reasons_are_those_of_the_port() -> None:
    text = (FIRMWARE / "port.h").read_text(encoding="utf-8")
    assert {name: int(number) for name, number in re.findall(r"PORT_RESET_(\w+) = (\d+)", text)} == {
        reason.name: reason.value for reason in ResetReason
    }

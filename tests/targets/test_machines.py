"""What every machine must do."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hil.lander.spacecraft import Spacecraft
from hil.targets import MACHINES, MachineFailed, Unsupported
from hil.verdict.oracle import fly
from protocols.ccsds.cltu import encode_cltu
from protocols.profile import UART
from tests.golden.make import COMMANDED
from tests.hil.lander.uplink import SIZE, GroundDecoder, bd, cadus, command, frames, packet, started
from tests.targets.bench import START, Bench, flown, greetings, require

pytestmark = pytest.mark.target
FREE = {"qemu": 0x20008000, "simavr": 0x800700}
"""Those with a reset pin and a memory that can be looked into; and where there is nothing in it."""

FIRST_BYTE_S = {"software": 5.0}
"""That one has an interpreter to start."""


def test_it_boots_and_says_why(ready: Bench) -> None:
    reason = greetings(ready.stream)[0]
    assert GroundDecoder().hear(reason)[-1].values["a"] == 1  # power on
    began = time.monotonic()
    ready.until(lambda data: bool(greetings(data)), "second greeting")
    assert 0.5 < time.monotonic() - began < 8


def test_the_first_byte_comes_at_once(bench: Bench) -> None:
    took = []
    for _ in range(3):
        bench.first_byte = 0.0
        began = time.monotonic()
        bench.boot()
        took.append(bench.first_byte - began)
        bench.machine.power_off()
    assert min(took) <= FIRST_BYTE_S.get(bench.machine.name, 0.5), took


def test_a_descent_flat_out_is_the_oracles(ready: Bench) -> None:
    began = time.monotonic()
    stream = ready.descend(3220)
    took = time.monotonic() - began
    assert hashlib.sha256(stream).hexdigest() == hashlib.sha256(flown(3220)).hexdigest()
    print(f"{ready.machine.name}: {took:.2f} s")
    assert took < 20


def test_a_commanded_run_is_the_golden_one(ready: Bench) -> None:
    run: dict[str, Any] = json.loads(COMMANDED.read_text(encoding="utf-8"))["runs"]["held"]
    entries = [(entry["tick"], bytes.fromhex(entry["cltu"])) for entry in run["uplink"]]
    bursts = [burst.data for burst in fly(script=entries, ready=True)]
    assert hashlib.sha256(b"".join(bursts)).hexdigest() == run["sha256"]

    def flight(stream: bytes) -> bytes:
        return started(stream, packet("START", 1)[:4], last=False)

    def await_flight(size: int, call: int) -> None:
        ready.until(lambda _: len(flight(ready.stream)) >= size, f"{size} bytes by call {call}")

    ends = [tick for tick, _ in entries[1:]] + [run["calls"]]
    for (_, cltu), end in zip(entries, ends, strict=True):
        ready.machine.write(cltu)
        await_flight(len(flight(b"".join(bursts[:end]))), end)
    ready.quiet()
    assert flight(ready.stream) == flight(b"".join(bursts))


def test_commands_in_flight_say_at_which_tick(ready: Bench) -> None:
    """When a command arrives is not known beforehand; its report says it, and the oracle then has the same bytes."""
    ready.machine.write(command("SCALE", 1, factor=4.0))
    ready.take(SIZE, "report of SCALE")
    before = len(ready.stream)
    ready.machine.write(command("START", 1234))
    script: list[tuple[int, bytes]] = [(0, command("SCALE", 1, factor=4.0)), (0, command("START", 1234))]
    for number, (name, values) in enumerate(
        [
            ("PING", {}),
            ("REQUEST_HK", {}),
            ("TRANSMITTER", {"on": False}),
            ("PING", {}),
            ("TRANSMITTER", {"on": True}),
            ("DEPLOY_PARACHUTE", {}),
            ("HOLD", {}),
        ],
        100,
    ):
        time.sleep(0.13)
        cltu = command(name, number, **values)
        ready.machine.write(cltu)
        request = packet(name, number, **values)[:4]
        ready.until(partial(has, request), f"report of {name}")
        ready.quiet(0.03)
        ticks = [
            int(told.values["tick"])
            for told in heard(started(ready.stream[before:], START))
            if told.name == "COMMAND_COMPLETED" and told.values["request"] == int.from_bytes(request, "big")
        ]
        assert len(ticks) == 1, name
        script.append((ticks[0], cltu))
    ready.quiet()
    craft, sent = Spacecraft(), b""
    for _, cltu in script[:2]:
        craft.receive(cltu)
    for call in range(script[-1][0] + 1):
        sent += b"".join(craft.receive(cltu) for tick, cltu in script[2:] if tick == call) + craft.step()
    assert started(ready.stream[before:], START) == sent


def has(part: bytes, data: bytes) -> bool:
    return part in data


def heard(stream: bytes) -> list[Any]:
    return GroundDecoder().hear(b"".join(cadus(stream)))


def test_reset_by_command_and_by_pin(ready: Bench) -> None:
    first = ready.descend(500)
    ready.machine.write(command("RESET", 9))
    ready.until(lambda data: packet("RESET", 9)[:4] in data, "report of RESET")
    ready.await_boot()
    assert ready.descend(500) == first
    ready.forget()
    ready.machine.reset()
    ready.await_boot()
    if ready.machine.name in FREE:
        assert GroundDecoder().hear(greetings(ready.stream)[0])[-1].values["a"] == 2  # pin
    ready.forget(before=UART.asm)
    assert ready.descend(500) == first


def test_power_cycle(ready: Bench) -> None:
    machine = ready.machine
    first = ready.descend(300)
    pid = machine.pid
    machine.power_off()
    machine.power_off()
    assert not machine.running
    assert not alive(pid)
    assert ready.quiet(0.2) is not None
    with pytest.raises(MachineFailed, match="off"):
        machine.write(b"x")
    with pytest.raises(MachineFailed, match="off"):
        machine.reset()
    ready.forget()
    machine.power_on()
    machine.power_on()
    ready.await_boot()
    assert ready.descend(300) == first


def alive(pid: int | None) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.long
def test_it_hangs_and_goes_on_without_catching_up(ready: Bench) -> None:
    before = len(ready.stream)
    ready.machine.write(command("START", 1234))
    ready.until(lambda data: len(started(data, START)) >= 2 * SIZE, "two seconds of the mission")
    ready.machine.hang()
    time.sleep(0.1)
    ready.quiet(0.1)
    length = len(ready.stream)
    time.sleep(2.5)
    assert len(ready.stream) == length
    assert ready.machine.running
    ready.machine.resume()
    time.sleep(1.3)
    ready.machine.write(command("HOLD", 1235))
    ready.until(lambda data: packet("HOLD", 1235)[:4] in data, "report of HOLD")
    ticks = [told.values["tick"] for told in heard(started(ready.stream[before:], START)) if told.name == "BUS_HK"]
    assert ticks == list(range(0, ticks[-1] + 1, 10))
    assert ticks[-1] <= 40


def test_bad_input_neither_hangs_nor_resets_it(ready: Bench) -> None:
    rng = random.Random(4)
    names = ["PING", "HOLD", "RESUME", "REQUEST_HK", "DEPLOY_PARACHUTE"]
    ready.machine.write(command("SCALE", factor=100.0) + command("START", 1234))
    ready.until(lambda data: len(started(data, START)) > 0, "start")
    booted = len(greetings(ready.stream))
    for _ in range(200):
        data = bytearray(command(rng.choice(names), rng.randrange(9999)) + rng.randbytes(rng.randrange(300)))
        if rng.random() < 0.5:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        ready.machine.write(bytes(data))
    for kind in bad_frames():
        ready.machine.write(kind)
    ready.ask()
    assert ready.machine.running
    assert len(greetings(ready.stream)) == booted
    ready.quiet()
    assert len(frames(b"".join(cadus(ready.stream)))) > 10  # aligned and undamaged


def bad_frames() -> Iterator[bytes]:
    ping = packet("PING", 200)
    good = bd(ping)
    yield encode_cltu(bd(ping, scid=7))
    yield encode_cltu(bd(ping, vcid=1))
    yield encode_cltu(good[:-1] + bytes([good[-1] ^ 0x80]))
    yield encode_cltu(bd(ping[:-1] + bytes([ping[-1] ^ 1])))
    yield encode_cltu(good)[:20]
    yield encode_cltu(bd(packet("PING", 1)) + bd(packet("PING", 2)))
    yield bytes(20_000)
    yield b"\xeb\x90" * 5000


@pytest.mark.long
def test_a_flood_at_line_rate_neither_hangs_nor_resets_it(name: str) -> None:
    """Commands without a gap, some damaged, while the clock stands and while it runs."""
    rng = random.Random(5)

    def some() -> bytes:
        data = bytearray(command(rng.choice(["PING", "REQUEST_HK", "DEPLOY_PARACHUTE"]), rng.randrange(9999)))
        if rng.random() < 0.2:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        return bytes(data)

    bench = Bench(name, real_time=True)
    try:
        bench.boot()
        bench.start_and_hold()
        booted = len(greetings(bench.stream))
        bench.flood(2, some)
        bench.ask()
        bench.machine.write(command("RESUME", 1236))
        bench.until(lambda data: packet("RESUME", 1236)[:4] in data, "report of RESUME")
        bench.flood(2, some)
        bench.ask()
        assert bench.machine.running
        assert len(greetings(bench.stream)) == booted
        told = heard(started(bench.stream, START))
        ticks = [report.values["tick"] for report in told if report.name == "BUS_HK"]
        assert ticks == list(range(0, ticks[-1] + 1, 10))  # not one second is missing
        assert ticks[-1] >= 10
    finally:
        bench.machine.close()


@pytest.mark.long
def test_memory(ready: Bench) -> None:
    machine = ready.machine
    if machine.name in FREE:
        machine.poke(FREE[machine.name], b"\x12\x34\x56")
        assert machine.peek(FREE[machine.name] - 1, 4)[1:] == b"\x12\x34\x56"
        machine.hang()
        assert machine.peek(FREE[machine.name], 1) == b"\x12"
        ready.quiet(0.1)
        assert ready.quiet(2) == b""  # it still stands: no greeting
        machine.resume()
        ready.until(lambda data: bool(greetings(data)), "greeting")
        with pytest.raises(MachineFailed):
            machine.peek(0x800000, 4)
        ready.ask()
        return
    with pytest.raises(Unsupported, match="memory"):
        machine.poke(0x20000000, b"\0")
    with pytest.raises(Unsupported, match="memory"):
        machine.peek(0x20000000, 1)


_PARENT = """
import sys, time
from hil.targets import MACHINES
machine = MACHINES[sys.argv[1]](lambda data: None)
machine.power_on()
if sys.argv[2] == "hang":
    machine.hang()
print(machine.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("state", ["run", "hang"])
def test_it_dies_with_a_killed_parent(name: str, state: str) -> None:
    require(name)
    with subprocess.Popen([sys.executable, "-c", _PARENT, name, state], stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            assert alive(pid)
        finally:
            parent.kill()
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(pid)


def test_closing_leaves_nothing(name: str) -> None:
    bench = Bench(name)
    bench.boot()
    pid = bench.machine.pid
    bench.machine.close()
    bench.machine.close()
    assert not alive(pid)
    assert bench.machine.pid is None
    assert not bench.machine.running


def test_all_are_tried() -> None:
    assert {"software", "posix", *FREE} <= set(MACHINES)

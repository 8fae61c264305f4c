"""The Arduino's build: it fits, with the deepest stack that was seen, and the prebuilt one is what the sources give."""

from __future__ import annotations

import queue
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.lander.bus import ResetReason
from hil.lander.spacecraft import Spacecraft
from hil.targets.emulators.simavr import SimavrMachine
from hil.targets.greeting import SIZE, find_greeting
from tests.firmware.tools import PREBUILT, copy_of_sources, make, need, need_compiler_of, patched, record
from tests.hil.lander.uplink import command, packet
from tests.targets.bench import START_AND_HOLD, Bench, require

FLASH_MAX = 31 * 1024
RAM_MAX = 1843
"""1.8 KB of the chip's 2 KB."""
RAM, RAM_SIZE = 0x100, 2048
PAINT = b"\xa5"
FLOOD = 60_000
"""Bytes: five seconds of the line."""


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built in a copy, at another path."""
    need("make", "avr-gcc", "avr-size", packages="make gcc-avr avr-libc binutils-avr")
    copy = copy_of_sources(tmp_path_factory.mktemp("elsewhere"))
    make("BOARD=uno", "board", folder=copy)
    return copy / "build" / "uno"


def told(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_prebuilt_one_is_this_one(build: Path) -> None:
    need_compiler_of("uno", build / "lander.json")
    assert record(build / "lander.json") == record(PREBUILT / "uno.json"), "sources changed: `make prebuilt`"
    for suffix in (".hex", ".elf"):
        assert (build / f"lander{suffix}").read_bytes() == (PREBUILT / f"uno{suffix}").read_bytes()


def test_it_fits_into_flash(build: Path) -> None:
    text, data = (int(figure) for figure in told("avr-size", str(build / "lander.elf")).splitlines()[1].split()[:2])
    print(f"flash: {text + data} bytes")
    assert text + data <= FLASH_MAX


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench("simavr")
    yield bench
    bench.machine.close()


def flood(bench: Bench, names: list[str]) -> None:
    """Commands without a pause, some of them damaged, and noise."""
    rng = random.Random(6)
    sent = 0
    while sent < FLOOD:
        data = bytearray(command(rng.choice(names), rng.randrange(9999)) + rng.randbytes(rng.choice([0, 0, 0, 99])))
        if rng.random() < 0.2:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        bench.machine.write(bytes(data))
        sent += len(data)
    bench.machine.write(bytes(200))


def fly_as(bench: Bench, profile: str, ticks: int) -> None:
    """Another flight by STEP, to a tick in which its own code has run. Its ring holds one command, and it greets once a
    second: nothing is computed between the greeting and the commands, and each is answered before the next.
    """
    select, step = command("SELECT_PROFILE", 2, profile=profile), command("STEP", 3, ticks=ticks)
    craft = Spacecraft()
    for cltu in (select, START_AND_HOLD, step):
        craft.receive(cltu)
    craft.step()
    expected = sum(len(craft.step()) for _ in range(ticks))
    bench.machine.write(command("RESET", 1))
    bench.await_boot()
    before = len(bench.stream)
    bench.machine.write(select)
    bench.until(lambda data: packet("SELECT_PROFILE", 2, profile=profile)[:4] in data, f"report of {profile}")
    bench.quiet()
    bench.start_and_hold()
    bench.machine.write(step)
    bench.until(lambda _: len(bench.stream) - before >= expected, f"{expected} bytes of {profile}", 120)
    bench.quiet()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_it_fits_into_ram_with_the_deepest_stack_that_was_seen(build: Path, bench: Bench) -> None:
    """Descents by STEP, to the ground and with a failing chip, and floods while it stands and flies; RAM was painted at
    power on.
    """
    found = re.search(r"^00800([0-9a-f]+) \w _end$", told("avr-nm", str(build / "lander.elf")), re.MULTILINE)
    assert found is not None
    end = int(found[1], 16) - RAM
    bench.boot()
    bench.descend(3220)
    fly_as(bench, "DEGRADED", 1_700)
    fly_as(bench, "SOFT_LANDING", 4_600)
    bench.machine.write(command("RESET", 1))
    bench.await_boot()
    bench.start_and_hold()
    flood(bench, ["PING", "REQUEST_HK"])
    flood(bench, ["PING", "REQUEST_HK", "RESUME", "DEPLOY_PARACHUTE"])
    bench.ask()
    free = bench.machine.peek(RAM, RAM_SIZE)[end:]
    used = end + len(free.lstrip(PAINT))
    print(f"RAM: {end} bytes and {used - end} of stack")
    assert end < used <= RAM_MAX


HANG = b"\xff\xcf"
"""rjmp to itself."""


def test_the_watchdog_bites_when_idle_never_returns(tmp_path: Path) -> None:
    """Simavr's watchdog counts 2^18 of its 128 kHz: 2.048 s from when it was fed last."""
    require("simavr")
    came: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    machine = SimavrMachine(came.put, patched("uno", "port_idle", HANG, tmp_path), fast=True)
    machine.power_on()
    try:
        heard, reasons = b"", list[ResetReason]()
        while len(reasons) < 2:
            heard += came.get(timeout=20)
            while (found := find_greeting(heard)) is not None:
                reasons.append(found[1].reset_reason)
                heard = heard[found[0] + SIZE :]
        told = re.search(r"watchdog reset after (\d+) us", machine.console)
    finally:
        machine.close()
    assert reasons == [ResetReason.POWER_ON, ResetReason.WATCHDOG]
    assert told is not None
    assert 1_900_000 < int(told[1]) < 2_200_000

"""The STM32's build: it fits, with the deepest stack that was seen, and the prebuilt one is what the sources give."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware.tools import PREBUILT, copy_of_sources, image_of, make, need, need_compiler_of, record, symbols
from tests.hil.lander.uplink import command, packet
from tests.targets.bench import Bench

FLASH_MAX = 32 * 1024
RAM_MAX = 8 * 1024
RAM = 0x2000_0000
PAINT = b"\xa5"


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built in a copy, at another path."""
    need("make", "arm-none-eabi-gcc", packages="make gcc-arm-none-eabi")
    copy = copy_of_sources(tmp_path_factory.mktemp("elsewhere"))
    make("BOARD=stm32f4", "board", folder=copy)
    return copy / "build" / "stm32f4" / "lander.elf"


def test_the_prebuilt_one_is_this_one(elf: Path) -> None:
    need_compiler_of("stm32f4", elf.with_suffix(".json"))
    assert record(elf.with_suffix(".json")) == record(PREBUILT / "stm32f4.json"), "sources changed: `make prebuilt`"
    assert elf.read_bytes() == (PREBUILT / "stm32f4.elf").read_bytes()


def test_it_fits_into_flash() -> None:
    size = len(image_of("stm32f4").loaded)
    print(f"flash: {size} bytes")
    assert size <= FLASH_MAX


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench("qemu")
    yield bench
    bench.machine.close()


def flood(bench: Bench, names: list[str]) -> None:
    """Commands without a pause, some of them damaged, and noise."""
    rng = random.Random(6)
    for _ in range(1500):
        data = bytearray(command(rng.choice(names), rng.randrange(9999)) + rng.randbytes(rng.choice([0, 0, 0, 99])))
        if rng.random() < 0.2:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        bench.machine.write(bytes(data))


def ask(bench: Bench) -> None:
    """Until it answers: what meets a flood is refused, and even that may find no room."""
    for number in range(12_000, 12_100):
        bench.machine.write(b"\x55" * 100 + command("PING", number))
        time.sleep(0.05)
        if packet("PING", number)[:4] in bench.stream:
            return
    pytest.fail("it does not answer any more")


@pytest.mark.long
def test_it_fits_into_ram_with_the_deepest_stack_that_was_seen(bench: Bench) -> None:
    """A whole descent by STEP, and floods while it stands and flies; startup.c has painted the stack's room."""
    found = symbols(image_of("stm32f4").path)
    limit, painted_to, top = (found[name] for name in ("stack_limit", "stack_in_use", "stack_top"))
    assert limit == RAM  # below it is nothing: what goes too deep is a fault
    bench.boot()
    assert bench.machine.peek(limit, 64) == PAINT * 64
    bench.descend(3220)
    bench.machine.write(command("RESET", 1))
    bench.await_boot()
    bench.start_and_hold()
    flood(bench, ["PING", "REQUEST_HK"])
    flood(bench, ["PING", "REQUEST_HK", "RESUME", "DEPLOY_PARACHUTE"])
    ask(bench)
    untouched = bench.machine.peek(limit, painted_to - limit)
    free = len(untouched) - len(untouched.lstrip(PAINT))
    stack = top - limit - free
    state = found["ram_end"] - found["data_start"]
    print(f"RAM: {state} bytes and {stack} of stack, for which {top - limit} are kept")
    assert found["ram_end"] - RAM <= RAM_MAX
    assert 64 < stack < top - limit - 256  # it was used, and there is room to spare

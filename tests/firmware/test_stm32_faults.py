"""A fault of the STM32's firmware leaves a trace that the next run tells. In QEMU, with its code overwritten."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest

from groundstation.downlink.receiver import Receiver
from groundstation.links.base import Chunk
from groundstation.messages.wire import EventMessage
from hil.lander.bus import ResetReason
from hil.targets.greeting import Greeting, read_greeting
from protocols.lander import MARS6
from protocols.profile import UART
from tests.firmware.tools import image_of, symbols
from tests.hil.lander.uplink import command
from tests.targets.bench import Bench, greetings

UDF = b"\x00\xde"
PUSH_FOR_EVER = b"\x00\xb5\xfd\xe7"
"""push {lr}; b to itself."""
LOAD_FROM_NOWHERE = b"\x4f\xf0\x40\x40\x00\x68"
"""mov.w r0, #0xc0000000; ldr r0, [r0]."""
UNDEFINED, PRECISE_BUS_FAULT, BUS_FAULT_VALID, STACKING = 1 << 16, 1 << 9, 1 << 15, 1 << 12


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench("qemu")
    bench.boot()
    yield bench
    bench.machine.close()


PATCHED = "commands_receive"
"""A function that is called when a command comes, and not before."""


def after(bench: Bench, code: bytes) -> Greeting:
    """Overwrite a function and call it; the greeting after the reset. QEMU's flash is not loaded again by a reset."""
    place = symbols(image_of("stm32f4").path)[PATCHED] & ~1
    whole, before = bench.machine.peek(place, len(code)), len(greetings(bench.stream))
    bench.machine.poke(place, code)
    bench.machine.write(command("PING", 7))
    bench.until(lambda _: len(greetings(bench.stream)) > before, "greeting after a fault")
    bench.machine.poke(place, whole)
    greeting = read_greeting(greetings(bench.stream)[before])
    assert greeting is not None
    return greeting


def test_an_undefined_instruction_is_told_with_its_place(bench: Bench) -> None:
    greeting = after(bench, UDF)
    assert greeting.fault is not None
    found = symbols(image_of("stm32f4").path)
    assert greeting.reset_reason is ResetReason.SOFTWARE
    assert greeting.fault.pc == found[PATCHED] & ~1
    assert greeting.fault.cfsr == UNDEFINED
    call = bench.machine.peek((greeting.fault.lr & ~1) - 4, 4)
    assert call[1] & 0xF8 == 0xF0  # what LR points behind is a BL
    assert 64 < greeting.fault.stack < found["stack_size"] - 256


def test_an_access_to_nowhere_is_told(bench: Bench) -> None:
    greeting = after(bench, LOAD_FROM_NOWHERE)
    assert greeting.fault is not None
    assert greeting.fault.pc == (symbols(image_of("stm32f4").path)[PATCHED] & ~1) + 4
    assert greeting.fault.cfsr & PRECISE_BUS_FAULT


def test_a_stack_that_overflows_touches_no_data(bench: Bench) -> None:
    found = symbols(image_of("stm32f4").path)
    assert found["stack_limit"] == 0x2000_0000
    assert max(found[name] for name in ("data_start", "bss_start", "kept")) >= found["stack_top"]
    greeting = after(bench, PUSH_FOR_EVER)
    assert greeting.fault is not None
    assert greeting.fault.cfsr & (PRECISE_BUS_FAULT | STACKING)
    assert greeting.fault.stack >= found["stack_size"]


def test_the_station_shows_it_as_a_warning(bench: Bench) -> None:
    after(bench, UDF)
    receiver = Receiver(MARS6, UART, "test:")
    told = [each for each in receiver.process(Chunk(0, bench.stream)) if isinstance(each, EventMessage)]
    fault = next(each for each in told if each.name == "FAULT")
    assert fault.severity == "WARNING_HI"
    assert fault.text.startswith("the run before ended by a fault: PC 0800")
    assert "CFSR 00010000" in fault.text
    boot = next(each for each in told if each.name == "BOOT")
    assert boot.text == f"ready: reset reason power on, build {image_of('stm32f4').id_text}"


def test_a_fault_is_told_in_one_run_alone(bench: Bench) -> None:
    after(bench, UDF)
    before = len(greetings(bench.stream))
    bench.machine.write(command("RESET", 7))
    bench.until(lambda _: len(greetings(bench.stream)) > before, "greeting")
    greeting = read_greeting(greetings(bench.stream)[-1])
    assert greeting is not None
    assert greeting.fault is not None  # a RESET by command is no reset of the machine
    before = len(greetings(bench.stream))
    bench.machine.reset()
    bench.until(lambda _: len(greetings(bench.stream)) > before + 1, "greetings")
    last = read_greeting(greetings(bench.stream)[-1])
    assert last is not None
    assert (last.fault, last.reset_reason) == (None, ResetReason.PIN)


def test_it_flies_after_a_fault_as_after_power_on(bench: Bench) -> None:
    after(bench, UDF)
    reference = Bench("software")
    reference.boot()
    try:
        assert bench.descend(900) == reference.descend(900)
    finally:
        reference.machine.close()


def test_the_trace_is_read_from_the_stack_alone() -> None:
    """The handler's stack and the trace are out of the program's stack, in RAM that start-up does not clear."""
    found = symbols(image_of("stm32f4").path)
    for name in ("kept", "handler_stack", "mark"):
        assert found["bss_end"] <= found[name] < found["ram_end"] <= 0x2000_0000 + 8192
    assert struct.calcsize("<6I") <= found["ram_end"] - found["kept"]

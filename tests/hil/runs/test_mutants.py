"""Landers, each with one constant changed, are built and flown: each fails, with the field that differs first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.firmware.tools import copy_of_sources, make, need
from tests.system.conftest import Run, home, run  # noqa: F401 - fixtures
from tests.targets.bench import require


@dataclass(frozen=True)
class Mutant:
    """What is changed in which file, the words of the verdict, and the scenario that comes to it."""

    file: str
    was: str
    now: str
    words: str
    scenario: str = "los-091105"


MUTANTS = {
    "a time: the drogue": Mutant(
        "core/sequencer.c",
        "drogue_ms = INT32_C(159000)",
        "drogue_ms = INT32_C(161000)",
        "DESCENT.phase AEROBRAKING, expected DROGUE",
    ),
    "a time: the end of the blackout": Mutant(
        "core/sequencer.c",
        "BLACKOUT_END_MS INT32_C(88000)",
        "BLACKOUT_END_MS INT32_C(88100)",
        "frame VCID 2, expected 0",
    ),
    "a time: the epoch": Mutant(
        "core/packets.c",
        "EPOCH_MS_OF_DAY INT32_C(32753000)",
        "EPOCH_MS_OF_DAY INT32_C(32753001)",
        "COMMAND_COMPLETED onboard time, ms of day 32753001, expected 32753000",
    ),
    "a mass": Mutant(
        "core/sequencer.c", "MASS_ENTRY_G INT32_C(635000)", "MASS_ENTRY_G INT32_C(636000)", "DESCENT.altitude"
    ),
    "an area": Mutant("core/sequencer.c", "CDA_MAIN_CM2 INT32_C(674400)", "CDA_MAIN_CM2 INT32_C(674401)", "DESCENT."),
    "a limit": Mutant(
        "core/instruments.c",
        "RADIO_ALTITUDE_LOW_MAX 1000u",
        "RADIO_ALTITUDE_LOW_MAX 999u",
        "DESCENT.radio_altitude_low 99.9 m, expected 100.0 m",
    ),
    "a time-out": Mutant(
        "core/bus.c", "RELAY_HOLD_TICKS 5u", "RELAY_HOLD_TICKS 15u", "BUS_HK.relay.lock yes, expected no"
    ),
    "a counter's width: packets": Mutant(
        "core/transmitter.c",
        "SEQUENCE_MASK 0x3FFFu",
        "SEQUENCE_MASK 0x03FFu",
        "DESCENT sequence count 0, expected 1024",
    ),
    "a counter's width: frames": Mutant(
        "core/transmitter.c", "w[7] = counts->vcfc++;", "w[7] = counts->vcfc++ & 0x7Fu;", "frame VCFC 0, expected 128"
    ),
    "a byte order": Mutant(
        "core/crc.c",
        "bytes[length] = (uint8_t)(crc >> 8);\n    bytes[length + 1u] = (uint8_t)(crc & 0xFFu);",
        "bytes[length + 1u] = (uint8_t)(crc >> 8);\n    bytes[length] = (uint8_t)(crc & 0xFFu);",
        "BUS_HK checksum",
    ),
    "an entry of a table": Mutant(
        "generated/atmosphere_table.h",
        "UINT32_C(162700047)",
        "UINT32_C(162700147)",
        "DESCENT.speed 2204796 (raw), expected 2204797 (raw)",
    ),
    "an entry of the orbit": Mutant(
        "generated/orbit_table.h", "    20291, ", "    20301, ", "BUS_HK.slant_range 2030 km, expected 2029 km"
    ),
    "the noise of an instrument": Mutant(
        "core/bus_instruments.c",
        "FIELD_SHEATH_NOISE INT32_C(300)",
        "FIELD_SHEATH_NOISE INT32_C(330)",
        "MAGNETOMETER.b",
    ),
    "a seed": Mutant("core/random.h", "0x504C4153", "0x504C4154", "PLASMA."),
    "a measurement's second": Mutant(
        "core/bus.c", "tick_is(l->tick, 100, 20)", "tick_is(l->tick, 100, 30)", "BUS_ORBIT"
    ),
    "the shock": Mutant(
        "core/bus_instruments.c", "SHOCK_HALF_TICKS 100", "SHOCK_HALF_TICKS 110", "PLASMA.energy", "encounter"
    ),
    "a rounding": Mutant(
        "core/instruments.c",
        "(value + step / 2) / step",
        "(value + step / 2 - 1) / step",
        "DESCENT.temperature 150.10 K, expected 150.15 K",
    ),
    "an idle pattern": Mutant(
        "core/packets.c", "IDLE_FILL 0x55u", "IDLE_FILL 0x54u", "idle packet byte 6 54, expected 55"
    ),
    "an event's argument": Mutant(
        "core/telemetry.c",
        "speed_mms / 1000u & 0x1FFFu",
        "speed_mms / 1001u & 0x1FFFu",
        "LANDER_EVENT.b 5594, expected 5600",
    ),
    "a check of commands: START is refused": Mutant(
        "core/tc_check.c", "PUS_C 2u", "PUS_C 1u", "frame MCFC 1, expected 0; qemu waits for START"
    ),
    "a time after a command": Mutant(
        "core/sequencer.c",
        "CONE_AFTER_MAIN_MS INT32_C(6000)",
        "CONE_AFTER_MAIN_MS INT32_C(6100)",
        "DESCENT.",
        "commands-during-descent",
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("qemu")
    need("make", "arm-none-eabi-gcc", packages="make gcc-arm-none-eabi")
    return copy_of_sources(tmp_path_factory.mktemp("mutants"))


@pytest.mark.long
@pytest.mark.parametrize("name", MUTANTS)
def test_a_changed_constant_fails_with_its_field(copy: Path, run: Run, name: str) -> None:  # noqa: F811
    mutant = MUTANTS[name]
    source = copy / mutant.file
    text = source.read_text(encoding="utf-8")
    assert text.count(mutant.was) == 1
    source.write_text(text.replace(mutant.was, mutant.now), encoding="utf-8")
    try:
        make("BOARD=stm32f4", folder=copy)
    finally:
        source.write_text(text, encoding="utf-8")
    image = copy / "build" / "stm32f4" / "lander.elf"
    done = run("hil", "run", mutant.scenario, "--lockstep", "--target", "qemu", "--image", str(image), "--json")
    verdict = json.loads(done.stdout)
    print(verdict["line"])
    assert (done.returncode, verdict["state"]) in ((1, "FAIL"), (20, "FAIL"))
    assert mutant.words in verdict["line"]
    assert verdict["image"]["kind"] == "given"

"""The ELF reader, beside the tools of the compilers, and on files that are none."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.elf import BUILD_SYMBOL, Elf, ElfError, build_of
from hil.targets.firmware import STM32_ELF, posix_program
from hil.targets.simavr import UNO_HEX
from tests.firmware.tools import need

UNO_ELF = UNO_HEX.with_suffix(".elf")


@pytest.fixture(params=["stm32f4", "uno", "posix"])
def path(request: pytest.FixtureRequest) -> Path:
    if request.param == "posix":
        need("make", "gcc", packages="make gcc libc6-dev")
        return posix_program()
    return STM32_ELF if request.param == "stm32f4" else UNO_ELF


def test_symbols_are_those_that_nm_finds(path: Path) -> None:
    need("nm", packages="binutils")
    told = subprocess.run(["nm", str(path)], capture_output=True, text=True, check=True).stdout
    values = {name: int(text, 16) for text, name in re.findall(r"^([0-9a-f]+) [ADTR] (\w+)$", told, re.MULTILINE)}
    assert BUILD_SYMBOL in values
    elf = Elf.read(path)
    for name, value in list(values.items())[:40]:
        assert elf.symbol(name) == value
    assert build_of(path) == values[BUILD_SYMBOL] < 1 << 31


def test_the_image_of_the_arduino_is_its_hex_file() -> None:
    address, data = Elf.read(UNO_ELF).image()
    records = [bytes.fromhex(line[1:]) for line in UNO_HEX.read_text(encoding="ascii").split()]
    assert (address, data) == (0, b"".join(record[4:-1] for record in records if record[3] == 0))


def test_the_image_of_the_stm32_begins_with_its_vectors() -> None:
    elf = Elf.read(STM32_ELF)
    address, data = elf.image()
    assert address == 0x0800_0000
    assert int.from_bytes(data[:4], "little") == elf.symbol("stack_top")
    assert int.from_bytes(data[4:8], "little") == elf.symbol("reset") | 1


def test_what_is_no_elf(tmp_path: Path) -> None:
    for data, words in (
        (b"", "no little-endian"),
        (b"\x7fELF" + bytes(12), "no little-endian"),
        (b"#!/bin/sh\n" * 9, "no"),
    ):
        with pytest.raises(ElfError, match=words):
            Elf(data)
    with pytest.raises(ElfError, match="cannot be read: No such file"):
        Elf.read(tmp_path / "none.elf")
    with pytest.raises(ElfError, match="has no symbol toaster"):
        Elf.read(STM32_ELF).symbol("toaster")


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_damaged_file_is_an_error_or_another_answer(seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(STM32_ELF.read_bytes())
    for _ in range(rng.randrange(1, 20)):
        at = rng.randrange(rng.choice([64, len(data)]))
        data[at] = rng.randrange(256)
    damaged = bytes(data[: rng.choice([len(data), rng.randrange(len(data))])])
    try:
        elf = Elf(damaged)
        elf.image()
    except ElfError:
        return
    try:
        elf.symbol(BUILD_SYMBOL)
    except ElfError:
        return

"""The stamp in an image: what it covers, and on files that are none."""

from __future__ import annotations

import hashlib
import random
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.firmware import stamp
from tests.firmware.tools import PREBUILT

STM32 = (PREBUILT / "stm32f4.elf").read_bytes()
UNO = (PREBUILT / "uno.elf").read_bytes()


def test_the_id_is_the_hash_of_the_image_without_it() -> None:
    _, image = stamp.loaded_image(STM32)
    told = stamp.read_stamp(image)
    at = told.at + 24
    assert image[told.at : at] == b"M6-IMAGE" + b"stm32f4".ljust(12, b"\0") + struct.pack("<I", told.source)
    digest = hashlib.sha256(image[:at] + bytes(4) + image[at + 4 :]).hexdigest()
    assert told.image == int(digest[:8], 16) & 0x7FFFFFFF
    assert told.image == struct.unpack_from("<I", image, at)[0]


@pytest.mark.parametrize("elf", [STM32, UNO], ids=["stm32f4", "uno"])
def test_every_byte_that_is_loaded_counts(elf: bytes) -> None:
    _, image = stamp.loaded_image(elf)
    told = stamp.read_stamp(image)
    rng = random.Random(6)
    places = [n for n in range(len(image)) if not told.at + 24 <= n < told.at + 28]
    for place in [0, len(image) - 1, *rng.sample(places, 50)]:
        changed = image[:place] + bytes([image[place] ^ 1 << rng.randrange(8)]) + image[place + 1 :]
        assert stamp.image_id(changed, told.at) != told.image


def test_stamping_twice_is_stamping_once() -> None:
    data, told = stamp.stamped(STM32)
    assert data == STM32
    assert told.board == "stm32f4"


def test_the_image_begins_with_its_vectors() -> None:
    address, image = stamp.loaded_image(STM32)
    assert address == 0x0800_0000
    stack, reset = struct.unpack_from("<II", image)
    assert 0x2000_0000 < stack <= 0x2001_0000
    assert reset & 1
    assert address < reset < address + len(image)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a little-endian ELF"),
        (b"\x7fELF" + bytes(12), "not a little-endian ELF"),
        (b"#!/bin/sh\n" * 9, "not a little-endian ELF"),
        (STM32[:60], "cut off"),
        (STM32[:200], "no stamp"),
        (STM32.replace(b"M6-IMAGE", b"M7-IMAGE"), "no stamp"),
        (STM32.replace(b"M6-IMAGE", b"\0" * 8).replace(bytes(16), b"M6-IMAGE" * 2, 2), "stamp"),
    ],
)
def test_other_files_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(stamp.StampError, match=words):
        stamp.stamped(data)


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_damaged_file_is_refused_or_another(seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(STM32)
    for _ in range(rng.randrange(1, 20)):
        at = rng.randrange(rng.choice([64, len(data)]))
        data[at] = rng.randrange(256)
    damaged = bytes(data[: rng.choice([len(data), rng.randrange(len(data))])])
    try:
        stamp.stamped(damaged)
    except stamp.StampError:
        return


def test_the_source_id_covers_names_and_contents(tmp_path: Path) -> None:
    for name in ("boards", "core", "generated", "ports/toy"):
        (tmp_path / name).mkdir(parents=True)
    for name, text in {
        "Makefile": "",
        "boards/toy.mk": "PORT := toy\n",
        "main.c": "a",
        "core/x.c": "b",
        "ports/toy/port.c": "c",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    before = stamp.source_id(tmp_path, "toy")
    (tmp_path / "core" / ".#x.c").write_text("an editor's", encoding="utf-8")
    (tmp_path / "core" / "x.c~").write_text("an editor's", encoding="utf-8")
    assert stamp.source_id(tmp_path, "toy") == before
    (tmp_path / "core" / "x.c").rename(tmp_path / "core" / "y.c")
    renamed = stamp.source_id(tmp_path, "toy")
    assert renamed != before
    (tmp_path / "main.c").write_text("", encoding="utf-8")
    (tmp_path / "core" / "y.c").write_text("ab", encoding="utf-8")
    assert stamp.source_id(tmp_path, "toy") not in (before, renamed)
    (tmp_path / "main.c").unlink()
    assert stamp.source_id(tmp_path, "toy") is None

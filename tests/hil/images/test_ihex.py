"""Intel HEX, beside objcopy's, and on text that is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.firmware import stamp
from hil.images.ihex import HexError, format_hex, parse_hex
from tests.firmware.tools import PREBUILT

HEX = (PREBUILT / "uno.hex").read_text(encoding="ascii")


def test_the_unos_hex_file_loads_what_its_elf_does() -> None:
    assert parse_hex(HEX) == stamp.loaded_image((PREBUILT / "uno.elf").read_bytes())


def test_it_is_written_as_objcopy_writes_it() -> None:
    assert format_hex(*parse_hex(HEX)).split() == HEX.split()


@given(address=st.integers(0, 0xFFFF_0000), image=st.binary(min_size=1, max_size=300))
def test_what_is_written_is_read_again(address: int, image: bytes) -> None:
    assert parse_hex(format_hex(address, image)) == (address, image)


def test_the_stm32s_image_crosses_64_kilobytes() -> None:
    address, image = 0x0800_FFF0, bytes(range(64))
    assert parse_hex(format_hex(address, image)) == (address, image)


def test_segment_addresses_and_gaps() -> None:
    text = ":020000021000EC\n:0100000001FE\n:0100020002FB\n:0400000300000000F9\n:00000001FF\n"
    assert parse_hex(text) == (0x10000, b"\x01\xff\x02")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEX.replace(":00000001FF", ""), "end record is missing"),
        (HEX.replace(HEX[11], "F" if HEX[11] != "F" else "0", 1), "line 1: its checksum"),
        (HEX[: len(HEX) // 2], "not a record|end record"),
        (":00000001FF\n", "no data"),
        (":0100000600F9\n:00000001FF\n", "type 6"),
        (":zz\n", "line 1 is not a record"),
        ("", "no data"),
        (":0100000001FE\n:02000004FFFFFC\n:0100000001FE\n:00000001FF\n", "spread"),
    ],
)
def test_damaged_files_are_refused(text: str, words: str) -> None:
    with pytest.raises(HexError, match=words):
        parse_hex(text)


@given(st.text(alphabet=":0123456789ABCDEF\n", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_hex(text)
    except HexError:
        return

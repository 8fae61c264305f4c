"""Link profiles: what cannot be is refused by the name of the key; TOML says the same as Python."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import DeclarationError
from protocols.profile import ASM, UART, LinkProfile, profile_from_toml


def test_the_uart_is_the_default() -> None:
    assert profile_from_toml("") == UART == LinkProfile()
    assert (UART.cadu_length, UART.block_length, UART.data_length, UART.data_offset) == (132, 128, 116, 6)
    assert (UART.vcfc_modulus, UART.idle_vcid) == (256, 7)


def test_every_key_can_be_said() -> None:
    text = """
        kind = "AOS"
        frame_length = 892
        asm = "1ACFFC1D"
        ocf = false
        fecf = true
        rs_depth = 4
        randomised = true
        alignment = "bit"
        insert_zone = 4
        header_error_control = true
    """
    profile = profile_from_toml(text)
    assert profile == LinkProfile(892, ASM, False, "AOS", True, 4, True, "bit", 0, 4, True)
    assert profile.cadu_length == 4 + 1020
    assert profile.data_length == 892 - 6 - 2 - 4 - 2 - 2
    assert profile.vcfc_modulus == 1 << 24


@pytest.mark.parametrize("text", ["off", "OFF"])
def test_the_asm_may_be_off(text: str) -> None:
    assert profile_from_toml(f'asm = "{text}"').asm == b""


def test_an_asm_may_be_spaced() -> None:
    assert profile_from_toml('asm = "1a cf fc 1d"').asm == ASM


@pytest.mark.parametrize(
    ("key", "switches"),
    [
        ("kind", {"kind": "USLP"}),
        ("alignment", {"alignment": "nibble"}),
        ("alignment", {"alignment": "bit", "asm": b""}),
        ("asm", {"asm": b"\x1a"}),
        ("frame_length", {"frame_length": 12}),
        ("frame_length", {"frame_length": 2049}),
        ("frame_length", {"frame_length": -1}),
        ("frame_length", {"frame_length": 65537, "kind": "AOS"}),
        ("frame_length", {"frame_length": 224, "rs_depth": 1}),
        ("frame_length", {"frame_length": 401, "rs_depth": 2}),
        ("rs_depth", {"rs_depth": 9}),
        ("rs_depth", {"rs_depth": -1}),
        ("secondary_header", {"secondary_header": 1}),
        ("secondary_header", {"secondary_header": 65}),
        ("secondary_header", {"secondary_header": 4, "kind": "AOS"}),
        ("insert_zone", {"insert_zone": 4}),
        ("insert_zone", {"insert_zone": -1, "kind": "AOS"}),
        ("header_error_control", {"header_error_control": True}),
    ],
)
def test_what_cannot_be_is_refused_by_its_key(key: str, switches: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError) as caught:
        LinkProfile(**switches)
    assert caught.value.path == f"profile.{key}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# mine\nframe_lenth = 128", ["profile.frame_lenth", "line 2", "did you mean 'frame_length'"]),
        ("xyzzy = 1", ["profile.xyzzy", "known: frame_length"]),
        ("[deframer]\nocf = true", ["profile.deframer", "line 1"]),
        ("frame_length = true", ["profile.frame_length", "line 1", "whole number"]),
        ("ocf = 1", ["profile.ocf", "true or false"]),
        ("kind = 3", ["profile.kind", "a text"]),
        ('asm = "1ACF FC1"', ["profile.asm", "hex"]),
        ("asm = 7", ["profile.asm", "line 1"]),
        ("ocf = maybe", ["not TOML", "line 1"]),
    ],
)
def test_a_wrong_text_is_refused_with_its_place(text: str, words: list[str]) -> None:
    with pytest.raises(DeclarationError) as caught:
        profile_from_toml(text)
    for word in words:
        assert word in str(caught.value)


@given(st.text())
def test_any_text_at_all(text: str) -> None:
    try:
        profile_from_toml(text)
    except DeclarationError as error:
        assert error.path.startswith("profile")

"""Link profiles: what cannot be is refused by the name of the key; TOML says the same as Python."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.capture_profile import CaptureProfile, PacketsProfile, TcProfile
from protocols.errors import DeclarationError
from protocols.profile import ASM, UART, ChannelForm, LinkProfile
from protocols.profile_text import profile_from_toml, profile_to_toml, read_profile


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


@pytest.mark.parametrize(
    "profile",
    [
        UART,
        LinkProfile(892, b"", False, "AOS", True, 4, True, "byte", 0, 4, True, rs_decode=False, packet_versions=(0, 4)),
        LinkProfile(secondary_header=70, secondary_header_id=False, channels=(ChannelForm(3, False, "VCA"),)),
        LinkProfile(kind="AOS", data_field="B_PDU", channels=(ChannelForm(1, True), ChannelForm(63, None, "packets"))),
        PacketsProfile(skip=9, packet_versions=(4,)),
        TcProfile("TC", fecf=False),
        TcProfile("CLTU", segmented=True, randomised=True),
    ],
)
def test_profile_written_as_toml_reads_back(profile: CaptureProfile) -> None:
    assert read_profile(profile_to_toml(profile)) == profile


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('kind = "packets"\nskip = -1', ["profile.skip", "-1"]),
        ('kind = "packets"\nframe_length = 9', ["profile.frame_length", "line 2", "known: skip"]),
        ('kind = "TC"\nrandomised = true', ["profile.randomised", "CLTU"]),
        ('kind = "CLTU"\npacket_versions = [7]', ["profile.packet_versions", "0 … 6"]),
        ("packet_versions = 4", ["profile.packet_versions", "list of numbers"]),
        ("packet_versions = []", ["profile.packet_versions"]),
        ('kind = "BTP"', ["profile.kind", "CLTU"]),
        ('data_field = "B_PDU"', ["profile.data_field", "AOS"]),
        ('data_field = "IDLE"', ["profile.data_field", "IDLE"]),
        ("vc = 3", ["profile.vc", "[vc.3]"]),
        ("[vc.three]\nocf = true", ["profile.vc", "three"]),
        ("[vc.8]\nocf = true", ["profile.vc", "0 … 7"]),
        ("[vc.1]\nfecf = true", ["profile.fecf", "known: ocf"]),
    ],
)
def test_key_of_another_kind_is_refused_by_name(text: str, words: list[str]) -> None:
    with pytest.raises(DeclarationError) as caught:
        read_profile(text)
    assert all(word in str(caught.value) for word in words), str(caught.value)

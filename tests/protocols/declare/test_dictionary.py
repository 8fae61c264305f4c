"""The declaration of a mission: what loading a large one takes."""

from __future__ import annotations

import sys
from types import FrameType

import pytest
from construct import BitsInteger, BitStruct, Enum, Float32b, Int8ub, Int16ub, Struct

from protocols.declare.dictionary import Dictionary, EventDef, PacketDef
from protocols.structures.fields import Limits, Quantity


def _packet(number: int, groups: int) -> PacketDef:
    """A packet of five parameters a group: a calibrated one with limits, a float, an enum, two that share a byte."""
    fields = []
    for n in range(groups):
        fields += [
            f"volt_{n}" / Quantity(Int16ub, "V", scale=0.1, limits=Limits(0, 1, 8, 9), valid_if=f"bits_{n}.high"),
            f"float_{n}" / Float32b,
            f"mode_{n}" / Enum(Int8ub, OFF=0, ON=1),
            f"bits_{n}" / BitStruct("low" / BitsInteger(3), "high" / BitsInteger(5)),
        ]
    return PacketDef(f"HK{number}", 1 + number, 3, 25, Struct(*fields), 1000, "Housekeeping.")


def _calls_to_load(packets: tuple[PacketDef, ...]) -> int:
    """How many functions are called, Python's and C's, while a dictionary of these packets is made."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        Dictionary("BIG", 1, packets, (), (), ())
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("in_one_packet", [True, False], ids=["one packet", "many packets"])
def test_work_of_loading_grows_linearly_with_the_parameters(in_one_packet: bool) -> None:
    def packets(groups: int) -> tuple[PacketDef, ...]:
        return (_packet(0, groups),) if in_one_packet else tuple(_packet(n, 2) for n in range(groups // 2))

    _calls_to_load(packets(10))  # what is imported and cached at first
    few, many = _calls_to_load(packets(100)), _calls_to_load(packets(400))
    assert 3 * few < many < 4.4 * few


def test_huge_packet_decodes_and_encodes_its_last_field() -> None:
    mission = Dictionary("BIG", 1, (_packet(0, 2000),), (), (), ())
    packet = mission.by_name["HK0"]
    assert len(packet.parameters) == 10_000
    assert packet.codec.size == 2000 * 8
    body = bytes(2000 * 8 - 8) + bytes.fromhex("000a 3f800000 01 3f")
    values = packet.codec.decode(body, 0)
    assert list(values.items())[-5:] == [
        ("volt_1999", 1.0),
        ("float_1999", 1.0),
        ("mode_1999", "ON"),
        ("bits_1999.low", 1),
        ("bits_1999.high", 31),
    ]
    assert packet.codec.encode_raw(*packet.codec.decode_raw(body, 0)) == body


def test_an_events_number_is_told_in_its_unit() -> None:
    event = EventDef(11, "IMPACT", "WARNING_HI", "hit the ground at {a:.2f} m/s after {b} s", scales={"a": 0.01})
    assert event.told({"a": 6091, "b": 60}) == "hit the ground at 60.91 m/s after 60 s"

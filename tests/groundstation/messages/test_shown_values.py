"""Values as outlets show them: rounded as Python rounds, bytes in hex."""

from __future__ import annotations

import construct
from hypothesis import example, given
from hypothesis import strategies as st

from groundstation.messages.shown_values import shown_values
from protocols.declare.dictionary import ChannelDef, Dictionary, Packet, PacketDef
from protocols.structures.fields import Quantity


def packet_of(*fields: construct.Construct[object, object]) -> Packet:
    body = construct.Struct(*fields)
    channels = (ChannelDef(0, "lander", "LANDER", 100),)
    return Dictionary("T", 1, (PacketDef("P", 1, 3, 25, body),), (), channels, ()).by_name["P"]


def rounded_to(places: int) -> Packet:
    return packet_of("x" / Quantity(construct.Int16ub, "m", scale=0.01, decimals=places))


PACKETS = {places: rounded_to(places) for places in (0, 1, 2, 3, 9, 12)}


@given(st.sampled_from(sorted(PACKETS)), st.floats() | st.integers(-(2**40), 2**40).map(lambda raw: raw * 0.01))
@example(2, 2.675)
@example(1, 0.25)
@example(0, 0.5)
@example(2, -0.001)
@example(9, 123456789.1234567)
def test_floats_are_rounded_as_python_rounds_them(places: int, value: float) -> None:
    shown = shown_values(PACKETS[places], {"x": value}, []).values["x"]
    assert repr(shown) == repr(round(value, places))


def test_bytes_are_shown_in_hex() -> None:
    packet = packet_of("key" / construct.Bytes(2), "n" / construct.Int8ub)
    assert shown_values(packet, {"key": b"\x0a\xff", "n": 5}, []).values == {"key": "0aff", "n": 5}


def test_values_without_meaning_are_absent() -> None:
    packet = packet_of("lock" / construct.Flag, "x" / Quantity(construct.Int16ub, "m", scale=0.1, valid_if="lock"))
    decoded = packet.decode(packet.encode({"lock": 0, "x": 15}, time_ns=0))
    shown = shown_values(packet, decoded, packet.void(decoded))
    assert (shown.values, shown.invalid) == ({"lock": False, "x": None}, ["x"])

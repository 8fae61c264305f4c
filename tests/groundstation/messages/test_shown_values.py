"""Values as outlets show them: rounded as Python rounds, bytes in hex."""

from __future__ import annotations

import construct

from groundstation.messages.shown_values import shown_values
from protocols.declare.dictionary import ChannelDef, Dictionary, Packet, PacketDef
from protocols.structures.fields import Quantity


def packet_of(*fields: construct.Construct[object, object]) -> Packet:
    body = construct.Struct(*fields)
    channels = (ChannelDef(0, "lander", "LANDER", 100),)
    return Dictionary("T", 1, (PacketDef("P", 1, 3, 25, body),), (), channels, ()).by_name["P"]


def rounded_to(places: int) -> Packet:
    return packet_of("x" / Quantity(construct.Int16ub, "m", scale=0.01, decimals=places))


def test_calibrated_values_are_rounded_to_their_decimals() -> None:
    assert [shown_values(rounded_to(n), {"x": 39 * 0.01}, []).values["x"] for n in (0, 1, 2)] == [0.0, 0.4, 0.39]


def test_bytes_are_shown_in_hex() -> None:
    packet = packet_of("key" / construct.Bytes(2), "n" / construct.Int8ub)
    assert shown_values(packet, {"key": b"\x0a\xff", "n": 5}, []).values == {"key": "0aff", "n": 5}


def test_values_without_meaning_are_absent() -> None:
    packet = packet_of("lock" / construct.Flag, "x" / Quantity(construct.Int16ub, "m", scale=0.1, valid_if="lock"))
    decoded = packet.decode(packet.encode({"lock": 0, "x": 15}, time_ns=0))
    shown = shown_values(packet, decoded, packet.void(decoded))
    assert (shown.values, shown.invalid) == ({"lock": False, "x": None}, ["x"])

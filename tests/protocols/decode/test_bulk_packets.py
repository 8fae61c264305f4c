"""The bulk decoder against the live one: every column, every row."""

from __future__ import annotations

import random

import construct as c
import numpy as np
import pytest

from protocols.ccsds import pus
from protocols.declare.dictionary import Dictionary, Packet, PacketDef, utc_ns
from protocols.decode import bulk_packets as bulk
from protocols.errors import DeclarationError, DecodeError
from protocols.lander import MARS6
from protocols.structures.fields import Quantity

START = utc_ns("1974-03-12T09:05:53")
ODD = c.Struct(
    "u24" / c.Int24ub,
    "s24" / c.Int24sb,
    "s48" / c.BytesInteger(6, signed=True),
    "u64" / c.Int64ub,
    "f32" / Quantity(c.Float32b, scale=0.1, offset=1.0),
    "f64" / c.Float64b,
    c.Padding(3),
    "flag" / c.Flag,
    "whole" / Quantity(c.Int16ub, scale=3, offset=-7),
    "raw" / c.Bytes(5),
    "bits"
    / c.BitStruct(
        "a" / c.BitsInteger(3),
        "b" / c.BitsInteger(13, signed=True),
        c.Padding(1),
        "c" / c.Flag,
        "d" / c.Enum(c.BitsInteger(6), X=1, Y=2),
        "e" / Quantity(c.BitsInteger(40), scale=0.25),
    ),
    "pairs" / c.Array(2, c.Int8sb),
)


def prepared(body: c.Construct) -> Packet:
    """A packet type of its own."""
    return Dictionary("M", 1, (PacketDef("BODY", 1, 3, 25, body, 0, ""),), (), (), ()).by_name["BODY"]


def packets_of(packet: Packet, count: int) -> list[bytes]:
    """Random packets, one a second."""
    chance, size = random.Random(6), packet.layout.min_size
    return [packet.wrap(chance.randbytes(size), i, START + i * 1_000_000_000, counter=i) for i in range(count)]


def plain(value: np.generic) -> object:
    """A numpy scalar as the live decoder gives it."""
    return value.tobytes() if isinstance(value, np.void) else value.item()


@pytest.mark.parametrize("packet", [*MARS6.by_name.values(), prepared(ODD)], ids=lambda p: p.definition.name)
def test_columns_hold_what_the_live_decoder_gives(packet: Packet) -> None:
    packets = packets_of(packet, 200)
    columns = bulk.decode_batch(packets, packet)
    words = bulk.labels(packet)
    assert list(columns) == [p.name for p in packet.parameters]
    for row, data in enumerate(packets):
        live = packet.codec.decode(data, pus.BODY_OFFSET)
        for name, column in columns.items():
            value = plain(column[row])
            if name in words:
                value = words[name].get(value, value)  # type: ignore[call-overload]
            assert repr(value) == repr(live[name]), (name, row)


def test_a_list_and_the_joined_bytes_are_the_same() -> None:
    packet = MARS6.by_name["DESCENT"]
    packets = packets_of(packet, 5)
    left, right = bulk.decode_batch(packets, packet), bulk.decode_batch(b"".join(packets), packet)
    assert all(np.array_equal(left[name], right[name]) for name in left)
    assert len(bulk.decode_batch(b"", packet)["tick"]) == 0


def test_times_are_exact() -> None:
    packet = MARS6.by_name["DESCENT"]
    assert bulk.decode_times(packets_of(packet, 3), packet).tolist() == [START + i * 1_000_000_000 for i in range(3)]


def test_wrong_lengths_and_constants_are_refused() -> None:
    packet = MARS6.by_name["DESCENT"]
    packets = packets_of(packet, 3)
    with pytest.raises(DecodeError, match="not whole packets"):
        bulk.decode_batch(packets[0][:-1], packet)
    with pytest.raises(DecodeError, match="DESCENT: packet 1 has 49 bytes, not 50"):
        bulk.decode_batch([packets[0], packets[1][:-1], packets[2] + b"\0"], packet)
    constant = prepared(
        c.Struct("magic" / c.Const(b"\x1a\xcf", c.Bytes(2)), "n" / c.Const(7, c.Int8ub), "a" / c.Int8ub)
    )
    header = pus.TmHeader(3, 25, 0, 0, START)
    good, bad = (pus.encode_tm(1, 0, header, body) for body in (b"\x1a\xcf\7\1", b"\x1a\xcf\x08\1"))
    assert bulk.decode_batch(good, constant)["a"].tolist() == [1]
    with pytest.raises(DecodeError, match=r"BODY: n is .*8.* in packet 1"):
        bulk.decode_batch([good, bad], constant)


def test_a_number_too_wide_for_numpy_is_refused() -> None:
    packet = prepared(c.Struct("a" / c.BytesInteger(9)))
    with pytest.raises(DeclarationError, match="a: a number of 9 bytes"):
        bulk.decode_batch(packets_of(packet, 1), packet)

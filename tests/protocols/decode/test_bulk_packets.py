"""The bulk decoder against the live one: every column, every row."""

from __future__ import annotations

import random
from typing import Any

import construct as c
import numpy as np
import pytest

from protocols.ccsds import pus
from protocols.declare.dictionary import Dictionary, Packet, PacketDef, utc_ns
from protocols.declare.headers import NO_HEADER, PacketHeader, TimeCode, cds_time, cuc_time
from protocols.decode import bulk_packets as bulk
from protocols.errors import DeclarationError, DecodeError
from protocols.lander import MARS6
from protocols.structures.calibration import Polynomial, Table
from protocols.structures.fields import EnumRanges, Quantity
from protocols.structures.layout import Field, Layout
from protocols.structures.parts import Text, fixed

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
NEW = c.Struct(
    "u16" / c.Int16ul,
    "s24" / c.Int24sl,
    "s56" / c.BytesInteger(7, signed=True, swapped=True),
    "f16" / c.Float16b,
    "f32" / c.Float32l,
    "name" / c.PaddedString(6, "utf8"),
    "wide" / c.FixedSized(4, c.CString("utf_16_le")),
    "curve" / Quantity(c.Int16sl, "K", calibration=Polynomial((1.5, -0.25, 3e-7, 1e-9))),
    "table" / Quantity(c.Int8ub, calibration=Table(((10, 1), (100, 5), (200, 5), (210, -3)))),
    "steps" / Quantity(c.Int64ub, calibration=Table(((0, 1), (2**62, 7)), "none", extrapolate=True)),
    "of_float" / Quantity(c.Float32b, calibration=Table(((-1, 0), (1, 9)), extrapolate=True)),
    "range" / EnumRanges(c.Int8sb, COLD=(-128, -1), WARM=(0, 99), HOT=120),
    "bits" / c.BitStruct("a" / c.BitsInteger(60), "b" / c.BitsInteger(63, signed=True), "c" / c.BitsInteger(5)),
)
SHIFTED = fixed(
    [
        Field("lead", 0, 3, "uint"),
        Field("float", 0, 32, "float"),
        Field("double", 0, 64, "float", little=True),
        Field("text", 0, 32, "string", text=Text("ascii")),
        Field("octets", 0, 24, "bytes"),
        Field("swapped", 0, 16, "sint", little=True),
        Field("long", 0, 64, "sint"),
        Field("tail", 0, 5, "sint"),
    ]
)
"""What a foreign definition may hold: nothing of it begins on a byte."""

VARIABLE = c.Struct(
    "n" / c.Int8ub,
    "mode" / c.Enum(c.Int8ub, A=0, B=1),
    "volt" / Quantity(c.Int16ub, "V", scale=0.5),
    "list" / c.Array(c.this.n & 3, c.Struct("x" / Quantity(c.Int8ub, scale=0.1), "y" / c.Int8ub)),
    "opt" / c.If(c.this.mode == "A", c.Int8ub),
    "real" / c.If(c.this.mode == "B", c.Float32b),
    "text" / c.PascalString(c.Int8ub, "utf8"),
    "rest" / c.GreedyBytes,
)


def prepared(body: c.Construct | Layout) -> Packet:
    """A packet type of its own."""
    return Dictionary("M", 1, (PacketDef("BODY", 1, 3, 25, body, 0, ""),), (), (), ()).by_name["BODY"]


def packets_of(packet: Packet, count: int) -> list[bytes]:
    """Random packets, one a second."""
    chance, size = random.Random(6), packet.layout.min_size
    return [packet.wrap(chance.randbytes(size), i, START + i * 1_000_000_000, counter=i) for i in range(count)]


def plain(value: np.generic | str) -> object:
    """A numpy scalar as the live decoder gives it."""
    if isinstance(value, str):
        return value
    return value.tobytes() if isinstance(value, np.void) else value.item()


PACKETS = {**MARS6.by_name, "odd": prepared(ODD), "new": prepared(NEW), "shifted": prepared(SHIFTED)}


@pytest.mark.parametrize("packet", PACKETS.values(), ids=PACKETS)
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


def test_fixed_arrays_in_packets_of_variable_size_are_columns() -> None:
    item = c.Struct("x" / c.Int8ub, "y" / c.Array(2, c.Int16ul))
    packet = prepared(c.Struct("a" / c.Array(2, c.Int8ub), "p" / c.PrefixedArray(c.Int8ub, item)))
    bodies = (b"\1\2\0", b"\3\4\1\5\6\0\7\0", b"\5\6\2\1\2\0\3\0\4\5\0\6\0")
    packets = [pus.encode_tm(1, n, pus.TmHeader(3, 25, 0, 0, START), body) for n, body in enumerate(bodies)]
    assert {name: column.tolist() for name, column in bulk.decode_batch(packets, packet).items()} == {
        "a[0]": [1, 3, 5],
        "a[1]": [2, 4, 6],
        "p[].x": [[], [5], [1, 4]],
        "p[].y[0]": [[], [6], [2, 5]],
        "p[].y[1]": [[], [7], [3, 6]],
    }


@pytest.mark.parametrize("cases", [{1: c.Int8ub, 2: c.Float32l}, {1: c.Float32l, 2: c.Int8ub}])
def test_a_name_that_is_a_float_in_some_case_is_a_float_column(cases: dict[int, Any]) -> None:
    packet = prepared(c.Struct("kind" / c.Int8ub, "v" / c.Switch(c.this.kind, cases)))
    bodies = {c.Int8ub: b"\5", c.Float32l: b"\0\0\xc0\x3f"}
    header = pus.TmHeader(3, 25, 0, 0, START)
    packets = [pus.encode_tm(1, kind, header, bytes([kind]) + bodies[cases[kind]]) for kind in (1, 2)]
    expected = [5.0, 1.5] if cases[1] is c.Int8ub else [1.5, 5.0]
    column = bulk.decode_batch(packets, packet)["v"]
    assert (column.dtype, column.tolist()) == (np.dtype(np.float64), expected)


def test_packets_of_variable_size_become_columns() -> None:
    packet = prepared(VARIABLE)
    repeated: dict[str, int | float | str | bytes] = {f"list[{i}].{name}": i for i in range(2) for name in "xy"}
    rows: list[dict[str, int | float | str | bytes]] = [
        {"n": 1, "mode": 0, "volt": 7, "list[0].x": 30, "list[0].y": 4, "opt": 9, "text": "grün", "rest": b""},
        {"n": 4, "mode": 1, "volt": 8, "real": 0.5, "text": "", "rest": b"end"},
        {"n": 2, "mode": 1, "volt": 9, "real": 2.0, "text": "x", "rest": b"\0", **repeated},
    ]
    packets = [packet.encode(row, n, START + n * 10**9) for n, row in enumerate(rows)]
    for given in (packets, b"".join(packets)):
        columns = {name: column.tolist() for name, column in bulk.decode_batch(given, packet).items()}
        assert repr(columns) == repr(
            {
                "n": [1, 4, 2],
                "mode": [0, 1, 1],
                "volt": [3.5, 4.0, 4.5],
                "list[].x": [[3.0], [], [0.0, 0.1]],
                "list[].y": [[4], [], [0, 1]],
                "opt": [9, None, None],
                "real": [float("nan"), 0.5, 2.0],
                "text": ["grün", "", "x"],
                "rest": [b"", b"end", b"\0"],
            }
        )
        assert bulk.decode_times(given, packet).tolist() == [START + n * 10**9 for n in range(3)]
    with pytest.raises(DecodeError, match="bytes wanted"):
        bulk.decode_batch([packets[0][:-4]], packet)


@pytest.mark.parametrize(
    "code",
    [
        cds_time(),
        cds_time(3, 2),
        cds_time(2, 4, epoch_ns=0),
        cuc_time(),
        cuc_time(4, 4),
        cuc_time(5, 1),
        cuc_time(4, 7),
        cuc_time(3, 0, epoch_ns=0, p_field=True),
        cuc_time(leap_seconds=True),
        cuc_time(4, 3, epoch_ns=utc_ns("1980-01-06T00:00:00"), leap_seconds=True),
        cuc_time(4, 6, epoch_ns=utc_ns("2000-01-01T12:00:00"), leap_seconds=True),
    ],
    ids=str,
)
def test_times_of_any_code_are_those_of_the_live_decoder(code: TimeCode) -> None:
    header = PacketHeader("own", code)
    packet = Dictionary("M", 1, (PacketDef("T", 1, body=c.Struct("a" / c.Int8ub), header=header),), (), (), ())
    times = [code.format.epoch_ns + t for t in (0, 1, 86_399_999_999_999, 8_000_000_123_456_789, 16 * 10**15)]
    packets = [packet.by_name["T"].encode({"a": 1}, n, time) for n, time in enumerate(times)]
    found = bulk.decode_times(packets, packet.by_name["T"]).tolist()
    assert found == [header.decode(each).time_ns for each in packets]


def test_packets_without_a_time_have_none() -> None:
    made = Dictionary("M", 1, (PacketDef("T", 1, body=c.Struct("a" / c.Int8ub), header=NO_HEADER),), (), (), ())
    packet = made.by_name["T"]
    assert bulk.decode_times(packet.encode({"a": 1}), packet).tolist() == [bulk.NO_TIME]
    assert bulk.decode_batch(packet.encode({"a": 1}), packet)["a"].tolist() == [1]

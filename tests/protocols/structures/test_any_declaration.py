"""Declarations of all kinds, put together at random: ours against construct."""

from __future__ import annotations

from typing import Any

import construct as c
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import DecodeError
from protocols.structures.calibration import Polynomial, Table
from protocols.structures.fields import EnumRanges, Quantity
from protocols.structures.layout import layout_of
from protocols.structures.parts import assemble
from protocols.structures.variable_codec import variable_codec_of
from tests.protocols.structures.test_variable_codec import flatten

NUMBERS = (
    *(c.Int8ub, c.Int8sb, c.Int16ub, c.Int16sl, c.Int24ul, c.Int24sb, c.Int32ul, c.Int64sb, c.Int64ul, c.Flag),
    *(c.Float16l, c.Float32b, c.Float32l, c.Float64l, c.BytesInteger(7, signed=True, swapped=True)),
)
MEANINGS = (
    Quantity(c.Int16ul, "V", scale=0.1, offset=-3),
    Quantity(c.Int8sb, calibration=Polynomial((1.5, 0.25, -3e-3))),
    Quantity(c.Int8ub, calibration=Table(((0, 1), (100, 9), (255, -4)))),
    Quantity(c.Float32l, calibration=Table(((-1, 1), (1, 9)), "none", extrapolate=True)),
    c.Enum(c.Int8ub, A=1, B=2),
    EnumRanges(c.Int8sb, LOW=(-128, -5), HIGH=(0, 99)),
    c.PaddedString(4, "ascii"),
    c.Bytes(3),
    c.BitStruct("p" / c.BitsInteger(5), "q" / c.BitsInteger(10, signed=True), "r" / c.Flag),
    c.PascalString(c.Int8ub, "latin-1"),
    c.Prefixed(c.Int8ub, c.GreedyBytes),
    c.Prefixed(c.Int16ul, c.GreedyBytes, includelength=True),
)
LEAVES = st.sampled_from(NUMBERS + MEANINGS)


@st.composite
def structs(draw: st.DrawFn, depth: int = 2) -> c.Construct:
    """A Struct that begins with two small numbers, on which its other fields may depend."""
    fields = ["n" / c.Int8ub, "m" / c.Int8ub]
    for number in range(draw(st.integers(0, 4))):
        fields.append(f"f{number}" / draw(parts(depth)))
    return c.Struct(*fields)


@st.composite
def parts(draw: st.DrawFn, depth: int) -> Any:
    """A field, or, as long as depth is left, something around others."""
    kind = draw(st.sampled_from(["leaf", "leaf", "sized", "array", "counted", "prefixed", "if", "switch", "window"]))
    if kind == "leaf" or depth == 0:
        return draw(LEAVES)
    if kind == "sized":
        return c.Bytes(draw(st.sampled_from([c.this.n & 7, c.this.n // 50 + 1, c.this.m % 3 * 2, (c.this.m >> 6) + 1])))
    inner = draw(st.one_of(LEAVES, structs(depth - 1)))
    if kind == "array":
        return c.Array(draw(st.integers(0, 3)), inner)
    if kind == "counted":
        return c.Array(c.this.n & 3, inner)
    if kind == "prefixed":
        return c.PrefixedArray(c.Int8ub, inner)
    if kind == "if":
        return c.IfThenElse(
            draw(st.sampled_from([c.this.n > 100, c.this.m == 7, (c.this.n < 9) | (c.this.m < 9)])), inner, c.Pass
        )
    if kind == "switch":
        return c.Switch(
            c.this.m & 3, {0: c.Struct("a" / inner), 1: c.Struct("b" / draw(LEAVES))}, default=c.Struct("c" / c.Int8ub)
        )
    return c.Prefixed(c.Int8ub, c.Struct("inside" / inner))


@settings(max_examples=300)
@given(structs(), st.data())
def test_any_declaration_is_decoded_as_construct_does(declaration: c.Construct, data: st.DataObject) -> None:
    layout = layout_of(declaration, "top")
    codec = variable_codec_of(assemble([layout]), "top")
    octet = st.one_of(st.integers(0, 3), st.integers(0, 255))
    octets = bytes(data.draw(st.one_of(st.lists(octet, max_size=30), st.lists(octet, min_size=60, max_size=150))))
    try:
        theirs: dict[str, Any] | None = flatten(declaration.parse(octets))
    except c.StringError:
        theirs = None
    except c.ConstructError:
        theirs = {}
    try:
        ours = codec.decode(octets)
    except DecodeError:
        assert not theirs
        return
    assert theirs is None or repr(ours) == repr(theirs)
    again = codec.encode_names(codec.decode_raw(octets))
    assert repr(codec.decode(again)) == repr(ours)

"""Generated codecs against construct, the oracle."""

from __future__ import annotations

from collections.abc import Mapping

import construct as c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ccsds import cds, clcw, pus, space_packet, tm_frame
from protocols.errors import DeclarationError, DecodeError, EncodeError
from protocols.lander import MARS6
from protocols.structures.codec import compile_codec
from protocols.structures.fields import Limits, Quantity
from protocols.structures.layout import layout_of

EVERYTHING = c.Struct(
    "u8" / c.Int8ub,
    "s8" / c.Int8sb,
    "u16" / c.Int16ub * "with a doc",
    "u24" / c.Int24ub,
    "s24" / c.Int24sb,
    "s32" / c.Int32sb,
    "u64" / c.Int64ub,
    "f" / c.Float64b,
    c.Padding(3),
    "flag" / c.Flag,
    "mode" / c.Enum(c.Int8ub, OFF=0, ON=1),
    "kelvin" / Quantity(c.Int16ub, "K", scale=0.05, offset=120.0),
    "raw" / c.Bytes(5),
    "bits"
    / c.BitStruct(
        "a" / c.BitsInteger(3),
        "b" / c.BitsInteger(13, signed=True),
        c.Padding(1),
        "c" / c.Flag,
        "d" / c.Enum(c.BitsInteger(6), X=1, Y=2),
    ),
    "triple" / c.Array(3, c.Int16ub),
    "nested" / c.Struct("x" / c.Int8ub, "y" / c.Int16sb),
)

DECLARATIONS = {
    "everything": EVERYTHING,
    "tm": tm_frame.PRIMARY_HEADER,
    "packet": space_packet.PRIMARY_HEADER,
    "pus": pus.TM_SECONDARY_HEADER,
    "cds": cds.CDS,
    "clcw": clcw.CLCW,
    **{p.name: p.body for p in MARS6.packets},
}


def flatten(value: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """A construct Container as dotted names."""
    out: dict[str, object] = {}
    for key, item in value.items():
        if key == "_io":
            continue
        name = f"{prefix}{key}"
        if isinstance(item, c.Container):
            out |= flatten(item, name + ".")
        elif isinstance(item, c.ListContainer):
            out |= {f"{name}[{i}]": x for i, x in enumerate(item)}
        elif isinstance(item, c.EnumIntegerString):
            out[name] = str(item)
        elif isinstance(item, c.EnumInteger):
            out[name] = int(item)
        else:
            out[name] = item
    return out


def same(left: Mapping[str, object], right: Mapping[str, object]) -> bool:
    """Equal, NaN included."""
    return repr(left) == repr(right)


@pytest.mark.parametrize("name", DECLARATIONS)
@given(data=st.data())
def test_generated_decoder_equals_construct(name: str, data: st.DataObject) -> None:
    declaration = DECLARATIONS[name]
    codec = compile_codec(declaration, name)
    raw = data.draw(st.binary(min_size=codec.size, max_size=codec.size))
    assert codec.size == declaration.sizeof()
    assert same(codec.decode(raw, 0), flatten(declaration.parse(raw)))


@pytest.mark.parametrize("name", DECLARATIONS)
@given(data=st.data())
def test_raw_values_encode_to_the_bytes_they_came_from(name: str, data: st.DataObject) -> None:
    declaration = DECLARATIONS[name]
    codec = compile_codec(declaration, name)
    raw = data.draw(st.binary(min_size=codec.size, max_size=codec.size))
    once = codec.encode_raw(*codec.decode_raw(raw, 0))  # padding and flags become canonical
    assert codec.encode_raw(*codec.decode_raw(once, 0)) == once
    assert same(codec.decode(once, 0), flatten(declaration.parse(once)))


def test_offset_and_trailing_bytes() -> None:
    codec = compile_codec(c.Struct("a" / c.Int16ub), "x")
    assert codec.decode(b"\xff\x01\x02\xff", 1) == {"a": 0x0102}


def test_short_input_names_what_was_wanted() -> None:
    codec = compile_codec(c.Struct("a" / c.Int32ub), "HK")
    with pytest.raises(DecodeError, match="HK: 4 bytes wanted, 3 given"):
        codec.decode(b"abc", 0)


def test_const_is_checked_and_not_returned() -> None:
    codec = compile_codec(c.Struct("magic" / c.Const(7, c.Int8ub), "a" / c.Int8ub), "x")
    assert codec.decode(b"\x07\x01", 0) == {"a": 1}
    assert codec.encode_raw(1) == b"\x07\x01"
    with pytest.raises(DecodeError, match="magic is 8, not 7"):
        codec.decode(b"\x08\x01", 0)


@pytest.mark.parametrize(
    ("declaration", "path"),
    [
        (c.Struct("a" / c.Struct("b" / c.Computed(1))), "top.a.b"),
        (c.Struct("a" / c.Int16un), "top.a"),
        (c.Struct("a" / c.Bytes(lambda this: 3)), "top.a"),
        (c.Struct("a" / c.VarInt), "top.a"),
        (c.Struct("a" / c.Switch(0, {})), "top.a"),
        (c.Struct("a" / c.ByteSwapped(c.BitStruct("x" / c.BitsInteger(16)))), "top.a"),
        (c.Struct(c.Int8ub), "top"),
        (c.Struct("a" / c.Padded(4, c.Int8ub)), "top.a"),
        (c.Struct("a" / c.Int8ub, "a" / c.Int8ub), "top.a"),
        (c.Struct("a" / c.Array(lambda this: 2, c.Int8ub)), "top.a"),
    ],
)
def test_unknown_types_are_refused_with_their_path(declaration: c.Construct, path: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        layout_of(declaration, "top")
    assert caught.value.path == path


def test_a_value_that_does_not_fit_is_refused() -> None:
    codec = compile_codec(c.Struct("a" / c.Int8ub), "x")
    with pytest.raises(EncodeError):
        codec.encode_raw(256)
    bits = compile_codec(c.BitStruct("a" / c.BitsInteger(3), "b" / c.BitsInteger(5)), "x")
    with pytest.raises(EncodeError, match=r"x\.a is 8: the range is 0 … 7"):
        bits.encode_raw(8, 0)
    with pytest.raises(EncodeError, match="missing or unknown: b, z"):
        bits.encode_names({"a": 1, "z": 2})


@pytest.mark.parametrize(
    ("value", "state"),
    [
        (0.9, "RED_LOW"),
        (1.0, "YELLOW_LOW"),
        (2.0, "GREEN"),
        (3.0, "GREEN"),
        (3.1, "YELLOW_HIGH"),
        (4.1, "RED_HIGH"),
        (float("nan"), "RED_HIGH"),
    ],
)
def test_limits(value: float, state: str) -> None:
    assert Limits(1.0, 2.0, 3.0, 4.0).state(value) == state

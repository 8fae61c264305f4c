"""Generated codecs against construct, the oracle."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import construct as c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ccsds import cds, clcw, pus, space_packet, tm_frame
from protocols.errors import DeclarationError, DecodeError, EncodeError
from protocols.lander import MARS6
from protocols.structures.calibration import Polynomial, Table
from protocols.structures.codec import codec_of, compile_codec
from protocols.structures.fields import EnumRanges, Limits, Quantity
from protocols.structures.layout import Field, layout_of
from protocols.structures.parts import Text, fixed

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


EVIL = "x{__import__('os').abort()}'\"\\n\\\\"


def test_a_name_does_not_become_code() -> None:
    leaves = [
        Field(f"a{EVIL}", 0, 8, "uint", const=7),
        Field(f"b{EVIL}", 0, 3, "uint"),
        Field(f"c{EVIL}", 0, 5, "sint"),
        Field(f"d{EVIL}", 0, 16, "bytes"),
        Field(f"e{EVIL}", 0, 16, "string", text=Text()),
    ]
    codec = codec_of(fixed(leaves), EVIL)
    assert codec.decode(b"\7\xff\1\2ok", 0) == {
        f"b{EVIL}": 7,
        f"c{EVIL}": -1,
        f"d{EVIL}": b"\1\2",
        f"e{EVIL}": "ok",
    }
    with pytest.raises(DecodeError):
        codec.decode(b"\6\xff\1\2ok", 0)
    for values in ((8, 0, b"12", ""), (0, 99, b"12", ""), (0, 0, b"1", ""), (0, 0, b"12", "long")):
        with pytest.raises(EncodeError):
            codec.encode_raw(*values)


LITTLE = c.Struct("a" / c.Int16ul, "b" / c.Int64sl, "f" / c.Float64l, "bits" / c.BitStruct("x" / c.BitsInteger(16)))
MIXED = c.Struct(
    "a" / c.Int16ul,
    "b" / c.Int32sb,
    "c" / c.Int24sl,
    "d" / c.Float32l,
    "e" / c.Float16l,
    "f" / c.Float16b,
    "text" / c.PaddedString(5, "ascii"),
    "wide" / c.PaddedString(6, "utf_16_be"),
    "cut" / c.FixedSized(4, c.CString("ascii")),
    "whole" / c.FixedSized(3, c.GreedyString("ascii")),
    "range" / EnumRanges(c.Int8sb, LOW=(-128, -2), MID=0, HIGH=(1, 100)),
    "curve" / Quantity(c.Int16sb, "K", calibration=Polynomial((1, -2.5, 0.25, 1e-6))),
    "table" / Quantity(c.Int8ub, calibration=Table(((3, 1), (9, 4), (200, -7)), extrapolate=True)),
)


@pytest.mark.parametrize("declaration", [LITTLE, MIXED], ids=["little", "mixed"])
@given(data=st.data())
def test_new_kinds_equal_construct(declaration: c.Construct, data: st.DataObject) -> None:
    codec = compile_codec(declaration, "x")
    raw = data.draw(st.binary(min_size=codec.size, max_size=codec.size))
    ours = codec.decode(raw, 0)
    again = codec.encode_raw(*codec.decode_raw(raw, 0))  # a signalling NaN becomes a quiet one
    assert repr(codec.decode_raw(again, 0)) == repr(codec.decode_raw(raw, 0))
    try:
        theirs = flatten(declaration.parse(raw))
    except (c.StringError, c.StreamError):  # no such character, or no NUL: ours is lenient
        return
    assert same(ours, theirs)


def test_text_that_is_damaged_is_shown_with_its_bytes() -> None:
    codec = compile_codec(c.Struct("t" / c.PaddedString(4, "utf8"), "n" / c.Int8ub), "x")
    assert codec.decode(b"a\xffb\0\7", 0) == {"t": "a\\xffb", "n": 7}
    assert codec.encode_raw("äb", 7) == "äb".encode() + b"\0\7"
    with pytest.raises(EncodeError, match="5 bytes in utf-8: at most 4 fit"):
        codec.encode_raw("abcde", 7)
    with pytest.raises(EncodeError, match="cannot be written in ascii"):
        compile_codec(c.Struct("t" / c.PaddedString(4, "ascii")), "x").encode_raw("ä")


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        (lambda: c.Enum(c.Int8ub, A=1, B=2, C=1), "'A' and 'C' are both 1"),
        (lambda: EnumRanges(c.Int8ub, A=(1, 5), B=5), r"B: its range 5 … 5 overlaps that of A"),
        (lambda: EnumRanges(c.Int8ub, A=(5, 1)), "A: its range 5 … 1 ends before it begins"),
        (lambda: EnumRanges(c.Int8ub, NaN=1), "'NaN' cannot be a label"),
        (lambda: Quantity(c.Int8ub, scale=2, calibration=Polynomial((1,))), "a calibration and a scale"),
        (lambda: Quantity(c.Int8ub, scale=0), "scale not 0"),
        (lambda: Quantity(c.BytesInteger(9), scale=2), r"top\.a: an integer of 72 bits cannot be calibrated"),
        (lambda: Quantity(c.Int8ub, calibration=Table(((1, 1),))), "1 points are too few"),
        (lambda: Quantity(c.Int8ub, calibration=Table(((1, 1), (1, 2)))), "must rise"),
        (lambda: Quantity(c.Int8ub, calibration=Polynomial((float("inf"),))), "finite numbers"),
        (lambda: Quantity(c.Enum(c.Int8ub, A=1), scale=2), "an enumeration is of numbers without a calibration"),
        (lambda: c.Enum(c.Float32b, A=1), "an enumeration is of whole numbers"),
        (lambda: Quantity(c.Bytes(2), "V"), "a field of kind bytes is not a quantity"),
        (lambda: c.FixedSized(5, c.GreedyString("idna")), "'idna' is not an encoding of text"),
        (lambda: c.FixedSized(5, c.GreedyString("base64")), "'base64' is not an encoding of text"),
        (lambda: c.FixedSized(5, c.GreedyString("klingon")), "no encoding 'klingon'"),
        (lambda: c.PaddedString(5, "utf_16_le"), "5 bytes are not whole characters"),
    ],
)
def test_meanings_that_cannot_be_are_refused(declaration: Callable[[], c.Construct], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        layout_of(c.Struct("a" / declaration()), "top")


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


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"step_yellow": 2}, "go together"),
        ({"step_s": 60}, "go together"),
        ({"step_yellow": 0, "step_s": 60}, "step_yellow is 0"),
        ({"step_red": float("nan"), "step_s": 60}, "step_red is nan"),
        ({"step_red": 1, "step_s": -1}, "step_s is -1"),
        ({"step_yellow": 3, "step_red": 2, "step_s": 60}, "step_yellow 3 is above step_red 2"),
    ],
)
def test_limits_on_change_that_cannot_be_are_refused(given: dict[str, float], words: str) -> None:
    with pytest.raises(DeclarationError, match=words):
        Limits(**given)


def test_limits_on_change_alone_leave_every_value_green() -> None:
    limits = Limits(step_red=10, step_s=60)
    assert limits.state(1e300) == limits.state(-1e300) == limits.step_state(10) == "GREEN"
    assert limits.step_state(10.5) == "RED_HIGH"
    assert limits.step_text == "rise > 10 red in 60 s"

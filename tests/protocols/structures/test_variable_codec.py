"""Structures of variable size against construct, the oracle."""

from __future__ import annotations

from typing import Any

import construct as c
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocols.errors import DeclarationError, DecodeError, EncodeError
from protocols.structures.calibration import Polynomial
from protocols.structures.fields import Quantity
from protocols.structures.layout import layout_of
from protocols.structures.variable_codec import MAX_ITEMS, VariableCodec, variable_codec_of

MODE = c.Enum(c.Int8ub, OFF=0, ON=1)
EVERYTHING = c.Struct(
    "count" / c.Int8ub,
    "mode" / MODE,
    "head" / c.Struct("size" / c.Int8ub, "gain" / Quantity(c.Int16ul, "V", scale=0.5)),
    "samples" / c.Array(c.this.count & 3, Quantity(c.Int16sb, "K", calibration=Polynomial((1, 0.5, 0.25)))),
    "points"
    / c.Array(
        c.this.count // 64,
        c.Struct("n" / c.Int8ub, "blob" / c.Bytes(c.this.n & 7), "gated" / c.If(c.this._.mode == "ON", c.Int8ub)),
    ),
    "raw" / c.Bytes(c.this.head.size % 5 + 1),
    "kind" / c.Switch(c.this.mode, {"OFF": c.Int24ub, "ON": c.Struct("x" / c.Float32l)}, default=c.Int8ub),
    "either" / c.IfThenElse((c.this.count > 9) & (c.this.head.size != 4), c.Int16ub, c.Int32ub),
    "prefixed" / c.Prefixed(c.Int8ub, c.GreedyBytes),
    "inclusive" / c.Prefixed(c.Int16ul, c.GreedyBytes, includelength=True),
    "pairs" / c.PrefixedArray(c.Int8ub, c.Struct("a" / c.Int8ub, "b" / c.Int8ub)),
    "window" / c.Prefixed(c.Int8ub, c.Struct("u" / c.Int8ub, "rest" / c.GreedyBytes)),
    "name" / c.PascalString(c.Int8ub, "latin-1"),
    "text" / c.CString("ascii"),
    "label" / c.FixedSized(4, c.GreedyString("latin-1")),
    "tail" / c.GreedyRange(c.Int16ul),
)


def codec(declaration: c.Construct, name: str = "top") -> VariableCodec:
    return variable_codec_of(layout_of(declaration, name), name)


def flatten(value: Any, name: str = "") -> dict[str, Any]:
    """What construct gives, under flat names; parts that are not there give none."""
    if isinstance(value, c.Container):
        pairs = [(f"{name}.{key}" if name else key, item) for key, item in value.items() if key != "_io"]
        return {key: leaf for path, item in pairs for key, leaf in flatten(item, path).items()}
    if isinstance(value, (list, tuple)):
        return {key: leaf for i, item in enumerate(value) for key, leaf in flatten(item, f"{name}[{i}]").items()}
    if value is None:
        return {}
    if isinstance(value, c.EnumIntegerString):
        return {name: str(value)}
    return {name: int(value) if isinstance(value, c.EnumInteger) else value}


WHOLE = bytes.fromhex("82 01 07 0400 0102 0304  03 aabbcc 07 01 00  09 010203 00000000  1234") + bytes.fromhex(
    "02 ff01 0400 aabb 02 01020304 03 aabbcc 02 4142 434400 61626364 0100 0200"
)


@example(WHOLE)
@given(st.binary(max_size=120))
def test_values_are_those_of_construct(data: bytes) -> None:
    try:
        theirs = flatten(EVERYTHING.parse(data))
    except c.StringError:  # no such character: ours shows its bytes, for the sake of all other values
        codec(EVERYTHING).decode(data)
        return
    except c.ConstructError:
        with pytest.raises(DecodeError):
            codec(EVERYTHING).decode(data)
        return
    assert repr(codec(EVERYTHING).decode(data)) == repr(theirs)


@given(st.data())
def test_raw_values_encode_to_the_bytes_they_came_from(data: st.DataObject) -> None:
    made = codec(EVERYTHING)
    octets = data.draw(st.binary(min_size=40, max_size=300))
    try:
        raw = made.decode_raw(octets)
    except DecodeError:
        return
    again = made.encode_names(raw)
    assert made.decode_raw(again) == raw
    assert len(again) <= len(octets)


def test_the_example_has_every_part() -> None:
    values = flatten(EVERYTHING.parse(WHOLE))
    assert {name.partition("[")[0].partition(".")[0] for name in values} == {each.name for each in EVERYTHING.subcons}


def test_construct_builds_what_is_decoded() -> None:
    declaration = c.Struct("n" / c.Int8ub, "a" / c.Array(c.this.n, c.Int16ub), "s" / c.PascalString(c.Int8ub, "utf8"))
    data = declaration.build({"n": 2, "a": [7, 8], "s": "grün"})
    made = codec(declaration)
    assert made.decode(data) == {"n": 2, "a[0]": 7, "a[1]": 8, "s": "grün"}
    assert made.encode_names({"n": 2, "a[0]": 7, "a[1]": 8, "s": "grün"}) == data


def test_a_count_beyond_the_packet_is_refused_at_once() -> None:
    made = codec(c.Struct("n" / c.Int32ub, "a" / c.Array(c.this.n, c.Int8ub)))
    with pytest.raises(DecodeError, match=r"top\.a: 4294967295 items do not fit into 3 bytes"):
        made.decode(b"\xff\xff\xff\xffabc")


def test_items_without_bytes_are_bounded() -> None:
    item = c.If(c.this.flag == 1, c.Int8ub)
    made = codec(c.Struct("n" / c.Int32ub, "flag" / c.Int8ub, "a" / c.Array(c.this.n, item)))
    assert made.decode(bytes.fromhex("0000ffff 00")) == {"n": 0xFFFF, "flag": 0}
    with pytest.raises(DecodeError, match=f"{MAX_ITEMS + 1} items do not fit"):
        made.decode((MAX_ITEMS + 1).to_bytes(4, "big") + b"\0")


def test_bytes_left_over_are_told_where_all_are_wanted() -> None:
    made = codec(c.Struct("n" / c.Int8ub, "a" / c.Bytes(c.this.n)))
    assert made.decode(b"\1ab") == {"n": 1, "a": b"a"}
    assert made.decode_exact(b"\1a") == {"n": 1, "a": b"a"}
    with pytest.raises(DecodeError, match="top: 1 bytes are left over"):
        made.decode_exact(b"\1ab")


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        (c.Struct("n" / c.Int8ub, "a" / c.Bytes(lambda this: this.n)), r"top\.a: a function cannot be read"),
        (c.Struct("a" / c.Bytes(c.this.n), "n" / c.Int8ub), r"top\.a: it depends on 'n', which is not a field"),
        (c.Struct("n" / c.Float32b, "a" / c.Bytes(c.this.n)), r"top\.a: it depends on 'n', which is .*of kind float"),
        (c.Struct("n" / c.Int8ub, "a" / c.Bytes(c.this.n**2)), r"top\.a: .* cannot be read"),
        (c.Struct("n" / c.Int8ub, "a" / c.Bytes(1 << c.this.n)), r"top\.a: a shift must be by a constant"),
        (c.Struct("n" / c.Int8ub, "a" / c.Bytes(c.len_(c.this.n))), r"top\.a: .* cannot be read"),
        (c.Struct("a" / c.GreedyBytes, "b" / c.Int8ub), r"top\.a: it takes the rest of the bytes"),
        (c.Struct("a" / c.GreedyRange(c.Struct())), r"top\.a: an item may have no bytes"),
        (c.Struct("m" / MODE, "a" / c.If(c.this.m == 1, c.Int8ub)), r"top\.a: m is an enum: compare it with 'ON'"),
        (c.Struct("m" / MODE, "a" / c.If(c.this.m == "UP", c.Int8ub)), r"top\.a: 'UP' is not a label of m"),
        (c.Struct("q" / Quantity(c.Int8ub, scale=2), "a" / c.Bytes(c.this.q)), r"top\.a: .*calibrated"),
        (c.Struct(c.GreedyBytes), "top: a field without a name"),
        (c.Struct("a" / c.GreedyString("utf16")), r"top\.a: 'utf16' has no byte order"),
        (c.Struct("a" / c.Select(c.Int8ub, c.Int16ub)), r"top\.a: construct type Select is not known"),
        (c.Struct("n" / c.Int8ub, "a" / c.Array(c.this.n, c.Int8ub), "a" / c.Int8ub), r"top\.a: two fields"),
        (
            c.Struct("n" / c.Int8ub, "a" / c.Switch(c.this.n, {1: Quantity(c.Int8ub, "V"), 2: c.Int8ub})),
            r"top\.a: it has another meaning in another case",
        ),
        (c.Struct("n" / c.Flag, "a" / c.IfThenElse(c.this.n, c.Flag, c.Int8ub)), r"top\.a: it has another meaning"),
        (c.Struct("n" / c.Flag, "a" / c.IfThenElse(c.this.n, c.Bytes(1), c.Int8ub)), r"top\.a: it has another meaning"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_path(declaration: c.Construct, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        layout_of(declaration, "top")


def test_values_that_do_not_fit_are_refused() -> None:
    made = codec(c.Struct("n" / c.Int8ub, "a" / c.Bytes(c.this.n), "s" / c.CString("ascii")))
    with pytest.raises(EncodeError, match="a has 3 bytes, where 2 are declared"):
        made.encode_names({"n": 2, "a": b"abc", "s": ""})
    with pytest.raises(EncodeError, match="missing or unknown: s"):
        made.encode_names({"n": 0, "a": b""})
    with pytest.raises(EncodeError, match="missing or unknown: z"):
        made.encode_names({"n": 0, "a": b"", "s": "", "z": 1})
    with pytest.raises(EncodeError, match="has a NUL in it"):
        made.encode_names({"n": 0, "a": b"", "s": "a\0b"})

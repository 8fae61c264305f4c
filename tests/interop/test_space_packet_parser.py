"""space_packet_parser decodes a whole descent with our XTCE; the official schema accepts the document."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import construct as c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.ccsds import pus
from protocols.ccsds.space_packet import decode_header
from protocols.declare.commands import CommandDef
from protocols.declare.dictionary import Dictionary, PacketDef
from protocols.declare.headers import NO_HEADER, PUS_A, PacketHeader, cuc_time
from protocols.decode.telemetry import decode_telemetry
from protocols.export.names import identifier
from protocols.export.xtce import render_xtce
from protocols.lander import MARS6
from protocols.structures.calibration import Polynomial, Table
from protocols.structures.codec import codec_of
from protocols.structures.fields import EnumRanges, Quantity
from tests.interop.external_decoders import judge, packets

DOCUMENT = render_xtce(MARS6)


def plain(value: object) -> object:
    """Their value without what it carries along: a bool, number, text or bytes."""
    raw = getattr(value, "raw_value", value)
    if type(value).__name__ == "BoolParameter":
        return bool(raw)
    kinds: list[type[Any]] = [str, float, int, bytes]
    for kind in kinds:
        if isinstance(value, kind):
            return kind(value)
    raise AssertionError(f"{type(value)} is no plain value")


def not_in_a_descent() -> list[bytes]:
    """One packet of each type that the historical descent does not send, each field 1."""
    sent = {packet.definition.name for data in packets() if (packet := MARS6.identify(data)) is not None}
    return [
        packet.wrap(codec_of(packet.layout, packet.definition.name).encode_raw(*(1 for _ in packet.layout.named)), 1, 0)
        for packet in MARS6.by_name.values()
        if packet.definition.name not in sent
    ]


def test_every_value_of_a_descent_agrees() -> None:
    xtce = judge("space_packet_parser.xtce.definitions", "space_packet_parser")
    definition = xtce.XtcePacketDefinition.from_xtce(io.BytesIO(DOCUMENT.encode()))
    kinds: set[str] = set()
    for data in (*packets(), *not_in_a_descent()):
        primary = decode_header(data)
        packet = MARS6.identify(data)
        assert packet is not None
        theirs = definition.parse_bytes(data)
        prefix = identifier(packet.definition.name)
        kinds.add(prefix)
        ours = packet.codec.decode(data, pus.BODY_OFFSET)
        assert {name: plain(theirs[f"{prefix}_{identifier(name)}"]) for name in ours} == ours
        assert (theirs["PKT_APID"], theirs["SRC_SEQ_CTR"]) == (primary.apid, primary.sequence)
        assert theirs["PACKET_ERROR_CONTROL"] == int.from_bytes(data[-2:], "big")
    assert len(packets()) > 2700
    assert kinds == {identifier(name) for name in MARS6.by_name}


FIRST = c.Struct(
    "sid" / c.Int8ub,
    "order" / c.Int16ul,
    "signed" / c.Int24sl,
    "real" / c.Float32l,
    "half" / c.Float16b,
    "name" / c.PaddedString(8, "utf8"),
    "wide" / c.FixedSized(8, c.CString("utf_16_le")),
    "curve" / Quantity(c.Int16ub, "K", calibration=Polynomial((1.5, -0.25, 3e-7))),
    "table" / Quantity(c.Int8ub, "V", calibration=Table(((0, 1), (100, 5), (256, -3)))),
    "steps" / Quantity(c.Int8ub, calibration=Table(((0, 1), (100, 5), (256, 7)), "none")),
    "mode" / c.Enum(c.Int8ub, **{f"M{n}": n for n in range(256)}),
    "bits" / c.BitStruct("a" / c.BitsInteger(3), "b" / c.BitsInteger(12, signed=True), "c" / c.Flag),
)
SECOND = c.Struct(
    "sid" / c.Int8ub,
    "count" / c.Int8ub,
    "blob" / c.Bytes(c.this.count * 2 + 1),
    "prefixed" / c.Prefixed(c.Int16ul, c.GreedyBytes),
    "name" / c.PascalString(c.Int8ub, "utf8"),
)
OWN = PacketHeader(
    "own", cuc_time(4, 2, p_field=True), crc=True, fields=c.Struct("struct_id" / c.Int8ub, "x" / c.Int8ub)
)
STRANGE = Dictionary(
    "STRANGE",
    1,
    (
        PacketDef("FIRST", 5, body=FIRST, header=NO_HEADER, when={"sid": 1}),
        PacketDef("SECOND", 5, body=SECOND, header=NO_HEADER, when={"sid": 2}),
        PacketDef("REST", 6, body=c.Struct("a" / c.Int16ul, "rest" / c.GreedyBytes), header=OWN, when={"struct_id": 7}),
        PacketDef("TEXT", 6, body=c.Struct("rest" / c.GreedyString("utf8")), header=OWN, when={"struct_id": 8}),
        PacketDef("PUSA", 7, 3, 25, c.Struct("a" / c.Int16ub), header=PUS_A),
        PacketDef("PUSC", 8, 3, 25, c.Struct("a" / c.Int16ub)),
        PacketDef("CONST_1", 9, body=c.Struct("id" / c.Const(1, c.Int8ub), "a" / c.Int8ub), header=NO_HEADER),
        PacketDef("CONST_2", 9, body=c.Struct("id" / c.Const(2, c.Int8ub), "b" / c.Int8sb), header=NO_HEADER),
        PacketDef("ITEMS", 10, body=c.Struct("n" / c.Int8ub, "i" / c.Array(c.this.n, c.Int8ub)), header=NO_HEADER),
        PacketDef(
            "CASES",
            11,
            body=c.Struct("t" / c.Int8ub, "v" / c.Switch(c.this.t, {1: c.Int8ub, 2: c.Int16ub}, default=c.Int32ub)),
            header=NO_HEADER,
        ),
        PacketDef("LOST", 12, body=c.Struct("text" / c.CString("utf8"), "a" / c.Int8ub), header=NO_HEADER),
    ),
    (),
    (),
    (),
    (
        CommandDef(
            "SET",
            1,
            8,
            1,
            "Set.",
            7,
            c.Struct(
                "name" / c.PaddedString(6, "utf8"),
                "volt" / Quantity(c.Int16ul, "V", calibration=Polynomial((0, 0.01, 1e-7))),
                "temp" / Quantity(c.Int8ub, "K", calibration=Table(((10, 100), (110, 200)))),
                "zone" / EnumRanges(c.Int8ub, COLD=(1, 9), HOT=20),
            ),
        ),
    ),
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=2)


def first(data: st.DataObject) -> dict[str, int | float | str | bytes]:
    """Values of FIRST; text leaves room for a NUL, which the other package wants."""
    values: dict[str, int | float | str | bytes] = {
        "order": data.draw(st.integers(0, 65535)),
        "signed": data.draw(st.integers(-(2**23), 2**23 - 1)),
        "real": data.draw(st.floats(width=32, allow_nan=False)),
        "half": data.draw(st.floats(width=16, allow_nan=False)),
        "name": data.draw(st.text(st.characters(max_codepoint=0x7F, exclude_characters="\0"), max_size=7)),
        "wide": data.draw(st.text(st.characters(min_codepoint=0x410, max_codepoint=0x44F), max_size=3)),
        "bits.a": 5,
        "bits.b": data.draw(st.integers(-2048, 2047)),
        "bits.c": data.draw(st.booleans()),
    }
    return values | {name: data.draw(st.integers(0, 255)) for name in ("curve", "table", "steps", "mode")}


def compare(name: str, values: dict[str, int | float | str | bytes], shared: tuple[str, ...] = ()) -> None:
    """Encode, and decode by both."""
    xtce = judge("space_packet_parser.xtce.definitions", "space_packet_parser")
    definition = xtce.XtcePacketDefinition.from_xtce(io.BytesIO(render_xtce(STRANGE).encode()))
    packet = STRANGE.by_name[name]
    data = packet.encode(values, 5, 1_000_000_000)
    sample = decode_telemetry(STRANGE, data)
    assert sample.packet is packet
    theirs = definition.parse_bytes(data)
    for key, ours in sample.values.items():
        owner = f"APID_{packet.definition.apid:03X}" if key in shared else name
        assert plain(theirs[f"{owner}_{identifier(key)}"]) == ours, key


@settings(max_examples=30)
@given(st.data())
def test_new_kinds_of_fields_agree(data: st.DataObject) -> None:
    compare("FIRST", first(data), ("sid",))
    count = data.draw(st.integers(0, 5))
    blob, prefixed = (
        data.draw(st.binary(min_size=2 * count + 1, max_size=2 * count + 1)),
        data.draw(st.binary(max_size=300)),
    )
    compare("SECOND", {"count": count, "blob": blob, "prefixed": prefixed, "name": data.draw(TEXTS)}, ("sid",))
    compare("REST", {"a": 1, "rest": data.draw(st.binary(max_size=9))})
    compare("TEXT", {"rest": data.draw(TEXTS)})


def test_headers_and_constants_agree() -> None:
    compare("PUSA", {"a": 1})
    compare("PUSC", {"a": 1})
    compare("CONST_1", {"a": 200})
    compare("CONST_2", {"b": -3})


def test_the_schema_accepts_all_kinds_and_a_note_names_what_is_left_out(tmp_path: Path) -> None:
    validation = judge("space_packet_parser.xtce.validation", "space_packet_parser")
    path = tmp_path / "strange.xml"
    path.write_text(render_xtce(STRANGE), encoding="utf-8")
    result = validation.validate_xtce(path, level="schema", raise_on_error=False)
    assert result.valid, str(result)
    text = path.read_text(encoding="utf-8")
    assert "left out: LOST.text: XTCE has no text of which only a NUL tells the end" in text
    assert 'containerRef="ITEMS_i_Container"' in text
    assert text.count("<IncludeCondition>") == 3


def test_a_packet_that_is_not_declared_is_refused() -> None:
    xtce = judge("space_packet_parser.xtce.definitions", "space_packet_parser")
    definition = xtce.XtcePacketDefinition.from_xtce(io.BytesIO(DOCUMENT.encode()))
    stranger = pus.encode_tm(0x55, 0, pus.TmHeader(3, 25, 0, 0, 0), b"body")
    with pytest.raises(Exception, match="abstract container"):
        definition.parse_bytes(stranger)


def test_the_official_schema_accepts_the_document(tmp_path: Path) -> None:
    validation = judge("space_packet_parser.xtce.validation", "space_packet_parser")
    path = tmp_path / "lander.xtce.xml"
    path.write_text(DOCUMENT, encoding="utf-8")
    result = validation.validate_xtce(path, level="schema", raise_on_error=False)
    assert result.valid, str(result)
    broken = tmp_path / "broken.xml"
    broken.write_text(DOCUMENT.replace("sizeInBits", "sizeInBots", 1), encoding="utf-8")
    assert not validation.validate_xtce(broken, level="schema", raise_on_error=False).valid

"""An XTCE document that this project wrote is read back to the dictionary that it was written from."""

from __future__ import annotations

import struct
from dataclasses import replace

import construct as c
import pytest

from protocols.declare.dictionary import ChannelDef, Dictionary, EventDef, PacketDef
from protocols.declare.headers import NO_HEADER, PacketHeader, cds_time, cuc_time
from protocols.decode.telemetry import decode_telemetry
from protocols.errors import DeclarationError
from protocols.export.xtce import render_xtce
from protocols.lander import MARS6
from protocols.structures.calibration import Polynomial, Table
from protocols.structures.fields import EnumRanges, Limits, Quantity
from protocols.structures.layout import Field
from protocols.structures.parts import Text, fixed
from protocols.times import utc_ns
from protocols.xtce_reader import read_xtce
from tests.protocols.xtce_reader.documents import compare, container, document, entry, integer, packet

OWN = PacketHeader("own", cds_time(2, 2), crc=True, fields=c.Struct("source" / c.Int8ub, "time" / c.Bytes(8)))
PUS_A = PacketHeader("pus-a", cuc_time(4, 3), crc=True, fields=c.Struct("counter" / c.Int8ub))
BODY = c.Struct(
    "nested" / c.Struct("list" / c.Array(2, c.Int16ul)),
    "bits" / c.BitStruct("on" / c.Flag, c.Padding(3), "low" / c.BitsInteger(4, signed=True)),
    "enum" / c.Enum(c.Int8ub, OFF=0, ON=1),
    "range" / EnumRanges(c.Int8ub, COLD=(0, 99), WARM=(100, 180)),
    "linear" / Quantity(c.Int16ub, "V", scale=0.001, offset=-1, limits=Limits(0, 1, 2, 3), decimals=2, valid_if="enum"),
    "curve" / Quantity(c.Int8ub, "K", calibration=Polynomial((1.0, 0.5, 0.25))),
    "table" / Quantity(c.Int8ub, calibration=Table(((0, 0), (10, 5.5), (255, 9)))),
    "plain" / Quantity(c.Int8ub, decimals=1),
    "impacts" / Quantity(c.Int8ub, limits=Limits(step_yellow=2, step_red=10, step_s=60)),
    "rise" / Quantity(c.Int8ub, limits=Limits(yellow_high=9.0, step_red=0.5, step_s=7)),
    "number" / c.Float32l,
    "constant" / c.Const(0x5A, c.Int8ub),
    "octets" / c.Const(b"\x01\x02"),
    "text" / c.PaddedString(4, "utf-8"),
)
DOCUMENT = document(
    integer("U8", 8) + integer("U4", 4),
    {"a": "U8", "b": "U4"},
    container("P", entry("a") + entry("b") + entry("b"), criteria=compare("APID", 3)),
)
RAW: dict[str, int | float | str | bytes] = {
    "nested.list[0]": 1, "nested.list[1]": 2, "bits.on": 1, "bits.low": -3, "enum": 1, "range": 120, "linear": 1500,
    "curve": 4, "table": 5, "plain": 7, "impacts": 1, "rise": 2, "number": 1.5, "text": b"abc\0",
}  # fmt: skip


def of(*packets: PacketDef) -> Dictionary:
    """A mission with these packets."""
    events = (EventDef(1, "BOOT", "ACTIVITY_HI", "started {a:02x}", {"b": {1: "one"}}, starts=True),)
    return Dictionary("A-1", 7, packets, events, (ChannelDef(0, "vc", "A1", 1000),), ())


def back(dictionary: Dictionary) -> Dictionary:
    """The dictionary, by way of XTCE."""
    document = read_xtce(render_xtce(dictionary).encode())
    assert not document.problems
    return document.dictionary


def test_the_mission_of_this_project() -> None:
    mission = replace(MARS6, commands=())
    found = back(mission)
    assert found.hash == replace(found, stated_hash=None).hash == mission.hash
    assert (found.name, found.scid, found.events) == (mission.name, mission.scid, mission.events)
    assert (found.channels, found.timeline) == (mission.channels, mission.timeline)
    for name, declared in mission.by_name.items():
        same = found.by_name[name]
        assert (same.parameters, same.layout, same.header) == (declared.parameters, declared.layout, declared.header)
        assert replace(same.definition, body=None) == replace(declared.definition, body=None)


@pytest.mark.parametrize(
    ("definition", "fields"),
    [
        (PacketDef("P", 5, 3, 25, BODY, 100, "words", optional=True), {}),
        (PacketDef("P", 5, 3, 25, BODY, header=PUS_A), {}),
        (PacketDef("P", 5, body=BODY, header=NO_HEADER), {}),
        (PacketDef("P", 5, body=BODY, header=OWN, when={"source": 9}), {"source": 9}),
    ],
)
def test_fields_and_headers_of_every_kind(definition: PacketDef, fields: dict[str, int]) -> None:
    mission = of(definition)
    found = back(mission)
    packet, same = mission.by_name["P"], found.by_name["P"]
    assert same.parameters == packet.parameters
    assert same.header == packet.header
    assert (same.definition.period_ms, same.definition.optional) == (definition.period_ms, definition.optional)
    data = packet.encode(RAW, 3, 1_000_000_000, **fields)
    assert decode_telemetry(found, data)[1:] == decode_telemetry(mission, data)[1:]


def test_a_document_without_its_commands_keeps_the_hash_that_spacecraft_say() -> None:
    assert read_xtce(render_xtce(MARS6).encode()).dictionary.hash == MARS6.hash


def test_what_was_read_from_another_document_is_written_and_read_again() -> None:
    first = read_xtce(DOCUMENT).dictionary
    again = back(first)
    assert (again.hash, replace(again, stated_hash=None).hash) == (first.hash, first.hash)
    data = packet(3, bytes(range(60)))
    assert decode_telemetry(again, data).values == decode_telemetry(first, data).values


def test_packets_told_by_their_bodies() -> None:
    one = PacketDef("ONE", 5, body=c.Struct("k" / c.Int8ub, "a" / c.Int8ub), header=NO_HEADER, when={"k": 1})
    two = PacketDef("TWO", 5, body=c.Struct("k" / c.Int8ub, "b" / c.Int16ub), header=NO_HEADER, when={"k": 2})
    mission = of(one, two)
    found = back(mission)
    assert replace(found, stated_hash=None).hash == mission.hash
    for name, values in (("ONE", {"a": 4}), ("TWO", {"b": 5})):
        data = mission.by_name[name].encode(values)
        assert decode_telemetry(found, data).packet.definition.name == name
        assert decode_telemetry(found, data).values == decode_telemetry(mission, data).values


def test_parts_of_variable_size() -> None:
    body = c.Struct(
        "n" / c.Int8ub,
        "items" / c.Array(c.this.n, c.Struct("x" / c.Int8ub, "y" / c.Int16ub)),
        "size" / c.Int8ub,
        "data" / c.Bytes(c.this.size),
        "more" / c.If(c.this.n > 1, c.Struct("z" / c.Int8ub)),
    )
    mission = of(PacketDef("P", 5, 3, 25, body))
    found = back(mission)
    for n in (0, 1, 2):
        raw = bytes([n]) + struct.pack(">BH", 1, 2) * n + b"\x02ab" + (b"\x09" if n > 1 else b"")
        data = mission.by_name["P"].wrap(raw, 0, 1_000_000_000)
        assert decode_telemetry(found, data).values == decode_telemetry(mission, data).values


@pytest.mark.parametrize(
    ("old", "new"),
    [('"kind":"pus-c"', '"kind":"pus-x"'), ('"scid":7', '"scid":"7"'), ("started {a:02x}", "{a.__class__}")],
)
def test_forged_marks_are_refused_by_path(old: str, new: str) -> None:
    text = render_xtce(of(PacketDef("P", 5, 3, 25, BODY)))
    assert old in text
    with pytest.raises(DeclarationError, match=r"line \d+"):
        read_xtce(text.replace(old, new).encode())


GPS = PacketHeader("own", cuc_time(4, 2, epoch_ns=utc_ns("1980-01-06T00:00:00"), p_field=True, leap_seconds=True))


def test_what_xtce_has_no_words_for_is_read_back() -> None:
    body = c.Struct(
        "short" / Quantity(c.Int8ub, "V", calibration=Polynomial((0.1, 0.2))),
        "padded" / c.PaddedString(6, "utf8"),
        "ended" / c.FixedSized(6, c.CString("ascii")),
        "n" / c.Int8ub,
        "sized" / c.PaddedString(c.this.n, "ascii"),
        "pascal" / c.PascalString(c.Int8ub, "utf8"),
    )
    mission = of(PacketDef("P", 5, body=body, header=GPS))
    packet, found = mission.by_name["P"], back(mission)
    assert found.by_name["P"].header == packet.header
    time = utc_ns("2031-05-01T12:00:00")
    data = packet.wrap(b"\x01ab\0cd\0ab\0cd\0\x04a\0b\0\x02xy", 0, time)
    sample = decode_telemetry(found, data)
    assert sample.header.time_ns == time
    assert sample.values == {
        "short": 0.1 + 0.2 * 1,
        "padded": "ab\0cd",
        "ended": "ab",
        "n": 4,
        "sized": "a\0b",
        "pascal.size": 2,
        "pascal": "xy",
    }
    assert list(found.by_name["P"].rounded_in(sample.values)) == list(packet.rounded_in(sample.values)) == []


def test_text_of_an_encoding_that_xtce_lacks_is_read_back() -> None:
    text = Field("name", 0, 32, "string", text=Text("koi8-r", "terminated"))
    mission = of(PacketDef("P", 5, body=fixed([text]), header=NO_HEADER))
    data = mission.by_name["P"].wrap("мир".encode("koi8-r") + b"\0")
    assert decode_telemetry(back(mission), data).values == {"name": "мир"}
    forged = render_xtce(mission).replace("koi8-r", "rot13").encode()
    assert any("'rot13'" in problem for problem in read_xtce_problems(forged))


def read_xtce_problems(document: bytes) -> list[str]:
    """What of a document is not read, also if that is all of it."""
    try:
        return list(read_xtce(document).problems)
    except DeclarationError as error:
        return [str(error)]


def test_a_packet_with_an_integer_that_xtce_lacks_is_left_out_and_named() -> None:
    wide = PacketDef("WIDE", 5, body=c.Struct("n" / c.Int8ub, "a" / c.BytesInteger(9)), header=NO_HEADER)
    some = c.Struct("n" / c.Int8ub, "b" / c.Array(c.this.n, c.BytesInteger(12, signed=True)))
    case = c.Struct("n" / c.Int8ub, "v" / c.Switch(c.this.n, {1: c.Int8ub, 2: c.BytesInteger(10)}))
    variable = (PacketDef("SOME", 6, body=some, header=NO_HEADER), PacketDef("CASE", 8, body=case, header=NO_HEADER))
    mission = of(wide, *variable, PacketDef("P", 7, 3, 25, BODY))
    text = render_xtce(mission)
    assert "left out: WIDE.a: an integer of 72 bits cannot be told in XTCE" in text
    assert "left out: SOME.b[]: an integer of 96 bits cannot be told in XTCE" in text
    assert "left out: CASE.v: an integer of 80 bits cannot be told in XTCE" in text
    assert list(read_xtce(text.encode()).dictionary.by_name) == ["P"]

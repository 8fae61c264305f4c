"""Headers of packets: kinds, times, checksums, and what tells one packet from another."""

from __future__ import annotations

from typing import Any

import construct as c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ccsds.crc import crc16
from protocols.declare.dictionary import Dictionary, PacketDef, utc_ns
from protocols.declare.headers import NO_HEADER, PUS_A, PUS_C, PacketHeader, TimeCode, cds_time, cuc_time
from protocols.decode.telemetry import decode_telemetry
from protocols.errors import DeclarationError, DecodeError, EncodeError
from protocols.structures.expressions import Reference
from protocols.structures.fields import EnumRanges
from protocols.structures.layout import Field, Layout
from protocols.structures.parts import Blob, assemble, fixed

NOW = utc_ns("2031-05-01T12:00:00.500")
GPS = utc_ns("1980-01-06T00:00:00")
BODY = c.Struct("a" / c.Int16ub)
OWN = PacketHeader(
    "own", cds_time(3, 2), crc=False, fields=c.Struct("sid" / c.Int8ub, "time" / c.Bytes(9), "mode" / c.Int8ub)
)


def mission(*packets: PacketDef) -> Dictionary:
    return Dictionary("M", 1, packets, (), (), ())


def packet(name: str, apid: int = 5, *, header: PacketHeader = NO_HEADER, **more: Any) -> PacketDef:
    return PacketDef(name, apid, header=header, **{"body": BODY, **more})


@pytest.mark.parametrize(
    ("header", "more", "size", "time"),
    [
        (NO_HEADER, {}, 6, None),
        (PUS_C, {"service": 3, "subtype": 25}, 6 + 7 + 6 + 2, NOW),
        (PUS_A, {"service": 3, "subtype": 25}, 6 + 3 + 6 + 2, NOW),
        (PacketHeader("pus-c", None, crc=False), {"service": 3, "subtype": 25}, 6 + 7, None),
        (PacketHeader("pus-c", cuc_time(4, 3, epoch_ns=GPS, p_field=True)), {"service": 1, "subtype": 2}, 21, NOW),
        (
            PacketHeader("pus-a", cds_time(2, 2), crc=True, fields=c.Struct("n" / c.Int8ub)),
            {"service": 1, "subtype": 2},
            20,
            NOW,
        ),
        (PacketHeader("own", cds_time(2, 4)), {}, 6 + 10, NOW),
        (OWN, {}, 6 + 11, NOW),
    ],
)
def test_what_is_sent_is_received(header: PacketHeader, more: dict[str, Any], size: int, time: int | None) -> None:
    made = mission(packet("HK", header=header, **more))
    data = made.by_name["HK"].encode({"a": 777}, 9, NOW if header.time else None)
    assert len(data) == size + 2
    sample = decode_telemetry(made, data)
    assert sample.values == {"a": 777}
    assert sample.header.time_ns == time
    assert (sample.header.service, sample.header.subtype) == (more.get("service"), more.get("subtype"))
    assert bool(data[0] & 0x08) == (header is not NO_HEADER)


def test_pus_a_is_laid_out_as_in_its_standard() -> None:
    made = mission(packet("HK", header=PUS_A, service=3, subtype=25)).by_name["HK"]
    second = NOW - utc_ns("1958-01-01T00:00:00")
    wanted = bytes([0x10, 3, 25]) + (second * 65536 // 10**9).to_bytes(6, "big") + b"\1\2"
    data = made.encode({"a": 0x0102}, 0, NOW)
    assert data[6:-2] == wanted
    assert crc16(data) == 0


def test_own_header_fields_are_decoded_and_checked() -> None:
    made = mission(packet("A", header=OWN, when={"sid": 4}), packet("B", header=OWN, when={"sid": 9}))
    data = made.by_name["B"].encode({"a": 1}, 0, NOW, mode=3)
    sample = decode_telemetry(made, data)
    assert sample.packet.definition.name == "B"
    assert sample.header.fields == {"sid": 9, "mode": 3}
    with pytest.raises(DecodeError, match="a packet with these fields is not declared"):
        decode_telemetry(made, data[:6] + b"\7" + data[7:])
    with pytest.raises(EncodeError, match="the own header has no field x"):
        made.by_name["B"].encode({"a": 1}, 0, NOW, x=3)
    with pytest.raises(EncodeError, match="needs a time"):
        made.by_name["B"].encode({"a": 1})


def test_another_pus_version_or_a_wrong_checksum_is_refused() -> None:
    made = mission(packet("HK", header=PUS_A, service=3, subtype=25))
    data = made.by_name["HK"].encode({"a": 1}, 0, NOW)
    with pytest.raises(DecodeError, match="packet error control does not fit"):
        decode_telemetry(made, data[:-1] + bytes([data[-1] ^ 1]))
    other = data[:6] + b"\x20" + data[7:-2]
    with pytest.raises(DecodeError, match=r"version\.pus is 2, not 1"):
        decode_telemetry(made, other + crc16(other).to_bytes(2, "big"))


def test_body_fields_tell_packets_apart() -> None:
    mode = c.Enum(c.Int8ub, SAFE=0, SCIENCE=1)
    first = c.Struct("pad" / c.Int8ub, "mode" / mode, "v" / c.Int16ul)
    made = mission(
        packet("SAFE", body=first, when={"mode": "SAFE"}),
        packet("SCI_1", body=first, when={"mode": "SCIENCE", "v": 1}),
        packet("SCI_2", body=first, when={"mode": 1, "v": 2}),
    )
    for name, octets in (("SAFE", "00000100"), ("SCI_1", "77010100"), ("SCI_2", "00010200")):
        found = made.identify(bytes.fromhex("0005c0000003") + bytes.fromhex(octets))
        assert found is made.by_name[name]
    assert made.identify(bytes.fromhex("0005c000000300010300")) is None
    assert made.identify(bytes.fromhex("0005c0000000")) is None
    assert made.identify(bytes.fromhex("0006c000000300010300")) is None
    assert made.by_name["SCI_2"].encode({"pad": 0})[6:] == bytes.fromhex("00010200")


def test_a_packet_that_does_not_decode_is_called_by_what_it_may_be() -> None:
    made = mission(packet("A", when={"a": 1}), packet("B", when={"a": 2}), packet("C", 6))
    data = bytes.fromhex("0005c00000010002")
    assert made.name_of(5, data) == "B"
    assert made.name_of(5, data[:-1]) == "A or B"
    assert made.name_of(6, b"\0\6") == "C"
    more = mission(*(packet(name, when={"a": n}) for n, name in enumerate("ABC")))
    assert more.name_of(5, data[:-1]) == "packet of APID 0x005"


def test_constants_tell_packets_apart_where_nothing_else_does() -> None:
    one = c.Struct("sid" / c.Const(1, c.Int8ub), "a" / c.Int8ub)
    two = c.Struct("sid" / c.Const(2, c.Int8ub), "b" / c.GreedyBytes)
    made = mission(packet("ONE", body=one), packet("TWO", body=two))
    assert decode_telemetry(made, made.by_name["TWO"].encode({"b": b"xyz"})).values == {"b": b"xyz"}
    assert decode_telemetry(made, made.by_name["ONE"].encode({"a": 1})).packet.definition.name == "ONE"


@given(st.binary(max_size=40))
def test_any_bytes_are_decoded_or_a_decode_error(data: bytes) -> None:
    repeated = c.Struct("n" / c.Int8ub, "x" / c.Array(c.this.n, c.Int16ub), "s" / c.PascalString(c.Int8ub, "utf8"))
    made = mission(
        packet("A", header=OWN, when={"sid": 4}),
        packet("V", 6, body=repeated),
        packet("C", 7, header=PUS_C, service=1, subtype=1),
    )
    for apid in (5, 6, 7):
        try:
            decode_telemetry(made, bytes([8, apid]) + data)
        except DecodeError:
            continue


@pytest.mark.parametrize(
    ("packets", "message"),
    [
        ((packet("A"), packet("B", body=c.Struct("b" / c.Int32ub))), "B and A cannot be told apart"),
        ((packet("A", when={"a": 1}), packet("B")), "B and A cannot be told apart"),
        ((packet("A", when={"z": 1}),), r"A\.when: no field 'z' at a fixed place"),
        ((packet("A", when={"a": 65536}),), r"a is never 65536: its range is 0 … 65535"),
        ((packet("A", when={"a": "ON"}),), r"a has no label 'ON'"),
        ((packet("A", body=c.Struct("a" / c.Float32b), when={"a": 1}),), "a is of kind float"),
        ((packet("A", body=c.Struct("a" / EnumRanges(c.Int8ub, L=(1, 3))), when={"a": "L"}),), "'L' is 1 … 3"),
        ((packet("A"), packet("B", header=PUS_A, service=1, subtype=1)), "the same APID 0x005, but different headers"),
        ((packet("A", service=3, subtype=1),), "has a PUS service, but its header is of kind none"),
        ((packet("A", header=PUS_A),), "needs a service of 0 … 255, not None"),
        ((packet("A", 0x7FF),), "APID 2047 is not 0 … 2046"),
    ],
)
def test_declarations_that_cannot_be_are_refused(packets: tuple[PacketDef, ...], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        mission(*packets)


@pytest.mark.parametrize(
    ("epoch", "time", "seconds"),
    [
        ("1980-01-06T00:00:00", "1980-01-06T00:00:00", 0),
        ("1980-01-06T00:00:00", "2024-01-01T00:00:00", 16_066 * 86_400 + 18),  # GPS is 18 s ahead of UTC
        ("1958-01-01T00:00:00", "2017-01-01T00:00:00", 21_550 * 86_400 + 37),  # TAI is 37 s ahead
        ("1958-01-01T00:00:00", "2016-12-31T23:59:59", 21_549 * 86_400 + 86_399 + 36),
        ("2000-01-01T12:00:00", "2000-01-02T12:00:00", 86_400),
    ],
)
def test_leap_seconds_are_taken_out_of_a_count_that_has_them(epoch: str, time: str, seconds: int) -> None:
    code = cuc_time(4, 0, epoch_ns=utc_ns(epoch), leap_seconds=True)
    assert code.encode(utc_ns(time)) == seconds.to_bytes(4, "big")
    assert code.decode(seconds.to_bytes(4, "big")) == utc_ns(time)


def test_a_header_that_cannot_be_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"expected Bytes\(6\)"):
        PacketHeader("own", cds_time(), fields=c.Struct("time" / c.Bytes(7)))
    with pytest.raises(DeclarationError, match="kind none has neither"):
        PacketHeader("none", cds_time())
    with pytest.raises(DeclarationError, match="CDS is UTC"):
        TimeCode(cds_time().format, leap_seconds=True)
    with pytest.raises(DeclarationError, match="its size varies"):
        PacketHeader("own", fields=c.Struct("a" / c.GreedyBytes))


def test_a_packet_is_built_from_data_without_construct() -> None:
    layout = fixed([Field("a", 0, 3, "uint"), Field("b", 0, 12, "sint", little=False), Field("", 0, 1, "padding")])
    made = mission(PacketDef("RAW", 1, body=layout, header=NO_HEADER))
    data = made.by_name["RAW"].encode({"a": 5, "b": -2})
    assert decode_telemetry(made, data).values == {"a": 5, "b": -2}


def test_data_that_cannot_be_is_refused() -> None:
    for layout, message in (
        (Layout((Field("a", 8, 8, "uint"),), 1), "not one after the other"),
        (fixed([Field("a", 0, 8, "uint", labels=((1, "A"), (1, "B")))]), r"RAW\.a: 'A' and 'B' are both 1"),
        (assemble([Blob(Field("a", 0, 0, "bytes"), Reference("n"))]), r"RAW\.a: it depends on 'n'"),
    ):
        with pytest.raises(DeclarationError, match=message):
            mission(PacketDef("RAW", 1, body=layout, header=NO_HEADER))
    with pytest.raises(DeclarationError, match="kind 'pus-b' is none of none, pus-a"):
        PacketHeader("pus-b")  # type: ignore[arg-type]


def test_what_is_new_changes_the_hash_and_what_is_not_does_not() -> None:
    plain = mission(packet("A", header=PUS_C, service=1, subtype=1)).hash
    assert mission(packet("A", header=PacketHeader("pus-c", cds_time(), crc=True), service=1, subtype=1)).hash == plain
    others = [
        packet("A", header=PacketHeader("pus-c", cuc_time(), crc=True), service=1, subtype=1),
        packet("A", header=PUS_A, service=1, subtype=1),
        packet("A", header=PUS_C, service=1, subtype=1, when={"a": 1}),
        packet("A", header=PUS_C, service=1, subtype=1, body=c.Struct("a" / c.Int16ul)),
        packet("A", header=PUS_C, service=1, subtype=1, body=c.Struct("a" / c.PaddedString(2, "utf8"))),
    ]
    hashes = {mission(each).hash for each in others}
    assert len(hashes) == len(others)
    assert plain not in hashes

"""Commands: what is refused before it is sent, and what is sent."""

from __future__ import annotations

import construct as c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ccsds import pus
from protocols.ccsds.crc import crc16
from protocols.ccsds.space_packet import decode_header
from protocols.declare.commands import Argument, CommandDef, prepare_command
from protocols.declare.dictionary import Dictionary, PacketDef
from protocols.errors import DeclarationError, DecodeError, EncodeError
from protocols.lander import COMMAND_APID, COMMANDS, MARS6
from protocols.structures.calibration import Polynomial, Table
from protocols.structures.fields import EnumRanges, Limits, Quantity

ALL_KINDS = prepare_command(
    CommandDef(
        "ALL",
        1,
        8,
        1,
        "Every kind of argument.",
        7,
        c.Struct(
            "count" / c.Int64ub,
            "signed" / c.Int16sb,
            "kelvin" / Quantity(c.Int16ub, "K", scale=0.05, offset=120.0, limits=Limits(130.0, None, None, 300.0)),
            "ratio" / c.Float64b,
            "on" / c.Flag,
            "mode" / c.Enum(c.Int8ub, SLOW=1, FAST=2),
            "key" / c.Bytes(4),
            "name" / c.PaddedString(4, "ascii"),
            "magic" / c.Const(0x55, c.Int8ub),
        ),
    )
)
GOOD: dict[str, Argument] = {
    "count": 1,
    "signed": -2,
    "kelvin": 200.0,
    "ratio": 0.5,
    "on": True,
    "mode": "FAST",
    "key": b"abcd",
    "name": "wren",
}


def test_known_bytes_of_a_ping_and_a_step() -> None:
    # 133.0-B §4.1.3 and ECSS-E-ST-70-41C §7.4.4: type 1, secondary header 1, PUS-C, acknowledge 1001, source 0.
    ping = MARS6.command("PING").packet(5)
    assert ping[:-2] == bytes.fromhex("1900 c005 0006 29 11 01 0000")
    assert crc16(ping) == 0
    step = MARS6.command("STEP").packet(6, {"ticks": 300})
    assert step[:-2] == bytes.fromhex("1900 c006 0009 29 08 01 0000 04 012c")


@given(
    st.integers(0, 2047),
    st.integers(0, 16383),
    st.builds(pus.TcHeader, st.integers(0, 255), st.integers(0, 255), st.integers(0, 65535), st.integers(0, 15)),
    st.binary(max_size=64),
)
def test_tc_round_trip(apid: int, sequence: int, header: pus.TcHeader, data: bytes) -> None:
    packet = pus.encode_tc(apid, sequence, header, data)
    assert pus.decode_tc(packet) == pus.TcPacket(apid, sequence, header, data)
    assert pus.request_id(packet) == int.from_bytes(packet[:4], "big")


@given(st.binary(max_size=64))
def test_noise_is_no_telecommand(noise: bytes) -> None:
    if crc16(noise):
        with pytest.raises(DecodeError):
            pus.decode_tc(noise)


def test_what_is_not_one_whole_telecommand_is_refused() -> None:
    good = MARS6.command("PING").packet(0)
    with pytest.raises(DecodeError, match="at least 13"):
        pus.decode_tc(good[:12])
    with pytest.raises(DecodeError, match="not one whole"):
        pus.decode_tc(good + b"\0")
    with pytest.raises(DecodeError, match="error control"):
        pus.decode_tc(good[:-1] + bytes([good[-1] ^ 1]))
    telemetry = pus.encode_tm(COMMAND_APID, 0, pus.TmHeader(17, 2, 0, 0, 0), b"")
    with pytest.raises(DecodeError, match="not one whole"):
        pus.decode_tc(telemetry)
    with pytest.raises(DecodeError, match="4 bytes"):
        pus.request_id(b"abc")


def test_every_kind_of_argument_comes_back() -> None:
    data = ALL_KINDS.encode(GOOD)
    assert data[0] == 7
    assert data[-1] == 0x55
    back = ALL_KINDS.decode(data)
    assert back["kelvin"] == pytest.approx(200.0)
    assert {k: v for k, v in back.items() if k != "kelvin"} == {k: v for k, v in GOOD.items() if k != "kelvin"}


@pytest.mark.parametrize(
    ("argument", "text", "value"),
    [
        ("count", "0x10", 16),
        ("count", str(2**64 - 1), 2**64 - 1),
        ("signed", "-3", -3),
        ("ratio", "1e-3", 1e-3),
        ("on", "off", False),
        ("on", "TRUE", True),
        ("mode", "slow", "SLOW"),
        ("mode", 1, "SLOW"),
        ("key", "00ff10AA", b"\0\xff\x10\xaa"),
        ("key", "0x00FF 10aa", b"\0\xff\x10\xaa"),
        ("name", "ab", "ab"),
    ],
)
def test_text_is_read_as_a_person_types_it(argument: str, text: str | int, value: object) -> None:
    assert ALL_KINDS.decode(ALL_KINDS.encode({**GOOD, argument: text}))[argument] == value


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kelvin": 301.0}, r"ALL\.kelvin is 301: the range is 130 … 300 K"),
        ({"kelvin": "hot"}, r"ALL\.kelvin is 'hot': expected a number, 130 … 300 K"),
        ({"kelvin": float("nan")}, r"expected a number"),
        ({"kelvin": True}, r"expected a number"),
        ({"count": -1}, r"ALL\.count is -1: the range is 0 … "),
        ({"count": 1.5}, r"ALL\.count is 1\.5: expected a whole number"),
        ({"signed": 40000}, r"the range is -32768 … 32767"),
        ({"on": "maybe"}, r"ALL\.on is 'maybe': expected on, off"),
        ({"mode": "FASTER"}, r"ALL\.mode has no value 'FASTER'; did you mean 'FAST'\?"),
        ({"mode": 3}, r"ALL\.mode has no value 3; known: SLOW, FAST"),
        ({"key": b"abc"}, r"ALL\.key is b'abc': expected 4 bytes, in hex"),
        ({"key": "abc"}, r"ALL\.key is 'abc': expected 4 bytes, in hex"),
        ({"key": "wxyz"}, r"ALL\.key is 'wxyz': expected 4 bytes, in hex"),
        ({"name": "raven"}, r"ALL\.name: 'raven' has 5 bytes in ascii: at most 4 fit"),
        ({"name": 5}, r"ALL\.name is 5: expected text of at most 4 bytes"),
        ({"kelvinn": 1}, r"ALL has no argument 'kelvinn'; did you mean 'kelvin'\?"),
    ],
)
def test_a_wrong_argument_is_refused_with_its_place(changed: dict[str, object], message: str) -> None:
    with pytest.raises(EncodeError, match=message):
        ALL_KINDS.encode(GOOD | changed)  # type: ignore[arg-type]


def test_missing_arguments_and_unknown_commands_are_refused() -> None:
    with pytest.raises(EncodeError, match=r"STEP\.ticks is missing: 1 … 10000 tick"):
        MARS6.command("STEP").encode()
    with pytest.raises(EncodeError, match=r"PING has no argument 'x'; there are none"):
        MARS6.command("PING").encode({"x": 1})
    with pytest.raises(EncodeError, match=r"no command 'FIRE_RETRO'; did you mean 'FIRE_RETROS'\?"):
        MARS6.command("FIRE_RETRO")


def test_the_spacecraft_refuses_what_is_out_of_range() -> None:
    step = MARS6.command("STEP")
    assert step.decode(bytes([4, 0x27, 0x10])) == {"ticks": 10000}
    with pytest.raises(DecodeError, match=r"STEP\.ticks is 10001 raw: allowed is 1 … 10000 tick"):
        step.decode(bytes([4, 0x27, 0x11]))
    with pytest.raises(DecodeError, match="3 bytes of application data, not 2"):
        step.decode(bytes([4, 0]))
    with pytest.raises(DecodeError, match="function 4, not 5"):
        step.decode(bytes([5, 0, 1]))
    with pytest.raises(DecodeError, match=r"SELECT_PROFILE\.profile"):
        MARS6.command("SELECT_PROFILE").decode(bytes([12, 10]))


def test_a_telecommand_is_recognised_by_type_and_function() -> None:
    for definition in COMMANDS:
        command = MARS6.command(definition.name)
        arguments = {a.name: a.labels[0][1] if a.labels else a.low or 1 for a in command.arguments}
        packet = pus.decode_tc(command.packet(0, arguments))
        header = packet.header
        assert MARS6.find_command(packet.apid, header.service, header.subtype, packet.data) is command
        assert set(command.decode(packet.data)) == set(arguments)
    assert MARS6.find_command(COMMAND_APID, 8, 1, b"") is None
    assert MARS6.find_command(COMMAND_APID, 8, 1, b"\xff") is None


def test_verification_packets_share_an_apid() -> None:
    assert MARS6.by_apid[COMMAND_APID][0].definition.name == "COMMAND_ACCEPTED"

    def identified(subtype: int) -> str | None:
        packet = MARS6.identify(pus.encode_tm(COMMAND_APID, 0, pus.TmHeader(1, subtype, 0, 0, 0), b""))
        return None if packet is None else packet.definition.name

    names = ["COMMAND_ACCEPTED", "COMMAND_REFUSED", "COMMAND_COMPLETED", "COMMAND_FAILED"]
    assert [identified(subtype) for subtype in (1, 2, 7, 8)] == names
    assert identified(3) is None
    report = MARS6.by_name["COMMAND_COMPLETED"].codec
    request = pus.request_id(MARS6.command("PING").packet(9))
    assert report.decode(report.encode_names({"request": request, "tick": 42}), 0) == {"request": request, "tick": 42}
    assert decode_header(request.to_bytes(4, "big") + b"\0\0").sequence == 9


def mission(*commands: CommandDef, packets: tuple[PacketDef, ...] = ()) -> Dictionary:
    return Dictionary("M", 1, packets, (), (), (), commands)


def test_the_hash_covers_commands_and_their_ranges() -> None:
    def ranged(high: float) -> CommandDef:
        return CommandDef("A", 1, 8, 1, "", 1, c.Struct("x" / Quantity(c.Int8ub, limits=Limits(1, None, None, high))))

    hashes = {mission(*each).hash for each in ((), (ranged(9),), (ranged(10),), (CommandDef("A", 1, 17, 1, ""),))}
    assert len(hashes) == 4
    assert mission(CommandDef("A", 1, 17, 1, "one")).hash == mission(CommandDef("A", 1, 17, 1, "two")).hash


@pytest.mark.parametrize(
    ("commands", "message"),
    [
        ((CommandDef("A", 1, 8, 1, "", 1), CommandDef("A", 1, 8, 1, "", 2)), "command name A is declared twice"),
        ((CommandDef("A", 1, 8, 1, "", 1), CommandDef("B", 1, 8, 1, "", 1)), r"function\) \(1, 8, 1, 1\) is declared"),
        ((CommandDef("A", 1, 8, 1, "", 256),), "A: function id 256"),
        ((CommandDef("A", 1, 8, 1, "", 1, c.Struct("x" / c.VarInt)),), r"A\.x"),
        (
            (CommandDef("A", 1, 8, 1, "", 1, c.Struct("x" / Quantity(c.Int8ub, limits=Limits(9, None, None, 1)))),),
            r"A\.x: no value lies in 9 … 1",
        ),
    ],
)
def test_an_impossible_declaration_is_refused(commands: tuple[CommandDef, ...], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        mission(*commands)


def test_two_packets_of_one_type_are_refused() -> None:
    body = c.Struct("a" / c.Int8ub)
    packets = (PacketDef("A", 1, 3, 25, body, 0, ""), PacketDef("B", 1, 3, 25, body, 0, ""))
    with pytest.raises(DeclarationError, match="M: B and A cannot be told apart"):
        mission(packets=packets)


NEW_KINDS = CommandDef(
    "SET",
    1,
    8,
    1,
    "Set.",
    7,
    c.Struct(
        "name" / c.PaddedString(6, "utf8"),
        "volt"
        / Quantity(c.Int16ul, "V", calibration=Polynomial((0, 0.01, 1e-7)), limits=Limits(red_low=1, red_high=50)),
        "temp" / Quantity(c.Int8ub, "K", calibration=Table(((10, 100), (110, 200)))),
        "zone" / EnumRanges(c.Int8ub, COLD=(1, 9), HOT=(20, 29)),
    ),
)


def test_text_ranges_and_curves_are_encoded_and_decoded() -> None:
    command = mission(NEW_KINDS).command("SET")
    data = command.encode({"name": "grün", "volt": "12.5", "temp": 150, "zone": "hot"})
    assert data[:7] == b"\x07" + "grün".encode() + b"\0"
    assert data[9:] == bytes([60, 20])
    found = command.decode(data)
    assert found["volt"] == pytest.approx(12.5, abs=0.01)
    assert (found["name"], found["temp"], found["zone"]) == ("grün", 150.0, "HOT")
    assert command.decode(command.encode({"name": "", "volt": 1, "temp": 100, "zone": 25}))["zone"] == "HOT"
    ranges = [argument.range_text for argument in command.arguments]
    assert ranges == ["text of at most 6 bytes", "1 … 50 V", "100 … 200 K", "COLD, HOT"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "too long"}, "8 bytes in utf-8: at most 6 fit"),
        ({"name": 7}, r"SET\.name is 7: expected text of at most 6 bytes"),
        ({"volt": 51}, r"SET\.volt is 51: the range is 1 … 50 V"),
        ({"temp": 99}, r"SET\.temp is 99: the range is 100 … 200 K"),
        ({"zone": 10}, r"SET\.zone has no value 10"),
    ],
)
def test_values_beyond_text_ranges_and_curves_are_refused(values: dict[str, Argument], message: str) -> None:
    command = mission(NEW_KINDS).command("SET")
    with pytest.raises(EncodeError, match=message):
        command.encode({"name": "", "volt": 1, "temp": 100, "zone": 25, **values})
    with pytest.raises(DecodeError, match=r"SET\.zone is 10 raw"):
        command.decode(command.encode({"name": "", "volt": 1, "temp": 100, "zone": 25})[:-1] + b"\x0a")


def test_an_argument_of_variable_size_is_refused_with_its_path() -> None:
    with pytest.raises(DeclarationError, match=r"A\.x: its size varies: arguments have a fixed size"):
        mission(CommandDef("A", 1, 8, 1, "", 1, c.Struct("x" / c.GreedyBytes)))
    with pytest.raises(DeclarationError, match=r"A\.x: .* has no inverse"):
        square = Quantity(c.Int8sb, calibration=Polynomial((0, 0, 1)))
        mission(CommandDef("A", 1, 8, 1, "", 1, c.Struct("x" / square)))

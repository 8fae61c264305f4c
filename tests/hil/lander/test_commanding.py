"""Bytes to commands: what is accepted, refused with which failure, and dropped; FARM-1's word on it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.lander.commanding import MAX_CLTU, CommandReceiver, Failure, Order, Refusal, check
from protocols.ccsds.cltu import encode_cltu
from protocols.ccsds.tc_frame import SetVr, Unlock
from protocols.declare.commands import Argument
from protocols.lander import COMMANDS, MARS6
from tests.golden.scripts import RUNS
from tests.hil.lander.uplink import ad, bc, bd, command, packet, sealed

PING = packet("PING", 5)
RATE = packet("FRAME_RATE", 6, period=5)

ARGUMENTS: dict[str, dict[str, Argument]] = {
    "STEP": {"ticks": 10_000},
    "SCALE": {"factor": 0.1},
    "TRANSMITTER": {"on": True},
    "FRAME_RATE": {"period": 100},
    "SELECT_PROFILE": {"profile": "SOFT_LANDING"},
    "INJECT_FAULT": {"fault": "BOND", "level": 100, "seed": 0xFFFFFFFF},
    "CLEAR_FAULTS": {"fault": "ALL"},
    "SELECT_SPAN": {"span": "ENCOUNTER"},
    "SEED": {"seed": 0xFFFFFFFF},
}
RAW = {
    "STEP": (10_000,),
    "SCALE": (10,),
    "TRANSMITTER": (1,),
    "FRAME_RATE": (100,),
    "SELECT_PROFILE": (1,),
    "INJECT_FAULT": (4, 100, 0xFFFFFFFF),
    "CLEAR_FAULTS": (0,),
    "SELECT_SPAN": (1,),
    "SEED": (0xFFFFFFFF,),
}


@pytest.mark.parametrize("name", [each.name for each in COMMANDS])
def test_every_command_arrives_with_its_raw_arguments(name: str) -> None:
    data = MARS6.command(name).packet(77, ARGUMENTS.get(name, {}), acknowledge=1)
    assert check(data) == Order(0x1900C04D, name, RAW.get(name, ()), 1)


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        (PING[:-1] + bytes([PING[-1] ^ 1]), "BAD_CHECKSUM"),
        (b"\x18", "BAD_CHECKSUM"),
        (sealed(PING[:10]), "BAD_LENGTH"),
        (sealed(PING[:-2] + b"\0"), "BAD_LENGTH"),
        (sealed(PING[:4] + b"\0\5" + PING[6:-2]), "BAD_LENGTH"),
        (sealed(PING[:4] + b"\0\7" + PING[6:-2] + b"\0"), "BAD_LENGTH"),
        (sealed(RATE[:4] + b"\0\7" + RATE[6:12]), "BAD_LENGTH"),
        (sealed(RATE[:4] + b"\0\x09" + RATE[6:-2] + b"\0"), "BAD_LENGTH"),
        (sealed(b"\x19\x01" + PING[2:-2]), "UNKNOWN_APID"),
        (sealed(b"\x1a\x01" + PING[2:7] + b"\x63" + PING[8:-2]), "UNKNOWN_APID"),
        (sealed(b"\x09\x00" + PING[2:-2]), "UNKNOWN_COMMAND"),
        (sealed(b"\x11\x00" + PING[2:-2]), "UNKNOWN_COMMAND"),
        (sealed(b"\x39\x00" + PING[2:-2]), "UNKNOWN_COMMAND"),
        (sealed(PING[:6] + b"\x19" + PING[7:-2]), "UNKNOWN_COMMAND"),
        (sealed(PING[:7] + b"\x63" + PING[8:-2]), "UNKNOWN_COMMAND"),
        (sealed(PING[:8] + b"\x02" + PING[9:-2]), "UNKNOWN_COMMAND"),
        (sealed(RATE[:11] + b"\0" + RATE[12:-2]), "UNKNOWN_COMMAND"),
        (sealed(RATE[:11] + b"\x11" + RATE[12:-2]), "UNKNOWN_COMMAND"),
        (sealed(RATE[:4] + b"\0\6" + RATE[6:11]), "UNKNOWN_COMMAND"),
        (sealed(RATE[:12] + b"\0"), "BAD_ARGUMENT"),
        (sealed(RATE[:12] + b"\x65"), "BAD_ARGUMENT"),
        (sealed(packet("STEP", ticks=1)[:12] + b"\x27\x11"), "BAD_ARGUMENT"),
        (sealed(packet("SCALE", factor=1)[:12] + b"\0\x09"), "BAD_ARGUMENT"),
        (sealed(packet("SCALE", factor=1)[:12] + b"\x27\x11"), "BAD_ARGUMENT"),
        (sealed(packet("SELECT_PROFILE", profile=0)[:12] + b"\x0a"), "BAD_ARGUMENT"),
        (sealed(packet("INJECT_FAULT", fault=1, level=1, seed=0)[:12] + b"\0\1\0\0\0\0"), "BAD_ARGUMENT"),
        (sealed(packet("INJECT_FAULT", fault=1, level=1, seed=0)[:12] + b"\4\x65\0\0\0\0"), "BAD_ARGUMENT"),
        (sealed(packet("CLEAR_FAULTS", fault=1)[:12] + b"\5"), "BAD_ARGUMENT"),
    ],
)
def test_what_is_wrong_is_told_the_first_thing_first(data: bytes, failure: str) -> None:
    request = int.from_bytes(data[:4].ljust(4, b"\0"), "big")
    assert check(data) == Refusal(request, Failure[failure])


def test_what_is_not_looked_at_does_not_matter() -> None:
    order = check(sealed(PING[:2] + b"\x3f\xff" + PING[4:9] + b"\xab\xcd"))
    assert isinstance(order, Order)
    assert order.request == 0x19003FFF
    on = check(sealed(packet("TRANSMITTER", on=True)[:12] + b"\x80"))
    assert isinstance(on, Order)
    assert on.arguments == (1,)


def received(receiver: CommandReceiver, data: bytes) -> list[str]:
    return [each.name if isinstance(each, Order) else each.failure.name for each in receiver.receive(data)]


@pytest.mark.parametrize(
    ("data", "names", "dropped"),
    [
        (encode_cltu(bd(PING)), ["PING"], 0),
        (encode_cltu(bd(PING, scid=7)), [], 1),
        (encode_cltu(bd(PING, vcid=1)), [], 1),
        (encode_cltu(bd(PING)[:-1] + b"\0"), [], 1),
        (encode_cltu(bd(PING)[:3] + b"\xff" + bd(PING)[4:]), [], 1),
        (encode_cltu(b"\xff" * 14), [], 1),
        (encode_cltu(bd(PING) + bd(RATE)), ["PING", "FRAME_RATE"], 0),
        (encode_cltu(bd(PING) + bd(PING, scid=7) + bd(RATE)), ["PING", "FRAME_RATE"], 1),
        (encode_cltu(bd(PING))[:-8] + bytes(8) + encode_cltu(bd(RATE)), ["PING", "FRAME_RATE"], 0),
        (encode_cltu(bd(b"\x18")), ["BAD_CHECKSUM"], 0),
    ],
)
def test_cltus_and_frames(data: bytes, names: list[str], dropped: int) -> None:
    receiver = CommandReceiver()
    assert received(receiver, data) == names
    assert receiver.dropped == dropped


def test_a_cltu_without_end_gives_what_fits_and_the_next_is_heard() -> None:
    receiver = CommandReceiver()
    assert received(receiver, encode_cltu(bd(PING) * 5)) == ["PING"] * (MAX_CLTU // len(bd(PING)))
    assert received(receiver, encode_cltu(bd(RATE))) == ["FRAME_RATE"]


def test_farm_1_accepts_reports_and_is_commanded() -> None:
    receiver = CommandReceiver()

    def send(frame: bytes) -> list[str]:
        return received(receiver, encode_cltu(frame))

    assert send(ad(0, PING)) == ["PING"]
    assert receiver.clcw().report == 1
    assert send(ad(0, PING)) == []
    assert send(ad(9, PING)) == []
    assert receiver.clcw().retransmit
    assert send(ad(12, PING)) == []
    assert receiver.clcw().lockout
    assert send(bd(PING)) == ["PING"]
    assert send(bc(SetVr(40))) == []
    assert (receiver.clcw().report, receiver.clcw().farm_b) == (1, 2)
    assert send(bc(Unlock())) == []
    assert send(bc(SetVr(40))) == []
    assert (receiver.clcw().report, receiver.clcw().lockout) == (40, False)
    assert send(ad(40, PING)) == ["PING"]
    assert receiver.dropped == 0


def test_farm_1_has_not_seen_the_next_frame_when_a_command_is_handed_over() -> None:
    receiver = CommandReceiver()
    found = receiver.receive(encode_cltu(ad(0, PING)) + encode_cltu(ad(1, PING)))
    assert [receiver.clcw().report for _ in found] == [1, 2]


@pytest.mark.parametrize("name", ["clock", "bad input"])
def test_how_the_bytes_are_cut_does_not_matter(name: str) -> None:
    stream = b"".join(entry.data for entry in RUNS[name]())
    whole, pieces = CommandReceiver(), CommandReceiver()
    found = list(whole.receive(stream))
    assert len(found) > 30
    assert [each for byte in stream for each in pieces.receive(bytes([byte]))] == found
    assert (pieces.dropped, pieces.clcw()) == (whole.dropped, whole.clcw())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_a_packet_of_any_bytes_is_an_order_or_a_refusal(data: bytes) -> None:
    assert isinstance(check(sealed(data)), (Order, Refusal))
    assert isinstance(check(data or b"\0"), (Order, Refusal))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=40), st.just(command("PING")), st.just(command("HOLD")[:9])), max_size=8))
def test_noise_never_raises_and_a_command_behind_it_arrives(pieces: list[bytes]) -> None:
    receiver = CommandReceiver()
    list(receiver.receive(b"".join(pieces)))
    # A false start may swallow one CLTU's worth of codeblocks; what follows is heard.
    assert "PING" in received(receiver, bytes(100) + command("PING") + bytes(100))

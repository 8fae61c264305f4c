"""The receiver on the real descent and on everything that is not it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundstation.downlink.receiver import Receiver, ReceiverEvent
from groundstation.links.base import Chunk, Idle, TransportChange
from groundstation.messages.wire import ContactChange, Counters, EventMessage, Telemetry
from groundstation.station.snapshot import SnapshotCache
from groundstation.viewer.model import PassModel
from hil.lander.bus import ResetReason
from hil.lander.spacecraft import Spacecraft
from protocols.ccsds import encapsulation
from protocols.ccsds.aos_frame import AosFrame
from protocols.ccsds.cltu import encode_cltu
from protocols.ccsds.crc import crc16
from protocols.ccsds.pus import TIME_OFFSET, TmHeader, encode_tm
from protocols.ccsds.space_packet import idle_packet
from protocols.ccsds.tc_frame import TcFrame
from protocols.ccsds.tc_frame import encode_frame as encode_tc
from protocols.ccsds.tm_frame import TmFrame, encode_frame
from protocols.errors import DeclarationError
from protocols.lander import EPOCH, MARS6, MISSION
from protocols.profile import UART, LinkProfile
from protocols.sync.frames import encode_cadu
from tests import descent

BURSTS = list(descent.bursts())
STREAM = b"".join(b.data for b in BURSTS)


def conserved(c: Counters) -> bool:
    return c.bytes_in == c.good + c.corrected + c.rejected + c.skipped + c.pending


def receive(data: bytes, size: int = 4096) -> tuple[list[ReceiverEvent], Receiver]:
    receiver = Receiver(MARS6, UART, "test:")
    outcomes = receiver.process(TransportChange(0, "CONNECTED", "test"))
    for n in range(0, len(data), size):
        outcomes += receiver.process(Chunk(n, data[n : n + size]))
    assert conserved(receiver.counters())
    assert receiver.counters().bytes_in == len(data)
    return outcomes, receiver


def names(outcomes: list[ReceiverEvent]) -> list[str]:
    return [o.name for o in outcomes if isinstance(o, EventMessage)]


def test_a_disturbance_of_the_port_is_a_warning_and_no_new_state() -> None:
    receiver = Receiver(MARS6, UART, "test:")
    receiver.process(TransportChange(0, "CONNECTED", "open"))
    moment = receiver.process(TransportChange(1, "CONNECTED", "set to 9600 baud; set back", disturbance="moment"))
    assert [(e.severity, e.name, e.text) for e in moment if isinstance(e, EventMessage)] == [
        ("WARNING_HI", "PORT_DISTURBED", "set to 9600 baud; set back")
    ]
    assert receiver.status(3, None, True).detail == "open"
    shared = TransportChange(2, "CONNECTED", "open; cat (pid 8) has it open too", disturbance="lasting")
    lasting = receiver.process(shared)
    assert names(lasting) == ["PORT_DISTURBED"]
    assert receiver.status(3, None, True).detail == "open; cat (pid 8) has it open too"
    assert names(receiver.process(TransportChange(3, "CONNECTED", "open; cat (pid 8) left it"))) == ["CONNECTED"]


def test_a_port_that_is_disturbed_from_the_start_is_connected_too() -> None:
    receiver = Receiver(MARS6, UART, "test:")
    first = TransportChange(0, "CONNECTED", "open; cat (pid 8) has it open too", disturbance="lasting")
    assert names(receiver.process(first)) == ["CONNECTED", "PORT_DISTURBED"]


def framed(packet: bytes, scid: int = 6, vcid: int = 0, vcfc: int = 0) -> bytes:
    data = packet + idle_packet(UART.data_length - len(packet))
    return encode_frame(TmFrame(scid, vcid, 0, vcfc, 0, data, b"\1\0\0\0"), UART)


def science(outcomes: list[ReceiverEvent]) -> list[Telemetry]:
    return [o for o in outcomes if isinstance(o, Telemetry) and o.packet == "DESCENT"]


@pytest.mark.parametrize("size", [1, 100, 132, 4096])
def test_the_whole_descent_in_any_cut(size: int) -> None:
    outcomes, receiver = receive(STREAM, size)
    counters = receiver.counters()
    assert counters.frames_good == 2240 + 322
    assert counters.frames_lost == counters.frames_rejected == counters.packets_bad == 0
    assert counters.good == len(STREAM)
    stamps = [t.scet for t in science(outcomes)]
    assert stamps == [EPOCH + n * 100_000_000 for n in range(880, 3120)]


def test_every_lander_frame_carries_its_own_tick() -> None:
    receiver = Receiver(MARS6, UART, "test:")
    for burst in BURSTS:
        if burst.data:
            receiver.process(Chunk(burst.scet, burst.data))
            status = receiver.contact.status()
            if 880 <= (burst.scet - EPOCH) // 100_000_000 < 3120:
                assert status[0].last_scet == burst.scet


def test_an_altitude_without_lock_is_not_valid() -> None:
    outcomes, _ = receive(STREAM)
    for sample in science(outcomes):
        assert ("radio_altitude" in sample.invalid) == (not sample.values["altimeter_lock"])


def test_noise_around_and_between_costs_only_what_it_hits() -> None:
    rng = random.Random(6)
    noisy = rng.randbytes(1000) + STREAM[:13200] + rng.randbytes(777) + STREAM[13200:]
    _, receiver = receive(noisy)
    assert receiver.counters().frames_good == 2562
    assert receiver.counters().frames_lost == 0


def test_a_foreign_spacecraft_is_counted_and_told_once() -> None:
    packet = encode_tm(0x101, 0, TmHeader(3, 25, 0, 0, EPOCH), bytes(29))
    outcomes, receiver = receive(framed(packet, scid=0x155) * 5)
    assert receiver.counters().frames_foreign == 5
    assert names(outcomes).count("FOREIGN_SCID") == 1
    assert not science(outcomes)
    assert receiver.contact.state == "NO_SIGNAL"


def test_encapsulation_packets_are_counted_and_told_once() -> None:
    wrapped = encapsulation.encode_packet(2, bytes(10))
    outcomes, receiver = receive(framed(wrapped) + framed(wrapped, vcfc=1))
    assert names(outcomes).count("ENCAPSULATION") == 1
    assert (receiver.counters().packets_unknown, receiver.counters().packets_bad) == (2, 0)


def test_unknown_channels_packets_and_events_are_told_once() -> None:
    unknown = encode_tm(0x3FF, 0, TmHeader(3, 25, 0, 0, EPOCH), bytes(8))
    outcomes, receiver = receive(framed(unknown, vcid=5) + framed(unknown) + framed(unknown, vcfc=1))
    assert names(outcomes).count("UNKNOWN_VCID") == 1
    assert names(outcomes).count("UNKNOWN_APID") == 1
    assert receiver.counters().packets_unknown == 2
    event = encode_tm(0x103, 0, TmHeader(5, 1, 0, 0, EPOCH), (999).to_bytes(2, "big") + bytes(12))
    outcomes, _ = receive(framed(event))
    assert "UNKNOWN_EVENT" in names(outcomes)


def test_packet_with_an_impossible_time_is_bad_its_frame_untimed() -> None:
    packet = bytearray(encode_tm(0x101, 0, TmHeader(3, 25, 0, 0, EPOCH), bytes(29))[:-2])
    packet[TIME_OFFSET + 2 : TIME_OFFSET + 6] = (86_400_000).to_bytes(4, "big")
    outcomes, receiver = receive(framed(bytes(packet) + crc16(packet).to_bytes(2, "big")))
    (bad,) = [o for o in outcomes if isinstance(o, EventMessage) and o.name == "BAD_PACKET"]
    assert "86400000 ms of day" in bad.text
    assert receiver.counters().packets_bad == 1
    assert [note.scet for note in receiver.frames] == [None]
    assert not science(outcomes)


def test_a_packet_of_another_length_or_service_is_bad_not_guessed() -> None:
    for packet in (
        encode_tm(0x101, 0, TmHeader(3, 25, 0, 0, EPOCH), bytes(28)),
        encode_tm(0x101, 0, TmHeader(3, 26, 0, 0, EPOCH), bytes(29)),
    ):
        outcomes, receiver = receive(framed(packet))
        assert receiver.counters().packets_bad == 1
        assert "BAD_PACKET" in names(outcomes)
        assert not science(outcomes)


def test_another_dictionary_aboard_is_a_warning() -> None:
    body = (0).to_bytes(4, "big") + (MARS6.hash ^ 1).to_bytes(4, "big") + bytes(13)
    packet = encode_tm(0x102, 0, TmHeader(3, 25, 0, 0, EPOCH), body)
    outcomes, _ = receive(framed(packet) + framed(packet, vcfc=1))
    assert names(outcomes).count("DICTIONARY") == 1


def test_a_step_of_a_counter_is_an_event_at_once() -> None:
    packet = MARS6.by_name["MICROMETEOROIDS"]
    samples = [{"tick": 80 + 600 * n, "impacts": impacts} for n, impacts in enumerate((1, 12, 12))]
    receiver = Receiver(MARS6, UART, "test")
    out: list[ReceiverEvent] = []
    for n, values in enumerate(samples):
        time_ns = EPOCH + values["tick"] * 100_000_000
        out += receiver.feed(framed(packet.encode(values, n, time_ns), vcid=2, vcfc=n), n)
    texts = [o.text for o in out if isinstance(o, EventMessage) and o.name == "LIMIT"]
    assert texts == [
        "MICROMETEOROIDS.impacts GREEN → RED_HIGH at 12: +11 in 60 s, > 10 in 60 s",
        "MICROMETEOROIDS.impacts RED_HIGH → GREEN at 12: +0 in 60 s, ≤ 2 in 60 s",
    ]
    assert [t.limits for t in out if isinstance(t, Telemetry)] == [{}, {"impacts": "RED_HIGH"}, {}]


def test_limits_need_persistence_to_be_an_event() -> None:
    outcomes, _ = receive(STREAM)
    limits = [o.text for o in outcomes if isinstance(o, EventMessage) and o.name == "LIMIT"]
    assert [t.split(" at ")[0] for t in limits] == [
        "DESCENT.radio_altitude GREEN → YELLOW_LOW",
        "DESCENT.radio_altitude YELLOW_LOW → RED_LOW",
    ]


@settings(max_examples=100)
@given(
    st.lists(st.one_of(st.binary(max_size=300), st.integers(0, len(STREAM) - 400).map(lambda n: STREAM[n : n + 399])))
)
def test_any_bytes_at_all(pieces: list[bytes]) -> None:
    receiver = Receiver(MARS6, UART, "test:")
    for n, piece in enumerate(pieces):
        receiver.process(Chunk(n, piece) if piece else Idle(n))
        assert conserved(receiver.counters())


def test_an_aos_link_counts_frames_by_24_bits() -> None:
    profile = LinkProfile(kind="AOS", frame_length=256)
    receiver = Receiver(MARS6, profile, "test:")
    packet = encode_tm(0x101, 0, TmHeader(3, 25, 0, 0, EPOCH), bytes(29))
    data = packet + idle_packet(profile.data_length - len(packet))
    for vcfc in (255, 256, 300):
        receiver.process(Chunk(vcfc, encode_cadu(AosFrame(6, 0, vcfc, 0, data, bytes(4)), profile)))
    counters = receiver.counters()
    assert (counters.frames_good, counters.frames_lost, counters.packets) == (3, 43, 3)


def test_a_station_does_not_receive_bits() -> None:
    with pytest.raises(DeclarationError, match="alignment"):
        Receiver(MARS6, LinkProfile(alignment="bit"), "test:")


def test_control_fields_come_out_once_for_each_change() -> None:
    receiver = Receiver(MARS6, UART, "test:")
    idle = idle_packet(UART.data_length)
    ocfs = [b"\1\0\0\0", b"\1\0\0\0", b"\1\0\0\1", b"\1\0\0\0"]
    frames = [encode_frame(TmFrame(6, 0, n, n, 0, idle, ocf), UART) for n, ocf in enumerate(ocfs)]
    foreign = encode_frame(TmFrame(7, 0, 0, 0, 0, idle, b"\1\0\0\7"), UART)
    receiver.process(Chunk(0, foreign + b"".join(frames)))
    assert receiver.ocfs == [b"\1\0\0\0", b"\1\0\0\1", b"\1\0\0\0"]
    receiver.process(Idle(1))
    assert receiver.ocfs == []


SIZE = UART.cadu_length
FRAMES = [STREAM[n : n + SIZE] for n in range(0, len(STREAM), SIZE)]


def telemetry(outcomes: list[ReceiverEvent]) -> list[tuple[str, int]]:
    return [(o.packet, o.scet) for o in outcomes if isinstance(o, Telemetry)]


def onboard(outcomes: list[ReceiverEvent]) -> list[str]:
    return [o.name for o in outcomes if isinstance(o, EventMessage) and o.source != "STATION"]


@pytest.mark.parametrize("copies", [2, 3])
def test_a_whole_descent_of_doubled_frames_is_told_once(copies: int) -> None:
    once, _ = receive(STREAM)
    outcomes, receiver = receive(b"".join(frame * copies for frame in FRAMES))
    assert telemetry(outcomes) == telemetry(once)
    assert onboard(outcomes) == onboard(once)
    counters = receiver.counters()
    assert (counters.frames_lost, counters.frames_duplicate) == (0, (copies - 1) * len(FRAMES))
    assert names(outcomes).count("DUPLICATE") == 2
    assert not {"FRAME_GAP", "RESTART"} & set(names(outcomes))


def test_frames_in_another_order_lose_no_packet() -> None:
    once, _ = receive(STREAM)
    chance, frames = random.Random(1), list(FRAMES)
    n = 100
    while n < len(frames) - 1:
        if chance.random() < 0.1:
            frames[n], frames[n + 1] = frames[n + 1], frames[n]
            n += 1
        n += 1
    outcomes, receiver = receive(b"".join(frames), SIZE)
    assert sorted(telemetry(outcomes)) == sorted(telemetry(once))
    assert sorted(onboard(outcomes)) == sorted(onboard(once))
    counters = receiver.counters()
    assert (counters.frames_lost, counters.packets_bad) == (0, 0)
    assert counters.frames_late > 50


def test_clcws_of_frames_that_come_again_or_late_are_passed_over() -> None:
    """A CLCW of before tells FOP-1 that frames are missing which are not."""
    receiver = Receiver(MARS6, UART, "test:")

    def at(n: int) -> bytes:
        packet = encode_tm(0x101, n, TmHeader(3, 25, 0, 0, EPOCH + n * 100_000_000), bytes(29))
        data = packet + idle_packet(UART.data_length - len(packet))
        return encode_frame(TmFrame(6, 0, n, n, 0, data, bytes([1, 0, 0, n])), UART)

    told = []
    for n in (0, 1, 2, 4, 3, 4, 1, 5):
        receiver.process(Chunk(n, at(n)))
        told += [ocf[3] for ocf in receiver.ocfs]
    assert told == [0, 1, 2, 4, 5]


def flight(*commands: str, ticks: int = 900) -> bytes:
    """A lander after power on, its commands, then so many ticks; with a clock of its own it greets first."""
    craft = Spacecraft()
    sent = craft.hello(ResetReason.POWER_ON, 7) + craft.hello(ResetReason.POWER_ON, 7)
    for n, name in enumerate(commands):
        sent += craft.receive(uplink(name, n))
    return sent + b"".join(craft.step() for _ in range(ticks))


def uplink(name: str, n: int) -> bytes:
    packet = MARS6.command(name).packet(n, {})
    return encode_cltu(encode_tc(TcFrame(MARS6.scid, 0, 0, packet, bypass=True)))


def test_start_tells_a_restart_and_no_loss() -> None:
    outcomes, receiver = receive(flight("PING", "START"), SIZE)
    counters = receiver.counters()
    assert (counters.frames_lost, counters.restarts, counters.frames_duplicate) == (0, 1, 0)
    (text,) = [o.text for o in outcomes if isinstance(o, EventMessage) and o.name == "RESTART"]
    assert text.startswith("lander restarted: ")
    assert "VC2 count" in text


@pytest.mark.parametrize("ticks", [0, 50, 950, 2600])
def test_a_power_cycle_or_reset_tells_a_restart_and_no_loss(ticks: int) -> None:
    first, second = flight("START", ticks=ticks), flight("START", ticks=950)
    if not ticks:  # a boot loop: the same greeting each time
        first = first[: 2 * SIZE]
    receiver = Receiver(MARS6, UART, "test:")
    outcomes = receiver.process(TransportChange(0, "CONNECTED", "test"))
    for n, data in enumerate((first, second)):
        for place in range(0, len(data), SIZE):
            ert = n * 400_000_000_000 + place // SIZE * 100_000_000
            outcomes += receiver.process(Chunk(ert, data[place : place + SIZE]))
    counters = receiver.counters()
    assert (counters.frames_lost, counters.frames_duplicate) == (0, 0)
    assert counters.restarts == (3 if ticks else 2)
    assert "FRAME_GAP" not in names(outcomes)
    changes = [o for o in outcomes if isinstance(o, ContactChange) and o.vcid == 0 and o.state == "LOCKED"]
    assert all(change.outage_ms is None for change in changes)


def test_an_outage_of_a_turn_or_more_is_counted_by_every_channel() -> None:
    for ticks in (255, 256, 257, 400, 700):
        bursts = [b.data for b in BURSTS]
        lost = sum(len(b.data) // SIZE for b in BURSTS[1000 : 1000 + ticks])
        _, receiver = receive(b"".join(bursts[:1000] + bursts[1000 + ticks :]), SIZE)
        counters = receiver.counters()
        assert (counters.frames_lost, counters.frames_lost_certainty) == (lost, "EXACT")


def test_values_that_come_late_replace_no_newer_ones() -> None:
    """And three samples in a row are a limit event only in their order."""
    frames = [FRAMES[n] for n in range(200, 300)]
    n = next(n for n in range(40, 60) if all(frames[k][5] >> 1 & 7 == 0 for k in (n, n + 1)))
    frames[n], frames[n + 1] = frames[n + 1], frames[n]
    outcomes, _ = receive(b"".join(frames[: n + 2]), SIZE)
    newer, late = [o for o in outcomes if isinstance(o, Telemetry) and o.packet == "DESCENT"][-2:]
    assert (newer.late, late.late, newer.scet - late.scet) == (False, True, 100_000_000)
    board, model = SnapshotCache(MISSION, "test", 1, 0), PassModel()
    for message in (newer, late):
        board.put(message)
        model.apply(message, 0)
    (kept,) = board.snapshot(receive(b"")[1].status(0, None, True), {}).telemetry
    assert kept == newer
    assert model.reading(("DESCENT", "altitude"), 0).value == newer.values["altitude"]

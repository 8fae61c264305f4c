"""What a bridge keeps and what a station makes of it, without sockets: nothing lost, nothing twice, or counted."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundstation.bridge.relay_buffer import ENTRY_COST, RelayBuffer
from groundstation.links.base import Chunk, Idle, RelayGap, Report, TransportChange
from groundstation.links.relay_protocol import (
    Busy,
    PortState,
    Received,
    RelayControl,
    RelayMessage,
    Welcome,
    pack,
    pack_control,
    unpack_parts,
)
from groundstation.links.relay_session import ACK_AFTER, HELLO_AGAIN, QUIET_TURNS, RelayStream
from protocols.errors import DecodeError
from protocols.units import NS_PER_MS

TURN = 20 * NS_PER_MS
HOUR = 3600 * 1000 * NS_PER_MS


@given(st.integers(0, 2**64 - 1), st.integers(-(2**62), 2**62))
@pytest.mark.parametrize(
    "control",
    [
        Welcome(stream="s", acked=3, may_write=False),
        Busy(detail="busy"),
        PortState(state="CONNECTED", detail="open"),
        PortState(state="CONNECTED", detail="cat has it open too", disturbance="lasting"),
        Received(stream="s", seq=2),
    ],
)
def test_news_travel_whole(control: RelayControl, seq: int, ert: int) -> None:
    assert unpack_parts(pack_control(seq, ert, control)) == RelayMessage(seq, ert, b"", control)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=3))
def test_any_parts_are_a_message_or_none(parts: list[bytes]) -> None:
    stream = RelayStream("x")
    stream.connected(0)
    stream.take(parts, 0)
    try:
        unpack_parts(parts)
    except DecodeError:
        assert stream.malformed == 1


class Far:
    """A bridge's end, as far as it needs no socket."""

    def __init__(self, limit: int = 1 << 30, name: str = "run") -> None:
        self.buffer = RelayBuffer(limit)
        self.name = name

    def greet(self, stream: RelayStream, now: int) -> list[Report]:
        """A connection: the station says what it has, and the rest is sent."""
        reports = stream.connected(now)
        reports += stream.take(pack_control(0, 0, Welcome(stream=self.name, acked=self.buffer.acked)), now)
        self.hear(stream, now)
        if self.buffer.port is not None:
            reports += stream.take(pack_control(0, 0, self.buffer.port), now)
        return reports + self.send(stream, now)

    def hear(self, stream: RelayStream, now: int) -> None:
        answer = stream.answer(now)
        assert answer is not None
        self.buffer.resume(answer.seq)

    def send(self, stream: RelayStream, now: int, lost: bool = False) -> list[Report]:
        reports: list[Report] = []
        while (entry := self.buffer.take()) is not None:
            parts = [pack(entry.seq, entry.ert, entry.data)]
            if entry.port is not None:
                parts = pack_control(entry.seq, entry.ert, entry.port)
            if not lost:
                reports += stream.take(parts, now)
        return reports

    def acknowledge(self, stream: RelayStream, now: int) -> None:
        answer = stream.answer(now)
        if answer is not None:
            self.buffer.acknowledged(answer.seq)


def data_of(reports: list[Report]) -> list[bytes]:
    return [report.data for report in reports if isinstance(report, Chunk)]


STEPS = st.lists(st.sampled_from(["read", "send", "lose", "break", "restart", "time", "unplug"]), max_size=60)


@given(STEPS)
def test_over_broken_connections_nothing_is_lost_and_nothing_comes_twice(steps: list[str]) -> None:
    """A station that lives on: each byte once, in order, whatever becomes of the connection."""
    far, stream, now = Far(), RelayStream("x"), HOUR
    got: list[Report] = []
    read: list[bytes] = []
    got += far.greet(stream, now)
    for step in steps:
        now += TURN
        if step == "read":
            read.append(str(len(read)).encode())
            far.buffer.put(now, read[-1])
        elif step == "unplug":
            far.buffer.put(now, b"", PortState(state="DISCONNECTED", detail="gone"))
        elif step == "send":
            got += far.send(stream, now)
        elif step == "lose":
            far.send(stream, now, lost=True)
            stream.disconnected("gone", now)
            got += far.greet(stream, now)
        elif step == "break":
            stream.disconnected("gone", now)
            got += far.greet(stream, now)
        elif step == "time":
            now += ACK_AFTER
            far.acknowledge(stream, now)
    got += far.send(stream, now)
    assert data_of(got) == read
    assert stream.missed == 0
    stamps = [report.ert for report in got if isinstance(report, Chunk)]
    assert all(before < after for before, after in pairwise(stamps))


@given(STEPS, st.integers(0, 20))
def test_stations_that_are_killed_lose_nothing_between_them(steps: list[str], room: int) -> None:
    """On disk is what came half a second ago; the next station gets the rest. What is missing then was dropped."""
    far, stream, now = Far(limit=room * (ENTRY_COST + 2) if room else 1 << 30), RelayStream("x"), HOUR
    came: dict[int, int] = {}
    read = 0
    far.greet(stream, now)
    for step in [*steps, "send"]:
        now += TURN
        reports: list[Report] = []
        if step == "read":
            read += 1
            far.buffer.put(read, b"%02d" % (read % 100))
        elif step == "send":
            reports = far.send(stream, now)
        elif step == "lose":
            far.send(stream, now, lost=True)
            stream.disconnected("gone", now)
            reports = far.greet(stream, now)
        elif step == "restart":
            came = {number: at for number, at in came.items() if now - at >= ACK_AFTER}
            stream = RelayStream("x")
            reports = far.greet(stream, now)
        elif step == "time":
            now += ACK_AFTER
            far.acknowledge(stream, now)
        for report in reports:
            if isinstance(report, Chunk):
                came.setdefault(report.ert, now)
    assert len(came) + far.buffer.dropped == read
    assert far.buffer.dropped_bytes == 2 * far.buffer.dropped


def test_what_was_dropped_is_missed_by_the_next_station() -> None:
    far = Far(limit=3 * (ENTRY_COST + 1))
    for number in range(10):
        far.buffer.put(number + 1, b"%d" % number)
    assert (far.buffer.dropped, far.buffer.dropped_bytes, far.buffer.waiting) == (7, 7, 3)
    stream = RelayStream("x")
    reports = far.greet(stream, HOUR)
    assert [r.missed for r in reports if isinstance(r, RelayGap)] == [7]
    assert data_of(reports) == [b"7", b"8", b"9"]


def test_what_was_sent_is_not_dropped() -> None:
    far = Far(limit=3 * (ENTRY_COST + 1))
    stream = RelayStream("x")
    far.greet(stream, 0)
    far.buffer.put(1, b"a")
    far.send(stream, 0)
    for number in range(10):
        far.buffer.put(2 + number, b"x")
    again = RelayStream("x")
    assert data_of(far.greet(again, 0))[0] == b"a"
    assert far.buffer.dropped == 8


def test_another_run_of_the_bridge_starts_from_scratch() -> None:
    stream = RelayStream("x")
    first, second = Far(name="first"), Far(name="second")
    first.buffer.put(1, b"a")
    first.buffer.put(2, b"b")
    assert data_of(first.greet(stream, 0)) == [b"a", b"b"]
    second.buffer.put(3, b"c")
    assert data_of(second.greet(stream, 0)) == [b"c"]
    assert stream.missed == 0


def test_the_port_s_state_is_that_of_the_place_in_the_stream() -> None:
    far = Far()
    far.buffer.put(1, b"", PortState(state="CONNECTED", detail="open"))
    far.buffer.put(2, b"a")
    far.buffer.put(3, b"", PortState(state="DISCONNECTED", detail="unplugged"))
    stream = RelayStream("x")
    changes = [(r.ert, r.state, r.peer) for r in far.greet(stream, HOUR) if isinstance(r, TransportChange)]
    assert changes == [(HOUR, "CONNECTED", False), (1, "CONNECTED", False), (3, "DISCONNECTED", False)]
    assert stream.obstacle == "at the bridge: unplugged"
    assert stream.answer(HOUR) is None
    assert stream.answer(HOUR + ACK_AFTER) == Received(stream="run", seq=3)
    far.buffer.acknowledged(3)
    late = RelayStream("x")
    told = [(r.state, r.detail) for r in far.greet(late, HOUR) if isinstance(r, TransportChange)]
    assert told == [("CONNECTED", "x answers"), ("DISCONNECTED", "at the bridge: unplugged")]


def test_a_change_of_the_port_outlives_what_is_dropped() -> None:
    """A station that had to lose reads must not go on with a port that is gone, or come back."""
    far, stream = Far(limit=5 * (ENTRY_COST + 1)), RelayStream("x")
    far.buffer.put(1, b"", PortState(state="CONNECTED", detail="open"))
    far.greet(stream, HOUR)
    far.buffer.put(2, b"", PortState(state="DISCONNECTED", detail="unplugged"))
    far.buffer.put(3, b"", PortState(state="CONNECTED", detail="open again"))
    for n in range(20):
        far.buffer.put(4 + n, b"x")
    assert far.buffer.dropped == 20 - 3 + 1  # reads, and the change that another one followed
    reports = far.send(stream, HOUR)
    assert [(r.ert, r.state) for r in reports if isinstance(r, TransportChange)] == [(3, "CONNECTED")]
    assert stream.obstacle is None
    assert sum(r.missed for r in reports if isinstance(r, RelayGap)) == far.buffer.dropped


def test_an_old_acknowledgement_does_not_bring_an_old_port_back() -> None:
    far = Far(limit=4 * (ENTRY_COST + 1))
    far.buffer.put(1, b"", PortState(state="CONNECTED", detail="open"))
    far.buffer.take()
    far.buffer.put(2, b"", PortState(state="DISCONNECTED", detail="gone"))
    for n in range(9):
        far.buffer.put(3 + n, b"x")
    far.buffer.acknowledged(1)
    assert far.buffer.port == PortState(state="CONNECTED", detail="open")
    stream = RelayStream("x")
    far.greet(stream, HOUR)
    far.send(stream, HOUR)
    assert stream.obstacle == "at the bridge: gone"


def test_acknowledged_is_what_came_half_a_second_ago() -> None:
    far, stream = Far(), RelayStream("x")
    far.greet(stream, 0)
    for turn in range(1, 100):
        now = turn * TURN
        far.buffer.put(now, b"x")
        far.send(stream, now)
        answer = stream.answer(now)
        if answer is not None:
            assert answer.seq * TURN <= now - ACK_AFTER
            far.buffer.acknowledged(answer.seq)
    assert far.buffer.acked > 60
    assert stream.farewell() == Received(stream="run", seq=99)


def test_a_bridge_without_a_sign_of_life_is_lost_and_found_again() -> None:
    far, stream = Far(), RelayStream("x")
    far.buffer.put(1, b"", PortState(state="CONNECTED", detail="open"))
    far.greet(stream, HOUR)
    now = HOUR
    told: list[Report] = []
    for _ in range(3 * QUIET_TURNS):
        now += TURN
        told += stream.turn(now, idle=True)
    (lost,) = told
    assert isinstance(lost, TransportChange)
    assert (lost.state, lost.peer) == ("DISCONNECTED", True)
    # in the bridge's time, whose last message was at 1: before the silence of a lander counts
    assert lost.ert < 300 * NS_PER_MS
    found, silence = stream.take([pack(1, 500 * NS_PER_MS, b"")], now)
    assert isinstance(found, TransportChange)
    assert (found.state, found.detail) == ("CONNECTED", "at the bridge: open")
    assert silence == Idle(500 * NS_PER_MS)


def test_a_relay_that_is_no_bridge_is_taken_for_silence() -> None:
    stream = RelayStream("x")
    stream.connected(HOUR)
    assert stream.turn(HOUR + 1, idle=True) == [Idle(HOUR + 1)]
    assert stream.answer(HOUR + ACK_AFTER) is None
    assert stream.farewell() is None
    stream.take(pack_control(1, 0, PortState(state="CONNECTED", detail="")), 0)
    stream.take(pack_control(0, 0, Received(stream="x", seq=1)), 0)
    assert stream.malformed == 2


def test_a_station_that_is_sent_away_asks_again() -> None:
    stream = RelayStream("x")
    stream.connected(0)
    (away,) = stream.take(pack_control(0, 0, Busy(detail="serves another")), 5)
    assert isinstance(away, TransportChange)
    assert (away.state, away.detail, away.peer) == ("ATTEMPTING", "serves another", True)
    assert stream.obstacle == "serves another"
    assert not stream.hello_due(HELLO_AGAIN)
    assert stream.hello_due(5 + HELLO_AGAIN)
    assert not stream.hello_due(9 * HELLO_AGAIN)


def test_a_key_that_may_only_listen_writes_nothing() -> None:
    stream = RelayStream("x")
    stream.connected(0)
    stream.take(pack_control(0, 0, Welcome(stream="s", acked=0, may_write=False)), 0)
    assert stream.obstacle is not None
    assert "listen only" in stream.obstacle


@pytest.mark.parametrize("ert", [2**62 + 1, -(2**62) - 1, 2**63 - 1])
def test_a_stamp_that_is_no_time_is_malformed(ert: int) -> None:
    """With it, time could not go on within 64 bits."""
    stream = RelayStream("x")
    stream.connected(0)
    assert stream.take([pack(1, ert, b"data")], 0) == []
    assert stream.malformed == 1


def test_a_relay_whose_clock_is_set_back_does_not_stop_time() -> None:
    """It would hide a silence: what is received goes on by this side's clock, until the other has caught up."""
    stream, far, now = RelayStream("x"), 10 * HOUR, HOUR
    stream.connected(now)
    stamps = []
    for number in range(1, 200):
        now, far = now + 100 * NS_PER_MS, far + 100 * NS_PER_MS
        shift = -HOUR if 50 <= number < 150 else 0
        (report,) = stream.take([pack(number, far + shift, b"x")], now)
        stamps.append(report.ert - far)
    assert set(stamps) == {0}
    assert stream.turn(now + 100 * NS_PER_MS, idle=True) == [Idle(far + 100 * NS_PER_MS)]

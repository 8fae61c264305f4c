"""FOP-1 against FARM-1 over a bad channel: every command once and in order, or its loss reported.

Rules of the bench:
1. The clock counts ticks. The channel loses, doubles, delays and (unless it is ``fifo``) reorders what goes up and
   what comes down, and bounds the delay; FARM-1 reports every ``period`` ticks.
2. The operator sends his commands one by one. After an alert he waits until nothing is under way any more, sets
   V(S) to what the CLCW says, initiates the service again and goes on; he does not repeat what was lost.
3. When the AD service makes no progress for long, he terminates it; when it is suspended, he resumes it once.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.ccsds.clcw import Clcw, decode_clcw
from protocols.cop1 import (
    Alert,
    Directive,
    DirectiveKind,
    DirectiveResponse,
    Farm1,
    FarmState,
    Fop1,
    FopOutput,
    FopState,
    Suspended,
    TransferResponse,
    TransmitFrame,
)

T1 = 40
PATIENCE = 20 * T1
END = 200_000
FIRST_EXPEDITED = 10_000


@dataclass(frozen=True)
class Quality:
    """A channel in one direction; the probabilities are in percent, the delay in ticks."""

    loss: int = 0
    double: int = 0
    delay: int = 5
    jitter: int = 0
    fifo: bool = True

    @property
    def longest(self) -> int:
        """No item is under way for longer."""
        return self.delay + 2 * self.jitter + 1


class Channel:
    """One direction."""

    def __init__(self, quality: Quality, random: Random) -> None:
        self._quality, self._random = quality, random
        self._flying: list[tuple[int, int, object]] = []
        self._number = 0
        self._last = 0

    def put(self, item: object, now: int) -> None:
        quality, random = self._quality, self._random
        for _ in range(2 if random.randrange(100) < quality.double else 1):
            if random.randrange(100) < quality.loss:
                continue
            due = now + quality.delay + random.randint(0, quality.jitter)
            self._last = max(self._last, due)
            self._number += 1
            heapq.heappush(self._flying, (self._last if quality.fifo else due, self._number, item))

    def take(self, now: int) -> list[object]:
        items = []
        while self._flying and self._flying[0][0] <= now:
            items.append(heapq.heappop(self._flying)[2])
        return items


@dataclass
class Cop1Harness:
    """The two ends, the channel, and an operator."""

    up: Quality
    down: Quality
    seed: int
    commands: int
    window: int = 8
    limit: int = 3
    timeout_type: int = 0
    full: int = 0
    period: int = 1
    answers: dict[int, list[str]] = field(default_factory=dict)
    delivered: list[int] = field(default_factory=list)
    expedited: list[int] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    now: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.fop = Fop1(window=self.window, t1=T1, limit=self.limit, timeout_type=self.timeout_type)
        self.farm = Farm1(window=40, vr=self.random.randrange(256))
        self.uplink, self.downlink = Channel(self.up, self.random), Channel(self.down, self.random)
        self.busy_until = 0
        self.next = 0
        self.progress = 0
        self.resumed = False
        self.quiet_since = -PATIENCE
        self.lower: list[tuple[int, TransmitFrame]] = []
        self.report: Clcw | None = None
        self.directives = 1_000_000

    def run(self) -> None:
        """Until every command has its last word."""
        while len(self.final()) < self.commands:
            assert self.now < END, (self.fop.status(), self.farm.clcw())
            self.step()

    def final(self) -> list[int]:
        """Commands with their last word."""
        return [c for c, a in self.answers.items() if c < self.commands and a[-1] != "ACCEPT"]

    def step(self) -> None:
        self.now += 1
        for item in self.uplink.take(self.now):
            assert isinstance(item, TransmitFrame)
            self.receive(item)
        if self.farm.state is FarmState.WAIT and self.now >= self.busy_until:
            self.farm.release()
        if self.now % self.period == 0:
            self.downlink.put(self.farm.clcw().encode(), self.now)
        for item in self.downlink.take(self.now):
            assert isinstance(item, bytes)
            self.report = decode_clcw(item)
            self.carry_out(self.fop.clcw(self.report, self.now))
        self.carry_out(self.fop.tick(self.now))
        self.radiate()
        self.operate()

    def receive(self, frame: TransmitFrame) -> None:
        if self.random.randrange(100) < self.full:
            self.busy_until = self.now + T1 // 2
        verdict = self.farm.frame(frame.bypass, frame.control, frame.ns, frame.data, self.now >= self.busy_until)
        if verdict.fdu is not None:
            command = int.from_bytes(verdict.fdu, "big")
            (self.expedited if command >= FIRST_EXPEDITED else self.delivered).append(command)

    def radiate(self) -> None:
        """The Lower Procedures take a tick for each frame."""
        taken, self.lower = self.lower, []
        for since, frame in taken:
            if since == self.now:
                self.lower.append((since, frame))
                continue
            self.uplink.put(frame, self.now)
            self.carry_out(self.fop.lower_accepted(frame.kind, self.now))

    def carry_out(self, out: list[FopOutput]) -> None:
        for item in out:
            match item:
                case TransmitFrame():
                    self.lower.append((self.now, item))
                case TransferResponse(request, response):
                    self.answers.setdefault(request, []).append(response)
                    self.progress = self.now
                case Alert():
                    self.alerts.append(item)
                    self.quiet_since = self.now
                case DirectiveResponse() | Suspended():
                    self.progress = self.now

    def operate(self) -> None:
        status = self.fop.status()
        if status.state is FopState.INITIAL:
            self.take_up(status.suspended)
        elif (
            self.now - self.progress > PATIENCE
            and status.deadline is None
            and (status.sent or status.waiting is not None)
        ):
            self.order("TERMINATE")
        elif status.state <= 3 and status.waiting is None and self.next < self.commands:
            self.next += 1
            self.command(self.next - 1)

    def take_up(self, suspended: FopState | None) -> None:
        """S6: resume once, or initiate again when nothing can be under way any more."""
        if suspended is not None and not self.resumed:
            self.resumed = True
            self.order("RESUME")
        elif self.report is not None and self.now - self.quiet_since > 2 * (self.up.longest + self.down.longest):
            if suspended is not None:
                self.order("INITIATE")
                self.order("TERMINATE")
                return
            self.resumed = False
            self.order("SET_V_S", self.report.report)
            unlock = self.report.lockout or self.report.retransmit or self.report.wait
            self.order("INITIATE_WITH_UNLOCK" if unlock else "INITIATE_WITH_CLCW_CHECK")

    def order(self, kind: DirectiveKind, value: int = 0) -> None:
        self.directives += 1
        self.carry_out(self.fop.directive(Directive(self.directives, kind, value), self.now))

    def command(self, number: int, *, bypass: bool = False) -> None:
        data = number.to_bytes(4, "big")
        self.carry_out(self.fop.transfer(number, data, self.now, bypass=bypass))

    def check(self) -> None:
        """Once, in order, or reported."""
        assert self.delivered == sorted(set(self.delivered))
        for command in range(self.commands):
            answer = self.answers[command]
            assert answer in (["REJECT"], ["ACCEPT", "CONFIRM"], ["ACCEPT", "NEGATIVE_CONFIRM"])
            assert answer[-1] != "CONFIRM" or command in self.delivered
            assert answer != ["REJECT"] or command not in self.delivered
        lost = [c for c in range(self.commands) if c not in self.delivered]
        assert not lost or self.alerts


def flown(bench: Cop1Harness) -> Cop1Harness:
    bench.run()
    bench.check()
    return bench


def confirmed(bench: Cop1Harness) -> int:
    return sum(answer == ["ACCEPT", "CONFIRM"] for answer in bench.answers.values())


@pytest.mark.parametrize("seed", range(3))
def test_a_good_channel_wraps_the_numbers_without_an_alert(seed: int) -> None:
    bench = flown(Cop1Harness(Quality(), Quality(), seed, commands=600))
    assert bench.delivered == list(range(600))
    assert confirmed(bench) == 600
    assert bench.alerts == []


@pytest.mark.parametrize("seed", range(8))
def test_loss_doubling_and_delay_are_repaired_without_an_alert(seed: int) -> None:
    bad = Quality(loss=25, double=20, delay=6, jitter=4)
    bench = flown(Cop1Harness(bad, bad, seed, commands=150, limit=100))
    assert bench.delivered == list(range(150))
    assert confirmed(bench) == 150
    assert bench.alerts == []


@pytest.mark.parametrize("seed", range(8))
def test_a_full_spacecraft_is_waited_for(seed: int) -> None:
    bench = flown(Cop1Harness(Quality(loss=10), Quality(loss=10), seed, commands=100, limit=100, full=10))
    assert bench.delivered == list(range(100))
    assert confirmed(bench) == 100
    assert bench.alerts == []


@pytest.mark.parametrize("seed", range(8))
def test_frames_out_of_order_are_sorted_out(seed: int) -> None:
    up = Quality(loss=15, double=15, delay=4, jitter=9, fifo=False)
    bench = flown(Cop1Harness(up, Quality(loss=15), seed, commands=150, limit=100))
    assert confirmed(bench) == 150
    assert bench.alerts == []


@pytest.mark.parametrize("timeout_type", [0, 1])
@pytest.mark.parametrize("seed", range(10))
def test_reports_out_of_order_end_the_service_but_lose_nothing_in_silence(seed: int, timeout_type: int) -> None:
    bad = Quality(loss=15, double=15, delay=4, jitter=9, fifo=False)
    bench = flown(Cop1Harness(bad, bad, seed, commands=120, timeout_type=timeout_type, full=3, period=4))
    assert bench.alerts
    assert confirmed(bench) > 20


qualities = st.builds(
    Quality,
    loss=st.integers(0, 60),
    double=st.integers(0, 50),
    delay=st.integers(0, 12),
    jitter=st.integers(0, 12),
    fifo=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(
    qualities,
    qualities,
    st.integers(0, 2**32),
    st.integers(1, 20),
    st.integers(1, 6),
    st.integers(0, 1),
    st.integers(0, 20),
    st.integers(1, 20),
)
def test_any_channel(
    up: Quality, down: Quality, seed: int, window: int, limit: int, timeout_type: int, full: int, period: int
) -> None:
    flown(Cop1Harness(up, down, seed, 30, window, limit, timeout_type, full, period))


@pytest.mark.parametrize("timeout_type", [0, 1])
def test_a_dead_uplink_is_reported(timeout_type: int) -> None:
    bench = Cop1Harness(Quality(), Quality(), 0, commands=20, timeout_type=timeout_type)
    while bench.next < 10:
        bench.step()
    bench.uplink = Channel(Quality(loss=100), bench.random)
    bench.run()
    bench.check()
    assert bench.alerts
    assert confirmed(bench) < 20


def test_a_dead_downlink_is_reported_though_commands_arrive() -> None:
    bench = Cop1Harness(Quality(), Quality(), 0, commands=12)
    while bench.next < 6:
        bench.step()
    bench.downlink = Channel(Quality(loss=100), bench.random)
    while bench.fop.state != FopState.INITIAL:
        bench.step()
    assert [a.reason for a in bench.alerts] == ["T1"]
    denied = [c for c, a in bench.answers.items() if a == ["ACCEPT", "NEGATIVE_CONFIRM"]]
    assert denied
    assert set(denied) <= set(bench.delivered)


def locked_out() -> Cop1Harness:
    """The service runs, then a stranger's frame locks the spacecraft out."""
    bench = Cop1Harness(Quality(), Quality(), 7, commands=4)
    bench.run()
    bench.farm.frame(False, False, (bench.farm.vr + 100) % 256, b"stranger")
    assert bench.farm.state is FarmState.LOCKOUT
    return bench


def test_lockout_is_reported_and_unlocked() -> None:
    bench = locked_out()
    bench.commands = 40
    bench.run()
    bench.check()
    assert [a.reason for a in bench.alerts] == ["LOCKOUT"]
    assert bench.farm.state is FarmState.OPEN
    assert bench.delivered[-1] == 39


def test_expedited_frames_pass_through_lockout() -> None:
    bench = locked_out()
    before = bench.farm.farm_b
    for number in range(3):
        bench.command(FIRST_EXPEDITED + number, bypass=True)
        for _ in range(7):
            bench.now += 1
            bench.radiate()
            for item in bench.uplink.take(bench.now):
                assert isinstance(item, TransmitFrame)
                bench.receive(item)
    assert bench.farm.state is FarmState.LOCKOUT
    assert bench.expedited == [FIRST_EXPEDITED, FIRST_EXPEDITED + 1, FIRST_EXPEDITED + 2]
    assert bench.farm.farm_b == before + 3
    assert all(bench.answers[FIRST_EXPEDITED + number] == ["ACCEPT"] for number in range(3))


def test_set_v_r_brings_both_ends_to_the_same_number() -> None:
    bench = Cop1Harness(Quality(loss=30), Quality(), 3, commands=20, limit=50)
    bench.order("INITIATE_WITH_SET_V_R", 254)
    bench.run()
    bench.check()
    assert bench.alerts == []
    assert bench.delivered == list(range(20))
    assert bench.farm.vr == (254 + 20) % 256

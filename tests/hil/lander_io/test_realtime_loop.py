"""When ticks are flown, by a clock that the test moves."""

from __future__ import annotations

from itertools import islice

import pytest

from hil.lander.bus import ResetReason
from hil.lander.modes import Mode
from hil.lander.spacecraft import Spacecraft
from hil.lander_io.realtime_loop import LISTEN_S, NO_BUILD, fly_paced, fly_stepped
from hil.verdict.oracle import fly
from protocols.profile import UART
from tests.hil.lander.uplink import command, packet

MS = 1_000_000


class World:
    """A clock, and a port that delivers commands at their time and keeps what is sent with its time."""

    def __init__(self, *uplink: tuple[int, bytes]) -> None:
        self.now = 5_000 * MS
        self._start = self.now
        self._uplink = list(uplink)
        self.sent: list[tuple[float, bytes]] = []

    @property
    def ms(self) -> float:
        return (self.now - self._start) / MS

    def clock(self) -> int:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += round(seconds * 1e9)

    def send(self, data: bytes) -> None:
        self.sent.append((self.ms, data))

    def receive(self) -> bytes:
        data = b""
        while self._uplink and self._uplink[0][0] <= self.ms:
            data += self._uplink.pop(0)[1]
        return data


def flown(world: World, craft: Spacecraft, until_ms: float, speed: float = 1.0) -> dict[int, float]:
    """The time in ms at which each tick was flown."""
    times = {}
    before = craft.tick
    for _ in fly_paced(craft, world, speed, world.clock, world.sleep):
        if craft.tick > before:
            times[before] = world.ms
        before = craft.tick
        if world.ms >= until_ms:
            return times
    raise AssertionError


def started() -> Spacecraft:
    craft = Spacecraft()
    craft.start()
    return craft


@pytest.mark.parametrize(("speed", "period"), [(1.0, 100), (0.1, 1000), (3.0, 100 / 3), (200.0, 0.5)])
def test_every_tick_has_its_time_and_no_error_adds_up(speed: float, period: float) -> None:
    times = flown(World(), started(), 300 * period, speed)
    assert len(times) == 301
    assert all(at == pytest.approx(tick * period, abs=1e-3) for tick, at in times.items())


def test_what_is_late_is_flown_at_once_and_the_rest_is_on_time() -> None:
    world, craft = World(), started()
    flight = fly_paced(craft, world, 1.0, world.clock, world.sleep)
    list(islice(flight, 10))
    world.now += 1000 * MS
    list(islice(flight, 10))
    assert world.ms == 1900
    next(flight)
    assert world.ms == 2000


def test_ready_listens_and_start_begins_the_count() -> None:
    world = World((1234, command("START")))
    times = flown(world, Spacecraft(), 3000)
    assert 1234 <= times[0] <= 1234 + 1000 * LISTEN_S
    assert all(at == pytest.approx(times[0] + tick * 100) for tick, at in times.items())
    greeted = [at for at, data in world.sent if at < times[0]]
    assert greeted == pytest.approx([0, 1000], abs=1000 * LISTEN_S)
    assert world.sent[0][1] == Spacecraft().hello(ResetReason.POWER_ON, NO_BUILD)
    assert world.sent[2][0] == times[0]


def test_after_a_reset_it_greets_at_once() -> None:
    world = World((450, command("RESET")))
    flight = fly_paced(started(), world, 1.0, world.clock, world.sleep)
    while world.ms < 2000:
        next(flight)
    (at, reports), (later, greeting) = world.sent[-2:]
    assert at == 500
    assert packet("RESET")[:4] in reports
    craft = started()
    craft.receive(command("RESET"))
    craft.step()
    assert reports.endswith(craft.hello(ResetReason.POWER_ON, NO_BUILD))
    assert later == pytest.approx(1500, abs=1000 * LISTEN_S)
    assert len(greeting) == UART.cadu_length


def test_after_a_long_stop_it_goes_on_without_catching_up() -> None:
    world, craft = World(), started()
    flight = fly_paced(craft, world, 1.0, world.clock, world.sleep)
    list(islice(flight, 10))
    world.now += 5000 * MS
    list(islice(flight, 11))
    assert (craft.tick, world.ms) == (21, 900 + 5000 + 1000)


def test_hold_and_resume_shift_the_rest() -> None:
    times = flown(World((450, command("HOLD")), (2000, command("RESUME"))), started(), 3000)
    assert times[4] == 400
    assert times[5] == pytest.approx(2000, abs=1000 * LISTEN_S)
    assert times[10] == pytest.approx(times[5] + 500)


def test_step_flies_at_once() -> None:
    times = flown(World((450, command("HOLD")), (1000, command("STEP", ticks=50))), started(), 3000)
    assert len(times) == 55
    assert times[5] == times[54] == pytest.approx(1000, abs=1000 * LISTEN_S)


def test_scale_changes_the_pace_from_its_tick_on() -> None:
    times = flown(World((450, command("SCALE", factor=10)), (550, command("SCALE", factor=0.5))), started(), 3000)
    assert [times[tick] for tick in range(4, 16)] == [400, 500, 510, 520, 530, 540, 550, 750, 950, 1150, 1350, 1550]


def test_reset_and_start_together_restart_the_count() -> None:
    world, craft = World((5050, command("RESET") + command("START"))), started()
    for _ in fly_paced(craft, world, 1.0, world.clock, world.sleep):
        if world.ms >= 6000:
            break
    assert (craft.mode, craft.tick) == (Mode.RUNNING, 10)


def test_after_the_pass_commands_are_still_answered() -> None:
    world, craft = World((400_000, command("PING"))), started()
    flown(world, craft, 400_050)
    assert craft.finished
    (answer,) = [at for at, _ in world.sent if at > 330_000]
    assert answer == pytest.approx(400_000, abs=1000 * LISTEN_S)


def test_a_dropped_link_carries_nothing_either_way() -> None:
    world, craft = World((450, command("HOLD"))), started()
    drop = craft.scet + 400 * MS
    flight = fly_paced(craft, world, 1.0, world.clock, world.sleep, drop)
    bursts = list(islice(flight, 30))
    assert craft.mode is Mode.RUNNING
    assert [burst.data for burst in bursts] == [burst.data for burst in islice(fly(drop), 30)]


def test_stepped_by_lines_with_commands_in_between() -> None:
    world, craft = World((0, command("HOLD"))), started()
    bursts = fly_stepped(craft, world, iter(["5\n", "\n"]))
    assert len(list(bursts)) == 6
    assert (craft.mode, craft.tick) == (Mode.HELD, 0)
    assert len(world.sent) == 1
    with pytest.raises(ValueError, match="invalid number of ticks: 0"):
        list(fly_stepped(craft, world, iter(["0"])))
    with pytest.raises(ValueError, match="invalid literal"):
        list(fly_stepped(craft, world, iter(["five"])))


def test_stepping_ends_with_the_pass() -> None:
    assert len(list(fly_stepped(started(), World(), iter(["5000", "1"])))) == 3220

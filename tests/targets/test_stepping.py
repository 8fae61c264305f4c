"""Every machine in lockstep: the oracle's bytes at the oracle's ticks, whatever comes up and however it is cut."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from contextlib import closing

import pytest

from hil.targets import MACHINES, UNPACED, MachineFailed, Unsupported
from hil.targets.base import Machine
from hil.targets.software import SoftwareMachine
from hil.targets.stepping import SteppedMachine
from hil.verdict.oracle import fly
from protocols.ccsds.cltu import START, encode_cltu
from protocols.ccsds.tc_frame import Unlock
from tests.hil.lander.uplink import NONE, bc, command, frames
from tests.targets.bench import require

pytestmark = pytest.mark.target


@pytest.fixture
def stepped(name: str) -> Iterator[SteppedMachine]:
    require(name)
    stepped = SteppedMachine(UNPACED[name])
    yield stepped
    stepped.close()


def oracles(stepped: SteppedMachine) -> list[bytes]:
    """What the oracle sends that gets the same script, call by call."""
    bursts = [burst.data for burst in fly(script=stepped.script, ready=True)]
    return bursts + [b""] * (stepped.steps - len(bursts))


def flown(stepped: SteppedMachine, *batches: int) -> list[bytes]:
    return [burst for ticks in batches for burst in stepped.advance(ticks)]


def test_a_pass_tick_by_tick_and_in_batches(stepped: SteppedMachine) -> None:
    stepped.begin()
    bursts = flown(stepped, *[1] * 25, 855, 7, 3, *[100] * 23, 33, 50)
    expected = oracles(stepped)
    assert bursts[0] == expected[0] + expected[1]  # HOLD's report, and the first tick
    assert bursts[1:] == expected[2:]
    assert stepped.over
    assert len(bursts) == 25 + 855 + 7 + 3 + 2300 + 33 + 50 == stepped.steps - 1
    lander = [frame for frame in frames(b"".join(bursts)) if frame.vcid == 0]
    assert len(lander) == 2240
    stepped.close()
    assert stepped.surplus == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_commands_come_at_the_tick_where_the_last_batch_ended(stepped: SteppedMachine, seed: int) -> None:
    rng = random.Random(seed)
    ping = command("PING", 7)
    pieces = [
        ping,
        command("REQUEST_HK", 1),
        command("TRANSMITTER", 2, on=False) + command("TRANSMITTER", 3, NONE, on=True),
        command("SCALE", 5, factor=2.5),
        encode_cltu(bc(Unlock())),
        ping[:-8],  # open: what comes next may be swallowed with it
        START + bytes(3),
        ping[:9] + bytes([ping[9] ^ 0x55]) + ping[10:],
        rng.randbytes(40),
        b"",
    ]
    stepped.begin()
    bursts: list[bytes] = []
    while len(bursts) < 1000:
        uplink = rng.choice(pieces)
        bursts += stepped.advance(rng.choice([1, 2, 9, 40]), [uplink])
    expected = oracles(stepped)
    assert bursts[0] == expected[0] + expected[1]
    assert bursts[1:] == expected[2:]


@pytest.mark.parametrize("order", ["HOLD", "RESUME", "STEP", "RESET"])
def test_the_mission_clock_is_the_rigs(stepped: SteppedMachine, order: str) -> None:
    stepped.begin()
    flown(stepped, 10)
    with pytest.raises(Unsupported, match="the rig's alone"):
        stepped.advance(1, [command(order, **({"ticks": 5} if order == "STEP" else {}))])


def test_after_a_reset_it_is_not_heard(stepped: SteppedMachine) -> None:
    stepped.begin()
    flown(stepped, 905)
    stepped.reset()
    assert flown(stepped, 3) == [b""] * 3
    assert stepped.over
    running = []
    for on in (False, True):
        stepped.power(on)
        running.append(stepped.machine.running)
    assert running == [False, True]
    assert flown(stepped, 3) == [b""] * 3


def test_one_that_hung_goes_on_where_it_was(stepped: SteppedMachine) -> None:
    stepped.begin()
    bursts = flown(stepped, 905)
    stepped.hang(True)
    stepped.hang(False)
    bursts += flown(stepped, 5)
    assert bursts[1:] == oracles(stepped)[2:]


def test_one_that_dies_or_hangs_is_a_failure_with_its_last_words(
    stepped: SteppedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hil.targets.stepping.ANSWER_TIMEOUT_S", 0.3)
    stepped.begin()
    flown(stepped, 50)
    stepped.machine.hang()
    with pytest.raises(MachineFailed, match="0 of 132 bytes came at tick 50"):
        flown(stepped, 10)
    assert stepped.machine.pid is not None
    os.kill(stepped.machine.pid, signal.SIGKILL)
    with pytest.raises(MachineFailed, match=r"ended|gone"):
        flown(stepped, 10)


def test_one_that_resets_unplanned_does_not_fly_on_its_greetings(stepped: SteppedMachine) -> None:
    """It greets once a second, with as many bytes as a tick has: a pass would take 40 minutes."""
    if type(stepped.machine).reset is Machine.reset:
        pytest.skip("it has no reset pin")
    stepped.begin()
    flown(stepped, 900)
    stepped.machine.reset()
    with pytest.raises(MachineFailed, match=r"waits for START at tick 9\d\d: it was reset"):
        flown(stepped, 50)


def test_bits_flip(stepped: SteppedMachine) -> None:
    """In RAM that nothing uses: see `tests.targets.test_machines` for one that matters."""
    if not MACHINES[stepped.name].memory:
        with pytest.raises(Unsupported):
            stepped.flip(0, 1)
        return
    stepped.begin()
    flown(stepped, 900)
    free = {"qemu": 0x2000_8000, "simavr": 0x80_0750}[stepped.name]
    before = stepped.machine.peek(free, 1)
    stepped.flip(free, 0x41)
    assert stepped.machine.peek(free, 1)[0] == before[0] ^ 0x41
    flown(stepped, 100)


def test_it_says_what_it_is(stepped: SteppedMachine) -> None:
    stepped.begin()
    told = stepped.provenance()
    assert told["reset reason"] == "POWER_ON"
    assert stepped.booted == ([] if stepped.name == "software" else [told.get("build", stepped.booted[0])])


class Hurried(SoftwareMachine):
    """A lander that answers START with another report than it should, and waits on."""

    def write(self, data: bytes) -> None:
        super().write(command("REQUEST_HK", 7))


def test_a_machine_that_answers_start_otherwise_is_given_up() -> None:
    stepped = SteppedMachine(Hurried)
    with closing(stepped), pytest.raises(MachineFailed, match=r"waits for START .*: it did not take the first one"):
        stepped.begin()
        flown(stepped, 200)


class Deaf(SoftwareMachine):
    """A lander whose uplink is cut."""

    def write(self, data: bytes) -> None:
        pass


def test_a_machine_that_greets_and_takes_no_start_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hil.targets.stepping.ANSWER_TIMEOUT_S", 1.5)
    stepped = SteppedMachine(Deaf)
    with closing(stepped), pytest.raises(MachineFailed, match="does not start: it greets, and takes no START"):
        stepped.begin()

"""Any machine in lockstep: no clock counts, the rig lets ticks fly, and every byte is accounted for.

How it is done, all by telecommands:
1. The machine is switched on and greets. START and HOLD go up in one CLTU, before a tick is flown. SELECT_PROFILE goes
   before them if another profile than the historical one is flown, and SELECT_SPAN before that for the encounter. What
   it sent until then is not part of the stream: START sets the stream's counters to zero.
2. `advance` sends what the station sent, CLTU by CLTU, each when the one before it is answered; then STEP n. A machine
   takes no byte of the uplink while STEP flies, so whatever is sent next comes at the tick where it ended.
3. An oracle, the software lander in this process, gets the same bytes between the same ticks. It says how many bytes
   each tick and each answer has: these are waited for. Their content is judged elsewhere.
   A machine in READY greets once a second, and would fill each tick with a greeting: a wait for one that ends with a
   greeting ends the flight.
4. Nothing comes to tell when a silent tick was flown, and a small machine's ring holds one command. So silent ticks are
   owed, and flown with the next one that sends; if the station sends before, they are flown and a PING is answered.

The stream and the golden ones: it is what `hil.verdict.oracle.fly(script, ready=True)` sends for
`SteppedMachine.script`, byte for byte. It is not the free-running historical stream: in front there is one VC2 frame
with HOLD's report, which counts in MCFC, VCFC and sequence counts; the CLCW counts the type B frames of START, HOLD and
each STEP and PING; LANDER_HK counts them as accepted commands. The station's commands are answered at once, not with
the next tick, since the clock stands. The station's START, HOLD, RESUME, STEP and RESET are refused: the mission clock
is the rig's.
"""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable, Iterator, Sequence

from hil.errors import MachineFailed, Unsupported
from hil.images.spans import check_build
from hil.lander.commanding import MAX_CLTU, Order, check
from hil.lander.flight_profile import HISTORICAL, FlightPlan
from hil.lander.spacecraft import Spacecraft
from hil.targets.base import BOOT_TIMEOUT_S, Machine, Sink
from hil.targets.greeting import SIZE, Greeting, find_greeting, no_greeting, read_greeting
from hil.targets.telecommands import COMPLETION, order, plan_cltus, tc_frame
from protocols.ccsds.cltu import TAIL, CltuReceiver, encode_cltu
from protocols.ccsds.tc_frame import decode_frame, split_frames
from protocols.errors import DecodeError

ANSWER_TIMEOUT_S = 5.0
_GREETS_S = 0.3
"""A greeting is looked for in what took longer to come: greetings come once a second."""
_LEAST_RATE = 100
"""Bytes a second: what comes more slowly is not an answer."""
_CLOSING = b"\x55" * 16
"""Closes a CLTU, wherever a codeblock of it began: the idle sequence of 231.0-B is not a codeblock."""
CLOCK_COMMANDS = frozenset({"START", "HOLD", "RESUME", "STEP", "RESET"})
"""Commands of the mission clock: in lockstep they are the rig's alone."""
_FAULTS = frozenset({"reset", "hang", "power_off"})
_MEMORY_FAULTS = frozenset({"memory_flip"})


_STEP_ON = order("STEP", ticks=10_000)
"""For the oracle, which flies tick by tick; the machine is told how far when that is known. Nothing else differs."""


class SteppedMachine:
    """A machine whose ticks the rig lets fly; a `hil.rigs.stepped_target.SteppableTarget`.

    Attributes:
        machine: with its levers. After a lever that costs it its mission, call `reset`.
        name: of the machine.
        script: all that was sent up since START, itself included, as the oracle wants it.
        steps: how many calls of `step` the oracle has made.
        greeting: what the machine said when it was switched on.
        surplus: bytes that came and were not expected, when the machine was closed or reset.
    """

    ready = True

    def __init__(self, make: Callable[[Sink], Machine]) -> None:
        """Args: what makes the machine, given its sink."""
        self._came: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._rest = self._before = b""
        self.machine = make(self._came.put)
        self.name = self.machine.name
        self.script: list[tuple[int, bytes]] = []
        self.steps = 0
        self.greeting: Greeting | None = None
        self.surplus = 0
        self._craft = Spacecraft()
        self._report = self._answer = self._wanted = b""
        self._owed = 0
        self._lost = False
        self._stands = False

    def begin(self, plan: FlightPlan = HISTORICAL) -> None:
        """Switch it on, and let it wait in HELD at the first tick.

        Args:
            plan: of the flight.

        Raises:
            MachineFailed: it does not start.
            NotForTarget: it is a board that holds the descent alone.
        """
        self.machine.power_on()
        self._await_greeting()
        if self.greeting is not None:
            check_build(plan.span, self.greeting.build_id, self.name)
        start = plan_cltus(plan) + encode_cltu(tc_frame("START") + tc_frame("HOLD", COMPLETION))
        self._craft.receive(start)
        self.script.append((0, start))
        self.machine.write(start)
        self._wanted = self._craft.step()
        self._report = self._answer = self._flight(len(self._wanted))
        self.steps = 1

    def advance(self, ticks: int, uplink: Sequence[bytes] = ()) -> Iterator[bytes]:
        """Give it what came up, and let so many ticks fly.

        Args:
            ticks: 1 … 5,000.
            uplink: what the station sent, in order.

        Returns:
            The bytes of each tick as they come, with the answers to ``uplink`` in the first. To be read to the end
            before anything else is asked of this object.

        Raises:
            MachineFailed: it does not answer, or not with as many bytes as the oracle; while they are read, too.
            Unsupported: the uplink commands the mission clock.
        """
        if self._lost:
            return iter([b""] * ticks)
        first, self._report = self._report, b""
        if came := b"".join(uplink):
            _check_orders(came, self.name)
            first += self._settle()
            first += b"".join(self._give(piece) for piece in _pieces(came))
        tick = self._craft.tick
        sizes = [self._fly() for _ in range(ticks)]
        silent = next((n for n, size in enumerate(reversed(sizes)) if size), None)
        if silent is not None:
            self._let_fly(self._owed - silent)
        return self._bursts(first, sizes, tick)

    def _bursts(self, first: bytes, sizes: list[int], tick: int) -> Iterator[bytes]:
        for n, size in enumerate(sizes):
            yield first + self._read(size, tick + n)
            first = b""

    def _fly(self) -> int:
        """Let the oracle fly a tick; the bytes that it sends."""
        if not self._owed:
            self._craft.receive(_STEP_ON)
        self._owed += 1
        self.steps += 1
        return len(self._craft.step())

    def _let_fly(self, ticks: int) -> None:
        """Let the machine fly the first of the ticks that are owed."""
        step = order("STEP", ticks=ticks)
        self.script.append((self.steps - self._owed, step))
        self.machine.write(step)
        self._owed -= ticks
        if self._owed:
            self._craft.receive(_STEP_ON)

    def _settle(self) -> bytes:
        """Let the machine come to where the oracle is; what it sends when it is there."""
        if not self._owed:
            return b""
        self._let_fly(self._owed)
        return self._give(order("PING"))

    def _give(self, data: bytes) -> bytes:
        """Send bytes up; the answer."""
        self.script.append((self.steps, data))
        answer = self._craft.receive(data)
        self.machine.write(data)
        return self._read(len(answer), self._craft.tick)

    @property
    def over(self) -> bool:
        """The pass is over, or lost with the machine: no tick will send anything more."""
        return self._lost or self._craft.finished

    def reset(self) -> None:
        """Pull its reset pin: it waits in READY, its mission is lost, its greetings are not heard.

        Raises:
            MachineFailed: it is off.
            Unsupported: it has no reset pin.
        """
        self._lost = True
        self.machine.reset()
        if not self._stands:
            self._await_boot()
        self._drain()

    def _await_boot(self) -> None:
        """A reset line that leads nowhere leaves a lander that is held, and says nothing."""
        self._drain()
        deadline = time.monotonic() + BOOT_TIMEOUT_S
        while (found := find_greeting(self._rest)) is None:
            if not self._wait_for_bytes(0.1) and time.monotonic() > deadline:
                raise MachineFailed(f"{self.name} does not boot after its reset line was pulled: is it wired?")
        self._rest = self._rest[found[0] + SIZE :]

    def power(self, on: bool) -> None:
        """Take its power, or give it back: then it waits in READY, like after a reset.

        Raises:
            MachineFailed: it does not start.
            Unsupported: its power is not the rig's.
        """
        self._lost = True
        if on:
            self.machine.power_on()
        else:
            self.machine.power_off()
        self._drain()

    def hang(self, stands: bool) -> None:
        """Stop its clocks, or let them go on.

        Raises:
            Unsupported: it cannot be stopped.
        """
        if stands:
            self.machine.hang()
        else:
            self.machine.resume()
        self._stands = stands

    def flip(self, address: int, mask: int) -> None:
        """Turn over bits of a byte of its memory.

        Raises:
            Unsupported: its memory cannot be written.
        """
        self._report += self._settle()
        (byte,) = self.machine.peek(address, 1)
        self.machine.poke(address, bytes([byte ^ mask]))

    def provenance(self) -> dict[str, str]:
        """What it is, and why it started."""
        told = self.greeting
        said = {"reset reason": told.reset_reason.name} if told else {}
        return said | self.machine.provenance()

    @property
    def booted(self) -> list[str]:
        """The build that it said it was."""
        return [f"{self.greeting.build_id:08x}"] if self.greeting and self.greeting.build_id else []

    @property
    def console(self) -> str:
        """What it had to say for people."""
        return self.machine.console

    def close(self) -> None:
        """Switch it off. Idempotent."""
        self.machine.close()
        self._drain()

    def _drain(self) -> None:
        while not self._came.empty():
            self._rest += self._came.get()
        self.surplus, self._rest = self.surplus + len(self._rest), b""

    def _await_greeting(self) -> None:
        deadline = time.monotonic() + BOOT_TIMEOUT_S
        while (found := find_greeting(self._rest)) is None:
            came = self._wait_for_bytes(0.1)
            if time.monotonic() > deadline or not (came or self.machine.running):
                raise MachineFailed(f"{self.name} does not boot: {no_greeting(self._rest) or self._last_words()}")
        at, self.greeting = found
        self._rest = self._rest[at + SIZE :]

    def _flight(self, size: int) -> bytes:
        """The first bytes after START: a greeting may have been on its way."""
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while read_greeting(frame := self._read(SIZE, self._craft.tick)) is not None:
            if time.monotonic() > deadline:
                raise MachineFailed(f"{self.name} does not start: it greets, and takes no START: {self._last_words()}")
        return frame + self._read(size - SIZE, self._craft.tick)

    def _read(self, size: int, tick: int) -> bytes:
        """So many bytes, as soon as they are there; the oracle, which flies first, says at which tick they come."""
        begun = time.monotonic()
        latest = begun + ANSWER_TIMEOUT_S + size / _LEAST_RATE
        deadline = begun + ANSWER_TIMEOUT_S
        while len(self._rest) < size:
            if self._wait_for_bytes(deadline - time.monotonic()):
                deadline = min(latest, time.monotonic() + ANSWER_TIMEOUT_S)
            elif not self.machine.running or time.monotonic() >= deadline:
                came = f"{len(self._rest)} of {size} bytes came at tick {tick}"
                raise MachineFailed(f"{self.name} {self._how_short(came)}")
        data, self._rest = self._rest[:size], self._rest[size:]
        if self.steps and time.monotonic() - begun > _GREETS_S and find_greeting(self._before + data) is not None:
            raise MachineFailed(f"{self.name} waits for START at tick {tick}: {self._why_ready()}")
        self._before = (self._before + data)[1 - SIZE :]
        return data

    def _how_short(self, came: str) -> str:
        """A machine that sent less than the oracle, but has flown, answers a PING; one that hangs does not."""
        before = len(self._rest)
        with contextlib.suppress(MachineFailed):
            self.machine.write(order("PING"))
            self._wait_for_bytes(ANSWER_TIMEOUT_S)
        if self.machine.running and len(self._rest) > before and find_greeting(self._rest) is None:
            return f"sent less than the reference: {came}; it answers a PING"
        return f"does not answer: {came}: {self._last_words()}"

    def _why_ready(self) -> str:
        """Why it is not flying, as far as its answer to the first START says."""
        return "it was reset" if self._answer == self._wanted else "it did not take the first one as it should"

    def _wait_for_bytes(self, seconds: float) -> bool:
        try:
            self._rest += self._came.get(timeout=max(seconds, 0.001))
        except queue.Empty:
            return False
        return True

    def _last_words(self) -> str:
        state = "" if self.machine.running else "it has ended: "
        return state + (self.machine.console or "it says nothing")


def _pieces(uplink: bytes) -> list[bytes]:
    """Cut behind every tail sequence; at the end what closes a CLTU that is left open."""
    *whole, rest = uplink.split(TAIL)
    return [piece + TAIL for piece in whole] + [rest + _CLOSING]


def _check_orders(uplink: bytes, name: str) -> None:
    """Refuse commands of the mission clock, before they are sent."""
    for cltu in CltuReceiver(MAX_CLTU).feed(uplink + _CLOSING):
        for data in split_frames(cltu.data):
            with contextlib.suppress(DecodeError):
                found = check(decode_frame(data).data)
                if isinstance(found, Order) and found.name in CLOCK_COMMANDS:
                    raise Unsupported(f"{name} in lockstep: {found.name} is the rig's alone")


def faults_of(kind: type[Machine]) -> frozenset[str]:
    """Kinds of target faults that a machine can have."""
    return _FAULTS | _MEMORY_FAULTS if kind.memory else _FAULTS

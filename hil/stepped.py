"""Targets that are stepped: no clock runs, so a flight is exact, and as fast as the target.

The Python lander is stepped in this process. Any other machine is held, and told by telecommand how many ticks to fly
(START and HOLD, then STEP n). A Python lander that gets the same bytes flies beside it, only to say how many bytes each
tick has: what is in them is the machine's own, and `measure` holds it against the oracle.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from groundstation.links.base import Chunk
from groundstation.messages import EventMessage
from groundstation.receiver import Receiver
from hil.lander.spacecraft import Spacecraft
from hil.oracle import call
from hil.targets import MACHINES, Machine, MachineFailed, Sink, Unsupported
from hil.targets.flown import BOOT_TIMEOUT_S
from hil.targets.simavr import SimavrMachine
from protocols.ccsds.cltu import encode_cltu
from protocols.ccsds.tc_frame import TcFrame, encode_frame
from protocols.commands import Argument
from protocols.lander import MARS6, SCID
from protocols.profile import UART

Capabilities = frozenset[str]
_LEVERS: Capabilities = frozenset({"reset", "hang", "power_off"})
ANSWER_TIMEOUT_S = 20.0
"""A machine that says nothing for so long is dead; a tick of the slowest takes 5 ms."""
_HOLD_S = 0.25
"""HOLD is applied when a tick is due, and tells nobody; a tick is due within 100 ms."""
_SILENT_S = 0.05
"""So long without a byte, and a machine that was reset has said what was on its way."""


class Stepped(Protocol):
    """A lander whose ticks the rig lets fly."""

    name: str
    ready: bool
    """It waited for START, so the oracle has to."""
    script: list[tuple[int, bytes]]
    """All that went up, each with how many calls of `step` came before it: what the oracle has to get."""
    steps: int
    """Calls of `step` so far."""

    def begin(self) -> None:
        """Switch it on and bring it to tick 0.

        Raises:
            MachineFailed: it does not start.
        """

    def advance(self, ticks: int, uplink: Sequence[bytes]) -> list[bytes]:
        """Give it what came up, one CLTU after the other, and let so many ticks fly: the bytes of each.

        Answers are in those of the first.

        Raises:
            MachineFailed: it does not answer.
        """

    @property
    def over(self) -> bool:
        """The pass is over: no tick will send anything more."""

    def reset(self) -> None:
        """Pull its reset pin: it waits in READY, and its greetings are not heard."""

    def power(self, on: bool) -> None:
        """Take its power, or give it back."""

    def hang(self, stands: bool) -> None:
        """Let it stand, or go on."""

    def flip(self, address: int, mask: int) -> None:
        """Turn over bits of a byte of its memory."""

    def provenance(self) -> dict[str, str]:
        """What it is: build, hash, emulator."""

    @property
    def console(self) -> str:
        """What it had to say for people."""

    def close(self) -> None:
        """Switch it off. Idempotent."""


class SteppedSoftware:
    """The Python lander, in this process."""

    name = "software"
    ready = False
    console = ""

    def __init__(self) -> None:
        self.script: list[tuple[int, bytes]] = []
        self.steps = 0
        self._craft = Spacecraft()

    def begin(self) -> None:
        """It starts by itself."""
        self._craft.start()

    def advance(self, ticks: int, uplink: Sequence[bytes]) -> list[bytes]:
        """Let so many ticks fly."""
        self.script += [(self.steps, data) for data in uplink]
        self.steps += ticks
        first = call(self._craft, b"".join(uplink)).data
        return [first, *(call(self._craft, b"").data for _ in range(ticks - 1))]

    @property
    def over(self) -> bool:
        """The pass is over."""
        return self._craft.finished

    def reset(self) -> None:
        """A new one."""
        self._craft = Spacecraft()

    def power(self, on: bool) -> None:
        """A new one, too."""
        self._craft = Spacecraft()

    def hang(self, stands: bool) -> None:
        """It is not stepped meanwhile: nothing to do."""

    def flip(self, address: int, mask: int) -> None:
        """Not of Python's objects."""
        raise Unsupported("the memory of the software lander cannot be written")

    def provenance(self) -> dict[str, str]:
        """It is what the package is."""
        return {}

    def close(self) -> None:
        """Nothing to give back."""


class SteppedMachine:
    """A machine that is held, and stepped by telecommand."""

    ready = True

    def __init__(self, make: Callable[[Sink], Machine], sleep: Callable[[float], None] = time.sleep) -> None:
        """Args: what makes the machine, given who takes what it sends; and how to wait."""
        self._sleep = sleep
        self._came: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._machine = make(self._came.put)
        self.name = self._machine.name
        self.script: list[tuple[int, bytes]] = []
        self.steps = 0
        self._twin = Spacecraft()
        self._rest = b""
        self._boot = ""
        self._was_reset = False

    def begin(self) -> None:
        """Power, greeting, START and HOLD in one CLTU: HOLD is there before the first tick could be flown."""
        if (lack := self._machine.missing()) is not None:
            raise MachineFailed(lack)
        self._machine.power_on()
        self._await_greeting()
        self._send(encode_cltu(_frame("START") + _frame("HOLD")))
        self._twin.step()
        self.steps = 1
        self._sleep(_HOLD_S)

    def advance(self, ticks: int, uplink: Sequence[bytes]) -> list[bytes]:
        """STEP, and as many bytes as its twin sends."""
        if self._was_reset:
            return [b""] * ticks
        answered = b"".join(self._answer(data) for data in uplink)
        self._send(encode_cltu(_frame("STEP", ticks=ticks)))
        sizes = [len(self._twin.step()) for _ in range(ticks)]
        self.steps += ticks
        if not any(sizes):
            self._sleep(_HOLD_S)  # nothing tells that it is done; what came sooner would find its buffer full
        first, *others = (self._read(size) for size in sizes)
        return [answered + first, *others]

    @property
    def over(self) -> bool:
        """The pass is over."""
        return self._twin.finished

    def reset(self) -> None:
        """Pull its reset pin, and do not listen any more."""
        self._was_reset = True
        self._machine.reset()
        self._forget()

    def power(self, on: bool) -> None:
        """Take its power, or give it back."""
        self._was_reset = True
        if on:
            self._machine.power_on()
        else:
            self._machine.power_off()
        self._forget()

    def hang(self, stands: bool) -> None:
        """Stop its clocks, or let them go on."""
        if stands:
            self._machine.hang()
        else:
            self._machine.resume()

    def flip(self, address: int, mask: int) -> None:
        """Turn over bits while it runs."""
        (byte,) = self._machine.peek(address, 1)
        self._machine.poke(address, bytes([byte ^ mask]))

    def provenance(self) -> dict[str, str]:
        """What it said it was."""
        return {"booted": self._boot}

    @property
    def console(self) -> str:
        """What it, or its emulator, had to say."""
        return self._machine.console

    def close(self) -> None:
        """Switch it off."""
        self._machine.close()

    def _answer(self, cltu: bytes) -> bytes:
        """A CLTU to the machine that is held, and its answer. The smallest takes one command at a time."""
        size = len(self._send(cltu))
        if not size:
            self._sleep(_SILENT_S)
        return self._read(size)

    def _send(self, data: bytes) -> bytes:
        """Bytes up, to the machine and its twin; what the twin answers."""
        self.script.append((self.steps, data))
        self._machine.write(data)
        return self._twin.receive(data)

    def _await_greeting(self) -> None:
        """Greetings stay here: START sets the stream's counters to zero."""
        receiver, deadline = Receiver(MARS6, UART, "machine:"), time.monotonic() + BOOT_TIMEOUT_S
        while not self._boot:
            if not self._machine.running or time.monotonic() > deadline:
                said = self._machine.console or "it says nothing"
                raise MachineFailed(f"{self.name} does not boot: {said}")
            for outcome in receiver.take(Chunk(1, self._next(_SILENT_S) or b"\0")):
                if isinstance(outcome, EventMessage) and outcome.name == "BOOT":
                    self._boot = outcome.text
        self._forget()

    def _forget(self) -> None:
        """What is on its way does not count."""
        while self._next(_SILENT_S):
            pass
        self._rest = b""

    def _read(self, size: int) -> bytes:
        while len(self._rest) < size:
            came = self._next(ANSWER_TIMEOUT_S)
            if not came:
                alive = "says nothing more" if self._machine.running else "ended"
                said = f": {self._machine.console}" if self._machine.console else ""
                raise MachineFailed(f"{self.name} {alive}: {len(self._rest)} of {size} bytes of a tick came{said}")
            self._rest += came
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def _next(self, seconds: float) -> bytes:
        """What comes next; empty if nothing does in time."""
        try:
            return self._came.get(timeout=seconds)
        except queue.Empty:
            return b""


def _frame(name: str, **values: Argument) -> bytes:
    """A TC frame past the sequence control, without reports: they would be in the stream."""
    packet = MARS6.command(name).packet(0, values, acknowledge=0)
    return encode_frame(TcFrame(SCID, 0, 0, packet, bypass=True))


def _fast_simavr(sink: Sink) -> Machine:
    return SimavrMachine(sink, fast=True)


STEPPED: dict[str, Callable[[], Stepped]] = {
    **{name: partial(SteppedMachine, kind) for name, kind in MACHINES.items()},
    "simavr": partial(SteppedMachine, _fast_simavr),
    "software": SteppedSoftware,
}
"""Targets that can be flown in lockstep: all machines, and one that needs none."""

STEPPED_CAN: dict[str, Capabilities] = dict.fromkeys(STEPPED, _LEVERS) | {
    "qemu": _LEVERS | {"memory_flip"},
    "simavr": _LEVERS | {"memory_flip"},
}
"""Faults of the target that each can have."""

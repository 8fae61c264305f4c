"""Flies a scenario in real time: machine, station and a viewer are processes and sockets; the rig is the cable between.

    machine ──line──▶ queue ──▶ pump: channel ──▶ port ──▶ station process ──▶ viewer
       ▲                          │  ▲              │
       └────── telecommands ──────┘  └──────────────┘

The machine waits in READY until the station has opened the port, and is then started by telecommand (SCALE and START);
its greetings stay here, since START sets the stream's counters to zero. The line's time is the host's, at the flight's
speed, from the first frame on. A fault that is due at a mission time acts on the frame that carries it, before it is
passed on: how late the host is does not matter.
"""

from __future__ import annotations

import asyncio
import queue
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from groundstation.orders import FINAL_STATES
from groundstation.station_config import StationConfig
from groundstation.station_process import start_station, stop_station
from hil.channel import Channel
from hil.faults import Act, Unit
from hil.listener import Listener
from hil.pending import PendingAct
from hil.record import Deed, FlightRecord
from hil.result import Moment
from hil.scenario import Scenario
from hil.serve import ByteServer, PtyServer, ZmqServer
from hil.targets.base import Machine, MachineFailed, Sink
from hil.targets.flown import BOOT_TIMEOUT_S, START_TIMEOUT_S, start_script
from hil.targets.greeting import read_greeting
from protocols.lander import EPOCH, LANDER, MARS6
from protocols.profile import UART

TICK_NS = 100_000_000
S = 1_000_000_000
LAST_HK = EPOCH + 3210 * TICK_NS
"""What a historical pass sends last."""
PASS_NS = 3220 * TICK_NS
_LOOK_S = 0.002
_LISTENER_S = 15.0
_TAIL_S = 1.0
"""Host time that the station gets to declare a loss at the very end."""

Progress = Callable[[int], None]


class RealtimeRig:
    """One flight. `fly` once."""

    def __init__(
        self,
        scenario: Scenario,
        make: Callable[[Sink], Machine],
        recording: Path,
        speed: float,
        progress: Progress,
        clock: Callable[[], int],
    ) -> None:
        """Prepare.

        Args:
            scenario: checked.
            make: makes the machine, given who takes what it sends.
            recording: of the station.
            speed: mission seconds a second, 0.1 … 100.
            progress: told the mission time.
            clock: host time, ns since 1970.
        """
        self._scenario = scenario
        self._speed = speed
        self._progress = progress
        self._clock = clock
        self._came: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._machine = make(self._came.put)
        self._rest = b""
        events = any(fault.at is not None and fault.at.kind == "event" for fault in scenario.faults)
        self._channel = Channel(
            scenario.faults,
            scenario.head.seed,
            UART,
            events_of=MARS6 if events else None,
            baud=scenario.head.baud or None,
            start=EPOCH,
        )
        script = None if scenario.commands else start_script(speed)
        self.record = FlightRecord(
            scenario, self._machine.name, "realtime", speed, recording, self._channel, 0, script, ready=True
        )
        self._acts = [PendingAct(n, fault) for n, fault in enumerate(scenario.faults) if isinstance(fault, Act)]
        self._orders = sorted(enumerate(scenario.commands), key=lambda entry: entry[1].at.value)
        self._numbers: dict[int, int] = {}
        self._began = 0
        self._scet = EPOCH
        self._unheard: Deed | None = None
        self._held = False
        self._ended = False
        self._counted = False

    def fly(self) -> FlightRecord:
        """Fly to the end of the pass.

        Raises:
            MachineFailed: the machine does not do what it is told. What was flown so far is in `record`.
            StationError: the station did not start.
        """
        if (lack := self._machine.missing()) is not None:
            raise MachineFailed(lack)
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hil-port-")))
            self._port = folder / "port"
            stack.callback(self._machine.close)
            self._machine.power_on()
            self.record.provenance |= self._machine.provenance()
            self._await_greeting()
            self._server = self._serve(f"ipc://{folder}/line")
            stack.callback(self._close_port)
            name = f"hil-{self._clock() % 10**12:012}"
            config = StationConfig(name, self._server.url, self.record.recording, MARS6, UART)
            station = start_station(config, with_parent=True)
            stack.callback(lambda: asyncio.run(stop_station(station, "the run is over")))
            self._listener = stack.enter_context(Listener(station, self._clock))
            self._await_station()
            self._start()
            self._pump()
            self.record.published_ms = self._listener.delays_ms
        return self.record

    @property
    def console(self) -> str:
        """What the machine had to say."""
        return self._machine.console

    def _serve(self, endpoint: str) -> ByteServer:
        """The port that the station opens: the same name each time."""
        return PtyServer(self._port) if self._scenario.head.link == "pty" else ZmqServer(endpoint)

    def _close_port(self) -> None:
        """The one that is there now: it may not be the first."""
        self._server.close()

    def _await_greeting(self) -> None:
        deadline = time.monotonic() + BOOT_TIMEOUT_S
        while not self.record.booted:
            if not self._machine.running or time.monotonic() > deadline:
                said = self._machine.console or "it says nothing"
                raise MachineFailed(f"{self._machine.name} does not boot: {said}")
            for frame in self._frames(0.1):
                self._greeting(frame)

    def _await_station(self) -> None:
        deadline = time.monotonic() + _LISTENER_S
        while not self._server.wait_for_listener(0.05):
            for frame in self._frames(0):
                self._greeting(frame)
            if time.monotonic() > deadline:
                raise MachineFailed(f"the station did not open {self._server.url} in {_LISTENER_S:g} s")

    def _start(self) -> None:
        """The first frame that is no greeting is the flight's."""
        for _, data in start_script(self._speed):
            self._machine.write(data)
        deadline = time.monotonic() + START_TIMEOUT_S / min(self._speed, 1.0)
        started: list[bytes] = []
        while not started:
            if time.monotonic() > deadline:
                raise MachineFailed(
                    f"{self._machine.name} does not start: {self._machine.console or 'it says nothing'}"
                )
            for frame in self._frames(_LOOK_S):
                if started or not self._greeting(frame):
                    started.append(frame)
        self._began = self.record.start = self._clock()
        self._feed(b"".join(started))

    def _pump(self) -> None:
        """Pass bytes on until the pass is over, and a little longer."""
        last = None
        while last is None or self._clock() < last:
            self._act(self._scet)
            data = self._next(_LOOK_S)
            if data:
                self._feed(data)
            self._pass_on()
            self._pass_up()
            self._give_orders()
            self._progress(min(self._line_now, self._scet))
            if last is None and self._over:
                self._channel.close(self._line_now)
                last = self._clock() + round(_TAIL_S * S)
            if not self._machine.running and not self._ended:
                raise MachineFailed(f"{self._machine.name} ended: {self._machine.console or 'it said nothing'}")
        if self._ended and self.record.comparable is None:
            self.record.comparable = len(self._channel.sent("down"))
        for place, number in self._numbers.items():
            if number in self._listener.updates:
                self.record.commands[place] = self._listener.updates[number]

    @property
    def _line_now(self) -> int:
        return EPOCH + round((self._clock() - self._began) * self._speed)

    @property
    def _over(self) -> bool:
        """The last frame has passed, or the target's time is over; and all that lasts has been undone."""
        if any(act.open for act in self._acts):
            return False
        if any(
            self._listener.updates.get(n) is None or self._listener.updates[n].state not in FINAL_STATES
            for n in self._numbers.values()
        ):
            return False
        late = self._line_now >= EPOCH + PASS_NS + round(0.5 * S * self._speed)
        return late and (self._scet >= LAST_HK or self._ended)

    def _feed(self, data: bytes) -> None:
        """Bytes of the machine into the channel, a frame at a time: a fault may begin before any of them."""
        self._rest += data
        size = UART.cadu_length
        while len(self._rest) >= size:
            frame, self._rest = self._rest[:size], self._rest[size:]
            if self._ended and self._greeting(frame):
                self.record.moments.append(Moment(time=self._clock(), lane="event", text="the target booted"))
            for unit in self._channel.feed_down(frame, self._line_now, whole=False):
                self._scet = max(self._scet, unit.scet)
                self._act(self._scet, unit)

    def _pass_on(self) -> None:
        """What has arrived at the station's end, into its port."""
        now = self._line_now
        if self._held:
            return
        if self._unheard is not None:
            self._channel.lose("down", self._unheard.fault, self._unheard.kind, now)
            return
        if not self._server.wait_for_listener(0):
            return  # it opens its port anew: what is due waits in the channel
        self._send(self._channel.take_down(now))

    def _send(self, units: list[Unit]) -> None:
        """Into the port; the viewer is to watch for what comes of it."""
        for unit in units:
            cut = self._channel.cuts[unit.number]
            if cut.vcid == LANDER and cut.scet is not None and unit.data is cut.data:
                self._listener.sent(cut.scet, self._clock())
            self._server.send(unit.data)

    def _pass_up(self) -> None:
        now = self._line_now
        data = self._server.receive() if self._unheard is None else b""
        if data:
            self._channel.feed_up(data, now)
        for unit in self._channel.take_up(now):
            if not self._ended:
                self._machine.write(unit.data)

    def _give_orders(self) -> None:
        while self._orders and int(self._orders[0][1].at.value) <= self._scet:
            place, command = self._orders.pop(0)
            answer = self._listener.order(command)
            if isinstance(answer, int):
                self._numbers[place] = answer
            else:
                self.record.refused[place] = answer

    def _act(self, scet: int, last: Unit | None = None) -> None:
        """Do and undo what is due."""
        for act in self._acts:
            lead = TICK_NS if act.fault.family == "target" else 0  # after the frame before it, not after its own
            if act.is_due(scet + lead, last):
                self.record.deeds.append(act.begin(self._line_now, self._clock()))
                _BEGIN[act.fault.kind](self, act)
                self._note(f"{act.fault.kind} begins" if act.lasts else act.fault.kind)
            elif act.is_over(self._line_now):
                _END[act.fault.kind](self, act)
                act.end(self.record.deeds, self._clock())
                self._note(f"{act.fault.kind} is over")

    def _note(self, text: str) -> None:
        self.record.moments.append(Moment(time=self._clock(), lane="fault", text=text, tone="bad"))

    def _unplug(self, act: PendingAct) -> None:
        """What the station was sent it has read: a cable is not pulled in the middle of a read."""
        self._send(self._channel.hurry_down(act.planned))
        self._server.close()
        self._unheard = act.deed
        self._channel.lose("up", act.number, act.fault.kind, None)

    def _plug(self, act: PendingAct) -> None:
        self._channel.lose("down", act.number, act.fault.kind, self._line_now)
        self._server = self._serve(self._server.url.removeprefix("zmq:"))
        self._unheard = None

    def _hold(self, act: PendingAct) -> None:
        self._held = True

    def _release(self, act: PendingAct) -> None:
        self._held = False

    def _reset(self, act: PendingAct) -> None:
        self._end_pass()
        self._counted = False
        self._machine.reset()

    def _power_off(self, act: PendingAct) -> None:
        self._end_pass()
        self._machine.power_off()

    def _power_on(self, act: PendingAct) -> None:
        self._counted = False
        self._machine.power_on()

    def _hang(self, act: PendingAct) -> None:
        self._machine.hang()
        self._ended = not act.lasts

    def _resume(self, act: PendingAct) -> None:
        self._machine.resume()

    def _flip(self, act: PendingAct) -> None:
        address, mask = act.fault.address, act.fault.mask  # type: ignore[attr-defined]
        (byte,) = self._machine.peek(address, 1)
        self._machine.poke(address, bytes([byte ^ mask]))

    def _end_pass(self) -> None:
        """Its memory is gone: from here on the oracle of this pass has nothing to say."""
        for data in iter(lambda: self._next(0), b""):
            self._feed(data)
        if self.record.comparable is None:
            self.record.comparable = len(self._channel.sent("down"))
        self._ended = True

    def _greeting(self, frame: bytes) -> bool:
        """Whether a frame says that the machine has booted; which build it is, is kept, once for each start."""
        greeting = read_greeting(frame)
        if greeting is not None and not self._counted:
            self._counted = True
            self.record.booted.append(f"{greeting.build_id:08x}")
        return greeting is not None

    def _frames(self, seconds: float) -> Iterator[bytes]:
        """Whole frames that come before the flight; a line without faults is aligned from power on."""
        self._rest += self._next(seconds)
        while len(self._rest) >= UART.cadu_length:
            frame, self._rest = self._rest[: UART.cadu_length], self._rest[UART.cadu_length :]
            yield frame

    def _next(self, seconds: float) -> bytes:
        """All that came; waits a little for the first of it."""
        try:
            data = self._came.get(timeout=seconds) if seconds else self._came.get_nowait()
            while not self._came.empty():
                data += self._came.get_nowait()
        except queue.Empty:
            return b""
        return data


_BEGIN: dict[str, Callable[[RealtimeRig, PendingAct], None]] = {
    "unplug": RealtimeRig._unplug,
    "peer_killed": RealtimeRig._unplug,
    "peer_stopped": RealtimeRig._hold,
    "reset": RealtimeRig._reset,
    "hang": RealtimeRig._hang,
    "power_off": RealtimeRig._power_off,
    "memory_flip": RealtimeRig._flip,
}
_END: dict[str, Callable[[RealtimeRig, PendingAct], None]] = {
    "unplug": RealtimeRig._plug,
    "peer_killed": RealtimeRig._plug,
    "peer_stopped": RealtimeRig._release,
    "hang": RealtimeRig._resume,
    "power_off": RealtimeRig._power_on,
}

"""Flies a scenario in real time: machine, station and viewers are processes and sockets; the rig is the cable between.

    machine ──line──▶ queue ──▶ relay: channel ──▶ port ──▶ station process ──▶ viewers
       ▲                          │  ▲              │
       └────── telecommands ──────┘  └──────────────┘

`hil.rigs.realtime` is the rig of the lander, `hil.rigs.unscripted` that of a machine of any other mission. Rules of
both:
1. The line's time is the host's, at the flight's speed, from the first frame on. A fault that is due at a mission time
   acts on the frame that carries it, before it is passed on: how late the host is does not matter.
2. Every wait has a bound.
3. A machine that ends takes the link with it: the station finds that its port is gone, as with a cable that is pulled.
   The flight ends after the station has declared what it lost by that: a verdict without its loss explains nothing.
4. What is judged ends with the flight. A viewer that stays keeps the link, and may command what it likes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from groundstation.errors import StationError, StationGone
from groundstation.messages.commanding import FINAL_STATES
from groundstation.messages.text import utc
from groundstation.station.config import StationConfig
from groundstation.station.process import has_ended, start_station, stop_station
from hil.channel.channel import Channel
from hil.channel.frame_splitter import FrameSplitter, SentFrame
from hil.errors import MachineFailed
from hil.faults import Unit
from hil.lander_io.scratch import Scratch
from hil.lander_io.servers import ByteServer, PtyServer, ZmqServer
from hil.rigs.deadline import GRACE_S
from hil.rigs.environment_faults import EnvironmentFaults
from hil.rigs.live_viewer import Viewer
from hil.rigs.pending_commands import PendingCommands
from hil.rigs.scheduled_fault import ScheduledFault
from hil.rigs.station_viewer import StationViewer
from hil.scenario.scenario import Scenario
from hil.scenario.triggers import Triggers
from hil.targets.base import Machine, Sink
from hil.verdict.flight_record import FlightRecord
from hil.verdict.host_watch import HostWatch
from protocols.declare.mission import Mission
from protocols.units import NS_PER_MS, NS_PER_S

LOOK_S = 0.002
_LEAST_WAIT_S = 0.0005
PATIENCE_S, _PATIENCE_MISSION_S = 0.01, 0.2
"""How long the rig waits for bytes before it looks at telecommands and faults, in seconds of host and mission."""
_LISTENER_S = 15.0
_TAIL_S = 1.0
"""Host time for which the link stays up after the last frame."""
_DECLARE_S, _DECLARE_FRAMES = 5.0, 3
"""How long the rig waits for the station to declare a loss at the end: seconds of the host, and frames of the lander,
which a slow flight spreads out. It ends sooner, with the loss; a busy host takes longer than the time-out alone."""
_END_SEEN_S = 0.2
_LAST_BYTES_S = 0.05
"""How long the end of a machine may stay unseen, and after how much silence no more of its bytes are on their way."""

Progress = Callable[[int], None]


class RelayRig(ABC):
    """One flight. `fly` once."""

    def __init__(
        self,
        scenario: Scenario,
        mission: Mission,
        machine: Callable[[Sink], Machine],
        recording: Path,
        speed: float,
        progress: Progress,
        clock: Callable[[], int],
        viewer: Viewer | None = None,
        epoch: int = 0,
    ) -> None:
        """Prepare.

        Args:
            scenario: checked.
            mission: that it is for.
            machine: makes the machine, given the sink of what it sends.
            recording: of the station.
            speed: mission seconds a second, 0.1 … 100.
            progress: told the mission time.
            clock: host time, ns since 1970.
            viewer: watches the flight, and may end it.
            epoch: mission time with which the flight begins, in ns; 0: that is known when it does.
        """
        self._mission = mission
        self._profile = mission.link_profile
        channel = mission.dictionary.channels[0]
        self._vcid, self._period_ns = channel.vcid, channel.period_ms * NS_PER_MS
        self._speed = speed
        self._progress = progress
        self._clock = clock
        self._viewer = viewer
        self._came: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._machine = machine(self._came.put)
        self._rest = b""
        self._numbers: dict[int, int] = {}
        self._began = 0
        self._epoch = self._scet = epoch
        self._overdue_at = self._heard_at = 0.0
        self._unplugged: ScheduledFault | None = None
        self._held = False
        self._ended = False
        triggers, link = self._prepare(scenario)
        name = self._machine.name
        self.record = FlightRecord(scenario, name, "realtime", speed, recording, link, triggers, 0, mission=mission)
        self.record.watched = viewer is not None
        self._arm()

    def _prepare(self, scenario: Scenario) -> tuple[Triggers, Channel]:
        """Take a scenario: what its faults wait for, and the channel in which they act."""
        self._scenario = scenario
        self._part = scenario.head.part
        dictionary = self._mission.dictionary
        events = any(fault.at is not None and fault.at.kind == "event" for fault in scenario.faults)
        triggers = Triggers(scenario, dictionary)
        self._channel = Channel(
            scenario.faults,
            scenario.head.seed,
            self._profile,
            events_of=dictionary if events else None,
            baud=scenario.head.baud or None,
            start=self._epoch,
            watches=triggers.faults,
            dictionary=dictionary,
        )
        return triggers, self._channel

    def _arm(self) -> None:
        """Let the scenario's faults and commands wait for their time."""
        self._faults = EnvironmentFaults(self, self.record, lead=max(self._period_ns, 1))
        self._pending = PendingCommands(self._scenario, self.record.triggers)

    # -- what each kind of flight does in its own way ---------------------------------------------------------------

    @abstractmethod
    def _boot(self) -> None:
        """The machine has power: wait until it is there.

        Raises:
            MachineFailed: it does not come.
        """

    @abstractmethod
    def _take_early(self) -> None:
        """Take what the machine sends before the station has opened its port."""

    @abstractmethod
    def _start(self) -> None:
        """Begin the flight: `_began` and the record's `start` are set after it, and the deadline.

        Raises:
            MachineFailed: the machine does not start.
        """

    @property
    @abstractmethod
    def _planned_s(self) -> float:
        """How long the flight takes from its start on, in seconds of the host."""

    @property
    @abstractmethod
    def _over(self) -> bool:
        """The flight is over."""

    @property
    @abstractmethod
    def _state(self) -> str:
        """What the flight waits for."""

    @property
    @abstractmethod
    def _last_words(self) -> str:
        """What the machine sent last."""

    def _look_at(self, cut: SentFrame) -> None:
        """A frame that the machine sent, as it is passed on."""
        del cut

    def _forget_boot(self) -> None:
        """The machine starts again: its next greeting counts."""
        return

    def fly(self) -> FlightRecord:
        """Fly to the end of the pass.

        Raises:
            MachineFailed: the machine does not do what it is told. What was flown so far is in `record`.
            StationError: the station did not start.
        """
        if (lack := self._machine.missing()) is not None:
            raise MachineFailed(lack)
        with ExitStack() as stack:
            folder = stack.enter_context(Scratch("hil-port-")).path
            self._port = folder / "port"
            self._watch = stack.enter_context(HostWatch(self._clock))
            stack.callback(self._machine.close)
            self._machine.power_on()
            self.record.provenance |= self._machine.provenance()
            self._boot()
            self._server = self._serve(f"ipc://{folder}/line")
            stack.callback(self._close_port)
            config = StationConfig(self._station_name, self._server.url, self.record.recording, self._mission)
            self._station = start_station(config, with_parent=True)
            stack.callback(self._stop_station)
            self._listener = stack.enter_context(
                StationViewer(self._station, self._clock, self._mission, keep=self.record.triggers.waiting)
            )
            self._await_station()
            try:
                if self._viewer is None:
                    self._fly_pass()
                else:
                    self._viewer.watch(self._station, self._fly_pass)
            finally:
                self._complete_record()
        return self.record

    @property
    def console(self) -> str:
        """What the machine had to say."""
        return self._machine.console

    @property
    def _station_name(self) -> str:
        """One that no other station has; of a flight that is watched, one to type."""
        now = self._clock()
        if self._viewer is None:
            return f"hil-{now % 10**12:012}"
        return f"fly-{datetime.fromtimestamp(now // NS_PER_S, UTC):%H%M%S}-{os.getpid()}"

    def _serve(self, endpoint: str) -> ByteServer:
        """The port that the station opens: the same name each time, and never that of another terminal.

        A bare pseudo-terminal that is closed leaves its number to the next one of any program, and a station that looks
        for its own would take that.
        """
        return PtyServer(self._port) if self._scenario.head.link == "pty" else ZmqServer(endpoint)

    def _stop_station(self) -> None:
        """End it; one that does not end by itself is killed. One that has ended has been told of."""
        if has_ended(self._station):
            return
        try:
            asyncio.run(stop_station(self._station, "the flight is over"))
        except StationError:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._station.pid, signal.SIGKILL)
            raise

    def _close_port(self) -> None:
        """The one that is there now: it may not be the first."""
        self._server.close()

    def _await_station(self) -> None:
        deadline = time.monotonic() + _LISTENER_S
        while not self._server.wait_for_listener(0.05):
            self._take_early()
            if time.monotonic() > deadline:
                raise MachineFailed(f"the station did not open {self._server.url} in {_LISTENER_S:g} s")

    def _fly_pass(self) -> None:
        """From START to the end of the pass; and on, for a viewer that stays."""
        try:
            self._start()
            self._relay()
        except MachineFailed as error:
            if not self._has_ended():
                raise
            self._hang_up()
            if not self._began:
                raise
            raise MachineFailed(f"{self._machine.name} ended: {self._last_words}{self._said}") from error
        if not self.record.left:
            self.record.closed = self._clock()
            self._keep_up()

    def _relay(self) -> None:
        """Pass bytes on until the pass is over, and a little longer."""
        last = None
        while self._clock() < last if last is not None else not self._left():
            for message in self._listener.decoded():
                self.record.triggers.take(message)
            self._act()
            data = self._next(self._patience)
            if data:
                self._feed(data)
            if self._ends_on_time and self._over:
                self._end_part()
                return
            self._pass_on()
            self._pass_up()
            self._give_orders()
            self._progress(min(self._line_now, self._scet))
            if last is None and self._over:
                self._channel.close(self._line_now)
                last = self._clock() + round(_TAIL_S * NS_PER_S)
            self._check_target()
        if not self.record.left:
            self._await(lambda: not self._listener.locked)

    def _end_part(self) -> None:
        """The station gets what belongs to the part, and a moment to take it."""
        if not self._held and self._unplugged is None:
            self._send(self._channel.flush_down(self._part.end))
        self._channel.close(self._line_now)
        self.record.heard_until = self._clock()
        time.sleep(_TAIL_S)

    @property
    def _patience(self) -> float:
        """For how long to wait for bytes of the machine, in seconds: not longer than until the next are due."""
        due = [time for time in (self._channel.next_down, self._channel.next_up) if time is not None]
        left = (min(due) - self._line_now) / self._speed / NS_PER_S if due else PATIENCE_S
        return min(max(left, _LEAST_WAIT_S), PATIENCE_S, _PATIENCE_MISSION_S / self._speed)

    def _set_deadline(self) -> None:
        """The flight has begun: by when it has to be over."""
        self._overdue_at = time.monotonic() + self._planned_s + GRACE_S

    def _check_target(self) -> None:
        """See that the machine runs, and that its pass can still end in time.

        Raises:
            MachineFailed: it does not, or cannot.
        """
        name = self._machine.name
        if not self._machine.running and not self._ended:
            raise MachineFailed(f"{name} ended")
        if self._listener.lost and has_ended(self._station):
            raise StationGone(f"the station ended in flight, at {utc(self._scet)}")
        by_hand = self._viewer is not None and self._listener.others_command
        if time.monotonic() > self._overdue_at and not by_hand:
            planned = self._planned_s
            silent = time.monotonic() - self._heard_at
            raise MachineFailed(
                f"{name} did not end its pass, planned to take {planned:.1f} s, in {GRACE_S:g} s more: {self._state}; "
                f"its last byte came {silent:.1f} s ago; {self._last_words}{self._said}"
            )

    @property
    def _said(self) -> str:
        """The console's part of an error."""
        return f"; {self._machine.console}" if self._machine.console else ""

    def _left(self) -> bool:
        """Whether the viewer was closed: the flight ends."""
        if self._viewer is None or not self._viewer.left:
            return False
        self.record.left = f"the viewer was closed at {utc(self._scet)}"
        return True

    def _has_ended(self) -> bool:
        """Whether the machine failed because it ended: a write may find that before `running` says so."""
        deadline = time.monotonic() + _END_SEEN_S
        while self._machine.running and time.monotonic() < deadline:
            time.sleep(LOOK_S)
        return not self._machine.running

    def _hang_up(self) -> None:
        """The machine is gone, so its end of the cable is: let the station find that, and declare what it lost."""
        self._feed_rest()
        self._pass_on()
        self._close_port()
        self._await(lambda: self._listener.cut_off)

    def _feed_rest(self) -> None:
        """What a machine that has ended sent before."""
        if not self._began:
            return
        deadline = time.monotonic() + _TAIL_S
        while (data := self._next(_LAST_BYTES_S)) and time.monotonic() < deadline:
            self._feed(data)

    def _await(self, declared: Callable[[], bool]) -> None:
        """Give the station time for its last verdict; not if it has ended, or if the viewer was closed."""
        deadline = time.monotonic() + _DECLARE_S + _DECLARE_FRAMES * self._period_ns / NS_PER_S / self._speed
        while not declared() and time.monotonic() < deadline and not self._left():
            if self._listener.lost and has_ended(self._station):
                return
            time.sleep(LOOK_S)

    def _keep_up(self) -> None:
        """Carry bytes for a viewer that stays; none of them is judged."""
        while self._viewer is not None and self._viewer.stays and not self._viewer.left:
            if data := self._next(PATIENCE_S):
                self._server.send(data)
            if data := self._server.receive():
                with contextlib.suppress(MachineFailed):  # the pass is over, whatever becomes of the machine
                    self._machine.write(data)

    def _complete_record(self) -> None:
        """What is known at the end alone."""
        record = self.record
        record.published_ms = self._listener.delays_ms
        record.lateness = self._watch.tally.lateness
        if self._channel.account("up").sent:
            record.script = None  # at which tick the machine took it, nothing says
        if (self._ended or record.left or self._part.cut) and record.comparable is None:
            record.comparable = len(self._channel.sent("down"))
        for place, number in self._numbers.items():
            if number in self._listener.updates:
                record.commands[place] = self._listener.updates[number]

    @property
    def _line_now(self) -> int:
        if not self._began:
            return self._scet
        return self._epoch + round((self._clock() - self._began) * self._speed)

    def _is_final(self, number: int) -> bool:
        """Whether the station has said how a command ended."""
        update = self._listener.updates.get(number)
        return update is not None and update.state in FINAL_STATES

    @property
    def _ends_on_time(self) -> bool:
        """It is over at a time of the scenario, whatever the machine does."""
        return self._part.cut

    def _feed(self, data: bytes) -> None:
        """Bytes of the machine into the channel, a frame at a time: a fault may begin before any of them."""
        self._rest += data
        size = self._profile.cadu_length
        while len(self._rest) >= size:
            frame, self._rest = self._rest[:size], self._rest[size:]
            if self._part.cut and self._is_later(frame):
                return
            for unit in self._channel.feed_down(frame, self._line_now, whole=False):
                self._look_at(self._channel.cuts[unit.number])
                self._scet = max(self._scet, unit.scet)
                self._act(unit)

    def _is_later(self, frame: bytes) -> bool:
        """Whether a frame comes after the part that is flown: with it the flight ends."""
        scets = [
            cut.scet
            for cut in FrameSplitter(self._profile, None, self._mission.dictionary).feed(frame)
            if cut.scet is not None
        ]
        later = any(scet >= self._part.end for scet in scets)
        self._scet = max([self._scet, *scets]) if later else self._scet
        return later

    def _pass_on(self) -> None:
        """What has arrived at the station's end, into its port."""
        now = self._line_now
        if self._held:
            return
        if self._unplugged is not None:
            self._channel.lose("down", self._unplugged.number, self._unplugged.spec.kind, now)
            return
        if not self._server.wait_for_listener(0):
            return  # the station opens its port again: what is due waits in the channel
        self._send(self._channel.take_down(now))

    def _send(self, units: list[Unit]) -> None:
        """Into the port; the viewer is to watch for what comes of it."""
        for unit in units:
            cut = self._channel.cuts[unit.number]
            if cut.vcid == self._vcid and cut.scet is not None and unit.data is cut.data:
                self._listener.sent(cut.scet, self._clock())
        if units:
            self._server.send(b"".join(unit.data for unit in units))

    def _pass_up(self) -> None:
        now = self._line_now
        data = self._server.receive() if self._unplugged is None else b""
        if data:
            self._channel.feed_up(data, now)
        for unit in self._channel.take_up(now):
            if not self._ended:
                self._machine.write(unit.data)

    def _give_orders(self) -> None:
        for place, command in self._pending.due(self._scet):
            answer = self._listener.order(command)
            if isinstance(answer, int):
                self._numbers[place] = answer
            else:
                self.record.refused[place] = answer

    def _act(self, last: Unit | None = None) -> None:
        """Begin and end the faults that are due."""
        self._faults.act(self._scet, self._line_now, self._clock(), last)

    # -- levers, for the faults -------------------------------------------------------------------------------------

    def unplug(self, fault: ScheduledFault) -> None:
        """Take away the port. What was sent before, the station has read: no read is cut in the middle."""
        self._send(self._channel.flush_down(fault.planned))
        self._server.close()
        self._unplugged = fault
        self._channel.lose("up", fault.number, fault.spec.kind, None)

    def plug(self, fault: ScheduledFault) -> None:
        """Give it back, under the same name."""
        self._channel.lose("down", fault.number, fault.spec.kind, self._line_now)
        self._server = self._serve(self._server.url.removeprefix("zmq:"))
        self._unplugged = None

    def hold(self) -> None:
        """Pass nothing on."""
        self._held = True

    def release(self) -> None:
        """Pass on what was held."""
        self._held = False

    def reset(self) -> None:
        """Pull the machine's reset pin."""
        self._end_pass()
        self._machine.reset()

    def power_off(self) -> None:
        """Take the machine's power."""
        self._end_pass()
        self._machine.power_off()

    def power_on(self) -> None:
        """Give it back."""
        self._machine.power_on()

    def hang(self, *, for_good: bool) -> None:
        """Stop the machine's clocks."""
        self._machine.hang()
        self._ended = for_good

    def resume(self) -> None:
        """Let them run again."""
        self._machine.resume()

    def flip(self, address: int, mask: int) -> None:
        """Flip bits of a byte of the machine's memory."""
        (byte,) = self._machine.peek(address, 1)
        self._machine.poke(address, bytes([byte ^ mask]))

    def _end_pass(self) -> None:
        """Its memory is gone: from here on the oracle of this pass has nothing to say."""
        for data in iter(lambda: self._next(0), b""):
            self._feed(data)
        if self.record.comparable is None:
            self.record.comparable = len(self._channel.sent("down"))
        self._ended = True
        self._forget_boot()

    def _next(self, seconds: float) -> bytes:
        """All that came; waits a little for the first of it."""
        try:
            data = self._came.get(timeout=seconds) if seconds else self._came.get_nowait()
            while not self._came.empty():
                data += self._came.get_nowait()
        except queue.Empty:
            return b""
        self._heard_at = time.monotonic()
        return data

"""Flies the lander in real time: what `hil.rigs.relay` does, with a machine whose every byte is known.

Rules:
1. The machine waits in READY until the station has opened the port, and is then started by telecommand (SCALE and
   START); its greetings stay here, since START sets the stream's counters to zero.
2. A pass that is not over some seconds after its planned end has failed (`hil.rigs.deadline`).
3. Of a part of a pass the target flies all before it flat out, by STEP: its bytes go through the faults and no further,
   and the line's time is the mission's. With the part's beginning the clock runs, as if it had all the time. The part's
   end is that of the flight: what the station declares later follows from that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from groundstation.messages.text import utc
from hil.channel.frame_splitter import SentFrame
from hil.errors import MachineFailed
from hil.images.spans import check_build
from hil.rigs.deadline import last_words, planned_seconds
from hil.rigs.live_viewer import Viewer
from hil.rigs.relay import LOOK_S, PATIENCE_S, Progress, RelayRig
from hil.scenario.scenario import Scenario
from hil.targets.base import BOOT_TIMEOUT_S, Machine, Sink
from hil.targets.greeting import no_greeting, read_greeting
from hil.targets.telecommands import part_script, start_script
from hil.verdict.result import Moment
from hil.verdict.stream_diff import golden_stream
from protocols.lander import BUS, EPOCH, LANDER, MISSION
from protocols.profile import UART
from protocols.units import NS_PER_S

START_TIMEOUT_S = 10.0
_FLAT_OUT_S = 10.0
"""For so long a target that flies flat out may send nothing."""
_TICKS_LATE = NS_PER_S // 2
"""Host time by which the first frame after a part may be late, in ns."""


class RealtimeRig(RelayRig):
    """One flight of the lander. `fly` once."""

    def __init__(
        self,
        scenario: Scenario,
        make: Callable[[Sink], Machine],
        recording: Path,
        speed: float,
        progress: Progress,
        clock: Callable[[], int],
        viewer: Viewer | None = None,
    ) -> None:
        """Prepare.

        Args:
            scenario: checked.
            make: makes the machine, given who takes what it sends.
            recording: of the station.
            speed: mission seconds a second, 0.1 … 100.
            progress: told the mission time.
            clock: host time, ns since 1970.
            viewer: watches the flight, and may end it.
        """
        self._pass = scenario.head.plan
        self._counted = False
        super().__init__(scenario, MISSION, make, recording, speed, progress, clock, viewer, self._pass.begin)
        before = self._part.ticks_before
        flight = scenario.head.flight
        self._script = part_script(speed, flight, before) if before else start_script(speed, flight)
        self.record.script, self.record.ready = self._script, True

    def _boot(self) -> None:
        deadline, first = time.monotonic() + BOOT_TIMEOUT_S, b""
        while not self.record.booted:
            if not self._machine.running or time.monotonic() > deadline:
                said = no_greeting(first or self._rest) or self._machine.console or "it says nothing"
                raise MachineFailed(f"{self._machine.name} does not boot: {said}")
            for frame in self._frames(0.1):
                first = first or frame
                self._greeting(frame)
        check_build(self._scenario.head.span, int(self.record.booted[-1], 16), self._machine.name)

    def _start(self) -> None:
        """The first frame that is not a greeting is the flight's."""
        (_, first), *_ = self._script
        self._machine.write(first)
        deadline = time.monotonic() + START_TIMEOUT_S / min(self._speed, 1.0)
        started: list[bytes] = []
        while not started and not self._left():
            if time.monotonic() > deadline or not self._machine.running:
                raise MachineFailed(
                    f"{self._machine.name} does not start: {self._machine.console or 'it says nothing'}"
                )
            for frame in self._frames(LOOK_S):
                if started or not self._greeting(frame):
                    started.append(frame)
        tail, self._rest = self._rest, b""  # of the frame after them, which may have come in part
        self._feed(b"".join(started) + tail)
        if self._part.ticks_before:
            self._fly_flat_out()
        # As if the pass had begun at this pace.
        self._began = self.record.start = self._clock() - round((self._part.start - self._part.begin) / self._speed)
        self._set_deadline()
        if self._viewer is not None:
            self._viewer.begin()

    @property
    def _planned_s(self) -> float:
        return planned_seconds(self._scenario, self._speed)

    @property
    def _last_words(self) -> str:
        return last_words(self._channel.cuts)

    def _take_early(self) -> None:
        for frame in self._frames(0):
            self._greeting(frame)

    def _forget_boot(self) -> None:
        self._counted = False

    def _fly_flat_out(self) -> None:
        """Fly to the tick with which the part begins. No station listens yet.

        Raises:
            MachineFailed: it does not come there.
        """
        for told, (ticks, more) in enumerate(self._script[1:], 1):
            self._fly_to(len(golden_stream(tuple(self._script[:told]), True, ticks)))
            if told == len(self._script) - 1:
                self._channel.skip_down(self._part.start - 1)
            self._machine.write(more)

    def _fly_to(self, size: int) -> None:
        """Wait until so many bytes have come.

        Raises:
            MachineFailed: they do not come.
        """
        sent = self._channel.sent
        deadline = time.monotonic() + _FLAT_OUT_S
        while len(sent("down")) < size and not self._left():
            if data := self._next(PATIENCE_S):
                self._feed(data)
                self._channel.skip_down(self._line_now)
                self._progress(self._scet)
                deadline = time.monotonic() + _FLAT_OUT_S
            if time.monotonic() > deadline or not self._machine.running:
                came = f"{len(sent('down')):,} of {size:,} bytes came; {last_words(self._channel.cuts)}"
                raise MachineFailed(f"{self._machine.name} does not fly to {utc(self._part.start, 3)}: {came}")

    @property
    def _state(self) -> str:
        """What the flight waits for."""
        if len(self.record.booted) > 1:
            return "it has booted again, and waits for START"
        waiting = self._pending.names
        given = [self._scenario.commands[n].name for n, number in self._numbers.items() if not self._is_final(number)]
        if given:
            return f"no word of {', '.join(given)}"
        if self._scet < self._pass.last_frame:
            return "it sends no more" + (f", and {', '.join(waiting)} could not be given" if waiting else "")
        return "it does not stop"

    @property
    def _over(self) -> bool:
        """The last frame has passed, or the target's time is over; and all that lasts has been undone.

        A part is over with its time.
        """
        if self._part.cut:
            return self._scet >= self._part.end or self._line_now >= self._part.end + round(_TICKS_LATE * self._speed)
        if self._faults.open or not all(map(self._is_final, self._numbers.values())):
            return False
        late = self._line_now >= self._pass.over + round(0.5 * NS_PER_S * self._speed)
        return late and (self._scet >= self._pass.last_frame or self._ended)

    def _look_at(self, cut: SentFrame) -> None:
        """A greeting in flight says that the target has booted; a frame of another time than READY's, that it flies."""
        if cut.vcid != BUS or not self._greeting(cut.data):
            self._counted = self._counted and cut.vcid != LANDER and cut.scet in (None, EPOCH)

    def _greeting(self, frame: bytes) -> bool:
        """Whether a frame says that the machine has booted; which build it is, is kept, once for each start."""
        greeting = read_greeting(frame)
        if greeting is None or self._counted:
            return greeting is not None
        self._counted = True
        self.record.booted.append(f"{greeting.build_id:08x}")
        if self._began:
            self.record.moments.append(Moment(time=self._clock(), lane="event", text="the target booted"))
        return True

    def _frames(self, seconds: float) -> Iterator[bytes]:
        """Whole frames that come before the flight; a line without faults is aligned from power on."""
        self._rest += self._next(seconds)
        while len(self._rest) >= UART.cadu_length:
            frame, self._rest = self._rest[: UART.cadu_length], self._rest[UART.cadu_length :]
            yield frame

"""Flies a machine of a mission that has no oracle: what `hil.rigs.relay` does, with a machine that flies what it flies.

Rules:
1. Nothing is asked of the machine. It may send before the station has opened the port: that is not of the flight.
2. The flight begins with the first frame after that. Mission time is what frames carry: the first that carries one is
   the time from which those of the scenario count (``+12 s``), and which the line has then. Of a mission whose packets
   have no onboard time it is the host's, as for the station.
3. It is over with the first frame that is stamped with `scenario.until` or later, or when that has come on the line;
   a fault that is to end before is undone first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from groundstation.messages.text import utc
from hil.channel.frame_splitter import FrameSplitter, SentFrame
from hil.errors import MachineFailed
from hil.rigs.live_viewer import Viewer
from hil.rigs.relay import LOOK_S, Progress, RelayRig
from hil.scenario.scenario import Scenario, anchored
from hil.targets.base import Machine, Sink
from protocols.declare.mission import Mission
from protocols.units import NS_PER_S

_FIRST_S, _FIRST_PERIODS = 15.0, 5
"""How long a machine may take to its first packet with an onboard time: seconds, and periods of its frames."""
_BOOT_S = 0.2
"""For so long a program that cannot start may look as if it ran."""


class UnscriptedRig(RelayRig):
    """One flight of a machine of any mission. `fly` once."""

    def __init__(
        self,
        scenario: Scenario,
        mission: Mission,
        make: Callable[[Sink], Machine],
        recording: Path,
        progress: Progress,
        clock: Callable[[], int],
        viewer: Viewer | None = None,
    ) -> None:
        """Args: as of `RelayRig`; it flies at the machine's own pace."""
        super().__init__(scenario, mission, make, recording, 1.0, progress, clock, viewer)
        self.record.script = None
        self._untimed = all(header.time is None for header in mission.dictionary.header_by_apid.values())

    def _boot(self) -> None:
        deadline = time.monotonic() + _BOOT_S
        while self._machine.running and time.monotonic() < deadline:
            time.sleep(LOOK_S)
        if not self._machine.running:
            raise MachineFailed(f"{self._machine.name} does not run: {self._machine.console or 'it says nothing'}")

    def _take_early(self) -> None:
        self._next(0)

    def _start(self) -> None:
        splitter = FrameSplitter(self._profile, None, self._mission.dictionary)
        data, cuts = b"", list[SentFrame]()
        deadline = time.monotonic() + _FIRST_S + _FIRST_PERIODS * self._period_ns / NS_PER_S
        while not any(cut.vcid is not None if self._untimed else cut.scet is not None for cut in cuts):
            if self._left():
                return
            if time.monotonic() > deadline or not self._machine.running:
                raise MachineFailed(self._no_start(data, cuts))
            piece = self._next(LOOK_S)
            data += piece
            cuts += splitter.feed(piece)
        first = next((cut.scet for cut in cuts if cut.scet is not None), self._clock())
        begin = next(cut.offset for cut in cuts if cut.vcid is not None)
        self._epoch = self._scet = self.record.epoch = first
        self.record.triggers, self.record.channel = self._prepare(anchored(self._scenario, first))
        self.record.scenario = self._scenario
        self._arm()
        self._check_end()
        self._began = self.record.start = self._clock()
        self._set_deadline()
        self._feed(data[begin:])

    def _check_end(self) -> None:
        """See that there is something to fly.

        Raises:
            MachineFailed: the clock of the machine is beyond the scenario's end.
        """
        if self._part.end <= self._epoch:
            name, end = self._machine.name, utc(self._part.end, 3)
            raise MachineFailed(f"{name}: its clock says {utc(self._epoch, 3)}, after the end of the scenario, {end}")

    def _no_start(self, data: bytes, cuts: list[SentFrame]) -> str:
        name, frames = self._machine.name, sum(cut.vcid is not None for cut in cuts)
        came = f"{len(data):,} bytes came, {frames:,} frames of them"
        if not self._machine.running:
            return f"{name} ended before its first packet: {self._machine.console or 'it says nothing'} ({came})"
        if not data:
            return f"{name} sends nothing: is this its port, and its baud rate?"
        if not frames:
            return f"{name}: {came}: is it of {self._mission.name}, and the link profile its own?"
        return f"{name}: {came}, but no packet with an onboard time: the scenario's times count from one"

    @property
    def _planned_s(self) -> float:
        return (self._part.end - self._epoch) / NS_PER_S

    @property
    def _ends_on_time(self) -> bool:
        return True

    @property
    def _over(self) -> bool:
        open_faults = self._faults.open and any(time < self._part.end for time in self._faults.next_times)
        return (self._scet >= self._part.end or self._line_now >= self._part.end) and not open_faults

    @property
    def _state(self) -> str:
        waiting = self._pending.names
        return "it sends on" + (f", and {', '.join(waiting)} could not be given" if waiting else "")

    @property
    def _last_words(self) -> str:
        frames = [cut for cut in self._channel.cuts if cut.vcid is not None]
        if not frames:
            return "it sent no frame"
        last = frames[-1]
        return f"its last frame was VC{last.vcid} frame {last.vcfc}" + (
            "" if last.scet is None else f" of {utc(last.scet)}"
        )

    def _feed(self, data: bytes) -> None:
        """Bytes of the machine into the channel, however they are cut: it may start again in the middle of a frame."""
        if self._untimed:
            self._channel.passed(self._line_now)
        for unit in self._channel.feed_down(data, self._line_now, whole=False):
            self._scet = max(self._scet, unit.scet)
            self._act(unit)

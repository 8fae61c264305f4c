"""An uplink, a spacecraft that does what it must with commands, and a channel between them; in simulated time."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from groundstation.messages.commanding import CommandUpdate, UplinkStatus
from groundstation.messages.wire import EventMessage, Telemetry
from groundstation.uplink.cop1_messages import Transmission
from groundstation.uplink.service import Uplink, UplinkOutcome, UplinkSettings
from protocols.ccsds.cltu import CltuReceiver
from protocols.ccsds.pus import TcPacket, decode_tc, request_id
from protocols.ccsds.tc_frame import TcFrame, decode_frame
from protocols.cop1 import Farm1
from protocols.errors import DecodeError
from protocols.lander import MARS6

MS = 1_000_000
S = 1000 * MS
STEP = 50 * MS


@dataclass
class Spacecraft:
    """FARM-1, and a command handler that carries out everything at once.

    ``silent``: as on hold, frames come only with reports. ``failure``: with which all commands are refused.
    """

    vr: int = 0
    silent: bool = False
    deaf: bool = False
    failure: str = ""
    mute: bool = False
    done: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.farm = Farm1(0, 20, self.vr)
        self._cltus = CltuReceiver()
        self._reports: list[Telemetry] = []

    def receive(self, data: bytes) -> None:
        if self.deaf:
            return
        for cltu in self._cltus.feed(data):
            try:
                frame = decode_frame(cltu.data)
            except DecodeError:
                continue
            self._frame(frame)

    def _frame(self, frame: TcFrame) -> None:
        assert frame.scid == MARS6.scid
        verdict = self.farm.frame(frame.bypass, frame.control, frame.sequence, frame.data)
        if verdict.fdu is not None:
            self._packet(decode_tc(verdict.fdu), request_id(verdict.fdu))

    def _packet(self, packet: TcPacket, request: int) -> None:
        command = MARS6.find_command(packet.apid, packet.header.service, packet.header.subtype, packet.data)
        assert command is not None
        if self.failure:
            self.report("COMMAND_REFUSED", request, failure=self.failure)
            return
        self.done.append((command.definition.name, request))
        self.report("COMMAND_ACCEPTED", request)
        self.report("COMMAND_COMPLETED", request)

    def report(self, packet: str, request: int, **more: str) -> None:
        values: dict[str, int | str] = {"request": request, "tick": 7, **more}
        if not self.mute:
            self._reports.append(Telemetry(packet=packet, apid=0x100, vcid=2, scet=0, ert=0, values=dict(values)))

    def send(self, due: bool) -> tuple[bytes, list[Telemetry]] | None:
        """The frame of now, if there is one: its OCF, and the reports in it."""
        if not self._reports and (self.silent or not due):
            return None
        reports, self._reports = self._reports, []
        return self.farm.clcw().encode(), reports


class UplinkHarness:
    """Runs in steps of 50 ms; the spacecraft sends a frame every 100 ms, or sooner if it has to report.

    While ``held`` is a list, what is to be written waits there for `release`.
    """

    def __init__(
        self,
        craft: Spacecraft | None = None,
        *,
        loss: float = 0.0,
        seed: int = 1,
        settings: UplinkSettings | None = None,
        connected: bool = True,
    ) -> None:
        self.now = 1000 * S
        self.craft = craft or Spacecraft()
        self.uplink = Uplink(MARS6, settings)
        self.loss = loss
        self.link_error = ""
        self.outcomes: list[UplinkOutcome] = []
        self.written: list[Transmission] = []
        self.held: list[Transmission] | None = None
        self.recalled: list[Transmission] = []
        self._random = Random(seed)
        self._steps = 0
        if connected:
            self.take(self.uplink.link(True, "open", self.now))

    def take(self, outcomes: list[UplinkOutcome]) -> None:
        self.outcomes += outcomes
        for outcome in outcomes:
            if isinstance(outcome, Transmission):
                if self.held is None:
                    self._write(outcome)
                else:
                    self.held.append(outcome)

    def release(self) -> None:
        """Write what waits, and from now on at once."""
        held, self.held = self.held or [], None
        for transmission in held:
            self._write(transmission)

    def _write(self, transmission: Transmission) -> None:
        if not self.uplink.begin(transmission):
            self.recalled.append(transmission)
            return
        command = self.uplink.command_of(transmission)
        assert command is None or not command.detail.startswith("not sent"), command
        if self.link_error:
            self.take(self.uplink.unwritten(transmission, self.link_error, self.now))
            return
        self.written.append(transmission)
        if self._random.random() >= self.loss:
            self.craft.receive(transmission.cltu)
        self.take(self.uplink.written(transmission, self.now))

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * S / STEP)):
            self.now += STEP
            self._steps += 1
            frame = self.craft.send(due=self._steps % 2 == 0)
            if frame is not None and self._random.random() >= self.loss:
                ocf, reports = frame
                self.take(self.uplink.ocf(ocf, self.now))
                for report in reports:
                    self.take(self.uplink.report(report, self.now))
            self.take(self.uplink.tick(self.now))

    def submit(self, name: str, arguments: dict[str, bool | int | float | str] | None = None, **more: object) -> int:
        number, outcomes = self.uplink.submit(name, arguments or {}, "tester", self.now, **more)  # type: ignore[arg-type]
        self.take(outcomes)
        return number

    def states(self, number: int) -> list[str]:
        """The states a command went through, repetitions left out."""
        states = [u.state for u in self.outcomes if isinstance(u, CommandUpdate) and u.command == number]
        return [state for n, state in enumerate(states) if n == 0 or state != states[n - 1]]

    def last(self, number: int) -> CommandUpdate:
        return [u for u in self.outcomes if isinstance(u, CommandUpdate) and u.command == number][-1]

    def events(self) -> list[str]:
        return [o.name for o in self.outcomes if isinstance(o, EventMessage)]

    @property
    def status(self) -> UplinkStatus:
        return self.uplink.status(self.now)

"""Commands of the uplink: checked, encoded, sent over COP-1, and followed to their last report. Sans-I/O.

    submit ─▶ queue ─▶ FOP-1 ─▶ CLTU          (Transmission: to be written, then answered)
                         ▲
    CLCW ────────────────┘     reports of PUS service 1 ─▶ state of the command

Rules:
1. An invalid command is refused before anything is sent. A refusal is only counted.
2. "Sent" means that the link took it; only the spacecraft's own reports make a command ACCEPTED or COMPLETED.
3. When the AD service ends, the commands that wait are given up too: they must not arrive out of order, or later.
4. A spacecraft that is on hold sends nothing, so no CLCW. When one is needed and none comes, the uplink sends a PING
   of its own past the sequence control; its reports bring a CLCW with them.
5. A report may be lost on the way down. A command that changes nothing aboard is then sent again as a new one; any
   other only if that was asked for.
6. Every method returns what is to be sent and published, in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from groundstation.errors import CommandRefused
from groundstation.messages.base import Value
from groundstation.messages.commanding import TIMEOUTS_MS, CommandState, CommandUpdate, UplinkStatus
from groundstation.messages.wire import EventMessage, Telemetry
from groundstation.uplink.arming import Arming
from groundstation.uplink.command_tracker import CommandTracker, TrackedCommand
from groundstation.uplink.cop1 import CopService, directive_kind
from groundstation.uplink.cop1_messages import CopOutput, CopSettings, Delivered, Notice, Transmission, Undelivered
from protocols.ccsds.pus import request_id
from protocols.ccsds.space_packet import SEQUENCE_MODULO
from protocols.declare.commands import Command
from protocols.declare.dictionary import Dictionary
from protocols.errors import EncodeError
from protocols.units import NS_PER_MS, NS_PER_S
from protocols.words import Severity

DEFAULT_TIMEOUT = 10_000 * NS_PER_MS
REPEATS_MAX = 100
STATION = "station"
"""The sender of directives that no client requested."""

_VERIFICATION = 1
_TEST = 17
"""PUS services. The commands of the test service change nothing aboard."""

_REPORTS = (1, 2, 4, 6, 7, 8)
"""Subtypes of service 1: accepted, refused, failed at its start, failed in progress, completed, failed."""

_STATUS_EVERY = 1000 * NS_PER_MS

UplinkOutcome = Transmission | CommandUpdate | UplinkStatus | EventMessage


@dataclass(frozen=True, slots=True)
class UplinkSettings:
    """Bounds and times, in ns.

    Attributes:
        live: commands that may be under way.
        silence: a PING is sent after this time without a CLCW that is needed.
        report: a command's report is taken as lost this long after its delivery.
    """

    cop: CopSettings = field(default_factory=CopSettings)
    live: int = 32
    silence: int = 1200 * NS_PER_MS
    report: int = 1200 * NS_PER_MS


class Uplink:
    """The uplink of one spacecraft. Times in ns.

    Attributes:
        refused: requests that were refused; the caller that refuses one counts it.
    """

    def __init__(
        self, dictionary: Dictionary, settings: UplinkSettings | None = None, *, first_sequence: int = 0
    ) -> None:
        """Args: the mission, the settings, and the sequence count of the first telecommand.

        A station that was started again should not begin at the same count: old reports would match new commands.
        """
        self.refused = 0
        self._dictionary = dictionary
        self._settings = settings or UplinkSettings()
        self._cop = CopService(dictionary.scid, self._settings.cop)
        self._arming = Arming()
        self._out: list[UplinkOutcome] = []
        self._commands = CommandTracker(self._out.append)
        self._queues: dict[bool, deque[TrackedCommand]] = {False: deque(), True: deque()}
        self._sequence = first_sequence % SEQUENCE_MODULO
        self._transfers = 0
        self._ping = _find_ping(dictionary)
        self._probe: TrackedCommand | None = None
        self._waits_since = 0
        self._down: str | None = "the link is not open yet"
        self._published: UplinkStatus | None = None

    @property
    def deadline(self) -> int | None:
        """When `tick` is due, or None."""
        due = [self._cop.deadline, self._arming.until, self._silence_deadline()]
        for entry in self._commands.live:
            due += [entry.deadline, entry.report_due]
        times = [time for time in due if time is not None]
        return min(times) if times else None

    def submit(
        self,
        name: str,
        arguments: Mapping[str, Value],
        who: str,
        now: int,
        *,
        bypass: bool = False,
        timeout: int = DEFAULT_TIMEOUT,
        repeats: int | None = None,
    ) -> tuple[int, list[UplinkOutcome]]:
        """Request a command; its number and what follows.

        Args:
            name: as the dictionary has it.
            arguments: in their units, or as text.
            who: the client that requests it.
            now: the time.
            bypass: past the sequence control of COP-1.
            timeout: until it has to be completed.
            repeats: how often it may be sent again if no report comes; None: see rule 5.

        Raises:
            CommandRefused: it is invalid; nothing was sent.
        """
        command, values = self._checked(name, arguments)
        if not TIMEOUTS_MS.start * NS_PER_MS <= timeout < TIMEOUTS_MS.stop * NS_PER_MS:
            raise CommandRefused(f"a time-out of {timeout / NS_PER_S:g} s: the range is 0.1 … 3600 s")
        if repeats is None:
            repeats = REPEATS_MAX if _repeatable(command) else 0
        if not 0 <= repeats <= REPEATS_MAX:
            raise CommandRefused(f"{repeats} repeats: the range is 0 … {REPEATS_MAX}")
        self._check_allowed(command, bypass, now)
        if not bypass and self._cop.needs_clcw(now):
            self._send_probe(now)
        entry = self._enqueue(command, values, who, now, bypass, timeout, repeats)
        return entry.update.command, self._finish(now)

    def arm(self, seconds: float, who: str, now: int) -> list[UplinkOutcome]:
        """Allow critical commands for so long; 0 forbids them.

        Raises:
            CommandRefused: too long, or negative.
        """
        self._arming.arm(seconds, who, now)
        text = f"{who} allows critical commands for {seconds:g} s" if seconds else f"{who} disarms"
        self._publish_event("COMMAND", "ARMED" if seconds else "DISARMED", text, now)
        return self._finish(now)

    def directive(self, name: str, value: int | None, who: str, now: int) -> list[UplinkOutcome]:
        """Give FOP-1 a directive, by its name there.

        Raises:
            CommandRefused: no such directive, an invalid value, or FOP-1 rejects it now.
        """
        kind = directive_kind(name)
        if self._down is not None and (kind.startswith("INITIATE") or kind == "RESUME"):
            raise CommandRefused(f"nothing can be sent: {self._down}")
        outputs = self._cop.directive(name, value, now)
        self._waits_since = now
        given = "" if value is None else f" {value}"
        self._publish_event("COMMAND", "COP1_DIRECTIVE", f"{who}: {name.upper().replace('-', '_')}{given}", now)
        self._process(outputs, now)
        return self._finish(now)

    def link(self, up: bool, detail: str, now: int) -> list[UplinkOutcome]:
        """The link came, or went: then all that is under way is given up."""
        self._down = None if up else detail
        if not up:
            self._process(self._cop.link_down("the link went down", now), now)
            self._drop_queue(True, "the link went down", now)
            self._drop_queue(False, "the link went down", now)
        return self._finish(now)

    def ocf(self, data: bytes, now: int) -> list[UplinkOutcome]:
        """The operational control field of a good frame, of any virtual channel."""
        self._process(self._cop.ocf(data, now), now)
        return self._finish(now)

    def report(self, message: Telemetry, now: int) -> list[UplinkOutcome]:
        """A packet came; those of PUS service 1 speak of commands."""
        packet = self._dictionary.by_name.get(message.packet)
        if packet is None or packet.definition.service != _VERIFICATION or message.replay:
            return []
        request = message.values.get("request")
        entry = self._commands.of_request(request) if isinstance(request, int) else None
        if isinstance(request, int) and entry is not None and packet.definition.subtype in _REPORTS:
            self._commands.reported(entry, request, packet.definition.subtype, message.values, now)
            if not _wanted(entry):
                entry.report_due = None
        return self._finish(now)

    def command_of(self, transmission: Transmission) -> CommandUpdate | None:
        """The command that a transmission carries, as last published; None for control commands."""
        entry = self._of(transmission)
        return None if entry is None else entry.update

    def begin(self, transmission: Transmission) -> bool:
        """Whether a transmission is still to be written. To be asked right before; if so, it has to be answered."""
        return self._cop.begin(transmission)

    def written(self, transmission: Transmission, now: int) -> list[UplinkOutcome]:
        """The link took it."""
        entry = self._of(transmission)
        if entry is not None and transmission.transfer is not None:
            self._commands.sent(entry, transmission.transfer, now)
            if transmission.kind == "BD":
                self._expect_report(entry, now)
        self._process(self._cop.written(transmission, now), now)
        return self._finish(now)

    def unwritten(self, transmission: Transmission, reason: str, now: int) -> list[UplinkOutcome]:
        """The link did not take it."""
        entry = self._of(transmission)
        if entry is not None and entry.update.state == "QUEUED":
            self._commands.give_up(entry, "FAILED", f"not sent: {reason}", now)
        self._process(self._cop.unwritten(transmission, reason, now), now)
        return self._finish(now)

    def tick(self, now: int) -> list[UplinkOutcome]:
        """Time has passed."""
        self._process(self._cop.tick(now), now)
        if self._arming.expire(now):
            self._publish_event("COMMAND", "DISARMED", "the arming is over", now)
        for entry in self._commands.live:
            if now >= entry.deadline:
                self._time_out(entry, now)
            elif entry.report_due is not None and now >= entry.report_due:
                self._repeat(entry, now)
        silence = self._silence_deadline()
        if silence is not None and now >= silence:
            self._send_probe(now)
        return self._finish(now)

    def status(self, now: int) -> UplinkStatus:
        """The status of the uplink."""
        fop, clcw = self._cop.status(), self._cop.clcw
        return UplinkStatus(
            ert=now,
            cop=fop.state.name if fop.suspended is None else "SUSPENDED",
            vs=fop.vs,
            vr=None if clcw is None else clcw.report,
            clcw_ert=self._cop.heard,
            lockout=clcw is not None and clcw.lockout,
            wait=clcw is not None and clcw.wait,
            retransmit=clcw is not None and clcw.retransmit,
            unacknowledged=len(fop.sent),
            waiting=sum(map(len, self._queues.values())),
            refused=self.refused,
            armed_until=self._arming.until,
            armed_by=self._arming.who,
        )

    def _checked(self, name: str, arguments: Mapping[str, Value]) -> tuple[Command, dict[str, Value]]:
        """The command and its arguments as the spacecraft will read them."""
        try:
            command = self._dictionary.command(name)
            values = command.decode(command.encode(arguments))
        except EncodeError as error:
            raise CommandRefused(str(error)) from error
        return command, {name: each.hex() if isinstance(each, bytes) else each for name, each in values.items()}

    def _check_allowed(self, command: Command, bypass: bool, now: int) -> None:
        name = command.definition.name
        if command.definition.critical and not self._arming.armed(now):
            raise CommandRefused(f"{name} is critical: arm the station first (groundstation arm 30)")
        if self._down is not None:
            raise CommandRefused(f"{name} cannot be sent: {self._down}")
        if self._cop.locked_out and not bypass:
            raise CommandRefused(f"the spacecraft is in lockout: groundstation cop unlock, or send {name} --bypass")
        if len(self._commands.live) >= self._settings.live:
            raise CommandRefused(f"{self._settings.live} commands are under way already: wait for one to end")

    def _enqueue(
        self, command: Command, values: dict[str, Value], who: str, now: int, bypass: bool, timeout: int, repeats: int
    ) -> TrackedCommand:
        entry = self._commands.open(command, values, who, now, timeout=timeout, bypass=bypass, repeats=repeats)
        if not bypass:
            self._waits_since = now
        self._queues[bypass].append(entry)
        return entry

    def _pump(self, now: int) -> None:
        """Hand on what can be sent now."""
        if self._queues[False] and self._down is None:
            self._process(self._cop.start(now), now)
        for bypass in (True, False):
            queue = self._queues[bypass]
            while queue and self._cop.room(bypass=bypass):
                self._transfer(queue.popleft(), now)

    def _transfer(self, entry: TrackedCommand, now: int) -> None:
        if not _wanted(entry):
            return
        if entry.command.definition.critical and not self._arming.armed(now):
            self._give_up_unsent(entry, "the arming was over before its turn came", now)
            return
        packet = entry.command.packet(self._sequence, entry.values)
        self._sequence = (self._sequence + 1) % SEQUENCE_MODULO
        self._transfers += 1
        entry.transfers.append(self._transfers)
        entry.requests.append(request_id(packet))
        self._process(self._cop.transfer(self._transfers, packet, now, bypass=entry.update.bypass), now)

    def _process(self, outputs: list[CopOutput], now: int) -> None:
        for output in outputs:
            if isinstance(output, Transmission):
                self._out.append(output)
            elif isinstance(output, Notice):
                self._publish_event(output.severity, output.name, output.text, now)
                if output.ended:
                    self._drop_queue(False, output.text, now)
            else:
                self._delivery(output, now)

    def _delivery(self, output: Delivered | Undelivered, now: int) -> None:
        entry = self._commands.of_transfer(output.transfer)
        if entry is None:
            return
        if isinstance(output, Delivered):
            self._commands.delivered(entry, output.transfer, now)
            self._expect_report(entry, now)
        elif entry.update.state == "QUEUED":
            words = f"{output.reason}; it may have been sent" if output.begun else f"not sent: {output.reason}"
            self._commands.give_up(entry, "FAILED", words, now)
        elif entry.update.state == "SENT" and output.transfer == entry.transfers[-1]:
            state: CommandState = "TIMEOUT" if output.silent else "FAILED"
            self._commands.give_up(entry, state, f"{output.reason}; it may have arrived", now)

    def _drop_queue(self, bypass: bool, reason: str, now: int) -> None:
        queue = self._queues[bypass]
        while queue:
            self._give_up_unsent(queue.popleft(), reason, now)

    def _give_up_unsent(self, entry: TrackedCommand, reason: str, now: int) -> None:
        """One that has been sent before, and should have been sent again, still may be reported."""
        if not entry.requests:
            self._commands.give_up(entry, "FAILED", f"not sent: {reason}", now)

    def _time_out(self, entry: TrackedCommand, now: int) -> None:
        update = entry.update
        if entry in self._queues[update.bypass] and not entry.requests:
            detail = f"not sent: {self._cop.obstacle(now)}"
        elif update.state == "ACCEPTED":
            detail = "accepted, but no report of its completion came"
        elif update.delivered:
            detail = "it arrived, says the CLCW, but no report of it came"
        else:
            detail = "no CLCW and no report speaks of it; it may have arrived"
        self._commands.give_up(entry, "TIMEOUT", detail, now)
        if entry in self._queues[update.bypass]:
            self._queues[update.bypass].remove(entry)

    def _expect_report(self, entry: TrackedCommand, now: int) -> None:
        """It arrived, and may have to be sent again."""
        if _wanted(entry):
            entry.report_due = now + self._settings.report

    def _repeat(self, entry: TrackedCommand, now: int) -> None:
        entry.report_due = None
        if entry.repeats:
            entry.repeats -= 1
            self._queues[entry.update.bypass].append(entry)

    def _silence_deadline(self) -> int | None:
        """When a CLCW that is needed has been missing for too long."""
        probing = self._probe is not None and not self._probe.over
        if probing or self._ping is None or self._down is not None:
            return None
        if not self._cop.outstanding and (self._cop.locked_out or not self._queues[False]):
            return None
        return max(self._waits_since, self._cop.heard or 0) + self._settings.silence

    def _send_probe(self, now: int) -> None:
        if self._ping is not None and (self._probe is None or self._probe.over):
            self._probe = self._enqueue(self._ping, {}, STATION, now, True, DEFAULT_TIMEOUT, REPEATS_MAX)

    def _of(self, transmission: Transmission) -> TrackedCommand | None:
        return None if transmission.transfer is None else self._commands.of_transfer(transmission.transfer)

    def _publish_event(self, severity: Severity, name: str, text: str, now: int) -> None:
        self._out.append(EventMessage(severity=severity, source="STATION", name=name, text=text, ert=now))

    def _finish(self, now: int) -> list[UplinkOutcome]:
        """What is to be sent and published now: all outcomes so far, and the status if it changed."""
        self._pump(now)
        status, published = self.status(now), self._published
        if published is None or _changed(status, published) or status.ert - published.ert >= _STATUS_EVERY:
            self._published = status
            self._out.append(status)
        out = list(self._out)
        self._out.clear()
        return out


def _changed(status: UplinkStatus, published: UplinkStatus) -> bool:
    return msgspec.structs.replace(status, ert=published.ert, clcw_ert=published.clcw_ert) != published


def _repeatable(command: Command) -> bool:
    """It changes nothing aboard, however often it is carried out."""
    return command.definition.service == _TEST


def _wanted(entry: TrackedCommand) -> bool:
    """It may go up, for the first time or again. What was accepted need not, unless it changes nothing aboard."""
    return not entry.over and (entry.update.state != "ACCEPTED" or _repeatable(entry.command))


def _find_ping(dictionary: Dictionary) -> Command | None:
    """The command of the test service that asks for nothing but an answer."""
    commands = dictionary.command_by_name.values()
    return next((c for c in commands if c.definition.service == _TEST and not c.arguments), None)

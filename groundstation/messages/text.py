"""A station's messages as lines of text: for pipes, for screen readers, for logs and for rigs.

`plain_line` writes for people and stays within ASCII; `json_line` writes everything, one object a line.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

from groundstation.formats.counted import counted
from groundstation.formats.json_encoding import encode_json, word_of
from groundstation.formats.printable import printable
from groundstation.messages.base import Value
from groundstation.messages.commanding import CommandUpdate
from groundstation.messages.lost_text import frames_lost
from groundstation.messages.wire import (
    LATE_NS,
    Acknowledgement,
    AnyMessage,
    ContactChange,
    EventMessage,
    Lag,
    LinkStatus,
    LossStatus,
    LosVerdict,
    Refusal,
    Snapshot,
    Telemetry,
    Transport,
)
from protocols.units import NS_PER_MS, NS_PER_S

TELEMETRY_EVERY_NS = NS_PER_S
_TRANSPORTS = get_args(Transport)
"""How the station names its events of the link."""


def json_line(message: AnyMessage) -> str:
    """One JSON object on one line, without its newline."""
    return encode_json(message, times=True).decode()


def plain_line(message: AnyMessage) -> str | None:
    """One line for a person, or None for what only machines need (heartbeats, requests)."""
    if isinstance(message, Telemetry):
        line = _telemetry(message)
    elif isinstance(message, ContactChange):
        line = _contact(message)
    elif isinstance(message, EventMessage):
        line = _event(message)
    elif isinstance(message, Snapshot):
        line = _station(message)
    elif isinstance(message, CommandUpdate):
        line = command_line(message)
    elif isinstance(message, Refusal):
        line = f"REFUSED {message.text}"
    elif isinstance(message, LinkStatus):
        line = f"ERT {utc(message.ert)} LINK {message.transport}: {message.detail}"
    elif isinstance(message, Acknowledgement):
        losses = ", ".join(f"{loss.channel} LOS of ERT {utc(loss.declared_ert)}" for loss in message.losses)
        line = f"ERT {utc(message.ert)} ACKNOWLEDGED {losses} by {message.who}"
    elif isinstance(message, Lag):
        line = _lag(message)
    else:
        return None
    mark = "REPLAY " if getattr(message, "replay", False) else ""
    return _ascii(mark + line)


def alarm_lines(snapshot: Snapshot) -> list[str]:
    """What is open when a viewer joins: losses that last or are not acknowledged, values beyond their limits."""
    if snapshot.replay:
        return []
    lines = [_open_loss(loss) for loss in snapshot.losses if loss.regained is None or loss.acknowledged is None]
    for packet in snapshot.telemetry:
        for name, limit in packet.limits.items():
            lines.append(f"{utc(packet.scet)} OPEN {packet.packet}.{name} {limit}: {packet.values.get(name)}")
    return [_ascii(line) for line in lines]


def _open_loss(loss: LossStatus) -> str:
    state = "lasts" if loss.regained is None else f"ended ERT {utc(loss.regained.ert)}"
    seen = "not acknowledged" if loss.acknowledged is None else f"acknowledged by {loss.acknowledged.who}"
    return f"ERT {utc(loss.verdict.declared_ert)} OPEN {loss.channel} LOS, {state}, {seen}: {_verdict(loss.verdict)}"


def _ascii(line: str) -> str:
    return printable(" ".join(line.split())).encode("ascii", "backslashreplace").decode()


class PlainLines:
    """`plain_line` with telemetry thinned to one line a packet and second, and the link only when it has news.

    The station has an event for every change of the link; what no event has said here is read off its status.
    """

    def __init__(self) -> None:
        self._next: dict[str, int] = {}
        self._link: tuple[str, str] | None = None

    def line(self, message: AnyMessage) -> str | None:
        """The message's line, or None if nothing is due."""
        if isinstance(message, Telemetry) and not self._due(message):
            return None
        if isinstance(message, LinkStatus) and not self._is_news(message):
            return None
        if isinstance(message, Snapshot):
            self._link = _state(message.link)
        elif isinstance(message, EventMessage) and message.name in _TRANSPORTS:
            self._link = message.name, message.text
        return plain_line(message)

    def _is_news(self, link: LinkStatus) -> bool:
        """Whether the link changed. A replay's does with every key; at first that it is connected is not a change."""
        before, self._link = self._link, _state(link)
        usual = before is None and link.transport == "CONNECTED"
        return not (link.replay or usual or before == self._link)

    def _due(self, message: Telemetry) -> bool:
        second = message.ert // TELEMETRY_EVERY_NS
        if self._next.get(message.packet) == second:
            return False
        self._next[message.packet] = second
        return True


def utc(nanoseconds: int, decimals: int = 1) -> str:
    """``HH:MM:SS.t``, truncated: a clock never shows a tenth that has not begun."""
    seconds, rest = divmod(nanoseconds, NS_PER_S)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S")
    return f"{text}.{rest // 10 ** (9 - decimals):0{decimals}d}" if decimals else text


def utc_day(nanoseconds: int) -> str:
    """``YYYY-MM-DD``."""
    return datetime.fromtimestamp(nanoseconds // NS_PER_S, UTC).strftime("%Y-%m-%d")


def _telemetry(message: Telemetry) -> str:
    fields = " ".join(f"{name}={_value(message, name, value)}" for name, value in message.values.items())
    return f"{'ERT ' if message.untimed else ''}{utc(message.scet)} TM {message.packet} {fields}"


def _station(message: Snapshot) -> str:
    link = message.link
    line = f"station {message.station} pid {message.pid}: {message.mission}, link {link.url}"
    return line if link.replay or link.transport == "CONNECTED" else f"{line}, {link.transport}: {link.detail}"


def _lag(lag: Lag) -> str:
    missed = f", {counted(lag.missed, 'message')} missed so far" if lag.missed else ""
    if lag.behind_ms * NS_PER_MS < LATE_NS:
        return f"VIEWER live again{missed}"
    return f"VIEWER what follows is {lag.behind_ms / 1000:.1f} s behind the station{missed}"


def _state(link: LinkStatus) -> tuple[str, str]:
    return link.transport, link.detail


def number_text(value: Value) -> str:
    """A value in a line: as many digits as it was rounded to, and no more than 12."""
    if isinstance(value, float):
        return word_of(value) or f"{value:.12g}"
    return str(value)


def _value(message: Telemetry, name: str, value: Value | None) -> str:
    if value is None or name in message.invalid:
        return "-"
    text = number_text(value)
    bad = message.bad.get(name) if message.bad else None
    if bad is not None:
        text += f"~{bad.quality}({bad.reason})"
    limit = message.limits.get(name)
    return f"{text}!{limit}" if limit else text


def _event(message: EventMessage) -> str:
    time = utc(message.scet) if message.scet is not None else f"ERT {utc(message.ert)}"
    return f"{time} {message.severity} {message.source} {message.name} {message.text}"


def command_line(message: CommandUpdate) -> str:
    """A command's state: who wanted what, how far it is and what is known besides."""
    given = "".join(f" {name}={_typed(value)}" for name, value in message.arguments.items())
    line = f"ERT {utc(message.ert)} COMMAND {message.command} {message.name}{given} by {message.who}: {message.state}"
    if message.attempt > 1:
        line += f" attempt {message.attempt}"
    if message.delivered and message.state in ("QUEUED", "SENT"):
        line += " (arrived)"
    if message.tick is not None:
        line += f" at tick {message.tick}"
    return f"{line}: {message.detail}" if message.detail else line


def _typed(value: Value) -> Value:
    """An argument as a person types it."""
    return ("off", "on")[value] if isinstance(value, bool) else value


def _contact(message: ContactChange) -> str:
    line = f"ERT {utc(message.ert)} CONTACT {message.channel} {message.previous} > {message.state}"
    if message.revised:
        line += " (revised)"
    if message.verdict is not None:
        line += f" {_verdict(message.verdict)}"
    if message.outage_ms is not None:
        line += f" outage {message.outage_ms} ms, {frames_lost(message.outage_lost, message.outage_lost_certainty)}"
    if message.restarted:
        line += ": it restarted"
    return line


def _verdict(verdict: LosVerdict) -> str:
    line = f"cause {verdict.cause}: {verdict.evidence};"
    if verdict.last_scet is not None:
        line += f" last frame {verdict.last_vcfc} at {utc(verdict.last_scet)};"
    if verdict.planned_scet is not None and verdict.planned_error_ms is not None:
        line += f" planned {utc(verdict.planned_scet)}, {verdict.planned_error_ms:+d} ms off"
    return line.rstrip(";")

"""Rows of the command screen: the commands, their arguments, the state of the uplink, the history of commands."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from groundstation.formats.counted import counted
from groundstation.messages.commanding import CommandInfo, CommandState, CommandUpdate, UplinkStatus
from groundstation.messages.text import utc
from groundstation.tui.drawing.glyphs import Glyphs
from groundstation.tui.drawing.spans import Row, Span, Tone, fit, left, right, width_of
from groundstation.tui.entry import STATION_ORDERS
from groundstation.tui.panels.rows import View, age_text, aged, clamp_offset, title, whole_seconds
from groundstation.viewer.command_history import CommandTrack

UPLINK_ROWS = 5
_LABEL = 10
_WIDE = 110
_TONES: dict[CommandState, Tone] = {
    "QUEUED": "dim",
    "SENT": "info",
    "ACCEPTED": "bright",
    "COMPLETED": "good",
    "FAILED": "critical",
    "TIMEOUT": "warning",
}


def known_commands(view: View) -> list[CommandInfo]:
    """All that can be ordered: from the spacecraft, then from the station."""
    snapshot = view.model.snapshot
    return [*(snapshot.known_commands if snapshot else ()), *STATION_ORDERS]


def command_list(view: View, found: Sequence[CommandInfo], chosen: int, width: int, height: int) -> list[Row]:
    """The commands that may be meant; the chosen one is marked and always seen."""
    rows = [title("COMMANDS", width, view.glyphs, f"{len(found)}")]
    room = max(0, height - 1)
    start = clamp_offset(max(0, chosen - room + 1), len(found), room)
    for index, info in enumerate(found[start : start + room], start):
        mark = (">" if index == chosen else " ") + ("!" if info.critical else " ")
        tone: Tone = "key" if index == chosen else "warning" if info.critical else "text"
        rows.append(fit((Span(f"{mark} {view.glyphs.text(info.name)}", tone),), width, tone))
    if not found:
        rows.append(fit((Span(" none of that name", "dim"),), width))
    return rows + [fit((), width)] * (height - len(rows))


def command_help(view: View, info: CommandInfo | None, width: int, height: int) -> list[Row]:
    """One command: what it does, what it takes, and whether it is allowed now."""
    if info is None:
        return [title("HELP", width, view.glyphs)] + [fit((), width)] * (height - 1)
    glyphs = view.glyphs
    rows = [title(info.name, width, glyphs), *_wrapped(glyphs.text(info.description), width, "text")]
    if info.critical:
        rows.append(fit((Span(f" critical, {_armed_words(view)}", "warning"),), width))
    for argument in info.arguments:
        rows += _wrapped(glyphs.text(f"{argument.name}: {argument.range_text}"), width, "bright")
        rows += _wrapped(glyphs.text(argument.description), width, "dim", indent=3) if argument.description else []
    return (rows + [fit((), width)] * height)[:height]


def _armed_words(view: View) -> str:
    if view.model.gone_ns(view.now) is not None:
        return "and the station is gone"
    armed = view.model.armed_ns(view.now)
    return "not armed: type  arm 30" if armed is None else f"armed for {whole_seconds(armed)}"


def uplink(view: View, width: int) -> list[Row]:
    """COP-1, its last CLCW, the queue and the arming: always `UPLINK_ROWS` rows."""
    gone = view.model.gone_ns(view.now)
    note = "" if gone is None else f"station gone {age_text(gone)}"
    rows: list[Row] = [title("UPLINK", width, view.glyphs, note)]
    status = view.model.commanding.uplink
    if view.model.replay:
        rows.append((Span(" REPLAY: a recording takes no commands", "badge_warn"),))
    elif status is None:
        rows.append((Span(" no uplink status received", "dim"),))
    else:
        rows += [_cop(status), _clcw(view, status), _queue(status), _arming(view, status)]
    return [fit(aged(row, view), width) for row in rows] + [fit((), width)] * (UPLINK_ROWS - len(rows))


def history(view: View, width: int, height: int, above: int = 0) -> list[Row]:
    """All clients' commands, the newest at the bottom; ``above`` scrolls back by so many rows."""
    commanding = view.model.commanding
    body = [row for track in commanding.tracks for row in history_rows(track, width, view.glyphs)]
    room = max(0, height - 1)
    end = len(body) - clamp_offset(above, len(body), room)
    notes = [f"{commanding.dropped} older dropped"] if commanding.dropped else []
    notes += [f"{len(body) - end} rows below"] if end < len(body) else []
    rows = [title("HISTORY", width, view.glyphs, ", ".join(notes)), *body[max(0, end - room) : end]]
    if not body and room:
        rows.append(fit((Span(" no commands yet", "dim"),), width))
    return rows + [fit((), width)] * (height - len(rows))


def history_length(view: View, width: int) -> int:
    """How many rows the whole history has."""
    return sum(len(history_rows(track, width, view.glyphs)) for track in view.model.commanding.tracks)


def history_rows(track: CommandTrack, width: int, glyphs: Glyphs) -> list[Row]:
    """Number, time of the last news, command, who ordered it, and how far it is; a long note has a row of its own."""
    news, wide = track.news, width >= _WIDE
    given = "".join(f" {name}={value}" for name, value in news.arguments.items())
    mark = "!" if news.critical else " "
    spans = (
        Span(f"{right(str(news.command), 4)} ", "dim"),
        Span(f"{utc(news.ert, 1 if wide else 0)} ", "dim"),
        Span(f"{left(glyphs.text(f'{mark}{news.name}{given}'), 32 if wide else 23)} ", "text"),
        Span(f"{left(glyphs.text(news.who), 20 if wide else 12)} ", "dim"),
        *(_path(track, glyphs) if wide else [Span(left(news.state, 9), _TONES[news.state])]),
    )
    text = glyphs.text(state_note(news))
    note = (Span(f" {text}", "dim"),) if text else ()
    if width_of((*spans, *note)) <= width:
        return [fit((*spans, *note), width)]
    tone: Tone = "caution" if news.state in ("FAILED", "TIMEOUT") else "dim"
    return [fit(spans, width), fit((Span(f"{'':6}{text}", tone),), width)]


def state_note(news: CommandUpdate) -> str:
    """What the state means and what is known besides: what was sent is not acknowledged by that."""
    note = "" if news.tick is None else f"tick {news.tick}"
    if news.state in ("QUEUED", "SENT") and news.delivered:
        note = "arrived, no report"
    elif news.state == "SENT":
        note = "not acknowledged"
    if news.attempt > 1:
        note += f", attempt {news.attempt}" if note else f"attempt {news.attempt}"
    return (f"{note}, {news.detail}" if note else news.detail) if news.detail else note


def _path(track: CommandTrack, glyphs: Glyphs) -> list[Span]:
    """The states it was seen in, one after the other."""
    spans: list[Span] = []
    for index, (state, _) in enumerate(track.states):
        last = index == len(track.states) - 1
        spans += [Span(f" {glyphs.arrow} ", "rule")] if index else []
        spans.append(Span(state if last else state.capitalize(), _TONES[state] if last else "dim"))
    return spans


def _label(text: str) -> Span:
    return Span(left(f" {text}", _LABEL), "dim")


def _cop(status: UplinkStatus) -> Row:
    if status.lockout:
        return (
            _label("COP-1"),
            Span(" LOCKOUT ", "badge_alarm"),
            Span(" commands rejected: type  unlock", "warning"),
        )
    tone: Tone = "good" if status.cop == "ACTIVE" else "caution" if status.cop != "INITIAL" else "dim"
    words = status.cop.replace("_", " ")
    return (
        _label("COP-1"),
        Span(words, tone),
        Span(f"  V(S) {status.vs}, {status.unacknowledged} not acknowledged", "text"),
    )


def _clcw(view: View, status: UplinkStatus) -> Row:
    age = view.model.commanding.clcw_age(view.now)
    if age is None:
        return (_label("CLCW"), Span("none yet", "dim"))
    flags = [name.upper() for name in ("lockout", "wait", "retransmit") if getattr(status, name)]
    return (
        _label("CLCW"),
        Span(f"V(R) {status.vr}  ", "text"),
        Span(", ".join(flags) or "no flag", "warning" if flags else "dim"),
        Span(f"  {age_text(age)} old", "dim"),
    )


def _queue(status: UplinkStatus) -> Row:
    refused = Span(f", {counted(status.refused, 'request')} rejected", "caution" if status.refused else "dim")
    return (_label("Queue"), Span(f"{status.waiting} waiting", "text"), refused)


def _arming(view: View, status: UplinkStatus) -> Row:
    if view.model.gone_ns(view.now) is not None:
        return (_label("Critical"), Span("UNKNOWN", "stale"))
    armed = view.model.armed_ns(view.now)
    if armed is None:
        return (_label("Critical"), Span("not armed", "dim"))
    return (
        _label("Critical"),
        Span(f" ARMED {whole_seconds(armed)} ", "badge_warn"),
        Span(f" by {view.glyphs.text(status.armed_by)}", "dim"),
    )


def _wrapped(text: str, width: int, tone: Tone, indent: int = 1) -> list[Row]:
    """Text over as many rows as it needs."""
    lines = textwrap.wrap(text, max(8, width - 1), initial_indent=" " * indent, subsequent_indent=" " * 3)
    return [fit((Span(line, tone),), width) for line in lines]

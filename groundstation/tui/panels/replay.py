"""A replay on the screen: the bar that says where it stands, its keys, and the order that each of them gives."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from pathlib import PurePath

from groundstation.messages.text import utc
from groundstation.messages.wire import PlaybackStatus, ReplayControl
from groundstation.tui.drawing.glyphs import Glyphs
from groundstation.tui.drawing.spans import Row, Span, fit, merge, width_of
from groundstation.tui.panels.rows import View

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 20.0, 50.0, 100.0, 300.0, 1000.0)
_NAMED_FROM = 100

KEYS = (
    ("?", "Help"),
    ("space", "Play"),
    ("{}()", "10/60"),
    ("[]", "Step"),
    ("<>", "Speed"),
    ("n", "Evt"),
    ("L", "LOS"),
    ("g", "UTC"),
    ("q", "Quit"),
    ("p", "Plots"),
    ("y", "Copy"),
    ("s", "SVG"),
)
"""For the footer: what matters most comes first, for a narrow one leaves out the last."""

BINDINGS = (
    ("left_curly_bracket,left", "skip(-10)", "10 s back"),
    ("right_curly_bracket,right", "skip(10)", "10 s on"),
    ("left_parenthesis,shift+left", "skip(-60)", "60 s back"),
    ("right_parenthesis,shift+right", "skip(60)", "60 s on"),
    ("left_square_bracket", "step(-1)", "Frame back"),
    ("right_square_bracket", "step(1)", "Frame on"),
    ("less_than_sign", "speed(-1)", "Slower"),
    ("greater_than_sign", "speed(1)", "Faster"),
    ("n", "move('next')", "Next event"),
    ("N", "move('previous')", "Previous event"),
    ("L", "move('loss')", "Next loss"),
    ("g", "go", "Go to UTC"),
)
"""Keys, action and name: bound by the application."""


def faster(speed: float, steps: int) -> float:
    """The speed so many steps of `SPEEDS` above ``speed``, or below if negative; at the ends it stays."""
    place = bisect_right(SPEEDS, speed) - 1 + steps if steps > 0 else bisect_left(SPEEDS, speed) + steps
    return SPEEDS[min(max(place, 0), len(SPEEDS) - 1)]


def pause_or_play(playback: PlaybackStatus) -> ReplayControl:
    """The order of the space bar."""
    return ReplayControl(action="play" if playback.paused else "pause")


def replay_bar(view: View, width: int) -> list[Row]:
    """One row while a replay is shown, none otherwise: how it plays, where it stands, where it ends."""
    playback = view.model.playback
    if playback is None:
        return [fit((Span(" REPLAY ", "badge_warn"),), width)] if view.model.replay else []
    at = view.model.pass_time(view.now)
    state = _state(playback) if view.model.gone_ns(view.now) is None else "GONE"
    start = (Span(" REPLAY ", "badge_warn"), Span(f" {state} ", "bright"), Span(f"ERT {utc(at)} ", "text"))
    end: Row = (Span(f" {utc(playback.last, 0)} ", "dim"),)
    if width >= _NAMED_FROM:
        end = (*end, Span(f"{view.glyphs.text(PurePath(playback.recording).name)} ", "dim"))
    room = max(0, width - width_of(start) - width_of(end))
    return [fit((*start, *_track(playback, at, room, view.glyphs), *end), width)]


def _state(playback: PlaybackStatus) -> str:
    word = "END" if playback.ended else "PAUSED" if playback.paused else "PLAY"
    return f"{word} {playback.speed:g}x"


def _track(playback: PlaybackStatus, at: int, width: int, glyphs: Glyphs) -> Row:
    share = (at - playback.first) / max(1, playback.last - playback.first)
    here = max(0, min(width - 1, round(share * (width - 1))))
    return merge(
        [
            Span(glyphs.passed * here, "caution"),
            Span(glyphs.here if width else "", "now"),
            Span(glyphs.ahead * (width - here - 1), "rule"),
        ]
    )

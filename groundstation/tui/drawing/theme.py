"""Tones to styles: a dark palette, and one without colours (NO_COLOR), where badges rely on reverse video."""

from __future__ import annotations

from rich.style import Style

from groundstation.tui.drawing.spans import Tone

BACKGROUND = "#0e1116"
_ALARM = "#7a0019"
_BANNER = "#2b0d15"

COLOUR: dict[Tone, Style] = {
    "text": Style(color="#c9d1d9"),
    "bright": Style(color="#ffffff", bold=True),
    "dim": Style(color="#768390"),
    "rule": Style(color="#39424e"),
    "title": Style(color="#8cb4ff", bold=True),
    "good": Style(color="#4cc38a"),
    "info": Style(color="#56b4e9"),
    "caution": Style(color="#f0e442"),
    "warning": Style(color="#e69f00", bold=True),
    "critical": Style(color="#ffffff", bgcolor=_ALARM, bold=True),
    "stale": Style(color="#56b4e9", italic=True),
    "doubt": Style(color="#d2a8ff", italic=True),
    "alarm": Style(color="#f3d6dc", bgcolor=_BANNER),
    "alarm_title": Style(color="#ffffff", bgcolor=_ALARM, bold=True),
    "badge": Style(color="#c9d1d9", bgcolor="#222a35"),
    "badge_good": Style(color="#06140d", bgcolor="#4cc38a", bold=True),
    "badge_alarm": Style(color="#ffffff", bgcolor=_ALARM, bold=True),
    "badge_warn": Style(color="#1a1200", bgcolor="#e69f00", bold=True),
    "badge_stale": Style(color="#04121b", bgcolor="#56b4e9", bold=True),
    "key": Style(color="#ffffff", bgcolor="#222a35", bold=True),
    "plot_a": Style(color="#7ee2b8"),
    "plot_b": Style(color="#8cb4ff"),
    "now": Style(color="#ffffff", bold=True),
}  # fmt: skip

_REPLAY: dict[Tone, Style] = {"rule": Style(color="#e69f00"), "title": Style(color="#e69f00", bold=True)}

_REVERSED: frozenset[Tone] = frozenset(
    {"critical", "alarm_title", "badge", "badge_good", "badge_alarm", "badge_warn", "badge_stale", "key"}
)
_STRONG: frozenset[Tone] = frozenset({"bright", "title", "warning", "caution", "now"})
_FAINT: frozenset[Tone] = frozenset({"dim", "rule"})


def styles(*, colour: bool, replay: bool = False) -> dict[Tone, Style]:
    """The style of every tone, background included: strips do not inherit one. Replays have other borders."""
    if colour:
        base = Style(bgcolor=BACKGROUND)
        table = COLOUR | _REPLAY if replay else COLOUR
        return {tone: base + style for tone, style in table.items()}
    return {tone: _monochrome(tone) for tone in COLOUR}


def _monochrome(tone: Tone) -> Style:
    return Style(
        reverse=tone in _REVERSED,
        bold=tone in _STRONG or tone in _REVERSED,
        dim=tone in _FAINT,
        italic=tone in ("stale", "doubt"),
    )

"""The header's badges: which there are, and what remains of them where it is narrow.

Three rules, each for a screen that once lied by omission:

- A badge is data: a rank, and what it says in less and less room. `badges` lists them; `header` fits them.
- Rank decides which yields. First every piece goes to its short form, the least important first; then to its least
  form, in the same order. So the name of the mission goes before a loss of signal loses a letter.
- What has a least form never vanishes in 20 columns or more: a loss, a station that is gone, a screen that is late or
  held, an armed station, a lockout, a recording that failed, a replay. What is not known while the station is gone is
  not said: whether it is armed, locked out or records.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from groundstation.messages.wire import ChannelStatus
from groundstation.tui.drawing.spans import Tone
from groundstation.tui.panels.rows import View, age_text, signal_glyph, whole_seconds
from groundstation.viewer.model import ShownSignal


class Rank(IntEnum):
    """Which yields: the highest first. Those up to `LAST_THAT_STAYS` never vanish."""

    LOS = 0
    GONE = 1
    LATE = 2
    HELD = 3
    ARMED = 4
    LOCKOUT = 5
    RECORDING = 6
    REPLAY = 7
    UNKNOWN = 8
    DEGRADED = 9
    RESTARTED = 10
    ACQUIRING = 11
    NO_SIGNAL = 12
    LOCKED = 13
    BEAT = 14
    CLOCK = 15
    LIVE = 16
    NAME = 17
    ELAPSED = 18


LAST_THAT_STAYS = Rank.REPLAY


@dataclass(frozen=True, slots=True)
class Badge:
    """One badge. ``least`` is its last form, which two badges may share; without one it vanishes where it is narrow."""

    rank: Rank
    long: str
    short: str
    tone: Tone
    least: str = ""


_TONES: dict[ShownSignal, Tone] = {
    "LOCKED": "badge_good",
    "DEGRADED": "badge_warn",
    "ACQUIRING": "badge_warn",
    "NO_SIGNAL": "badge",
    "LOS": "badge_alarm",
    "UNKNOWN": "badge_stale",
}
_WORDS: dict[ShownSignal, tuple[str, str]] = {
    "LOCKED": ("LOCK", "LOCK"),
    "DEGRADED": ("DEGRADED", "DEG"),
    "ACQUIRING": ("ACQ", "ACQ"),
    "NO_SIGNAL": ("NONE", "NONE"),
    "LOS": ("LOS", "LOS"),
    "UNKNOWN": ("UNKNOWN", "?"),
}


def badges(view: View) -> list[Badge]:
    """All that there is to say, from left to right."""
    model = view.model
    gone = model.gone_ns(view.now)
    found = _age(view, gone)
    if view.held_ns is not None:
        found.append(Badge(Rank.HELD, "HELD", "HELD", "badge_stale", "HELD"))
    found += _commanding(view) if gone is None else []
    if model.link is not None and not model.link.recording_ok and gone is None:
        found.append(Badge(Rank.RECORDING, "REC FAIL", "REC!", "badge_alarm", "REC"))
    found += [_channel(view, vcid, channel) for vcid, channel in sorted(model.channels.items())]
    if not model.channels:
        found.append(_signal(view, model.signal(None, view.now), "LINK"))
    return found


def _age(view: View, gone: int | None) -> list[Badge]:
    """That the station is gone or was started again, or that what is shown is late."""
    model = view.model
    if gone is not None:
        age = age_text(gone)
        return [Badge(Rank.GONE, f"STATION GONE {age}", f"GONE {age}", "badge_stale", "GONE")]
    found: list[Badge] = []
    if model.is_late(view.now):
        lag = age_text(model.behind_ns(view.now))
        found.append(Badge(Rank.LATE, f"LAG {lag}", f"LAG {lag}", "badge_stale", "LAG"))
    restarted = model.restarted_ns(view.now)
    if restarted is not None:
        found.append(Badge(Rank.RESTARTED, f"RESTARTED {age_text(restarted)}", "RESTARTED", "badge_warn"))
    return found


def _commanding(view: View) -> list[Badge]:
    """That critical commands are allowed, and that the spacecraft takes none, is seen on every screen."""
    commanding = view.model.commanding
    found: list[Badge] = []
    armed = view.model.armed_ns(view.now)
    if armed is not None:
        left = whole_seconds(armed)
        found.append(Badge(Rank.ARMED, f"ARMED {left}", f"ARM {left}", "badge_warn", "ARM"))
    if commanding.uplink is not None and commanding.uplink.lockout:
        found.append(Badge(Rank.LOCKOUT, "LOCKOUT", "LOCKOUT", "badge_alarm", "LKO"))
    return found


def _channel(view: View, vcid: int, channel: ChannelStatus) -> Badge:
    loss = view.model.losses.get(vcid)
    age = "" if loss is None or loss.regained else age_text(view.model.age(loss.since, view.now))
    return _signal(view, view.model.signal(vcid, view.now), channel.name, age)


def _signal(view: View, signal: ShownSignal, name: str, age: str = "") -> Badge:
    start = f"{signal_glyph(signal, view)} {view.glyphs.text(name)}"
    long, short = _WORDS[signal]
    aged = f" {age}" if age else ""
    least = "UNK" if signal == "UNKNOWN" else short
    tone = _TONES[signal]
    if tone == "badge_good" and not view.model.is_current(view.now):
        tone = "badge_stale"
    return Badge(Rank[signal], f"{start} {long}{aged}", f"{start} {short}", tone, least)

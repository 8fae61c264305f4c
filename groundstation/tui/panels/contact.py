"""Rows of the contact panel: transport, channels, frames, the byte conservation law, display gaps, recording."""

from __future__ import annotations

from rich.cells import cell_len

from groundstation.messages.lost_text import lost_short
from groundstation.messages.text import utc
from groundstation.messages.wire import ChannelStatus, Counters, LinkStatus
from groundstation.tui.drawing.glyphs import Glyphs
from groundstation.tui.drawing.spans import Row, Span, Tone, fit, left, right, width_of
from groundstation.tui.panels.banner import outage_words, plan_words
from groundstation.tui.panels.rows import View, age_text, aged, signal_glyph, signal_tone, title
from groundstation.tui.views.relays import link_rows
from groundstation.viewer.model import ShownSignal

_LABEL = 10
_NARROW = 30
_SHORT: dict[ShownSignal, str] = {
    "LOCKED": "LOCK",
    "DEGRADED": "DEGR",
    "ACQUIRING": "ACQ",
    "NO_SIGNAL": "NONE",
    "UNKNOWN": "UNKN",
}


def contact(view: View, width: int) -> list[Row]:
    """The whole panel; its height depends on the channels and on the width."""
    link, glyphs = view.model.link, view.glyphs
    rows = [title("CONTACT", width, glyphs, _since(view))]
    if link is None:
        return [*rows, fit((Span(" waiting for a station", "dim"),), width)]
    rows += [_transport(view, link), _sync(view, link, width)]
    rows += [_channel(view, channel, width) for _, channel in sorted(view.model.channels.items())]
    rows += link_rows(view)
    rows += loss_rows(view)
    rows += [*_frames(link.counters, width), *_bytes(link.counters, width, glyphs)]
    rows += [_display(view, width), _recording(view, link, width)]
    return [fit(aged(row, view), width) for row in rows]


def _since(view: View) -> str:
    """Since when a replay counts, unless that is since its start."""
    playback = view.model.playback
    if playback is None or playback.counted_from <= playback.first:
        return ""
    return f"since {utc(playback.counted_from, 0)}r"


def _label(text: str) -> Span:
    return Span(left(f" {text}", _LABEL), "dim")


def _if_room(row: Row, more: Row, width: int) -> Row:
    """A row with what is nice to have behind it, or without: never with half of it."""
    return (*row, *more) if width_of(row) + width_of(more) <= width else row


def _transport(view: View, link: LinkStatus) -> Row:
    if view.model.gone_ns(view.now) is not None:
        return (_label("Port"), Span("UNKNOWN", "stale"), Span(" station gone", "dim"))
    tones: dict[str, Tone] = {"CONNECTED": "good", "ATTEMPTING": "caution", "DISCONNECTED": "critical"}
    detail = link.url if link.transport == "CONNECTED" else link.detail or link.url
    return (
        _label("Port"),
        Span(link.transport, tones[link.transport]),
        Span(f" {view.glyphs.text(detail)}", "dim"),
    )


def _sync(view: View, link: LinkStatus, width: int) -> Row:
    signal = view.model.signal(None, view.now)
    words: dict[str, tuple[str, Tone]] = {
        "LOCKED": ("LOCK", "good"),
        "DEGRADED": ("LOCK, errors", "warning"),
        "ACQUIRING": ("SEARCH", "caution"),
        "LOS": ("LOST", "critical"),
        "UNKNOWN": ("UNKNOWN", "stale"),
    }
    word, tone = words.get(signal, ("none", "dim"))
    counters = link.counters
    row = _if_room((_label("Sync"), Span(word, tone)), (Span(f"  packets {counters.packets:,}", "dim"),), width)
    if not counters.packets_bad and not counters.packets_unknown:
        return row
    return (*row, Span(f", bad {counters.packets_bad}, unknown {counters.packets_unknown}", "dim"))


def _channel(view: View, channel: ChannelStatus, width: int) -> Row:
    """What is lost comes before the last counter: the one is news, the other changes all the time."""
    glyphs = view.glyphs
    signal = view.model.signal(channel.vcid, view.now)
    tone = signal_tone(signal)
    name = left(glyphs.text(channel.name), _LABEL - 3)
    gap = "" if name.endswith(" ") else " "
    due = view.model.due_from(channel.vcid)
    if due is not None and signal == "NO_SIGNAL":
        return (
            Span(f" {signal_glyph(signal, view)} ", tone),
            Span(name + gap, "text"),
            Span(f"expected {utc(due, 0)}", "dim"),
        )
    vcfc = glyphs.absent if channel.last_vcfc is None else f"{channel.last_vcfc:03d}"
    rate = glyphs.absent if signal == "UNKNOWN" else f"{channel.rate_hz:.1f}"
    words, room = (signal.replace("_", " "), 9) if width >= _NARROW else (_SHORT.get(signal, signal), 5)
    state = left(words, room - len(gap))
    row: Row = (
        Span(f" {signal_glyph(signal, view)} ", tone),
        Span(name + gap, "text"),
        Span(state, tone),
        Span(right(rate, 6 if width >= _NARROW else 5), "text"),
        Span("/s", "dim"),
    )
    if channel.lost or channel.lost_certainty != "EXACT":
        row = (*row, Span(f" lost {lost_short(channel.lost, channel.lost_certainty)}", "caution"))
    return _if_room(row, (Span(f" #{vcfc}", "dim"),), width)


def _frames(counters: Counters, width: int) -> list[Row]:
    rejected, lost = counters.frames_rejected, lost_short(counters.frames_lost, counters.frames_lost_certainty)
    good: Row = (_label("Frames"), Span(f"{counters.frames_good:,} good", "text"))
    bad: Row = (
        Span(f" {rejected:,} rej", "caution" if rejected else "dim"),
        Span(f" {lost} lost", "dim" if lost == "0" else "caution"),
    )
    if width_of(good) + width_of(bad) > width:
        return [good, (_label(""), *bad)]
    odd = {"twice": counters.frames_duplicate, "late": counters.frames_late, "back": counters.frames_stepped_back}
    odd["restarts"] = counters.restarts
    row = (*good, *bad)
    for name, count in odd.items():
        row = _if_room(row, (Span(f" {count:,} {name}", "caution"),), width) if count else row
    rest = Span(f"  {counters.frames_idle:,} idle  {counters.frames_foreign:,} foreign", "dim")
    return [_if_room(row, (rest,), width)]


def _bytes(counters: Counters, width: int, glyphs: Glyphs) -> list[Row]:
    """The conservation law with its parts: every byte is accounted for, or the row says that it is not."""
    parts = (counters.good, counters.corrected, counters.rejected, counters.skipped, counters.pending)
    missing = counters.bytes_in - sum(parts)
    mark = Span(f"{glyphs.no} {missing:+,}", "critical") if missing else Span(f"{glyphs.yes} exact", "good")
    names = ("good", "corr", "rej", "skip", "pend")
    rows: list[Row] = [(_label("Bytes"), mark, Span(f"  {counters.bytes_in:,} in", "text"))]
    line = "   ="
    for value, name in zip(parts, names, strict=True):
        term = f" {value:,} {name}"
        if line != "   =" and cell_len(line + term) + 2 > width:
            rows.append((Span(line, "dim"),))
            line = "   +"
        elif line not in ("   =", "   +"):
            line += " +"
        line += term
    return [*rows, (Span(line, "dim"),)]


def _display(view: View, width: int) -> Row:
    """How old what is shown is, and what this viewer missed: neither is the spacecraft's link's."""
    model = view.model
    late, missed = model.is_late(view.now), model.gaps.total
    lag = Span(f"lag {age_text(model.lag_ns(view.now))}", "stale" if late else "dim")
    if not missed:
        return (_label("Display"), lag, Span(", none missed", "dim"))
    worst = max(model.gaps.missed, key=lambda topic: model.gaps.missed[topic])
    row = (_label("Display"), lag, Span(f", {missed:,} missed", "caution"))
    return _if_room(row, (Span(f" ({worst})", "dim"),), width)


def _recording(view: View, link: LinkStatus, width: int) -> Row:
    glyphs = view.glyphs
    if link.replay:
        return (_label("Record"), Span("replay: nothing is kept", "dim"))
    if view.model.gone_ns(view.now) is not None:
        return (_label("Record"), Span("UNKNOWN", "stale"), *_path(link, width - _LABEL - 8, glyphs))
    if not link.recording_ok:
        return (
            _label("Record"),
            Span(f"{glyphs.no} FAILED", "critical"),
            *_path(link, width - 20, glyphs),
        )
    if link.recording is None:
        return (_label("Record"), Span("off", "warning"))
    mark = glyphs.lit if view.model.is_current(view.now) else glyphs.stale.strip()
    return (_label("Record"), Span(mark, "good"), *_path(link, width - _LABEL - 2, glyphs))


def loss_rows(view: View) -> list[Row]:
    """The verdict of the last loss, once the banner does not show it: acknowledged, or in a replay."""
    loss, glyphs = view.model.last_loss(), view.glyphs
    if loss is None or view.model.banner_loss() is not None:
        return []
    verdict, regained = loss.verdict, loss.regained
    after = "" if verdict.last_scet is None else f" after {utc(verdict.last_scet)}"
    fate, tone = "lasts", signal_tone("LOS")
    if regained is not None:
        fate, tone = f"regained{outage_words(regained)}", "text"
    seen = loss.acknowledged
    by = "" if seen is None else f", seen {utc(seen.ert, 0)}r by {seen.who}"
    return [
        (_label("Loss"), Span(glyphs.text(f"{loss.channel}{after}, {fate}"), tone)),
        (Span(f"   {glyphs.text(f'{verdict.cause}: {verdict.evidence}')}", "text"),),
        (Span(f"   {plan_words(verdict)}", "text"), Span(glyphs.text(by), "dim")),
    ]


def _path(link: LinkStatus, width: int, glyphs: Glyphs) -> Row:
    path = glyphs.text(link.recording or "")
    shown = path if len(path) < width else glyphs.ellipsis + path[-max(1, width - 2) :]
    return (Span(f" {shown}", "dim"),)

"""The banner: what was lost, which link of the chain broke, what was last known, and whether it was planned."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from groundstation.messages.lost_text import frames_lost
from groundstation.messages.text import utc
from groundstation.messages.wire import Cause, ContactChange, LosVerdict
from groundstation.tui.drawing.glyphs import Glyphs
from groundstation.tui.drawing.spans import Row, Span, Tone, fit, spread, width_of
from groundstation.tui.panels.rows import View, age_text, quality_mark, value_text
from groundstation.viewer.model import Loss
from protocols.units import NS_PER_S

CHAIN = ("station", "port", "relay", "bytes", "sync", "CRC", "lander")
_BROKEN: dict[Cause, int] = {
    "STATION": 0,
    "PORT": 1,
    "RELAY": 2,
    "SILENCE": 3,
    "SYNC": 4,
    "CRC": 5,
    "LANDER_ONLY": 6,
    "RELAY_SET": 6,
}
_SET = (*CHAIN[:-1], "horizon")
"""Of a relay that has set: all this side of it is sound."""


def banner(view: View, width: int) -> list[Row]:
    """No rows while all is well; the station's absence comes first, for then nothing else is known."""
    gone = view.model.gone_ns(view.now)
    if gone is not None:
        return _station_gone(view, gone, width)
    loss = view.model.banner_loss()
    if loss is None:
        return []
    return _regained(view, loss, width) if loss.regained else _lost(view, loss, width)


def alarm_row(view: View, width: int) -> list[Row]:
    """The banner in one row, for a screen that has other things to show; no row while all is well."""
    gone, loss = view.model.gone_ns(view.now), view.model.banner_loss()
    if gone is not None:
        start = f" STATION GONE {gone // NS_PER_S} s"
        texts = (f"{start}: nothing can be sent ", start)
    elif loss is None:
        return []
    else:
        channel = view.glyphs.text(loss.channel)
        age = age_text(view.model.age(loss.since, view.now))
        texts = (f" LOSS OF SIGNAL  {channel}  {age} ", f" LOS {channel} {age}")
        if loss.regained:
            texts = (f" SIGNAL REGAINED  {channel} ", f" REGAINED {channel}")
    text = texts[0] if cell_len(texts[0]) <= width else texts[1]
    return [fit((Span(text, "alarm_title"),), width, "alarm_title")]


def verdict_rows(view: View, width: int) -> list[Row]:
    """Why the signal was lost, as the banner says it; no rows without a verdict or while the station is gone."""
    loss = view.model.banner_loss()
    if loss is None or loss.regained or view.model.gone_ns(view.now) is not None:
        return []
    return [fit(row, width, "alarm") for row in _verdict(view, loss, loss.verdict, width)]


def _station_gone(view: View, gone: int, width: int) -> list[Row]:
    text = f" STATION GONE {gone // NS_PER_S} s, retrying "
    recording = view.model.link.recording if view.model.link else None
    where = f"; it was recording {recording}" if recording else ""
    note = f" Link UNKNOWN, not LOS{where}"
    return [
        fit((Span(text, "badge_stale"),), width, "badge_stale"),
        fit((Span(view.glyphs.text(note), "alarm"),), width, "alarm"),
    ]


def _regained(view: View, loss: Loss, width: int) -> list[Row]:
    text = f" SIGNAL REGAINED  {view.glyphs.text(loss.channel)}{outage_words(loss.regained)} "
    return [spread((Span(text, "badge_good"),), (Span(" a Acknowledge ", "badge_good"),), width, "badge_good")]


def _lost(view: View, loss: Loss, width: int) -> list[Row]:
    channel = "" if loss.vcid is None else f" (VC{loss.vcid})"
    name = f" LOSS OF SIGNAL  {view.glyphs.text(loss.channel)}{channel}"
    age = f"  {age_text(view.model.age(loss.since, view.now))} since its last frame"
    others = [other.channel for vcid, other in view.model.losses.items()
              if vcid != loss.vcid and not other.regained]  # fmt: skip
    also = f", also {', '.join(others)}" if others else ""
    start = (Span(name + view.glyphs.text(also) + age, "alarm_title"),)
    first = spread(start, (Span(" a Acknowledge ", "alarm_title"),), width, "alarm_title")
    return [first, *verdict_rows(view, width), fit(_recording(view), width, "alarm")]


def reading(view: View, width: int) -> list[Row]:
    """The verdict of the last loss, to read up on later: not an alarm, and no row without a loss."""
    loss = view.model.last_loss()
    if loss is None:
        return []
    seen = "" if loss.acknowledged is None else f"  seen {utc(loss.acknowledged.ert, 0)}r by {loss.acknowledged.who}"
    channel = "" if loss.vcid is None else f" (VC{loss.vcid})"
    name = view.glyphs.text(f" LOSS OF SIGNAL  {loss.channel}{channel}{seen}")
    first = spread((Span(name, "badge"),), (Span(" v Close ", "badge"),), width, "badge")
    rows = [*_verdict(view, loss, loss.verdict, width), (_label("Since"), Span(_fate(loss), "alarm"))]
    return [first, *(fit(row, width, "alarm") for row in rows)]


def _fate(loss: Loss) -> str:
    return "not regained" if loss.regained is None else f"regained{outage_words(loss.regained)}"


def outage_words(regained: ContactChange | None) -> str:
    """How long a loss was and what it cost, to follow "regained"; nothing if that is not known."""
    if regained is None or regained.restarted:
        return "" if regained is None else ", it restarted"
    if regained.outage_ms is None:
        return ""
    lost = frames_lost(regained.outage_lost, regained.outage_lost_certainty)
    return f" after {regained.outage_ms / 1000:.1f} s, {lost}"


def _verdict(view: View, loss: Loss, verdict: LosVerdict, width: int) -> list[Row]:
    glyphs = view.glyphs
    label = _label("Broken")
    return [
        (label, *chain(verdict.cause, glyphs, width - width_of((label,)))),
        (_label("Evidence"), Span(glyphs.text(_evidence(view, loss, verdict)), "alarm")),
        (_label("Last good"), *_last_good(loss, verdict, glyphs)),
        (_label("Planned"), *_plan(verdict)),
        (_label("Lost"), Span(glyphs.text(_interval(verdict)), "alarm")),
    ]


def _evidence(view: View, loss: Loss, verdict: LosVerdict) -> str:
    """What the loss was told by; first that it holds no more, if the port or the relay is there again and silent.

    Of several links nothing says which of them it was.
    """
    link = view.model.link
    if link is None or link.links or link.transport != "CONNECTED" or link.ert <= verdict.declared_ert:
        return verdict.evidence
    if loss.regained is not None or verdict.cause not in ("PORT", "RELAY"):
        return verdict.evidence
    return f"connected now, no frame yet; at the loss: {verdict.evidence}"


def _label(text: str) -> Span:
    return Span(f" {text:<10}", "alarm")


def chain(cause: Cause, glyphs: Glyphs, width: int) -> Row:
    """Sound up to the break; what lies beyond it is not known.

    Where it is narrow sound links go first, from the front, then unknown ones, from the end; the broken one stays.
    """
    broken = _BROKEN[cause]
    first, last = 0, len(CHAIN) - 1
    names = _SET if cause == "RELAY_SET" else CHAIN
    while width_of(row := _links(names, broken, first, last, glyphs)) > width and (first, last) != (broken, broken):
        first, last = (first + 1, last) if first < broken else (first, last - 1)
    return row if width_of(row) <= width else _links(names, broken, broken, broken, glyphs, alone=True)


def _links(names: Sequence[str], broken: int, first: int, last: int, glyphs: Glyphs, *, alone: bool = False) -> Row:
    """The links of the chain from ``first`` to ``last``; an ellipsis stands for those before and those after."""
    arrow = Span(f" {glyphs.arrow} ", "alarm")
    spans = [Span(glyphs.ellipsis, "alarm"), arrow] if first and not alone else []
    for index in range(first, last + 1):
        mark = glyphs.yes if index < broken else glyphs.no if index == broken else glyphs.unknown
        tone: Tone = "alarm_title" if index == broken else "alarm"
        spans += [arrow] if index > first else []
        spans.append(Span(f"{names[index]} {mark}", tone))
    return (*spans, arrow, Span(glyphs.ellipsis, "alarm")) if last < len(CHAIN) - 1 and not alone else tuple(spans)


def _last_good(loss: Loss, verdict: LosVerdict, glyphs: Glyphs) -> Row:
    """The last frame that came whole; a value in it that is not good has the mark of its quality."""
    frame = "no frame" if verdict.last_vcfc is None else f"frame #{verdict.last_vcfc:03d}"
    when = "" if verdict.last_scet is None else f"  {utc(verdict.last_scet)} UTC"
    values = "".join(
        f"  {reading.info.name} {quality_mark(reading.quality, glyphs)}{value_text(reading.info, reading.value)}"
        f" {reading.info.unit}"
        for reading in loss.last
        if reading.value is not None
    )
    return (Span(glyphs.text(frame + when + values), "alarm"),)


def plan_words(verdict: LosVerdict) -> str:
    """Whether a loss was planned, and how near to the plan it came, in a few words."""
    if verdict.planned_scet is None or verdict.planned_error_ms is None:
        return "not planned"
    if verdict.planned_error_ms == 0:
        return "as planned"
    error = verdict.planned_error_ms / 1000
    return f"{error:+.1f} s off the plan"


def _plan(verdict: LosVerdict) -> Row:
    if verdict.planned_scet is None or verdict.planned_error_ms is None:
        return (Span("not planned", "alarm_title"),)
    planned = f"predicted {utc(verdict.planned_scet)}"
    if verdict.planned_error_ms == 0:
        return (Span(f"{planned}, the loss falls on the plan", "alarm"),)
    error = verdict.planned_error_ms / 1000
    word = "early" if error < 0 else "late"
    return (Span(f"NOT AS PLANNED: {error:+.1f} s, {word}", "alarm_title"), Span(f", {planned}", "alarm"))


def _interval(verdict: LosVerdict) -> str:
    text = "interval unknown"
    if verdict.interval_scet is not None:
        start, end = verdict.interval_scet
        text = f"{utc(start, 3)} to {utc(end, 3)} UTC"
    return f"{text}, declared +{verdict.timeout_ms} ms, {verdict.trailing_bytes} trailing bytes"


def _recording(view: View) -> Row:
    link = view.model.link
    if link is None or (link.recording is None and link.recording_ok):
        return (_label("Recording"), Span("off", "alarm_title"))
    if not link.recording_ok:
        return (_label("Recording"), Span("FAILED: nothing is kept any more", "alarm_title"))
    late = view.model.is_late(view.now)
    goes = f"went on {age_text(view.model.behind_ns(view.now))} ago" if late else "goes on"
    return (_label("Recording"), Span(view.glyphs.text(f"{goes}: {link.recording}"), "alarm"))

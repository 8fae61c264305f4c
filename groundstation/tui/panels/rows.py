"""What rows are made from, and those of the telemetry panel and the footer. Pure: state in, spans out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from groundstation.formats.json_encoding import word_of
from groundstation.messages.base import Value
from groundstation.messages.wire import ParameterInfo, ValueQuality, ViewInfo
from groundstation.tui.drawing.glyphs import Glyphs
from groundstation.tui.drawing.spans import Row, Span, Tone, fit, left, right, width_of
from groundstation.viewer.flight import Key
from groundstation.viewer.model import PassModel, Reading, ShownSignal
from protocols.units import NS_PER_MS, NS_PER_S
from protocols.words import LimitState

KEYS = (
    ("?", "Help"),
    (":", "Cmd"),
    ("a", "Ack"),
    ("space", "Hold"),
    ("p", "Plots"),
    ("j/k", "Scroll"),
    ("q", "Quit"),
    ("s", "SVG"),
    ("y", "Copy"),
)
"""For the footer: what matters most comes first, for a narrow one leaves out the last."""

_LABEL, _VALUE, _UNIT = 18, 11, 5
_LEAST_LABEL, _REST = 6, 22
_SIGNAL_TONES: dict[ShownSignal, Tone] = {
    "LOCKED": "good",
    "DEGRADED": "warning",
    "ACQUIRING": "caution",
    "NO_SIGNAL": "dim",
    "LOS": "critical",
    "UNKNOWN": "stale",
}
_AGED: dict[Tone, Tone] = {"good": "stale", "badge_good": "badge_stale"}
_IN_CONTACT = ("LOCKED", "DEGRADED", "ACQUIRING")
_LIMIT_TONES: dict[LimitState, Tone] = {
    "GREEN": "text",
    "YELLOW_LOW": "caution",
    "YELLOW_HIGH": "caution",
    "RED_LOW": "critical",
    "RED_HIGH": "critical",
}


@dataclass(frozen=True, slots=True)
class View:
    """What is drawn: the model, the time it is drawn for, and the alphabet."""

    model: PassModel
    now: int
    glyphs: Glyphs
    held_ns: int | None = None
    """For how long the display has been held; None: it is not."""


def title(text: str, width: int, glyphs: Glyphs, note: str = "") -> Row:
    """A panel's first row: a rule with the title in it and a note at its right end."""
    start = (Span(glyphs.rule * 2, "rule"), Span(f" {glyphs.text(text)} ", "title"))
    end = (Span(f" {glyphs.text(note)} ", "dim"), Span(glyphs.rule, "rule")) if note else ()
    room = max(0, width - width_of(start) - width_of(end))
    return fit((*start, Span(glyphs.rule * room, "rule"), *end), width)


def held_mark(rows: list[Row], view: View, width: int) -> list[Row]:
    """The rows of a body, with a mark at the end of the first if they are held: frozen values never look live.

    In a title the mark takes the place of the note.
    """
    if view.held_ns is None or not rows:
        return rows
    mark = Span(f" HELD {age_text(view.held_ns)} ", "badge_stale")
    if width_of((mark,)) > width // 2:
        mark = Span(" HELD", "badge_stale")
    first, room = rows[0], max(0, width - width_of((mark,)))
    if first[0].tone == "rule":
        first = (*first[:2], Span(first[0].text[:1] * max(0, room - width_of(first[:2])), "rule"))
    return [(*fit(first, room), mark), *rows[1:]]


def limit_tone(limit: LimitState) -> Tone:
    """The tone of a limit state."""
    return _LIMIT_TONES[limit]


def age_text(nanoseconds: int) -> str:
    """An age in at most six cells: ``0.4 s``, ``12 s``, ``3:05``, ``2 h``."""
    seconds = nanoseconds / NS_PER_S
    if seconds < 10:
        return f"{int(seconds * 10) / 10:.1f} s"
    if seconds < 100:
        return f"{int(seconds)} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes < 100 else f"{minutes // 60} h"


def whole_seconds(nanoseconds: int) -> str:
    """What is left of a time: ``0 s`` only when it is over."""
    return f"{-(-nanoseconds // NS_PER_S)} s"


def elapsed_text(nanoseconds: int) -> str:
    """``T+03:20.0``, or ``T-`` before entry."""
    tenths = abs(nanoseconds) // (100 * NS_PER_MS)
    return f"T{'-' if nanoseconds < 0 else '+'}{tenths // 600:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


# ----------------------------------------------------------------------------------------------- signal


def aged(row: Row, view: View) -> Row:
    """A row without anything green while it is not known whether that still holds."""
    if view.model.is_current(view.now):
        return row
    return tuple(Span(span.text, _AGED.get(span.tone, span.tone)) for span in row)


def signal_glyph(signal: ShownSignal, view: View) -> str:
    """The symbol of a signal state; that of a contact which is not known to go on is the stale mark."""
    glyphs = view.glyphs
    if signal in _IN_CONTACT and not view.model.is_current(view.now):
        return glyphs.stale.strip()
    marks: dict[ShownSignal, str] = {
        "LOCKED": glyphs.lit,
        "DEGRADED": glyphs.warning,
        "ACQUIRING": glyphs.half,
        "NO_SIGNAL": glyphs.unlit,
        "LOS": glyphs.critical,
        "UNKNOWN": glyphs.never.strip(),
    }
    return marks[signal]


def signal_tone(signal: ShownSignal) -> Tone:
    """The tone of a signal state outside a badge."""
    return _SIGNAL_TONES[signal]


# -------------------------------------------------------------------------------------------- telemetry


def telemetry(view: View, page: ViewInfo, width: int, height: int, offset: int = 0) -> list[Row]:
    """The telemetry panel: a title and, by packet, one row a parameter; ``offset`` scrolls under the title."""
    body = [row for block in packet_blocks(view, page, width) for row in block]
    if not body:
        body = [fit((Span(" waiting for a station that declares telemetry", "dim"),), width)]
    room = max(0, height - 1)
    start = clamp_offset(offset, len(body), room)
    shown = body[1:] if start == 0 and body[0][0].tone == "rule" else body[start:]
    head = body[0] if start == 0 and body[0][0].tone == "rule" else scrolled_title(view, "TELEMETRY", width, start)
    if len(shown) > room > 0:
        hidden = len(shown) - room + 1
        shown = [*shown[: room - 1], more_row(view, hidden, width)]
    return [head, *shown]


def more_row(view: View, hidden: int, width: int) -> Row:
    """The last row where there are more."""
    return fit((Span(f"   {view.glyphs.more} {hidden} more", "dim"),), width)


def clamp_offset(offset: int, rows: int, room: int) -> int:
    """The furthest sensible scroll position up to ``offset``: the last row stays at the bottom."""
    return max(0, min(offset, rows - room))


def scrolled_title(view: View, name: str, width: int, start: int) -> Row:
    """The title of rows of which the first ``start`` are above."""
    return title(name, width, view.glyphs, f"{start} above" if start else "")


def packet_blocks(view: View, page: ViewInfo, width: int) -> list[list[Row]]:
    """For each packet of a page a title, and a row a parameter."""
    blocks: list[list[Row]] = []
    for packet in page.packets:
        keys = shown_keys(view, page, packet)
        if keys:
            rows = [parameter_row(view.model.reading(key, view.now), width, view.glyphs) for key in keys]
            blocks.append([_packet_title(view, packet, width), *rows])
    return blocks


def shown_keys(view: View, page: ViewInfo, packet: str) -> list[Key]:
    """The parameters of a packet that a page shows: those of its bars are in the chart."""
    bars = f"{page.bars[1]}[" if page.bars is not None and page.bars[0] == packet else None
    return [
        key for key in view.model.keys(packet) if key[1] not in page.without and not (bars and key[1].startswith(bars))
    ]


def _packet_title(view: View, packet: str, width: int) -> Row:
    readings = [view.model.reading(key, view.now) for key in view.model.keys(packet)]
    received = [reading for reading in readings if reading.freshness != "NEVER"]
    if not received:
        return title(packet, width, view.glyphs, "never received")
    age = min(reading.age_ns for reading in received)
    if all(reading.freshness == "STALE" for reading in received):
        return title(packet, width, view.glyphs, f"stale {age_text(age)}")
    return title(packet, width, view.glyphs, f"VC{view.model.packet_vcid(packet)}")


def parameter_row(reading: Reading, width: int, glyphs: Glyphs) -> Row:
    """Symbol, name, value, unit, note: the stale mark is added to the limit symbol, and takes not its place.

    Where no limit is violated the symbol is that of the value's quality.
    """
    info, stale = reading.info, reading.freshness == "STALE"
    never = reading.freshness == "NEVER"
    tone: Tone = "dim" if never or reading.value is None else _LIMIT_TONES[reading.limit]
    symbol = glyphs.never if never else glyphs.limit(reading.limit)
    if reading.quality is not None and reading.limit == "GREEN":
        symbol = quality_mark(reading.quality, glyphs)
        tone = "doubt"
    room = min(_LABEL, max(_LEAST_LABEL, width - _REST))
    body: Tone = "stale" if stale and tone != "critical" else tone
    text = glyphs.absent if reading.value is None else value_text(info, reading.value)
    label = info.name.replace("_", " ") if "[" in info.name else info.name.replace("_", " ").replace(".", " ")
    label = label[:1].upper() + label[1:]
    spans = (
        Span(f" {glyphs.text(symbol) if glyphs.unicode else symbol}", "dim" if tone == "text" else tone),
        Span(glyphs.stale if stale else " " * len(glyphs.stale), "stale"),
        Span(" "),
        Span(left(glyphs.text(label), room), "dim" if stale or never else "text"),
        Span(right(glyphs.text(text), _VALUE), "bright" if body == "text" else body),
        Span(f" {left(glyphs.text(info.unit), _UNIT)}", "dim"),
    )
    note = _note(reading, glyphs)
    while note and width_of(spans) + width_of(note) > width:
        note = note[:-1]
    return fit((*spans, *note), width)


def _note(reading: Reading, glyphs: Glyphs) -> Row:
    if reading.freshness == "NEVER":
        return (Span("never", "dim"),)
    age: Row = (
        (Span(f"-{age_text(reading.age_ns).replace(' ', '')} ", "stale"),) if reading.freshness == "STALE" else ()
    )
    if not reading.valid:
        return (*age, Span("void", "dim"))
    violated, bad = _violated(reading), reading.quality
    doubt: Row = () if bad is None else (Span(f"{quality_text(bad)} ", "doubt"),)
    limit: Row = (Span(glyphs.text(violated), _LIMIT_TONES[reading.limit]),) if violated else ()
    return (*age, *doubt, *limit)


def quality_mark(bad: ValueQuality | None, glyphs: Glyphs) -> str:
    """The symbol of a value that is not good; nothing for one that is good, or that no check looks at."""
    if bad is None:
        return ""
    return glyphs.suspect if bad.quality == "suspect" else glyphs.unusable


def quality_text(bad: ValueQuality) -> str:
    """What is wrong with a value, in few letters: ``bad: range``, or ``rate?`` for one that is suspect."""
    return f"bad: {bad.reason}" if bad.quality == "unusable" else f"{bad.reason}?"


def _violated(reading: Reading) -> str:
    limits, decimals = reading.info.limits, reading.info.decimals
    if limits is None or reading.limit == "GREEN":
        return ""
    bound = {
        "YELLOW_LOW": limits.yellow_low,
        "YELLOW_HIGH": limits.yellow_high,
        "RED_LOW": limits.red_low,
        "RED_HIGH": limits.red_high,
    }[reading.limit]
    low = reading.limit.endswith("LOW")
    is_step = limits.step_s is not None and not low and not _above(reading.value, bound)
    if is_step:
        step = limits.step_red if reading.limit == "RED_HIGH" else limits.step_yellow
        return "" if step is None else f"+>{step:g}/{limits.step_s:g}s"
    return "" if bound is None else f"{'<' if low else '>'}{bound:,.{decimals}f}"


def _above(value: Value | None, bound: float | None) -> bool:
    return bound is not None and isinstance(value, int | float) and value > bound


def value_text(info: ParameterInfo, value: Value) -> str:
    """A value as text: decimals as declared, groups of three for quantities, words for flags."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and info.name.endswith("_hash"):
        return f"{value:08x}"
    if isinstance(value, float):
        return word_of(value) or f"{value:,.{info.decimals}f}"
    return f"{value:,}" if isinstance(value, int) and info.unit else str(value)


# ----------------------------------------------------------------------------------------------- footer


def footer(width: int, glyphs: Glyphs, notice: str = "", keys: Sequence[tuple[str, str]] = KEYS) -> Row:
    """The keys, or for a moment what a key did. Whole keys only: what does not fit is left out."""
    if notice:
        return fit((Span(f" {glyphs.text(notice)}", "info"),), width, "badge")
    spans: list[Span] = []
    for key, label in keys:
        item = [Span(f" {key} ", "key"), Span(f"{label} ", "dim")]
        if width_of(tuple(spans + item)) > width:
            break
        spans += item
    return fit(tuple(spans), width)

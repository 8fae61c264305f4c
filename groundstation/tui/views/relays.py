"""The relays of the mission and the links of the station: who could carry the signal, and who brings what."""

from __future__ import annotations

from groundstation.formats.json_encoding import word_of
from groundstation.messages.lost_text import lost_short
from groundstation.messages.text import utc
from groundstation.messages.wire import LinkShare, RelayInfo
from groundstation.tui.drawing.glyphs import Glyphs
from groundstation.tui.drawing.spans import Row, Span, Tone, fit, left, right
from groundstation.tui.panels.rows import View, age_text, signal_tone

_NAME = 12
_HEALTH: dict[str, tuple[str, Tone]] = {
    "ALIVE": ("alive", "good"),
    "FAILED": ("failed", "critical"),
    "OUT_OF_RANGE": ("out of range", "caution"),
}


def relay_rows(view: View, width: int, blank: Tone = "badge") -> list[Row]:
    """The page: each relay with its health, range, elevation and margin, then each link with its share."""
    model = view.model
    rows: list[Row] = [(Span(" RELAYS", "title"),)]
    for relay in model.relays:
        rows += _relay(view, relay)
    if not model.relays:
        rows.append((Span(" the mission declares none", "dim"),))
    rows += [(), (Span(" LINKS", "title"), Span("  of this station", "dim"))]
    links = [] if model.link is None else model.link.links
    if not links and model.link is not None:
        rows.append((Span(f" one: {view.glyphs.text(model.link.url)}", "text"),))
    for link in links:
        rows += _link(view, link)
    rows += [(), (Span(" S source, F found, R remembered, C computed, A assumed.", "dim"),)]
    return [fit(row, width, blank) for row in rows]


def link_rows(view: View) -> list[Row]:
    """A row for each of several links, for the contact panel: its signal, and its share of the frames."""
    links = [] if view.model.link is None else view.model.link.links
    total = sum(link.first for link in links)
    return [_share(view, link, total) for link in links]


def _relay(view: View, relay: RelayInfo) -> list[Row]:
    word, tone = _HEALTH.get(relay.health, (relay.health.lower(), "text"))
    head: Row = (
        Span(f" {left(view.glyphs.text(relay.name), _NAME)}", "bright"),
        Span(left(f"{word} [{relay.health_mark}]", 18), tone),
        Span(", ".join(_figures(relay)) or "range unknown", "text"),
    )
    rows: list[Row] = [head, (Span(f"   {view.glyphs.text(relay.health_text)}", "dim"),)]
    if relay.elevation is not None and relay.mask is not None:
        rows.append(_elevation(view, relay, relay.mask))
    return rows


def _figures(relay: RelayInfo) -> list[str]:
    found = []
    if relay.range_km is not None:
        found.append(f"{relay.range_km:,.0f} km [{relay.range_mark}]")
    if relay.margin_db is not None:
        found.append(f"{relay.margin_db:+.1f} dB [{relay.margin_mark}]")
    return found


def _elevation(view: View, relay: RelayInfo, mask: float) -> Row:
    """How high it stands, as its own telemetry says, beside the mask below which it relays nothing."""
    assert relay.elevation is not None
    reading = view.model.reading(relay.elevation, view.now)
    value, stale = reading.value, reading.freshness == "STALE"
    known = isinstance(value, int | float) and word_of(value) is None
    tone: Tone = "dim" if not known else "stale" if stale else "critical" if float(value or 0) <= mask else "text"
    glyphs = view.glyphs
    shown = glyphs.text(f"{value:.2f}°") if known else "not known"
    age: Row = (Span(f" {view.glyphs.stale}{age_text(reading.age_ns)}", "stale"),) if known and stale else ()
    mark = f" [{relay.mask_mark}]"
    return (
        Span("   elevation ", "dim"),
        Span(shown, tone),
        *age,
        Span(glyphs.text(f", relays above {mask:g}°{mark}"), "dim"),
    )


def _link(view: View, link: LinkShare) -> list[Row]:
    glyphs, total = view.glyphs, 0 if view.model.link is None else sum(each.first for each in view.model.link.links)
    lost = lost_short(link.lost, link.lost_certainty)
    heard = "never heard" if link.last_ert is None else f"last read {utc(link.last_ert, 1)}r"
    counts = f"{link.first:,} first, {link.duplicates:,} later copies, {link.only:,} from it alone"
    bad = f"{link.rejected:,} rejected, {lost} lost, {link.conflicts:,} in conflict, {link.stale:,} too old"
    bad += f", {link.foreign:,} foreign" if link.foreign else ""
    return [
        _share(view, link, total),
        (Span(f"   {glyphs.text(link.url)}, {heard}{', commands' if link.commands else ''}", "dim"),),
        (Span(f"   {counts}", "text"),),
        (Span(f"   {bad}", "caution" if link.rejected or link.conflicts or link.foreign else "dim"),),
    ]


def _share(view: View, link: LinkShare, total: int) -> Row:
    glyphs: Glyphs = view.glyphs
    up = link.transport == "CONNECTED"
    word = link.state.replace("_", " ") if up else link.transport
    tone: Tone = signal_tone(link.state) if up else "critical"
    share = f"{100 * link.first / total:.1f} %" if total else glyphs.absent
    return (
        Span(f" {left(glyphs.text(link.name), _NAME - 2)}", "text"),
        Span(left(word, 13), tone),
        Span(right(share, 8), "text"),
        Span(f"  {link.duplicates:,} twice, {link.only:,} alone", "dim"),
    )

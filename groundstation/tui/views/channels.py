"""What is expected and when: the channels that are not due all the time, and the packets of a view."""

from __future__ import annotations

from groundstation.messages.text import utc
from groundstation.messages.wire import ChannelInfo, ViewInfo
from groundstation.tui.drawing.spans import Row, Span, Tone, fit, left
from groundstation.tui.panels.rows import View, age_text, title
from protocols.units import NS_PER_HOUR, NS_PER_MS, NS_PER_S

_NAME = 14


def expected(view: View, page: ViewInfo, width: int) -> list[Row]:
    """A title, a row for each channel that is expected at a time, and one for each packet with a period."""
    snapshot = view.model.snapshot
    channels = [] if snapshot is None else snapshot.channels
    rows = [_channel(view, channel) for channel in channels if channel.expected_from or channel.expected_until]
    rows += [_packet(view, packet) for packet in page.packets]
    return [title("EXPECTED", width, view.glyphs), *(fit(row, width) for row in rows)]


def _channel(view: View, channel: ChannelInfo) -> Row:
    clock, signal = view.model.clock, view.model.signal(channel.vcid, view.now)
    name = Span(f" {left(view.glyphs.text(f'VC{channel.vcid} {channel.name}'), _NAME)} ")
    if signal in ("LOCKED", "DEGRADED", "ACQUIRING"):
        return (name, Span("is heard", "good" if view.model.is_current(view.now) else "stale"))
    start, end = channel.expected_from, channel.expected_until
    if clock is None:
        return (name, Span("" if start is None else f"from {utc(start, 0)}", "dim"))
    if start is not None and clock < start:
        return (name, Span(f"from {utc(start, 0)}, in {countdown(start - clock)}"))
    if end is not None and clock >= end:
        return (name, Span(f"until {utc(end, 0)}: over", "dim"))
    since = "" if start is None else f" since {utc(start, 0)}"
    return (name, Span(f"expected{since}", "critical" if signal == "LOS" else "caution"))


def _packet(view: View, packet: str) -> Row:
    """How often a packet comes, and when the next is due by the mission's clock."""
    model = view.model
    period = next((info.period_ms for info in model.parameters.values() if info.packet == packet), 0) * NS_PER_MS
    name = Span(f" {left(view.glyphs.text(packet), _NAME)} ")
    if not period:
        return (name, Span("now and then", "dim"))
    every, last = Span(f"every {period // NS_PER_S} s", "dim"), model.last_scet(packet)
    if last is None or model.clock is None:
        return (name, every, Span("  none yet", "dim"))
    ahead = last + period - model.clock
    tone: Tone = "stale" if model.clock_frozen(view.now) else "text"
    if ahead < -period // 2:
        return (name, every, Span(f"  overdue {age_text(-ahead)}", "caution" if tone == "text" else tone))
    return (name, every, Span(f"  due {countdown(max(0, ahead))}", tone))


def countdown(left_ns: int) -> str:
    """What is left: ``12:05``, or ``3:12:05``."""
    seconds = -(-left_ns // NS_PER_S)
    hours, minutes = divmod(seconds // 60, 60)
    return (
        f"{hours}:{minutes:02d}:{seconds % 60:02d}" if left_ns >= NS_PER_HOUR else f"{minutes:02d}:{seconds % 60:02d}"
    )

"""Inter-arrival times of lander frames in contact, with the frame period T and the 99th percentile."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hil.report.drawing.axis import pace
from hil.report.drawing.svg import Panel, drawing, percent
from hil.report.markup import Markup, el, join
from hil.report.words import grouped, plural
from hil.verdict.result import RunResult

HEIGHT = 160
_TOP = 40
_BINS = 30
_LEAST_SPAN = 0.02
"""Of T: a narrower spread is not drawn wider."""


@dataclass(frozen=True, slots=True)
class Bins:
    """Counts in bins of ``width`` ms, the first from ``low`` on; and of what is outside of them."""

    low: float
    width: float
    counts: list[int]
    below: int
    above: int

    @property
    def high(self) -> float:
        """The end of the last bin."""
        return self.low + self.width * len(self.counts)


def bins(values: Sequence[float], period: float) -> Bins:
    """Bins around the bulk of the values and T, which lies in the middle of its bin; a few far away do not widen them.

    Args:
        values: in ms; at least one.
        period: T in ms.
    """
    ordered = sorted(values)
    low = min(period, ordered[int(0.005 * (len(ordered) - 1))])
    high = max(period, ordered[math.ceil(0.995 * (len(ordered) - 1))])
    span = max(high - low, _LEAST_SPAN * period)
    low, high = low - span / 4, high + span / 4
    width = _round_up((high - low) / _BINS)
    first = math.floor((low - period) / width + 0.5)
    last = math.floor((high - period) / width + 0.5)
    found = Counter(math.floor((value - period) / width + 0.5) for value in values)
    return Bins(
        period + (first - 0.5) * width,
        width,
        [found[n] for n in range(first, last + 1)],
        sum(count for n, count in found.items() if n < first),
        sum(count for n, count in found.items() if n > last),
    )


def percentile99(values: Sequence[float]) -> float:
    """The value that 99 % do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]


def histogram(result: RunResult) -> Markup:
    """The drawing, or a word if there is nothing to draw."""
    values = [value for value in result.interarrival_ms if math.isfinite(value)]
    if not values:
        return el("p", f"No two {result.spacecraft} frames followed each other.", class_="none")
    period = max(1, result.period_ms) / pace(result)
    b, p99 = bins(values, period), percentile99(values)
    text = (
        f"{plural(len(values), 'interval')}, T {period:g} ms, p99 {p99:.5g} ms, "
        f"least {min(values):.5g} ms, greatest {max(values):.5g} ms"
    )
    behind = join([_line(b, period, "period", f"T {period:g} ms", 12), _line(b, p99, "p99", f"p99 {p99:.5g} ms", 24)])
    drawn = drawing("Inter-arrival times", text, [_bars(b), _scale(b)], behind, kind="histogram")
    return join([drawn, el("p", text, ". Heights are logarithmic.", class_="caption")])


def _place(b: Bins, value: float) -> float:
    """In percent; a bin's room at either end is for what is outside."""
    n = len(b.counts) + 2
    return 100 * (1 + (value - b.low) / b.width) / n


def _bars(b: Bins) -> Panel:
    columns = [b.below, *b.counts, b.above]
    most = max(columns)
    share = 100 / len(columns)
    titles = [f"below {b.low:.4g} ms", *(_between(b, n) for n in range(len(b.counts))), f"above {b.high:.4g} ms"]
    parts, room = [], HEIGHT - _TOP
    few = sum(count > 0 for count in columns) <= 12
    for n, count in enumerate(columns):
        if not count:
            continue
        height = room * math.log10(1 + count) / math.log10(1 + most) * 0.9
        kind = "bar outside" if n in (0, len(columns) - 1) else "bar"
        parts.append(
            el(
                "rect",
                el("title", f"{titles[n]}: {grouped(count)}"),
                x=percent(n * share + share * 0.06),
                width=percent(share * 0.88),
                y=HEIGHT - height,
                height=height,
                class_=kind,
                data_count=count,
            )
        )
        if few:
            x = percent((n + 0.5) * share)
            parts.append(el("text", grouped(count), x=x, y=HEIGHT - height - 4, text_anchor="middle", class_="tick"))
    parts.append(el("line", x1="0", x2="100%", y1=HEIGHT, y2=HEIGHT, class_="base"))
    gutter = el("text", "count", x=2, y=_TOP + 12, class_="name")
    return Panel(HEIGHT + 1, gutter, join(parts))


def _between(b: Bins, n: int) -> str:
    return f"{b.low + n * b.width:.5g} … {b.low + (n + 1) * b.width:.5g} ms"


def _scale(b: Bins) -> Panel:
    step = max(1, len(b.counts) // 6)
    centres = [b.low + (n + 0.5) * b.width for n in range(0, len(b.counts), step)]
    decimals = max(0, -math.floor(math.log10(b.width)))
    parts = [
        el(
            "text",
            f"{value:.{decimals}f}",
            x=percent(_place(b, value)),
            y=14,
            text_anchor="middle",
            class_="minor" if n % 2 else "tick",
        )
        for n, value in enumerate(centres)
    ]
    if b.below:
        parts.append(el("text", "less", x="0", y=14, class_="tick"))
    if b.above:
        parts.append(el("text", "more", x="100%", y=14, text_anchor="end", class_="tick"))
    return Panel(20, el("text", "ms", x=2, y=14, class_="unit"), join(parts))


def _line(b: Bins, value: float, kind: str, text: str, y: int) -> Markup:
    at = min(max(_place(b, value), 0.5), 99.5)
    turned = at > 60
    return join(
        [
            el("line", x1=percent(at), x2=percent(at), y1=y - 10, y2=HEIGHT, class_=kind),
            el(
                "text",
                text,
                x=percent(at),
                dx=-4 if turned else 4,
                y=y,
                text_anchor="end" if turned else None,
                class_=f"head {kind}",
            ),
        ]
    )


def _round_up(width: float) -> float:
    """The next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(power * factor for factor in (1, 2, 5, 10) if width <= power * factor * 1.0000001)

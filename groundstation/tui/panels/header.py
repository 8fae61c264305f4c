"""The header: mission, clock, time since entry, live or replay, badges, and the beat; fitted into any width.

The beat is a glyph that moves with the time that is painted. It stands when painting stands: a screen whose beat does
not move shows the past, whatever else it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from groundstation.messages.text import utc
from groundstation.tui.drawing.spans import Row, Span, Tone, fit, width_of
from groundstation.tui.panels.badges import LAST_THAT_STAYS, Badge, Rank, badges
from groundstation.tui.panels.rows import View, elapsed_text
from protocols.units import NS_PER_MS

BEAT_NS = 250 * NS_PER_MS

_LONG, _SHORT, _LEAST, _NOTHING = range(4)


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """One part in its forms, from the longest to nothing."""

    rank: Rank
    forms: tuple[Row, Row, Row, Row]


def header(view: View, width: int) -> Row:
    """One row, exactly ``width`` wide."""
    pieces = _Pieces(_start(view), [*map(_badge, badges(view)), _beat(view)])
    pieces.shrink(width)
    pieces.grow(width)
    right = pieces.end()
    return fit((*fit(pieces.start(), max(0, width - width_of(right))), *right), width)


class _Gap(Enum):
    """Where two badges have a space between them."""

    ALWAYS = auto()
    ONE_TONE = auto()
    NEVER = auto()


class _Form(NamedTuple):
    """One form of a part: its row, how wide that is, and a number that equal rows share."""

    row: Row
    width: int
    number: int


class _Pieces:
    """The parts at both ends, each in one of its forms.

    Parts that are the same in their least form change together: two losses are one badge, or two with their names.
    """

    def __init__(self, start: list[_Piece], end: list[_Piece]) -> None:
        numbers: dict[Row, int] = {}
        pieces = [*start, *end]
        self._forms = [
            [_Form(row, width_of(row), numbers.setdefault(row, len(numbers))) for row in piece.forms]
            for piece in pieces
        ]
        groups: dict[tuple[Rank, int], list[int]] = {}
        for place, piece in enumerate(pieces):
            groups.setdefault((piece.rank, self._forms[place][_LEAST].number), []).append(place)
        self._ranks = [piece.rank for piece in pieces]
        self._groups = [groups[key] for key in sorted(groups, key=lambda key: key[0])]
        self._shown = [forms[_LONG] for forms in self._forms]
        self._levels = [_LONG] * len(pieces)
        self._starts = len(start)
        self._gap = _Gap.ALWAYS

    def start(self) -> Row:
        """What stands at the left."""
        return tuple(span for form in self._shown[: self._starts] for span in form.row)

    def end(self) -> Row:
        """What stands at the right, with gaps where there is room for them."""
        return tuple(span for row in self._end_rows() for span in row)

    def _end_rows(self) -> list[Row]:
        rows: list[Row] = []
        numbers: set[int] = set()
        for form in self._shown[self._starts :]:
            if not form.row or form.number in numbers:
                continue
            numbers.add(form.number)
            if rows and self._has_gap(rows[-1][-1].tone, form.row[0].tone):
                rows.append(_GAP)
            rows.append(form.row)
        return rows

    def shrink(self, width: int) -> None:
        """Shorter forms, the least important first, until it fits. Before a badge that must stay goes, gaps go."""
        for level in (_SHORT, _LEAST, _NOTHING):
            for group in reversed(self._groups):
                stays = level == _NOTHING and self._ranks[group[0]] <= LAST_THAT_STAYS
                for self._gap in _Gap if stays else (_Gap.ALWAYS,):
                    if self._fits(width):
                        return
                self._show(group, level)

    def grow(self, width: int) -> None:
        """The longest forms that fit all the same, the most important first: the last to yield left room."""
        for group in self._groups:
            before = self._levels[group[0]]
            for level in range(before):
                self._show(group, level)
                if self._fits(width):
                    break
                self._show(group, before)

    def _show(self, group: list[int], level: int) -> None:
        for place in group:
            self._levels[place] = level
            self._shown[place] = self._forms[place][level]

    def _has_gap(self, before: Tone, after: Tone) -> bool:
        return self._gap is _Gap.ALWAYS or (self._gap is _Gap.ONE_TONE and before == after)

    def _fits(self, width: int) -> bool:
        """Asked for some thirty times for each row that is painted: by widths that are known, not by text."""
        used = sum(form.width for form in self._shown[: self._starts])
        numbers: set[int] = set()
        last: Tone | None = None
        for form in self._shown[self._starts :]:
            if form.row and form.number not in numbers:
                numbers.add(form.number)
                used += form.width + (last is not None and self._has_gap(last, form.row[0].tone))
                last = form.row[-1].tone
        return used <= width


_GAP: Row = (Span(" "),)


def _start(view: View) -> list[_Piece]:
    """What stands at the left."""
    model, glyphs = view.model, view.glyphs
    mission = model.snapshot.mission.upper() if model.snapshot else "CONNECTING"
    edge = Span(glyphs.edge, "rule")
    frozen = model.clock is not None and model.clock_frozen(view.now)
    tone: Tone = "stale" if frozen else "bright"
    mark = glyphs.stale.strip() if frozen else " "
    pieces = [_may_vanish(Rank.NAME, Span(f" {glyphs.text(mission)} ", "bright"), edge)]
    if model.clock is None:
        pieces.append(_may_vanish(Rank.CLOCK, Span(" --:--:--.- UTC ", "dim"), edge))
    else:
        long, short = (Span(f" {utc(model.clock, decimals)} UTC{mark}", tone) for decimals in (1, 0))
        pieces.append(_Piece(Rank.CLOCK, ((long, edge), (short, edge), (), ())))
    since = model.mission_elapsed()
    if since is not None:
        pieces.append(_may_vanish(Rank.ELAPSED, Span(f" {elapsed_text(since)} ", tone), edge))
    return [*pieces, *_mode(view, edge)]


def _mode(view: View, edge: Span) -> list[_Piece]:
    """A replay says so at any width. LIVE is said of nothing that is held, late or of a station that is gone."""
    if view.model.replay:
        long, least = Span(" REPLAY ", "badge_warn"), Span("RPL", "badge_warn")
        return [_Piece(Rank.REPLAY, ((long, edge), (long, edge), (least, Span(" ")), ()))]
    live = view.held_ns is None and view.model.is_live(view.now)
    return [_may_vanish(Rank.LIVE, Span(" LIVE ", "good"), edge)] if live else []


def _may_vanish(rank: Rank, *spans: Span) -> _Piece:
    return _Piece(rank, (spans, (), (), ()))


def _badge(badge: Badge) -> _Piece:
    long, short = ((Span(f" {text} ", badge.tone),) for text in (badge.long, badge.short))
    return _Piece(badge.rank, (long, short, (Span(badge.least, badge.tone),) if badge.least else (), ()))


def _beat(view: View) -> _Piece:
    beat = view.glyphs.beat
    row = (Span(beat[view.now // BEAT_NS % len(beat)], "now"),)
    return _Piece(Rank.BEAT, (row, row, row, ()))

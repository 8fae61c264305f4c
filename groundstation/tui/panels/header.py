"""The header: mission, clock, time since entry, live or replay, badges, and the beat; fitted into any width.

The beat is a glyph that moves with the time that is painted. It stands when painting stands: a screen whose beat does
not move shows the past, whatever else it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

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


class _Pieces:
    """The parts at both ends, each in one of its forms.

    Parts that are the same in their least form change together: two losses are one badge, or two with their names.
    """

    def __init__(self, start: list[_Piece], end: list[_Piece]) -> None:
        self._start, self._end = start, end
        groups: dict[tuple[Rank, Row], list[_Piece]] = {}
        for piece in (*start, *end):
            groups.setdefault((piece.rank, piece.forms[_LEAST]), []).append(piece)
        self._groups = [groups[key] for key in sorted(groups, key=lambda key: key[0])]
        self._form = dict.fromkeys((*start, *end), _LONG)
        self._gap = _Gap.ALWAYS

    def start(self) -> Row:
        """What stands at the left."""
        return tuple(span for piece in self._start for span in piece.forms[self._form[piece]])

    def end(self) -> Row:
        """What stands at the right, with gaps where there is room for them."""
        spans: list[Span] = []
        for row in dict.fromkeys(piece.forms[self._form[piece]] for piece in self._end):
            if row and spans and self._has_gap(spans[-1].tone, row[0].tone):
                spans.append(Span(" "))
            spans += row
        return tuple(spans)

    def shrink(self, width: int) -> None:
        """Shorter forms, the least important first, until it fits. Before a badge that must stay goes, gaps go."""
        for form in (_SHORT, _LEAST, _NOTHING):
            for group in reversed(self._groups):
                stays = form == _NOTHING and group[0].rank <= LAST_THAT_STAYS
                for self._gap in _Gap if stays else (_Gap.ALWAYS,):
                    if self._fits(width):
                        return
                self._form |= dict.fromkeys(group, form)

    def grow(self, width: int) -> None:
        """The longest forms that fit all the same, the most important first: the last to yield left room."""
        for group in self._groups:
            before = self._form[group[0]]
            for form in range(before):
                self._form |= dict.fromkeys(group, form)
                if self._fits(width):
                    break
                self._form |= dict.fromkeys(group, before)

    def _has_gap(self, before: Tone, after: Tone) -> bool:
        return self._gap is _Gap.ALWAYS or (self._gap is _Gap.ONE_TONE and before == after)

    def _fits(self, width: int) -> bool:
        return width_of(self.start()) + width_of(self.end()) <= width


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

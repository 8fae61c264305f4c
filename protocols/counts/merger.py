"""Diversity reception: frames of one spacecraft that come over several links, merged into one stream. Sans-I/O.

Rules, with their reasons:
1. A frame is identified by its channel (SCID, VC), its VCFC and its content: what carries packets. MCFC, FECF and OCF
   are the link's own: a relay counts and checks what it relays.
2. The first good copy of a frame wins. A later one of another link is a duplicate of that link. A frame that a link
   brings twice itself is not: what that is, `FrameCounter` says.
3. A frame with the VCFC of a known one and other content is a conflict if its link did not step back in its count: the
   first one stands, the conflict is counted. Its link did step back if the source started again.
4. Copies are looked for among the last frames of a channel: half a turn of its count (behind that a VCFC says nothing)
   and `WINDOW_NS`. Idle frames are alike every turn.
5. A frame that comes before one that is missing is held for the channel's frame period at most, and no more than
   `HOLD_NS`, so that a slow channel is not shown late. It is held only while another link may still bring the missing
   one: it is connected, was heard of late, and has not come so far. So a gap costs no time where no other link can fill
   it, and a fail-over costs less than a frame period.
6. What comes later than that is handed on all the same: `FrameCounter` gives it its place, and takes the loss back.
   Frames of before the first one of all are too old to have a place, if they are many: `STALE`.
7. A channel that is not declared has no period: its frames are never held.
8. Everything is bounded: known frames by rule 4, held ones by `HELD_MAX` for each channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, NamedTuple, TypeVar

from protocols.counts.channel import EARLY
from protocols.sync.frames import TransferFrame
from protocols.units import NS_PER_S

WINDOW_NS = 15 * NS_PER_S
"""Copies may come so much later than the first."""

HOLD_NS = NS_PER_S
"""A frame is held no longer than this, however slow its channel."""

KNOWN_MAX = 4096
"""Frames of a channel that copies are looked for among, whatever its count."""

HELD_MAX = 64
"""Frames of a channel that are held at once."""

QUIET_PERIODS = 10
"""A link that was not heard on a channel for so many frame periods is not waited for."""

Verdict = Literal["FIRST", "HELD", "DUPLICATE", "CONFLICT", "STALE"]
"""What a frame is that was pushed: handed on, held, a later copy, in conflict with a known one, or too old."""

T = TypeVar("T")
_Content = tuple[int, int, bytes]


class Arrival(NamedTuple, Generic[T]):
    """A good frame of a link. ``at`` is when it came (ns, one clock for all links); ``note`` is the caller's own."""

    link: int
    frame: TransferFrame
    at: int
    note: T


class Merged(NamedTuple, Generic[T]):
    """What became of a frame, and the frames that are handed on now, in order."""

    verdict: Verdict
    released: list[Arrival[T]]


@dataclass(slots=True)
class LinkShare:
    """What a link contributed.

    ``only`` counts the frames that no other link has brought so far; it falls when a copy comes.
    """

    first: int = 0
    duplicates: int = 0
    only: int = 0
    conflicts: int = 0
    stale: int = 0


@dataclass(slots=True)
class _Known:
    """A frame that came: over which link first, when, and how often over each."""

    vcfc: int
    link: int
    at: int
    copies: dict[int, int]


@dataclass(slots=True)
class _Heard:
    """What a link brought of a channel last."""

    vcfc: int
    at: int


@dataclass(slots=True)
class _Channel(Generic[T]):
    """One virtual channel.

    ``newest`` is the last VCFC that was handed on in order, at the time ``newest_at``; ``span`` is how far its place is
    behind that of the first.
    """

    period: int
    newest: int | None = None
    newest_at: int = 0
    span: int = 0
    known: dict[_Content, _Known] = field(default_factory=dict)
    by_vcfc: dict[int, _Content] = field(default_factory=dict)
    heard: dict[int, _Heard] = field(default_factory=dict)
    held: dict[int, Arrival[T]] = field(default_factory=dict)


class FrameMerger(Generic[T]):
    """Feed it every good frame of every link, in the order of arrival; it hands each on once.

    Attributes:
        shares: of the links.
    """

    def __init__(self, links: int, modulus: int, periods: Mapping[int, int]) -> None:
        """Begin.

        Args:
            links: how many there are.
            modulus: of the VCFC.
            periods: how far apart the frames of a channel are due (ns), by VCID, as far as it is declared.
        """
        self.shares = [LinkShare() for _ in range(links)]
        self._modulus = modulus
        self._half = modulus // 2
        self._periods = dict(periods)
        self._channels: dict[int, _Channel[T]] = {}
        self._present = set(range(links))
        self._holding = 0

    @property
    def held_since(self) -> int | None:
        """When the oldest frame that is held came; None if none is."""
        if not self._holding:
            return None
        return min((a.at for channel in self._channels.values() for a in channel.held.values()), default=None)

    def push(self, link: int, frame: TransferFrame, at: int, note: T) -> Merged[T]:
        """A good frame came."""
        channel = self._channels.get(frame.vcid)
        if channel is None:
            channel = self._channels[frame.vcid] = _Channel(self._periods.get(frame.vcid, 0))
        before, channel.heard[link] = channel.heard.get(link), _Heard(frame.vcfc, at)
        stepped_back = before is not None and self._has_stepped_back(channel, before, frame.vcfc, at)
        arrival = Arrival(link, frame, at, note)
        verdict = self._of_known(channel, arrival, stepped_back)
        if verdict is not None:
            return Merged(verdict, self._settle(channel, at))
        self._remember(channel, arrival)
        return self._place(channel, arrival, stepped_back)

    def advance(self, now: int) -> list[Arrival[T]]:
        """Nothing more came before ``now``: the frames that were held long enough."""
        if not self._holding:
            return []
        return [arrival for channel in self._channels.values() for arrival in self._settle(channel, now)]

    def connect(self, link: int, present: bool, now: int) -> list[Arrival[T]]:
        """A link is there, or is gone: then nothing waits for it."""
        (self._present.add if present else self._present.discard)(link)
        return self.advance(now)

    def finish(self) -> list[Arrival[T]]:
        """Nothing more comes: all that is held."""
        return [arrival for channel in self._channels.values() for arrival in self._release(channel)]

    def _ahead(self, before: int, vcfc: int) -> int:
        """By how much a VCFC is ahead of another: 0 … modulus - 1; more than half a turn is behind."""
        return (vcfc - before) % self._modulus

    def _has_stepped_back(self, channel: _Channel[T], before: _Heard, vcfc: int, now: int) -> bool:
        """Whether a link's count went back; after more than half a turn of silence that cannot be told."""
        return self._ahead(before.vcfc, vcfc) > self._half and now - before.at < self._half_turn(channel)

    def _half_turn(self, channel: _Channel[T]) -> float:
        """For how long a VCFC is certain, in ns."""
        return channel.period * self._half if channel.period else float("inf")

    def _of_known(self, channel: _Channel[T], arrival: Arrival[T], stepped_back: bool) -> Verdict | None:
        """The verdict on a copy, or on what contradicts a known frame; None: it is new."""
        self._forget(channel, arrival.at)
        share, link, vcfc = self.shares[arrival.link], arrival.link, arrival.frame.vcfc
        known = channel.known.get(_content(arrival.frame))
        if known is not None:
            most = max(known.copies.values())
            brought = known.copies[link] = known.copies.get(link, 0) + 1
            if brought > most:
                return None  # the same link brings it again
            if len(known.copies) == 2 and brought == 1:
                self.shares[known.link].only -= 1
            share.duplicates += 1
            return "DUPLICATE"
        content = channel.by_vcfc.get(vcfc)
        other = None if content is None else channel.known.get(content)
        if other is not None and link not in other.copies and not stepped_back:
            share.conflicts += 1
            return "CONFLICT"
        return None

    def _remember(self, channel: _Channel[T], arrival: Arrival[T]) -> None:
        """The frame is the first of its kind, or its link's own repetition."""
        content, share = _content(arrival.frame), self.shares[arrival.link]
        share.first += 1
        if content in channel.known:
            return
        share.only += 1
        vcfc = arrival.frame.vcfc
        channel.known[content] = _Known(vcfc, arrival.link, arrival.at, {arrival.link: 1})
        channel.by_vcfc[vcfc] = content

    def _forget(self, channel: _Channel[T], now: int) -> None:
        """Keep what rule 4 says; the oldest stands first."""
        while channel.known:
            content, known = next(iter(channel.known.items()))
            if len(channel.known) < min(self._half, KNOWN_MAX) and now - known.at < WINDOW_NS:
                return
            del channel.known[content]
            if channel.by_vcfc.get(known.vcfc) == content:
                del channel.by_vcfc[known.vcfc]

    def _place(self, channel: _Channel[T], arrival: Arrival[T], stepped_back: bool) -> Merged[T]:
        """Hand the new frame on, or hold it."""
        vcfc = arrival.frame.vcfc
        if channel.newest is not None and arrival.at - channel.newest_at > self._half_turn(channel):
            channel.newest = None  # whatever it counts now says nothing of how many are missing
        ahead = None if channel.newest is None else self._ahead(channel.newest, vcfc)
        if ahead is not None and (not ahead or ahead > self._half):
            return self._behind(channel, arrival, -ahead % self._modulus, stepped_back)
        if ahead == 1:
            return Merged("FIRST", [*self._hand_on(channel, arrival), *self._settle(channel, arrival.at)])
        if len(channel.held) < HELD_MAX and vcfc not in channel.held:
            channel.held[vcfc] = arrival
            self._holding += 1
            released = self._settle(channel, arrival.at)
            return Merged("HELD" if vcfc in channel.held else "FIRST", released)
        released = self._release(channel, vcfc)
        return Merged("FIRST", [*released, *self._hand_on(channel, arrival)])

    def _behind(self, channel: _Channel[T], arrival: Arrival[T], back: int, stepped_back: bool) -> Merged[T]:
        """A frame that is not ahead of the newest: of a source that started again, late, or too old."""
        if stepped_back and back > EARLY:
            released = self._release(channel)
            channel.newest, channel.span = None, 0
            return Merged("FIRST", [*released, *self._hand_on(channel, arrival)])
        if not stepped_back and channel.span < back - EARLY:
            self._take_back(channel, arrival)
            return Merged("STALE", [])
        return Merged("FIRST", [arrival, *self._settle(channel, arrival.at)])

    def _take_back(self, channel: _Channel[T], arrival: Arrival[T]) -> None:
        """It was counted as the first of its kind, and is too old."""
        share, content = self.shares[arrival.link], _content(arrival.frame)
        share.first, share.only, share.stale = share.first - 1, share.only - 1, share.stale + 1
        channel.known.pop(content, None)
        channel.by_vcfc.pop(arrival.frame.vcfc, None)

    def _settle(self, channel: _Channel[T], now: int) -> list[Arrival[T]]:
        """Hand on what nothing is missing before any more, and what has waited in vain."""
        released: list[Arrival[T]] = []
        while channel.held:
            first = self._first_held(channel)
            follows = channel.newest is not None and self._ahead(channel.newest, first) == 1
            hold = min(channel.period, HOLD_NS)
            waited = [vcfc for vcfc, arrival in channel.held.items() if now - arrival.at >= hold]
            if not follows and not waited and self._may_come(channel, first, now):
                break
            self._holding -= 1
            released += self._hand_on(channel, channel.held.pop(first))
        return released

    def _release(self, channel: _Channel[T], until: int | None = None) -> list[Arrival[T]]:
        """Hand on all that is held, or what is behind ``until``."""
        released: list[Arrival[T]] = []
        while channel.held:
            first = self._first_held(channel)
            if until is not None and self._ahead(first, until) > self._half:
                break
            self._holding -= 1
            released += self._hand_on(channel, channel.held.pop(first))
        return released

    def _first_held(self, channel: _Channel[T]) -> int:
        base = channel.newest if channel.newest is not None else min(channel.held.values(), key=_at).frame.vcfc
        return min(channel.held, key=lambda vcfc: (self._ahead(base, vcfc) + self._half - 1) % self._modulus)

    def _may_come(self, channel: _Channel[T], first: int, now: int) -> bool:
        """Whether another link may still bring a frame of before the first that is held (rule 5)."""
        brought = channel.held[first].link
        for link in self._present:
            heard = channel.heard.get(link)
            if link == brought:
                continue
            if heard is None:
                if channel.newest is None:
                    return True
            elif now - heard.at <= QUIET_PERIODS * channel.period and self._ahead(heard.vcfc, first) in range(
                2 if channel.newest is not None else 1, self._half
            ):
                return True
        return False

    def _hand_on(self, channel: _Channel[T], arrival: Arrival[T]) -> list[Arrival[T]]:
        if channel.newest is not None:
            channel.span = min(channel.span + self._ahead(channel.newest, arrival.frame.vcfc), self._modulus)
        channel.newest, channel.newest_at = arrival.frame.vcfc, arrival.at
        return [arrival]


def _content(frame: TransferFrame) -> _Content:
    return frame.vcfc, frame.first_header_pointer, frame.data


def _at(arrival: Arrival[T]) -> int:
    return arrival.at

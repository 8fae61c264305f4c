"""A recording in the order in which it happened, from any place on: what a replay plays. No clock, no thread.

Rules:
1. The order is the ingest sequence: `ReplaySource.items` gives chunks, changes of the transport, and what was then
   published (events, changes of contact, commands, acknowledgements, gaps of the recording).
2. What is retold is not a moment of the link: it comes at its own time, but never later than what follows it in the
   sequence, so that it never makes a replay wait for the past.
3. Every published message is given, also those that decoding produces again; `ReplayFilter` lets each through once.
4. An unreadable record is reported at its place, and reading goes on after it: a damaged record costs itself alone.
5. A time that is a day away from the one before it and from most of those that follow is a damaged one: the replay does
   not wait for it.
6. Items of several links have their time by the station's clock, as live: a link's own may be seconds ahead of it. What
   they report keeps the link's.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain, islice, repeat, takewhile
from typing import NamedTuple

import msgspec

from groundstation.errors import ArchiveError, CallerError
from groundstation.formats.iso_time import iso_utc
from groundstation.links.base import Chunk, Disturbance, NamedLink, RecordedMessage, ReplayedMessage, TransportChange
from groundstation.messages.commanding import CommandUpdate
from groundstation.messages.wire import Acknowledgement, ContactChange, EventMessage, Transport
from groundstation.recordings.event_bodies import Gap
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.records import EventRecord, FrameRecord
from groundstation.recordings.schema import GAP_KIND
from protocols.times import utc_ns
from protocols.units import NS_PER_DAY, NS_PER_S

_TIME = re.compile(r"\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?")
_DAYS_MAX = 1000
_CHOICES_SHOWN = 5
_ODD_SHARE = 10
"""Onboard times that fewer frames say than a tenth of the most are looked at last: a clock that was not set yet."""
_CANDIDATES = 10_000
PREROLL_NS = 3 * NS_PER_S
"""So much is given before the place of a jump."""
_BEFORE_LOCK_NS = NS_PER_S // 2
"""And so much before the three frames with which the slowest channel was locked."""

_LEARN_NS = 300 * NS_PER_S
_LEARN_HALVED = 6
_LEARN_MAX = 512 << 10
"""So many bytes before a jump are looked at for value quality, at most: half a second of work."""

_LAST = 1 << 62
_LOST_OF_LATE_NS = 60 * NS_PER_S
GAP_EVENT = "ARCHIVE_GAP"
"""Name of the event that says, in a replay, that records are missing."""

DAMAGE_EVENT = "ARCHIVE_DAMAGED"
"""Name of the event that says, in a replay, that records cannot be read."""

_YEAR_NS = 365 * NS_PER_DAY
_AHEAD = 64
"""So many records are looked at to tell whether a time can be believed."""

_EVENTS_CHECKED = 10_000
_CHECKED_MAX = 256 << 20
"""Larger recordings are not looked through before they are played: it would take longer than a second."""

_NEWS: dict[str, type[EventMessage] | type[CommandUpdate] | type[ContactChange] | type[Acknowledgement]] = {
    "event": EventMessage,
    "command": CommandUpdate,
    "contact": ContactChange,
    "acknowledgement": Acknowledgement,
}
"""The types of a station's messages, by the kind under which they are recorded."""


class Item(NamedTuple):
    """Something that happened. ``end`` is how far into its chunk it goes, ``start`` where it begins.

    ``ert`` is by the station's clock.
    """

    id: int
    ert: int
    report: Chunk | TransportChange | ReplayedMessage
    start: int = 0
    end: int = 0


class _Transport(msgspec.Struct):
    """Body of a recorded change of the transport."""

    state: Transport
    detail: str
    peer: bool = False
    disturbance: Disturbance = ""
    link: int = 0
    ahead: int = 0


class _Contact(msgspec.Struct):
    """Body of a recorded change of contact, as far as it matters here."""

    state: str
    revised: bool = False


class ReplaySource:
    """Finds places in a recording and gives what follows. To be used by one thread at a time."""

    def __init__(self, reader: ArchiveReader) -> None:
        """Args: the recording, which is closed with this.

        Raises:
            ArchiveError: nothing of it can be read.
        """
        self._reader = reader
        reader.check(_CHECKED_MAX)
        for event in islice(reader.events(), _EVENTS_CHECKED):
            self._report(event)  # what cannot be decoded is noted

    @property
    def lack(self) -> str:
        """What was found to be missing in the recording so far, in words; empty if nothing."""
        return self._reader.lack

    def close(self) -> None:
        """Close the recording. Idempotent."""
        self._reader.close()

    def span(self) -> tuple[int, int]:
        """Earth received times of the first and the last record.

        Raises:
            ArchiveError: nothing that was received can be read.
            CallerError: nothing was received.
        """
        span = self._span()
        if span is None or not self._reader.bytes_total:
            if self._reader.lack:
                raise ArchiveError(f"{self._reader.path} {self._reader.lack}: there is nothing left to replay")
            raise CallerError(f"{self._reader.path} holds no received byte: there is nothing to replay")
        return span

    def last(self) -> int | None:
        """Earth received time of what is the last record now; None if there is none."""
        span = self._span()
        return None if span is None else span[1]

    def find(self, text: str) -> int:
        """The Earth received time of a mission time as text, or that time itself if it lies in the pass.

        Raises:
            CallerError: no time, or the recording does not hold it, or holds that time of day on several days.
        """
        onboard, received = self._reader.onboard_spans(), self.span()
        most = max((span.frames for span in onboard), default=0)
        for spans in (
            [(span.first, span.last) for span in onboard if span.frames * _ODD_SHARE >= most],
            [(span.first, span.last) for span in onboard],
        ):
            times = times_within(text, spans)
            frame = self._reader.frame_by_scet(_only(text, times)) if times else None
            if frame is not None:
                return frame.ert
        times = times_within(text, [received])
        if times:
            return _only(text, times)
        said = sorted(sorted(onboard, key=lambda span: -span.frames)[:_CHOICES_SHOWN])
        aboard = f"on board {', '.join(_range(span.first, span.last) for span in said)}; " if said else ""
        raise CallerError(f"{text} is not in the recording: {aboard}received {_range(*received)}")

    def context_of(self, ert: int) -> int:
        """The id to begin with, so that at ``ert`` there is lock, and channels lost of late are known.

        It is a chunk's; 0 if no chunk is before it: then the recording begins with what was published before.
        """
        once, locked = self._reader.all_heard_since(ert - _LOST_OF_LATE_NS, ert) or (ert, ert)
        begin = min(once, self._reader.time_of_chunk(_LAST)) - PREROLL_NS
        chunk = self._reader.chunk_by_ert(min(begin, locked - _BEFORE_LOCK_NS))
        return chunk if chunk is not None and self._reader.has_chunk_before(chunk) else 0

    def received_before(self, first: int) -> Iterator[Chunk | TransportChange]:
        """What was received in the minutes before the id ``first``: values are judged by what came so long before.

        Of a fast link it is less: as many bytes as can be decoded in half a second.
        """
        end, begin = self._reader.time_of_chunk(first), first
        for halved in range(_LEARN_HALVED, -1, -1):  # the longest time that is not too much
            chunk = self._reader.chunk_by_ert(end - (_LEARN_NS >> halved))
            if chunk is None or self._reader.bytes_of_all_between(chunk, first) > _LEARN_MAX:
                break
            begin = min(begin, chunk)
        if begin == first:
            return
        yield from self.transports(begin, end)
        for item in takewhile(lambda each: each.id < first, self.items(begin)):
            if not isinstance(item.report, ReplayedMessage):
                yield item.report

    def event_after(self, ert: int) -> int | None:
        """When the next thing that viewers show after that time was recorded; None if there is none."""
        return self._reader.happened_after(ert)

    def event_before(self, ert: int) -> int | None:
        """When the last thing that viewers show before that time was recorded; None if there is none."""
        return self._reader.happened_before(ert)

    def loss_after(self, ert: int) -> int | None:
        """When the next loss of signal was declared; behind the last one, the first. None if there is none."""
        losses = [event.ert for event in self._reader.events("contact") if self._is_loss(event)]
        return min((loss for loss in losses if loss > ert), default=min(losses, default=None))

    @property
    def links(self) -> list[NamedLink]:
        """The links of a station that had several; empty if it had one."""
        return self._reader.named_links()

    def transports(self, before: int, ert: int) -> list[TransportChange]:
        """The transport of each link as it stood before that id, as of ``ert``; none whose first report comes later."""
        if self.links:
            last = {}
            for each in takewhile(lambda each: each.id < before, self._reader.events("transport")):
                change = self._change(each, ert)
                if change is not None and change.disturbance != "moment":
                    last[change.link] = replace(change, ert=ert + change.ahead)
            return [last[link] for link in sorted(last)]
        event = self._reader.last_event("transport", before)
        if event is None:
            is_told = self._reader.has_event("transport")
            return [] if is_told else [TransportChange(ert, "CONNECTED", "as recorded")]
        change = self._change(event, ert)
        if change is not None and change.disturbance == "moment":
            change = replace(change, disturbance="")
        return [] if change is None else [change]

    def items(self, first: int) -> Iterator[Item]:
        """All items from the id ``first`` on, in the order they were recorded; also what is recorded while reading.

        Raises:
            ArchiveError: the recording cannot be read any more.
        """
        retold: list[Item] = []
        for item in _timed(self._records(first)):
            if isinstance(item.report, ReplayedMessage):
                retold.append(item)
                continue
            yield from (each._replace(ert=min(each.ert, item.ert)) for each in retold)
            retold.clear()
            yield item
        yield from retold

    def split(self, item: Item, frame: FrameRecord) -> tuple[Item, list[Item]] | None:
        """Cut a chunk at the end of a frame; None if the frame does not end in it."""
        report = item.report
        if not isinstance(report, Chunk) or item.id < frame.chunk:
            return None
        if report.link != self._reader.link_of_chunk(frame.chunk):
            return None
        wanted = frame.offset + frame.size - self._reader.bytes_between(frame.chunk, item.id)
        if wanted > item.end:
            return None
        cut = max(wanted - item.start, 0)
        head = Item(item.id, item.ert, Chunk(report.ert, report.data[:cut], report.link), item.start, item.start + cut)
        tail = Item(item.id, item.ert, Chunk(report.ert, report.data[cut:], report.link), item.start + cut, item.end)
        return head, ([tail] if cut < len(report.data) else [])

    def frame_from(self, place: tuple[int, int], steps: int) -> FrameRecord | None:
        """The frame so many steps after the last one that is whole before ``place``, a chunk's id and an offset in it.

        Raises:
            ArchiveError: the recording has no index of frames.
        """
        following = self._first_after(place)
        if steps > 0:
            return _nth(following, steps - 1, self._reader.frame_after)
        last = self._reader.last_frame() if following is None else self._reader.frame_before(following.id)
        return _nth(last, -steps, self._reader.frame_before)

    def _span(self) -> tuple[int, int] | None:
        """The recording's span; what was published days away from all that was received has a damaged time."""
        span, received = self._reader.span(), self._reader.span_of_bytes()
        if span is None or received is None:
            return span
        near = [abs(told - read) <= NS_PER_DAY for told, read in zip(span, received, strict=True)]
        ahead = max([0, *(change.ahead for change in self.transports(_LAST, 0))]) if self.links else 0
        first, last = span[0] if near[0] else received[0], span[1] if near[1] else received[1]
        return first, max(first, last - ahead)

    def _records(self, first: int) -> Iterator[Item]:
        last, received = first - 1, 0
        ahead = {change.link: change.ahead for change in self.transports(first, 0)} if self.links else {}
        for number, ert, link, kind, data in self._linked_records(first):
            yield from self._lost_between(last, number, ert)
            last, received = number, ert
            if kind is None:
                yield Item(number, ert - ahead.get(link, 0), Chunk(ert, data, link), 0, len(data))
                continue
            report = self._report(EventRecord(number, ert, None, kind, data))
            if isinstance(report, TransportChange):
                ahead[report.link] = report.ahead
                yield Item(number, ert - report.ahead, report)
            elif report is not None:
                yield Item(number, ert, report)
        yield from self._lost_between(last, _LAST, received)

    def _linked_records(self, first: int) -> Iterator[tuple[int, int, int, str | None, bytes]]:
        if self.links:
            yield from self._reader.link_records_from(first)
            return
        for number, ert, kind, data in self._reader.records_from(first):
            yield number, ert, 0, kind, data

    def _report(self, event: EventRecord) -> TransportChange | ReplayedMessage | None:
        """What a recorded event is in a replay; None if it is for others."""
        if event.kind == "transport":
            report: TransportChange | ReplayedMessage | None = self._change(event, event.ert)
        else:
            news = self._news(event)
            report = None if news is None else ReplayedMessage(event.ert, news)
        note = self._reader.note_of(event)
        return report if note is None else ReplayedMessage(event.ert, _damaged(event.ert, note))

    def _lost_between(self, last: int, number: int, ert: int) -> Iterator[Item]:
        """What cannot be read between two records, reported when the second one was received."""
        for lost in self._reader.lost:
            if last < lost.last < number:
                at = ert if lost.received is None else lost.received[1]
                yield Item(lost.last, at, ReplayedMessage(at, _damaged(at, f"cannot be read: {lost}")))

    def _change(self, event: EventRecord, ert: int) -> TransportChange | None:
        body = self._reader.body(event, _Transport)
        return None if body is None else TransportChange(ert, **msgspec.structs.asdict(body))

    def _is_loss(self, event: EventRecord) -> bool:
        contact = self._reader.body(event, _Contact)
        return contact is not None and contact.state == "LOS" and not contact.revised

    def _news(self, event: EventRecord) -> RecordedMessage | None:
        """What an event, a command or a gap has to say; None for all other kinds."""
        if event.kind == GAP_KIND:
            gap = self._reader.body(event, Gap)
            return None if gap is None else _told(event.ert, GAP_EVENT, f"not recorded: {gap}")
        kind = _NEWS.get(event.kind)
        return None if kind is None else self._reader.body(event, kind)

    def _first_after(self, place: tuple[int, int]) -> FrameRecord | None:
        chunk, offset = place
        link = self._reader.link_of_chunk(chunk)
        for frame in islice(self._reader.frames_since(self._reader.time_of_chunk(chunk)), _CANDIDATES):
            if frame.chunk > chunk:
                return frame
            reached = offset if self._reader.link_of_chunk(frame.chunk) == link else 0
            if frame.offset + frame.size > self._reader.bytes_between(frame.chunk, chunk) + reached:
                return frame
        return None


def times_within(text: str, spans: Sequence[tuple[int, int]]) -> list[int]:
    """The times that a text may mean, in ns since 1970, as far as they lie in one of the spans.

    Args:
        text: an ISO 8601 time, UTC unless it has an offset; or a time of day, which is meant on any day of the spans.
        spans: first and last time of each, in ns.

    Raises:
        CallerError: no such time.
    """
    bare = text.strip().removesuffix("UTC").strip()
    stamps = [bare]
    if _TIME.fullmatch(bare):
        days = {day for first, last in spans for day in _days(first, last)} or {0}
        stamps = [f"{date(1970, 1, 1) + timedelta(days=day)}T{bare}" for day in sorted(days)]
    try:
        times = [utc_ns(stamp) for stamp in stamps]
    except ValueError as error:
        raise CallerError(f"invalid time {text!r}: expected 09:10:55 or 1974-03-12T09:10:55.0, in UTC") from error
    return [time for time in times if any(first <= time <= last for first, last in spans)]


def _days(first: int, last: int) -> Iterable[int]:
    """Days since 1970 on which a time of the span may be called, with any offset: those at its ends, if it is long."""
    days = range(first // NS_PER_DAY - 1, last // NS_PER_DAY + 2)
    return days if len(days) <= _DAYS_MAX else chain(days[: _DAYS_MAX // 2], days[-_DAYS_MAX // 2 :])


def _only(text: str, times: Sequence[int]) -> int:
    """The one time that is meant.

    Raises:
        CallerError: there are several.
    """
    if len(times) > 1:
        choices = [iso_utc(time).replace(".000000000", "") for time in times[:_CHOICES_SHOWN]]
        more = f" or on {len(times) - _CHOICES_SHOWN} more days" if len(times) > _CHOICES_SHOWN else ""
        raise CallerError(f"{text} is on several days of the recording: say {' or '.join(choices)}{more}")
    return times[0]


def _nth(frame: FrameRecord | None, steps: int, step: Callable[[int], FrameRecord | None]) -> FrameRecord | None:
    for _ in range(steps):
        if frame is None:
            return None
        frame = step(frame.id)
    return frame


def _timed(items: Iterator[Item]) -> Iterator[Item]:
    """The items; one with a time that is not believed comes at that of the item before."""
    ahead: deque[Item] = deque()
    before: int | None = None
    for item in chain(items, repeat(None)):
        if item is not None:
            ahead.append(item)
            if len(ahead) <= _AHEAD:
                continue
        if not ahead:
            return
        first = ahead.popleft()
        believed = _believed(before, first.ert, ahead)
        yield first if believed == first.ert else _at(first, believed)
        before = believed


def _believed(before: int | None, ert: int, ahead: Sequence[Item]) -> int:
    """A time, or what is taken for it if it fits neither to the one before nor to most of those that follow."""
    if before is not None and abs(ert - before) < NS_PER_DAY:
        return ert
    following = sorted(item.ert for item in ahead)
    middle = following[len(following) // 2] if following else before
    reference = middle if before is None else before
    if middle is None or reference is None or abs(ert - middle) < (NS_PER_DAY if following else _YEAR_NS):
        return ert
    return reference


def _at(item: Item, ert: int) -> Item:
    """The item at another time."""
    report = item.report
    if isinstance(report, Chunk):
        return item._replace(ert=ert, report=report._replace(ert=ert))
    return item._replace(ert=ert, report=replace(report, ert=ert))


def _damaged(ert: int, text: str) -> EventMessage:
    return _told(ert, DAMAGE_EVENT, text)


def _told(ert: int, name: str, text: str) -> EventMessage:
    return EventMessage(severity="WARNING_HI", source="STATION", name=name, text=text, ert=ert)


def _moment(time: int) -> datetime:
    return datetime.fromtimestamp(time // NS_PER_S, UTC)


def _range(first: int, last: int) -> str:
    return f"{_moment(first):%Y-%m-%dT%H:%M:%S} to {_moment(last):%Y-%m-%dT%H:%M:%S}"

"""A recording as a link: ``replay:PATH?speed=4&from=09:10:55``. What was read is read again, at its own times.

Rules:
1. Time is the recording's: reports carry the Earth received times of the pass, and `now` runs with them at ``speed``.
   So contact, limits and verdicts come out as they did live, whatever the speed.
2. The order is the ingest sequence. Changes of the transport come from the recording, and so does what its station
   published; silence between reads is reported as it was, never later than the contact monitor needs.
3. A jump reports `ReplayJump` first: a decoder starts from scratch. The seconds before it are given at once, so there
   is context, and lock of the slowest channel, too. With the jump comes what was received in the minutes before, by
   which values are judged. A seek of up to a minute ahead is not a jump: what lies between is given at once.
4. At the end of the recording time stands still: nothing is declared lost because a file ends.
5. A recording may still be written: its end is where it is now, and moves on.
6. What is damaged is skipped and reported (`replay_source`). Only if nothing more can be read the replay ends, as at
   the end of the recording, but reports why; requests to seek elsewhere are still executed.
7. Nothing is written, to no spacecraft and to no file.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, unquote_to_bytes

from groundstation.errors import ArchiveError, CallerError, LinkError
from groundstation.links.base import Clock, EndOfStream, Idle, ReplayedMessage, ReplayJump, Report
from groundstation.links.reader import LISTEN_MS, ReaderThread
from groundstation.links.replay_clock import PlaybackState, ReplayClock, SeekRequest, checked_speed
from groundstation.links.replay_source import Item, ReplaySource
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.records import FrameRecord
from protocols.declare.mission import Mission
from protocols.units import NS_PER_MIN, NS_PER_MS, NS_PER_S

T = TypeVar("T")

SHORT_WAY_NS = NS_PER_MIN
_LISTEN_MAX_MS = 400
"""Silence is reported at least this often in the recording's time; the contact monitor takes 500 ms for a stall."""


_LOOK_EVERY_NS = 500 * NS_PER_MS
"""How often a replay looks up the current end of its recording."""


class ReplayLink:
    """Plays a recording; takes requests to pause, go on, seek, step and change speed from any one thread.

    Attributes:
        links: of the station that recorded it, if it had several.
    """

    OPTIONS = ("speed", "from", "paused")

    def __init__(self, path: Path, speed: float = 1.0, start: str | None = None, paused: bool = False) -> None:
        """Open a recording.

        Args:
            path: the recording; it may still be written.
            speed: times faster than it was.
            start: where to begin, as `ReplaySource.find` takes it; by default at its start.
            paused: start paused.

        Raises:
            ArchiveError: it is none of this station's.
            CallerError: a speed or time that cannot be, or nothing was received.
        """
        self.url = replay_url(path)
        self.path = path
        self._lookup = ReplaySource(ArchiveReader(path))
        with contextlib.ExitStack() as refused:
            refused.callback(self._lookup.close)
            self._first, self._last = self._lookup.span()
            self.links = self._lookup.links
            begin = self._first if start is None else self._lookup.find(start)
            self._tempo = ReplayClock(begin, time.monotonic_ns(), checked_speed(speed), running=not paused)
            refused.pop_all()
        self._journey: SeekRequest | None = SeekRequest(begin, jump=True)
        self._place = (0, 0)
        self._bound_for: FrameRecord | None = None
        self._told = self._listened = begin
        self._looked = 0
        self._ended = False
        self._fault = ""
        self._broken = ""
        self._stopping = False
        self._changed = threading.Condition()
        self._sink: Callable[[Report], None] = _discard
        self._reader = ReaderThread(self._run, f"replay {path.name}")

    @classmethod
    def from_url(
        cls, address: str, options: Mapping[str, str], clock: Clock, mission: Mission | None = None
    ) -> ReplayLink:
        """The link of a URL; the host's clock is not asked.

        Raises:
            ArchiveError: the recording cannot be read.
            CallerError: an option that cannot be.
        """
        try:
            speed = float(options.get("speed", "1"))
        except ValueError as error:
            raise CallerError(f"speed={options['speed']}: expected a number, such as 4") from error
        return cls(
            Path(os.fsdecode(unquote_to_bytes(address))),
            speed,
            options.get("from"),
            options.get("paused", "no") == "yes",
        )

    @property
    def lack(self) -> str:
        """What was found to be missing in the recording so far, in words; empty if nothing."""
        return self._lookup.lack

    def now(self) -> int:
        """The recording's time."""
        with self._changed:
            return self._now()

    def state(self) -> PlaybackState:
        """Where it stands and how it plays."""
        if time.monotonic_ns() - self._looked >= _LOOK_EVERY_NS:
            with contextlib.suppress(ArchiveError):  # the replay thread reports it when it gets there
                self._look_on()
        with self._changed:
            tempo = self._tempo
            return PlaybackState(self._now(), self._first, self._last, tempo.speed, not tempo.running, self._ended)

    def describe(self) -> str:
        """One line of text: how it plays."""
        state = self.state()
        if state.ended:
            return f"{self.path.name} cannot be read on" if self._fault else f"the end of {self.path.name}"
        return f"{self.path.name} at speed {state.speed:g}{', paused' if state.paused else ''}"

    def start(self, sink: Callable[[Report], None]) -> None:
        """Begin to play, from a thread of its own."""
        self._sink = sink
        with self._changed:
            self._tempo.since = time.monotonic_ns()
        self._reader.start()

    def stop(self) -> None:
        """Close and join the thread. Idempotent."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._reader.stop()
        self._lookup.close()

    def write(self, data: bytes) -> None:
        """Refuse.

        Raises:
            LinkError: always.
        """
        raise LinkError("this is a replay: a recording takes no commands")

    def play(self, running: bool) -> None:
        """Pause, or go on: past the end, too, if more has been recorded since.

        Raises:
            ArchiveError: the recording cannot be read.
        """
        self._set(running=running)
        if running and self._ended and not self._fault:
            self._look_on()
            with self._changed:
                if self._ended and self._last > self._tempo.at:
                    self._go(SeekRequest(self._tempo.at, jump=False))

    def set_speed(self, speed: float) -> None:
        """Play faster or slower.

        Raises:
            CallerError: a speed that cannot be.
        """
        self._set(speed=checked_speed(speed))

    def seek(self, to: str) -> None:
        """Seek to a mission time or an Earth received time, in UTC.

        Raises:
            CallerError: no time, or the recording does not hold it.
        """
        ert = self._lookup.find(to)
        with self._changed:
            self._go(SeekRequest(ert, jump=True))

    def skip(self, ns: int) -> None:
        """Go so far on, or back if negative; at either end of the recording stop.

        Raises:
            ArchiveError: the recording cannot be read.
        """
        self._look_on()
        with self._changed:
            now = self._now()
            self._go_to(min(max(now + ns, self._first), max(now, self._last)), now)

    def next_event(self, back: bool = False) -> None:
        """Go to the next recorded thing that viewers show, or to the one before, and show it.

        Raises:
            CallerError: there is none.
        """
        now = self.now()
        ert = self._lookup.event_before(now - 1) if back else self._lookup.event_after(now)
        self._show(ert, f"event {'before' if back else 'after'} this moment")

    def next_loss(self) -> None:
        """Go to where the next loss of signal was declared; behind the last one, to the first.

        Raises:
            CallerError: the recording has none.
        """
        self._show(self._lookup.loss_after(self.now()), "loss of signal")

    def step(self, frames: int) -> None:
        """Pause, and show so many frames more, or fewer if negative.

        Raises:
            ArchiveError: the recording has no index of frames.
            CallerError: there is no frame there.
        """
        with self._changed:
            frame = self._bound_for  # it is on its way there: steps add up
            place = self._place if frame is None else (frame.chunk, frame.offset + frame.size)
            self._tempo.set(time.monotonic_ns(), at=self._now(), running=False)
        frame = self._lookup.frame_from(place, frames)
        if frame is None:
            raise CallerError(f"there is no frame {'before' if frames < 0 else 'after'} this one")
        with self._changed:
            self._go(SeekRequest(frame.ert, jump=frames < 0, until=frame))

    def _show(self, ert: int | None, what: str) -> None:
        """Go just behind what happened at that time."""
        if ert is None:
            raise CallerError(f"the recording has no {what}")
        with self._changed:
            self._go_to(ert + 1, self._now())

    def _go_to(self, ert: int, now: int) -> None:
        pending = self._journey is not None and self._journey.jump
        self._go(SeekRequest(ert, jump=pending or not now <= ert <= now + SHORT_WAY_NS))

    def _set(self, *, running: bool | None = None, speed: float | None = None) -> None:
        with self._changed:
            self._tempo.set(time.monotonic_ns(), at=self._now(), running=running, speed=speed)
            self._changed.notify_all()

    def _go(self, journey: SeekRequest) -> None:
        if self._broken:
            raise ArchiveError(self._broken)
        self._tempo.set(time.monotonic_ns(), at=journey.ert)
        self._journey, self._ended, self._fault, self._bound_for = journey, False, "", journey.until
        self._changed.notify_all()

    def _now(self) -> int:
        at = self._tempo.at
        return at if self._ended else min(self._tempo.now(time.monotonic_ns()), max(self._last, at))

    def _look_on(self) -> None:
        """See how far the recording goes now."""
        self._looked = time.monotonic_ns()
        last = self._lookup.last()
        with self._changed:
            self._last = max(self._last, last or 0)

    # ------------------------------------------------------------------------------------------ in the thread

    def _run(self) -> None:
        try:
            with contextlib.closing(ReplaySource(ArchiveReader(self.path))) as playback:
                self._play(playback)
        except Exception as error:  # it ends this thread, and would go unreported
            with self._changed:
                self._journey, self._broken = None, str(error) or repr(error)
            self._end(max(self.now(), self._told), self._broken)
            if not isinstance(error, ArchiveError):
                raise

    def _play(self, playback: ReplaySource) -> None:
        items: Iterator[Item] = iter(())
        while (journey := self._next_journey()) is not None:
            try:
                items = self._travel(playback, journey, items)
            except ArchiveError as error:
                items = iter(())
                self._end(max(self.now(), self._told), str(error))

    def _next_journey(self) -> SeekRequest | None:
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopping or self._journey is not None or (self._tempo.running and not self._ended)
            )
            if self._stopping:
                return None
            journey, self._journey = self._journey, None
            return journey or SeekRequest(self._now(), jump=False)

    def _travel(self, playback: ReplaySource, journey: SeekRequest, items: Iterator[Item]) -> Iterator[Item]:
        """Play until there is another request; what is left of the items."""
        if journey.jump:
            items = self._begin_anew(playback, journey.ert)
        while (left := self._travel_over(playback, journey, items)) is None:
            more = self._recorded_since(playback)
            if more is None:
                self._listen_until(journey.ert)
                last = self._last
                if not self._wait_for(last):
                    return iter(())
                more = self._recorded_since(playback)
            if more is None:
                self._end(last, lack=playback.lack)
                return iter(())
            items = more
        return left

    def _recorded_since(self, playback: ReplaySource) -> Iterator[Item] | None:
        """What follows the last thing that was given; None if nothing was recorded yet."""
        items = self._patiently(playback.items(self._place[0] + 1))
        head = list(islice(items, 1))
        return chain(head, items) if head else None

    def _begin_anew(self, playback: ReplaySource, ert: int) -> Iterator[Item]:
        """Report the jump; the items that follow it."""
        first = playback.context_of(ert)
        items = self._patiently(playback.items(first))
        head = list(islice(items, 1))
        self._told = self._listened = head[0].ert if head else ert
        with self._changed:
            self._place = (first, 0)
        before = tuple(self._patiently(playback.received_before(first)))
        self._hand_on(ReplayJump(self._told, ert, before))
        for transport in playback.transports(first, self._told):
            self._hand_on(transport)
        return chain(head, items)

    def _patiently(self, items: Iterator[T]) -> Iterator[T]:
        """The items; time stands still while one is waited for: a damaged recording takes long to be read."""
        while True:
            with self._changed:
                self._tempo.hold(time.monotonic_ns())
            try:
                item = next(items, None)
            finally:
                with self._changed:
                    self._tempo.release(time.monotonic_ns())
            if item is None:
                return
            yield item

    def _travel_over(
        self, playback: ReplaySource, journey: SeekRequest, items: Iterator[Item]
    ) -> Iterator[Item] | None:
        """Play these items until there is another request; what is left of them, or None: there are no more."""
        for item in items:
            if journey.until is not None:
                parts = playback.split(item, journey.until)
                if parts is None:
                    self._give(item)
                    continue
                whole, rest = parts
                self._give(whole)
                self._arrived(journey.until)
                return chain(rest, items)
            if item.ert >= journey.ert:
                self._listen_until(journey.ert)
                if not self._wait_for(item.ert):
                    return chain([item], items)
            self._give(item)
        return None

    def _give(self, item: Item) -> None:
        retold = isinstance(item.report, ReplayedMessage)
        self._listen_until(item.ert if retold else item.ert - _LISTEN_MAX_MS * NS_PER_MS)
        if self.links and (retold or not 0 <= self._told - self._listened < LISTEN_MS * NS_PER_MS):
            self._listen(self._told)
        with self._changed:
            self._place = (item.id, item.end)
            self._last = max(self._last, item.ert)
            if item.ert < self._told and not retold:  # the station's clock was set back
                self._tempo.set(time.monotonic_ns(), at=item.ert)
        if not retold:
            self._told = item.ert
        self._hand_on(item.report)

    def _hand_on(self, report: Report) -> None:
        """Give a report; replay time stands still until the receiver has taken it."""
        with self._changed:
            self._tempo.hold(time.monotonic_ns())
        self._sink(report)
        with self._changed:
            self._tempo.release(time.monotonic_ns())

    def _arrived(self, frame: FrameRecord) -> None:
        with self._changed:
            if self._bound_for is frame:
                self._bound_for = None

    def _listen_until(self, ert: int) -> None:
        """What is given at once has its silences too."""
        while self._told < ert:
            self._told = min(ert, self._told + _LISTEN_MAX_MS * NS_PER_MS)
            self._listen(self._told)

    def _listen(self, ert: int) -> None:
        """No more came before ``ert``: on no link, whichever has brought bytes until now."""
        self._listened = ert
        self._hand_on(Idle(ert, None if self.links else 0))

    def _end(self, at: int, fault: str = "", lack: str = "") -> None:
        """Nothing more comes, unless a new seek request has come."""
        with self._changed:
            if self._ended or self._journey is not None:
                return
            self._ended, self._fault, self._bound_for = True, fault, None
            self._tempo.set(time.monotonic_ns(), at=at)
        self._hand_on(EndOfStream(at, fault, lack))

    def _wait_for(self, ert: int) -> bool:
        """Let the recording's time come to ``ert``; False: there is another request, or a pause."""
        while True:
            with self._changed:
                if self._journey is not None or self._stopping or not self._tempo.running:
                    return False
                speed = self._tempo.speed
                ahead = min(ert, self._told + int(min(LISTEN_MS * max(speed, 1.0), _LISTEN_MAX_MS) * NS_PER_MS))
                left = (ahead - self._tempo.now(time.monotonic_ns())) / speed / NS_PER_S
                if left > 0:
                    self._changed.wait(left)
                    continue
            if ahead >= ert:
                return True
            self._told = ahead
            self._listen(ahead)


def replay_url(path: Path, speed: float | None = None, start: str | None = None, paused: bool = False) -> str:
    """The URL of a recording's replay."""
    options = ["paused=yes"] if paused else []
    if speed is not None:
        options.append(f"speed={speed:g}")
    if start is not None:
        options.append(f"from={quote(start)}")
    return f"replay:{quote(os.fsencode(path.absolute()))}" + ("?" + "&".join(options) if options else "")


def _discard(report: Report) -> None:
    """Before `start`."""

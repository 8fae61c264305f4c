"""Telling of what others can cause as often as they like, without filling the log with it. Sans-I/O."""

from __future__ import annotations

from collections.abc import Callable

from protocols.units import NS_PER_S


class EventThrottle:
    """Tells the first of a kind at once, and the others, counted, every few seconds. Bounded.

    Attributes:
        total: everything that was noted.
    """

    EVERY = 10 * NS_PER_S
    KINDS = 64

    def __init__(self, publish: Callable[[str], None], clock: Callable[[], int]) -> None:
        self.total = 0
        self._publish = publish
        self._clock = clock
        self._kinds: dict[str, tuple[int, int, str]] = {}

    def note(self, kind: str, text: str) -> None:
        """Something happened; what is of one ``kind`` is counted together."""
        self.total += 1
        if kind not in self._kinds and len(self._kinds) >= self.KINDS:
            kind, text = "", "others"
        since, more, _ = self._kinds.get(kind, (0, -1, ""))
        if more < 0:
            self._publish(text)
            since = self._clock()
        self._kinds[kind] = (since, more + 1, text)

    def tick(self) -> None:
        """Tell what was counted; to be called now and then."""
        now = self._clock()
        for kind, (since, more, text) in list(self._kinds.items()):
            if now - since < self.EVERY:
                continue
            if more:
                self._publish(f"{text}; {more} more times in {(now - since) // NS_PER_S} s")
                self._kinds[kind] = (now, 0, text)
            else:
                del self._kinds[kind]

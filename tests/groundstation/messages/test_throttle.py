from __future__ import annotations

from groundstation.messages.throttle import EventThrottle


class Clock:
    now = 0

    def __call__(self) -> int:
        return self.now


def test_the_first_is_told_and_the_others_are_counted() -> None:
    clock = Clock()
    told: list[str] = []
    tally = EventThrottle(told.append, clock)
    for _ in range(1000):
        tally.note("a", "A")
    tally.note("b", "B")
    tally.tick()
    assert told == ["A", "B"]
    clock.now = EventThrottle.EVERY
    tally.tick()
    assert told[2:] == ["A; 999 more times in 10 s"]
    clock.now *= 2
    tally.tick()
    tally.note("a", "A")
    assert told[3:] == ["A"]
    assert tally.total == 1002


def test_many_kinds_are_bounded() -> None:
    clock = Clock()
    told: list[str] = []
    tally = EventThrottle(told.append, clock)
    for number in range(10_000):
        tally.note(str(number), str(number))
    assert len(told) == EventThrottle.KINDS + 1
    assert told[-1] == "others"
    clock.now = EventThrottle.EVERY
    tally.tick()
    assert told[-1] == f"others; {10_000 - EventThrottle.KINDS - 1} more times in 10 s"
    assert tally.total == 10_000

from __future__ import annotations

import pytest

from groundstation.errors import CallerError
from groundstation.messages.throttle import EventThrottle
from groundstation.messages.wire import DropReport
from groundstation.security.authorization import LOCAL, Principal
from groundstation.station.monitoring.viewer_stats import KNOWN, NAME_MAX, Viewers


def test_what_viewers_report_adds_up() -> None:
    told: list[str] = []
    viewers = Viewers(EventThrottle(told.append, lambda: 0))
    for name, missed in (("a", 5), ("b", 7), ("a", 5), ("a", 9), ("b", 6), ("b", 8)):
        viewers.report(DropReport(viewer=name, missed=missed), LOCAL)
    viewers.report(DropReport(viewer="c", missed=1), Principal("anna", "telemetry"))
    assert viewers.missed == 9 + 7 + 2 + 1
    assert told == ["a viewer missed 5 messages so far", "key:anna a viewer missed 1 message so far"]


def test_many_viewers_are_bounded() -> None:
    viewers = Viewers(EventThrottle(lambda _: None, lambda: 0))
    for number in range(3 * KNOWN):
        viewers.report(DropReport(viewer=str(number), missed=1), LOCAL)
    assert viewers.missed == 3 * KNOWN


@pytest.mark.parametrize(("name", "missed"), [("", 1), ("x" * (NAME_MAX + 1), 1), ("x", -1)])
def test_reports_that_cannot_be(name: str, missed: int) -> None:
    viewers = Viewers(EventThrottle(lambda _: None, lambda: 0))
    with pytest.raises(CallerError):
        viewers.report(DropReport(viewer=name, missed=missed), LOCAL)
    assert viewers.missed == 0


def test_a_stall_is_told_once() -> None:
    told: list[str] = []
    viewers = Viewers(EventThrottle(told.append, lambda: 0))
    for count in (0, 1, 1, 2):
        viewers.stalls(count)
    assert told == ["a viewer does not keep up: messages to it are dropped, to no other viewer"]

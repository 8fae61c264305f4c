"""Several links of a station: reports say which link they are of, commands go out over one, clocks are compared."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from groundstation.errors import LinkError
from groundstation.links.base import Chunk, Idle, Link, RelayGap, Report, TransportChange
from groundstation.links.link_set import AHEAD_STEP, LinkSet
from protocols.units import NS_PER_MS

HOST = 1_000_000 * NS_PER_MS


class FarLink:
    """A link whose port has a clock of its own, and that reports what a test gives it."""

    def __init__(self, name: str, ahead: int = 0) -> None:
        self.url = f"far:{name}"
        self.ahead = ahead
        self.written: list[bytes] = []
        self.report: Callable[[Report], None] = lambda report: None

    def now(self) -> int:
        return HOST + self.ahead

    def start(self, sink: Callable[[Report], None]) -> None:
        self.report = sink

    def write(self, data: bytes) -> None:
        if not self.url.endswith("up"):
            raise LinkError("not this one")
        self.written.append(data)

    def stop(self) -> None:
        """Nothing to stop."""


def started(*links: Link, commands: int = 0) -> tuple[LinkSet, list[Report]]:
    found: list[Report] = []
    links_ = LinkSet(links, lambda: HOST, commands)
    links_.start(found.append)
    return links_, found


def test_reports_say_which_link_they_are_of() -> None:
    a, b = FarLink("a"), FarLink("b")
    _, found = started(a, b)
    a.report(Chunk(1, b"a"))
    b.report(Chunk(2, b"b"))
    b.report(Idle(3))
    b.report(RelayGap(4, 2))
    b.report(TransportChange(5, "CONNECTED", "there"))
    assert found == [
        Chunk(1, b"a", 0),
        Chunk(2, b"b", 1),
        Idle(3, 1),
        RelayGap(4, 2, 1),
        TransportChange(5, "CONNECTED", "there", link=1),
    ]


def test_one_link_reports_as_it_is() -> None:
    alone = FarLink("a", ahead=10**12)
    _, found = started(alone)
    alone.report(TransportChange(5, "CONNECTED", "there"))
    alone.report(Chunk(6, b"a"))
    assert found == [TransportChange(5, "CONNECTED", "there"), Chunk(6, b"a")]


def test_commands_go_out_over_one_link() -> None:
    down, up = FarLink("down"), FarLink("up")
    links, _ = started(down, up, commands=1)
    links.write(b"PING")
    assert up.written == [b"PING"]
    assert links.is_for_commands(TransportChange(1, "CONNECTED", "", link=1))
    assert not links.is_for_commands(TransportChange(1, "CONNECTED", "", link=0))
    assert not links.is_for_commands(Chunk(1, b"x", 1))
    with pytest.raises(LinkError):
        LinkSet([down, up], lambda: HOST).write(b"PING")


def test_a_far_clock_is_told_before_what_it_stamped() -> None:
    """It is known with the first message of the far port, when the transport is connected already."""
    near, far = FarLink("near"), FarLink("far")
    _, found = started(near, far)
    far.report(TransportChange(HOST, "CONNECTED", "there"))
    far.ahead = 5000 * NS_PER_MS
    far.report(Chunk(far.now(), b"x"))
    far.ahead += AHEAD_STEP // 2
    far.report(Chunk(far.now(), b"y"))
    told = [report for report in found if isinstance(report, TransportChange)]
    assert [change.ahead for change in told] == [0, 5000 * NS_PER_MS]
    assert [type(report) for report in found] == [TransportChange, TransportChange, Chunk, Chunk]

"""Which orders are obeyed: fresh ones, once."""

from __future__ import annotations

import pytest

from groundstation.errors import CommandRefused
from groundstation.messages.commanding import ArmRequest
from groundstation.station.command_server import FRESH, RequestGuard

S = 1_000_000_000
START, NOW = 100_000 * S, 101_000 * S
HOUR = 3600 * S


def order(issued: int, token: str = "0123456789abcdef") -> ArmRequest:
    return ArmRequest(who="test", token=token, issued=issued, seconds=60)


@pytest.mark.parametrize("wall", [NOW, NOW - HOUR, NOW + HOUR])
def test_an_order_is_fresh_by_the_stations_time_or_by_its_callers(wall: int) -> None:
    """A command line that is started after the clock was set goes by the new time, an old viewer by the old one."""
    for issued in (NOW, NOW - FRESH, NOW + FRESH, wall, wall - FRESH, wall + FRESH):
        RequestGuard(START).check(order(issued), NOW, wall)
        guard = RequestGuard(START)
        guard.check(order(issued), NOW, wall)
        with pytest.raises(CommandRefused, match="replayed"):
            guard.check(order(issued), NOW, wall)
    for issued in (NOW - FRESH - 1, NOW + FRESH + 1, wall - FRESH - 1, wall + FRESH + 1):
        with pytest.raises(CommandRefused, match="by this station's clock"):
            RequestGuard(START).check(order(issued), NOW, wall)


def test_a_caller_elsewhere_goes_by_the_stations_time_alone() -> None:
    with pytest.raises(CommandRefused, match="3600 s ago by this station's clock"):
        RequestGuard(START).check(order(NOW - HOUR), NOW, NOW)


def test_an_order_of_before_the_start_may_have_been_obeyed_before() -> None:
    with pytest.raises(CommandRefused, match="before this station started"):
        RequestGuard(START).check(order(START - 1), START + S, START + S)

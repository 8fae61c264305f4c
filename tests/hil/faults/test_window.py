"""Where a fault's window opens: times in UTC or with an offset."""

from __future__ import annotations

import tomllib

import pytest

from hil.faults import At, mission_time

LOS = 132_311_465_000_000_000  # 1974-03-12T09:11:05Z
"""Worked out by hand: 1531 days and 33,065 s after 1970-01-01."""


@pytest.mark.parametrize(
    "text",
    ['"09:11:05"', '"09:11:05Z"', '"12:11:05+03:00"', '"1974-03-12T14:41:05+0530"', "1974-03-12T09:11:05Z",
     "1974-03-12T12:11:05+03:00", "1974-03-11T23:11:05-10:00"],
)  # fmt: skip
def test_offset_of_a_time_is_converted(text: str) -> None:
    assert At.parse(tomllib.loads(f"at = {text}")["at"]) == At("scet", LOS)


def test_time_without_zone_is_refused_not_read_in_the_hosts() -> None:
    with pytest.raises(ValueError, match="has no zone"):
        At.parse(tomllib.loads("at = 1974-03-12T09:11:05")["at"])


def test_nanoseconds_of_a_mission_time_are_kept() -> None:
    assert mission_time("09:11:05.000000001") == LOS + 1

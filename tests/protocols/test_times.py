"""Times as people write them, to nanoseconds: the reference is arithmetic on days."""

from __future__ import annotations

import pytest

from protocols.times import utc_ns
from protocols.units import NS_PER_DAY, NS_PER_S

LOS = (1531 * 86_400 + 9 * 3600 + 11 * 60 + 5) * NS_PER_S  # 1974-03-12 is day 1531 after 1970-01-01


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1974-03-12T09:11:05", LOS),
        ("1974-03-12 09:11:05", LOS),
        ("1974-03-12T09:11:05Z", LOS),
        ("1974-03-12T12:11:05+03:00", LOS),
        ("1974-03-12T12:11:05+0300", LOS),
        ("1974-03-11T23:11:05-10:00", LOS),
        ("1974-03-13T00:11:05+15:00", LOS),
        ("1974-03-12T14:41:05.25+05:30", LOS + 250_000_000),
        ("1974-03-12T09:11:05.123456789", LOS + 123_456_789),
        ("1974-03-12T09:11:05,5Z", LOS + 500_000_000),
        ("19740312T091105.000000001Z", LOS + 1),
        ("1974-03-12", 1531 * NS_PER_DAY),
        ("1969-12-31T23:59:59.999999999Z", -1),
    ],
)
def test_time_is_converted_to_utc_exactly(text: str, expected: int) -> None:
    assert utc_ns(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "09:11:05", "1974-03-12T25:00:00", "1974-03-12T09:11.5", "1974-03-12T09:11:05.1234567891", "1974-02-30",
     "1974-03-12T09:11:05+99:00", "1500-01-01T00:00:00", "2263-01-01T00:00:00", "yesterday"],
)  # fmt: skip
def test_what_is_not_a_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is "):
        utc_ns(text)

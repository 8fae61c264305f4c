"""Times as people and files write them: ISO 8601, as integer nanoseconds since 1970-01-01 UTC.

Rules:
1. A time without an offset is UTC; one with an offset (``+03:00``, ``Z``) is converted.
2. Nine digits of a second are exact. More are refused: they cannot be kept.
3. What does not fit into 64 bits of nanoseconds (1677 to 2262) is refused.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_FRACTION = re.compile(r"(?<=\d\d:\d\d:\d\d)[.,](\d+)|(?<=[T ]\d{6})[.,](\d+)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def utc_ns(text: str) -> int:
    """Nanoseconds since 1970 of an ISO 8601 time such as ``1974-03-12T09:11:05.000`` or ``1974-03-12T12:11:05+03:00``.

    Raises:
        ValueError: not such a time, or one that 64 bits of nanoseconds cannot hold.
    """
    found = _FRACTION.search(text)
    digits = (found[1] or found[2]) if found else ""
    if len(digits) > 9:
        raise ValueError(f"{text!r} is finer than a nanosecond")
    whole = text if found is None else text[: found.start()] + text[found.end() :]
    try:
        if "." in whole or "," in whole:
            raise ValueError("only a second has a fraction")
        moment = datetime.fromisoformat(whole)
    except ValueError as error:
        raise ValueError(f"{text!r} is not an ISO 8601 time") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    ns = (moment - _EPOCH) // _MICROSECOND * 1000 + int(digits.ljust(9, "0"))
    if not -(2**63) <= ns < 2**63:
        raise ValueError(f"{text!r} is beyond the years 1677 to 2262")
    return ns

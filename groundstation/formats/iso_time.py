"""Times as ISO 8601 text, for every outlet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from protocols.units import NS_PER_S

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso_utc(ns: int) -> str:
    """A time in ns since 1970-01-01 UTC with all nine digits: ``1974-03-12T09:11:05.000000000Z``."""
    seconds = ns // NS_PER_S
    return f"{_second(seconds)}.{ns - seconds * NS_PER_S:09d}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}"

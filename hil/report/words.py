"""How times, values and states read, in every report alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from groundstation.messages.text import utc
from hil.verdict.result import Measurement, RunResult, Shown

SIGNS: dict[str, str] = {
    "PASS": "✓",
    "MARGINAL": "△",
    "FAIL": "✗",
    "UNSET": "○",
    "UNSTABLE": "≈",
    "INCOMPLETE": "◐",
    "SKIP": "–",
    "XFAIL": "✗",
    "NA": "·",
}
"""Of runs and tests. Colour is never the only signal."""

_STREAMS = ("stream_equal", "golden_to_los", "received_equal")
"""Rows that compare bytes."""
WORST_FIRST: tuple[str, ...] = ("FAIL", "INCOMPLETE", "UNSET", "UNSTABLE", "MARGINAL", "SKIP", "XFAIL", "PASS", "NA")


def utc_ms(nanoseconds: int) -> str:
    """Mission UTC to the millisecond."""
    return utc(nanoseconds, 3)


def shown(value: Shown) -> str:
    """A measured value, for people."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return grouped(value)
    return f"{value:.6g}" if isinstance(value, float) else value


def grouped(value: int) -> str:
    """A count with its thousands apart."""
    return f"{value:,}"


def plural(count: int, word: str) -> str:
    """``1 frame``, ``2 frames``."""
    return f"{grouped(count)} {word}" if count == 1 else f"{grouped(count)} {word}s"


def wanting(result: RunResult) -> list[Measurement]:
    """The rows for which it does not pass: FAIL and UNSET, and UNSTABLE."""
    return [row for row in result.measurements if row.state in ("FAIL", "UNSET", "UNSTABLE")]


def marginal(result: RunResult) -> list[Measurement]:
    """The rows that pass, but only just."""
    return [row for row in result.measurements if row.state == "MARGINAL"]


def row_text(row: Measurement) -> str:
    """A row in a line: ``los_time_error: 100 ms, limit = 0``."""
    value = row.measured if row.value is None else f"{shown(row.value)} {row.unit}".rstrip()
    limit = f", marginal {row.marginal}" if row.state == "MARGINAL" and row.marginal else ""
    return f"{row.name}: {value}, limit {row.limit}{limit}"


def row_property(row: Measurement) -> str:
    """A row as a property in JUnit."""
    return f"{row.state} {row.measured}"


def reason(result: RunResult, *, brief: bool = False) -> str:
    """Why it is what it is: what broke it, its worst row, or what it came to.

    ``brief``: without the row's note; of bytes that differ the field that differs first.
    """
    if result.error:
        return result.error
    rows = wanting(result) or marginal(result)
    if brief and rows and rows[0].name in _STREAMS and result.mismatch is not None and result.mismatch.field:
        return f"{rows[0].name}: {result.mismatch.field}"
    if rows:
        note = f" ({rows[0].note})" if rows[0].note and not brief else ""
        more = f", and {len(rows) - 1} more" if len(rows) > 1 else ""
        return f"{row_text(rows[0])}{note}{more}"
    made = [row for row in result.measurements if row.state != "NA"]
    apart = len(result.measurements) - len(made)
    left = f"; {apart} are not applicable to the part that was flown" if apart else ""
    return f"all {len(made)} measurements pass{left}" if made else "nothing was measured"


def tally(states: Sequence[str]) -> str:
    """``1 FAIL, 12 PASS``, worst first."""
    counts = Counter(states)
    return ", ".join(f"{counts[state]} {state}" for state in WORST_FIRST if counts[state])

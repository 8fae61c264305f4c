"""Lines for the terminal."""

from __future__ import annotations

from hil.report.markup import visible
from hil.report.words import marginal, row_text, wanting
from hil.result import RunResult


def lines(result: RunResult) -> list[str]:
    """The verdict in a line, then a line for each row that did not pass, and for each that is marginal."""
    rows = [*wanting(result), *marginal(result)]
    out = [result.line]
    out += [f"  {row.state:8} {row_text(row)}{f' ({row.note})' if row.note else ''}" for row in rows]
    return [" ".join(visible(line).split("\n")).rstrip() for line in out]

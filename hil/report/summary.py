"""Lines for the terminal."""

from __future__ import annotations

from groundstation.printable import printable
from hil.report.words import marginal, row_text, wanting
from hil.result import RunResult


def lines(result: RunResult) -> list[str]:
    """The verdict in a line, then a line for each row that did not pass, and for each that is marginal."""
    rows = [*wanting(result), *marginal(result)]
    out = [result.line]
    out += [f"  {row.state:8} {row_text(row)}{f' ({row.note})' if row.note else ''}" for row in rows]
    return [printable(line.replace("\n", " ")).rstrip() for line in out]

"""Lines for the terminal."""

from __future__ import annotations

from groundstation.formats.printable import printable
from hil.report.words import marginal, row_text, wanting
from hil.verdict.result import FlownImage, RunResult


def lines(result: RunResult) -> list[str]:
    """The verdict in a line, then a line for each row that did not pass, and for each that is marginal; the image."""
    rows = [*wanting(result), *marginal(result)]
    out = [result.line]
    out += [f"  {row.state:8} {row_text(row)}{f' ({row.note})' if row.note else ''}" for row in rows]
    out += image_lines(result.verdict.image)
    return [printable(line.replace("\n", " ")).rstrip() for line in out]


def image_lines(image: FlownImage | None) -> list[str]:
    """Which image flew, and which did not although it was there."""
    if image is None:
        return []
    unused = [f"  image    not used: {image.not_used}"] if image.not_used else []
    return [f"  image    {image.build}, {image.kind}: {image.path}", *unused]

"""What people and machines read of runs: one renderer a file, each a pure function of the report's contents.

    contents     what a report is of: all that a renderer gets
    gathered     what lies in a report's folder, as such contents
    page         report.html: one file that opens offline, drawn by the modules below
      tested       tests of pytest
      coverage     requirements, and what verifies them
      trials       runs of a campaign
      runs_table   a row for each run, with how long it took
      tables       measurements, faults, log, counters, where it came from
      strip        altitude, speed and lanes over mission time: curves, lanes, over axis and drawing
      telemetry    what else the mission wants drawn, a small panel each
      closeup      single frames around the moments that matter
      histogram    inter-arrival times
      hexdiff      the first byte that differs
    junit        junit.xml, for CI
    as_json      report.json, which reads back as the same results
    summary      lines for the terminal

Nothing here knows a clock or flies anything; what is not in `contents.Report` is not in a report.
To add a report: one module with a function of that, and its line in `REPORTS`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from groundstation.errors import CallerError
from groundstation.formats.output_file import write_output, writing
from hil.report import page
from hil.report.contents import Ended, Report, TestOutcome
from hil.report.export import json as as_json
from hil.report.export import junit
from hil.report.gathered import TESTS, gather, gather_several
from hil.report.summary import image_lines, lines
from hil.runs.campaign_log import CAMPAIGN_LOG

HTML = "report.html"

REPORTS: dict[str, Callable[[Report], str]] = {
    HTML: page.render,
    "junit.xml": junit.render,
    "report.json": as_json.render,
}
"""By the name of the file: what makes its text."""

__all__ = [
    "HTML",
    "REPORTS",
    "TESTS",
    "Ended",
    "Report",
    "TestOutcome",
    "gather",
    "gather_several",
    "image_lines",
    "lines",
    "prepare_folder",
    "release_folder",
    "write_report",
]


def prepare_folder(folder: Path) -> None:
    """Claim the folder of a report, before anything flies for it: its ``runs`` is made here, by one program alone.

    Raises:
        CallerError: it has a report already or a file of the same name, or cannot be made or written.
    """
    for name in ("runs", "campaign.json", CAMPAIGN_LOG, TESTS, *REPORTS):
        if os.path.lexists(folder / name):
            raise _has_report(folder, name)
    try:
        (folder / "runs").mkdir(parents=True)
    except FileExistsError as error:
        if folder.is_dir():
            raise _has_report(folder, "runs") from error
        raise CallerError(f"cannot write a report to {folder}: Not a directory; choose another folder") from error
    except OSError as error:
        raise CallerError(f"cannot write a report to {folder}: {error.strerror}; choose another folder") from error


def release_folder(folder: Path) -> None:
    """Give a claimed folder back if nothing was flown into it."""
    with suppress(OSError):
        (folder / "runs").rmdir()


def _has_report(folder: Path, name: str) -> CallerError:
    return CallerError(f"{folder} has a report already ({name}): choose another folder, or remove it")


def write_report(report: Report, folder: Path) -> Path:
    """Write all reports.

    Args:
        report: what is in them.
        folder: where to; made if it is not there. The bundles of the runs are in it, under ``runs``.

    Returns:
        The path of the HTML file.

    Raises:
        OutputFailed: a file cannot be written: the disk is full.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name, render in REPORTS.items():
        with writing(folder / name):
            write_output(folder / name, render(report).encode(), force=True)
    return folder / HTML

"""The command ``hil report``: reports from what lies there, flown by programs that are over or were killed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from groundstation.errors import CallerError
from groundstation.exit_codes import exit_codes
from groundstation.formats.output import write_line
from groundstation.host.clock import host_clock
from hil.exit_codes import ALL_PASSED, ONE_FAILED, UNSTABLE, code_of_states
from hil.report import REPORTS, Report, gather, gather_several, write_report
from hil.runs.bundles import is_bundle
from hil.runs.run import utc_date

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("report", epilog=exit_codes(ALL_PASSED, ONE_FAILED, UNSTABLE, CallerError))
@click.argument(
    "folders",
    metavar="BUNDLE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option(
    "--report",
    "-o",
    "into",
    type=click.Path(path_type=Path),
    help="Folder for the report. Default: the given report folder if there is one, else ./report.",
)
def report_command(folders: tuple[Path, ...], into: Path | None) -> None:
    """Write a report of runs that were flown, from their bundles: report.html, junit.xml and report.json.

    A BUNDLE is the bundle of a run, a folder of bundles, or the folder of a report. The report of a folder is written
    again, of a campaign and a session of pytest too. The bundles stay where they are; the page links to them.

    \b
    Examples:
      hil report out            of `hil run --report out` or `pytest --hil-report out`, even if that was killed
      hil report out/runs/los-* --report chosen         of some runs
      hil report monday tuesday --report week           of several folders
    """
    now = utc_date(host_clock())
    alone = folders[0] if len(folders) == 1 and not is_bundle(folders[0]) else None
    report, folder = Report(generated=now, results=[]), into or Path("report")
    if alone is not None and into in (None, alone):
        report, folder = gather(alone, now), alone
    if not (report.results or report.tests or report.campaign):
        folder = into or Path("report")
        report = gather_several(folders, folder, now)
        _refuse_if_there(folder)
    write_line(f"report: {write_report(report, folder)}")
    sys.exit(code_of_states({report.state} - {"PASS", "MARGINAL"}))


def _refuse_if_there(folder: Path) -> None:
    """Do not overwrite a report of other runs.

    Raises:
        CallerError: the folder has a report.
    """
    there = [name for name in REPORTS if os.path.lexists(folder / name)]
    if there:
        raise CallerError(f"{folder} has a report already ({there[0]}): choose another folder with --report")

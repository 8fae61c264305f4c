"""The command ``hil report``: reports from what lies there, flown by a program that is over or was killed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from groundstation.host_time import host_clock
from groundstation.output import write_line
from hil.errors import ScenarioError
from hil.report import gather, write_report
from hil.run import utc_date


@click.command("report")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def report_command(folder: Path) -> None:
    """Write the report of a FOLDER again, from its bundles: report.html, junit.xml and report.json.

    \b
    Examples:
      hil report out            of `hil run --report out` or `pytest --hil-report out`, even if that was killed

    \b
    Exit codes: 0 all passed, 1 one failed, 2 nothing to report.
    """
    report = gather(folder, utc_date(host_clock()))
    if not report.results and not report.tests and report.campaign is None:
        raise ScenarioError(f"{folder}: no bundle of a run in {folder / 'runs'}: nothing to report")
    write_line(f"report: {write_report(report, folder)}")
    sys.exit(0 if report.state in ("PASS", "MARGINAL") else 1)

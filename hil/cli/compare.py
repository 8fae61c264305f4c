"""The command ``hil compare``: what differs between two runs, or two folders of runs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from groundstation.errors import CallerError
from groundstation.exit_codes import Outcome, exit_codes
from groundstation.formats.json_output import echo_json
from groundstation.formats.output import write_line
from hil.report.comparison import compare_campaigns, compare_folders, comparison_lines
from hil.runs.bundles import find_bundles
from hil.runs.campaign import rate_text
from hil.runs.campaign_log import CAMPAIGN_LOG, read_campaign

_SAME = Outcome(0, "no run differs")
_DIFFERENT = Outcome(1, "a run differs")


@click.command("compare", epilog=exit_codes(_SAME, _DIFFERENT, CallerError))
@click.argument("a", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("b", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Write each comparison as a line of JSON.")
def compare_command(a: Path, b: Path, as_json: bool) -> None:
    """Compare two runs, or two folders of runs: A is expected, B is found.

    A and B are bundles, folders of a report, or folders of bundles. Runs of two folders are matched by their names,
    else by their scenarios, those of two campaigns by their numbers. The output has verdicts,
    measurements with their change, and the first byte that differs, by the name of its field.

    \b
    Examples:
      hil compare out/runs/los-091105-software out/runs/los-091105-qemu
      hil compare yesterday today                       reports of `hil run --report` or `pytest --hil-report`
      hil compare yesterday today --json | jq 'select(.a_state != .b_state).run'
    """
    same = differ = 0
    campaigns = [read_campaign(folder / CAMPAIGN_LOG) for folder in (a, b)]
    if campaigns[0] is not None and campaigns[1] is not None:
        comparisons = compare_campaigns(campaigns[0], campaigns[1])
    else:
        comparisons = compare_folders(find_bundles(a), find_bundles(b))
    for found in comparisons:
        same, differ = same + found.same, differ + (not found.same)
        if as_json:
            echo_json(found)
        elif campaigns[0] is None or not found.same:
            for line in comparison_lines(found):
                write_line(line)
    if not as_json and same + differ > 1:
        write_line(f"{same + differ} runs: {same} the same, {differ} differ")
    for name, campaign in zip("AB", campaigns, strict=True):
        if campaign is not None and not as_json:
            write_line(f"{name}: {rate_text(campaign)}")
    sys.exit(_DIFFERENT.exit_code if differ else 0)

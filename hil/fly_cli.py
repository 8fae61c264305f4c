"""The command ``hil fly``."""

from __future__ import annotations

import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from click.core import ParameterSource

from groundstation.archive.paths import default_path
from groundstation.host_time import host_clock
from groundstation.output import echo, echo_json, write_line
from groundstation.shell import choose_style
from groundstation.station_options import output_options
from hil.flight import FlightPlan, fly_real_time
from hil.lockstep import Direct, fly_lockstep
from hil.mission_time import MissionTime
from hil.oracle import expect
from hil.targets import TARGETS, TargetOptions
from hil.verdict import Verdict, expected_cause, judge, verdict_lines

EXIT_FAIL = 1
EXIT_INCOMPLETE = 21


@click.command("fly")
@click.option("--target", type=click.Choice(sorted(TARGETS)), default="software", show_default=True)
@click.option(
    "--speed", type=click.FloatRange(0.1, 200), default=1.0, show_default=True, help="Mission seconds a second."
)
@click.option(
    "--link", type=click.Choice(["pty", "zmq"]), default="pty", show_default=True, help="How they are joined."
)
@click.option(
    "--link-drop",
    type=MissionTime(),
    help="Silence the whole link from this mission time on; 09:11:05 alone can pass.",
)
@click.option("--port", help="Of the target board, such as /dev/ttyACM0; the one board that is plugged in by default.")
@click.option("--lockstep", is_flag=True, help="No clock: step the lander and the station together.")
@click.option("--record", type=click.Path(path_type=Path), help="Path of the recording; a new file.")
@output_options
@click.pass_context
def fly_command(
    context: click.Context,
    target: str,
    speed: float,
    link: str,
    link_drop: int | None,
    port: str | None,
    lockstep: bool,
    record: Path | None,
    plain: bool,
    as_json: bool,
    in_ascii: bool,
) -> None:
    """Fly the whole historical descent: lander, station and viewer together.

    The lander falls silent at 09:11:05 while its bus goes on, as on 12 March 1974. The last lines are the verdict.
    """
    style = choose_style(plain, as_json)
    if lockstep:
        _check_lockstep(context, target)
    if port is not None and target != "board":
        raise click.UsageError("--port is for the target board alone")
    now = host_clock()
    recording = (record or default_path(now, f"fly-{target}", secrets.token_hex(2))).absolute()
    if lockstep:
        fly_lockstep(recording, Direct(), link_drop)
        verdict = judge(recording, expect(link_drop), expected_cause(link_drop), 0.0)
        sys.exit(_conclude(verdict, as_json))
    options = TargetOptions(speed, "pty" if link == "pty" else "zmq", link_drop, port)
    name = f"fly-{datetime.fromtimestamp(now // 10**9, UTC):%H%M%S}-{os.getpid()}"
    result = fly_real_time(FlightPlan(TARGETS[target](options), recording, name, link_drop), style, in_ascii)
    code = _conclude(result.verdict, as_json)
    if not result.complete:
        echo("ended before the pass was over: the verdict is of what was received", err=True)
        code = result.code or EXIT_INCOMPLETE
    sys.exit(code)


def _check_lockstep(context: click.Context, target: str) -> None:
    """Whether a flight without a clock can be what was asked for."""
    if target != "software":
        raise click.UsageError(
            f"without a clock `hil fly` flies the target software alone: `hil run los-091105 --target {target} "
            "--lockstep` flies this one"
        )
    for name in ("speed", "link"):
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise click.UsageError(f"--lockstep has neither clock nor port: leave out --{name}, or --lockstep")


def _conclude(verdict: Verdict, as_json: bool) -> int:
    """Say the verdict; the exit code that goes with it."""
    if as_json:
        echo_json(verdict)
    else:
        for line in verdict_lines(verdict):
            write_line(line)
    return 0 if verdict.passed else EXIT_FAIL

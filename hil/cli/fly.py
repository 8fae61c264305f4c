"""The command ``hil fly``: one scenario, flown by the rigs of ``hil run``, with a viewer."""

from __future__ import annotations

import secrets
import sys
from contextlib import nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

import click
from click.core import ParameterSource

from groundstation.cli.options.named import Choice
from groundstation.cli.options.number import Number
from groundstation.cli.options.station import checked_text, output_options
from groundstation.cli.runtime import choose_style
from groundstation.errors import ViewerCrashed
from groundstation.exit_codes import exit_codes
from groundstation.formats.json_output import echo_json
from groundstation.formats.output import echo, write_line
from groundstation.formats.printable import shell_join
from groundstation.host.clock import host_clock
from groundstation.host.hangup import end_with_terminal, orderly_end
from groundstation.host.service import Interrupts
from groundstation.recordings.paths import default_path
from hil.cli.board_options import baud_option, port_option, port_words, ports_of, wait_option
from hil.cli.completion import scenarios
from hil.cli.image_option import image_option
from hil.cli.mission_options import check_command, command_option, mission_option, mission_words
from hil.cli.mission_time import MissionTime, exact
from hil.cli.scenario_options import Keys, key_words, scenario_options, seed_option, with_keys
from hil.exit_codes import LIVE
from hil.report import Report, lines, prepare_folder, release_folder, write_report
from hil.rigs.live_viewer import LiveViewer
from hil.runs.find import find_image, find_scenario
from hil.runs.run import Breakable, Plan, check_plan, fly_plan, read_bundle, slower, utc_date
from hil.scenario.scenario import LinkKind, Mode, Scenario, load_scenario, with_seed
from hil.targets import TARGETS
from hil.verdict.expected_losses import with_losses
from hil.verdict.result import DeclaredLoss, RunResult

ENCOUNTERS = {"historical": "encounter", "soft-landing": "encounter-soft-landing"}
"""Scenarios of the whole encounter, by profile."""
HISTORICAL = "los-lander-only"
"""What is flown if nothing else is named: the descent of 12 March 1974."""


@click.command("fly", epilog=exit_codes(*LIVE))
@click.argument("scenario", required=False, shell_complete=scenarios)
@click.option(
    "--target", type=Choice(sorted(TARGETS)), default="software", show_default=True, help="Target that flies."
)
@click.option("--speed", type=Number(0.1, 100), help="Mission seconds per second. Default: the scenario's, mostly 1.")
@click.option(
    "--link",
    type=Choice(get_args(LinkKind)),
    help="Transport between lander and station. Default: the scenario's, mostly pty.",
)
@click.option("--link-drop", type=MissionTime(), help="Silence the whole link from this mission time on.")
@port_option()
@baud_option
@wait_option
@click.option("--lockstep", is_flag=True, help="No clock: step the target and the station together.")
@image_option
@mission_option
@command_option
@seed_option
@scenario_options
@click.option("--record", type=click.Path(path_type=Path), help="Write the recording to this new file.")
@click.option("--report", type=click.Path(path_type=Path), help="Folder for a report and the bundle of the run.")
@output_options
@click.pass_context
def fly_command(
    context: click.Context,
    scenario: str | None,
    target: str,
    speed: float | None,
    link: str | None,
    link_drop: int | None,
    port: str | None,
    baud: int | None,
    board_wait: float,
    lockstep: bool,
    image: Path | None,
    mission: str | None,
    words: tuple[str, ...],
    seed: int | None,
    keys: Keys,
    record: Path | None,
    report: Path | None,
    plain: bool,
    as_json: bool,
    in_ascii: bool,
) -> None:
    """Fly a descent live: target, station and viewer together. The last lines are the verdict.

    SCENARIO is a name (`hil list`) or a file. Without one the historical descent is flown: the lander falls silent at
    09:11:05 while its bus goes on, as on 12 March 1974.

    \b
    Examples:
      hil fly                                   in the terminal, in real time
      hil fly --speed 10 --target qemu          the firmware on an emulated STM32F4, ten times faster
      hil fly --target board                    on the board on which a lander answers
      hil fly --target board --port 066CFF515150898367151742    on the one of this serial number
      hil fly reacquisition                     a cable that is pulled and put back
      hil fly --profile soft-landing            the descent as it was planned
      hil fly --span encounter --speed 100      from separation to an hour after the fly-by
      hil fly --profile degraded --seed 7       another chip that fails in its own way
      hil fly --from 09:10:30                   the last half minute before the loss
      hil fly --link-drop 09:09:00              the whole link falls silent while the parachute opens
      hil fly --lockstep                        in about a second, without a clock
      hil fly --json --speed 50 | tail -1       the verdict, for programs
      hil fly sparrow.toml --mission ./sparrow.py --target board --port /dev/ttyACM0    a mission of your own
    """
    style = choose_style(plain, as_json)
    end_with_terminal(drawing=style == "tui")
    if lockstep:
        _check_lockstep(context)
    if scenario is not None and link_drop is not None:
        raise click.UsageError("SCENARIO and --link-drop exclude each other")
    if scenario is None and mission is not None:
        raise click.UsageError("--mission needs a SCENARIO: the one that is flown without is of mars6")
    check_command(target, words)
    chosen = chosen_scenario(scenario, link_drop, keys if link is None else {**keys, "link": link}, mission)
    chosen = chosen if seed is None else with_seed(chosen, seed)
    checked_text(str(record or ""))
    recording = record or default_path(host_clock(), f"fly-{target}", secrets.token_hex(2))
    mode: Mode = "lockstep" if lockstep else "realtime"
    bundle = None if report is None else report / "runs" / f"{chosen.id}-{target}"
    given = [] if port is None else [port]
    seeded = [] if seed is None else ["--seed", str(seed)]
    more = [*key_words(keys), *seeded, *port_words(given, baud), *mission_words(mission, words)]
    again = _again(scenario, link_drop, target, mode, speed, link, more, image)
    flown = find_image(target, image)
    boards = ports_of(target, given, baud)
    if len(boards) > 1:
        raise click.UsageError(
            f"--port {port} means {len(boards)} boards: `hil fly` flies one; `hil run` takes several"
        )
    plan = Plan(
        chosen,
        target,
        mode,
        bundle,
        again,
        speed,
        boards,
        recording.absolute(),
        flown,
        board_wait_s=board_wait,
        command=words,
    )
    check_plan(plan)
    if (note := slower(plan)) is not None:
        echo(note, err=True)
    part = chosen.head.part
    late = part.late and chosen.head.has_oracle and not lockstep
    if late:
        echo(f"flying flat out to {exact(part.start)}; the station listens from then on …", err=True)
    viewer = None if lockstep else LiveViewer(style, in_ascii, opens_late=late)
    with orderly_end() if viewer is not None else Interrupts() as interrupts:
        breakable = nullcontext if interrupts is None else interrupts.heeded
        code = _conclude(_fly(plan, viewer, report, breakable), as_json)
    sys.exit(ViewerCrashed.exit_code if viewer is not None and viewer.crashed else code)


def _check_lockstep(context: click.Context) -> None:
    """Whether a flight without a clock can be what was asked for."""
    for name in ("speed", "link"):
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise click.UsageError(f"--lockstep and --{name} exclude each other: lockstep has no clock and no port")


def chosen_scenario(
    name: str | None, link_drop: int | None, keys: Keys = MappingProxyType({}), mission: str | None = None
) -> Scenario:
    """What is flown: a scenario that was named, the one of profile and span, or one of a link that drops.

    Args:
        name: of a scenario, or its file.
        link_drop: mission time in ns at which the whole link falls silent.
        keys: of the table [scenario].
        mission: of a scenario that names none.

    Raises:
        ScenarioError: there is no such scenario.
    """
    if link_drop is not None:
        tables = link_drop_tables(link_drop)
        return with_losses({**tables, "scenario": {**tables["scenario"], **keys}}, "link-drop")
    profile, span = keys.get("profile", "historical"), keys.get("span", "descent")
    shown = HISTORICAL if profile == "historical" else profile  # each other one has a scenario of its name
    shown = ENCOUNTERS.get(profile, shown) if span == "encounter" else shown
    return with_keys(load_scenario(find_scenario(name or shown), mission), keys)


def link_drop_tables(at: int) -> dict[str, Any]:
    """The scenario of a link that falls silent for good at a mission time in ns, both ways."""
    title = f"At {exact(at)} the whole link falls silent"
    silence = {"kind": "silence", "at": exact(at), "dir": "both"}
    return {"scenario": {"id": "link-drop", "title": title}, "fault": [silence]}


def _again(
    scenario: str | None,
    link_drop: int | None,
    target: str,
    mode: Mode,
    speed: float | None,
    link: str | None,
    more: list[str],
    image: Path | None,
) -> str:
    """The command line that flies it again."""
    words = ["hil", "fly", *([] if scenario is None else [scenario]), "--target", target]
    words += ["--link-drop", exact(link_drop)] if link_drop is not None else []
    words += ["--lockstep"] if mode == "lockstep" else []
    words += ["--speed", f"{speed:g}"] if speed is not None else []
    words += ["--link", link] if link is not None else []
    words += ["--image", str(image)] if image is not None else []
    return shell_join([*words, *more])


def _fly(plan: Plan, viewer: LiveViewer | None, report: Path | None, breakable: Breakable) -> RunResult:
    """Fly, and leave a report if one was asked for, whatever ends the flight."""
    if report is None:
        return fly_plan(plan, host_clock, lambda scet: None, viewer, breakable)
    prepare_folder(report)
    try:
        return fly_plan(plan, host_clock, lambda scet: None, viewer, breakable)
    finally:
        if plan.bundle is not None and plan.bundle.is_dir():
            page = write_report(Report(generated=utc_date(host_clock()), results=[read_bundle(plan.bundle)]), report)
            echo(f"report: {page}", err=True)
        release_folder(report)


def _conclude(result: RunResult, as_json: bool) -> int:
    """Write the verdict; the exit code that goes with it."""
    verdict = result.verdict
    if as_json:
        echo_json(verdict)
    if verdict.error and not verdict.measurements:
        echo(f"hil: {verdict.error}", err=True)
    elif not as_json:
        whole = verdict.state != "INCOMPLETE"
        for line in [*(lines(result) if whole else [verdict.line]), *map(_loss_line, verdict.losses)]:
            write_line(line)
        write_line(f"recording: {verdict.recording}")
    return verdict.exit_code


def _loss_line(loss: DeclaredLoss) -> str:
    """A loss of signal in a line."""
    planned = "not planned" if loss.planned is None else f"planned {loss.planned}"
    error = "" if loss.error_ms is None else f" error {loss.error_ms} ms,"
    late = f"declared {loss.declared_late_ms:.1f} ms after its time-out"
    return f"  LOS {loss.channel} {loss.cause} {planned} observed {loss.observed}{error} {late}"

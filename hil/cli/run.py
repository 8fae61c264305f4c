"""The commands ``hil run``, ``list``, ``replay`` and ``campaign``."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec

from groundstation.cli.options.named import Choice
from groundstation.cli.options.number import Number
from groundstation.errors import OutputFailed, PortAbsent
from groundstation.exit_codes import DONE, exit_codes
from groundstation.formats.file_names import file_name
from groundstation.formats.json_encoding import encode_json
from groundstation.formats.json_output import echo_json
from groundstation.formats.output import echo, write_line
from groundstation.formats.output_file import write_output, writing
from groundstation.formats.printable import shell_join
from groundstation.host.clock import host_clock
from groundstation.host.service import Interrupts
from hil.cli import completion
from hil.cli.board_options import baud_option, port_option, port_words, ports_of, report_if_in_use, wait_option
from hil.cli.image_option import image_option
from hil.cli.mission_options import check_command, command_option, mission_option, mission_words
from hil.cli.scenario_options import Keys, key_words, scenario_options, seed_option, with_keys
from hil.errors import ImageRefused, MachineFailed, NotForTarget, ScenarioError, TooFast
from hil.exit_codes import JUDGING, ONE_FAILED, code_of_states
from hil.faults import FAULTS
from hil.images.boards import find_board
from hil.images.image import BOARD_OF, choose_image, in_bundle
from hil.lander_io.scratch import Scratch
from hil.report import Report, image_lines, lines, prepare_folder, release_folder, write_report
from hil.runs.batch import Batch
from hil.runs.campaign import Case, Drawn, Head, Summary, case_of, check_vary, draw, run_name, summarise, summary_lines
from hil.runs.campaign_log import CAMPAIGN_LOG, CampaignLog
from hil.runs.find import default_mode, find_image, find_scenario, find_scenarios, lack_of
from hil.runs.run import INTERRUPTED, TARGETS_OF, Plan, check_plan, read_bundle, slower, utc_date, write_result
from hil.scenario.scenario import SCENARIOS, Mode, load_scenario, parse_scenario, with_seed
from hil.targets import TARGETS, BoardPort
from hil.targets.board_ports import choose_ports
from hil.verdict.result import FlownImage, RunResult
from protocols.units import NS_PER_S

FAILED = "FAILED"
"""The file in a bundle that says so."""
_KEEP = 20
"""Bundles that a campaign keeps of runs that failed."""
_NO_SPEED = "--speed needs --realtime: lockstep has no clock"
_SPEED = (
    "In real time: mission seconds per second. Default: the scenario's. The station's time-outs are not scaled: it "
    "detects only outages of at least 0.3 s of real time."
)

_common: list[Callable[[Callable[..., Any]], Callable[..., Any]]] = [
    click.option("--target", type=Choice(sorted(TARGETS)), default="software", show_default=True),
    click.option("--lockstep", is_flag=True, help="Without a clock: exact, and as fast as the target."),
    click.option("--realtime", is_flag=True, help="With a clock, over a real port and socket."),
    seed_option,
    click.option("--report", type=click.Path(path_type=Path), help="Folder for the report and the bundles."),
    click.option(
        "--jobs",
        type=click.IntRange(1, 64),
        help="Parallel runs. Default: 1; with --port for several boards, one per board.",
    ),
    port_option(many=True),
    baud_option,
    wait_option,
    image_option,
    mission_option,
    command_option,
    scenario_options,
]


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_common):
        command = option(command)
    return command


@click.command("run", epilog=exit_codes(*JUDGING, PortAbsent))
@click.argument("scenarios", nargs=-1, required=True, shell_complete=completion.scenarios)
@_options
@click.option(
    "--repeat",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    help="Run each scenario N times.",
    metavar="N",
)
@click.option("--tag", "tags", multiple=True, help="Only scenarios with this tag, or one of several.")
@click.option("--speed", type=Number(0.1, 100), help=_SPEED)
@click.option(
    "--retries",
    type=click.IntRange(0, 100),
    default=0,
    show_default=True,
    help="In real time: repeat a run up to N times if the host was late (UNSTABLE). A failed run is not repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the verdict of each run as a line of JSON.")
def run_command(
    scenarios: tuple[str, ...],
    target: str,
    lockstep: bool,
    realtime: bool,
    seed: int | None,
    report: Path | None,
    jobs: int | None,
    ports: tuple[str, ...],
    baud: int | None,
    board_wait: float,
    image: Path | None,
    mission: str | None,
    words: tuple[str, ...],
    keys: Keys,
    repeat: int,
    tags: tuple[str, ...],
    speed: float | None,
    retries: int,
    as_json: bool,
) -> None:
    """Fly scenarios, judge them, and write a report.

    SCENARIOS are names (`hil list`), files, folders of files, or `all`: those that come with the package.

    \b
    Examples:
      hil run los-091105                                  the centre-piece, in lockstep, in about a second
      hil run los-091105 --target qemu --report out       on the firmware; out/report.html shows what happened
      hil run all --target qemu --jobs 2                  all that the target can fly
      hil run reacquisition --realtime                    a real port that goes and comes back
      hil run reacquisition --realtime --retries 2        again, if this computer was too busy to judge it
      hil run noisy-descent --seed 7 --repeat 10
      hil run noisy-descent --profile soft-landing        the descent as it was planned
      hil run los-091105 --realtime --from 09:10:55 --until 09:11:15    the loss alone, in 20 s
      hil run scenarios/ --tag smoke                      of a folder of your own, those with `tags = ["smoke"]`
      hil run los-091105 --json | jq .state               the verdict, for programs
      hil run all --target board                          the board on which a lander answers
      hil run all --target board --port all --repeat 5    on all boards at the same time, each run on one of them
      hil replay out/runs/los-091105-qemu                 a run again, from its bundle
      hil run sparrow.toml --mission sparrow.py --target process --command 'python sparrow_lander.py {port}'
      hil run sparrow.toml --mission sparrow.py --target board --port /dev/ttyACM0    a mission of your own
    """
    mode = _mode(lockstep, realtime)
    if speed is not None and mode == "lockstep":
        raise click.UsageError(_NO_SPEED)
    plans, skipped = [], []
    more = [*key_words(keys), *port_words(ports, baud), *mission_words(mission, words)]
    check_command(target, words)
    with Interrupts() as interrupts, _folder(report) as folder:
        found = [found for name in scenarios for found in find_scenarios(name)]
        flown, boards = find_image(target, image), ports_of(target, ports, baud)
        for path, named in found:
            scenario = with_keys(load_scenario(path, mission), keys)
            if tags and not set(tags) & set(scenario.head.tags):
                continue
            chosen: Mode = mode or default_mode(scenario, target)
            seeded = scenario if seed is None else with_seed(scenario, seed)
            for n in range(repeat):
                bundle = folder / "runs" / _name(scenario.id, target, seed, n if repeat > 1 else None)
                again = _again(path, target, chosen, seeded.head.seed, more, image)
                kept = report is not None
                plan = Plan(
                    seeded,
                    target,
                    chosen,
                    bundle,
                    again,
                    speed,
                    boards,
                    None,
                    flown,
                    kept,
                    board_wait_s=board_wait,
                    command=words,
                )
                try:
                    check_plan(plan)
                except (NotForTarget, TooFast) as error:
                    if named:
                        raise
                    skipped.append(str(error))
                    break
                plans.append(plan)
        _check_plans(plans, skipped)
        at_once = jobs or len(boards) or 1
        if at_once > 1:
            report_if_in_use(boards, board_wait)
        sys.exit(_fly(plans, at_once, folder, report is not None, interrupts, as_json=as_json, retries=retries))


def _check_plans(plans: list[Plan], skipped: list[str]) -> None:
    """Say what is not flown, or not as asked for.

    Raises:
        ScenarioError: nothing is left.
        click.UsageError: all of it has no clock, and a speed was given.
    """
    notes = dict.fromkeys(slower(plan) for plan in plans)
    for text in [*(f"skipped {reason}" for reason in skipped), *(note for note in notes if note is not None)]:
        echo(text, err=True)
    if not plans:
        raise ScenarioError("no run to fly")
    if all(plan.mode == "lockstep" and plan.speed is not None for plan in plans):
        raise click.UsageError(_NO_SPEED)


def _mode(lockstep: bool, realtime: bool) -> Mode | None:
    """What was chosen; None: each scenario's own."""
    if lockstep and realtime:
        raise click.UsageError("--lockstep and --realtime exclude each other")
    if realtime:
        return "realtime"
    return "lockstep" if lockstep else None


def _name(scenario: str, target: str, seed: int | None, n: int | None) -> str:
    return f"{scenario}-{target}" + ("" if seed is None else f"-s{seed}") + ("" if n is None else f"-{n + 1}")


def _again(path: Path, target: str, mode: Mode, seed: int, more: list[str], image: Path | None) -> str:
    """The command line that flies a run again."""
    what = path.stem if path.parent == SCENARIOS else str(path)
    words = ["hil", "run", what, "--target", target, f"--{mode}", "--seed", str(seed)]
    words += ["--image", str(image)] if image is not None else []
    return shell_join([*words, *more])


@contextmanager
def _folder(report: Path | None) -> Iterator[Path]:
    """Folder of the bundles. Without --report it is temporary: removed at the end, unless a run in it failed."""
    if report is not None:
        prepare_folder(report)
        try:
            yield report
        finally:
            release_folder(report)
        return
    with Scratch("hil-run-") as scratch:
        try:
            yield scratch.path
        finally:
            if any((path / FAILED).exists() for path in scratch.path.glob("runs/*")):
                scratch.keep()
                echo(f"kept what failed: {scratch.path}", err=True)


def _fly(
    plans: list[Plan],
    jobs: int,
    folder: Path,
    wanted: bool,
    interrupts: Interrupts,
    *,
    as_json: bool = False,
    retries: int = 0,
) -> int:
    """Fly, write the verdicts, report; the exit code."""
    results: dict[str, RunResult] = {}
    flown = list(plans)
    try:
        left = plans
        while left:
            for result in Batch(jobs, interrupts).fly(left, len(left)):
                results[result.run] = result
                _mark(folder / "runs" / result.run, result, wanted)
                if as_json:
                    echo_json(result.verdict)
                for line in [] if as_json else lines(result):
                    write_line(line)
            left = [] if interrupts.exit_code is not None else _again_unstable(left, results, retries, wanted, as_json)
            flown += left
    finally:
        shown = [results[plan.name] for plan in flown if plan.name in results]
        unflown = len(flown) - len(shown)
        report = Report(generated=utc_date(host_clock()), results=shown, unflown=unflown)
        page = write_report(report, folder) if wanted else None
    judged = [result for result in shown if not result.verdict.flown_again]
    _sum_up(judged, len(plans), as_json)
    if page is not None:
        echo(f"report: {page}", err=as_json)
    return interrupts.exit_code if interrupts.exit_code is not None else _code_of(judged)


def _again_unstable(
    plans: list[Plan], results: dict[str, RunResult], retries: int, wanted: bool, as_json: bool
) -> list[Plan]:
    """Plans for what a late host has spoilt: what failed otherwise, in any row of bytes or counts, stays as it is."""
    again = []
    for plan in plans:
        result = results.get(plan.name)
        if result is None or result.state != "UNSTABLE" or plan.attempt > retries:
            continue
        assert plan.bundle is not None  # all that is flown here has one
        attempt = plan.attempt + 1
        name = f"{plan.name.removesuffix(f'-try{plan.attempt}')}-try{attempt}"
        verdict = msgspec.structs.replace(result.verdict, flown_again=name)
        results[plan.name] = spoilt = msgspec.structs.replace(result, verdict=verdict)
        if wanted:
            write_result(plan.bundle, spoilt)
        else:
            shutil.rmtree(plan.bundle, ignore_errors=True)
        echo(f"{plan.name} is flown again, attempt {attempt} of {1 + retries}: the host was late", err=as_json)
        again.append(replace(plan, bundle=plan.bundle.with_name(name), attempt=attempt))
    return again


def _code_of(results: list[RunResult]) -> int:
    """The exit code of all that was flown."""
    if any(result.verdict.exit_code == OutputFailed.exit_code for result in results):
        return OutputFailed.exit_code
    if any(result.error for result in results):
        return MachineFailed.exit_code
    return code_of_states({result.state for result in results if not result.passed})


def _mark(bundle: Path, result: RunResult, wanted: bool) -> None:
    """Mark the bundle of a run that failed; without a report the others go."""
    if not result.passed and (wanted or result.error != INTERRUPTED):
        with suppress(OSError):  # a run that could not even make it
            (bundle / FAILED).touch()
    elif not wanted:
        shutil.rmtree(bundle, ignore_errors=True)


def _sum_up(results: list[RunResult], planned: int, as_json: bool) -> None:
    """One line for all, if there was more than one; and whether repeats were the same."""
    if planned < 2:
        return
    passed = sum(result.passed for result in results)
    streams: dict[str, set[str | None]] = {}
    for result in results:
        streams.setdefault(f"{result.scenario} {result.seed}", set()).add(result.provenance.get("received sha256"))
    repeated = len(results) > len(streams)
    same = f"; {sum(len(found) for found in streams.values())} different streams of {len(streams)}" if repeated else ""
    unflown = f"; {planned - len(results)} were not flown" if len(results) < planned else ""
    echo(f"{passed} of {planned} passed{same}{unflown}", err=as_json)


@click.command("list", epilog=exit_codes(DONE))
def list_command() -> None:
    """List the scenarios that come with the package, the faults there are, and which targets can fly here."""
    write_line("scenarios:")
    for path in sorted(SCENARIOS.glob("*.toml"), key=lambda path: path.stem):
        scenario = load_scenario(path)
        write_line(f"  {scenario.id:26} {scenario.head.title}")
    write_line("faults:")
    for kind, spec in FAULTS.items():
        write_line(f"  {kind:26} {(spec.__doc__ or '').strip().splitlines()[0]}")
    write_line("targets:")
    for name in sorted(TARGETS):
        modes = ", ".join(mode for mode, targets in TARGETS_OF.items() if name in targets)
        lack = lack_of(name) or _no_image(name)
        write_line(f"  {name:26} {modes}" if lack is None else f"  {name:26} not here: {lack}")


def _no_image(target: str) -> str | None:
    """Why there is nothing that an emulator could run; a program of this computer is built when it flies."""
    board = BOARD_OF.get(target)
    if board is None or find_board(board).flash is None:
        return None
    try:
        choose_image(board)
    except ImageRefused as error:
        return str(error)
    return None


@click.command("replay", epilog=exit_codes(*JUDGING, PortAbsent))
@click.argument("bundle", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--report", type=click.Path(path_type=Path), help="Folder for the report and the new bundle.")
@click.option(
    "--image",
    type=click.Path(path_type=Path),
    help="Another image of the firmware, ELF or Intel HEX. Default: the one that flew, which the bundle keeps.",
)
@port_option(default="the board that flew, which the bundle remembers")
@baud_option
@wait_option
@command_option
def replay_command(
    bundle: Path,
    report: Path | None,
    image: Path | None,
    port: str | None,
    baud: int | None,
    board_wait: float,
    words: tuple[str, ...],
) -> None:
    """Fly a run again from its bundle, with the image that flew, and say whether it came out the same.

    In lockstep it has to, byte for byte. In real time the faults are the same, but the host's clock has its say.

    \b
    Examples:
      hil replay out/runs/los-091105-qemu
      hil replay out/runs/noisy-descent-software --report again
      hil replay out/runs/los-091105-qemu --image hil/firmware/build/stm32f4/lander.elf     is it mended
      hil replay out/runs/los-091105-board --port serial:75830333835351F0C1A1    on another board
    """
    before = read_bundle(bundle)
    name = file_name(before.run, f"{bundle / 'result.json'}: run")
    scenario = with_seed(parse_scenario(before.toml, str(bundle / "scenario.toml")), before.seed)
    with Interrupts() as interrupts, _folder(report) as folder:
        boards = _boards_of_replay(before, port, baud)
        kept = in_bundle(bundle, before.target) if image is None else None
        flown = kept or find_image(before.target, image)
        built = before.provenance.get("build")
        if flown is not None and built is not None and flown.id_text != built:
            lost = "" if image is not None else "; the bundle keeps no image"
            echo(f"another image flies: build {flown.id_text} ({flown.path}), not {built}{lost}", err=True)
        speed = before.speed or None
        again = shell_join(["hil", "replay", str(bundle)])  # not the bundle's own words: they may be a stranger's
        made = folder / "runs" / name
        plan = Plan(
            scenario,
            before.target,
            before.mode,
            made,
            again,
            speed,
            boards,
            None,
            flown,
            board_wait_s=board_wait,
            command=words,
        )
        check_plan(plan)
        code = _fly([plan], 1, folder, True, interrupts)
        after = read_bundle(made) if made.is_dir() else None
        if after is not None and after.error != INTERRUPTED:
            same = _compare_runs(before, after)
            code = code or (ONE_FAILED.exit_code if before.mode == "lockstep" and not same else 0)
    sys.exit(code)


def _boards_of_replay(before: RunResult, port: str | None, baud: int | None) -> tuple[BoardPort, ...]:
    """The board that was asked for, else the one that flew.

    Raises:
        PortAbsent: it is not plugged in.
    """
    remembered = before.port or before.provenance.get("port", "")
    if port is not None or not remembered:
        return ports_of(before.target, [] if port is None else [port], baud)
    try:
        return choose_ports([remembered if baud is None else remembered.partition("?")[0]], baud)
    except PortAbsent as error:
        raise PortAbsent(f"{error}. It flew in this bundle; --port chooses another board") from error


def _built(before: RunResult, after: RunResult) -> str:
    """Of two runs by landers of different declarations: which. Empty: they have the same."""
    old, new = (each.provenance.get("dictionary", "") for each in (before, after))
    return f": the lander that flew then has dictionary {old}, the one that flies now {new}" if old != new else ""


def _compare_runs(before: RunResult, after: RunResult) -> bool:
    """Say whether they are the same; False: they are not."""
    comparable = _hashes(before) != (None, None) or not before.error
    same = _hashes(before) == _hashes(after)
    if not comparable:
        write_line(f"the run in the bundle has nothing to compare with: {before.error}")
    else:
        write_line(
            "the same bytes, sent and received" if same else f"other bytes than in the bundle{_built(before, after)}"
        )
    if before.state != after.state:
        write_line(f"it was {before.state}, it is {after.state}")
    return same or not comparable


def _hashes(result: RunResult) -> tuple[str | None, str | None]:
    return result.provenance.get("sent sha256"), result.provenance.get("received sha256")


@click.command("campaign", epilog=exit_codes(*JUDGING))
@click.argument("scenario", shell_complete=completion.scenarios)
@_options
@click.option("--runs", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="Number of runs.")
def campaign_command(
    scenario: str,
    target: str,
    lockstep: bool,
    realtime: bool,
    seed: int | None,
    report: Path | None,
    jobs: int | None,
    ports: tuple[str, ...],
    baud: int | None,
    board_wait: float,
    image: Path | None,
    mission: str | None,
    words: tuple[str, ...],
    keys: Keys,
    runs: int,
) -> None:
    """Fly a scenario many times, with seeds and parameters drawn at random for each run (Monte Carlo).

    What is drawn is in the scenario's tables [[vary]]. Runs that failed keep their bundles, up to a bound; each can be
    flown again from it.

    \b
    Examples:
      hil campaign random-faults --runs 1000 --jobs 2 --report out
      hil campaign noisy-descent --runs 50 --target qemu
      hil campaign noisy-descent --runs 50 --target board --port all    on all boards, each run on one of them
    """
    mode = _mode(lockstep, realtime)
    check_command(target, words)
    base, first = with_keys(load_scenario(find_scenario(scenario), mission), keys), 1 if seed is None else seed
    check_vary(base)
    chosen: Mode = mode or default_mode(base, target)
    with Interrupts() as interrupts, _folder(report) as folder:
        flying = find_image(target, image)
        boards = ports_of(target, ports, baud)

        def plan_of(n: int) -> Plan:
            bundle = folder / "runs" / run_name(n)
            again = shell_join(["hil", "replay", str(bundle)])
            return Plan(
                draw(base, first, n)[0],
                target,
                chosen,
                bundle,
                again,
                ports=boards,
                image=flying,
                keep=False,
                board_wait_s=board_wait,
                command=words,
            )

        for n in range(runs):
            if interrupts.exit_code is None:
                check_plan(plan_of(n))
        at_once = jobs or len(boards) or 1
        if at_once > 1:
            report_if_in_use(boards, board_wait)
        head = Head(
            scenario=base.id,
            title=base.head.title,
            target=target,
            mode=chosen,
            seed=first,
            planned=runs,
            jobs=at_once,
            began=host_clock(),
            requirements=base.head.requirements,
            tags=base.head.tags,
        )
        results = Batch(at_once, interrupts).fly(map(plan_of, range(runs)), runs)
        summary = _campaign(head, results, lambda n: draw(base, first, n)[1], folder, report is not None)
    if interrupts.exit_code is not None:
        sys.exit(interrupts.exit_code)
    sys.exit(code_of_states({case.state for case in summary.cases if not case.passed}))


def _campaign(
    head: Head, results: Iterable[RunResult], drawn: Callable[[int], Drawn], folder: Path, wanted: bool
) -> Summary:
    """Write down the runs of a campaign as they come, and report at its end, whatever that is."""
    kept: list[RunResult] = []
    cases: list[Case] = []
    image: FlownImage | None = None
    try:
        with CampaignLog(folder / CAMPAIGN_LOG, head) as log:
            for result in results:
                bundle = folder / "runs" / result.run
                if result.error == INTERRUPTED:  # says nothing of the scenario
                    shutil.rmtree(bundle, ignore_errors=True)
                    continue
                if result.verdict.exit_code == OutputFailed.exit_code:  # nor does a full disk
                    raise OutputFailed(result.error)
                image = result.verdict.image
                keep = not result.passed and len(kept) < _KEEP
                number = int(result.run)
                cases.append(case_of(number, drawn(number), result, str(bundle) if keep else ""))
                with writing(folder / CAMPAIGN_LOG):
                    log.write(cases[-1])
                if keep:
                    kept.append(result)
                    _mark(bundle, result, wanted=True)
                    write_line(result.line)
                else:
                    shutil.rmtree(bundle, ignore_errors=True)
    finally:
        now = host_clock()
        summary = summarise(head, cases, (now - head.began) / NS_PER_S)
        with writing(folder / "campaign.json"):
            write_output(folder / "campaign.json", msgspec.json.format(encode_json(summary)), force=True)
        page = write_report(Report(generated=utc_date(now), results=kept, campaign=summary), folder)
    for line in [*summary_lines(summary), *image_lines(image)]:
        write_line(line)
    failures = Counter(name for case in cases for name in case.failed)
    for name, count in failures.most_common():
        write_line(f"  {count} × {name}")
    if wanted or kept:
        write_line(f"report: {page}")
    return summary

"""Flies one scenario on one target, judges it, and leaves a bundle: everything that is needed to see why, and again.

`hil run`, `fly`, `campaign`, `replay` and the pytest plugin all come here; what is flown is said by a `Plan` alone.

BUNDLE/scenario.toml        as flown
       result.json          `hil.verdict.result.RunResult`
       recording.sqlite     the station's archive: what it received, and when
       sent.bin             what the target sent, before any fault
       capture.jsonl        what came out of the channel, both ways, with its time
       faults.jsonl         what the faults did
       console.txt          what the target had to say for people
       attachments/         what a test has attached
       image.elf            the firmware that flew; or image.hex, or a program: image
"""

from __future__ import annotations

import hashlib
import logging
import math
import platform
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from groundstation.downlink.contact import TIMEOUT_FLOOR_MS
from groundstation.errors import ArchiveError, StationError
from groundstation.formats.json_encoding import encode_json
from groundstation.formats.output_file import writing
from groundstation.formats.printable import printable
from groundstation.host.clock import host_clock
from groundstation.host.service import EXIT_INTERRUPTED, Interrupted
from groundstation.messages.text import utc
from groundstation.messages.wire import Counters
from groundstation.ports.board_lock import WAIT_S
from hil.errors import ImageRefused, NotForTarget, ScenarioError, TooFast
from hil.exit_codes import INCOMPLETE, UNSTABLE
from hil.faults import EnvironmentFault, Spec, StreamDirection, When
from hil.images.image import BOARD_OF, IN_BUNDLE, Image, choose_image, image_with_id
from hil.images.spans import check_span
from hil.rigs.live_viewer import LiveViewer
from hil.rigs.lockstep import LockstepRig, Progress
from hil.rigs.realtime import RealtimeRig
from hil.rigs.relay import RelayRig
from hil.rigs.stepped_target import STEPPED, SUPPORTED_FAULTS, UNMACHINED
from hil.rigs.unscripted import UnscriptedRig
from hil.runs.garbage_collection import seldom_collected
from hil.scenario.feasibility import check_feasible
from hil.scenario.missions import NO_ORACLE, mission_of
from hil.scenario.scenario import Mode, Scenario, State
from hil.targets import (
    MACHINES,
    PROGRAM,
    UNPACED,
    BoardMachine,
    BoardPort,
    Machine,
    MachineFailed,
    OpenBoardMachine,
    ProgramMachine,
    Sink,
    find_port,
    no_reset,
)
from hil.targets.stepping import CLOCK_COMMANDS, SteppedMachine
from hil.verdict.curves.expected import expected_curve
from hil.verdict.flight_record import BOARD, FlightRecord
from hil.verdict.measure import Judgement, judge
from hil.verdict.result import (
    FaultSummary,
    FlownImage,
    FrameMark,
    Moment,
    RunResult,
    Verdict,
    decode_result,
    verdict_head,
    worst,
)
from hil.verdict.stream_diff import where
from hil.verdict.value_quality import usable_shares
from protocols import __version__
from protocols.lander import EPOCH
from protocols.units import NS_PER_MS, NS_PER_S

_LOG = logging.getLogger("hil.runs")

INTERRUPTED = "interrupted"
"""The error of a flight that a signal has ended."""

RECORDING = "recording.sqlite"
SENT = "sent.bin"
_RESULT_MAX = 256 << 20
"""Bytes of a result that is read."""
ATTACHMENTS = "attachments"
"""Files that a test has put into the bundle."""
_SERIAL = {"unplug"}
_ZMQ = {"peer_killed", "peer_stopped"}
_FOR_GOOD = {"reset", "power_off"}
"""After these the lander waits for START."""
_LOG_SHOWN = 5000
"""Entries of the fault log in the result; the bundle has all."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One run.

    Attributes:
        scenario: with the seed that is to be used.
        target: its name.
        mode: with a clock or without.
        bundle: the folder that is made; None: nothing but the recording is kept.
        replay: the command line that flies it again.
        speed: in real time, mission seconds a second; None: the scenario's.
        ports: of the target ``board``: it flies on the first that is free; none: the one that udev has named.
        attempt: which flight of this run it is, from 1.
        board_wait_s: how long to wait for a board that another run uses.
        recording: a new file for the station's archive; None: it is in the bundle alone.
        keep: whether the bundle is wanted if the run passes; without it no more than the recording may be there then.
        test: pytest's name of the test that flies it; empty: none does.
        command: of the target ``process``: its command line, by words.
        image: what the target runs, of a board what it should run; None: what `hil.images.image` chooses for it.
    """

    scenario: Scenario
    target: str
    mode: Mode
    bundle: Path | None
    replay: str
    speed: float | None = None
    ports: tuple[BoardPort, ...] = ()
    recording: Path | None = None
    image: Image | None = None
    keep: bool = True
    test: str = ""
    board_wait_s: float = WAIT_S
    attempt: int = 1
    command: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the run: its bundle's."""
        return f"{self.scenario.id}-{self.target}" if self.bundle is None else self.bundle.name

    @property
    def archive(self) -> Path:
        """Where the station's archive goes."""
        if self.recording is not None:
            return self.recording
        assert self.bundle is not None  # a plan has one of them
        return self.bundle / RECORDING


def check_plan(plan: Plan) -> None:
    """Whether the scenario can be flown so; before anything flies.

    Raises:
        NotForTarget: the target or the mode cannot fly it; says where in the scenario.
        NeverHappens: its flight cannot have what it wants to see.
        TooFast: the station could not see it at this speed.
        MachineFailed: the board is not there, or this computer lacks what the target needs.
    """
    head = plan.scenario.head
    check_feasible(plan.scenario, plan.mode, 1 if plan.mode == "lockstep" and plan.target != "software" else 0)
    if plan.mode not in head.modes:
        raise NotForTarget(f"{head.id}: it is for {' and '.join(head.modes)}, not for {plan.mode} (scenario.modes)")
    if plan.target not in TARGETS_OF[plan.mode]:
        raise NotForTarget(f"{head.id}: the target {plan.target} is not flown in {plan.mode}")
    if head.targets is not None and plan.target not in head.targets:
        raise NotForTarget(f"{head.id}: it is for {', '.join(head.targets)}, not for {plan.target} (scenario.targets)")
    for n, fault in enumerate(plan.scenario.faults):
        _check_fault(f"{head.id}: fault[{n}].kind: {fault.kind}", fault, plan)
    _check_commands(plan)
    _check_span(plan)
    _check_target(plan)
    if plan.mode == "realtime":
        _check_speed(plan)


def _check_commands(plan: Plan) -> None:
    """Whether the commands leave the rig its clock.

    Raises:
        NotForTarget: one does not.
    """
    for n, command in enumerate(plan.scenario.commands):
        if plan.mode == "lockstep" and plan.target != "software" and command.name in CLOCK_COMMANDS:
            raise NotForTarget(
                f"{plan.scenario.id}: command[{n}].name: in lockstep the mission clock is the rig's: {command.name} is "
                "for real time, or for the target software"
            )


def _check_span(plan: Plan) -> None:
    """Whether the target's board holds what is flown. Of a board on the bench its greeting says which it is.

    Raises:
        NotForTarget: it does not.
    """
    board = plan.image.board if plan.image is not None else BOARD_OF.get(plan.target)
    if board is not None:
        check_span(plan.scenario.head.span, board, plan.scenario.id)


def _check_target(plan: Plan) -> None:
    """Whether the target is here.

    Raises:
        NotForTarget: it does not fly this mission.
        ScenarioError: it needs a command line.
        MachineFailed: the board is not there, or this computer lacks what the target needs.
    """
    head = plan.scenario.head
    if not head.has_oracle:
        _check_open(plan)
    if plan.target == BOARD:
        _ports(plan)
    elif plan.target == PROGRAM:
        if not plan.command:
            raise ScenarioError(f"{head.id}: the target {PROGRAM} needs its command: --command 'lander {{port}}'")
    elif (lack := MACHINES[plan.target].missing()) is not None:
        raise MachineFailed(lack)


def _check_open(plan: Plan) -> None:
    """Whether a scenario of a mission without an oracle can be flown so.

    Raises:
        NotForTarget: not on this target.
        ScenarioError: not at this speed.
    """
    head = plan.scenario.head
    if plan.target not in (PROGRAM, BOARD):
        raise NotForTarget(
            f"{head.id}: the target {plan.target} flies MARS-6; {head.mission} flies on {PROGRAM} and on {BOARD}"
        )
    if plan.speed not in (None, 1):
        raise ScenarioError(f"{head.id}: {head.mission} has no oracle and flies at its own pace: leave out the speed")


def _check_fault(place: str, fault: Spec, plan: Plan) -> None:
    """Whether the target and the link can have it."""
    if fault.family == "target" and fault.kind not in CAPABILITIES[plan.mode](plan.target):
        raise NotForTarget(f"{place}: the target {plan.target} cannot do that in {plan.mode}")
    if plan.target == BOARD and fault.kind == "reset":
        for port in _ports(plan):
            if (why := no_reset(port.path)) is not None:
                raise NotForTarget(f"{place}: {why}")
    if plan.mode == "realtime" and fault.kind == "hangup":
        raise NotForTarget(f"{place}: in lockstep alone; in real time, unplug is what hangs up")
    part = plan.scenario.head.part
    oracle = plan.scenario.head.has_oracle
    if oracle and plan.mode == "realtime" and part.late and isinstance(fault, EnvironmentFault):
        at = fault.at
        if fault.when is None and (at is None or at.kind != "scet" or int(at.value) < part.start):
            raise NotForTarget(
                f"{place}: it has to act at a mission time from {utc(part.start, 3)} on (scenario.from): in real time "
                "nothing can be done to target or link before; fly it in lockstep, or from earlier"
            )
    link = plan.scenario.head.link
    if plan.mode == "realtime" and fault.kind in (_ZMQ if link == "pty" else _SERIAL):
        raise NotForTarget(f"{place}: not on a link of type {link} (scenario.link)")


def _check_speed(plan: Plan) -> None:
    """Whether the station can see every outage that a loss is planned for: its time-out is one of real time.

    Raises:
        TooFast: it cannot; with the speed at which it could.
    """
    if not plan.scenario.head.has_oracle:
        return
    speed, timeout = _speed(plan), TIMEOUT_FLOOR_MS * NS_PER_MS
    for loss in plan.scenario.losses:
        outages = [(n, fault) for n, fault in enumerate(plan.scenario.faults) if fault.at == loss.at]
        spans = [(_silent(fault), n) for n, fault in outages]
        if not spans or int(loss.at.value) >= plan.scenario.head.plan.loss:  # it is silent by itself
            continue
        longest, n = max(spans)
        if timeout <= longest < timeout * speed:  # what is too short at any speed is for the verdict
            raise TooFast(
                f"{plan.scenario.id}: fault[{n}].for: at speed {speed:g} it lasts {longest / speed / NS_PER_S:.3g} s, "
                f"and the station declares a loss after {timeout / NS_PER_S:g} s without a frame: "
                f"fly it at {longest * 10 // timeout / 10:g} or slower (--speed, scenario.speed)"
            )


def _silent(fault: Spec) -> float:
    """For how long a fault takes the signal away, as far as one can say beforehand; ns."""
    comes_back = fault.span is not None and fault.span.kind == "ns" and fault.kind not in _FOR_GOOD
    return fault.span.value if fault.span is not None and comes_back else math.inf


def _can(target: str) -> frozenset[str]:
    return frozenset({"reset"}) if target == BOARD else SUPPORTED_FAULTS.get(target, frozenset())


def _ports(plan: Plan) -> tuple[BoardPort, ...]:
    """The boards of the plan, or the only one that is plugged in.

    Raises:
        MachineFailed: there is none, or there are several.
    """
    return plan.ports or (BoardPort(find_port()),)


def _machine(plan: Plan, machines: Mapping[str, Callable[..., Machine]]) -> Callable[[Sink], Machine]:
    """What makes the machine of a plan, with its image."""
    if plan.target == BOARD:
        board = BoardMachine if plan.scenario.head.has_oracle else OpenBoardMachine
        return partial(board, port=_ports(plan), wait_s=plan.board_wait_s)
    if plan.target == PROGRAM:
        return partial(ProgramMachine, command=plan.command)
    make = machines[plan.target]
    return make if plan.image is None else partial(make, image=plan.image)


CAPABILITIES: dict[Mode, Callable[[str], frozenset[str]]] = {"lockstep": _can, "realtime": _can}
"""What targets can suffer, by mode."""

FASTEST = {"simavr": 5.0}
"""Mission seconds a second that an emulator holds on a slow computer; others hold 100."""


def slower(plan: Plan) -> str | None:
    """What is to be said if a flight in real time is slower than was asked for."""
    flown = _speed(plan)
    if plan.mode == "lockstep" or plan.speed is None or plan.speed <= flown:
        return None
    return f"{plan.target} flies no more than {flown:g} mission seconds a second, not {plan.speed:g}"


def _speed(plan: Plan) -> float:
    """Of a flight in real time."""
    return min(plan.speed or plan.scenario.head.speed, FASTEST.get(plan.target, 100.0))


Breakable = Callable[[], AbstractContextManager[None]]
"""Within it a signal that asks this program to end is a KeyboardInterrupt."""


def fly_plan(
    plan: Plan,
    clock: Callable[[], int],
    progress: Progress,
    viewer: LiveViewer | None = None,
    breakable: Breakable = nullcontext,
) -> RunResult:
    """Fly, judge, and write the bundle. A target that dies and Ctrl-C are results too.

    From its first moment on the bundle says that the flight was cut off: so it stays if this process is killed.
    What breaks off the flight otherwise, a test's time-out for instance, is raised again when the bundle is written.

    Args:
        plan: checked by `check_plan`.
        clock: ns since 1970.
        progress: told the mission time from time to time.
        viewer: shows a flight in real time.
        breakable: surrounds what a signal may break off: the flight, and neither its judgement nor the bundle.

    Raises:
        ArchiveError: the bundle cannot be made.
        OutputFailed: the bundle cannot be written: the disk is full.
    """
    began = clock()
    if plan.image is None and plan.target in BOARD_OF and MACHINES[plan.target].missing() is None:
        plan = replace(plan, image=choose_image(BOARD_OF[plan.target]))
    if plan.bundle is not None:
        _make(plan, plan.bundle, began)
    _LOG.info("fly %s in %s: %s", plan.name, plan.mode, plan.replay)
    with seldom_collected():
        record = RIGS[plan.mode](plan, progress, viewer, breakable)
    if plan.target == BOARD:
        plan = replace(plan, image=plan.image or _image_of_board(record))
    if plan.image is not None:
        record.provenance |= plan.image.facts()
    with seldom_collected():
        result = result_of(plan, record, began, clock)
    _LOG.info("%s", result.line)
    if plan.bundle is not None and (plan.keep or not result.passed):
        with writing(plan.bundle):
            write_bundle(plan.bundle, result, record)
            _write_image(plan, plan.bundle)
    if record.raised is not None:
        raise record.raised
    return result


def _image_of_board(record: FlightRecord) -> Image | None:
    """What a board should run: the image that the rule chooses for the kind of board that it is, by what it runs."""
    runs = next((image_with_id(int(build, 16)) for build in record.booted if int(build, 16)), None)
    if runs is None:
        return None
    try:
        return choose_image(runs.board)
    except ImageRefused:  # there is none of these sources: it runs an old one
        return replace(runs, note=f"{runs.path} was built from other sources")


def _make(plan: Plan, bundle: Path, began: int) -> None:
    """Make the bundle. Until its flight is over it is one of a flight that was cut off."""
    try:
        bundle.mkdir(parents=True, exist_ok=False)
        if plan.keep:
            write_result(bundle, cut_off(plan, "cut off: the process that flew it was killed", began, began))
            _write_image(plan, bundle)
    except OSError as error:  # another program may write a report there
        raise ArchiveError(f"cannot make the bundle {bundle}: {error.strerror}") from error


def _write_image(plan: Plan, bundle: Path) -> None:
    if plan.image is not None:
        (bundle / f"{IN_BUNDLE}{plan.image.suffix}").write_bytes(plan.image.data)


def _fly_lockstep(plan: Plan, progress: Progress, viewer: LiveViewer | None, breakable: Breakable) -> FlightRecord:
    target = STEPPED[plan.target]() if plan.target in UNMACHINED else SteppedMachine(_machine(plan, UNPACED))
    rig = LockstepRig(plan.scenario, target, plan.archive, progress)
    try:
        with _broken_off(rig.record), breakable():
            rig.fly()
    finally:
        rig.record.console = target.console
        target.close()
    return rig.record


TARGETS_OF: dict[Mode, Collection[str]] = {"lockstep": [*STEPPED, BOARD], "realtime": [*MACHINES, PROGRAM, BOARD]}
"""Which targets can be flown, by mode."""


def _fly_realtime(plan: Plan, progress: Progress, viewer: LiveViewer | None, breakable: Breakable) -> FlightRecord:
    make = _machine(plan, MACHINES)
    scenario, archive = plan.scenario, plan.archive.absolute()
    rig: RelayRig
    if scenario.head.has_oracle:
        rig = RealtimeRig(scenario, make, archive, _speed(plan), progress, host_clock, viewer)
    else:
        rig = UnscriptedRig(scenario, mission_of(scenario.head.mission), make, archive, progress, host_clock, viewer)
    try:
        with _broken_off(rig.record), breakable():
            rig.fly()
    finally:
        rig.record.console = rig.console
    if rig.record.left and viewer is not None:
        rig.record.exit_code = viewer.code or INCOMPLETE.exit_code
    return rig.record


@contextmanager
def _broken_off(record: FlightRecord) -> Iterator[None]:
    """What ends a flight before its time is in its record."""
    try:
        yield
    except StationError as error:
        record.error, record.exit_code = str(error), error.exit_code
    except KeyboardInterrupt as error:
        record.error = INTERRUPTED
        record.exit_code = error.exit_code if isinstance(error, Interrupted) else EXIT_INTERRUPTED
    except SystemExit as error:
        record.error, record.raised = INTERRUPTED, error
        record.exit_code = error.code if isinstance(error.code, int) else 1
    except BaseException as error:  # a test's time-out, or a fault of this program: told, and raised when it is kept
        first = next(iter(str(error).splitlines()), "")
        record.error, record.raised = f"cut off: {first or type(error).__name__}", error


RIGS: dict[Mode, Callable[[Plan, Progress, LiveViewer | None, Breakable], FlightRecord]] = {
    "lockstep": _fly_lockstep,
    "realtime": _fly_realtime,
}
"""What flies, by mode."""


def result_of(plan: Plan, record: FlightRecord, began: int, clock: Callable[[], int]) -> RunResult:
    """Judge a flight and put together all that is known of it."""
    scenario = record.scenario  # with its times, which may count from the first packet
    try:
        judgement = judge(record)
    except StationError as error:  # there is nothing that could be measured
        record.exit_code = record.exit_code if record.error else error.exit_code
        why = f"{record.error}; {error}" if record.error else str(error)
        return cut_off(plan, why, began, clock(), record.exit_code)
    found = judgement.received.losses()
    log = record.channel.log
    return RunResult(
        verdict=_verdict(plan, record, judgement),
        title=scenario.head.title,
        toml=scenario.text,
        speed=record.speed,
        start=record.start,
        mission=record.mission.name,
        epoch=record.epoch,
        vcid=record.vcid,
        period_ms=record.mission.dictionary.channels[0].period_ms,
        began=utc_date(began),
        took_s=round((clock() - began) / NS_PER_S, 3),
        faults=_summaries(record),
        applied=log.entries[:_LOG_SHOWN],
        applied_dropped=max(0, len(log.entries) - _LOG_SHOWN) + log.dropped,
        moments=_moments(record, judgement),
        samples=judgement.received.samples,
        expected=expected_curve(record),
        curves=judgement.received.curves.curves(record.mission.dictionary),
        checks=judgement.checks,
        usable=usable_shares(judgement.received.judged, record.mission),
        frames=_marks(judgement),
        interarrival_ms=[round(gap, 3) for gap in judgement.interarrival_ms],
        planned_los=_planned_los(scenario),
        observed_los=found[-1].interval_scet[1] if found and found[-1].interval_scet is not None else None,
        mismatch=judgement.mismatch,
        provenance=_provenance(plan, record, judgement),
        console=record.console,
        port=_board_that_flew(plan, record.provenance),
        artefacts={
            "scenario": "scenario.toml",
            "recording": RECORDING,
            "sent by the target": SENT,
            "capture, both ways": "capture.jsonl",
            "fault log": "faults.jsonl",
            "console": "console.txt",
            **({"image": f"{IN_BUNDLE}{plan.image.suffix}"} if plan.image is not None else {}),
        },
        test=plan.test,
        requirements=plan.scenario.head.requirements,
        tags=plan.scenario.head.tags,
    )


def _planned_los(scenario: Scenario) -> int | None:
    """When the signal is lost for the last time, as far as that is flown; ns."""
    at = int(scenario.losses[-1].at.value) if scenario.losses else None
    return None if at is None or scenario.head.part.lack(at) else at


def _board_that_flew(plan: Plan, provenance: Mapping[str, str]) -> str:
    """Its address, by which it is found again; empty if no board flew."""
    if plan.target != BOARD:
        return ""
    for port in plan.ports:
        serial = port.device.serial if port.device is not None else ""
        if port.path == provenance.get("port") or (serial and serial == provenance.get("serial number")):
            return port.address
    return plan.ports[0].address if plan.ports else provenance.get("port", "")


def cut_off(plan: Plan, why: str, began: int, ended: int, exit_code: int = 1) -> RunResult:
    """The result of a flight of which no more is known than that it was begun: it failed.

    Args:
        plan: what was to be flown.
        why: what is known of its end.
        began: when it began, in ns since 1970.
        ended: when it was over, or was found to be.
        exit_code: of the run.
    """
    return RunResult(
        verdict=Verdict(
            run=plan.name,
            scenario=plan.scenario.id,
            target=plan.target,
            mode=plan.mode,
            seed=plan.scenario.head.seed,
            state="FAIL",
            passed=False,
            exit_code=exit_code,
            line=f"{_head(plan, 'FAIL')}: {why}",
            error=why,
            measurements=[],
            counters=Counters(),
            recording=printable(plan.archive),
            replay=plan.replay,
            image=None if plan.image is None else _flown(plan.image),
        ),
        title=plan.scenario.head.title,
        toml=plan.scenario.text,
        speed=0.0 if plan.mode == "lockstep" else _speed(plan),
        start=plan.scenario.head.part.begin if plan.scenario.head.has_oracle else EPOCH,
        began=utc_date(began),
        took_s=round((ended - began) / NS_PER_S, 3),
        faults=[],
        applied=[],
        applied_dropped=0,
        moments=[],
        samples=[],
        frames=[],
        interarrival_ms=[],
        planned_los=None,
        observed_los=None,
        mismatch=None,
        provenance=_surroundings(plan) | ({} if plan.image is None else plan.image.facts()),
        console="",
        test=plan.test,
        requirements=plan.scenario.head.requirements,
        tags=plan.scenario.head.tags,
    )


def give_up(plan: Plan, why: str, began: int, ended: int, exit_code: int = MachineFailed.exit_code) -> RunResult:
    """The same for a run that cannot say so itself: its bundle, as far as it was made, says it, too."""
    result = cut_off(plan, why, began, ended, exit_code)
    if plan.bundle is not None and plan.bundle.is_dir():
        with suppress(OSError):  # a full disk may be what has ended it
            write_result(plan.bundle, result)
    return result


def _verdict(plan: Plan, record: FlightRecord, judgement: Judgement) -> Verdict:
    rows = judgement.rows
    state: State = "FAIL" if record.error else "INCOMPLETE" if record.left else worst(row.state for row in rows)
    passed = state in ("PASS", "MARGINAL")
    frames = sum(1 for _ in judgement.received.good(record.vcid))
    return Verdict(
        run=plan.name,
        scenario=plan.scenario.id,
        target=plan.target,
        mode=plan.mode,
        seed=plan.scenario.head.seed,
        attempt=plan.attempt,
        state=state,
        passed=passed,
        exit_code=_exit_code(state, record),
        line=_line(plan, state, record, judgement),
        error=record.error or record.left,
        measurements=rows,
        losses=judgement.losses,
        lander_frames=frames,
        counters=judgement.received.counters,
        recording=printable(plan.archive),
        replay=plan.replay,
        image=None if plan.image is None else _flown(plan.image),
    )


def _exit_code(state: State, record: FlightRecord) -> int:
    """Of a run alone."""
    if state in ("PASS", "MARGINAL"):
        return 0
    if record.error or record.left:
        return record.exit_code
    return UNSTABLE.exit_code if state == "UNSTABLE" else 1


def _flown(image: Image) -> FlownImage:
    return FlownImage(
        build=image.id_text,
        kind=image.kind,
        path=printable(image.path),
        sources=f"{image.source:08x}",
        not_used=printable(image.note),
    )


def utc_date(nanoseconds: int) -> str:
    """Date and time of day, ISO 8601."""
    return datetime.fromtimestamp(nanoseconds // NS_PER_S, UTC).isoformat().replace("+00:00", "Z")


def _line(plan: Plan, state: State, record: FlightRecord, judgement: Judgement) -> str:
    """The verdict in a line."""
    rows = judgement.rows
    head = _head(plan, state)
    first = "" if judgement.mismatch is None else f"{judgement.mismatch.field or where(judgement.mismatch)}; "
    if record.error or record.left:
        return f"{head}: {first}{record.error or record.left}"
    bad = [row for row in rows if row.state not in ("PASS", "NA")]
    if bad:
        why = "" if plan.scenario.head.has_oracle else f"; {NO_ORACLE}"
        return f"{head}: {first}{', '.join(f'{row.name} {row.measured}' for row in bad[:4])}{why}"
    made = [row for row in rows if row.state != "NA"]
    los = next((row for row in made if row.name.startswith("los_time_error")), None)
    cause = next((row.value for row in made if row.name.startswith("los_cause")), None)
    part = record.scenario.head.part.text
    told = f", flown{part}" if part else ""
    told += f", {len(rows) - len(made)} not applicable" if len(made) < len(rows) else ""
    told += "" if plan.scenario.head.has_oracle else f"; {NO_ORACLE}"
    return f"{head}: {len(made)} measurements{told}" + (
        f", LOS {cause or 'of a cause not known yet'}, error {los.value} ms" if los is not None else ""
    )


def _head(plan: Plan, state: State) -> str:
    """How the verdict's line begins."""
    return verdict_head(state, plan.scenario.id, plan.target, plan.mode, plan.scenario.head.seed)


def _summaries(record: FlightRecord) -> list[FaultSummary]:
    """Each fault, and what it did."""
    out = []
    for n, fault in enumerate(record.scenario.faults):
        entries = [entry for entry in record.channel.log.entries if entry.fault == n]
        windows = [(min(e.scet for e in entries), max(e.scet for e in entries))] if entries else []
        done = [each for each in record.occurrences if each.fault == n]
        if isinstance(fault, EnvironmentFault):
            windows = [(_scet(record, each.began), _scet(record, each.ended or each.began)) for each in done]
        sums = {effect: sum(e.length for e in entries if e.effect == effect) for effect in ("lost", "changed", "added")}
        out.append(
            FaultSummary(
                fault=n,
                kind=fault.kind,
                text=_fault_text(fault),
                occurrences=len(entries) + len(done),
                windows=windows,
                lost=sums["lost"],
                changed=sums["changed"],
                added=sums["added"],
            )
        )
    return out


def _scet(record: FlightRecord, time: int) -> int:
    """Mission time of a time of the station's."""
    return time if record.mode == "lockstep" else record.epoch + round((time - record.start) * record.speed)


def _fault_text(fault: msgspec.Struct) -> str:
    """A fault as its scenario has it, without what is at its default."""
    parts = []
    for field in msgspec.structs.fields(fault):
        value = getattr(fault, field.name)
        if value == field.default or value is None:
            continue
        if field.encode_name == "at":
            text = utc(value.value, 3) if value.kind == "scet" else f"{value.kind} {value.value}"
        elif field.encode_name == "for":
            text = f"{value.value / NS_PER_S:g} s" if value.kind == "ns" else f"{value.value} {value.kind}"
        elif isinstance(value, When):
            text = value.text("")
        else:
            text = str(value)
        parts.append(f"{field.encode_name} {text}")
    return f"{fault.__struct_config__.tag} {', '.join(parts)}".rstrip()


def _moments(record: FlightRecord, judgement: Judgement) -> list[Moment]:
    """What happened, in order."""
    received = judgement.received
    out = list(record.moments)
    for change in received.contacts:
        bad = change.state in ("LOS", "DEGRADED")
        text = f"{change.channel} {change.previous} → {change.state}"
        if change.verdict is not None:
            text += f", {change.verdict.cause}: {change.verdict.evidence}"
        out.append(Moment(time=change.ert, lane="contact", text=text, tone="bad" if bad else "good"))
    for event in received.events:
        tone = "bad" if event.severity.startswith("WARNING") else "plain"
        out.append(Moment(time=event.ert, lane="event", text=f"{event.source} {event.name}: {event.text}", tone=tone))
    for update in received.commands:
        tone = {"COMPLETED": "good", "FAILED": "bad", "TIMEOUT": "bad"}.get(update.state, "plain")
        out.append(
            Moment(time=update.ert, lane="command", text=f"{update.name} {update.state} {update.detail}", tone=tone)
        )
    return sorted(out, key=lambda moment: moment.time)


def _marks(judgement: Judgement) -> list[FrameMark]:
    return [
        FrameMark(ert, -1 if note.vcid is None else note.vcid, note.quality) for ert, note in judgement.received.notes
    ]


def _provenance(plan: Plan, record: FlightRecord, judgement: Judgement) -> dict[str, str]:
    return {
        **_surroundings(plan),
        **record.provenance,
        **({} if record.lateness is None else {"lateness": record.lateness.text}),
        "sent sha256": hashlib.sha256(record.channel.sent("down")).hexdigest(),
        "received sha256": hashlib.sha256(judgement.received.stream).hexdigest(),
    }


def _surroundings(plan: Plan) -> dict[str, str]:
    """What is known before anything flies."""
    mission = mission_of(plan.scenario.head.mission)
    return {
        "package": f"mars6-groundstation {__version__}",
        "mission": mission.name,
        "dictionary": mission.dictionary.hash_text,
        "python": platform.python_version(),
        "host": f"{platform.system()} {platform.release()} {platform.machine()}",
        "target": plan.target,
    }


def read_bundle(folder: Path) -> RunResult:
    """The result in a bundle.

    Raises:
        ScenarioError: it is not a bundle, or of another version.
    """
    try:
        with (folder / "result.json").open("rb") as file:
            raw = file.read(_RESULT_MAX + 1)
        if len(raw) > _RESULT_MAX:
            raise ScenarioError(f"{folder / 'result.json'}: longer than {_RESULT_MAX:,} bytes")
        return decode_result(raw)
    except FileNotFoundError as error:
        raise ScenarioError(f"not a run bundle: {folder} (result.json not found)") from error
    except (OSError, msgspec.DecodeError) as error:
        raise ScenarioError(f"{folder / 'result.json'} is not a run's result: {error}") from error


def write_result(folder: Path, result: RunResult) -> None:
    """Write the result into a bundle, in place of the one that is there: at no moment half of it."""
    fresh = folder / "result.json.part"
    fresh.write_bytes(msgspec.json.format(encode_json(result, times=True)))
    fresh.replace(folder / "result.json")


def write_bundle(folder: Path, result: RunResult, record: FlightRecord) -> None:
    """Write all but the recording, which is there already, or else copied."""
    channel = record.channel
    if record.recording.exists() and not (folder / RECORDING).exists():
        shutil.copyfile(record.recording, folder / RECORDING)
    (folder / "scenario.toml").write_text(result.toml, encoding="utf-8", errors="backslashreplace")
    write_result(folder, result)
    (folder / SENT).write_bytes(channel.sent("down"))
    (folder / "console.txt").write_text(printable(record.console, lines=True), encoding="utf-8")
    with open(folder / "faults.jsonl", "wb") as out:
        out.writelines(encode_json(entry) + b"\n" for entry in channel.log.entries)
    directions: tuple[StreamDirection, StreamDirection] = ("down", "up")
    with open(folder / "capture.jsonl", "wb") as lines:
        for direction in directions:
            for piece in channel.delivered(direction):
                fields = {"at": piece.at, "direction": direction, "origin": piece.origin, "data": piece.data.hex()}
                lines.write(msgspec.json.encode(fields) + b"\n")

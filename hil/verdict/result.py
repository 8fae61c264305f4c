"""What a run came to: everything a report shows, as one value that is also the bundle's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec

from groundstation.formats.json_encoding import numbered
from groundstation.messages.base import Int64
from groundstation.messages.wire import Cause, Counters, UsableShare
from hil.faults import FaultLogEntry
from hil.scenario.scenario import Mode, State
from protocols.lander import EPOCH, LANDER, MARS6

Number = int | float
Finite = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]
"""A number that can be drawn: a result may come from elsewhere."""
Shown = str | int | float | bool | None


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the judgement.

    Attributes:
        name: in the field's words, without blanks.
        value: what was measured; None if there was nothing to measure.
        unit: of value and limits; may be empty.
        limit: what passes, in words: "= 0", "0 … 50".
        marginal: what is marginal within it, in words; may be empty.
        state: UNSET fails as FAIL does; MARGINAL passes and is shown; UNSTABLE says nothing, the host was late; NA
            does not apply to the part that was flown.
        note: where to look when it did not pass, or what there is to say anyway; may be empty.
    """

    name: str
    value: Shown
    unit: str
    limit: str
    marginal: str = ""
    state: State
    note: str = ""

    @property
    def measured(self) -> str:
        """The value with its unit."""
        return "nothing measured" if self.value is None else f"{self.value} {self.unit}".rstrip()

    def unstable(self, lateness: str) -> Measurement:
        """The same, spoilt by a host that was so late."""
        note = f"{self.note}; {lateness}" if self.note else lateness
        return msgspec.structs.replace(self, state="UNSTABLE", note=note)

    def with_note(self, note: str) -> Measurement:
        """The same with another note."""
        return msgspec.structs.replace(self, note=note)


class FaultSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of the scenario and what it did.

    Attributes:
        text: the fault in words.
        occurrences: how often it did something.
        windows: from and to (mission UTC in ns) of what it did: of the first and the last one.
        lost, changed, added: bytes.
    """

    fault: Int64
    kind: str
    text: str
    occurrences: Int64
    windows: list[tuple[Int64, Int64]]
    lost: Int64 = 0
    changed: Int64 = 0
    added: Int64 = 0


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened. ``time`` is the line's, in ns; in lockstep that is mission time.

    ``lane``: contact, event, command, transport, fault. ``tone``: good, bad, plain.
    """

    time: Int64
    lane: str
    text: str
    tone: str = "plain"


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """A point of the descent as it was received: mission time in ns, altitude in m, speed in m/s."""

    scet: Int64
    altitude: Finite
    speed: Finite


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter over mission time, as it was received.

    Attributes:
        parameter: ``PACKET.parameter``.
        unit: of its values; empty: none.
        points: mission time in ns and value, in order of time; thinned, but for the peaks.
    """

    parameter: str
    unit: str
    points: list[tuple[Int64, Finite]]


class FrameMark(msgspec.Struct, frozen=True, array_like=True):
    """A frame as the station found it: line time in ns, virtual channel (-1: unknown), GOOD, CRC, SYNC …"""

    time: Int64
    vcid: Int64
    quality: str


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """Where a stream first differs from what it has to be.

    Attributes:
        stream: which: "sent by the target" or "received by the station".
        offset: of the first byte that differs.
        frame: number of the frame there, counted from 0.
        scet: mission time of that frame in ns, if it is known.
        start: offset of the first byte shown.
        expected: bytes around it, in hex; short at the end of a stream.
        found: likewise.
        field: the field that differs first, in words (`hil.verdict.first_field`); empty in old results.
    """

    stream: str
    offset: Int64
    frame: Int64
    scet: Int64 | None
    start: Int64
    expected: str
    found: str
    field: str = ""


class DeclaredLoss(msgspec.Struct, frozen=True, kw_only=True):
    """A loss of signal: as the station declared it, and as it was planned. Times are mission UTC as text.

    Attributes:
        channel: that was lost, by the mission's name of it; empty in old results: the lander's, the mission's first.
        cause: what broke, as the station found.
        evidence: its evidence, in words.
        planned: when the scenario expects it; None: it does not.
        observed: when the next frame was due and did not come; None: unknown.
        interval: the last good frame and `observed`.
        error_ms: how far `planned` is from the interval; 0: within it.
        declared_late_ms: how long after its time-out the station declared it.
        last_frame: frame count of the last good frame.
    """

    channel: str = ""
    cause: Cause
    evidence: str
    planned: str | None
    observed: str | None
    interval: tuple[str, str] | None
    error_ms: Int64 | None
    declared_late_ms: Finite
    last_frame: Int64 | None


class CheckScore(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of value quality was worth, beside what the lander meant.

    Attributes:
        parameter: of which packet's values; empty: all together.
        check: its name, or ``any check``.
        values: of the parameter that were shown.
        garbage: those farther from the truth than their tolerance.
        found: garbage that the check marked.
        wrong: good values that it marked.
        latency_ms: mean time from the first value of a run of garbage to the first that it marked; None: it found none.
    """

    parameter: str
    check: str
    values: Int64
    garbage: Int64
    found: Int64
    wrong: Int64
    latency_ms: Finite | None = None

    @property
    def recall(self) -> float | None:
        """Share of the garbage that was marked."""
        return self.found / self.garbage if self.garbage else None

    @property
    def precision(self) -> float | None:
        """Share of what was marked that is garbage."""
        marked = self.found + self.wrong
        return self.found / marked if marked else None

    @property
    def false_share(self) -> float | None:
        """Share of the good values that was marked."""
        good = self.values - self.garbage
        return self.wrong / good if good else None


class FlownImage(msgspec.Struct, frozen=True, kw_only=True):
    """Which image of the firmware flew.

    Attributes:
        build: its build id, as the event BOOT carries it.
        kind: how it was chosen: given, built here, prebuilt, or from the bundle.
        path: of its file.
        sources: id of the sources that it was built from.
        not_used: another image that was there and not used, and why; may be empty.
    """

    build: str
    kind: str
    path: str
    sources: str
    not_used: str = ""


VERDICT_VERSION = 2
"""Counts up when a field of `Verdict` changes its meaning or goes; new fields do not count. The verdict of `hil fly`
before there was a version is 1."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True, tag="verdict", tag_field="type"):
    """What a run came to: the last line of ``hil fly --json``, a line for each run of ``hil run --json``.

    Attributes:
        version: of this format.
        run: name of the run, of its folder too: scenario, target, and what tells it from others.
        scenario: its id.
        attempt: which flight of this run it is, from 1: one that was UNSTABLE may be flown again.
        flown_again: name of the run that flew it again; empty: none did, so that this verdict counts.
        state: the worst of all measurements; FAIL too if the flight broke off; INCOMPLETE if its viewer ended it.
        passed: PASS or MARGINAL.
        exit_code: what a command line that flew this run alone exits with.
        line: the verdict in a line.
        error: why the flight broke off: a target that died, Ctrl-C, a viewer that was closed; may be empty.
        measurements: row by row; none of a flight that never began.
        losses: those of the lander's channel that the station declared, planned or not, and those of other channels
            that were planned; in the order in which the signals were lost.
        lander_frames: good ones, as received.
        counters: of the station, over the whole recording.
        recording: the path of the station's archive.
        replay: the command line that flies it again.
        image: what the target ran; None: the software lander, or a board that runs no image that is here.
    """

    version: Int64 = VERDICT_VERSION
    run: str
    scenario: str
    target: str
    mode: Mode
    seed: Int64
    attempt: Int64 = 1
    flown_again: str = ""
    state: State
    passed: bool
    exit_code: Int64
    line: str
    error: str = ""
    measurements: list[Measurement]
    losses: list[DeclaredLoss] = []
    lander_frames: Int64 = 0
    counters: Counters
    recording: str = ""
    replay: str
    image: FlownImage | None = None


class RunResult(msgspec.Struct, frozen=True, kw_only=True, tag="run", tag_field="type"):
    """One scenario flown on one target.

    Attributes:
        verdict: what it came to.
        title: of the scenario.
        toml: the scenario's text, as flown.
        began: host UTC, ISO 8601.
        took_s: host time from start to report.
        provenance: what flew on what: versions, hashes, build ids, serial numbers.
        start: line time of tick 0, in ns; for lockstep the mission's epoch.
        interarrival_ms: of lander frames in contact.
        artefacts: file names in the bundle, by what they are.
        test: pytest's name of the test that flew it; empty: none did.
        applied_dropped: entries of the fault log that found no room.
        port: address of the board that flew; empty: none did, or it was not kept.
        expected: the descent as the oracle flies it with the same commands, once a second; empty if that is unknown.
        requirements: ids that the run verifies.
        tags: of its scenario.
        mission: name of its dictionary.
        epoch: mission time with which it began, in ns.
        vcid: of the channel whose signal is judged.
        period_ms: how far apart its frames are due.
        checks: what the ground's checks of value quality were worth, if the chip was made to fail.
        usable: how many values were good, by phase and parameter.
        curves: what else the mission's display wants drawn, as far as it came.
    """

    verdict: Verdict
    title: str
    toml: str
    speed: Finite
    start: Int64
    began: str
    took_s: Finite
    faults: list[FaultSummary]
    applied: list[FaultLogEntry]
    applied_dropped: Int64
    moments: list[Moment]
    samples: list[Sample]
    frames: list[FrameMark]
    interarrival_ms: list[Finite]
    planned_los: Int64 | None
    observed_los: Int64 | None
    mismatch: Mismatch | None
    provenance: dict[str, str]
    console: str
    artefacts: dict[str, str] = msgspec.field(default_factory=dict)
    test: str = ""
    port: str = ""
    expected: list[Sample] = []
    requirements: list[str] = []
    tags: list[str] = []
    mission: str = MARS6.name
    epoch: Int64 = EPOCH
    vcid: Int64 = LANDER
    period_ms: Int64 = MARS6.channels[0].period_ms
    checks: list[CheckScore] = []
    usable: list[UsableShare] = []
    curves: list[Curve] = []

    @property
    def is_mars6(self) -> bool:
        """What is known of Mars 6 goes into its report: channels, milestones, altitude and speed."""
        return self.mission == MARS6.name

    @property
    def spacecraft(self) -> str:
        """Whose frames are judged, in words."""
        return "lander" if self.is_mars6 else self.mission

    @property
    def run(self) -> str:
        """Name of the run."""
        return self.verdict.run

    @property
    def scenario(self) -> str:
        """Id of the scenario."""
        return self.verdict.scenario

    @property
    def target(self) -> str:
        """Name of the target."""
        return self.verdict.target

    @property
    def mode(self) -> Mode:
        """With a clock or without."""
        return self.verdict.mode

    @property
    def seed(self) -> int:
        """Of all random numbers."""
        return self.verdict.seed

    @property
    def state(self) -> State:
        """The verdict in a word."""
        return self.verdict.state

    @property
    def passed(self) -> bool:
        """Whether it is good enough."""
        return self.verdict.passed

    @property
    def line(self) -> str:
        """The verdict in a line."""
        return self.verdict.line

    @property
    def error(self) -> str:
        """Why the flight broke off; may be empty."""
        return self.verdict.error

    @property
    def measurements(self) -> list[Measurement]:
        """The judgement, row by row."""
        return self.verdict.measurements

    @property
    def counters(self) -> Counters:
        """Of the station."""
        return self.verdict.counters

    @property
    def replay(self) -> str:
        """The command line that flies it again."""
        return self.verdict.replay


_IN_VERDICT = ("run", "scenario", "target", "mode", "seed", "state", "line", "measurements", "counters", "replay")


def decode_result(raw: bytes) -> RunResult:
    """A result from its JSON, of this version or of the one before, which had no verdict of its own.

    Raises:
        msgspec.DecodeError: it is neither.
    """
    try:
        return msgspec.convert(upgraded(numbered(msgspec.json.decode(raw))), RunResult)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from error


_FAULT_NAMES = {"deeds": "occurrences"}
_LOG_NAMES = {"way": "direction", "deed": "effect"}
"""What results of before called the fields of faults, and of entries of their log."""


def upgraded(fields: Any) -> Any:
    """The fields of a result under today's names, with its verdict where it is today."""
    if isinstance(fields, dict):
        renamed = {"faults": _FAULT_NAMES, "applied": _LOG_NAMES}
        fields = {key: _renamed(value, renamed[key]) if key in renamed else value for key, value in fields.items()}
    if not isinstance(fields, dict) or "verdict" in fields or any(key not in fields for key in _IN_VERDICT):
        return fields
    verdict = {key: fields[key] for key in _IN_VERDICT}
    error, state = fields.get("error", ""), fields["state"]
    passed = state in ("PASS", "MARGINAL") and not error
    more = {"type": "verdict", "version": 1, "passed": passed, "exit_code": 0 if passed else 1, "error": error}
    rest = {key: value for key, value in fields.items() if key not in _IN_VERDICT}
    return {**rest, "verdict": {**verdict, **more}}


def _renamed(rows: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(rows, list):
        return rows
    return [{names.get(k, k): value for k, value in row.items()} if isinstance(row, dict) else row for row in rows]


_ORDER: tuple[State, ...] = ("NA", "PASS", "MARGINAL", "UNSTABLE", "UNSET", "INCOMPLETE", "FAIL")


def worst(states: Iterable[State]) -> State:
    """The worst of several; UNSET if there is none, or none that applies: nothing measured is nothing passed."""
    return max((state for state in states if state != "NA"), key=_ORDER.index, default="UNSET")


def verdict_head(state: State, scenario: str, target: str, mode: Mode, seed: int) -> str:
    """How the line of a verdict begins."""
    return f"{state:8} {scenario} on {target}, {mode}, seed {seed}"


def with_row(result: RunResult, row: Measurement) -> RunResult:
    """The result with one row more in its verdict, which is the worse of both."""
    before = result.verdict
    state = worst([before.state, row.state])
    head = verdict_head(state, before.scenario, before.target, before.mode, before.seed)
    line = before.line
    if row.state != "PASS":
        told = f"{row.name} {row.measured}"
        line = f"{head}: {told}" if before.state == "PASS" else f"{head}{_told(before)}, {told}"
    passed = before.passed and state in ("PASS", "MARGINAL")
    verdict = msgspec.structs.replace(
        before,
        measurements=[*before.measurements, row],
        state=state,
        passed=passed,
        exit_code=before.exit_code if passed else before.exit_code or 1,
        line=line,
    )
    return msgspec.structs.replace(result, verdict=verdict)


def _told(verdict: Verdict) -> str:
    """What the line of a verdict says behind its head."""
    head = verdict_head(verdict.state, verdict.scenario, verdict.target, verdict.mode, verdict.seed)
    return verdict.line.removeprefix(head)

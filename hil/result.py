"""What a run came to: everything a report shows, as one value that is also the bundle's JSON."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from groundstation.messages import Counters
from hil.faults import Applied
from hil.scenario import Mode, State

Number = int | float
Shown = str | int | float | bool | None


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the judgement.

    Attributes:
        name: in the field's words, without blanks.
        value: what was measured; None if there was nothing to measure.
        unit: of value and limits; may be empty.
        limit: what passes, in words: "= 0", "0 … 50".
        marginal: what is marginal within it, in words; may be empty.
        state: UNSET fails as FAIL does; MARGINAL passes and is shown.
        note: where to look when it did not pass; may be empty.
    """

    name: str
    value: Shown
    unit: str
    limit: str
    marginal: str = ""
    state: State
    note: str = ""


class FaultSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of the scenario and what it did.

    Attributes:
        text: the fault in words.
        deeds: how often it did something.
        windows: from and to (mission UTC in ns) of what it did: of the first and the last deed.
        lost, changed, added: bytes.
    """

    fault: int
    kind: str
    text: str
    deeds: int
    windows: list[tuple[int, int]]
    lost: int = 0
    changed: int = 0
    added: int = 0


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened. ``time`` is the line's, in ns; in lockstep that is mission time.

    ``lane``: contact, event, command, transport, fault. ``tone``: good, bad, plain.
    """

    time: int
    lane: str
    text: str
    tone: str = "plain"


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """A point of the descent as it was received: mission time in ns, altitude in m, speed in m/s."""

    scet: int
    altitude: float
    speed: float


class FrameMark(msgspec.Struct, frozen=True, array_like=True):
    """A frame as the station found it: line time in ns, virtual channel (-1: unknown), GOOD, CRC, SYNC …"""

    time: int
    vcid: int
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
        field: the field that differs first, in words (`hil.first_field`); empty in results from before there was one.
    """

    stream: str
    offset: int
    frame: int
    scet: int | None
    start: int
    expected: str
    found: str
    field: str = ""


class RunResult(msgspec.Struct, frozen=True, kw_only=True, tag="run", tag_field="type"):
    """One scenario flown on one target.

    Attributes:
        run: name of the run, of its folder too: scenario, target, and what tells it from others.
        scenario: id of the scenario.
        title: its title.
        toml: the scenario's text, as flown.
        line: the verdict in a line.
        state: the worst of all measurements; MARGINAL passes.
        error: why it ended before its time: a target that died, Ctrl-C; may be empty.
        began: host UTC, ISO 8601.
        took_s: host time from start to report.
        provenance: what flew on what: versions, hashes, build ids, serial numbers.
        replay: the command line that flies it again.
        start: line time of tick 0, in ns; for lockstep the mission's epoch.
        interarrival_ms: of lander frames in contact.
        artefacts: file names in the bundle, by what they are.
        applied_dropped: entries of the fault log that found no room.
    """

    run: str
    scenario: str
    title: str
    toml: str
    target: str
    mode: Mode
    seed: int
    speed: float
    start: int
    line: str
    state: State
    error: str = ""
    began: str
    took_s: float
    measurements: list[Measurement]
    faults: list[FaultSummary]
    applied: list[Applied]
    applied_dropped: int
    moments: list[Moment]
    samples: list[Sample]
    frames: list[FrameMark]
    interarrival_ms: list[float]
    planned_los: int | None
    observed_los: int | None
    mismatch: Mismatch | None
    counters: Counters
    provenance: dict[str, str]
    replay: str
    console: str
    artefacts: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether it is good enough."""
        return self.state in ("PASS", "MARGINAL") and not self.error


_ORDER: tuple[State, ...] = ("PASS", "MARGINAL", "UNSET", "FAIL")


def worst(states: Iterable[State]) -> State:
    """The worst of several; UNSET if there is none: nothing measured is nothing passed."""
    return max(states, key=_ORDER.index, default="UNSET")

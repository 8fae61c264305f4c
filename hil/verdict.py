"""Judges a recorded descent: reads the archive, decodes it again, and holds it against the oracle and the plan.

Nothing of the live run is believed: frames are counted from the archived bytes. Only the losses of signal are taken
from the recorded contact changes, since when they were declared is what is judged.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from groundstation.archive.reader import ArchiveReader
from groundstation.links.base import Chunk
from groundstation.messages import Cause, ContactChange, Counters, LosVerdict, Telemetry
from groundstation.plain import utc
from groundstation.receiver import Receiver
from hil.oracle import Expectation
from protocols.lander import EPOCH, LANDER, MARS6
from protocols.profile import UART

MS = 1_000_000
FRAMES = 2240
"""Lander frames of the historical descent: 224 s at 10 a second [S]."""
FIRST_FRAME = EPOCH + 88_000 * MS
LAST_FRAME = EPOCH + 311_900 * MS
REAL_TIME_LATENESS_MS = 50.0
"""How much later than its deadline a loss may be declared in real time."""

State = Literal["PASS", "FAIL", "UNSET"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the judgement. UNSET: there was nothing to measure; it fails like FAIL."""

    name: str
    value: str | int | float | bool | None
    unit: str
    limit: str
    state: State


class Verdict(msgspec.Struct, frozen=True, kw_only=True, tag="verdict", tag_field="type"):
    """What a descent came to. Times are mission UTC as text; ``los_error_ms`` is 0 when the plan was met."""

    passed: bool
    event: Literal["LOS", "NONE"]
    cause: Cause | None
    evidence: str
    planned: str | None
    observed: str | None
    observed_interval: tuple[str, str] | None
    los_error_ms: int | None
    declared_late_ms: float | None
    last_frame: int | None
    frames: int
    checks: list[Check]
    counters: Counters
    recording: str


@dataclass(slots=True)
class _Recorded:
    """What the recording holds."""

    stamps: list[int] = field(default_factory=list)
    counters: Counters = field(default_factory=Counters)
    sha256: str = ""
    losses: list[ContactChange] = field(default_factory=list)


def expected_cause(link_drop: int | None) -> Cause:
    """What must be found to be the cause: in history the lander alone fell silent; a dropped link takes all."""
    return "LANDER_ONLY" if link_drop is None else "SILENCE"


def judge(recording: Path, expected: Expectation, cause: Cause, lateness_ms: float) -> Verdict:
    """Judge the recording of a historical descent.

    Args:
        recording: a finished recording.
        expected: the oracle's stream.
        cause: what must be found to be the cause of the loss.
        lateness_ms: how late the loss may be declared: 0 in lockstep.

    Raises:
        ArchiveError: the recording cannot be read.
    """
    recorded = _read(recording)
    loss = recorded.losses[0] if recorded.losses else None
    verdict = recorded.losses[-1].verdict if recorded.losses else None
    late = None
    if loss is not None and loss.verdict is not None:
        deadline = loss.verdict.last_ert + loss.verdict.timeout_ms * MS
        late = (loss.verdict.declared_ert - deadline) / MS
    checks = [*_stream_checks(recorded, expected), *_loss_checks(recorded, verdict, cause, late, lateness_ms)]
    return _verdict(verdict, late, checks, recorded, recording)


def _read(recording: Path) -> _Recorded:
    receiver = Receiver(MARS6, UART, "archive:")
    recorded, digest = _Recorded(), hashlib.sha256()
    with ArchiveReader(recording) as archive:
        for ert, _, data in archive.chunks():
            digest.update(data)
            for outcome in receiver.take(Chunk(ert, data)):
                if isinstance(outcome, Telemetry) and outcome.packet == "DESCENT":
                    recorded.stamps.append(outcome.scet)
        changes = [msgspec.json.decode(e.body, type=ContactChange) for e in archive.events("contact")]
    recorded.losses = [c for c in changes if c.vcid == LANDER and c.state == "LOS" and c.verdict is not None]
    recorded.counters, recorded.sha256 = receiver.counters(), digest.hexdigest()
    return recorded


def _stream_checks(recorded: _Recorded, expected: Expectation) -> list[Check]:
    stamps, counters = recorded.stamps, recorded.counters
    good = counters.good + counters.corrected
    conserved = counters.bytes_in == good + counters.rejected + counters.skipped + counters.pending
    return [
        _equal("lander_frames", len(stamps), FRAMES, "frame"),
        _equal("first_frame", utc(stamps[0], 3) if stamps else None, utc(FIRST_FRAME, 3), "UTC"),
        _equal("last_frame", utc(stamps[-1], 3) if stamps else None, utc(LAST_FRAME, 3), "UTC"),
        _equal("frames_lost", counters.frames_lost, 0, "frame"),
        _equal("frames_rejected", counters.frames_rejected, 0, "frame"),
        _equal("bytes", counters.bytes_in, expected.length, "byte"),
        _equal("stream_sha256", recorded.sha256, expected.sha256, ""),
        _equal("bytes_conserved", conserved, True, ""),
    ]


def _loss_checks(
    recorded: _Recorded, verdict: LosVerdict | None, cause: Cause, late: float | None, lateness_ms: float
) -> list[Check]:
    first_losses = [loss for loss in recorded.losses if not loss.revised]
    return [
        _equal("los_cause", verdict.cause if verdict else None, cause, ""),
        _equal("los_time_error", verdict.planned_error_ms if verdict else None, 0, "ms"),
        Check(
            name="los_declared_late",
            value=late,
            unit="ms",
            limit=f"0 … {lateness_ms:g}",
            state="UNSET" if late is None else "PASS" if 0 <= late <= lateness_ms else "FAIL",
        ),
        _equal("false_los", max(0, len(first_losses) - 1), 0, ""),
    ]


def _equal(name: str, value: str | int | bool | None, wanted: str | int | bool, unit: str) -> Check:
    state: State = "UNSET" if value is None else "PASS" if value == wanted else "FAIL"
    return Check(name=name, value=value, unit=unit, limit=f"= {wanted}", state=state)


def _verdict(
    los: LosVerdict | None, late: float | None, checks: list[Check], recorded: _Recorded, recording: Path
) -> Verdict:
    interval = los.interval_scet if los is not None else None
    planned = los.planned_scet if los is not None else None
    return Verdict(
        passed=all(check.state == "PASS" for check in checks),
        event="LOS" if los is not None else "NONE",
        cause=los.cause if los is not None else None,
        evidence=los.evidence if los is not None else "",
        planned=utc(planned, 3) if planned is not None else None,
        observed=utc(interval[1], 3) if interval is not None else None,
        observed_interval=(utc(interval[0], 3), utc(interval[1], 3)) if interval is not None else None,
        los_error_ms=los.planned_error_ms if los is not None else None,
        declared_late_ms=late,
        last_frame=los.last_vcfc if los is not None else None,
        frames=len(recorded.stamps),
        checks=checks,
        counters=recorded.counters,
        recording=str(recording),
    )


def verdict_lines(verdict: Verdict) -> list[str]:
    """The verdict for people: one line, then one for each check that did not pass."""
    word = "PASS" if verdict.passed else "FAIL"
    if verdict.event == "NONE":
        head = f"{word} no loss of signal was declared; {verdict.frames} lander frames"
    else:
        head = (
            f"{word} LOS {verdict.cause} planned {verdict.planned} observed {verdict.observed} "
            f"error {verdict.los_error_ms} ms, declared {verdict.declared_late_ms:.1f} ms after its time-out, "
            f"{verdict.frames} lander frames"
        )
    failed = [c for c in verdict.checks if c.state != "PASS"]
    rows = [f"  {c.state} {c.name}: {c.value} {c.unit} (limit {c.limit})" for c in failed]
    return [head, *rows, f"recording: {verdict.recording}"]

"""Judges a flight: reads the recording, decodes it again, and holds it against the oracle, the channel and the plan.

Nothing of the live run is believed: frames are counted from the archived bytes. Only when losses of signal were
declared is taken from the recorded contact changes, since that is what is judged.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec

from groundstation.downlink.contact import ACQUIRE_FRAMES, TIMEOUT_PERIODS
from groundstation.downlink.diversity_receiver import receiver_of
from groundstation.downlink.receiver import FrameNote, ReceiverEvent
from groundstation.links.base import Chunk, TransportChange
from groundstation.links.replay_source import ReplaySource
from groundstation.messages.commanding import FINAL_STATES, CommandUpdate
from groundstation.messages.lost_text import frames_lost, lost_text
from groundstation.messages.onboard_clock import OnboardClock
from groundstation.messages.text import utc
from groundstation.messages.wire import ContactChange, Counters, EventMessage, LinkShare, LosVerdict, Telemetry
from groundstation.recordings.event_bodies import body_of
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.records import EventRecord
from hil.channel.sent_frames import Number, SentFrames, missing_since, tally
from hil.faults import At, Watch
from hil.scenario.feasibility import OUTAGES
from hil.scenario.measurements import OF_A_LOSS, OF_VALUES
from hil.scenario.missions import NO_ORACLE
from hil.scenario.scenario import Loss
from hil.verdict.curves.received import ReceivedCurves
from hil.verdict.expectations.received import ReceivedParameters, sent_parameters
from hil.verdict.expectations.rows import expectation_rows
from hil.verdict.fault_rows import fault_rows
from hil.verdict.flight_record import BOARD, FlightRecord
from hil.verdict.frames.diversity_rows import arrivals, diversity_rows
from hil.verdict.frames.mended_frames import mend_flight
from hil.verdict.frames.predict import Arrival, Prediction, losses, predict
from hil.verdict.host_spoilt import are_spoilt, is_spoilt
from hil.verdict.limits import OF_A_FAILING_CHIP, LimitBand, band_of, not_applicable, row, unapplied
from hil.verdict.result import CheckScore, DeclaredLoss, Measurement, Mismatch, Sample, Shown
from hil.verdict.stream_diff import compare, golden_stream, until, where
from hil.verdict.value_quality import check_scores, total, unusable_words, values_may_be_spoilt
from protocols.declare.dictionary import ChannelDef
from protocols.lander import LANDER
from protocols.units import NS_PER_MS, NS_PER_S
from protocols.words import Certainty

_TIMING = {
    "delay",
    "rate",
    "slice",
    "stall",
    "clock",
    "overrun",
    "hang",
    "peer_stopped",
    "unplug",
    "hangup",
    "peer_killed",
}
"""Faults after which frames do not come at their time."""
_RESETS = {"reset", "power_off"}
_MAX_SAMPLES = 20_000
_FRAME_RATE = "FRAME_RATE"
_OTHER_PACE = "a command FRAME_RATE asks for another time from frame to frame"
_GOLDEN_ROWS = ("stream_equal", "golden_to_los")
_COMMANDED = (
    "telecommands were sent in real time: the tick at which the target took them is not known, so that its bytes cannot"
    " be compared with the reference"
)
_LOCK_NS = 300 * NS_PER_MS
"""Three frames: so much of the signal has to be heard before it can be lost."""
_DECLARED_NS = 400 * NS_PER_MS
"""After so much time of the host a loss is declared."""
_LATEST_LOCK_NS = 2_000 * NS_PER_MS
"""So long after the link is there again, the signal has to be."""


@dataclass(slots=True)
class Received:
    """What is in the recording."""

    stream: bytes = b""
    notes: list[tuple[int, FrameNote]] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    clock: OnboardClock = field(default_factory=OnboardClock)
    boots: int = 0
    counters: Counters = field(default_factory=Counters)
    contacts: list[ContactChange] = field(default_factory=list)
    events: list[EventMessage] = field(default_factory=list)
    commands: list[CommandUpdate] = field(default_factory=list)
    vcid: int = LANDER
    parameters: ReceivedParameters = field(default_factory=lambda: ReceivedParameters(()))
    archived: int = 0
    copies: list[tuple[int, FrameNote]] = field(default_factory=list)
    shares: list[LinkShare] = field(default_factory=list)
    judged: list[Telemetry] = field(default_factory=list)
    curves: ReceivedCurves = field(default_factory=lambda: ReceivedCurves(()))

    def good(self, vcid: int | None = None) -> Iterator[tuple[int, FrameNote]]:
        """Good frames, of one channel or of all, with when they came."""
        for ert, note in self.notes:
            if note.quality in ("GOOD", "CORRECTED") and note.vcid is not None and vcid in (None, note.vcid):
                yield ert, note

    def of_bus(self) -> Received:
        """The same, as far as the bus's link brought it; all, if there was no other."""
        if not self.shares:
            return self
        notes = sorted(
            (each for each in [*self.notes, *self.copies] if not each[1].link), key=lambda each: each[1].offset
        )
        return replace(self, notes=notes)

    def losses(self, vcid: int | None = None) -> list[LosVerdict]:
        """Losses of a channel's signal, the lander's by default, each with the cause that was found in the end."""
        found: list[LosVerdict] = []
        for change in self.contacts:
            if change.vcid != (self.vcid if vcid is None else vcid) or change.state != "LOS" or change.verdict is None:
                continue
            if change.revised and found:
                found[-1] = msgspec.structs.replace(
                    found[-1], cause=change.verdict.cause, evidence=change.verdict.evidence
                )
            else:
                found.append(change.verdict)
        return found


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a flight came to."""

    rows: list[Measurement]
    losses: list[DeclaredLoss]
    received: Received
    mismatch: Mismatch | None
    interarrival_ms: list[float]
    checks: list[CheckScore] = field(default_factory=list)


def read(record: FlightRecord) -> Received:
    """Decode a recording again, up to the end of the pass.

    Raises:
        ArchiveError: it cannot be read.
        PartlyRead: it is damaged: nothing can be measured.
    """
    parameters = ReceivedParameters(record.scenario.expectations)
    receiver = receiver_of(record.mission, "archive:", record.links)
    receiver.judges_quality = values_may_be_spoilt(record)  # else no measurement looks at it
    received = Received(parameters=parameters, vcid=record.vcid, curves=ReceivedCurves(record.mission.display.curves))
    if record.error and not record.recording.exists():
        return received  # the target was gone before a station was started
    stream, closed = bytearray(), record.closed if record.closed is not None else math.inf
    with ArchiveReader(record.recording) as archive:
        for report in _reports(archive):
            ert = report.ert
            if ert > closed:
                break
            if isinstance(report, Chunk):
                received.archived += len(report.data)
                stream += report.data if not report.link else b""
            for outcome in receiver.process(report):
                _outcome(outcome, received, receiver.frames)
            received.notes += [(ert, note) for note in receiver.frames]
            received.copies += [(ert, note) for note in receiver.copies]
        for event in archive.events():
            if event.ert <= closed:
                _event(event, received, record.recording)
        if record.heard_until is not None:  # what is declared later follows from the end of the flight
            received.contacts = [change for change in received.contacts if change.ert <= record.heard_until]
        archive.require_whole()
    received.stream, received.counters = bytes(stream), receiver.counters()
    received.shares = receiver.status(0, None, True).links
    return received


def _reports(archive: ArchiveReader) -> Iterator[Chunk | TransportChange]:
    """What a station received; of several links also how each came and went, since the merger waits for those there."""
    if archive.named_links():
        for item in ReplaySource(archive).items(1):
            if isinstance(item.report, Chunk | TransportChange):
                yield item.report
        return
    for ert, _, data in archive.chunks():
        yield Chunk(ert, data)


def _outcome(outcome: ReceiverEvent, received: Received, frames: list[FrameNote]) -> None:
    """What the recording says when it is decoded again."""
    if isinstance(outcome, Telemetry):
        _telemetry(outcome, received)
        received.curves.take(outcome)
        received.parameters.take(outcome, frames)
    elif isinstance(outcome, EventMessage):
        received.boots += outcome.name == "BOOT"
        received.parameters.take_event(outcome)


def _event(event: EventRecord, received: Received, recording: Path) -> None:
    """What the station said while it received."""
    if event.kind == "contact":
        received.contacts.append(body_of(event, ContactChange, recording))
    elif event.kind == "event":
        received.events.append(body_of(event, EventMessage, recording))
    elif event.kind == "command":
        received.commands.append(body_of(event, CommandUpdate, recording))


def _telemetry(message: Telemetry, received: Received) -> None:
    """Keep a packet whose values were judged, and a point of the descent for the report.

    One nonsense time would stretch the report's axis over years, a nonsense value its scale: only good ones are drawn.
    """
    bad = message.bad
    if bad is not None and len(received.judged) < _MAX_SAMPLES:
        received.judged.append(message)
    if bad and ("altitude" in bad or "speed" in bad):
        return
    altitude, speed = message.values.get("altitude"), message.values.get("speed")
    if message.packet != "DESCENT" or len(received.samples) >= _MAX_SAMPLES:
        return
    if isinstance(altitude, (int, float)) and isinstance(speed, (int, float)) and received.clock.follow(message.scet):
        received.samples.append(Sample(message.scet, altitude, speed))


def judge(record: FlightRecord) -> Judgement:
    """Measure and judge a flight.

    Raises:
        ArchiveError: the recording cannot be read.
    """
    received = read(record)
    bench = _Bench(record)
    steps = ((ert, note.step) for ert, note in received.good(record.vcid) if note.step is not None)
    gaps = _interarrival((ert, step.place) for ert, step in steps if step.in_order)
    if record.error and not record.flown:
        return Judgement([], [], received, None, gaps)
    prediction = predict(record.channel, record.mission.link_profile)
    mismatch = _streams(bench, received, prediction)
    lost = sorted(_losses(bench, received) + _channel_losses(bench, received), key=lambda each: each.verdict.last_ert)
    _frames(bench, received, prediction)
    _mending(bench, received)
    checks = _values(bench, received)
    _times(bench, received, prediction, gaps)
    _target(bench, received)
    _bytes(bench, received)
    _commands(bench)
    _latencies(bench, received)
    part = record.scenario.head.part
    expected = expectation_rows(
        record.scenario.expectations, received.parameters, record.mission.dictionary, part, _sent(record)
    )
    rows = [*bench.rows, *expected, *fault_rows(record)]
    commanded = record.script is None and record.scenario.head.has_oracle
    why = dict.fromkeys(_GOLDEN_ROWS, _COMMANDED) if commanded else {}
    rows += unapplied(rows, record.mode, record.target, record.scenario.limits, part=part.text, why=why)
    return Judgement(rows, [each.declared for each in lost], received, mismatch, gaps, checks)


def _sent(record: FlightRecord) -> Callable[[], ReceivedParameters] | None:
    """What was sent in the part that was flown; None: it was all of the pass, or no oracle says what had to be sent."""
    head = record.scenario.head
    if head.part.whole or not head.has_oracle or record.script is None:
        return None
    return cache(partial(sent_parameters, record.scenario.expectations, record.channel.cuts, head.part, record.mission))


class _Bench:
    """The rows so far."""

    def __init__(self, record: FlightRecord) -> None:
        self.record = record
        self.kinds = {fault.kind for fault in record.scenario.faults}
        self.part = record.scenario.head.part
        self.has_oracle = record.scenario.head.has_oracle
        self.profile = record.mission.link_profile
        self.vcid = record.vcid
        self.period_ms = record.mission.dictionary.channels[0].period_ms
        more = OF_A_FAILING_CHIP if record.scenario.head.profile == "degraded" else ()
        self.limits = [*record.scenario.limits, *more]
        self.rows: list[Measurement] = []

    @property
    def exact(self) -> bool:
        """Frames come at their time, so that losses can be predicted."""
        return self.record.mode == "lockstep" and not self.kinds & _TIMING

    def leave_out(self, name: str, why: str) -> None:
        """One measurement that needs a part of the pass that was not flown."""
        self.rows.append(not_applicable(name, why))

    def lack(self, loss: Loss, verdict: LosVerdict | None = None, channel: ChannelDef | None = None) -> str:
        """Why a planned loss cannot have been seen in the part that was flown; empty: it can.

        Args:
            loss: it.
            verdict: the declared one that is nearest. If it fits, the loss was seen, however near the part's end is.
            channel: that is lost, if it is not the lander's.
        """
        at, own = int(loss.at.value), 0 if channel is None else channel.period_ms * NS_PER_MS
        period_ms = self.period_ms if channel is None else channel.period_ms
        if verdict is not None and verdict.last_scet is not None and not _time_error(verdict.last_scet, at, period_ms):
            return ""
        room = round(max(_DECLARED_NS, TIMEOUT_PERIODS * own) * max(1.0, self.record.speed))
        return self.part.lack(at, max(_LOCK_NS, ACQUIRE_FRAMES * own), room)

    def unsure(self, loss: Loss, cause: str | None) -> str:
        """Why the part ended before another channel could tell of which cause a loss is; empty: it did not."""
        if cause != "SILENCE" or cause in loss.causes:
            return ""
        others = self.record.mission.dictionary.channels[1:]
        return self.part.lack(int(loss.at.value), after=min((c.period_ms for c in others), default=0) * NS_PER_MS)

    def add(
        self,
        name: str,
        value: Shown,
        note: str = "",
        band: LimitBand | None = None,
        span: tuple[int, int] | None = None,
    ) -> None:
        """One measurement; without a band, by the scenario's limit or the usual one. ``span``: when it was made."""
        record = self.record
        watched = record.watched or not self.has_oracle
        usual = band_of(name, record.mode, record.target, self.limits, watched=watched)
        judged_by = usual if band is None or usual != LimitBand() else band
        judged, lateness = row(name, value, judged_by, note), record.lateness
        if judged.state == "FAIL" and lateness is not None and is_spoilt(name, value, judged_by, lateness, span):
            judged = judged.unstable(lateness.text)
        self.rows.append(judged)


def _streams(bench: _Bench, received: Received, prediction: Prediction) -> Mismatch | None:
    """The target's stream beside the oracle's, and the station's beside the channel's and the oracle's."""
    record = bench.record
    if not bench.has_oracle:
        bench.leave_out("stream_equal", f"{record.mission.name} has {NO_ORACLE}")
    sent, mismatch = record.channel.sent("down"), None
    if record.script is not None:
        golden = golden_stream(tuple(record.script), record.ready, record.steps)
        kept = len(sent) if record.comparable is None else record.comparable
        whole = record.comparable is None and (record.fell_short or not record.steps)
        mismatch = compare("sent by the target", golden if whole else golden[:kept], sent[:kept])
        bench.add("stream_equal", mismatch is None, where(mismatch))
        last = record.scenario.losses[-1] if record.scenario.losses else None
        if last is not None and (why := bench.lack(last)):
            bench.leave_out("golden_to_los", why)
        elif last is not None:
            early = until(golden, int(last.at.value))
            early = early[len(until(golden, bench.part.start)) if bench.part.late else 0 :]
            difference = compare("received by the station", early, received.stream)
            if last.causes == ["LANDER_ONLY"]:  # the bus goes on
                difference = compare("received by the station", early, received.stream[: len(early)])
            bench.add("golden_to_los", difference is None if received.notes else None, where(difference))
            if bench.rows[-1].state == "FAIL":
                mismatch = mismatch or difference
    difference = compare("received by the station", prediction.stream, received.stream)
    bench.add("received_equal", difference is None, where(difference))
    return mismatch or difference


def _losses(bench: _Bench, received: Received) -> list[_Lost]:
    """Each planned loss, and all that were not planned; all that were declared."""
    found, planned = received.losses(), bench.record.scenario.losses
    left, plans = list(found), dict[int, Loss]()
    for n, loss in enumerate(planned):
        number = f"[{n + 1}]" if len(planned) > 1 else ""
        verdict = min(left, key=lambda v: abs((v.last_scet or 0) - int(loss.at.value)), default=None)
        if why := bench.lack(loss, verdict):
            for name in OF_A_LOSS:
                bench.leave_out(f"{name}{number}", why)
            continue
        if verdict is not None:
            left.remove(verdict)
            plans[verdict.last_ert] = loss
        _one_loss(bench, number, loss, verdict)
    predicted = losses(
        _timeline(bench.record, received), bench.vcid, bench.record.heard_until, bench.period_ms * NS_PER_MS
    )
    head = bench.record.scenario.head
    excused = not bench.record.scenario.complete or head.profile == "degraded"  # a failing chip loses it often
    false = [v for v in left if not excused or v.last_ert not in predicted]
    notes = ", ".join(f"{v.cause} after frame {v.last_vcfc}: {v.evidence}" for v in false)
    bench.add("false_los", len(false), notes)
    lateness, speed = bench.record.lateness, bench.record.speed
    if bench.rows[-1].state == "FAIL" and lateness is not None and are_spoilt(false, lateness, bench.period_ms / speed):
        bench.rows[-1] = bench.rows[-1].unstable(lateness.text)
    missed = [last for last in predicted if last not in {v.last_ert for v in found}] if bench.exact else []
    _count_losses(bench, len(found), len(missed))
    if planned and (why := bench.lack(planned[-1])):
        bench.leave_out("frames_after_los", why)
    elif planned:
        at = int(planned[-1].at.value)
        whole = "SILENCE" in planned[-1].causes
        late = sum(n.scet is not None and n.scet >= at for _, n in received.good(None if whole else bench.vcid))
        bench.add("frames_after_los", late, "frames of later than the last planned loss")
    lander = bench.record.mission.dictionary.channels[0]
    return [_Lost(verdict, plans.get(verdict.last_ert), lander) for verdict in found]


def _channel_losses(bench: _Bench, received: Received) -> list[_Lost]:
    """Each planned loss of another channel than the lander's; those of them that were declared."""
    declared: list[_Lost] = []
    channels = {channel.name: channel for channel in bench.record.mission.dictionary.channels}
    for loss in bench.record.scenario.channel_losses:
        channel, at = channels[str(loss.channel)], int(loss.at.value)
        found = received.losses(channel.vcid)
        verdict = min(found, key=lambda v: abs((v.last_scet or 0) - at), default=None)
        if why := bench.lack(loss, verdict, channel):
            bench.leave_out(f"los_cause[{channel.name}]", why)
            continue
        last = None if verdict is None else verdict.last_scet
        error = None if last is None else _time_error(last, at, channel.period_ms)
        bench.add(f"los_time_error[{channel.name}]", error, "" if verdict else "no loss was declared")
        if verdict is not None:
            declared.append(_Lost(verdict, loss, channel))
        cause = None if verdict is None else verdict.cause
        right = loss.causes[0] if cause not in loss.causes else cause
        evidence = "" if verdict is None else verdict.evidence
        bench.add(f"los_cause[{channel.name}]", cause, evidence, LimitBand(equals=right))
        bench.rows[-1] = bench.rows[-1].with_note(evidence)
    return declared


def _timeline(record: FlightRecord, received: Received) -> list[tuple[int, FrameNote]]:
    """The notes with when their frames came; of several links only good ones: what one damaged another may bring."""
    if not received.shares:
        return received.notes
    came = arrivals(record)
    return [(came.get((note.link, note.offset), ert), note) for ert, note in received.notes if note.vcid is not None]


def _count_losses(bench: _Bench, found: int, missed: int) -> None:
    """Whether all losses were declared that had to be; one too many is another row's matter, `false_los`."""
    planned = sum(not bench.lack(loss) for loss in bench.record.scenario.losses)
    why = f"{missed} that follow from the frames were not declared" if missed else f"{planned} are planned"
    bench.add("losses", found, why, LimitBand(least=max(planned, found + missed)))


class _Lost(NamedTuple):
    """A loss that was declared, what was planned of it, and the channel that was lost."""

    verdict: LosVerdict
    plan: Loss | None
    channel: ChannelDef

    @property
    def declared(self) -> DeclaredLoss:
        """As the verdict of the run has it."""
        last, at = self.verdict.last_scet, None if self.plan is None else int(self.plan.at.value)
        period_ms = self.channel.period_ms
        interval = None if last is None else (utc(last, 3), utc(last + period_ms * NS_PER_MS, 3))
        return DeclaredLoss(
            channel=self.channel.name,
            cause=self.verdict.cause,
            evidence=self.verdict.evidence,
            planned=None if at is None else utc(at, 3),
            observed=None if interval is None else interval[1],
            interval=interval,
            error_ms=None if last is None or at is None else _time_error(last, at, period_ms),
            declared_late_ms=_declared_late(self.verdict),
            last_frame=self.verdict.last_vcfc,
        )


def _one_loss(bench: _Bench, number: str, loss: Loss, verdict: LosVerdict | None) -> None:
    at = int(loss.at.value)
    last = None if verdict is None else verdict.last_scet
    before = None if last is None else (last - at) / NS_PER_MS
    interval_ms = bench.period_ms * (_ticks_from_frame_to_frame(bench.record, at) if bench.has_oracle else 1)
    if interval_ms != bench.period_ms:
        bench.leave_out(f"last_good_frame{number}", _OTHER_PACE)
    elif bench.has_oracle:  # its limits are those of the lander's frames
        bench.add(f"last_good_frame{number}", before, "the last good frame is not the one before the loss")
    error = None if last is None else _time_error(last, at, interval_ms)
    bench.add(f"los_time_error{number}", error, "no loss was declared" if error is None else "")
    span = None if verdict is None else (verdict.last_ert, verdict.declared_ert)
    bench.add(f"los_declared_late{number}", None if verdict is None else _declared_late(verdict), span=span)
    cause = None if verdict is None else verdict.cause
    if why := bench.unsure(loss, cause):
        bench.leave_out(f"los_cause{number}", why)
        return
    right = loss.causes[0] if cause not in loss.causes else cause
    bench.add(f"los_cause{number}", cause, "" if verdict is None else verdict.evidence, LimitBand(equals=right))


def _ticks_from_frame_to_frame(record: FlightRecord, at: int) -> int:
    """What the last FRAME_RATE before a mission time asks for; a command that waits for a parameter may be the last."""
    ticks, since = 1, 0
    for command in record.scenario.commands:
        given = at - 1 if command.at is None else int(command.at.value)
        if command.name == _FRAME_RATE and since <= given < at:
            ticks, since = int(command.args["period"]), given
    return ticks


def _time_error(last: int, at: int, period_ms: int) -> int:
    """How far a plan is from the interval after the last good frame, in ms; 0: within it."""
    end = last + period_ms * NS_PER_MS
    return 0 if last < at <= end else (end - at) // NS_PER_MS if at > end else (last - at) // NS_PER_MS + period_ms


def _declared_late(verdict: LosVerdict) -> float:
    """How long after its time-out a loss was declared, in ms."""
    return (verdict.declared_ert - verdict.last_ert) / NS_PER_MS - verdict.timeout_ms


def _frames(bench: _Bench, received: Received, prediction: Prediction) -> None:
    merged, received = received, received.of_bus()
    found = {note.offset for _, note in received.good()}
    lost = [arrival.position not in found for arrival in prediction.good]
    bench.add("frames_lost", sum(lost), _first_lost(prediction.good, lost))
    run = most = 0
    for one in lost:
        run = run + 1 if one else 0
        most = max(most, run)
    bench.add("resync", most)
    rejects = sum(note.quality == "CRC" for _, note in received.notes)
    text = f"{rejects} found, {prediction.crc_rejects} predicted"
    bench.add("crc_rejects_unpredicted", rejects - prediction.crc_rejects, text)
    asm, size = len(bench.profile.asm), bench.profile.cadu_length
    sent = {cut.data[asm:] for cut in bench.record.channel.cuts}
    blocks = [received.stream[n.offset + asm : n.offset + size] for _, n in received.good()]
    wrong = sum(block not in sent for block in blocks)
    text = f"{wrong} good frames are not as sent, {prediction.undetected} predicted"
    bench.add("undetected_unpredicted", wrong - prediction.undetected, text)
    if merged.shares:
        for name, value, note in diversity_rows(bench.record, merged.notes, merged.shares):
            bench.add(name, value, note)
            bench.rows[-1] = bench.rows[-1].with_note(note)
    elif not prediction.undetected:  # a damaged frame that fits its FECF says anything
        _counts(bench, received, prediction)


def _mending(bench: _Bench, received: Received) -> None:
    """What salvage gains of one link's damaged frames, and whether it is right."""
    if received.shares or all(note.quality in ("GOOD", "CORRECTED") for _, note in received.notes):
        return
    tally = mend_flight(bench.record, received.stream)
    if tally is None or not tally.damaged:
        return
    bench.add("frames_mended", tally.mended - tally.wrong)
    bench.add("mended_share", tally.share)
    text = f"{tally.wrong} of {tally.mended} mended frames are not as made; salvage says at most {tally.risk:.2g}"
    bench.add("mended_wrong", tally.wrong, text, LimitBand(0, tally.wrong_most))


def _values(bench: _Bench, received: Received) -> list[CheckScore]:
    """What the checks of value quality are worth on a flight whose chip spoilt values, and how much it spoilt."""
    if bench.record.script is None:
        for name in sorted({limit.name for limit in bench.record.scenario.limits} & set(OF_VALUES)):
            bench.leave_out(name, _COMMANDED)
        return []
    checks = check_scores(bench.record, received.judged)
    if not checks or bench.kinds & _RESETS or len(received.judged) >= _MAX_SAMPLES:
        return checks
    if not bench.part.whole:  # the chip gets worse with time: a part has shares of its own
        for name in OF_VALUES:
            bench.leave_out(name, f"flown{bench.part.text}: it is of a whole pass")
        return checks
    whole = total(checks)
    if whole.recall is None:
        bench.leave_out("garbage_marked", "no garbage came")
    else:
        bench.add("garbage_marked", 100 * whole.recall, f"{whole.found} of {whole.garbage} garbage values were marked")
    if whole.false_share is not None:
        good = whole.values - whole.garbage
        bench.add("good_marked", 100 * whole.false_share, f"{whole.wrong} of {good} good values were marked")
    if (words := unusable_words(bench.record, received.judged)) is not None:
        text = f"of {words.made} words {words.lost} did not come, {words.spoilt} are not as they were meant"
        bench.add("words_unusable", words.share, text)
    return checks


def _counts(bench: _Bench, received: Received, prediction: Prediction) -> None:
    """The station's counts beside the rig's, which knows what was sent."""
    channel, counters = bench.record.channel, received.counters
    sent = SentFrames(channel.cuts, channel.delivered("down"), bench.profile)
    came = [(ert, number) for ert, note in received.good() if (number := sent.at(note.offset)) is not None]
    channels = [each.vcid for each in bench.record.mission.dictionary.channels if each.vcid != bench.profile.idle_vcid]
    tallies = {vcid: tally(n for _, n in came if n.vcid == vcid) for vcid in channels}
    missing = sum(each.missing for each in tallies.values())
    repeated = sum(each.repeated for each in tallies.values())
    lander = [(ert, number) for ert, number in came if number.vcid == bench.vcid]
    if lander or any(arrival.vcid == bench.vcid for arrival in prediction.good):
        value = tallies[bench.vcid].missing if lander else None
        bench.add("frames_missing", value, "of the lander, as the rig numbers them")
    counted = counters.frames_lost + counters.frames_at_restart
    said = lost_text(counted, counters.frames_lost_certainty)
    wrong = _miscounted(missing, counted, counters.frames_lost_certainty, bench.profile.vcfc_modulus)
    bench.add("lost_miscounted", wrong, f"the station says {said} lost, {missing} are")
    text = f"the station says {counters.frames_duplicate}, {repeated} came again"
    bench.add("duplicates_miscounted", counters.frames_duplicate - repeated, text)
    _outages(bench, received, lander)


def _outages(bench: _Bench, received: Received, came: Sequence[tuple[int, Number]]) -> None:
    """What the station said of each outage of the lander's when it was over."""
    before, said = 0, []
    for change in received.contacts:
        if change.vcid != bench.vcid:
            continue
        if change.verdict is not None:
            before = change.verdict.last_ert
        elif change.outage_ms is not None:
            said.append((before, change))
    times = [ert for ert, _ in came]
    for n, (since, change) in enumerate(said):
        heard = bisect_right(times, since)
        known = came[: bisect_right(times, change.ert)]
        numbers = [number for _, number in known]
        lost = missing_since(numbers, heard) if heard else 0
        # What came late in the moment in which the signal was back may have come before or after that was said.
        late = sum(number < max(numbers) for _, number in known[bisect_left(times, change.ert) :])
        outage = change.outage_lost or 0
        modulus = bench.profile.vcfc_modulus
        wrong = _miscounted(min(max(outage, lost), lost + late), outage, change.outage_lost_certainty, modulus)
        text = f"the station says {frames_lost(change.outage_lost, change.outage_lost_certainty)}, {lost} are"
        value = None if change.outage_lost_certainty == "UNKNOWN" else change.outage_lost
        name = "outage_lost" if len(said) == 1 else f"outage_lost[{n + 1}]"
        bench.add(name, value, text, LimitBand(equals=value if wrong == 0 else lost))


def _miscounted(lost: int, said: int, certainty: Certainty, modulus: int) -> int:
    """How far what the station says is from what is true; 0 as far as it says no more than it knows."""
    if certainty == "UNKNOWN" or (certainty == "AT_LEAST" and said <= lost):
        return 0
    if certainty == "ABOUT" and abs(said - lost) <= modulus // 8:
        return 0
    return said - lost


def _first_lost(arrivals: Sequence[Arrival], lost: Sequence[bool]) -> str:
    first = next((a for a, missing in zip(arrivals, lost, strict=True) if missing), None)
    return "" if first is None else f"the first at byte {first.position}: VC{first.vcid} frame {first.vcfc}"


def _interarrival(frames: Iterable[tuple[int, int]]) -> list[float]:
    """Times between frames that follow each other, in ms, of when each came and its place."""
    return [(then - now) / NS_PER_MS for (now, a), (then, b) in pairwise(frames) if b == a + 1]


def _times(bench: _Bench, received: Received, prediction: Prediction, gaps: list[float]) -> None:
    record = bench.record
    some = gaps or sum(arrival.vcid == bench.vcid for arrival in prediction.good) > 1
    if some and bench.has_oracle and not bench.kinds & _TIMING and not received.shares:
        period = bench.period_ms / record.speed if record.speed else bench.period_ms
        value = None if not gaps else _p99(gaps) - period
        if any(command.name == _FRAME_RATE for command in record.scenario.commands):
            bench.leave_out("interarrival_p99", _OTHER_PACE)
        else:
            bench.add("interarrival_p99", value if value is None else max(0.0, value))
    silent = all(arrival.vcid != bench.vcid for arrival in prediction.good)
    if record.mode == "realtime" and bench.part.cut and silent:
        bench.leave_out("byte_to_published_p99", f"the lander sent nothing{bench.part.text}")
    elif record.mode == "realtime" and (bench.has_oracle or record.published_ms):
        bench.add("byte_to_published_p99", _p99(record.published_ms) if record.published_ms else None)
    back = [d for d in record.occurrences if d.ended is not None and d.kind in OUTAGES]
    for n, outage in enumerate(back):
        name = "reacquisition" if len(back) == 1 else f"reacquisition[{n + 1}]"
        end = outage.ended or 0
        locked = (c.ert for c in received.contacts if c.vcid == bench.vcid and c.state == "LOCKED" and c.ert >= end)
        ert, heard = next(locked, None), record.heard_until
        if ert is None and heard is not None and heard < end + _LATEST_LOCK_NS:
            bench.leave_out(name, f"the flight ended{bench.part.text}, before the signal had to be there")
            continue
        if ert is None and received.shares:
            bench.leave_out(name, "another link heard the lander, so that its signal was never lost")
            continue
        if _is_silent_after(bench, outage.fault):
            bench.leave_out(
                name, f"the lander sent nothing in the {_LATEST_LOCK_NS // NS_PER_S} s that it has for that"
            )
            continue
        span = None if ert is None or outage.ended is None else (outage.ended, ert)
        bench.add(name, None if span is None else (span[1] - span[0]) / NS_PER_S, span=span)


def _is_silent_after(bench: _Bench, fault: int) -> bool:
    """Whether the lander sent too little for a signal after an outage, as far as it is known when that was over."""
    spec, record = bench.record.scenario.faults[fault], bench.record
    if spec.at is None or spec.at.kind != "scet" or spec.span is None or spec.span.kind != "ns":
        return False
    end = int(spec.at.value) + int(spec.span.value)
    room = round(_LATEST_LOCK_NS * max(1.0, record.speed))
    scets = (cut.scet for cut in record.channel.cuts if cut.vcid == bench.vcid)
    return sum(scet is not None and end <= scet < end + room for scet in scets) < ACQUIRE_FRAMES


def _p99(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]


def _target(bench: _Bench, received: Received) -> None:
    record = bench.record
    if not bench.has_oracle and not bench.kinds & _RESETS:
        bench.add("resets", received.counters.restarts, "the station says that the machine started again")
    elif not bench.kinds & _RESETS:
        boots = max(len(record.booted) - 1, int(received.boots > 0))  # it greets once a second after each
        bench.add("resets", boots, "the target booted in flight")
    if not bench.has_oracle:
        return
    built = record.provenance.get("build")
    flies = ", ".join(record.booted) or "an unknown build"
    if built is not None:
        equal = all(build == built for build in record.booted) if record.booted else None
        bench.add("build_id_equal", equal, f"{flies} flies, the image is {built}")
    elif record.target == BOARD and any(int(build, 16) for build in record.booted):  # 0 is the software lander
        bench.add("build_id_equal", None, f"{flies} flies, which no image here is: --image FILE names one")


def _bytes(bench: _Bench, received: Received) -> None:
    c = received.counters
    total = c.good + c.corrected + c.rejected + c.skipped + c.pending
    whole = c.bytes_in == total == received.archived
    bench.add("bytes_conserved", whole, f"{c.bytes_in} in, {total} accounted for, {received.archived} archived")
    down, up = bench.record.channel.account("down"), bench.record.channel.account("up")
    relays = [relay.account("down") for relay in bench.record.relays]
    text = f"down {down}, up {up}" + "".join(f", {account}" for account in relays)
    bench.add("bytes_accounted", all(each.conserved for each in (down, up, *relays)), text)


def _commands(bench: _Bench) -> None:
    record = bench.record
    for n, command in enumerate(record.scenario.commands):
        update = record.commands.get(n)
        state = None if update is None else update.state
        watch = record.triggers.commands.get(n)
        if why := _not_given(bench, command.at, watch):
            bench.leave_out(f"command[{n + 1}] {command.name}", why)
            continue
        if bench.part.cut and state is not None and state not in FINAL_STATES:
            bench.leave_out(f"command[{n + 1}] {command.name}", f"the flight ended when it was {state}")
            continue
        note = record.refused.get(n, "never given" if update is None else update.detail)
        if not bench.has_oracle and state is not None and state not in FINAL_STATES:
            note = f"the flight ended when it was {state}: scenario.until has to leave it time"
        if watch is not None:
            note = f"{note}; {watch.text}" if note else watch.text
        bench.add(f"command[{n + 1}] {command.name}", state, note, LimitBand(equals=command.expect))
        if watch is not None:
            bench.rows[-1] = bench.rows[-1].with_note(note)


def _not_given(bench: _Bench, at: At | None, watch: Watch | None) -> str:
    """Why a command was not given in the part that was flown; empty: it had to be."""
    if at is not None:
        return bench.part.lack(int(at.value))
    waits = bench.part.cut and watch is not None and watch.fired is None
    return f"the flight ended{bench.part.text}: {watch.text}" if waits and watch is not None else ""


def _latencies(bench: _Bench, received: Received) -> None:
    """How long each command took that has ended, from when the station took it."""
    for n, order in enumerate(bench.record.scenario.commands):
        last = bench.record.commands.get(n)
        if last is None or last.state not in ("COMPLETED", "FAILED"):
            continue
        given = next((each.ert for each in received.commands if each.command == last.command), None)
        ended = next((e.ert for e in received.commands if e.command == last.command and e.state == last.state), None)
        if given is not None and ended is not None:
            bench.add(f"command_latency[{n + 1}] {order.name}", (ended - given) / NS_PER_MS)

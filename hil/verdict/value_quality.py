"""What the ground's checks of value quality are worth: its verdicts beside what the lander meant.

The oracle knows each value as it was before the chip spoilt it. A value is garbage if it differs from that by more than
its field's declared tolerance, or if it is shown although the lander says that it means nothing; a stuck word that
happens to be the truth is none. A value is found if the ground marked it, suspect or unusable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from groundstation.messages.base import Value
from groundstation.messages.usable import UsableTally
from groundstation.messages.wire import Telemetry, UsableShare
from hil.lander.chip import WORDS
from hil.lander.physics.dynamics import TICK_NS
from hil.verdict.flight_record import FlightRecord
from hil.verdict.result import CheckScore
from hil.verdict.stream_diff import GoldenFlight, golden_flight
from protocols.declare.dictionary import Dictionary, Packet, ParameterDef
from protocols.declare.mission import Mission
from protocols.lander import EPOCH
from protocols.structures import codec
from protocols.units import NS_PER_MS

ANY = "any check"
"""The name of what all checks of a parameter found together."""
_PACKET = "DESCENT"


@dataclass(slots=True)
class _Score:
    found: int = 0
    wrong: int = 0
    waits_ms: list[float] = field(default_factory=list)


@dataclass(slots=True)
class _Onset:
    """A run of garbage that goes on: when it began, and which checks have found it."""

    began: int
    found_by: set[str] = field(default_factory=set)


class ValueScores:
    """Feed it what the ground made of one packet type, and what was meant, in order."""

    def __init__(self, packet: Packet) -> None:
        self._parameters = {each.name: each for each in packet.parameters}
        self._garbage = dict.fromkeys(self._parameters, 0)
        self._values = dict.fromkeys(self._parameters, 0)
        self._scores: dict[str, dict[str, _Score]] = {name: {ANY: _Score()} for name in self._parameters}
        self._onsets: dict[str, _Onset] = {}

    def begin(self) -> None:
        """Another flight: runs of garbage do not go on."""
        self._onsets.clear()

    def take(
        self,
        time: int,
        shown: Mapping[str, Value | None],
        reasons: Mapping[str, str],
        meant: Mapping[str, codec.Value],
        void: Iterable[str],
    ) -> None:
        """One packet.

        Args:
            time: of it, in ns.
            shown: its values as the ground shows them; None: it means nothing.
            reasons: of those that are not good, which check found them.
            meant: the values as the lander meant them.
            void: those that meant nothing.
        """
        nothing = frozenset(void)
        for name, value in shown.items():
            if value is None or name not in meant:
                continue
            reason = reasons.get(name)
            garbage = name in nothing or is_garbage(self._parameters[name], value, meant[name])
            self._values[name] += 1
            self._garbage[name] += garbage
            self._count(name, reason, time, garbage=garbage)

    def _count(self, name: str, reason: str | None, time: int, *, garbage: bool) -> None:
        if not garbage:
            self._onsets.pop(name, None)
        elif name not in self._onsets:
            self._onsets[name] = _Onset(time)
        if reason is None:
            return
        for check in (ANY, reason):
            score = self._scores[name].setdefault(check, _Score())
            if not garbage:
                score.wrong += 1
                continue
            score.found += 1
            onset = self._onsets[name]
            if check not in onset.found_by:
                onset.found_by.add(check)
                score.waits_ms.append((time - onset.began) / NS_PER_MS)

    def rows(self) -> list[CheckScore]:
        """All scores: by parameter, what all checks found first, then each check."""
        return [
            CheckScore(
                parameter=name,
                check=check,
                values=self._values[name],
                garbage=self._garbage[name],
                found=score.found,
                wrong=score.wrong,
                latency_ms=sum(score.waits_ms) / len(score.waits_ms) if score.waits_ms else None,
            )
            for name, scores in self._scores.items()
            for check, score in scores.items()
            if self._values[name]
        ]


def is_garbage(parameter: ParameterDef, value: Value, meant: codec.Value) -> bool:
    """Whether a value is farther from what was meant than its tolerance; by as much as it is rounded, none is."""
    if isinstance(value, str) or isinstance(meant, str | bytes):
        return value != meant
    rounding = 0.5 * 10.0**-parameter.decimals if isinstance(value, float) else 0.0
    return not abs(value - meant) <= (parameter.tolerance or 0.0) + rounding


def total(rows: Iterable[CheckScore]) -> CheckScore:
    """All parameters together."""
    chosen = [row for row in rows if row.check == ANY]
    return CheckScore(
        parameter="",
        check=ANY,
        values=sum(row.values for row in chosen),
        garbage=sum(row.garbage for row in chosen),
        found=sum(row.found for row in chosen),
        wrong=sum(row.wrong for row in chosen),
    )


def value_scores(
    telemetry: Iterable[Telemetry], meant: Mapping[int, bytes], dictionary: Dictionary
) -> list[CheckScore]:
    """The scores of a flight.

    Args:
        telemetry: what the ground said.
        meant: by tick the bodies that the chip spoilt, as they were before; others came as they were meant.
        dictionary: of the mission.
    """
    packet = dictionary.by_name[_PACKET]
    scores = ValueScores(packet)
    for message in telemetry:
        if message.packet != _PACKET or message.bad is None:
            continue
        reasons = {name: each.reason for name, each in message.bad.items()}
        body = meant.get((message.scet - EPOCH) // TICK_NS)
        if body is None:
            as_sent = {name: value for name, value in message.values.items() if value is not None}
            scores.take(message.scet, message.values, reasons, as_sent, ())
            continue
        values = packet.codec.decode(body, 0)
        scores.take(message.scet, message.values, reasons, values, packet.void(values))
    return scores.rows()


def values_may_be_spoilt(record: FlightRecord) -> bool:
    """Whether the chip spoilt values, or none knows: the oracle does not know what was commanded."""
    return bool(_meant(record)) if record.script is not None else bool(record.commands or record.scenario.commands)


def _golden(record: FlightRecord) -> GoldenFlight | None:
    """What the lander meant and made; None if it was commanded nothing, or at unknown ticks."""
    return golden_flight(tuple(record.script), record.ready, record.steps) if record.script else None


def _meant(record: FlightRecord) -> Mapping[int, bytes]:
    """By tick the bodies that the chip spoilt, as they were before; none if it is unknown what was commanded."""
    golden = _golden(record)
    return {} if golden is None else golden.meant


def check_scores(record: FlightRecord, telemetry: Sequence[Telemetry]) -> list[CheckScore]:
    """The scores of a flight of which the chip was made to fail.

    Returns:
        The scores; none if it was not, or if it is unknown at which ticks the commands came.
    """
    meant = _meant(record)
    return value_scores(telemetry, meant, record.mission.dictionary) if meant else []


class UnusableWords(NamedTuple):
    """The words of the science that the lander made in the part that was flown, and what became of them.

    Attributes:
        made: all of them.
        lost: those of packets that did not come.
        spoilt: those that came and are not as they were meant; a stuck word that happens to be the truth is none.
    """

    made: int
    lost: int
    spoilt: int

    @property
    def share(self) -> float:
        """Unusable words, in percent."""
        return 100 * (self.lost + self.spoilt) / self.made


def unusable_words(record: FlightRecord, telemetry: Iterable[Telemetry]) -> UnusableWords | None:
    """How many words of a flight's science are unusable; None if the chip spoilt none, or it is unknown."""
    golden, part = _golden(record), record.scenario.head.part
    if golden is None or not golden.meant:
        return None
    came = {(each.scet - EPOCH) // TICK_NS for each in telemetry if each.packet == _PACKET}
    bodies = {tick: body for tick, body in golden.bodies.items() if part.start <= EPOCH + tick * TICK_NS < part.end}
    lost = sum(tick not in came for tick in bodies)
    spoilt = sum(_differing(body, golden.meant.get(tick, body)) for tick, body in bodies.items() if tick in came)
    return UnusableWords(WORDS * len(bodies), WORDS * lost, spoilt) if bodies else None


def _differing(body: bytes, meant: bytes) -> int:
    """How many whole words of two bodies differ."""
    return sum(body[at : at + 2] != meant[at : at + 2] for at in range(0, 2 * WORDS, 2))


def usable_shares(telemetry: Iterable[Telemetry], mission: Mission) -> list[UsableShare]:
    """How many values were good, by phase and parameter."""
    packet, dot, name = mission.display.phase.partition(".")
    tally = UsableTally((packet, name) if dot else None)
    for message in telemetry:
        tally.take(message)
    return tally.rows()

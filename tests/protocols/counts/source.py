"""A spacecraft that counts, a link that loses, doubles and reorders, and what is true of what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from protocols.ccsds.aos_frame import AosFrame
from protocols.ccsds.space_packet import encode_packet, idle_packet
from protocols.ccsds.tm_frame import TmFrame
from protocols.counts import NOTHING, FrameCounter, FrameStep, Lost

MS = 1_000_000
TM, AOS = 1 << 8, 1 << 24
LANDER, BUS = 0, 2
PERIODS = {LANDER: 100 * MS, BUS: 1000 * MS}
_APIDS = {LANDER: 0x101, BUS: 0x201}


@dataclass(frozen=True)
class Sent:
    """A frame: which life of the source it is of, its number there, its time and when it is received, in ms."""

    life: int
    vcid: int
    number: int
    time: int
    ert: int
    frame: TmFrame | AosFrame


@dataclass
class Source:
    """Sends a frame on VC0 every 100 ms and one on VC2 every second, each with a packet of its own."""

    aos: bool = False
    life: int = 0
    time: int = 0
    ert: int = 0
    counts: dict[int, int] = field(default_factory=lambda: {LANDER: 0, BUS: 0})
    sequences: dict[int, int] = field(default_factory=lambda: {LANDER: 0, BUS: 0})
    master: int = 0

    def frame(self, vcid: int) -> Sent:
        """The channel's next."""
        body = self.time.to_bytes(8, "big") + bytes(20)
        packet = encode_packet(_APIDS[vcid], self.sequences[vcid] & 0x3FFF, body)
        data, count = packet + idle_packet(116 - len(packet)), self.counts[vcid]
        frame: TmFrame | AosFrame = TmFrame(6, vcid, self.master & 0xFF, count & 0xFF, 0, data, None)
        if self.aos:
            frame = AosFrame(6, vcid, count & 0xFFFFFF, 0, data, None)
        sent = Sent(self.life, vcid, count, self.time, self.ert, frame)
        self.counts[vcid] += 1
        self.sequences[vcid] += 1
        self.master += 1
        return sent

    def run(self, ticks: int) -> list[Sent]:
        """So many times 100 ms."""
        out = []
        for _ in range(ticks):
            out.append(self.frame(LANDER))
            if self.time % 1000 == 0:
                out.append(self.frame(BUS))
            self.wait(100)
        return out

    def alone(self, vcid: int, count: int, ms: int) -> list[Sent]:
        """So many frames of one channel alone, one every ``ms``."""
        found = []
        for _ in range(count):
            self.wait(ms)
            found.append(self.frame(vcid))
        return found

    def wait(self, ms: int) -> None:
        """Time passes."""
        self.time += ms
        self.ert += ms

    def restart(self, pause: int = 1000) -> None:
        """All counters and the clock from 0."""
        self.life += 1
        self.time, self.master = 0, 0
        self.counts, self.sequences = {LANDER: 0, BUS: 0}, {LANDER: 0, BUS: 0}
        self.ert += pause


@dataclass
class Result:
    """What a counter made of it."""

    steps: list[FrameStep] = field(default_factory=list)
    lost: Lost = NOTHING
    lost_all: Lost = NOTHING
    restarts: int = 0

    def kinds(self, *without: str) -> list[str]:
        return [step.kind for step in self.steps if step.kind not in without]

    def number(self, kind: str) -> int:
        return self.kinds().count(kind)


def count(came: Sequence[Sent], *, time: bool = True, ert: bool = True, periods: bool = True) -> Result:
    """Count what came; the counter is told of spacecraft time, time of reception and frame periods, or not."""
    modulus = AOS if came and isinstance(came[0].frame, AosFrame) else TM
    counter, result = FrameCounter(modulus, PERIODS if periods else None), Result()
    for sent in came:
        step = counter.count(sent.frame, sent.time * MS if time else None, sent.ert * MS if ert else None)
        result.steps.append(step)
        result.lost = (result.lost + step.lost + step.at_restart).less(step.regained)
        result.lost_all = (result.lost_all + (step.lost_all or NOTHING)).less(step.regained_all)
    result.restarts = counter.restarts
    return result


def truth(came: Sequence[Sent]) -> tuple[int, int, int]:
    """Frames missing between those of each life and channel that came, frames that came again, and restarts."""
    seen: set[tuple[int, int, int]] = set()
    again = lost = 0
    first: dict[tuple[int, int], int] = {}
    for sent in came:
        key = sent.life, sent.vcid, sent.number
        again += key in seen
        seen.add(key)
        first.setdefault(key[:2], sent.number)
    for channel, start in first.items():
        numbers = {key[2] for key in seen if key[:2] == channel and key[2] >= start}
        lost += max(numbers) - start + 1 - len(numbers)
    return lost, again, len({key[0] for key in seen}) - 1


def disturb(chance: Random, sent: Sequence[Sent], calm: Sequence[int] = (), longest: int = 600) -> list[Sent]:
    """Lose, double and reorder frames, but none near the places ``calm``."""
    out: list[Sent] = []
    n = 0
    while n < len(sent):
        kind, lost = (
            chance.random(),
            chance.choice([each for each in (1, 2, 3, 8, 20, 100, 257, 600) if each <= longest]),
        )
        if kind < 0.01 and not any(n - 40 <= place <= n + lost + 40 for place in calm):
            n += lost
            continue
        out.append(sent[n])
        n += 1
        if any(abs(n - place) < 40 for place in calm):
            continue
        if kind > 0.99:
            out += [sent[n - 1]] * chance.randrange(1, 3)
        elif kind > 0.98 and len(out) > 5:
            out.append(out[-1 - chance.randrange(1, 5)])
        elif kind > 0.97 and 3 < n < len(sent):
            out.insert(len(out) - 1, sent[n])
            n += 1
    return out

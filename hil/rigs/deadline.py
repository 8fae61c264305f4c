"""By when a pass in real time must be over, and what is said of a target that is not.

Nothing waits for a target for ever: a program that hangs, or that a command has reset, sends its last frame never.
The mission goes at the flight's speed, slower after a command SCALE that asks for less; it stands while a fault hangs
the target; and it is longer after SELECT_PROFILE. To that comes what a command or a fault at the end may still take.
"""

from __future__ import annotations

from collections.abc import Sequence

from groundstation.downlink.receiver import Receiver
from groundstation.links.base import Chunk
from groundstation.messages.text import utc
from groundstation.messages.wire import Telemetry
from hil.channel.frame_splitter import SentFrame
from hil.faults import EnvironmentFault, Spec
from hil.scenario.scenario import Command, Scenario
from protocols.lander import LANDER, MARS6
from protocols.profile import UART
from protocols.units import NS_PER_S

GRACE_S = 5.0
"""How much later than planned a pass may end, in seconds of the host."""
COMMAND_S = 10.0
"""How long a station tries to get a command through, in seconds of the host."""
_LAST = 40
"""Frames in which the lander's last words are looked for."""


def planned_seconds(scenario: Scenario, speed: float) -> float:
    """How long a scenario takes from START on, in seconds of the host.

    Args:
        scenario: what is flown; what comes before the part that it is about does not count.
        speed: mission seconds a second.
    """
    part, plan = scenario.head.part, scenario.longest_pass
    begin, length = part.begin, (part.end if part.cut else plan.over) - part.begin
    stands = sum(span_of(fault) for fault in scenario.faults if fault.kind == "hang")
    before = (part.start - begin) / speed / NS_PER_S  # it is flown flat out
    ends = [_host_seconds(begin, length, speed, scenario.commands) + stands / speed / NS_PER_S]
    if part.cut:
        return ends[0] - before
    ends += [
        (_began(fault, begin, length) + span_of(fault)) / speed / NS_PER_S
        for fault in scenario.faults
        if span_of(fault)
    ]
    ends += [
        _host_seconds(begin, _since(c, begin, length), speed, scenario.commands) + COMMAND_S for c in scenario.commands
    ]
    return max(ends) - before


def span_of(fault: Spec) -> int:
    """For how long a fault of link or target lasts, in ns of the mission; 0: it is not undone."""
    return fault.span.value if isinstance(fault, EnvironmentFault) and fault.span is not None else 0


def _began(fault: Spec, begin: int, length: int) -> int:
    """When it begins at the latest, in ns after the pass's beginning."""
    at = fault.at
    return int(at.value) - begin if at is not None and at.kind == "scet" else length


def _since(command: Command, begin: int, waiting: int) -> int:
    """When it is given, in ns after the pass's beginning; ``waiting`` if it waits for a parameter."""
    return waiting if command.at is None else int(command.at.value) - begin


def _host_seconds(begin: int, mission: int, speed: float, commands: Sequence[Command]) -> float:
    """The host's seconds until a mission time, in ns after the pass's beginning. A SCALE for more may not arrive."""
    host, now, rate = 0.0, 0, speed
    for command in sorted((c for c in commands if c.name == "SCALE"), key=lambda c: _since(c, begin, 0)):
        then = min(_since(command, begin, 0), mission)
        host, now = host + max(0, then - now) / rate / NS_PER_S, max(now, then)
        factor = command.args.get("factor")
        rate = min(rate, factor) if isinstance(factor, (int, float)) and factor > 0 else rate
    return host + (mission - now) / rate / NS_PER_S


def last_words(cuts: Sequence[SentFrame]) -> str:
    """What a target sent last: frame, mission time, and what the lander said last of its phase."""
    frames = [cut for cut in cuts[-_LAST:] if cut.vcid is not None]
    if not frames:
        return "it sent no frame"
    last, lander = frames[-1], [cut for cut in frames if cut.vcid == LANDER]
    text = f"its last frame was {_named(last)}"
    if not lander:
        return text
    before = "" if last is lander[-1] else f", and of the lander {_named(lander[-1])}"
    return f"{text}{before}{_phase(lander)}"


def _named(cut: SentFrame) -> str:
    return f"VC{cut.vcid} frame {cut.vcfc}" + ("" if cut.scet is None else f" of {utc(cut.scet, 3)}")


def _phase(frames: Sequence[SentFrame]) -> str:
    """The phase in the last of the lander's frames."""
    receiver, phase = Receiver(MARS6, UART, "target:"), None
    for frame in frames:
        for outcome in receiver.process(Chunk(0, frame.data)):
            if isinstance(outcome, Telemetry) and outcome.packet == "DESCENT":
                phase = outcome.values.get("phase")
    return "" if phase is None else f", in phase {phase}"

"""What the rig itself sends up: commands past FARM-1's sequence control, so that no other numbering is disturbed."""

from __future__ import annotations

from collections.abc import Mapping

from hil.lander.flight_profile import HISTORICAL, PASSES, FlightPlan
from protocols.ccsds.cltu import encode_cltu
from protocols.ccsds.tc_frame import ControlCommand, TcFrame, encode_control, encode_frame
from protocols.declare.commands import Argument
from protocols.lander import MARS6, SCID

SCALES = (0.1, 100.0)
"""Mission seconds a second that the command SCALE can ask for."""
STEP_MAX = 10_000
"""Ticks that one command STEP can ask for."""
COMPLETION = 8
"""Acknowledgement flag: a report when it is carried out."""


def tc_frame(name: str, reports: int = 0, values: Mapping[str, Argument] | None = None) -> bytes:
    """A command in a frame of type BD; without ``reports`` nothing is reported but failure."""
    packet = MARS6.command(name).packet(0, values or {}, acknowledge=reports)
    return encode_frame(TcFrame(SCID, 0, 0, packet, bypass=True))


def order(name: str, **values: Argument) -> bytes:
    """The CLTU of one command without reports."""
    return encode_cltu(tc_frame(name, values=values))


def control(command: ControlCommand) -> bytes:
    """The CLTU of a control command to FARM-1."""
    return encode_cltu(encode_frame(TcFrame(SCID, 0, 0, encode_control(command), bypass=True, control=True)))


def plan_cltus(plan: FlightPlan) -> bytes:
    """What a lander in READY is told of its flight; nothing of what it has from power on."""
    told = b"" if plan.span == "descent" else order("SELECT_SPAN", span=plan.span.upper())
    if plan.profile != "historical":
        told += order("SELECT_PROFILE", profile=PASSES[plan.profile].label)
    return told + order("SEED", seed=plan.seed) if plan.seed else told


def part_script(speed: float, plan: FlightPlan, ticks: int) -> list[tuple[int, bytes]]:
    """What makes a lander in READY fly so many ticks flat out, and go on from there at a speed, for the oracle.

    It asks for no reports: no frame comes down that is not of the pass. HOLD and STEP wait for the first tick together.
    While the lander flies flat out it takes nothing, so that each further entry comes at the tick after.
    """
    steps = [min(STEP_MAX, ticks - done) for done in range(0, ticks, STEP_MAX)]
    flat_out = encode_cltu(tc_frame("START") + tc_frame("HOLD") + tc_frame("STEP", values={"ticks": steps[0]}))
    script = [(0, plan_cltus(plan) + flat_out)]
    script += [(STEP_MAX * n, order("STEP", ticks=step)) for n, step in enumerate(steps) if n]
    return [*script, (ticks, order("SCALE", factor=round(speed, 2)) + order("RESUME"))]


def start_script(speed: float, plan: FlightPlan = HISTORICAL) -> list[tuple[int, bytes]]:
    """What makes a lander in READY fly at a speed, as the oracle wants it: before its first step.

    It asks for no reports, so that none comes down before the first tick.
    """
    return [(0, order("SCALE", factor=round(speed, 2)) + plan_cltus(plan) + order("START"))]

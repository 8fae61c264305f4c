"""What the rig itself sends up: commands past FARM-1's sequence control, so that no other numbering is disturbed."""

from __future__ import annotations

from collections.abc import Mapping

from hil.lander.flight_profile import PASSES, FlightProfile, FlightSpan
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


def select_frame(profile: FlightProfile) -> bytes:
    """What a lander in READY is told of its profile; nothing for the one that it has from power on."""
    label = PASSES[profile].label
    return b"" if profile == "historical" else tc_frame("SELECT_PROFILE", values={"profile": label})


def select_span(span: FlightSpan) -> bytes:
    """The CLTU that tells a lander in READY its span; nothing for the one that it has from power on.

    One of its own: a CLTU holds no more than the profile's command with START and HOLD.
    """
    return b"" if span == "descent" else order("SELECT_SPAN", span=span.upper())


def part_script(
    speed: float, profile: FlightProfile, ticks: int, span: FlightSpan = "descent"
) -> list[tuple[int, bytes]]:
    """What makes a lander in READY fly so many ticks flat out, and go on from there at a speed, for the oracle.

    It asks for no reports: no frame comes down that is not of the pass. HOLD and STEP wait for the first tick together.
    While the lander flies flat out it takes nothing, so that each further entry comes at the tick after.
    """
    chosen = select_frame(profile)
    before = select_span(span) + (encode_cltu(chosen) if chosen else b"")
    steps = [min(STEP_MAX, ticks - done) for done in range(0, ticks, STEP_MAX)]
    flat_out = encode_cltu(tc_frame("START") + tc_frame("HOLD") + tc_frame("STEP", values={"ticks": steps[0]}))
    script = [(0, before + flat_out)]
    script += [(STEP_MAX * n, order("STEP", ticks=step)) for n, step in enumerate(steps) if n]
    return [*script, (ticks, order("SCALE", factor=round(speed, 2)) + order("RESUME"))]


def start_script(
    speed: float, profile: FlightProfile = "historical", span: FlightSpan = "descent"
) -> list[tuple[int, bytes]]:
    """What makes a lander in READY fly at a speed, as the oracle wants it: before its first step.

    It asks for no reports, so that none comes down before the first tick.
    """
    start = encode_cltu(select_frame(profile) + tc_frame("START"))
    return [(0, order("SCALE", factor=round(speed, 2)) + select_span(span) + start)]

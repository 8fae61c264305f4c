"""Draw the figures of docs/mars6.md from flown runs: docs/img/mars6-*.svg.

    python tools/make_figures.py            fly and write all
    python tools/make_figures.py --check    fly and compare; exit 1 if a committed figure differs

Each flight is the software lander's, without a clock, and its bytes are received as a station receives them: what is
drawn is telemetry, not the model behind it. Flown again it is the same to the byte, and so are the figures.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from groundstation.downlink.receiver import Receiver
from groundstation.links.base import Chunk
from groundstation.messages.wire import Telemetry
from hil.verdict.oracle import fly
from protocols.ccsds.cltu import encode_cltu
from protocols.ccsds.tc_frame import TcFrame, encode_frame
from protocols.declare.mission import MissionEvent
from protocols.lander import EPOCH, MARS6, MISSION, SCID
from protocols.profile import UART
from protocols.units import NS_PER_S

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "img"
TRUTH = ROOT / "tests" / "data" / "descent_1hz.csv"

WIDTH, LEFT, RIGHT, PANEL, GAP, HEAD, FOOT = 860, 84, 16, 110, 14, 30, 34
INK, GRID, BLUE, RED, GREEN, GREY = "#24292f", "#d0d7de", "#0969da", "#cf222e", "#1a7f37", "#8c959f"

Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Panel:
    """A curve, in seconds after entry; ``marks`` are values to compare it with; ``log``: a logarithmic scale."""

    label: str
    points: Points
    marks: Points
    log: bool = False


def flight(**choices: str) -> list[Telemetry]:
    """The telemetry of a flight: ``SELECT_PROFILE`` and ``SELECT_SPAN`` as chosen, then START."""
    orders = [(f"SELECT_{name.upper()}", {name: value}) for name, value in choices.items()]
    packets = [MARS6.command(name).packet(0, values) for name, values in (*orders, ("START", {}))]
    script = [(0, encode_cltu(encode_frame(TcFrame(SCID, 0, 0, packet, bypass=True)))) for packet in packets]
    receiver = Receiver(MARS6, UART, "figures")
    bursts = (burst for burst in fly(script=script, ready=True) if burst.data)
    messages = (message for burst in bursts for message in receiver.process(Chunk(burst.scet, burst.data)))
    return [message for message in messages if isinstance(message, Telemetry)]


def curve(flown: Iterable[Telemetry], parameter: str, first: float = -1e9, last: float = 1e9) -> Points:
    """A parameter over seconds after entry; void and unusable values are left out."""
    packet, _, name = parameter.partition(".")
    points: Points = []
    for message in flown:
        value = message.values.get(name) if message.packet == packet else None
        bad = (message.bad or {}).get(name)
        at = (message.scet - EPOCH) / NS_PER_S
        if isinstance(value, int | float) and first <= at <= last and (bad is None or bad.quality != "unusable"):
            points.append((at, float(value)))
    return points


def truth(column: str, first: int, last: int, scale: float = 1.0) -> Points:
    """Every tenth second of the truth table."""
    with TRUTH.open(encoding="utf-8") as file:
        rows = [(int(row["t_s"]), float(row[column]) * scale) for row in csv.DictReader(file)]
    return [(float(at), value) for at, value in rows if first <= at <= last and at % 10 == 0]


# ------------------------------------------------------------------------------------------------ drawing


def text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 11, colour: str = INK) -> str:
    """Words at a place."""
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {place} fill="{colour}">{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str = GRID, width: float = 1) -> str:
    """A straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width:g}"/>'


def page(title: str, height: float, body: Iterable[str]) -> str:
    """A whole document."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
            'font-family="system-ui, sans-serif">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>',
            text(LEFT, 18, title, size=13),
            *body,
            "</svg>\n",
        ]
    )


def strips(title: str, panels: Sequence[Panel], ticks: Sequence[float], named: Sequence[tuple[float, str]]) -> str:
    """Panels one below the other over one time axis; ``named`` moments go through all of them."""
    first, last = ticks[0], ticks[-1]
    height = HEAD + len(panels) * (PANEL + GAP) + FOOT
    out = []
    for number, (at, label) in enumerate(named):
        x, y = _x(at, first, last), HEAD + 2 + 10 * (number % 2)
        out += [line(x, HEAD, x, height - FOOT, GREY), text(x + 3, y, label, size=9, colour=GREY)]
    for number, panel in enumerate(panels):
        out += _strip(panel, HEAD + number * (PANEL + GAP) + GAP, first, last)
    for at in ticks:
        out.append(text(_x(at, first, last), height - FOOT + 16, f"{at:g}", anchor="middle"))
    out.append(text(WIDTH - RIGHT, height - 4, "seconds after entry", anchor="end", colour=GREY))
    return page(title, height, out)


def _x(at: float, first: float, last: float) -> float:
    return LEFT + (at - first) / (last - first) * (WIDTH - LEFT - RIGHT)


def _strip(panel: Panel, top: float, first: float, last: float) -> list[str]:
    scale: Callable[[float], float] = (
        (lambda value: math.log10(max(value, 1e-3))) if panel.log else (lambda value: value)
    )
    values = [scale(value) for _, value in (*panel.points, *panel.marks)] or [0.0]
    low, high = min(values), max(values)
    low = low if panel.log or low < 0 or low > 0.7 * high else 0.0
    high = high if high > low else low + 1

    def y(value: float) -> float:
        return top + PANEL - (scale(value) - low) / (high - low) * PANEL

    ends = [10**end if panel.log else end for end in (low, high)]
    out = [line(LEFT, top, WIDTH - RIGHT, top), line(LEFT, top + PANEL, WIDTH - RIGHT, top + PANEL)]
    out += [
        text(LEFT - 6, y(end) + 4, f"{end:,.4g}" if end < 1000 else f"{end:,.0f}", anchor="end", size=10)
        for end in ends
    ]
    out.append(text(LEFT + 4, top + PANEL / 2, panel.label, colour=BLUE))
    path = " ".join(f"{_x(at, first, last):.1f},{y(value):.1f}" for at, value in thinned(panel.points))
    out.append(f'<polyline points="{path}" fill="none" stroke="{BLUE}" stroke-width="1.3"/>')
    for at, value in panel.marks:
        out.append(f'<circle cx="{_x(at, first, last):.1f}" cy="{y(value):.1f}" r="2" fill="none" stroke="{RED}"/>')
    return out


def thinned(points: Points, most: int = 1500) -> Points:
    """At most so many, evenly."""
    return points[:: max(1, math.ceil(len(points) / most))]


# ------------------------------------------------------------------------------------------------ figures


def descent_figure(flown: list[Telemetry]) -> str:
    """Altitude, speed, load, temperature and pressure, with the truth table's values."""
    columns = (
        ("altitude, m", "DESCENT.altitude", "alt_m", False),
        ("speed, m/s", "DESCENT.speed", "speed_mps", False),
        ("accelerometer, g", "DESCENT.deceleration", "axial_decel_g", False),
        ("thermometer, K", "DESCENT.temperature", "temperature_K", False),
        ("barometer, hPa", "DESCENT.pressure", "pressure_hPa", True),
    )
    panels = [Panel(label, curve(flown, name), truth(column, 90, 310), log) for label, name, column, log in columns]
    named = [
        ((m.scet - EPOCH) / NS_PER_S, m.label) for m in MARS6.timeline if m.name in ("DROGUE", "MAIN", "RETRO_ARM")
    ]
    title = "The descent as received (blue), with the truth table of the model (red)"
    return strips(title, panels, range(80, 321, 40), named)


def flyby_figure(flown: list[Telemetry]) -> str:
    """The bus's instruments and its way past Mars."""
    first, last = -1800.0, 4060.0
    names = (
        ("altitude, km", "BUS_ORBIT.altitude"),
        ("field bx, nT", "MAGNETOMETER.bx"),
        ("field by, nT", "MAGNETOMETER.by"),
        ("plasma speed, km/s", "PLASMA.speed"),
        ("plasma density, 1/cm³", "PLASMA.density"),
        ("cosmic rays, 1/s", "COSMIC_RAYS.rate"),
        ("protons 1–4 MeV, 1/s", "PARTICLES.proton_1"),
        ("impacts", "MICROMETEOROIDS.impacts"),
    )
    panels = [Panel(label, curve(flown, name, first, last), []) for label, name in names]
    named = [(-205.0, "bow shock"), (0.0, "entry"), (460.0, "closest"), (1215.0, "relay sets")]
    title = "The bus past Mars: instruments as received [models: R and A]"
    return strips(title, panels, [-1800, -1200, -600, 0, 600, 1200, 1800, 2400, 3000, 3600, 4060], named)


def spectrum_figure(flown: list[Telemetry]) -> str:
    """The first sweep of the mass spectrometer after a soft landing."""
    sweep = next(message for message in flown if message.packet == "SPECTRUM")
    values = [float(sweep.values[f"intensity[{n}]"] or 0) for n in range(80)]
    height, foot, top = 260, 220, max([*values, 1.0])
    step = (WIDTH - LEFT - RIGHT) / 80
    out = [line(LEFT, foot, WIDTH - RIGHT, foot, INK)]
    highest = sorted(range(80), key=lambda n: -values[n])[:6]
    for n, value in enumerate(values):
        x, tall = LEFT + n * step, value / top * (foot - HEAD - 20)
        out.append(
            f'<rect x="{x:.1f}" y="{foot - tall:.1f}" width="{step * 0.7:.1f}" height="{tall:.1f}" fill="{BLUE}"/>'
        )
        if n in highest:
            out.append(text(x + step / 3, foot - tall - 4, str(n + 1), anchor="middle", size=10))
        if (n + 1) % 10 == 0:
            out.append(text(x + step / 3, foot + 16, str(n + 1), anchor="middle"))
    out += [text(LEFT - 6, foot, "0", anchor="end"), text(LEFT - 6, HEAD + 24, f"{top:g} dB", anchor="end")]
    out.append(text(WIDTH - RIGHT, height - 8, "m/z", anchor="end", colour=GREY))
    at = (sweep.scet - EPOCH) / NS_PER_S
    title = f"Sweep {sweep.values['sweep']} of the mass spectrometer after a soft landing, {at:g} s after entry [A]"
    return page(title, height, out)


def quality_figure(flown: list[Telemetry]) -> str:
    """Good, suspect and unusable values by phase of a degraded descent; the phases are the plan's, by onboard time."""
    stones = {m.name: m.scet for m in MARS6.timeline}
    phases = (
        ("aeroshell", "FIRST_DATA", "DROGUE"),
        ("drogue", "DROGUE", "MAIN"),
        ("main", "MAIN", "LOSS_OF_SIGNAL"),
        ("all", "FIRST_DATA", "LOSS_OF_SIGNAL"),
    )
    out, top = [], HEAD + 10
    for number, (phase, start, end) in enumerate(phases):
        counts = _judged(
            [m for m in flown if m.vcid == 0 and m.bad is not None and stones[start] <= m.scet < stones[end]]
        )
        x, y = float(LEFT) + 40, top + number * 30
        out.append(text(LEFT + 34, y + 14, phase, anchor="end"))
        for count, colour in zip(counts, (GREEN, "#bf8700", RED), strict=True):
            wide = count / max(1, sum(counts)) * (WIDTH - LEFT - RIGHT - 40)
            out.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="20" fill="{colour}"/>')
            if wide > 60:
                out.append(text(x + 6, y + 14, f"{100 * count / sum(counts):.1f} %", colour="#ffffff"))
            x += wide
    height = top + len(phases) * 30 + FOOT
    words = (
        "values received: good, suspect, unusable, as the ground's checks say; frames that were lost are not counted"
    )
    out.append(text(LEFT + 40, height - 10, words, colour=GREY))
    return page("Usable data by phase, degraded descent [the chip's model: A]", height, out)


def _judged(flown: Iterable[Telemetry]) -> tuple[int, int, int]:
    """Values that are good, suspect and unusable; void ones are none of them."""
    good = suspect = unusable = 0
    for message in flown:
        found = [verdict.quality for verdict in (message.bad or {}).values()]
        suspect += found.count("suspect")
        unusable += found.count("unusable")
        good += len(message.values) - len(found) - len(message.invalid)
    return good, suspect, unusable


def mission_figure() -> str:
    """The mission in three scales, from months to seconds."""
    events = sorted(MISSION.events, key=lambda event: event.scet)
    near = [event for event in events if abs(event.scet - EPOCH) < 86_400 * NS_PER_S and not event.day_only]
    stones = [MissionEvent(m.name, m.label, m.scet, m.mark, "") for m in MISSION.timeline]
    scales = (("the mission, months", events), ("the encounter, hours", near), ("the descent, minutes", stones))
    out = [part for n, (label, shown) in enumerate(scales) for part in _scale(label, shown, HEAD + 16 + n * 150)]
    out.append(
        text(LEFT, HEAD + 460, "Marks: S source document, F found, R remembered, C computed, A assumed.", colour=GREY)
    )
    return page("Mars 6, from launch to the fly-by", HEAD + 474, out)


def _scale(label: str, events: Sequence[MissionEvent], top: float) -> list[str]:
    first, last = events[0].scet, events[-1].scet
    out = [text(16, top, label, colour=BLUE), line(LEFT, top + 14, WIDTH - RIGHT, top + 14, INK, 2)]
    ends: list[float] = []
    for event in events:
        x = LEFT + (event.scet - first) / max(1, last - first) * (WIDTH - LEFT - RIGHT)
        words = f"{event.label} [{event.mark}]"
        wide = 6.2 * len(words)
        at = min(x, WIDTH - RIGHT - wide)
        row = next((n for n, end in enumerate(ends) if end < at), len(ends))
        ends[row:] = [at + wide + 6, *ends[row + 1 :]]
        y = top + 32 + 14 * row
        out += [line(x, top + 8, x, y - 10, GREY), text(at, y, words, size=10)]
    return out


def figures() -> dict[str, str]:
    """All figures by the names of their files."""
    landing = flight(profile="SOFT_LANDING")
    return {
        "mars6-mission.svg": mission_figure(),
        "mars6-descent.svg": descent_figure(flight(profile="HISTORICAL")),
        "mars6-quality.svg": quality_figure(flight(profile="DEGRADED")),
        "mars6-flyby.svg": flyby_figure(flight(span="ENCOUNTER")),
        "mars6-spectrum.svg": spectrum_figure(landing),
    }


def main() -> int:
    """Write or check; the exit status."""
    parser = argparse.ArgumentParser(description="Fly, and draw the figures of docs/mars6.md.")
    parser.add_argument("--check", action="store_true", help="compare with the committed figures")
    check = parser.parse_args().check
    stale = False
    for name, drawn in figures().items():
        path = IMAGES / name
        if not check:
            path.write_text(drawn, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != drawn:
            print(f"{name} is stale: run make figures", file=sys.stderr)
            stale = True
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())

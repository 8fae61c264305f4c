"""Telemetry in a report: curves go through what was received, on scales that hold it, cut where it was silent."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.report.drawing.telemetry import fitted, telemetry
from hil.verdict.result import Curve
from protocols.lander import EPOCH, MARS6, MISSION
from protocols.units import NS_PER_S
from tests.hil.report.reader import Element, read
from tests.hil.report.runs import changed, quiet


def drawn(*curves: Curve, mission: str = MARS6.name) -> Element:
    return read(str(telemetry(changed(quiet(), curves=list(curves), mission=mission))))


def places(path: Element) -> list[list[tuple[float, float]]]:
    """The pieces of a curve, in the drawing's units."""
    pieces = path.attributes["d"].removeprefix("M").replace("h0", "").split("M")
    return [[(float(p.split()[0]), float(p.split()[1])) for p in piece.split("L")] for piece in pieces]


def test_curves_go_through_what_was_received() -> None:
    values = [(EPOCH + n * NS_PER_S, math.sin(n / 9) * 40 - 3) for n in range(150)]
    body = drawn(Curve(parameter="MAGNETOMETER.bx", unit="nT", points=values))
    drawing = body.one("div", "telemetry")
    first, last = (int(drawing.attributes[key]) for key in ("data-first", "data-last"))
    path = body.one("path", "curve")
    bottom, top, height = (float(path.attributes[f"data-{key}"]) for key in ("bottom", "top", "height"))
    (piece,) = places(path)
    at = {round(first + x / 1000 * (last - first)): bottom + (height - y) / height * (top - bottom) for x, y in piece}
    for time, value in values[::7]:
        nearest = min(at, key=lambda drawn, time=time: abs(drawn - time // 10**6))  # type: ignore[misc]
        assert abs(nearest - time // 10**6) < (last - first) / 120  # a column
        assert at[nearest] == pytest.approx(value, abs=5)
    assert (bottom, top) == (-50, 50)
    assert "MAGNETOMETER.bx, nT" in body.text
    assert "150 points from -43 to 36.99" in body.text


def test_a_silence_cuts_a_curve() -> None:
    times = [*range(40), *range(90, 130)]
    curve = Curve(parameter="HK.a", unit="", points=[(EPOCH + n * NS_PER_S, n % 5) for n in times])
    assert len(places(drawn(curve).one("path", "curve"))) == 2


def test_what_a_real_flight_sent_is_drawn() -> None:
    run = quiet()
    named = {curve.parameter for curve in run.curves}
    assert named == {plot.parameter for plot in MISSION.display.curves if plot.packet != "SURFACE"}, (
        "all that comes before the loss"
    )
    bx = next(curve for curve in run.curves if curve.parameter == "MAGNETOMETER.bx")
    assert [time - EPOCH for time, _ in bx.points[:3]] == [0, 10 * NS_PER_S, 20 * NS_PER_S]
    assert len(read(str(telemetry(run))).all("path", "curve")) == len(named)


def test_another_mission_s_curves_are_drawn() -> None:
    body = drawn(
        Curve(parameter="HK.battery", unit="V", points=[(EPOCH, 8.1), (EPOCH + NS_PER_S, 8.0)]), mission="BIRD"
    )
    assert body.one("path", "curve").attributes["data-name"] == "HK.battery"


def test_without_curves_there_is_no_drawing() -> None:
    far = Curve(parameter="HK.a", unit="", points=[(0, 1.0)])
    assert telemetry(changed(quiet(), curves=[])) == telemetry(changed(quiet(), curves=[far])) == ""


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=5))
def test_a_scale_holds_all_values_in_few_steps(values: list[float]) -> None:
    bottom, top, step = fitted(values)
    assert bottom <= min(values) <= max(values) <= top
    assert step > 0
    assert 1 <= round((top - bottom) / step) <= 5

"""The figures of docs/mars6.md are those of the flights: flown again, each is the same to the byte."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parents[2] / "tools" / "make_figures.py"


def loaded() -> Any:
    """The module: tools are programs, not a package."""
    spec = importlib.util.spec_from_file_location("make_figures", SOURCE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


make_figures = loaded()


def test_the_descent_is_drawn_as_flown() -> None:
    flown = make_figures.flight(profile="HISTORICAL")
    drawn = make_figures.descent_figure(flown)
    assert drawn == (make_figures.IMAGES / "mars6-descent.svg").read_text(encoding="utf-8")


def test_the_curves_pass_through_the_truth_tables_values() -> None:
    flown = make_figures.flight(profile="HISTORICAL")
    speeds = dict(make_figures.curve(flown, "DESCENT.speed"))
    for at, value in make_figures.truth("speed_mps", 90, 310):
        assert speeds[at] == pytest.approx(value, rel=0.01)


def test_the_mission_is_drawn_with_every_moment_and_its_mark() -> None:
    drawn = make_figures.mission_figure()
    assert drawn == (make_figures.IMAGES / "mars6-mission.svg").read_text(encoding="utf-8")
    for words in ("LAUNCH [S]", "TELEMETRY [F]", "SEPARATION [S]", "FLY-BY [C]", "CONE [A]"):
        assert words in drawn


@pytest.mark.long
def test_every_figure_is_as_flown() -> None:
    for name, drawn in make_figures.figures().items():
        assert drawn == (make_figures.IMAGES / name).read_text(encoding="utf-8"), name

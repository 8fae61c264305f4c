"""A set of words that a value may have is written once, as a type with a name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path
from typing import get_args

import protocols
from hil.scenario.measurements import MEASURED, NUMBERED, MeasurementName
from hil.scenario.scenario import TARGETS as NAMED
from hil.targets import TARGETS
from hil.verdict.limits import MEASUREMENTS

ROOT = Path(protocols.__file__).parents[1]


def test_no_literal_type_is_written_twice() -> None:
    places = defaultdict(list)
    for path in (each for name in ("protocols", "groundstation", "hil") for each in (ROOT / name).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Subscript) or ast.unparse(node.value) != "Literal":
                continue
            words = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            if len(words) > 1:
                place = f"{path.relative_to(ROOT)}:{node.lineno}"
                places[frozenset(ast.unparse(word) for word in words)].append(place)
    assert [found for found in places.values() if len(found) > 1] == []


def test_every_measurement_has_its_usual_limits_in_the_order_of_the_names() -> None:
    assert tuple(MEASUREMENTS) == MEASURED == get_args(MeasurementName)
    assert set(MEASURED) >= NUMBERED


def test_a_scenario_may_name_every_target() -> None:
    assert sorted(NAMED) == sorted(TARGETS)

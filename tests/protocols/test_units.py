"""Units of time are said once."""

from __future__ import annotations

import io
import tokenize
from datetime import timedelta
from pathlib import Path

import pytest

from protocols import units

ROOT = Path(units.__file__).parents[1]
NOT_TIMES = {
    "spec.py": "a count",
    "window.py": "a count",
    "cds.py": "fractions in a millisecond",
    "units.py": "the one place",
}
LARGE = {10**9, 60 * 10**9, 3600 * 10**9, 86_400 * 10**9}


@pytest.mark.parametrize(
    ("name", "large"),
    [
        ("NS_PER_MS", timedelta(milliseconds=1)),
        ("NS_PER_S", timedelta(seconds=1)),
        ("NS_PER_MIN", timedelta(minutes=1)),
        ("NS_PER_HOUR", timedelta(hours=1)),
        ("NS_PER_DAY", timedelta(days=1)),
    ],
)
def test_unit_is_what_its_name_says(name: str, large: timedelta) -> None:
    assert getattr(units, name) == large // timedelta(microseconds=1) * 1000


def test_milliseconds_of_a_day() -> None:
    assert timedelta(days=1) // timedelta(milliseconds=1) == units.MS_PER_DAY


def test_no_other_module_types_nanoseconds_in_digits() -> None:
    found = []
    for path in (each for name in ("protocols", "groundstation", "hil") for each in (ROOT / name).rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
            digits = token.string.replace("_", "")
            typed = token.type == tokenize.NUMBER and digits.isdigit() and int(digits) in LARGE
            if typed and path.name not in NOT_TIMES:
                found.append(f"{place}:{token.start[0]}")
    assert found == []

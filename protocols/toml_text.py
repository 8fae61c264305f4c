"""TOML as tables, within limits. A file from elsewhere is refused if it holds a value that nothing here can use.

Rules:
1. A number is finite, an integer fits 64 bits: nothing after this file has to ask again.
2. Tables and lists are nested at most `DEPTH_MAX` deep. tomllib calls itself for each level, and needs time by the
   square of the parts of a dotted key, so those are counted before it reads the text.
3. An error names the line, or the path of keys where tomllib does not say the line.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable
from typing import Any

SIZE_MAX = 1 << 20
"""Characters of a text; the longest that come with the package have some thousand."""

DEPTH_MAX = 16
NUMBER_MAX = 1e15
"""Largest number with a fraction, in whatever unit."""

_INT64 = range(-(2**63), 2**63)
_DIGITS = re.compile(r"[0-9A-Fa-f_]{1000}")
_BRACKETS = re.compile(r"[\[{]")
_PART = r"""(?:[\w-]++|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = re.compile(rf"(?<![\w-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{DEPTH_MAX},}}")


def read_toml(text: str) -> dict[str, Any]:
    """The tables in a text.

    Raises:
        ValueError: not TOML, or beyond the limits; says the line or the path of keys.
    """
    if len(text) > SIZE_MAX:
        raise ValueError(f"{len(text):,} characters: expected at most {SIZE_MAX:,}")
    if found := _DOTTED.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise ValueError(f"a dotted key of more than {DEPTH_MAX} parts (line {line})")
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"not TOML: {error}") from error
    except ValueError as error:  # Python's own limit on the digits of an integer
        raise ValueError(f"an integer of more than 64 bits{_line(text, _is_long)}") from error
    except RecursionError as error:
        raise ValueError(f"nested more than {DEPTH_MAX} deep{_line(text, _is_deep)}") from error
    for key, value in tables.items():
        _check(value, key, 1)
    return tables


def _check(value: Any, path: str, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise ValueError(f"{path}: nested more than {DEPTH_MAX} deep")
    if isinstance(value, dict):
        for key, item in value.items():
            _check(item, f"{path}.{key}", depth + 1)
    elif isinstance(value, list):
        for n, item in enumerate(value):
            _check(item, f"{path}[{n}]", depth + 1)
    elif isinstance(value, int) and value not in _INT64:
        raise ValueError(f"{path}: an integer of more than 64 bits")
    elif isinstance(value, float) and not abs(value) <= NUMBER_MAX:
        what = f"larger than {NUMBER_MAX:g}" if math.isfinite(value) else "not a finite number"
        raise ValueError(f"{path}: {value:g} is {what}")


def _line(text: str, fits: Callable[[str], bool]) -> str:
    """The first line that can have stopped tomllib, in words; empty if several did together."""
    return next((f" (line {n})" for n, line in enumerate(text.splitlines(), 1) if fits(line)), "")


def _is_long(line: str) -> bool:
    return _DIGITS.search(line) is not None


def _is_deep(line: str) -> bool:
    return len(_BRACKETS.findall(line)) > DEPTH_MAX

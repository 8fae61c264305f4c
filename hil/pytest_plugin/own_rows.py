"""Rows that a test adds to the verdict of its flight, judged as the others are."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import msgspec

from groundstation.errors import CallerError
from hil.scenario.scenario import Limit, check_bounds
from hil.verdict.limits import ANY, MEASUREMENTS, LimitBand, base_name, row
from hil.verdict.result import Measurement, Shown

_NAME = re.compile(r"[^\s\[\]]{1,100}")


def own_row(name: str, value: Any, unit: str, limits: dict[str, Any], taken: Collection[str]) -> Measurement:
    """Judge a value.

    Args:
        name: a word that no other measurement has.
        value: a number, flag or text, of numpy too; None was not measured, and fails as NaN does.
        unit: of value and limits.
        limits: ``min``, ``max``, ``marginal_min``, ``marginal_max``, ``equals``; none: it is recorded.
        taken: names of the rows that are there.

    Raises:
        CallerError: the name, a limit or the value cannot be used.
    """
    if not _NAME.fullmatch(name) or not name.isprintable() or base_name(name) in MEASUREMENTS or name in taken:
        raise CallerError(
            f"measure: {name!r} cannot name a measurement of your own: expected a word of up to 100 characters, "
            "without blanks and brackets, that no other measurement of this flight has"
        )
    given = {key: _plain(f"measure: {name}: {key}", limit) for key, limit in limits.items() if limit is not None}
    band = ANY
    if given:
        try:
            limit = msgspec.convert({"name": name, **given}, Limit)
            check_bounds("limits", limit)
        except ValueError as error:
            raise CallerError(f"measure: {name}: {error}") from error
        band = LimitBand(limit.min, limit.max, limit.marginal_min, limit.marginal_max, limit.equals)
    return row(name, _plain(f"measure: {name}", value), band, unit=unit)


def _plain(what: str, value: Any) -> Shown:
    """A value of numpy as Python has it."""
    plain = value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else value
    if plain is None or isinstance(plain, (int, float, str, bool)):
        return plain
    raise CallerError(f"{what}: {type(value).__name__} is not one number, flag or text")

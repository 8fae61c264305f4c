"""Numbers on a command line. click's own ranges let nan pass, and inf where an end is open; this one does not."""

from __future__ import annotations

import math

import click


class Number(click.FloatRange):
    """A finite number between ``min`` and ``max``, both included."""

    name = "number"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; infinities, NaN and texts too long to be one are a usage error."""
        text = str(value)
        if len(text) > _LENGTH_MAX:
            self.fail(f"a number of {len(text):,} characters: expected at most {_LENGTH_MAX}", param, ctx)
        number = float(super().convert(text, param, ctx))  # type: ignore[arg-type]  # it takes text as well
        if not math.isfinite(number):
            self.fail(f"{text!r} is not a finite number", param, ctx)
        return number


_LENGTH_MAX = 100

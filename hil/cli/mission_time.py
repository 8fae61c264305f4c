"""Mission times on a command line."""

from __future__ import annotations

import click

from groundstation.messages.text import utc
from hil.faults.window import in_flight
from protocols.times import utc_ns


class MissionTime(click.ParamType[int]):
    """``09:11:05`` or ``12:11:05.250+03:00`` on 12 March 1974, UTC by default, as ns since 1970; within the flight."""

    name = "UTC"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The time in ns."""
        text = str(value)
        try:
            scet = utc_ns(text if "T" in text else f"1974-03-12T{text}")
        except ValueError:
            self.fail(f"invalid time {text!r}: expected a time such as 09:11:05 or 1974-03-12T09:11:05.250", param, ctx)
        try:
            return in_flight(scet)
        except ValueError as error:
            self.fail(f"{text}: {error}", param, ctx)


def exact(scet: int) -> str:
    """A mission time in ns as text, with as many decimals as it has."""
    return utc(scet, 9).rstrip("0").rstrip(".")

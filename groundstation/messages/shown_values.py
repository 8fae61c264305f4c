"""A packet's values as every outlet shows them, by its declaration. docs/data.md says it for users.

Rules:
1. A value that means nothing, since the flag it depends on is 0, is absent: None, never a number. Its name is listed
   as invalid.
2. Calibrated values are rounded to the declared decimals: 39 × 0.01 is 0.39. Limits are judged before that.
3. Integers that other languages may round stand there as text, too.
4. Bytes are shown in hex.
5. `round` goes by way of text. A value that is not halfway between two roundings is rounded without: the quotient of
   two whole numbers is the same float. 0 is left to `round`, which keeps the sign of -0.0.
6. A value that is not good says so, with the name of the check that found it; it stands there as it came.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from groundstation.formats.json_encoding import beyond_53_bits
from groundstation.messages.base import Value
from groundstation.messages.wire import ValueQuality
from protocols.declare.dictionary import Packet
from protocols.decode.verdicts import Verdicts
from protocols.structures import codec

_POWERS = {decimals: 10.0**decimals for decimals in range(10)}
_EXACT = 1e12
"""Scaled values up to here are exact to a thousandth."""
_NEAR = 0.499
"""Nearer than this to a whole number, that number is what they round to."""


class Shown(NamedTuple):
    """Values by name; the names of those that mean nothing; the text of integers beyond 2⁵³."""

    values: dict[str, Value | None]
    invalid: list[str]
    exact: dict[str, str]


def shown_values(packet: Packet, decoded: Mapping[str, codec.Value], invalid: list[str]) -> Shown:
    """What to show of a decoded packet.

    Args:
        packet: its declaration.
        decoded: what its codec made of it.
        invalid: what `Packet.void` said of these.
    """
    values: dict[str, Value | None] = dict(decoded)  # type: ignore[arg-type]  # bytes are replaced in the next line
    if packet.octets:
        values |= {name: value.hex() for name, value in decoded.items() if isinstance(value, bytes)}
    for name, decimals in packet.rounded_in(decoded):
        value = values[name]
        scaled = value * _POWERS.get(decimals, math.inf)  # type: ignore[operator]  # a float, by declaration
        if -_EXACT < scaled < _EXACT and -_NEAR < scaled - (whole := round(scaled)) < _NEAR and whole:
            values[name] = whole / _POWERS[decimals]
        else:
            values[name] = round(value, decimals)  # type: ignore[arg-type]
    for name in invalid:
        values[name] = None
    wide = packet.wide and beyond_53_bits({name: values[name] for name in packet.wide_in(decoded)})
    return Shown(values, invalid, wide or {})


def quality_of(verdicts: Verdicts | None) -> dict[str, ValueQuality] | None:
    """What a message says of the quality of its values; None: no check is declared for its packet."""
    if not verdicts:
        return None if verdicts is None else {}
    return {name: ValueQuality(verdict.quality, verdict.reason) for name, verdict in verdicts.items()}

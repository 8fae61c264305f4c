"""A packet's values as every outlet shows them, by its declaration. docs/data.md says it for users.

Rules:
1. A value that means nothing, since the flag it depends on is 0, is absent: None, never a number. Its name is listed
   as invalid.
2. Calibrated values are rounded to the declared decimals: 39 × 0.01 is 0.39. Limits are judged before that.
3. Integers that other languages may round stand there as text, too.
4. Bytes are shown in hex.
5. A value that is not good says so, with the name of the check that found it; it stands there as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from groundstation.formats.json_encoding import beyond_53_bits
from groundstation.messages.base import Value
from groundstation.messages.wire import ValueQuality
from protocols.declare.dictionary import Packet
from protocols.decode.judging.verdicts import Verdicts
from protocols.structures import codec


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
        values[name] = round(values[name], decimals)  # type: ignore[arg-type]  # a float, by declaration
    for name in invalid:
        values[name] = None
    wide = packet.wide and beyond_53_bits({name: values[name] for name in packet.wide_in(decoded)})
    return Shown(values, invalid, wide or {})


def quality_of(verdicts: Verdicts | None) -> dict[str, ValueQuality] | None:
    """What a message says of the quality of its values; None: no check is declared for its packet."""
    if not verdicts:
        return None if verdicts is None else {}
    return {name: ValueQuality(verdict.quality, verdict.reason) for name, verdict in verdicts.items()}

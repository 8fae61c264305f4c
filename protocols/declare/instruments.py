"""The instruments and systems of a spacecraft, as data: which parameters each one measures, and who says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from protocols.errors import DeclarationError
from protocols.nearest import nearest
from protocols.words import Mark


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument or system.

    Attributes:
        name: for people.
        carrier: the spacecraft, or the part of it, that has the instrument.
        mark: where it is known from that it was aboard.
        parameters: what it measures, ``PACKET.parameter``; an array by the name of its items, without an index.
        figures: where range, rate and limits come from.
    """

    name: str
    carrier: str
    mark: Mark
    parameters: tuple[str, ...]
    figures: Mark = "A"


def check_instruments(instruments: Iterable[Instrument], parameters: Mapping[str, Iterable[str]]) -> None:
    """Find each parameter in its packet.

    Args:
        instruments: as declared.
        parameters: names of each packet's parameters, by the packet's name.

    Raises:
        DeclarationError: an instrument measures nothing, or a parameter that is not there.
    """
    for instrument in instruments:
        where = f"instrument {instrument.name}"
        if not instrument.parameters:
            raise DeclarationError(where, "it has no parameter")
        for parameter in instrument.parameters:
            packet, dot, name = parameter.partition(".")
            if not dot:
                raise DeclarationError(where, f"{parameter!r} is not PACKET.parameter")
            if packet not in parameters:
                raise DeclarationError(where, f"no packet {packet!r}{nearest(packet, parameters)}")
            if not items_of(name, parameters[packet]):
                raise DeclarationError(where, f"no parameter {name!r} of {packet}{nearest(name, parameters[packet])}")


def items_of(name: str, names: Iterable[str]) -> list[str]:
    """The parameter of that name, or the items of the array of that name."""
    return [each for each in names if each == name or each.startswith(f"{name}[")]

"""What a declaration names must be declared."""

from __future__ import annotations

from collections.abc import Iterable

from protocols.declare.dictionary import Dictionary, ParameterDef
from protocols.errors import DeclarationError
from protocols.nearest import nearest


def check_parameter(dictionary: Dictionary, where: str, parameter: str) -> ParameterDef:
    """The parameter that ``PACKET.parameter`` names.

    Raises:
        DeclarationError: it is not such a name, or there is no such packet or parameter; names ``where`` it stands.
    """
    packet, dot, name = parameter.partition(".")
    if not dot:
        raise DeclarationError(where, f"{parameter!r} is not PACKET.parameter")
    check_known(where, "packet", packet, dictionary.by_name)
    parameters = {each.name: each for each in dictionary.by_name[packet].parameters}
    check_known(where, f"parameter of {packet}", name, parameters)
    return parameters[name]


def check_known(where: str, what: str, name: str, names: Iterable[str]) -> None:
    """See that a name is among those there are.

    Raises:
        DeclarationError: it is not; names the nearest one.
    """
    names = list(names)
    if name not in names:
        raise DeclarationError(where, f"no {what} {name!r}{nearest(name, names)}")

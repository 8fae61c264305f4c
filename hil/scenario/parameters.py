"""Parameters as a scenario names them, ``PACKET.name``: looked up in the mission's dictionary, with what may be asked
of them. The unit of a bound may be said, and has to be the declared one then: nothing is converted.
"""

from __future__ import annotations

from dataclasses import dataclass

from hil.faults import Amount, When
from hil.faults.when import Plain
from protocols.declare.dictionary import Dictionary
from protocols.nearest import nearest
from protocols.structures.fields import LabelRange, label_in


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a mission.

    Attributes:
        packet: name of its packet.
        name: its own.
        unit: of its values; may be empty.
        period_ms: how often its packet is due; 0: now and then.
        spans: of an enumeration its numbers, lowest and highest, and their words; empty: it is none.
        is_flag: it is true or false.
        is_number: it can be compared with a bound.
    """

    packet: str
    name: str
    unit: str
    period_ms: int
    spans: tuple[LabelRange, ...]
    is_flag: bool
    is_number: bool

    @property
    def words(self) -> tuple[str, ...]:
        """Those of an enumeration, in the order of their numbers."""
        return tuple(word for _, _, word in self.spans)

    def check_amount(self, place: str, amount: Amount | None) -> None:
        """Whether a bound can be held against it.

        Raises:
            ValueError: it has no order, or another unit; with the place.
        """
        if amount is None:
            return
        if not self.is_number:
            kind = "an enumeration" if self.words else "a flag" if self.is_flag else "text or bytes"
            raise ValueError(f"{place}: {self.packet}.{self.name} is {kind}, which has no order: use equals")
        if amount.unit not in (None, self.unit):
            declared = f"is in {self.unit}" if self.unit else "has no unit"
            raise ValueError(f"{place}: {self.packet}.{self.name} {declared}, not in {amount.unit}")

    def check_equals(self, place: str, value: Plain | None) -> None:
        """Whether it can have a value.

        Raises:
            ValueError: it never has it; with the place.
        """
        if value is None:
            return
        name = f"{self.packet}.{self.name}"
        if self.words:
            self._check_word(place, value)
        if self.is_flag and not isinstance(value, bool):
            raise ValueError(f"{place}: {name} is a flag: expected true or false, not {value!r}")
        if self.is_number and (isinstance(value, (str, bool))):
            raise ValueError(f"{place}: {name} is a number: expected one, not {value!r}")
        if not (self.words or self.is_flag or self.is_number or isinstance(value, str)):
            raise ValueError(f"{place}: {name} is text or bytes: expected text, bytes in hex, not {value!r}")

    def _check_word(self, place: str, value: Plain) -> None:
        """A word, or a number that has none."""
        name = f"{self.packet}.{self.name}"
        if isinstance(value, str):
            if value not in self.words:
                raise ValueError(f"{place}: {name} has no value {value!r}{nearest(value, self.words)}")
            return
        if isinstance(value, bool) or value != int(value):
            raise ValueError(f"{place}: {name} is an enumeration: expected one of {', '.join(self.words)}")
        word = label_in(self.spans, int(value))
        if isinstance(word, str):
            raise ValueError(f"{place}: {name} is never {int(value)}: expected its word, {word!r}")


def find_parameter(place: str, text: str, dictionary: Dictionary) -> Parameter:
    """The parameter of a name.

    Raises:
        ValueError: there is none; with the place, and the nearest name.
    """
    packet_name, dot, name = text.partition(".")
    if not dot:
        raise ValueError(f'{place}: {text!r} is not a parameter: expected packet and name, as "PACKET.name"')
    packet = dictionary.by_name.get(packet_name)
    if packet is None:
        raise ValueError(f"{place}: unknown packet {packet_name!r}{nearest(packet_name, dictionary.by_name)}")
    by_name = {each.name: each for each in packet.parameters}
    declared = packet.declared(name)
    found = by_name.get(declared)
    if found is None:
        names = [each.name for each in packet.parameters]
        raise ValueError(f"{place}: {packet_name} has no parameter {name!r}{nearest(name, names)}")
    if "[]" in name:
        raise ValueError(f"{place}: {text} is repeated: name one of them, {text.replace('[]', '[0]')}")
    leaf = next(each for each in packet.layout.named if each.name == declared)
    spans, is_flag = tuple(sorted(leaf.spans)), leaf.kind == "flag"
    return Parameter(packet_name, name, found.unit, packet.definition.period_ms, spans, is_flag, found.is_number)


def check_when(place: str, when: When, dictionary: Dictionary) -> Parameter:
    """Whether a condition can hold; the parameter that it is on.

    Raises:
        ValueError: it cannot; with the place.
    """
    try:
        when.check()
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error
    parameter = find_parameter(f"{place}.parameter", when.parameter, dictionary)
    parameter.check_amount(f"{place}.above", when.above)
    parameter.check_amount(f"{place}.below", when.below)
    parameter.check_equals(f"{place}.equals", when.equals)
    return parameter

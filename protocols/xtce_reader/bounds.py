"""How much of a stranger's file is read, and the refusal of more."""

from __future__ import annotations

from dataclasses import dataclass

from protocols.errors import DeclarationError


@dataclass(frozen=True, slots=True)
class Bounds:
    """At most so much; more ends the reading of the whole file.

    Attributes:
        octets: bytes of the file.
        depth: elements within elements; also containers that extend or include each other, and types.
        elements: of the file.
        characters: of an attribute.
        parameters, types, containers: of all space systems.
        fields: of all packets together, with the labels and calibration points of each. It bounds what a file of a
            few lines can ask for by containers that include containers.
        packets: of one APID.
        problems: that are kept; what comes after them is counted.
    """

    octets: int = 32 << 20
    depth: int = 64
    elements: int = 500_000
    characters: int = 4096
    parameters: int = 100_000
    types: int = 100_000
    containers: int = 20_000
    fields: int = 150_000
    packets: int = 500
    problems: int = 1000

    def hold(self, name: str, found: int, where: str, what: str) -> None:
        """See that there is not more of something than its bound.

        Raises:
            DeclarationError: there is; names the bound and what was found.
        """
        most: int = getattr(self, name)
        if found > most:
            raise DeclarationError(where, f"{found:,} {what}: at most {most:,} are read")


class Budget:
    """What all packets together may still have of `Bounds.fields`."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._spent = 0

    def spend(self, count: int, where: str) -> None:
        """Take so much of it.

        Raises:
            DeclarationError: it is used up.
        """
        self._spent += count
        self.bounds.hold("fields", self._spent, where, "fields, labels and calibration points in all packets")


class Problems:
    """What could not be read: path and reason, each once."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._found: dict[str, None] = {}
        self._more = 0

    def add(self, error: DeclarationError) -> None:
        """Keep it, or count it if there are many."""
        text = str(error)
        if text in self._found:
            return
        if len(self._found) < self._bounds.problems:
            self._found[text] = None
        else:
            self._more += 1

    def told(self) -> tuple[str, ...]:
        """All of them, in the order in which they were found."""
        return (*self._found, *([f"and {self._more} more"] if self._more else []))

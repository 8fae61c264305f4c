"""Space systems within each other, and what a reference in one of them means.

Rules:
1. A reference is looked for in its own space system, then in those around it. ``/A/x`` starts at the top, whose own
   name may be left out; ``..`` goes up.
2. Below a parameter a reference goes on with the member of an aggregate: ``header/apid`` or ``header.apid``. A name
   with dots in it goes first.
3. The first of two of one name is taken; the other is a problem.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from protocols.errors import DeclarationError
from protocols.xtce_reader.bounds import Bounds, Problems
from protocols.xtce_reader.xml_tree import Element

Sort = Literal["type", "parameter", "container"]
Scope = tuple[str, ...]

_SETS: tuple[tuple[Sort, str, str], ...] = (
    ("type", "ParameterTypeSet", "types"),
    ("parameter", "ParameterSet", "parameters"),
    ("container", "ContainerSet", "containers"),
)
_SYSTEM = "SpaceSystem"
_NOT_A_NAME = re.compile(r"[\s/\[\]:\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_LONGEST = 200
_LONGEST_REFERENCE = 1000


@dataclass(frozen=True, slots=True)
class Defined:
    """Something that has a name, and the space system that it is in."""

    element: Element
    scope: Scope

    @property
    def key(self) -> Scope:
        """What no other of its sort has."""
        return (*self.scope, self.element.get("name"))

    @property
    def path(self) -> str:
        """For errors."""
        return "/".join(self.key)

    def refuse(self, problem: str) -> DeclarationError:
        """An error at this place."""
        return self.element.refuse(self.path, problem)


class Names:
    """Everything with a name in a document."""

    def __init__(self, root: Element, bounds: Bounds, problems: Problems) -> None:
        self._bounds = bounds
        self._problems = problems
        self._found: dict[Sort, dict[Scope, Defined]] = {"type": {}, "parameter": {}, "container": {}}
        self._top = root.name
        self._collect(root, (root.name,))

    def all(self, sort: Sort) -> Iterator[Defined]:
        """All of a sort, as they come in the document."""
        yield from self._found[sort].values()

    def find(self, sort: Sort, reference: str, scope: Scope) -> Defined | None:
        """What a reference means; None if there is nothing of that name."""
        parts = reference.strip().split("/")
        places: list[Scope]
        if parts[0] == "":
            parts = parts[1:]
            places = [(), (self._top,)]
        else:
            places = [scope[:size] for size in range(len(scope), 0, -1)]
        known = self._found[sort]
        for place in places:
            key = _walk(place, parts)
            if key is not None and key in known:
                return known[key]
        return None

    def find_member(self, reference: str, scope: Scope) -> tuple[Defined, str] | None:
        """The parameter that a reference means, and the name of the member of it, empty for all of it."""
        if len(reference) > _LONGEST_REFERENCE:
            return None
        whole = self.find("parameter", reference, scope)
        if whole is not None:
            return whole, ""
        for place in [at for at, letter in enumerate(reference) if letter in "/."][::-1]:
            found = self.find("parameter", reference[:place], scope)
            if found is not None:
                return found, reference[place + 1 :].replace("/", ".")
        return None

    def _collect(self, system: Element, scope: Scope) -> None:
        for sort, tag, bound in _SETS:
            listed = system.find("TelemetryMetaData", tag)
            for element in () if listed is None else listed.children:
                self._add(sort, Defined(element, scope), bound)
        for inner in system.all(_SYSTEM):
            self._collect(inner, (*scope, inner.name))

    def _add(self, sort: Sort, found: Defined, bound: str) -> None:
        name = found.element.get("name")
        if not name or len(name) > _LONGEST or _NOT_A_NAME.search(name):
            shown = repr(name[:_LONGEST])
            problem = f"{shown} is not a name: expected 1 … {_LONGEST} characters without blanks and / : [ ]"
            self._problems.add(found.element.refuse("/".join((*found.scope, found.element.tag)), problem))
            return
        known = self._found[sort]
        if found.key in known:
            self._problems.add(found.refuse(f"a second {sort} of this name: the first is taken"))
            return
        known[found.key] = found
        self._bounds.hold(bound, len(known), found.path, bound)


def _walk(place: Scope, parts: list[str]) -> Scope | None:
    key = list(place)
    for part in parts:
        if part == "..":
            if not key:
                return None
            key.pop()
        elif part != ".":
            key.append(part)
    return tuple(key)

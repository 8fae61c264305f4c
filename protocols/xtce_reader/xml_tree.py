"""XML as a tree, with the line of each element, and bounded while it is parsed.

Rules:
1. A DOCTYPE is refused, so there are no entities to expand and nothing external to fetch; XInclude is not followed.
2. Bytes are counted before parsing, depth and elements during it: a file costs no more than what was allowed.
3. Namespaces are dropped: XTCE 1.1, 1.2 and files without a namespace name the same things.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from protocols.errors import DeclarationError
from protocols.xtce_reader.bounds import Bounds

_FILE = "XTCE"
_SEPARATOR = " "


@dataclass(slots=True)
class Element:
    """One element; ``text`` is what stands before, between and after its children, without the blanks around it."""

    tag: str
    attributes: dict[str, str]
    line: int
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def get(self, name: str, default: str = "") -> str:
        """An attribute."""
        return self.attributes.get(name, default)

    def find(self, *tags: str) -> Element | None:
        """The first child of the first tag, the first of its children of the second …, if there is one."""
        found: Element | None = self
        for tag in tags:
            found = None if found is None else next((each for each in found.children if each.tag == tag), None)
        return found

    def all(self, *tags: str) -> Iterator[Element]:
        """The children of the last tag, below the first ones of the tags before it."""
        parent = self.find(*tags[:-1])
        if parent is not None:
            yield from (each for each in parent.children if each.tag == tags[-1])

    @property
    def name(self) -> str:
        """Its name, else what it is."""
        return self.get("name") or self.tag

    def refuse(self, path: str, problem: str) -> DeclarationError:
        """An error at this element."""
        return DeclarationError(f"{path} (line {self.line})", problem)


def parse_xml(data: bytes, bounds: Bounds) -> Element:
    """The root element.

    Raises:
        DeclarationError: not XML, a DOCTYPE, or more than the bounds allow; names the line.
    """
    bounds.hold("octets", len(data), _FILE, "bytes")
    builder = _Builder(bounds)
    try:
        builder.parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two: an encoding that does not exist
        raise DeclarationError(_FILE, f"not XML: {error}") from error
    if builder.root is None:
        raise DeclarationError(_FILE, "not XML: it has no element")
    return builder.root


class _Builder:
    """Expat's handlers."""

    def __init__(self, bounds: Bounds) -> None:
        self.root: Element | None = None
        self._bounds = bounds
        self._open: list[Element] = []
        self._text: list[list[str]] = []
        self._elements = 0
        self.parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        where = f"{_FILE} (line {line})"
        self._elements += 1
        self._bounds.hold("elements", self._elements, where, "elements")
        self._bounds.hold("depth", len(self._open) + 1, where, "elements within each other")
        for name, value in attributes.items():
            self._bounds.hold("characters", max(len(name), len(value)), where, "characters of an attribute")
        own = {name.rpartition(_SEPARATOR)[2]: value for name, value in attributes.items()}
        element = Element(tag.rpartition(_SEPARATOR)[2], own, line)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)
        self._text.append([])

    def _end(self, _tag: str) -> None:
        element, pieces = self._open.pop(), self._text.pop()
        element.text = "".join(pieces).strip()

    def _characters(self, text: str) -> None:
        self._text[-1].append(text)

    def _doctype(self, *_: object) -> None:
        raise DeclarationError(
            f"{_FILE} (line {self.parser.CurrentLineNumber})",
            "it has a DOCTYPE, which could name entities and other files: take it out",
        )

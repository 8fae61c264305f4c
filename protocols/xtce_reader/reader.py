"""An XTCE document to a dictionary."""

from __future__ import annotations

from dataclasses import dataclass

from protocols.declare.dictionary import ANY_SCID, Dictionary
from protocols.errors import DeclarationError
from protocols.xtce_reader.bounds import Bounds, Budget, Problems
from protocols.xtce_reader.containers import Containers
from protocols.xtce_reader.names import Names
from protocols.xtce_reader.own_marks import DocumentMark, Marks
from protocols.xtce_reader.packets import PacketTree
from protocols.xtce_reader.parameter_types import ParameterTypes
from protocols.xtce_reader.xml_tree import parse_xml

_ROOT = "SpaceSystem"


@dataclass(frozen=True, slots=True)
class XtceDocument:
    """What was read, and ``problems``: what was not, each with its path, line and reason."""

    dictionary: Dictionary
    problems: tuple[str, ...]


def read_xtce(data: bytes, bounds: Bounds | None = None) -> XtceDocument:
    """Read a document; what cannot be read is left out and named.

    Args:
        data: the whole file.
        bounds: how much of it is read at most.

    Raises:
        DeclarationError: not XTCE, more than the bounds allow, or not one packet in it that can be read.
    """
    bounds = bounds or Bounds()
    root = parse_xml(data, bounds)
    if root.tag != _ROOT:
        raise DeclarationError("XTCE", f"its first element is {root.tag[:40]!r}: expected {_ROOT}")
    problems = Problems(bounds)
    marks = Marks(root)
    names = Names(root, bounds, problems)
    budget = Budget(bounds)
    types = ParameterTypes(names, bounds, problems, own=marks.own)
    containers = Containers(names, types, marks, budget, problems)
    packets = PacketTree(names, containers, marks, budget, problems).packets()
    for each in root.all("CommandMetaData"):
        problems.add(each.refuse(root.name, "commands are not read"))
    told = problems.told()
    if not packets:
        reasons = "; ".join(told[:3]) or "it has no containers"
        raise DeclarationError("XTCE", f"no packet in it can be read: {reasons}")
    mark = marks.document or DocumentMark(root.name, ANY_SCID)
    parts = tuple(packets), mark.events, mark.channels, mark.timeline
    dictionary = Dictionary(mark.name, mark.scid, *parts, stated_hash=mark.hash)
    return XtceDocument(dictionary, told)

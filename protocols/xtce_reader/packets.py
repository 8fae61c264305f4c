"""The containers of a document as packets.

Rules:
1. A packet is a container that is not abstract, or has none that extend it, whose criteria name one APID, or several.
2. Packets of an APID that are told by equal fields at fixed places become packets of their own. Other criteria (less,
   greater, not equal, a field behind one of variable size, a container that is a packet itself and is extended, too)
   become one packet: that of the container that they extend, with cases.
3. Version 0 and telemetry are what is read; the flag of a secondary header is not looked at.
4. A container that cannot be read is a problem, with all that extend it. What extends itself is not reached from any
   root: it is a problem, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

from protocols.ccsds.space_packet import IDLE_APID
from protocols.declare.dictionary import PacketDef
from protocols.declare.identification import Condition, both, conditions_of
from protocols.errors import DeclarationError
from protocols.structures.expressions import Expression
from protocols.structures.layout import Field, Layout, layout_of
from protocols.structures.parts import EMPTY, OPEN_END, Choice, Part, assemble
from protocols.xtce_reader.bounds import Budget, Problems
from protocols.xtce_reader.containers import Containers
from protocols.xtce_reader.criteria import ALWAYS, Alternatives, Test, expression_of
from protocols.xtce_reader.names import Defined, Names
from protocols.xtce_reader.numbers import is_true
from protocols.xtce_reader.own_marks import Marks, PacketMark
from protocols.xtce_reader.packing import LENGTH_BITS, PRIMARY_BITS, Packing

_APID = (5, 16)
_APID_MASK = 0x7FF << PRIMARY_BITS - 16
_TYPE_AND_VERSION = 0xF << PRIMARY_BITS - 4
_IGNORED = 1 << PRIMARY_BITS - 5
"""The flag of a secondary header."""


@dataclass(slots=True)
class Node:
    """A container in the tree of those that extend each other. ``own`` is where its own items begin."""

    container: Defined
    packing: Packing
    own: int
    alternatives: Alternatives
    parent: Node | None
    children: list[Node] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The container's."""
        return self.container.element.get("name")

    @property
    def is_packet(self) -> bool:
        """Whether bytes can be this container and none that extends it."""
        return not self.children or not is_true(self.container.element, "abstract", default=False)

    @property
    def chain(self) -> list[Node]:
        """All that it extends, and itself."""
        return [*(self.parent.chain if self.parent else ()), self]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A container and an APID under which it comes, with the tests of its body that tell it."""

    node: Node
    apid: int
    tests: tuple[Test, ...]


class PacketTree:
    """Finds the packets of a document."""

    def __init__(self, names: Names, containers: Containers, marks: Marks, budget: Budget, problems: Problems) -> None:
        self._names = names
        self._marks = marks
        self._containers = containers
        self._budget = budget
        self._problems = problems
        self._children: dict[tuple[str, ...], list[Defined]] = {}
        self._reached: set[tuple[str, ...]] = set()
        self._taken: set[str] = set()
        self._includes: set[tuple[str, ...]] | None = None

    def packets(self) -> list[PacketDef]:
        """All packets, in the order of the document's containers as far as they are of one APID."""
        roots = self._sort()
        candidates: list[Candidate] = []
        for root in roots:
            node = self._grow(root, Packing(), ALWAYS, None)
            if node is not None:
                candidates += self._candidates(node)
        for container in self._names.all("container"):
            if container.key not in self._reached:
                self._problems.add(container.refuse("it extends itself, or one that does or was not read"))
        by_apid: dict[int, list[Candidate]] = {}
        for candidate in candidates:
            by_apid.setdefault(candidate.apid, []).append(candidate)
        found: list[PacketDef] = []
        for apid, group in by_apid.items():
            try:
                self._budget.bounds.hold("packets", len(group), f"APID {apid}", "packets of one APID")
                found += self._group(apid, group)
            except DeclarationError as error:
                self._problems.add(error)
        return found

    def _sort(self) -> list[Defined]:
        """The roots; the others go to those that they extend."""
        roots = []
        for container in self._names.all("container"):
            base = container.element.find("BaseContainer")
            if base is None:
                roots.append(container)
                continue
            found = self._names.find("container", base.get("containerRef"), container.scope)
            if found is None:
                self._reached.add(container.key)
                self._problems.add(base.refuse(container.path, f"no container {base.get('containerRef')!r}"))
            else:
                self._children.setdefault(found.key, []).append(container)
        return roots

    def _grow(
        self, container: Defined, packing: Packing, alternatives: Alternatives, parent: Node | None
    ) -> Node | None:
        """A container's node with all below it; None if it cannot be read."""
        self._reached.add(container.key)
        own = len(packing.items)
        try:
            self._budget.bounds.hold(
                "depth", len(parent.chain) if parent else 0, container.path, "bases of a container"
            )
            self._containers.put(container, packing)
            header = self._marks.header_of(container, packing.items[own:])
        except DeclarationError as error:
            self._problems.add(error)
            if error.path.partition(" ")[0] != container.path:
                self._problems.add(container.refuse(f"it is left out: {error.path} cannot be read"))
            self._forget(container)
            return None
        if header is not None:
            packing.header, packing.items, own = header, [], 0
        node = Node(container, packing, own, alternatives, parent)
        for child in self._children.get(container.key, ()):
            base = child.element.find("BaseContainer")
            assert base is not None
            try:
                told = self._containers.criteria.read(base.find("RestrictionCriteria"), packing, child)
                self._budget.spend(len(packing.items), child.path)
            except DeclarationError as error:
                self._problems.add(error)
                self._reached.add(child.key)
                self._forget(child)
                continue
            grown = self._grow(child, packing.copy(), told, node)
            if grown is not None:
                node.children.append(grown)
        return node

    def _forget(self, container: Defined) -> None:
        """Those that extend a container that was not read go with it."""
        waiting = list(self._children.get(container.key, ()))
        while waiting:
            child = waiting.pop()
            if child.key in self._reached:
                continue
            self._reached.add(child.key)
            self._problems.add(child.refuse(f"what it extends was not read: {container.path}"))
            waiting += self._children.get(child.key, ())

    def _candidates(self, root: Node) -> list[Candidate]:
        found: list[Candidate] = []
        waiting = [root]
        while waiting:
            node = waiting.pop(0)
            waiting[:0] = node.children
            if not node.is_packet:
                continue
            try:
                own = list(self._told(node))
            except DeclarationError as error:
                self._problems.add(error)
                continue
            if (
                not own
                and not node.children
                and (node.parent is not None or root.children or len(root.packing.known) > 0)
            ):
                self._unused(node)
            found += own
        return found

    def _unused(self, node: Node) -> None:
        """A container that no criterion tells: others may include it, or it is no packet that this reads."""
        if self._includes is None:
            self._includes = self._included()
        if node.container.key not in self._includes:
            self._problems.add(
                node.container.refuse("it is not told by an APID: no packet can be found to be this one")
            )

    def _included(self) -> set[tuple[str, ...]]:
        found = set()
        for container in self._names.all("container"):
            for entry in container.element.all("EntryList", "ContainerRefEntry"):
                inner = self._names.find("container", entry.get("containerRef"), container.scope)
                if inner is not None:
                    found.add(inner.key)
        return found

    def _told(self, node: Node) -> Iterator[Candidate]:
        """The APIDs of a container, each with what else tells it."""
        alternatives: Alternatives = ALWAYS
        for each in node.chain:
            alternatives = tuple((*a, *b) for a in alternatives for b in each.alternatives)
            self._budget.spend(len(alternatives), node.container.path)
        for tests in alternatives:
            apid = _apid_of(tests)
            if apid is None:
                continue
            body = _body_tests(tests, apid, node.container)
            if body is not None:
                if not 0 <= apid < IDLE_APID:
                    raise node.container.refuse(f"APID {apid} is that of idle packets")
                yield Candidate(node, apid, body)

    def _group(self, apid: int, group: list[Candidate]) -> list[PacketDef]:
        """The packets of one APID."""
        apart = self._apart(apid, group)
        if apart is not None:
            return apart
        common = _common(group, apid)
        cases = self._cases(common, apid, group)
        body = [*common.packing.items, *cases, OPEN_END]
        layout = layout_of(assemble(body, common.container.path), common.container.path)
        return [self._packet(common, apid, layout, {})]

    def _apart(self, apid: int, group: list[Candidate]) -> list[PacketDef] | None:
        """Each as a packet of its own; None if equal fields at fixed places do not tell them."""
        found: list[tuple[Candidate, Layout, dict[str, int | str]]] = []
        told: list[Condition] = []
        for candidate in group:
            when = _when(candidate.tests)
            if when is None:
                return None
            node = candidate.node
            try:
                items = _whole(node.packing, self._marks.packet_of(node.container))
                layout = layout_of(assemble(items, node.container.path), node.container.path)
                told.append(both(conditions_of(node.container.path, node.packing.header, layout, when)))
            except DeclarationError as error:
                if when and len(group) == 1:
                    return None
                self._problems.add(error)
                continue
            found.append((candidate, layout, when))
        if not all(one.excludes(two) for one, two in combinations(told, 2)):
            return None
        return [self._packet(c.node, apid, layout, when) for c, layout, when in found]

    def _cases(self, node: Node, apid: int, group: list[Candidate]) -> list[Field | Part]:
        """What comes after a container's entries: that of the container, of those that extend it, that a packet is."""
        cases: list[tuple[Expression, Layout]] = []
        wanted = {id(each) for candidate in group for each in candidate.node.chain}
        for child in node.children:
            if id(child) not in wanted:
                continue
            told = [_body_tests(tests, apid, child.container) for tests in child.alternatives]
            condition = expression_of(
                tuple(tests for tests in told if tests is not None), node.packing, child.container
            )
            items = [*child.packing.items[child.own :], *self._cases(child, apid, group)]
            cases.append((condition, assemble(items, child.container.path)))
        return [Choice(node.name, tuple(cases), EMPTY)] if cases else []

    def _packet(self, node: Node, apid: int, layout: Layout, when: dict[str, int | str]) -> PacketDef:
        self._budget.spend(sum(1 + len(leaf.spans) for leaf in layout.fields), node.container.path)
        header, words = node.packing.header, _description(node)
        mark = self._marks.packet_of(node.container)
        if mark is None or mark.name in self._taken:
            return PacketDef(self._name(node, apid), apid, body=layout, description=words, header=header, when=when)
        self._taken.add(mark.name)
        pus = (mark.service, mark.subtype)
        return PacketDef(mark.name, apid, *pus, layout, mark.period_ms, words, mark.optional, header, mark.when)

    def _name(self, node: Node, apid: int) -> str:
        """A name that no other packet has."""
        plain = node.name.replace(".", "_")
        ways: Iterable[str] = (plain, f"{plain}_{apid}", "_".join((*node.container.scope[1:], plain, str(apid))))
        name = next((way for way in ways if way not in self._taken), "")
        number = 2
        while not name:
            name = "" if f"{plain}_{apid}_{number}" in self._taken else f"{plain}_{apid}_{number}"
            number += 1
        self._taken.add(name)
        return name


def _whole(packing: Packing, mark: PacketMark | None) -> list[Field | Part]:
    """The items, with padding where the last byte is not full; more may follow, of which XTCE says nothing.

    Our own packets end with packet error control, which belongs to the header.
    """
    if mark is not None:
        items = packing.items[: len(packing.items) - mark.crc]
        return [*items, *([OPEN_END] if mark.open_end else [])]
    open_bits = 0 if packing.end is None else -packing.end % 8
    return [*packing.items, *([Field("", 0, open_bits, "padding")] if open_bits else []), OPEN_END]


def _description(node: Node) -> str:
    long = node.container.element.find("LongDescription")
    text = node.container.element.get("shortDescription") or ("" if long is None else long.text)
    return " ".join(text.split())[:400]


def _place(test: Test) -> tuple[int, int]:
    start = test.known.start or 0
    return start, start + test.known.field.bits


def _apid_of(tests: tuple[Test, ...]) -> int | None:
    """The APID that the tests leave."""
    mask = value = 0
    for test in tests:
        start, end = _place(test)
        if test.known.is_primary and test.sign == "==" and not test.raw >> end - start and test.raw >= 0:
            mask |= (1 << end - start) - 1 << PRIMARY_BITS - end
            value |= test.raw << PRIMARY_BITS - end
    return value >> PRIMARY_BITS - 16 & 0x7FF if mask & _APID_MASK == _APID_MASK else None


def _body_tests(tests: tuple[Test, ...], apid: int, where: Defined) -> tuple[Test, ...] | None:
    """The tests that are not of the primary header; None if those are not so for this APID.

    Raises:
        DeclarationError: a field of the primary header that is not known when a packet is looked for.
    """
    header = apid << PRIMARY_BITS - 16
    known = _APID_MASK | _TYPE_AND_VERSION
    left = []
    for test in tests:
        start, end = _place(test)
        if not test.known.is_primary or (start, end) == LENGTH_BITS:
            left.append(test)
            continue
        mask = (1 << end - start) - 1 << PRIMARY_BITS - end
        if test.sign == "==" and not mask & ~(known | _IGNORED):
            differing = (test.raw << PRIMARY_BITS - end ^ header) & mask & ~_IGNORED
            if differing or test.raw < 0 or test.raw >> end - start:
                return None
        elif not mask & ~known:
            if not test.holds((header & mask) >> PRIMARY_BITS - end):
                return None
        else:
            raise where.refuse(f"a criterion on {test.known.field.name}, in the primary header, is not read")
    return tuple(left)


def _when(tests: tuple[Test, ...]) -> dict[str, int | str] | None:
    """The tests as equal fields; None if they are others, or of the packet's length."""
    found: dict[str, int | str] = {}
    for test in tests:
        name = test.known.field.name
        if (
            test.sign != "=="
            or test.known.is_primary
            or test.known.start is None
            or found.get(name, test.raw) != test.raw
        ):
            return None
        found[name] = test.raw
    return found


def _common(group: list[Candidate], apid: int) -> Node:
    """The container that all extend, and up to which nothing but the primary header tells the packet."""
    chains = [candidate.node.chain for candidate in group]
    common = chains[0][0]
    for nodes in zip(*chains, strict=False):
        first = nodes[0]
        if any(node is not first for node in nodes):
            break
        if first is not chains[0][0] and any(
            tests for tests in (_body_tests(each, apid, first.container) for each in first.alternatives) if tests
        ):
            break
        common = first
    if any(chain[0] is not chains[0][0] for chain in chains):
        other = next(chain[0] for chain in chains if chain[0] is not chains[0][0])
        raise other.container.refuse(f"it has packets of APID {apid}, as {chains[0][0].container.path} has")
    return common

"""The fields and parts of one packet while its containers are read, and what references to them mean.

Rules:
1. The first 48 bits are the primary header; its fields are known to criteria, but not part of the body.
2. A field that comes again gets a number: ``SPARE``, ``SPARE_2``. A reference means the one that came last.
3. An entry that lies over others is left out: a layout has each bit once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from protocols.declare.headers import NO_HEADER, PacketHeader
from protocols.structures.expressions import SIZE, Expression, Operation, Reference
from protocols.structures.layout import Field
from protocols.structures.parts import Part
from protocols.xtce_reader.names import Defined

PRIMARY_BITS = 48
LENGTH_BITS = (32, 48)
Key = tuple[tuple[str, ...], str]
"""A parameter's key, and the name of its member."""


@dataclass(frozen=True, slots=True)
class Known:
    """A field that came: where it starts in the packet, in bits, if that is known."""

    field: Field
    start: int | None
    words: tuple[tuple[str, int], ...] = ()

    @property
    def is_primary(self) -> bool:
        """Whether it is in the primary header."""
        return self.start is not None and self.start < PRIMARY_BITS


@dataclass(slots=True)
class Packing:
    """One packet up to here. ``end`` in bits, None once it varies; ``cursor`` is where the next entry belongs."""

    items: list[Field | Part] = field(default_factory=list)
    end: int | None = 0
    cursor: int | None = 0
    known: dict[Key, Known] = field(default_factory=dict)
    names: Counter[str] = field(default_factory=Counter)
    prefix: str = ""
    header: PacketHeader = NO_HEADER

    def copy(self) -> Packing:
        """One that goes its own way."""
        return replace(self, items=list(self.items), known=dict(self.known), names=Counter(self.names))

    def add(
        self,
        template: Field,
        name: str,
        key: Key,
        where: Defined,
        words: tuple[tuple[str, int], ...] = (),
        doc: str = "",
    ) -> bool:
        """Take the next field. False if it lies over others, so that it is left out.

        Raises:
            DeclarationError: it is partly in the primary header.
        """
        if not self.reach(where):
            self.skip(template.bits)
            return False
        leaf = replace(template, name=self.name(name), doc=doc) if template.kind != "padding" else template
        start = self.end
        self.known[key] = Known(leaf, start, words)
        self._place(leaf, where)
        return True

    def append(self, part: Part, where: Defined) -> None:
        """Take a part of variable size: places are not known after it.

        Raises:
            DeclarationError: it comes before the end of the primary header, or over others.
        """
        if not self.reach(where):
            raise where.refuse("an entry of variable size lies over others")
        if self.end is not None and self.end < PRIMARY_BITS:
            raise where.refuse("a packet starts with the primary header of 48 bits: nothing there has a variable size")
        self.items.append(part)
        self.end = self.cursor = None

    def reach(self, where: Defined) -> bool:
        """Fill with padding up to the cursor; False if others are there already."""
        if self.end is None or self.cursor is None:
            return True
        if self.cursor < self.end:
            return False
        if self.cursor > self.end:
            gap = self.cursor - self.end
            if self.end < PRIMARY_BITS < self.cursor:
                self.end, gap = PRIMARY_BITS, self.cursor - PRIMARY_BITS
            self._place(Field("", 0, gap, "padding"), where)
        return True

    def skip(self, bits: int) -> None:
        """Go on after what is left out."""
        if self.cursor is not None:
            self.cursor += bits

    def name(self, name: str) -> str:
        """The name that a field gets here."""
        name = f"{self.prefix}{name}"
        self.names[name] += 1
        while (count := self.names[name]) > 1:
            numbered = f"{name}_{count}"
            if not self.names[numbered]:
                self.names[numbered] += 1
                return numbered
            self.names[name] += 1
        return name

    def number(self, known: Known, where: Defined) -> Expression:
        """A field's raw number in an expression.

        Raises:
            DeclarationError: it is in the primary header, and is not its length.
        """
        if known.field.kind not in ("uint", "sint", "flag"):
            raise where.refuse(f"{known.field.name} is of kind {known.field.kind}: expected a whole number")
        if not known.is_primary:
            return Reference(known.field.name)
        if (known.start, (known.start or 0) + known.field.bits) != LENGTH_BITS:
            raise where.refuse(f"{known.field.name} is in the primary header: only the packet's length is known there")
        around = self.header.body_offset - NO_HEADER.body_offset + self.header.crc_size
        return linear(Reference(SIZE), 1, around - 1)

    def _place(self, leaf: Field, where: Defined) -> None:
        if self.end is not None:
            if self.end < PRIMARY_BITS < self.end + leaf.bits:
                raise where.refuse("it begins in the primary header, the first 48 bits, and ends after it")
            self.end += leaf.bits
            self.cursor = self.end
            if self.end <= PRIMARY_BITS:
                return
        self.items.append(leaf)


def linear(operand: Expression, slope: int, intercept: int) -> Expression:
    """``slope * operand + intercept``, as short as can be."""
    if isinstance(operand, Operation) and operand.symbol in ("+", "-") and isinstance(operand.right, int):
        intercept += slope * (operand.right if operand.symbol == "+" else -operand.right)
        operand = operand.left
    if slope != 1:
        operand = Operation("*", operand, slope)
    if not intercept:
        return operand
    return Operation("+", operand, intercept) if intercept > 0 else Operation("-", operand, -intercept)

"""Which packet some bytes are: by APID, and where packets share one, by fields at fixed places.

Rules:
1. What tells a packet is its PUS service and subtype and what it is declared with in ``when``. Where that leaves two
   packets of an APID alike, the constants in their bodies tell them, too.
2. Two packets that one and the same bytes could be are refused when they are declared. Lengths do not tell packets
   apart: a packet cut short would become another one.
3. Finding is a look-up: one for all packets of an APID that are told by the same bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Generic, TypeVar

from protocols.declare.headers import PacketHeader
from protocols.errors import DeclarationError
from protocols.nearest import nearest
from protocols.structures.layout import Field, Layout

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Condition:
    """Bits that a packet must have: its first ``size`` bytes, as one number, have ``value`` in the bits of ``mask``."""

    size: int
    mask: int
    value: int

    def __and__(self, other: Condition) -> Condition:
        size = max(self.size, other.size)
        one, two = self._over(size), other._over(size)
        return Condition(size, one[0] | two[0], one[1] | two[1])

    def excludes(self, other: Condition) -> bool:
        """Whether no bytes have both."""
        size = max(self.size, other.size)
        (mask, value), (others, wanted) = self._over(size), other._over(size)
        return bool(mask & others & (value ^ wanted))

    def octets(self) -> Iterator[tuple[int, int, int]]:
        """Byte by byte: place, mask and value, where there is anything to see."""
        masks, values = self.mask.to_bytes(self.size, "big"), self.value.to_bytes(self.size, "big")
        yield from ((place, mask, values[place]) for place, mask in enumerate(masks) if mask)

    def _over(self, size: int) -> tuple[int, int]:
        up = 8 * (size - self.size)
        return self.mask << up, self.value << up


ALWAYS = Condition(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Group(Generic[P]):
    """Packets of an APID that are told by the same bits, between the bytes ``start`` and ``stop``."""

    start: int
    stop: int
    mask: int
    packets: Mapping[int, P]


def conditions_of(
    path: str, header: PacketHeader, layout: Layout, when: Mapping[str, int | str]
) -> Iterable[Condition]:
    """What is declared to tell a packet.

    Raises:
        DeclarationError: no such field at a fixed place, or a value that it cannot have.
    """
    body = {leaf.name: leaf for leaf in _placed(layout)}
    head = {leaf.name: leaf for leaf in header.layout.fields}
    for name, value in when.items():
        if name in body and name in head:
            raise DeclarationError(f"{path}.when", f"both the header and the body have a field {name!r}")
        leaf = body.get(name) or head.get(name)
        if leaf is None or leaf.kind == "padding":
            hint = nearest(name, [*head, *body])
            raise DeclarationError(f"{path}.when", f"no field {name!r} at a fixed place{hint}")
        start = header.body_offset if name in body else header.body_offset - _size(header.layout)
        yield _condition(leaf, start, raw_of(f"{path}.when", leaf, value))


def constants_of(header: PacketHeader, layout: Layout) -> Iterable[Condition]:
    """The constants at fixed places in a body."""
    for leaf in _placed(layout):
        if leaf.const is not None and leaf.kind != "float":
            raw = int.from_bytes(leaf.const, "big") if isinstance(leaf.const, bytes) else leaf.const
            yield _condition(leaf, header.body_offset, raw)


def both(conditions: Iterable[Condition]) -> Condition:
    """All of them."""
    total = ALWAYS
    for each in conditions:
        total = total & each
    return total


def groups_of(path: str, told: Iterable[tuple[str, Condition, P]]) -> tuple[Group[P], ...]:
    """The groups of one APID's packets, from each one's name and condition.

    Raises:
        DeclarationError: bytes could be two of them.
    """
    listed = list(told)
    for (one, a, _), (two, b, _) in combinations(listed, 2):
        if not a.excludes(b):
            text = f"{two} and {one} cannot be told apart: give them a service and subtype, or `when` with a field"
            raise DeclarationError(path, text)
    found: dict[tuple[int, int, int], dict[int, P]] = {}
    for _, condition, packet in listed:
        start = condition.size - (condition.mask.bit_length() + 7) // 8
        found.setdefault((start, condition.size, condition.mask), {})[condition.value] = packet
    return tuple(Group(start, stop, mask, packets) for (start, stop, mask), packets in found.items())


def find(groups: tuple[Group[P], ...], data: bytes) -> P | None:
    """The packet that the bytes are."""
    for group in groups:
        stop = group.stop
        if len(data) >= stop:
            packet = group.packets.get(int.from_bytes(data[group.start : stop], "big") & group.mask)
            if packet is not None:
                return packet
    return None


def _placed(layout: Layout) -> tuple[Field, ...]:
    """The fields of a body that have a fixed place: those before its first variable part."""
    if layout.size is not None:
        return layout.fields
    first = layout.parts[0] if layout.parts else None
    return first.fields if isinstance(first, Layout) else ()


def _size(layout: Layout) -> int:
    return layout.size or 0


def _condition(leaf: Field, start: int, raw: int) -> Condition:
    end = 8 * start + leaf.offset + leaf.bits
    size = -(-end // 8)
    mask = (1 << leaf.bits) - 1
    raw &= mask
    if leaf.little:
        raw = int.from_bytes(raw.to_bytes(leaf.bits // 8, "little"), "big")
    up = 8 * size - end
    return Condition(size, mask << up, raw << up)


def raw_of(path: str, leaf: Field, value: int | str) -> int:
    """The raw number that a field of ``when`` must have.

    Raises:
        DeclarationError: no such label, or a number that the field cannot hold.
    """
    if isinstance(value, str):
        spans = {label: (low, high) for low, high, label in leaf.spans}
        if value not in spans:
            raise DeclarationError(path, f"{leaf.name} has no label {value!r}{nearest(value, spans)}")
        low, high = spans[value]
        if low != high:
            raise DeclarationError(path, f"{leaf.name} {value!r} is {low} … {high}: give one number")
        return low
    if leaf.kind not in ("uint", "sint", "flag"):
        raise DeclarationError(path, f"{leaf.name} is of kind {leaf.kind}: only whole numbers tell packets apart")
    least = -(1 << leaf.bits - 1) if leaf.kind == "sint" else 0
    most = 1 if leaf.kind == "flag" else (1 << leaf.bits - (leaf.kind == "sint")) - 1
    if not least <= value <= most:
        raise DeclarationError(path, f"{leaf.name} is never {value}: its range is {least} … {most}")
    return int(value)

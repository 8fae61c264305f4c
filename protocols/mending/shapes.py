"""How the packets of a dictionary look bit by bit: which bits are always the same, and where each field lies."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite

from protocols.ccsds.space_packet import HEADER_SIZE, UNSEGMENTED
from protocols.declare.dictionary import Dictionary, Packet
from protocols.structures.layout import Field

SEQUENCE_START, SEQUENCE_BITS = 18, 14
_WIDEST = 64
_MOST_WORDS = 4096
_FLOATS = {16: "e", 32: "f", 64: "d"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field of a packet, from its first bit on.

    Attributes:
        name: the field's; empty for padding.
        start: in bits from the start of the packet.
        bits: how many.
        kind: ``uint``, ``sint``, ``float`` or ``state`` (a flag or an enum).
        little: its bytes come lowest first.
        labels: the numbers that have a word, of an enum.
    """

    name: str
    start: int
    bits: int
    kind: str
    little: bool = False
    labels: frozenset[int] | None = None

    def number(self, raw: int) -> float:
        """The number that bits stand for; NaN for a float that is none."""
        if self.little:
            raw = int.from_bytes(raw.to_bytes(self.bits // 8, "little"), "big")
        if self.kind == "sint":
            return raw - (1 << self.bits if raw >> (self.bits - 1) else 0)
        if self.kind == "float":
            (number,) = struct.unpack(">" + _FLOATS[self.bits], raw.to_bytes(self.bits // 8, "big"))
            return float(number) if isfinite(number) else float("nan")
        return raw

    def raw_of(self, number: int) -> int:
        """The bits of a whole number: the inverse of `number`."""
        raw = number & (1 << self.bits) - 1
        return int.from_bytes(raw.to_bytes(self.bits // 8, "little"), "big") if self.little else raw


@dataclass(frozen=True, slots=True)
class Shape:
    """A declared packet.

    Attributes:
        packet: it.
        bits: of the packet, or of the fewest bytes that it may have.
        leaves: the fields behind its primary header that have a place of their own, without its checksum.
        mask: which of the first ``bits`` are always the same; as a number, highest bit first.
        value: what they are.
    """

    packet: Packet
    bits: int
    leaves: tuple[Leaf, ...]
    mask: int
    value: int
    apid: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "apid", self.packet.definition.apid)


def shapes_of(dictionary: Dictionary) -> tuple[Shape, ...]:
    """The shapes of all packets of a mission."""
    return tuple(_shape(packet) for packet in dictionary.by_name.values())


def _shape(packet: Packet) -> Shape:
    bits = 8 * packet.min_size
    told = dict(packet.told_by)
    mask = value = 0

    def always(start: int, count: int, raw: int) -> None:
        nonlocal mask, value
        shift = bits - start - count
        mask |= ((1 << count) - 1) << shift
        value |= (raw & (1 << count) - 1) << shift

    always(0, 16, (1 << 11 if packet.header.layout.fields else 0) | packet.definition.apid)
    always(16, 2, UNSEGMENTED)
    if packet.size is not None:
        always(32, 16, packet.size - HEADER_SIZE - 1)
    leaves = []
    for start, each in _placed(packet):
        const = each.const if each.const is not None else told.get(each.name)
        if const is not None and each.kind != "float":
            raw = int.from_bytes(const, "big") if isinstance(const, bytes) else const
            always(start, each.bits, _leaf(start, each).raw_of(raw) if each.kind in ("uint", "sint") else raw)
        else:
            leaves += list(_pieces(start, each))
    return Shape(packet, bits, tuple(leaves), mask, value)


def _placed(packet: Packet) -> Iterator[tuple[int, Field]]:
    """All fields that have a fixed place, and their first bits."""
    yield from ((8 * HEADER_SIZE + each.offset, each) for each in packet.header.layout.fields)
    body = packet.layout.fields
    if packet.size is None:
        first = packet.layout.parts[0] if packet.layout.parts else None
        body = getattr(first, "fields", ())
    yield from ((8 * packet.header.body_offset + each.offset, each) for each in body)


def _leaf(start: int, each: Field) -> Leaf:
    words = (raw for low, high, _ in each.spans for raw in range(low, min(high, low + _MOST_WORDS) + 1))
    if each.kind == "flag" or each.is_enum:
        labels = frozenset(words) if each.is_enum else frozenset((0, 1))
        return Leaf(each.name, start, each.bits, "state", each.little, labels)
    kind = each.kind if each.kind in ("sint", "float") else "uint"
    return Leaf(each.name, start, each.bits, kind, each.little)


def _pieces(start: int, each: Field) -> Iterator[Leaf]:
    """A field, or its bytes if it is wider than any number."""
    if each.bits <= _WIDEST:
        yield _leaf(start, each)
        return
    for at in range(0, each.bits, 8):
        yield Leaf(each.name, start + at, min(8, each.bits - at), "uint")

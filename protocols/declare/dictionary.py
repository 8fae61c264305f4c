"""What a mission's declaration is made of, and the hash by which spacecraft and ground know they share it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from protocols.declare.commands import Command, CommandDef, prepare_command
from protocols.errors import DeclarationError, EncodeError
from protocols.nearest import nearest
from protocols.structures.codec import Buffer, Codec, Value, codec_of
from protocols.structures.fields import Limits
from protocols.structures.layout import Field, layout_of
from protocols.times import utc_ns as utc_ns  # noqa: PLC0414 - a declaration's times
from protocols.words import Severity

Mark = Literal["S", "F", "R", "C", "A"]
"""Where a figure comes from: source document, found, remembered, computed, assumed."""

_SAFE_BITS = 53
_FLOAT_DECIMALS = 3
"""Shown of a float whose declaration does not say how many."""


@dataclass(frozen=True, slots=True)
class ParameterDef:
    """One parameter of a packet, as a viewer needs it."""

    packet: str
    name: str
    unit: str
    decimals: int
    description: str
    limits: Limits | None
    valid_if: str | None
    is_number: bool = True


@dataclass(frozen=True, slots=True)
class PacketDef:
    """One telemetry packet: APID, PUS service and subtype tell it from all others; its body is in construct.

    ``period_ms`` is how often it is due; 0 is now and then. ``optional``: not every spacecraft of the mission can send
    it. A ground that does not know it loses nothing else, so the dictionary's hash leaves it out.
    """

    name: str
    apid: int
    service: int
    subtype: int
    body: Any
    period_ms: int
    description: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class EventDef:
    """One onboard event.

    Attributes:
        number: in its packet's field of that name.
        name: in capitals.
        severity: of the event.
        text: for people; may use the fields of its packet, ``{a}`` and ``{b}`` as a rule, with a format: ``{b:08x}``.
        labels: words for a field's numbers, by the field's name.
        optional: as a packet's.
        starts: it reports that its source has started, so that counters begin again.
    """

    number: int
    name: str
    severity: Severity
    text: str
    labels: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    optional: bool = False
    starts: bool = False

    def told(self, values: Mapping[str, Any]) -> str:
        """The text with the values of its packet."""
        words = {name: labels.get(values.get(name, -1), values.get(name)) for name, labels in self.labels.items()}
        return self.text.format(**{**values, **words})


@dataclass(frozen=True, slots=True)
class ChannelDef:
    """One virtual channel. ``period_ms`` is how far apart its frames are due."""

    vcid: int
    name: str
    source: str
    period_ms: int


@dataclass(frozen=True, slots=True)
class Milestone:
    """A planned moment of the mission. ``scet`` in ns UTC since 1970."""

    name: str
    label: str
    scet: int
    mark: Mark


class Condition(NamedTuple):
    """Parameter ``name`` means nothing while ``flag`` is 0, which decodes to ``off``."""

    name: str
    flag: str
    off: Value


@dataclass(frozen=True, slots=True)
class Packet:
    """A `PacketDef` made ready: its codec and what its parameters mean.

    Attributes:
        rounded: floats that text, JSON and CSV round, and to how many decimals.
        wide: integers of more than 53 bits, which other languages may round.
    """

    definition: PacketDef
    codec: Codec
    parameters: tuple[ParameterDef, ...]
    limited: tuple[tuple[str, Limits], ...]
    conditional: tuple[Condition, ...]
    rounded: tuple[tuple[str, int], ...]
    wide: tuple[str, ...]

    def void(self, values: Mapping[str, Value]) -> list[str]:
        """The parameters of a decoded packet that mean nothing, since the flag that each depends on is 0."""
        return [name for name, flag, off in self.conditional if values[flag] == off]


@dataclass(frozen=True)
class Dictionary:
    """A mission: its packets, commands, events, channels and timeline.

    Attributes:
        by_type: the packet of an APID, PUS service and subtype: what `find` looks up.
        by_apid: the first packet declared for an APID; all there is to know where an APID carries one packet.
        hash: what both sides of the link compare.

    Raises:
        DeclarationError: two packets of one APID, service and subtype, a duplicate name or number; a condition on a
            field that is not there; a layout that cannot be read.
    """

    name: str
    scid: int
    packets: tuple[PacketDef, ...]
    events: tuple[EventDef, ...]
    channels: tuple[ChannelDef, ...]
    timeline: tuple[Milestone, ...]
    commands: tuple[CommandDef, ...] = ()
    by_type: Mapping[tuple[int, int, int], Packet] = field(init=False, repr=False)
    by_apid: Mapping[int, Packet] = field(init=False, repr=False)
    by_name: Mapping[str, Packet] = field(init=False, repr=False)
    event_by_number: Mapping[int, EventDef] = field(init=False, repr=False)
    command_by_name: Mapping[str, Command] = field(init=False, repr=False)
    hash: int = field(init=False)

    def __post_init__(self) -> None:
        _unique(self.name, "packet (APID, service, subtype)", map(_type, self.packets))
        _unique(self.name, "packet name", (p.name for p in self.packets))
        _unique(self.name, "event number", (e.number for e in self.events))
        _unique(self.name, "VCID", (c.vcid for c in self.channels))
        _unique(self.name, "command name", (c.name for c in self.commands))
        _unique(self.name, "command (APID, service, subtype, function)", map(_order, self.commands))
        ready = [_prepare(p) for p in self.packets]
        commands = [prepare_command(c) for c in self.commands]
        _set(self, "by_type", {_type(p.definition): p for p in ready})
        _set(self, "by_apid", _first_by_apid(ready))
        _set(self, "by_name", {p.definition.name: p for p in ready})
        _set(self, "event_by_number", {e.number: e for e in self.events})
        _set(self, "command_by_name", {c.definition.name: c for c in commands})
        object.__setattr__(self, "hash", _hash(self, ready, commands))

    @property
    def hash_text(self) -> str:
        """The hash as people read it: eight hex digits."""
        return f"{self.hash:08x}"

    def milestone(self, name: str) -> Milestone | None:
        """The milestone of that name."""
        return next((m for m in self.timeline if m.name == name), None)

    def find(self, apid: int, service: int, subtype: int) -> Packet | None:
        """The packet of that type."""
        return self.by_type.get((apid, service, subtype))

    def command(self, name: str) -> Command:
        """The command of that name.

        Raises:
            EncodeError: there is none; the nearest name is told.
        """
        command = self.command_by_name.get(name)
        if command is None:
            raise EncodeError(f"no command {name!r}{nearest(name, self.command_by_name)}")
        return command

    def find_command(self, apid: int, service: int, subtype: int, data: Buffer) -> Command | None:
        """The command that a telecommand carries; ``data`` is its application data, which may start with a function."""
        wanted = (apid, service, subtype)
        for command in self.command_by_name.values():
            d = command.definition
            if _type(d) == wanted and (d.function is None or d.function == (data[0] if data else None)):
                return command
        return None


def _set(target: object, name: str, value: Mapping[Any, Any]) -> None:
    object.__setattr__(target, name, MappingProxyType(dict(value)))


def _type(definition: PacketDef | CommandDef) -> tuple[int, int, int]:
    return definition.apid, definition.service, definition.subtype


def _first_by_apid(packets: list[Packet]) -> dict[int, Packet]:
    first: dict[int, Packet] = {}
    for packet in packets:
        first.setdefault(packet.definition.apid, packet)
    return first


def _order(definition: CommandDef) -> tuple[int, int, int, int]:
    return *_type(definition), -1 if definition.function is None else definition.function


def _unique(where: str, what: str, values: Iterable[object]) -> None:
    seen: set[object] = set()
    for value in values:
        if value in seen:
            raise DeclarationError(where, f"{what} {value} is declared twice")
        seen.add(value)


def _prepare(definition: PacketDef) -> Packet:
    layout = layout_of(definition.body, definition.name)
    fields = [f for f in layout.named if f.const is None]
    parameters = tuple(_parameter(definition.name, f) for f in fields)
    return Packet(
        definition,
        codec_of(layout, definition.name),
        parameters,
        tuple((p.name, p.limits) for p in parameters if p.limits is not None),
        tuple(_conditions(definition.name, fields)),
        tuple((f.name, places) for f in fields if (places := _rounded_to(f)) is not None),
        tuple(f.name for f in fields if f.kind in ("uint", "sint") and f.bits > _SAFE_BITS and not _is_scaled(f)),
    )


def _conditions(packet: str, fields: list[Field]) -> Iterator[Condition]:
    by_name = {f.name: f for f in fields}
    for leaf in fields:
        name = None if leaf.quantity is None else leaf.quantity.valid_if
        if name is None:
            continue
        flag = by_name.get(name)
        if flag is None or flag.kind == "bytes":
            problem = "is no field here" if flag is None else "is of bytes: a flag is a number"
            raise DeclarationError(f"{packet}.{leaf.name}", f"valid_if names {name!r}, which {problem}")
        yield Condition(leaf.name, name, _off(flag))


def _off(flag: Field) -> Value:
    """What 0 decodes to."""
    if flag.labels:
        return dict(flag.labels).get(0, 0)
    quantity = flag.quantity
    return 0 if quantity is None or quantity.identity else quantity.offset


def _rounded_to(leaf: Field) -> int | None:
    is_float = leaf.kind == "float" or _is_scaled(leaf)
    return leaf.quantity.rounded_to if leaf.quantity is not None and is_float else None


def _is_scaled(leaf: Field) -> bool:
    return leaf.quantity is not None and not leaf.quantity.identity


def _parameter(packet: str, leaf: Field) -> ParameterDef:
    quantity = leaf.quantity
    fraction = _FLOAT_DECIMALS if leaf.kind == "float" else 0
    is_number = leaf.kind in ("uint", "sint", "float") and not leaf.labels
    if quantity is None:
        return ParameterDef(packet, leaf.name, "", fraction, leaf.doc, None, None, is_number)
    decimals = fraction if quantity.rounded_to is None and quantity.identity else quantity.decimals
    limits, valid_if = quantity.limits, quantity.valid_if
    return ParameterDef(packet, leaf.name, quantity.unit, decimals, leaf.doc, limits, valid_if, is_number)


def _hash(dictionary: Dictionary, packets: list[Packet], commands: list[Command]) -> int:
    """First 32 bits of SHA-256 over all that spacecraft and ground must agree on; no descriptions, no limits, nothing
    that is optional."""
    lines = [f"scid {dictionary.scid}"]
    for packet in sorted(packets, key=lambda p: _type(p.definition)):
        d = packet.definition
        if d.optional:
            continue
        lines.append(f"packet {d.name} {d.apid} {d.service} {d.subtype} {packet.codec.size}")
        lines += [f"  {f.signature()}" for f in packet.codec.layout.fields]
    agreed = (event for event in dictionary.events if not event.optional)
    lines += [f"event {e.number} {e.name}" for e in sorted(agreed, key=lambda e: e.number)]
    lines += [f"channel {c.vcid} {c.name}" for c in sorted(dictionary.channels, key=lambda c: c.vcid)]
    for command in sorted(commands, key=lambda c: _order(c.definition)):
        lines += command.signature()
    return int.from_bytes(hashlib.sha256("\n".join(lines).encode()).digest()[:4], "big")

"""What a mission's declaration is made of, and the hash by which spacecraft and ground know they share it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from protocols.ccsds.space_packet import IDLE_APID
from protocols.declare.checks import Check, check_checks
from protocols.declare.commands import Command, CommandDef, prepare_command
from protocols.declare.headers import NO_HEADER, PUS_C, PacketHeader
from protocols.declare.identification import Condition as Told
from protocols.declare.identification import Group, both, conditions_of, constants_of, find, groups_of, raw_of
from protocols.declare.instruments import Instrument, check_instruments
from protocols.errors import DeclarationError, DecodeError, EncodeError
from protocols.item_names import declared_name, of_same_item, repeated_in
from protocols.nearest import nearest
from protocols.structures.codec import Buffer, Codec, Value, codec_of
from protocols.structures.fields import Limits
from protocols.structures.layout import Field, Layout, layout_of
from protocols.structures.parts import EMPTY
from protocols.structures.variable_codec import VariableCodec, variable_codec_of
from protocols.times import utc_ns as utc_ns  # noqa: PLC0414 - a declaration's times
from protocols.words import Mark, Severity

T = TypeVar("T")

_SAFE_BITS = 53
_NAMES_SHOWN = 2
ANY_SCID = -1
"""Of a dictionary that says nothing of frames: packets in those of any spacecraft are read by it."""

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
    tolerance: float | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PacketDef:
    """One telemetry packet.

    Attributes:
        name: in capitals.
        apid: 0 … 2046.
        service: of PUS headers, None for others.
        subtype: of PUS headers, None for others.
        body: what is between header and packet error control: in construct, or a `Layout`.
        period_ms: how often it is due; 0 is now and then.
        description: a sentence.
        optional: not every spacecraft of the mission can send it. A ground that does not know it loses nothing else, so
            the dictionary's hash leaves it out.
        header: what stands around the body.
        when: what else tells it from the other packets of its APID: fields of header or body, at fixed places, and the
            raw number or label that each has.
    """

    name: str
    apid: int
    service: int | None = None
    subtype: int | None = None
    body: Any = None
    period_ms: int = 0
    description: str = ""
    optional: bool = False
    header: PacketHeader = PUS_C
    when: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventDef:
    """One onboard event.

    Attributes:
        number: in its packet's field of that name.
        name: in capitals.
        severity: of the event.
        text: for people; may use the fields of its packet, ``{a}`` and ``{b}`` as a rule, with a format: ``{b:08x}``.
        labels: words for a field's numbers, by the field's name.
        scales: what a field's number is multiplied by for the text, by the field's name.
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
    scales: Mapping[str, float] = field(default_factory=dict)

    def told(self, values: Mapping[str, Any]) -> str:
        """The text with the values of its packet."""
        words = {name: labels.get(values.get(name, -1), values.get(name)) for name, labels in self.labels.items()}
        scaled = {name: values[name] * scale for name, scale in self.scales.items() if name in values}
        return self.text.format(**{**values, **words, **scaled})


@dataclass(frozen=True, slots=True)
class ChannelDef:
    """One virtual channel.

    Attributes:
        vcid: its VCID.
        name: for people.
        source: the spacecraft's part that speaks on it, in capitals.
        period_ms: how far apart its frames are due.
        expected_from: SCET in ns before which its silence is no loss; None: from the start.
        expected_until: SCET in ns from which its silence is no loss; None: to the end.
    """

    vcid: int
    name: str
    source: str
    period_ms: int
    expected_from: int | None = None
    expected_until: int | None = None


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

    In a packet of variable size, names of repeated parameters carry ``[]`` here, and a number once they are decoded.

    Attributes:
        rounded: floats that text, JSON and CSV round, and to how many decimals.
        wide: integers of more than 53 bits, which other languages may round.
        octets: some values may be bytes.
        size: bytes of the whole packet, headers and packet error control included; None: it varies.
        min_size: the fewest bytes.
        told_by: the fields that tell this packet from others, and their raw numbers.
        told_in_header: those that are in the header.
        repeated: the parts that come several times, as in `declared_name`.
    """

    definition: PacketDef
    codec: Codec | VariableCodec
    parameters: tuple[ParameterDef, ...]
    limited: tuple[tuple[str, Limits], ...]
    conditional: tuple[Condition, ...]
    rounded: tuple[tuple[str, int], ...]
    wide: tuple[str, ...]
    octets: bool
    size: int | None
    min_size: int
    told_by: tuple[tuple[str, int], ...]
    told_in_header: Mapping[str, int]
    repeated: frozenset[str]

    @property
    def header(self) -> PacketHeader:
        """What stands around the body."""
        return self.definition.header

    @property
    def layout(self) -> Layout:
        """The body's layout."""
        return self.codec.layout

    def decode(self, data: bytes) -> dict[str, Value]:
        """The values of a whole packet of this type.

        Raises:
            DecodeError: it is not as long as declared, or its bytes are not such a body.
        """
        codec = self.codec
        if isinstance(codec, Codec):
            if len(data) != self.size:
                raise DecodeError(f"{len(data)} bytes, {self.size} are declared")
            return codec.decode(data, self.definition.header.body_offset)
        if len(data) < self.min_size:
            raise DecodeError(f"{len(data)} bytes, at least {self.min_size} are declared")
        header = self.definition.header
        if codec.lead is not None:
            return codec.lead.decode(data, header.body_offset)
        return codec.decode_exact(data[: len(data) - header.crc_size], header.body_offset)

    def encode(
        self,
        values: Mapping[str, int | float | str | bytes],
        sequence: int = 0,
        time_ns: int | None = None,
        **fields: int | float | bytes,
    ) -> bytes:
        """A whole packet of raw values: what a simulator sends.

        Args:
            values: of the body, by name. Those in ``when`` may be left out.
            sequence: the sequence count.
            time_ns: the onboard time, in ns UTC since 1970, for headers that have one.
            fields: of the header, by name; 0 by default.

        Raises:
            EncodeError: a value is missing or unknown, or does not fit.
        """
        leaves = {leaf.name for leaf in self.layout.named if leaf.const is None}
        body: dict[str, Any] = {name: value for name, value in self.told_by if name in leaves}
        return self.wrap(self.codec.encode_names(body | dict(values)), sequence, time_ns, **fields)

    def wrap(self, body: bytes, sequence: int = 0, time_ns: int | None = None, **fields: int | float | bytes) -> bytes:
        """As `encode`, of a body that is made already.

        Raises:
            EncodeError: a value does not fit, or a field of the header is unknown.
        """
        d = self.definition
        return d.header.wrap(d.apid, sequence, body, time_ns, {**self.told_in_header, **fields})

    def void(self, values: Mapping[str, Value]) -> list[str]:
        """The parameters of a decoded packet that mean nothing, since the flag that each depends on is 0."""
        if self.size is not None:
            return [name for name, flag, off in self.conditional if values[flag] == off]
        if not self.conditional:
            return []
        flags = {name: (flag, off) for name, flag, off in self.conditional}
        out = []
        for name in values:
            declared = self.declared(name)
            flag, off = flags.get(declared, (None, None))
            if flag is not None and values.get(of_same_item(flag, name, declared)) == off:
                out.append(name)
        return out

    def limited_in(self, values: Mapping[str, Value]) -> Iterable[tuple[str, Limits]]:
        """The parameters of a decoded packet that have limits."""
        return self.limited if self.size is not None else self._present(self.limited, values)

    def rounded_in(self, values: Mapping[str, Value]) -> Iterable[tuple[str, int]]:
        """The parameters of a decoded packet that are rounded, and to how many decimals."""
        return self.rounded if self.size is not None else self._present(self.rounded, values)

    def wide_in(self, values: Mapping[str, Value]) -> Iterable[str]:
        """The parameters of a decoded packet that other languages may round."""
        if self.size is not None or not self.wide:
            return self.wide
        return [name for name in values if self.declared(name) in self.wide]

    def declared(self, name: str) -> str:
        """The declared name of a decoded parameter: ``points[3].x`` → ``points[].x``."""
        return declared_name(name, self.repeated)

    def _present(self, pairs: tuple[tuple[str, T], ...], values: Mapping[str, Value]) -> Iterable[tuple[str, T]]:
        """The pairs, under the names that they have in a decoded packet of variable size."""
        if not pairs:
            return ()
        by_name = dict(pairs)
        return [(name, by_name[declared]) for name in values if (declared := self.declared(name)) in by_name]


@dataclass(frozen=True)
class Dictionary:
    """A mission: its packets, commands, events, channels and timeline, and what its values are checked by.

    Attributes:
        scid: the spacecraft's id in frames; `ANY_SCID`: none is known, as in XTCE.
        by_apid: the packets declared for an APID.
        header_by_apid: what stands around the bodies of an APID's packets.
        stated_hash: of a dictionary that was read from a document: the hash of the one that the document was written
            from, as a document does not have all of it.
        hash: what both sides of the link compare.

    Raises:
        DeclarationError: two packets of one APID that cannot be told apart, or with different headers; a duplicate name
            or number; a condition on a field that is not there; a layout that cannot be read; a check that cannot be;
            an instrument without parameters.
    """

    name: str
    scid: int
    packets: tuple[PacketDef, ...]
    events: tuple[EventDef, ...]
    channels: tuple[ChannelDef, ...]
    timeline: tuple[Milestone, ...]
    commands: tuple[CommandDef, ...] = ()
    stated_hash: int | None = None
    checks: tuple[Check, ...] = ()
    instruments: tuple[Instrument, ...] = ()
    by_apid: Mapping[int, tuple[Packet, ...]] = field(init=False, repr=False)
    header_by_apid: Mapping[int, PacketHeader] = field(init=False, repr=False)
    by_name: Mapping[str, Packet] = field(init=False, repr=False)
    event_by_number: Mapping[int, EventDef] = field(init=False, repr=False)
    command_by_name: Mapping[str, Command] = field(init=False, repr=False)
    hash: int = field(init=False)
    _groups: Mapping[int, tuple[Group[Packet], ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _unique(self.name, "packet name", (p.name for p in self.packets))
        _unique(self.name, "event number", (e.number for e in self.events))
        _unique(self.name, "VCID", (c.vcid for c in self.channels))
        _unique(self.name, "command name", (c.name for c in self.commands))
        _unique(self.name, "command (APID, service, subtype, function)", map(_order, self.commands))
        ready = [_prepare(p) for p in self.packets]
        commands = [prepare_command(c) for c in self.commands]
        by_apid = _by_apid(ready)
        _set(self, "by_apid", {apid: tuple(packets) for apid, packets in by_apid.items()})
        _set(self, "header_by_apid", {apid: _common_header(self.name, packets) for apid, packets in by_apid.items()})
        _set(self, "_groups", {apid: _told_apart(self.name, packets) for apid, packets in by_apid.items()})
        _set(self, "by_name", {p.definition.name: p for p in ready})
        _set(self, "event_by_number", {e.number: e for e in self.events})
        _set(self, "command_by_name", {c.definition.name: c for c in commands})
        check_checks(self.checks, {p.definition.name: p.parameters for p in ready if p.size is not None})
        check_instruments(self.instruments, {p.definition.name: [each.name for each in p.parameters] for p in ready})
        own_hash = _hash(self, ready, commands) if self.stated_hash is None else self.stated_hash
        object.__setattr__(self, "hash", own_hash)

    @property
    def hash_text(self) -> str:
        """The hash as people read it: eight hex digits."""
        return f"{self.hash:08x}"

    def milestone(self, name: str) -> Milestone | None:
        """The milestone of that name."""
        return next((m for m in self.timeline if m.name == name), None)

    def identify(self, data: bytes) -> Packet | None:
        """The packet that a whole space packet is; None if it is none of those declared."""
        if len(data) < 2:
            return None
        return find(self._groups.get((data[0] & 7) << 8 | data[1], ()), data)

    def name_of(self, apid: int, data: bytes) -> str:
        """What to call a packet of a declared APID that does not decode: its name, or those that it may have."""
        packet = self.identify(data)
        names = [each.definition.name for each in ((packet,) if packet is not None else self.by_apid[apid])]
        return " or ".join(names) if len(names) <= _NAMES_SHOWN else f"packet of APID {apid:#05x}"

    def marks(self, packet: Packet) -> Iterator[tuple[int, int, int]]:
        """What the bytes of a packet must have, so that they are this one of its APID's, and its header's constants.

        Yields:
            The place of a byte in the packet, a mask, and what the byte has in the mask's bits.
        """
        groups = self._groups[packet.definition.apid]
        told = next(
            Told(group.stop, group.mask, value)
            for group in groups
            for value, each in group.packets.items()
            if each is packet
        )
        head = both(constants_of(NO_HEADER, packet.header.layout))
        yield from (told & head).octets()

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
            if (d.apid, d.service, d.subtype) == wanted and (
                d.function is None or d.function == (data[0] if data else None)
            ):
                return command
        return None


def _set(target: object, name: str, value: Mapping[Any, Any]) -> None:
    object.__setattr__(target, name, MappingProxyType(dict(value)))


def _type(definition: PacketDef) -> tuple[int, int, int]:
    """The order of packets in the hash."""
    service, subtype = definition.service, definition.subtype
    return definition.apid, -1 if service is None else service, -1 if subtype is None else subtype


def _by_apid(packets: list[Packet]) -> dict[int, list[Packet]]:
    found: dict[int, list[Packet]] = {}
    for packet in packets:
        found.setdefault(packet.definition.apid, []).append(packet)
    return found


def _common_header(mission: str, packets: list[Packet]) -> PacketHeader:
    """The header of an APID's packets."""
    first = packets[0].definition
    other = next((p.definition for p in packets if p.header != first.header), None)
    if other is not None:
        text = f"{other.name} and {first.name} have the same APID {first.apid:#05x}, but different headers"
        raise DeclarationError(mission, text)
    return first.header


def _told_apart(mission: str, packets: list[Packet]) -> tuple[Group[Packet], ...]:
    """How an APID's packets are told."""
    declared = [(p.definition.name, _condition(p), p) for p in packets]
    if all(one.excludes(two) for (_, one, _), (_, two, _) in combinations(declared, 2)):
        return groups_of(mission, declared)
    constants = (both(constants_of(p.header, p.layout)) for p in packets)
    return groups_of(
        mission, [(name, told & more, p) for (name, told, p), more in zip(declared, constants, strict=True)]
    )


def _condition(packet: Packet) -> Told:
    d = packet.definition
    when: dict[str, int | str] = dict(d.when)
    head = both(conditions_of(d.name, d.header, EMPTY, dict(packet.told_by[:2]) if d.header.is_pus else {}))
    return head & both(conditions_of(d.name, d.header, packet.layout, when))


def _order(definition: CommandDef) -> tuple[int, int, int, int]:
    function = -1 if definition.function is None else definition.function
    return definition.apid, definition.service, definition.subtype, function


def _unique(where: str, what: str, values: Iterable[object]) -> None:
    seen: set[object] = set()
    for value in values:
        if value in seen:
            raise DeclarationError(where, f"{what} {value} is declared twice")
        seen.add(value)


def _prepare(definition: PacketDef) -> Packet:
    _check_type(definition)
    layout = layout_of(definition.body, definition.name)
    fields = [f for f in layout.named if f.const is None]
    parameters = tuple(_parameter(definition.name, f) for f in fields)
    around = definition.header.body_offset + definition.header.crc_size
    fixed = layout.size is not None
    told, head = _told_by(definition, layout), {leaf.name for leaf in definition.header.layout.named}
    return Packet(
        definition,
        codec_of(layout, definition.name) if fixed else variable_codec_of(layout, definition.name),
        parameters,
        tuple((p.name, p.limits) for p in parameters if p.limits is not None),
        tuple(_conditions(definition.name, fields)),
        tuple((f.name, places) for f in fields if (places := _rounded_to(f)) is not None),
        tuple(f.name for f in fields if f.kind in ("uint", "sint") and f.bits > _SAFE_BITS and not _is_scaled(f)),
        any(f.kind in ("bytes", "string") and f.text is None for f in fields),
        None if layout.size is None else around + layout.size,
        around + layout.min_size,
        told,
        MappingProxyType({name: number for name, number in told if name in head}),
        repeated_in(leaf.name for leaf in fields),
    )


def _told_by(definition: PacketDef, layout: Layout) -> tuple[tuple[str, int], ...]:
    d = definition
    pus_type = (("service", d.service), ("subtype", d.subtype)) if d.header.is_pus else ()
    leaves = {leaf.name: leaf for leaf in (*d.header.layout.named, *layout.named)}
    unknown = next((name for name in d.when if name not in leaves), None)
    if unknown is not None:
        text = f"no field {unknown!r} at a fixed place{nearest(unknown, leaves)}"
        raise DeclarationError(f"{d.name}.when", text)
    named = tuple((name, raw_of(f"{d.name}.when", leaves[name], value)) for name, value in d.when.items())
    return (*((name, number) for name, number in pus_type if number is not None), *named)


def _check_type(definition: PacketDef) -> None:
    """See that APID, service and subtype are what the header can carry."""
    d = definition
    if not 0 <= d.apid < IDLE_APID:
        raise DeclarationError(d.name, f"APID {d.apid} is not 0 … {IDLE_APID - 1}")
    for word, number in (("service", d.service), ("subtype", d.subtype)):
        if not d.header.is_pus and number is not None:
            raise DeclarationError(d.name, f"it has a PUS {word}, but its header is of kind {d.header.kind}")
        if d.header.is_pus and (number is None or not 0 <= number <= 255):
            raise DeclarationError(d.name, f"its header is {d.header.kind}: it needs a {word} of 0 … 255, not {number}")


def _conditions(packet: str, fields: list[Field]) -> Iterator[Condition]:
    by_name = {f.name: f for f in fields}
    for leaf in fields:
        name = None if leaf.quantity is None else leaf.quantity.valid_if
        if name is None:
            continue
        flag = by_name.get(name)
        if flag is None or flag.kind in ("bytes", "string"):
            problem = "is not a field here" if flag is None else f"is of kind {flag.kind}: a flag is a number"
            raise DeclarationError(f"{packet}.{leaf.name}", f"valid_if names {name!r}, which {problem}")
        yield Condition(leaf.name, name, _off(flag))


def _off(flag: Field) -> Value:
    """What 0 decodes to."""
    if flag.is_enum:
        return flag.label(0)
    return 0 if flag.quantity is None else flag.quantity.calibration.value(0)


def _rounded_to(leaf: Field) -> int | None:
    is_float = leaf.kind == "float" or _is_scaled(leaf)
    return leaf.quantity.rounded_to if leaf.quantity is not None and is_float else None


def _is_scaled(leaf: Field) -> bool:
    return leaf.quantity is not None and not leaf.quantity.identity


def _parameter(packet: str, leaf: Field) -> ParameterDef:
    quantity = leaf.quantity
    fraction = _FLOAT_DECIMALS if leaf.kind == "float" else 0
    is_number = leaf.kind in ("uint", "sint", "float") and not leaf.is_enum
    if quantity is None:
        labels = tuple(label for _, _, label in leaf.spans) if leaf.is_enum else ()
        return ParameterDef(packet, leaf.name, "", fraction, leaf.doc, None, None, is_number, labels=labels)
    decimals = fraction if quantity.rounded_to is None and quantity.identity else quantity.decimals
    limits, valid_if, tolerance = quantity.limits, quantity.valid_if, quantity.tolerance
    return ParameterDef(packet, leaf.name, quantity.unit, decimals, leaf.doc, limits, valid_if, is_number, tolerance)


def _hash(dictionary: Dictionary, packets: list[Packet], commands: list[Command]) -> int:
    """First 32 bits of SHA-256 over all that spacecraft and ground must agree on; no descriptions, no limits, nothing
    that is optional."""
    lines = [f"scid {dictionary.scid}"]
    for packet in sorted(packets, key=lambda p: (_type(p.definition), p.definition.name)):
        d = packet.definition
        if d.optional:
            continue
        lines.append(f"packet {d.name} {d.apid} {d.service} {d.subtype} {packet.codec.size}")
        lines += [] if d.header == PUS_C else d.header.signature()
        lines += [f"  when {name} {number}" for name, number in sorted(packet.told_by) if name in d.when]
        lines += [f"  {line}" for line in packet.layout.signature()]
    agreed = (event for event in dictionary.events if not event.optional)
    lines += [f"event {e.number} {e.name}" for e in sorted(agreed, key=lambda e: e.number)]
    lines += [f"channel {c.vcid} {c.name}" for c in sorted(dictionary.channels, key=lambda c: c.vcid)]
    for command in sorted(commands, key=lambda c: _order(c.definition)):
        lines += command.signature()
    return int.from_bytes(hashlib.sha256("\n".join(lines).encode()).digest()[:4], "big")

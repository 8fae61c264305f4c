"""The codec of a layout of variable size: an interpreter over the generated codecs of its fixed parts.

construct stays the oracle here, too.

Rules:
1. Values have flat names: ``count``, ``samples[0]``, ``points[3].x``. A part that is not there gives no names.
2. Bytes may say anything: whatever they ask for is held against the bytes that are there before anything is built,
   and a packet has at most `MAX_ITEMS` items in all, as some have no bytes.
3. Bytes that are not such a structure are a `DecodeError`, and nothing else is raised.
4. `decode` takes what the structure needs and does not look at more; `decode_exact` wants no bytes left over.
5. The raw number of a field is remembered under its declared name (``points[].n``) for the expressions that refer to
   it: the last one read is the current item's.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from protocols.errors import DecodeError, EncodeError
from protocols.structures.codec import Buffer, Codec, Value, codec_of, units_of
from protocols.structures.expressions import SIZE, Expression, function_of, references
from protocols.structures.parts import OPEN_END, Blob, Choice, Layout, Part, Prefix, Repeat, Window

MAX_ITEMS = 65_536

Raw = int | float | str | bytes


@dataclass(slots=True)
class _Reading:
    """One packet while it is read. ``end`` is where its bytes end; ``index`` has the numbers of the items around."""

    data: bytes
    at: int
    end: int
    raw_wanted: bool
    values: dict[str, Any] = field(default_factory=dict)
    context: dict[str, int] = field(default_factory=dict)
    index: tuple[int, ...] = ()
    items: int = 0

    def take(self, size: int, name: str) -> bytes:
        """The next bytes."""
        if not 0 <= size <= self.end - self.at:
            raise DecodeError(f"{name}: {size} bytes wanted, {self.end - self.at} given")
        self.at += size
        return self.data[self.at - size : self.at]


@dataclass(slots=True)
class _Writing:
    """One packet while it is written."""

    values: dict[str, Raw]
    context: dict[str, int] = field(default_factory=dict)
    index: tuple[int, ...] = ()

    def pop(self, name: str) -> Raw:
        full = _numbered(name, self.index)
        if full not in self.values:
            raise EncodeError(f"fields missing or unknown: {full}")
        return self.values.pop(full)

    def has(self, start: str) -> bool:
        """Whether a name begins so, as a part of a path."""
        return any(name.startswith(start) and name[len(start) :][:1] in ("", ".", "[") for name in self.values)


_Step = tuple[Callable[[_Reading], None], Callable[[_Writing], bytes]]


@dataclass(frozen=True, slots=True)
class VariableCodec:
    """Decoder and encoder of a layout of variable size. ``min_size`` in bytes; ``size`` is None.

    ``lead`` decodes all there is to decode in a layout of fixed size after which bytes may follow that mean nothing.
    """

    layout: Layout
    name: str
    _read: Callable[[_Reading], None]
    _write: Callable[[_Writing], bytes]
    lead: Codec | None = None
    size: None = None

    @property
    def min_size(self) -> int:
        """The fewest bytes."""
        return self.layout.min_size

    def decode(self, data: Buffer, offset: int = 0) -> dict[str, Value]:
        """Calibrated values and labels by name; bytes after the structure are not looked at.

        Raises:
            DecodeError: the bytes are not such a structure.
        """
        return self._run(data, offset, raw=False).values

    def decode_exact(self, data: Buffer, offset: int = 0) -> dict[str, Value]:
        """As `decode`, of bytes that end where the structure ends.

        Raises:
            DecodeError: the bytes are not such a structure, or some are left over.
        """
        return self._whole(self._run(data, offset, raw=False))

    def decode_exact_raw(self, data: Buffer, offset: int = 0) -> dict[str, Raw]:
        """As `decode_raw`, of bytes that end where the structure ends.

        Raises:
            DecodeError: the bytes are not such a structure, or some are left over.
        """
        return self._whole(self._run(data, offset, raw=True))

    def decode_raw(self, data: Buffer, offset: int = 0) -> dict[str, Raw]:
        """Raw numbers, and the bytes of strings, by name: what `encode_names` takes.

        Raises:
            DecodeError: the bytes are not such a structure.
        """
        return self._run(data, offset, raw=True).values

    def encode_names(self, values: Mapping[str, Raw]) -> bytes:
        """Encode raw values by name.

        Raises:
            EncodeError: a name is missing or unknown, or a value does not fit.
        """
        writing = _Writing(dict(values))
        try:
            data = self._write(writing)
        except DecodeError as error:  # a size or count that cannot be worked out
            raise EncodeError(str(error)) from error
        if writing.values:
            raise EncodeError(f"fields missing or unknown: {', '.join(sorted(writing.values))}")
        return data

    def _whole(self, reading: _Reading) -> dict[str, Any]:
        if reading.at != reading.end:
            raise DecodeError(f"{self.name}: {reading.end - reading.at} bytes are left over")
        return reading.values

    def _run(self, data: Buffer, offset: int, *, raw: bool) -> _Reading:
        octets = data if isinstance(data, bytes) else bytes(data)
        reading = _Reading(octets, offset, len(octets), raw)
        reading.context[SIZE] = len(octets) - offset
        self._read(reading)
        return reading


def variable_codec_of(layout: Layout, name: str) -> VariableCodec:
    """The codec of a layout of variable size."""
    builder = _Builder(layout, name)
    read, write = builder.layout(layout)
    is_led = len(layout.parts) == 2 and isinstance(layout.parts[0], Layout) and layout.parts[1] == OPEN_END
    return VariableCodec(layout, name, read, write, builder.codecs[0] if is_led else None)


def _numbered(name: str, index: tuple[int, ...]) -> str:
    """``points[].x`` with the numbers of its items."""
    for number in index:
        name = name.replace("[]", f"[{number}]", 1)
    return name


class _Builder:
    """Makes a pair of functions of each part, once."""

    def __init__(self, layout: Layout, name: str) -> None:
        self._name = name
        self._needed = frozenset(_needed(layout))
        self.codecs: list[Codec] = []

    def layout(self, layout: Layout) -> _Step:
        if layout.size is not None:
            return self._fixed(layout)
        steps = [self._part(part) for part in layout.parts]
        reads, writes = [read for read, _ in steps], [write for _, write in steps]

        def read(reading: _Reading) -> None:
            for each in reads:
                each(reading)

        def write(writing: _Writing) -> bytes:
            return b"".join([each(writing) for each in writes])

        return read, write

    def _part(self, part: Part) -> _Step:
        if isinstance(part, Layout):
            return self.layout(part)
        if isinstance(part, Blob):
            return self._blob(part)
        if isinstance(part, Repeat):
            return self._repeat(part)
        return self._choice(part) if isinstance(part, Choice) else self._window(part)

    def _fixed(self, layout: Layout) -> _Step:
        codec = codec_of(layout, self._name)
        self.codecs.append(codec)
        names = [leaf.name for leaf in layout.named if leaf.const is None]
        kept = [(n, name) for n, name in enumerate(names) if name in self._needed]
        size = codec.size

        def read(reading: _Reading) -> None:
            if reading.end - reading.at < size:
                raise DecodeError(f"{self._name}: {size} bytes wanted, {reading.end - reading.at} given")
            raw = codec.decode_raw(reading.data, reading.at) if kept or reading.raw_wanted else ()
            for n, name in kept:
                reading.context[name] = raw[n]
            values = zip(names, raw, strict=True) if reading.raw_wanted else _decoded(codec, reading)
            if reading.index:
                reading.values.update((_numbered(name, reading.index), value) for name, value in values)
            else:
                reading.values.update(values)
            reading.at += size

        def write(writing: _Writing) -> bytes:
            raw = [writing.pop(name) for name in names]
            for n, name in kept:
                writing.context[name] = _whole(raw[n], name)
            return codec.encode_raw(*raw)

        return read, write

    def _blob(self, part: Blob) -> _Step:
        leaf, text, name = part.field, part.field.text, f"{self._name}.{part.field.name}"
        measure = self._measure(part.size, name)

        def read(reading: _Reading) -> None:
            if part.size == "terminated" and text is not None:
                size = text.until_nul(reading.data, reading.at, reading.end)
                data = reading.take(size + text.unit, name)[:size]
            else:
                data = reading.take(measure(reading), name)
            value = data if text is None or reading.raw_wanted else text.decode(data)
            reading.values[_numbered(leaf.name, reading.index)] = value

        def write(writing: _Writing) -> bytes:
            given = writing.pop(leaf.name)
            if not isinstance(given, bytes) and (text is None or not isinstance(given, str)):
                raise EncodeError(f"{name} is {given!r}: expected {'bytes' if text is None else 'a string'}")
            data = given if isinstance(given, bytes) else text.encode(given) if text is not None else b""
            if part.size == "terminated" and text is not None:
                if text.length(data) != len(data):
                    raise EncodeError(f"{name} has a NUL in it, which would end it")
                return data + bytes(text.unit)
            fill = text is not None and text.end != "whole"
            return self._headed(part.size, data, writing, name, fill=fill)

        return read, write

    def _window(self, part: Window) -> _Step:
        name = f"{self._name}.{part.name}"
        measure = self._measure(part.size, name)
        inner_read, inner_write = self.layout(part.inside)

        def read(reading: _Reading) -> None:
            size, outer = measure(reading), reading.end
            if not 0 <= size <= outer - reading.at:
                raise DecodeError(f"{name}: {size} bytes wanted, {outer - reading.at} given")
            reading.end = reading.at + size
            inner_read(reading)
            reading.at, reading.end = reading.end, outer

        def write(writing: _Writing) -> bytes:
            return self._headed(part.size, inner_write(writing), writing, name, fill=True)

        return read, write

    def _choice(self, part: Choice) -> _Step:
        name = f"{self._name}.{part.name}"
        cases = [(self._evaluate(condition, name), self.layout(layout)) for condition, layout in part.cases]
        otherwise = self.layout(part.otherwise)

        def chosen(context: dict[str, int]) -> _Step:
            return next((step for holds, step in cases if holds(context)), otherwise)

        return lambda reading: chosen(reading.context)[0](reading), lambda writing: chosen(writing.context)[1](writing)

    def _repeat(self, part: Repeat) -> _Step:
        name = f"{self._name}.{part.name}"
        read_item, write_item = self.layout(part.item)
        count_of = None if part.count == "rest" else self._measure(part.count, name, items=True)

        read_plain = self._plain_items(part)

        def read(reading: _Reading) -> None:
            outer = reading.index
            count = None if count_of is None else count_of(reading)
            if count is not None and not 0 <= count * max(part.item.min_size, 1) <= _room(reading, part):
                raise DecodeError(f"{name}: {count} items do not fit into {reading.end - reading.at} bytes")
            if read_plain is not None:
                read_plain(reading, count)
                return
            number = 0
            while number != count and (count is not None or reading.end - reading.at >= part.item.min_size):
                reading.items += 1
                if reading.items > MAX_ITEMS:
                    raise DecodeError(f"{name}: more than {MAX_ITEMS} items")
                reading.index = (*outer, number)
                read_item(reading)
                number += 1
            reading.index = outer

        def write(writing: _Writing) -> bytes:
            outer = writing.index
            start = _numbered(part.name, outer)
            count = None
            if count_of is not None and not isinstance(part.count, Prefix):
                count = count_of(writing)
            pieces: list[bytes] = []
            while len(pieces) < count if count is not None else writing.has(f"{start}[{len(pieces)}]"):
                if len(pieces) >= MAX_ITEMS:
                    raise EncodeError(f"{name}: more than {MAX_ITEMS} items")
                writing.index = (*outer, len(pieces))
                pieces.append(write_item(writing))
            writing.index = outer
            data = b"".join(pieces)
            return self._number(part.count, len(pieces), name) + data if isinstance(part.count, Prefix) else data

        return read, write

    def _plain_items(self, part: Repeat) -> Callable[[_Reading, int | None], None] | None:
        """Reads items of a fixed size on which nothing depends: most arrays are such, and all their work is here."""
        if not part.item.size or self._needed.intersection(leaf.name for leaf in part.item.named):
            return None
        codec, size = codec_of(part.item, self._name), part.item.size
        names = [leaf.name for leaf in part.item.named if leaf.const is None]
        code = _number_code(part.item)
        pieces = [name.rpartition("[]")[::2] for name in names]

        def read(reading: _Reading, count: int | None) -> None:
            number = (reading.end - reading.at) // size if count is None else count
            reading.items += number
            if reading.items > MAX_ITEMS:
                raise DecodeError(f"{self._name}.{part.name}: more than {MAX_ITEMS} items")
            heads = [(_numbered(head, reading.index), tail) for head, tail in pieces]
            at, data, values, raw_wanted = reading.at, reading.data, reading.values, reading.raw_wanted
            reading.at += number * size
            if code is not None:
                ((head, tail),) = heads
                found = struct.unpack_from(f"{code[0]}{number}{code[1]}", data, at)
                values.update(zip([f"{head}[{index}]{tail}" for index in range(number)], found, strict=True))
                return
            for index in range(number):
                item = codec.decode_raw(data, at) if raw_wanted else codec.decode(data, at).values()
                for (head, tail), value in zip(heads, item, strict=True):
                    values[f"{head}[{index}]{tail}"] = value
                at += size

        return read

    def _measure(self, size: Expression | Prefix | str, name: str, *, items: bool = False) -> Callable[[Any], int]:
        """A function that reads or calculates how many bytes, or items, come next."""
        if isinstance(size, str):
            return lambda reading: reading.end - reading.at
        if isinstance(size, Prefix):
            prefix, order = size, "little" if size.little else "big"
            own = prefix.size if prefix.inclusive and not items else 0
            return lambda reading: int.from_bytes(reading.take(prefix.size, name), order) - own  # type: ignore[arg-type]
        evaluate = self._evaluate(size, name)
        return lambda state: evaluate(state.context)

    def _evaluate(self, expression: Expression, name: str) -> Callable[[dict[str, int]], int]:
        function = function_of(expression)

        def evaluate(context: dict[str, int]) -> int:
            try:
                return function(context)
            except KeyError as error:
                raise DecodeError(f"{name} depends on {error}, which this packet does not have") from error
            except ZeroDivisionError as error:
                raise DecodeError(f"{name} is divided by 0") from error

        return evaluate

    def _headed(
        self, size: Expression | Prefix | str, data: bytes, writing: _Writing, name: str, *, fill: bool
    ) -> bytes:
        """Bytes with the prefix that they have, or filled up to the size that they must have."""
        if isinstance(size, Prefix):
            return self._number(size, len(data) + (size.size if size.inclusive else 0), name) + data
        if isinstance(size, str):
            return data
        wanted = self._evaluate(size, name)(writing.context)
        if len(data) > wanted or (len(data) < wanted and not fill):
            raise EncodeError(f"{name} has {len(data)} bytes, where {wanted} are declared")
        return data.ljust(wanted, b"\0")

    def _number(self, prefix: Prefix, value: int, name: str) -> bytes:
        if value >= 1 << 8 * prefix.size:
            raise EncodeError(f"{name}: {value} does not fit into {prefix}")
        return value.to_bytes(prefix.size, "little" if prefix.little else "big")


def _number_code(item: Layout) -> str | None:
    """Byte order and code by which `struct` reads an item that is one number and needs no more; None for others."""
    leaf = item.fields[0]
    plain = len(item.fields) == 1 and not leaf.is_enum and (leaf.quantity is None or leaf.quantity.identity)
    code = units_of(item)[0].code
    if not plain or leaf.const is not None or leaf.kind not in ("uint", "sint", "float") or len(code) > 1:
        return None
    return f"{'<' if leaf.little else '>'}{code}"


def _decoded(codec: Codec, reading: _Reading) -> Any:
    return codec.decode(reading.data, reading.at).items()


def _room(reading: _Reading, part: Repeat) -> int:
    """Bytes, or for items that may have none, the items that a packet may have."""
    return reading.end - reading.at if part.item.min_size else MAX_ITEMS - reading.items


def _whole(value: Raw, name: str) -> int:
    if not isinstance(value, int):
        raise EncodeError(f"{name} is {value!r}: expected a whole number, as others depend on it")
    return int(value)


def _needed(layout: Layout) -> set[str]:
    """The names of all fields that an expression refers to."""
    found: set[str] = set()
    for part in layout.parts:
        if isinstance(part, Layout):
            found |= _needed(part)
        elif isinstance(part, Choice):
            for condition, case in part.cases:
                found |= {*references(condition), *_needed(case)}
            found |= _needed(part.otherwise)
        else:
            size = part.count if isinstance(part, Repeat) else part.size
            found |= set() if isinstance(size, (Prefix, str)) else set(references(size))
            found |= _needed(part.item) if isinstance(part, Repeat) else set()
            found |= _needed(part.inside) if isinstance(part, Window) else set()
    return found

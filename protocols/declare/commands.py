"""Commands: what may be asked of the spacecraft, checked before anything is sent.

A command's application data is its function id, if it has one (PUS service 8), then its arguments as declared in
construct. The red limits of an argument's `Quantity` are its range, on both sides of the link; without them the range
is that of its type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import construct

from protocols.ccsds import pus
from protocols.errors import DeclarationError, DecodeError, EncodeError
from protocols.nearest import nearest
from protocols.structures.calibration import Table
from protocols.structures.codec import Buffer, Codec, Value, codec_of
from protocols.structures.fields import LabelRange
from protocols.structures.layout import Field, Layout, layout_of
from protocols.structures.parts import name_of

Argument = bool | int | float | str | bytes
"""What a caller may give for an argument. Text is read as a person types it: a number, a label, ``on`` or ``off``."""

_LONG = 200
"""Characters of a value in an error, or bits of an integer: longer ones are cut or described."""

_FLAG_WORDS = {"on": 1, "true": 1, "1": 1, "off": 0, "false": 0, "0": 0}


@dataclass(frozen=True, slots=True)
class CommandDef:
    """One telecommand. ``function`` is the function id of PUS service 8; ``critical`` ones need arming.

    ``arguments`` is a construct Struct of fixed size, None for a command without any.
    """

    name: str
    apid: int
    service: int
    subtype: int
    description: str
    function: int | None = None
    arguments: Any = None
    critical: bool = False


@dataclass(frozen=True, slots=True)
class ArgumentDef:
    """One argument: ``low`` and ``high`` in ``unit``, both allowed, None for bytes and strings; ``raw_range`` for whole
    numbers. ``labels`` has the number that each label is sent as; ``spans`` all that it stands for."""

    name: str
    unit: str
    decimals: int
    description: str
    labels: tuple[tuple[int, str], ...]
    low: float | None
    high: float | None
    raw_range: tuple[int, int] | None
    field: Field

    @property
    def spans(self) -> tuple[LabelRange, ...]:
        """Lowest and highest number of each label."""
        return self.field.spans

    @property
    def range_text(self) -> str:
        """What may be given: the labels, the range, or how many bytes."""
        if self.labels:
            return ", ".join(label for _, label in self.labels)
        if self.low is None or self.high is None:
            size = self.field.bits // 8
            return f"{size} bytes, in hex" if self.field.kind == "bytes" else f"text of at most {size} bytes"
        if self.field.kind == "flag":
            return "on, off"
        return f"{_number(self.low)} … {_number(self.high)} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Command:
    """A `CommandDef` made ready."""

    definition: CommandDef
    codec: Codec
    arguments: tuple[ArgumentDef, ...]

    def encode(self, values: Mapping[str, Argument] | None = None) -> bytes:
        """The application data for arguments in their units.

        Raises:
            EncodeError: an argument is missing, unknown, of the wrong type or out of its range; names command,
                argument, range and the nearest name there is.
        """
        given = dict(values or {})
        names = [argument.name for argument in self.arguments]
        for name in given:
            if name not in names:
                raise EncodeError(f"{self.definition.name} has no argument {name!r}{nearest(name, names)}")
        raw: dict[str, int | float | bytes] = {}
        for argument in self.arguments:
            if argument.name not in given:
                raise EncodeError(f"{self.definition.name}.{argument.name} is missing: {argument.range_text}")
            raw[argument.name] = _raw(f"{self.definition.name}.{argument.name}", argument, given[argument.name])
        return self._prefix + self.codec.encode_names(raw)

    def decode(self, data: Buffer) -> dict[str, Value]:
        """The arguments, in their units, of application data that came.

        Raises:
            DecodeError: another length or function id, or an argument out of its range.
        """
        prefix, name = self._prefix, self.definition.name
        if len(data) != len(prefix) + self.codec.size:
            raise DecodeError(f"{name} has {len(prefix) + self.codec.size} bytes of application data, not {len(data)}")
        if bytes(data[: len(prefix)]) != prefix:
            raise DecodeError(f"{name} is function {self.definition.function}, not {data[0]}")
        for argument, raw in zip(self.arguments, self.codec.decode_raw(data, len(prefix)), strict=True):
            if not _within(argument, raw):
                raise DecodeError(f"{name}.{argument.name} is {raw!r} raw: allowed is {argument.range_text}")
        return self.codec.decode(data, len(prefix))

    def packet(
        self, sequence: int, values: Mapping[str, Argument] | None = None, *, source: int = 0, acknowledge: int = 9
    ) -> bytes:
        """A whole PUS TC packet; by default acceptance and completion are acknowledged.

        Raises:
            EncodeError: as `encode`, or a number that does not fit the header.
        """
        d = self.definition
        header = pus.TcHeader(d.service, d.subtype, source, acknowledge)
        return pus.encode_tc(d.apid, sequence, header, self.encode(values))

    @property
    def _prefix(self) -> bytes:
        return b"" if self.definition.function is None else bytes([self.definition.function])

    def signature(self) -> Iterable[str]:
        """The command as both sides must agree on it, ranges included: lines for the dictionary's hash."""
        d = self.definition
        yield f"command {d.name} {d.apid} {d.service} {d.subtype} {d.function} {self.codec.size}"
        for field in self.codec.layout.fields:
            yield f"  {field.signature()}"
        for argument in self.arguments:
            yield f"  {argument.name} in {argument.low!r} {argument.high!r}"


def prepare_command(definition: CommandDef) -> Command:
    """Make a command ready.

    Raises:
        DeclarationError: its arguments cannot be read, or its function id is not one byte.
    """
    if definition.function is not None and not 0 <= definition.function <= 255:
        raise DeclarationError(definition.name, f"function id {definition.function} is not 0 … 255")
    declared = construct.Struct() if definition.arguments is None else definition.arguments
    layout = layout_of(declared, definition.name)
    if layout.size is None:
        part = next(part for part in layout.parts if not isinstance(part, Layout))
        raise DeclarationError(f"{definition.name}.{name_of(part)}", "its size varies: arguments have a fixed size")
    arguments = tuple(_argument(definition.name, field) for field in layout.named if field.const is None)
    return Command(definition, codec_of(layout, definition.name), arguments)


def _argument(command: str, field: Field) -> ArgumentDef:
    quantity = field.quantity
    low, high = _range(field)
    if quantity is not None and quantity.limits is not None:
        limits = quantity.limits
        low = low if limits.red_low is None else limits.red_low
        high = high if limits.red_high is None else limits.red_high
        if low is None or high is None or low > high:
            raise DeclarationError(f"{command}.{field.name}", f"no value lies in {low} … {high}")
    unit, decimals = ("", 0) if quantity is None else (quantity.unit, quantity.decimals)
    try:
        raw_range = _raw_range(field, low, high)
    except EncodeError as error:
        raise DeclarationError(f"{command}.{field.name}", str(error)) from error
    labels = tuple((least, label) for least, _, label in field.spans)
    return ArgumentDef(field.name, unit, decimals, field.doc, labels, low, high, raw_range, field)


def _raw_range(field: Field, low: float | None, high: float | None) -> tuple[int, int] | None:
    if field.kind == "float" or low is None or high is None:
        return None
    ends = sorted((round(_uncalibrate(field, low)), round(_uncalibrate(field, high))))
    return ends[0], ends[1]


def _range(field: Field) -> tuple[float | None, float | None]:
    """What the type can carry, in the argument's unit."""
    if field.kind in ("bytes", "string"):
        return None, None
    low, high = _raw_ends(field)
    table = None if field.quantity is None else field.quantity.calibration
    if isinstance(table, Table) and not table.extrapolate:
        low, high = max(low, table.raws[0]), min(high, table.raws[-1])
    ends = sorted((_calibrate(field, low), _calibrate(field, high)))
    return ends[0], ends[1]


def _calibrate(field: Field, raw: float) -> float:
    return raw if field.quantity is None else field.quantity.calibration.value(raw)


def shown(value: Argument) -> str:
    """A value as it was given, for errors and logs; a very long one is cut or described."""
    if isinstance(value, int) and value.bit_length() > _LONG:
        return f"an integer of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"


def _uncalibrate(field: Field, value: float) -> float:
    if field.quantity is None:
        return value
    return field.quantity.calibration.raw(value, *_raw_ends(field))


def _raw_ends(field: Field) -> tuple[float, float]:
    """The lowest and the highest number that a field can hold."""
    if field.kind == "float":
        return -float("inf"), float("inf")
    if field.kind == "sint":
        return -(1 << (field.bits - 1)), (1 << (field.bits - 1)) - 1
    return 0, 1 if field.kind == "flag" else (1 << field.bits) - 1


def _within(argument: ArgumentDef, raw: Any) -> bool:
    if argument.labels:
        return any(low <= raw <= high for low, high, _ in argument.spans)
    if argument.raw_range is not None:
        return argument.raw_range[0] <= int(raw) <= argument.raw_range[1]
    if argument.low is None or argument.high is None:
        return True
    return argument.low <= _calibrate(argument.field, raw) <= argument.high


def _raw(path: str, argument: ArgumentDef, value: Argument) -> int | float | bytes:
    """The raw number (or bytes) of one value; ``path`` is for errors."""
    field = argument.field
    if argument.labels:
        return _label(path, argument, value)
    if field.kind in ("bytes", "string"):
        return _octets(path, argument, value)
    if field.kind == "flag":
        return _flag(path, argument, value)
    return _encode_number(path, argument, value)


def _octets(path: str, argument: ArgumentDef, value: Argument) -> bytes:
    field = argument.field
    if field.text is not None and isinstance(value, str):
        try:
            return field.text.encode(value, field.bits // 8)
        except EncodeError as error:
            raise EncodeError(f"{path}: {error}") from error
    octets = _from_hex(value) if isinstance(value, str) else value
    if field.text is not None or not isinstance(octets, bytes) or len(octets) * 8 != field.bits:
        raise EncodeError(f"{path} is {shown(value)}: expected {argument.range_text}")
    return octets


def _from_hex(text: str) -> bytes | None:
    """Bytes as a person types them: ``00ff``, ``0x00FF``, ``00 ff``; None: it is not hex."""
    try:
        return bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        return None


def _encode_number(path: str, argument: ArgumentDef, value: Argument) -> int | float:
    field = argument.field
    number = _read_number(path, argument, value)
    assert argument.low is not None
    assert argument.high is not None
    if not argument.low <= number <= argument.high:
        raise EncodeError(f"{path} is {_number(number)}: the range is {argument.range_text}")
    if field.kind == "float":
        return _uncalibrate(field, number)
    if field.quantity is not None and not field.quantity.identity:
        return round(_uncalibrate(field, number))
    if number != int(number):
        raise EncodeError(f"{path} is {_number(number)}: expected a whole number, {argument.range_text}")
    return int(number)


def _label(path: str, argument: ArgumentDef, value: Argument) -> int:
    labels = {label.casefold(): raw for raw, label in argument.labels}
    if isinstance(value, str) and value.casefold() in labels:
        return labels[value.casefold()]
    if isinstance(value, int) and not isinstance(value, bool) and _within(argument, value):
        return value
    word = value if isinstance(value, str) else shown(value)
    raise EncodeError(f"{path} has no value {shown(value)}{nearest(word, (name for _, name in argument.labels))}")


def _flag(path: str, argument: ArgumentDef, value: Argument) -> int:
    word = value if isinstance(value, str) else shown(value)
    raw = None if isinstance(value, float) else _FLAG_WORDS.get(word.casefold())
    if raw is None:
        raise EncodeError(f"{path} is {shown(value)}: expected {argument.range_text}")
    return raw


def _read_number(path: str, argument: ArgumentDef, value: Argument) -> float:
    """A finite number; integers stay whole, so that 64 bits keep their last digit."""
    number: float | None = None
    if isinstance(value, str):
        number = _parse(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number = value
    if number is None or not _finite(number):
        raise EncodeError(f"{path} is {shown(value)}: expected a number, {argument.range_text}")
    return number


def _finite(number: float) -> bool:
    """An integer may also be longer than any float."""
    try:
        return isfinite(number)
    except OverflowError:
        return False


def _parse(text: str) -> float | None:
    try:
        return int(text, 0)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None


def _number(value: float) -> str:
    return f"{value:.10g}"

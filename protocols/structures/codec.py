"""Code generated from a layout: the decoder of the live path and the encoder that is its inverse.

The generated source is kept (``Codec.source``), so that it can be read and stepped through. construct itself stays
the oracle: tests decode everything both ways and compare.

Rules:
1. One `struct` call reads a whole structure, in the byte order that its numbers have; numbers in the other order are
   read as bytes. Fields that share bytes are read as one number and cut by shift and mask.
2. A field of ``Const`` is checked and not returned.
3. ``decode`` gives calibrated values and enum labels (the number itself where no label fits, as construct does);
   ``decode_raw`` gives the raw numbers, and the bytes of strings; ``encode_raw`` is the inverse of ``decode_raw``.
4. Short input is a `DecodeError`; bytes after the structure are not looked at.
5. Names come into the code as quoted text alone: a foreign XTCE file must not become code.
6. ``decode`` fills a copy of a dict that has all its keys already: a display of more than 15 items is built in pieces
   and merged, which takes twice the time.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from protocols.errors import DeclarationError, DecodeError, EncodeError
from protocols.structures.calibration import Calibration, Linear, Polynomial
from protocols.structures.fields import label_in
from protocols.structures.layout import Field, Layout, layout_of

Value = bool | int | float | str | bytes
Buffer = bytes | bytearray | memoryview
_Variables = Mapping[str, str]

_CODES = {("uint", 8): "B", ("uint", 16): "H", ("uint", 32): "I", ("uint", 64): "Q"}
_CODES |= {("sint", 8): "b", ("sint", 16): "h", ("sint", 32): "i", ("sint", 64): "q"}
_CODES |= {("float", 16): "e", ("float", 32): "f", ("float", 64): "d"}

_INTEGERS = ("uint", "sint")
_TEXTS = ("bytes", "string")


@dataclass(frozen=True, slots=True)
class Codec:
    """A structure's generated decoder and encoder. ``size`` in bytes."""

    size: int
    layout: Layout
    decode: Callable[[Buffer, int], dict[str, Value]]
    decode_raw: Callable[[Buffer, int], tuple[Any, ...]]
    encode_raw: Callable[..., bytes]
    source: str

    def encode_names(self, values: Mapping[str, int | float | bytes]) -> bytes:
        """Encode raw values by name.

        Raises:
            EncodeError: a name is missing or unknown, or a value does not fit.
        """
        names = [field.name for field in self.layout.named if field.const is None]
        if set(names) != set(values):
            wrong = sorted(set(names) ^ set(values))
            raise EncodeError(f"fields missing or unknown: {', '.join(wrong)}")
        return self.encode_raw(*(values[name] for name in names))


@dataclass(frozen=True, slots=True)
class Unit:
    """Bytes read by one struct code: one field, or several that share them; padding has none. ``offset`` in bits."""

    code: str
    size: int
    fields: tuple[Field, ...]
    offset: int


def compile_codec(declaration: Any, name: str) -> Codec:
    """Generate the codec of a construct declaration of fixed size.

    Raises:
        DeclarationError: `layout_of` refuses the declaration, or its size varies.
    """
    return codec_of(layout_of(declaration, name), name)


def codec_of(layout: Layout, name: str) -> Codec:
    """Generate the codec of a layout of fixed size.

    Raises:
        DeclarationError: its size varies.
    """
    if layout.size is None:
        raise DeclarationError(name, "its size varies: expected a structure of fixed size")
    order = byte_order(layout)
    units = [_readable(unit, order) for unit in units_of(layout)]
    variables = _variables(layout)
    source = _source(layout, units, variables)
    packer = struct.Struct(order + "".join(unit.code for unit in units))
    scope: dict[str, Any] = {
        "_unpack": packer.unpack_from,
        "_pack": packer.pack,
        "_int": int.from_bytes,
        "_error": struct.error,
        "DecodeError": DecodeError,
        "EncodeError": EncodeError,
        "_NAME": name,
        "_SIZE": layout.size,
    }
    returned = [field.name for field in layout.named if field.const is None]
    scope |= {"_new": dict.fromkeys(returned).copy}
    for field in layout.named:
        scope |= _helpers(field, variables[field.name])
    exec(compile(source, f"<generated codec {name}>", "exec"), scope)  # noqa: S102  # our own declaration
    return Codec(
        layout.size,
        layout,
        cast("Callable[[Buffer, int], dict[str, Value]]", scope["decode"]),
        cast("Callable[[Buffer, int], tuple[Any, ...]]", scope["decode_raw"]),
        cast("Callable[..., bytes]", scope["encode_raw"]),
        source,
    )


def byte_order(layout: Layout) -> str:
    """The order in which `struct` reads a layout: ``<`` if all its numbers of several bytes are so, else ``>``."""
    numbers = [unit.fields[0] for unit in units_of(layout) if len(unit.fields) == 1 and unit.code in "HIQhiqefd"]
    return "<" if numbers and all(field.little for field in numbers) else ">"


def _readable(unit: Unit, order: str) -> Unit:
    """The unit as bytes, if its number has another byte order than the rest."""
    if unit.code not in "HIQhiqefd" or not unit.fields:
        return unit
    little = len(unit.fields) == 1 and unit.fields[0].little
    return unit if little == (order == "<") else Unit(f"{unit.size}s", unit.size, unit.fields, unit.offset)


def _helpers(field: Field, variable: str) -> dict[str, Any]:
    """What the generated code calls for a field."""
    found: dict[str, Any] = {}
    if field.ranges:
        found[f"_ranges_{variable}"] = partial(label_in, field.ranges)
    elif field.labels:
        found[_words(variable)] = dict(field.labels).get
    if field.kind == "float":
        packer = struct.Struct(("<" if field.little else ">") + _CODES["float", field.bits])
        found |= {f"_float_{variable}": packer.unpack, f"_bytes_{variable}": packer.pack}
    if field.text is not None:
        found |= {f"_text_{variable}": field.text.decode, f"_chars_{variable}": field.text.encode}
    if field.quantity is not None and not field.quantity.identity:
        found[f"_value_{variable}"] = field.quantity.calibration.value
    return found


def units_of(layout: Layout) -> list[Unit]:
    """The layout's fields, grouped into whole bytes."""
    units: list[Unit] = []
    group: list[Field] = []
    for field in layout.fields:
        group.append(field)
        end = field.offset + field.bits
        if end % 8 == 0:
            units.append(_unit(group))
            group = []
    return units


def _unit(group: list[Field]) -> Unit:
    offset = group[0].offset
    size = (group[-1].offset + group[-1].bits - offset) // 8
    if len(group) == 1:
        field = group[0]
        if field.kind == "padding":
            return Unit(f"{size}x", size, (), offset)
        if field.kind == "flag":
            return Unit("B", size, (field,), offset)
        if field.kind in _TEXTS:
            return Unit(f"{size}s", size, (field,), offset)
        code = _CODES.get((field.kind, field.bits))
        return Unit(code or f"{size}s", size, (field,), offset)
    code = _CODES.get(("uint", size * 8), f"{size}s")
    return Unit(code, size, tuple(group), offset)


def _variables(layout: Layout) -> _Variables:
    """The generated code's variable for each field, by the field's name: a search for each would be quadratic."""
    return {field.name: f"v{i}" for i, field in enumerate(layout.named)}


def _words(variable: str) -> str:
    """What the generated code calls the look-up of an enum's words."""
    return f"_words_{variable}"


def _source(layout: Layout, units: list[Unit], variables: _Variables) -> str:
    reading = _read_lines(layout, units, variables)
    returned = [f for f in layout.named if f.const is None]
    lines = ["def decode_raw(data, offset=0):", *reading]
    lines.append(f"    return ({''.join(variables[f.name] + ', ' for f in returned)})")
    lines += ["", "def decode(data, offset=0):", *reading, "    values = _new()"]
    lines += [f"    values[{f.name!r}] = {_calibrated(f, variables[f.name])}" for f in returned]
    lines.append("    return values")
    lines += ["", *_encode_lines(layout, units, variables)]
    return "\n".join(lines) + "\n"


def _read_lines(layout: Layout, units: list[Unit], variables: _Variables) -> list[str]:
    reads = [unit for unit in units if unit.fields]
    names = [_target(unit, i, variables) for i, unit in enumerate(reads)]
    lines = [
        "    try:",
        f"        ({', '.join(names)},) = _unpack(data, offset)" if names else "        _unpack(data, offset)",
        "    except _error as error:",
        "        raise DecodeError(f'{_NAME}: {_SIZE} bytes wanted, {len(data) - offset} given') from error",
    ]
    for i, unit in enumerate(reads):
        lines += [f"    {line}" for line in _cut_lines(unit, names[i], variables)]
    for field in layout.named:
        if field.const is not None:
            var = variables[field.name]
            lines.append(f"    if {var} != {field.const!r}:")
            before, after = f": {field.name} is ", f", not {field.const!r}"
            lines.append(f"        raise DecodeError(_NAME + {before!r} + repr({var}) + {after!r})")
    return lines


def _target(unit: Unit, index: int, variables: _Variables) -> str:
    single = len(unit.fields) == 1 and unit.fields[0].bits == unit.size * 8
    return variables[unit.fields[0].name] if single else f"u{index}"


def _cut_lines(unit: Unit, source: str, variables: _Variables) -> list[str]:
    """Statements that take a unit's fields out of the number (or bytes) that was read."""
    lines: list[str] = []
    if len(unit.fields) == 1:
        field = unit.fields[0]
        if field.kind == "flag":
            lines.append(f"{source} = {source} != 0")
        elif unit.code.endswith("s") and field.kind in _INTEGERS:
            lines.append(f"{source} = _int({source}, {_order(field)}, signed={field.kind == 'sint'})")
        elif unit.code.endswith("s") and field.kind == "float":
            lines.append(f"({source},) = _float_{source}({source})")
        return lines
    if unit.code.endswith("s"):
        lines.append(f"{source} = _int({source}, 'big')")
    for field in unit.fields:
        if field.kind != "padding":
            lines.append(f"{variables[field.name]} = {_cut(field, unit, source, variables[field.name])}")
    return lines


def _order(field: Field) -> str:
    return "'little'" if field.little else "'big'"


def _cut(field: Field, unit: Unit, source: str, variable: str) -> str:
    shift = unit.offset + unit.size * 8 - field.offset - field.bits
    mask = (1 << field.bits) - 1
    shifted = f"{source} >> {shift}" if shift else source
    cut = f"({shifted}) & {mask:#x}"
    if field.kind == "flag":
        return f"({cut}) != 0"
    octets = f"({cut}).to_bytes({field.bits // 8}, 'big')"
    if field.kind in _TEXTS:
        return octets
    if field.kind == "float":
        return f"_float_{variable}({octets})[0]"
    if field.little:
        return f"_int({octets}, 'little', signed={field.kind == 'sint'})"
    if field.kind == "sint":
        sign = 1 << (field.bits - 1)
        return f"(({cut}) ^ {sign:#x}) - {sign:#x}"
    return cut


def _calibrated(field: Field, var: str) -> str:
    if field.ranges:
        return f"_ranges_{var}({var})"
    if field.labels:
        return f"{_words(var)}({var}, {var})"
    if field.text is not None:
        return f"_text_{var}({var})"
    if field.quantity is None or field.quantity.identity:
        return var
    return _calculated(field.quantity.calibration, var)


def _calculated(calibration: Calibration, var: str) -> str:
    if isinstance(calibration, Linear):
        return f"{var} * {calibration.scale!r} + {calibration.offset!r}"
    if isinstance(calibration, Polynomial):
        first, *others = calibration.coefficients
        powers = (f"(x := float({var}))" if n == 0 else f"({' * '.join('x' * (n + 1))})" for n in range(len(others)))
        terms = (f"{coefficient!r} * {power}" for coefficient, power in zip(others, powers, strict=True))
        return " + ".join([repr(first), *terms])
    return f"_value_{var}({var})"


def _encode_lines(layout: Layout, units: list[Unit], variables: _Variables) -> list[str]:
    arguments = ", ".join(variables[f.name] for f in layout.named if f.const is None)
    lines = [f"def encode_raw({arguments}):"]
    lines += [f"    {variables[f.name]} = {f.const!r}" for f in layout.named if f.const is not None]
    sharing = {field.name for unit in units if len(unit.fields) > 1 for field in unit.fields}
    for field in layout.named:
        if field.kind in _TEXTS:
            lines += _size_check(field, variables[field.name])
        elif field.kind != "float" and (field.bits % 8 or field.name in sharing):
            lines += _range_check(field, variables[field.name])
    values = ", ".join(_encoded(unit, variables) for unit in units if unit.fields)
    lines += [
        "    try:",
        f"        return _pack({values})",
        "    except (_error, OverflowError) as error:",
        "        raise EncodeError(f'{_NAME}: {error}') from error",
    ]
    return lines


def _size_check(field: Field, var: str) -> list[str]:
    size = field.bits // 8
    if field.text is not None:
        return [f"    {var} = _chars_{var}({var}, {size})"]
    return [
        f"    if len({var}) != {size}:",
        f"        raise EncodeError(_NAME + {f'.{field.name} has '!r} + str(len({var})) + {f' bytes, not {size}'!r})",
    ]


def _range_check(field: Field, var: str) -> list[str]:
    low, high = 0, (1 << field.bits) - 1
    if field.kind == "sint":
        low, high = -(1 << (field.bits - 1)), (1 << (field.bits - 1)) - 1
    before, after = f".{field.name} is ", f": the range is {low} … {high}"
    return [
        f"    if not {low} <= {var} <= {high}:",
        f"        raise EncodeError(_NAME + {before!r} + str({var}) + {after!r})",
    ]


def _encoded(unit: Unit, variables: _Variables) -> str:
    if len(unit.fields) == 1:
        field = unit.fields[0]
        var = variables[field.name]
        if unit.code.endswith("s") and field.kind in (*_INTEGERS, "float"):
            return _octets(field, var)
        return f"1 if {var} else 0" if field.kind == "flag" else var
    parts = []
    for field in unit.fields:
        if field.kind == "padding":
            continue
        shift = unit.offset + unit.size * 8 - field.offset - field.bits
        parts.append(f"({_shared(field, variables[field.name])} << {shift})")
    number = " | ".join(parts) or "0"
    return f"({number}).to_bytes({unit.size}, 'big')" if unit.code.endswith("s") else f"({number})"


def _octets(field: Field, var: str) -> str:
    """The bytes of a number that `struct` does not write by itself."""
    if field.kind == "float":
        return f"_bytes_{var}({var})"
    return f"int({var}).to_bytes({field.bits // 8}, {_order(field)}, signed={field.kind == 'sint'})"


def _shared(field: Field, var: str) -> str:
    """A field as a number that can be shifted to its place among others."""
    if field.kind in _TEXTS:
        return f"_int({var}, 'big')"
    if field.kind == "float" or field.little:
        return f"_int({_octets(field, var)}, 'big')"
    return f"(int({var}) & {(1 << field.bits) - 1:#x})"

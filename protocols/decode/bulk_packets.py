"""Whole batches of one packet type, decoded by numpy: for archives and exports, not for the live path.

Rules:
1. The dtype comes from the same layout as the live decoder, and the columns hold the same values, with one difference:
   an enum's column holds raw numbers, because a column of text would cost more than all the rest. `labels` gives the
   words to them.
2. Strings, and whatever has a variable size, are columns of Python objects.
3. A packet of variable size is decoded one by one. It has a column for each declared name. Of a repeated parameter,
   ``points[].x``, each cell is the list of its values in that packet, in wire order, empty where there are none. A
   parameter that a packet may lack is NaN there if it is a float, and None else.
4. Packet error control is checked by `intact`, apart from the rest: not every batch needs it.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterator, Sequence
from itertools import repeat
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

from protocols.ccsds.space_packet import HEADER_SIZE
from protocols.declare.dictionary import Packet
from protocols.decode.bulk_times import read_times
from protocols.errors import DeclarationError, DecodeError
from protocols.structures.calibration import Linear, Polynomial, Table
from protocols.structures.codec import Unit, units_of
from protocols.structures.fields import LabelRange, label_in
from protocols.structures.layout import Field, Layout
from protocols.structures.parts import Blob, Part, Window
from protocols.structures.variable_codec import VariableCodec

Column = npt.NDArray[Any]
NO_TIME = int(np.iinfo(np.int64).min)
"""The time of packets that have none: NaT, once it is a numpy time."""

_BLOCK = 4096
"""Rows decoded at a time: few enough that they stay in the processor's cache while column after column is cut out."""

_NATIVE = (8, 16, 32, 64)
_PLAIN = ("uint", "sint", "flag", "padding")
_MOST_PLAIN = 57
"""Bits of an integer that, wherever it begins in a byte, lies in eight of them."""


def dtype_of(layout: Layout, start: int = 0, size: int | None = None) -> np.dtype[Any]:
    """The numpy structure of a layout, one item a byte-aligned unit: a field by its name, bits that share bytes by
    the name of the first of them, with ``bits:`` before it.

    Args:
        layout: what the bytes mean.
        start: bytes before the layout, a packet's headers.
        size: bytes of one item; by default what start and layout need.
    """
    units = [unit for unit in units_of(layout) if unit.fields]
    spec = {
        "names": [_item(unit) for unit in units],
        "formats": [_format(unit) for unit in units],
        "offsets": [start + unit.offset // 8 for unit in units],
        "itemsize": start + layout.min_size if size is None else size,
    }
    return np.dtype(spec)  # type: ignore[call-overload,no-any-return]  # numpy's stubs want the literal itself


def decode_batch(packets: bytes | Sequence[bytes], packet: Packet) -> dict[str, Column]:
    """Calibrated columns of whole packets, by parameter name.

    Args:
        packets: whole packets of this type, as a list or one after the other.
        packet: their type.

    Raises:
        DecodeError: a packet of another length, or a constant field that holds something else.
        DeclarationError: an integer of more than 8 bytes.
    """
    if isinstance(packet.codec, VariableCodec):
        return _decode_each(_apart(packets, packet), packet, packet.codec)
    layout, size = packet.layout, packet.codec.size + packet.header.body_offset + packet.header.crc_size
    rows: Column = np.frombuffer(_joined(packets, packet, size), dtype_of(layout, packet.header.body_offset, size))
    units = [unit for unit in units_of(layout) if unit.fields]
    columns: dict[str, Column] = {}
    for start in range(0, max(len(rows), 1), _BLOCK):
        block = rows[start : start + _BLOCK]
        for unit in units:
            for field, raw in _cut_unit(unit, block[_item(unit)]):
                if field.const is not None:
                    _check_constant(packet, field, raw, start)
                    continue
                column = columns.get(field.name)
                if column is None:
                    column = columns[field.name] = np.empty(len(rows), _column_type(field, raw.dtype))
                _fill(field, raw, column[start : start + _BLOCK])
    return columns


def decode_times(packets: bytes | Sequence[bytes], packet: Packet) -> npt.NDArray[np.int64]:
    """Onboard time (SCET) of whole packets, in ns UTC since 1970; `NO_TIME` of packets that have none.

    Raises:
        DecodeError: a packet of another length, or a time that is none.
    """
    code, place = packet.header.time, packet.header.time_offset
    if packet.size is not None:
        joined = _joined(packets, packet, packet.size)
        octets = np.frombuffer(joined, np.uint8).reshape(-1, packet.size)
    else:
        heads = b"".join(data[: packet.header.body_offset] for data in _apart(packets, packet))
        octets = np.frombuffer(heads, np.uint8).reshape(-1, packet.header.body_offset)
    if code is None or place is None:
        return np.full(len(octets), NO_TIME, np.int64)
    times, odd = read_times(lambda n: octets[:, place + n].astype(np.int64), code)
    for row in np.flatnonzero(odd).tolist():
        times[row] = code.decode(octets[row].tobytes(), place)  # a leap second, or not a time
    return times


def intact(packets: bytes, size: int) -> npt.NDArray[np.bool_]:
    """Which of the packets, one after the other and each of ``size`` bytes, have a fitting packet error control."""
    count = len(packets) // size
    pieces = struct.unpack(f"{size}s" * count, packets)
    remainders = np.fromiter(map(binascii.crc_hqx, pieces, repeat(0xFFFF)), np.uint16, count)
    return np.equal(remainders, 0)


class RangeLabels(dict[int, str]):
    """The words of an enumeration by ranges, as if each number in them was listed: what is not listed is looked up."""

    def __init__(self, ranges: Sequence[LabelRange]) -> None:
        super().__init__((low, label) for low, _, label in ranges)
        self._ranges = ranges

    def get(self, key: int, default: Any = None) -> Any:
        """The word of a number."""
        found = label_in(self._ranges, key)
        return found if isinstance(found, str) else default


def labels(packet: Packet) -> dict[str, dict[int, str]]:
    """The words for the numbers in enum columns, by parameter name; ask by ``get``."""
    return {
        field.name: RangeLabels(field.ranges) if field.ranges else dict(field.labels)
        for field in packet.layout.named
        if field.is_enum
    }


def _apart(packets: bytes | Sequence[bytes], packet: Packet) -> Sequence[bytes]:
    """Packets of different sizes, one by one."""
    if not isinstance(packets, bytes):
        return packets
    found, at = [], 0
    while at < len(packets):
        if at + HEADER_SIZE > len(packets):
            raise DecodeError(f"{packet.definition.name}: {len(packets) - at} bytes are not a whole packet")
        size = HEADER_SIZE + 1 + (packets[at + 4] << 8 | packets[at + 5])
        found.append(packets[at : at + size])
        at += size
    return found


def _decode_each(packets: Sequence[bytes], packet: Packet, codec: VariableCodec) -> dict[str, Column]:
    """Columns of packets of variable size."""
    name, around = packet.definition.name, packet.header
    fields = {field.name: field for field in packet.layout.named if field.const is None}
    always = set(_always(packet.layout.parts))
    cells: dict[str, list[Any]] = {field: [] for field in fields}
    for number, data in enumerate(packets):
        if len(data) < packet.min_size:
            raise DecodeError(f"{name}: packet {number} has {len(data)} bytes, not {packet.min_size}")
        found = codec.decode_exact_raw(data[: len(data) - around.crc_size], around.body_offset)
        row: dict[str, Any] = {field: [] if "[]" in field else None for field in fields}
        for key, raw in found.items():
            declared = packet.declared(key)
            value = _value(fields[declared], raw)
            if declared == key:
                row[key] = value
            else:
                row[declared].append(value)
        for field, value in row.items():
            cells[field].append(value)
    return {field: _object_column(leaf, cells[field], is_always=field in always) for field, leaf in fields.items()}


def _always(parts: Sequence[Part]) -> Iterator[str]:
    """The names that every packet has once."""
    for part in parts:
        if isinstance(part, Blob):
            yield part.field.name
        elif isinstance(part, Layout):
            yield from (field.name for field in part.named)
        elif isinstance(part, Window):
            yield from _always(part.inside.parts or (part.inside,))


def _value(field: Field, raw: Any) -> Any:
    if field.text is not None:
        return field.text.decode(raw)
    if field.kind == "flag":
        return bool(raw)
    return raw if field.is_enum or field.quantity is None else field.quantity.calibration.value(raw)


def _object_column(field: Field, cells: list[Any], *, is_always: bool) -> Column:
    """A column of numbers where each packet has one and it fits, else of objects."""
    is_number = field.kind not in ("bytes", "string") and "[]" not in field.name
    calibrated = field.quantity is not None and not field.quantity.identity and not field.is_enum
    if is_number and (field.kind == "float" or (calibrated and not _is_whole(field))):
        return np.array([nan if cell is None else cell for cell in cells], np.float64)
    if is_number and is_always and field.bits < 64:
        return np.array(cells, np.bool_ if field.kind == "flag" else np.int64)
    column = np.empty(len(cells), object)
    for row, cell in enumerate(cells):  # one by one: numpy would take lists of one length apart
        column[row] = cell
    return column


def _is_whole(field: Field) -> bool:
    calibration = None if field.quantity is None else field.quantity.calibration
    if not isinstance(calibration, Linear):
        return calibration is None
    return isinstance(calibration.scale, int) and isinstance(calibration.offset, int)


def _joined(packets: bytes | Sequence[bytes], packet: Packet, size: int) -> bytes:
    name = packet.definition.name
    if isinstance(packets, bytes):
        if len(packets) % size:
            raise DecodeError(f"{name}: {len(packets)} bytes are not whole packets of {size}")
        return packets
    wrong = next((i for i, each in enumerate(packets) if len(each) != size), None)
    if wrong is not None:
        raise DecodeError(f"{name}: packet {wrong} has {len(packets[wrong])} bytes, not {size}")
    return b"".join(packets)


def _item(unit: Unit) -> str:
    first = unit.fields[0].name
    return f"bits:{first}" if len(unit.fields) > 1 else first


def _is_plain(unit: Unit) -> bool:
    """Whether bits that share bytes are integers in one number that numpy knows."""
    return unit.size * 8 in _NATIVE and all(field.kind in _PLAIN and not field.little for field in unit.fields)


def _format(unit: Unit) -> str | tuple[str, int]:
    """One number that numpy knows, or bytes: for text as they are, for odd widths to be put together."""
    if len(unit.fields) > 1:
        return f">u{unit.size}" if _is_plain(unit) else ("u1", unit.size)
    field = unit.fields[0]
    if field.kind in ("bytes", "string"):
        return f"V{unit.size}"
    code = {"sint": "i", "float": "f"}.get(field.kind, "u")
    order = "<" if field.little else ">"
    return f"{order}{code}{unit.size}" if unit.size * 8 in _NATIVE else ("u1", unit.size)


def _cut_unit(unit: Unit, read: Column) -> Iterator[tuple[Field, Column]]:
    """The raw columns of one unit's fields."""
    first = unit.fields[0]
    if len(unit.fields) == 1:
        if unit.size * 8 not in _NATIVE and first.kind in ("uint", "sint"):
            read = _number(first.name, read[:, ::-1] if first.little else read, signed=first.kind == "sint")
        yield first, read != 0 if first.kind == "flag" else read
        return
    if not _is_plain(unit):
        yield from ((field, _dig(field, unit, read)) for field in unit.fields if field.kind != "padding")
        return
    wide = read.astype(np.uint64)
    for field in unit.fields:
        if field.kind != "padding":
            shift = unit.offset + unit.size * 8 - field.offset - field.bits
            yield field, _cut(field, wide >> np.uint64(shift))


def _number(name: str, octets: Column, *, signed: bool) -> Column:
    """An integer of up to 8 bytes."""
    width = octets.shape[1]
    if width > 8:
        raise DeclarationError(name, f"a number of {width} bytes fits no numpy column")
    wide = np.zeros((len(octets), 8), np.uint8)
    if signed:
        wide[octets[:, 0] > 0x7F] = 0xFF
    wide[:, 8 - width :] = octets
    return wide.view(">i8" if signed else ">u8")[:, 0]


def _dig(field: Field, unit: Unit, octets: Column) -> Column:
    """A field out of bytes that it shares, of whatever kind."""
    begin = field.offset - unit.offset
    end = begin + field.bits
    if field.kind in _PLAIN and not field.little and field.bits <= _MOST_PLAIN:
        wide = _number(field.name, octets[:, begin // 8 : -(-end // 8)], signed=False).astype(np.uint64)
        return _cut(field, wide >> np.uint64(-end % 8))
    bits = np.unpackbits(octets[:, begin // 8 : -(-end // 8)], axis=1)[:, begin % 8 :][:, : field.bits]
    if field.bits % 8:  # an integer that reaches over nine bytes
        bits = np.pad(bits, ((0, 0), (8 - field.bits % 8, 0)))
    own = np.ascontiguousarray(np.packbits(bits, axis=1))
    if field.kind in ("bytes", "string"):
        return np.asarray(own.view(f"V{own.shape[1]}")[:, 0])
    own = np.ascontiguousarray(own[:, ::-1]) if field.little else own
    if field.kind == "float":
        return np.asarray(own.view(f">f{own.shape[1]}")[:, 0])
    return _cut(field, _number(field.name, own, signed=False).astype(np.uint64))


def _cut(field: Field, shifted: npt.NDArray[np.uint64]) -> Column:
    """The lowest bits of a number."""
    cut = shifted & np.uint64((1 << field.bits) - 1)
    if field.kind == "flag":
        return np.asarray(cut != 0)
    if field.kind == "sint":
        sign = np.int64(-(1 << 63) if field.bits == 64 else 1 << (field.bits - 1))
        return np.asarray((cut.astype(np.int64) ^ sign) - sign)
    return cut


def _check_constant(packet: Packet, field: Field, column: Column, start: int) -> None:
    if field.const is None:
        return
    wanted = np.void(field.const) if isinstance(field.const, bytes) else field.const
    wrong = np.flatnonzero(column != wanted)
    if len(wrong):
        value = column[wrong[0]]
        raise DecodeError(f"{packet.definition.name}: {field.name} is {value!r} in packet {start + wrong[0]}")


def _column_type(field: Field, raw: np.dtype[Any]) -> np.dtype[Any]:
    """In the machine's byte order; 64 bits wide where the live decoder calculates."""
    if field.kind == "string":
        return np.dtype(object)
    if field.kind == "float":
        return np.dtype(np.float64)
    if field.is_enum or field.quantity is None or field.quantity.identity:
        return raw.newbyteorder("=")
    return np.dtype(np.int64 if _is_whole(field) else np.float64)


def _fill(field: Field, raw: Column, column: Column) -> None:
    """Calibrate as the live decoder does it, in the same order."""
    if field.text is not None:
        column[...] = [field.text.decode(bytes(cell)) for cell in raw]
        return
    with np.errstate(invalid="ignore"):  # a signalling NaN is a NaN
        column[...] = raw
    quantity = field.quantity
    if quantity is None or quantity.identity or field.is_enum:
        return
    calibration = quantity.calibration
    if isinstance(calibration, Linear):
        column *= calibration.scale
        column += calibration.offset
    elif isinstance(calibration, Polynomial):
        column[...] = _polynomial(calibration, column)
    else:
        column[...] = _looked_up(calibration, column)


def _polynomial(calibration: Polynomial, raw: Column) -> Column:
    total, power = np.full(len(raw), calibration.coefficients[0]), np.ones(len(raw))
    for coefficient in calibration.coefficients[1:]:
        power *= raw
        total += coefficient * power
    return total


def _looked_up(table: Table, raw: Column) -> Column:
    """Not `numpy.interp`: it rounds in another order than the live decoder, and holds the ends."""
    raws, slopes, ends = np.array(table.raws), np.array(table.slopes), np.array(table.values)
    at = np.clip(raws.searchsorted(raw, "right") - 1, 0, len(slopes) - 1)
    with np.errstate(invalid="ignore"):  # an infinite number times a slope of 0, which is not looked at
        values: Column = (raw - raws[at]) * slopes[at] + ends[at]
    flat = slopes[at] == 0
    values[flat] = ends[at][flat]
    outside = np.isnan(raw)
    if not table.extrapolate:
        outside |= (raw < raws[0]) | (raw > raws[-1])
    values[outside] = nan
    return values

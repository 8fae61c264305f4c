"""Whole batches of one packet type, decoded by numpy: for archives and exports, not for the live path.

The dtype comes from the same layout as the live decoder, and the columns hold the same values, with one difference:
an enum's column holds raw numbers, because a column of text would cost more than all the rest. ``labels`` gives the
words to them. Packet error control is checked by `intact`, apart from the rest: not every batch needs it.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from protocols.ccsds import cds, pus
from protocols.declare.dictionary import Packet
from protocols.errors import DeclarationError, DecodeError
from protocols.structures.codec import Unit, units_of
from protocols.structures.layout import Field, Layout
from protocols.units import MS_PER_DAY, NS_PER_DAY, NS_PER_MS

Column = npt.NDArray[Any]
_DAYS_1958_TO_1970 = 4383
_BLOCK = 4096
"""Rows decoded at a time: few enough that they stay in the processor's cache while column after column is cut out."""

_NATIVE = (8, 16, 32, 64)


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
        "itemsize": start + layout.size if size is None else size,
    }
    return np.dtype(spec)  # type: ignore[call-overload,no-any-return]  # numpy's stubs want the literal itself


def decode_batch(packets: bytes | Sequence[bytes], packet: Packet) -> dict[str, Column]:
    """Calibrated columns of whole packets, by parameter name.

    Args:
        packets: whole PUS packets of this type, as a list or one after the other.
        packet: their type.

    Raises:
        DecodeError: a packet of another length, or a constant field that holds something else.
        DeclarationError: a number, or bits that share bytes, of more than 8 bytes.
    """
    layout = packet.codec.layout
    size = packet_size(packet)
    rows: Column = np.frombuffer(_joined(packets, packet, size), dtype_of(layout, pus.BODY_OFFSET, size))
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
    """Onboard time (SCET) of whole packets, in ns UTC since 1970.

    Raises:
        DecodeError: a packet of another length, or a time that is none.
    """
    size = packet_size(packet)
    spec = {"names": ["day", "ms"], "formats": [">u2", ">u4"], "itemsize": size}
    spec["offsets"] = [pus.TIME_OFFSET, pus.TIME_OFFSET + 2]
    rows: Column = np.frombuffer(_joined(packets, packet, size), np.dtype(spec))  # type: ignore[call-overload]
    for odd in rows[rows["ms"] >= MS_PER_DAY]:
        cds.utc_of(int(odd["day"]), int(odd["ms"]))  # a leap second, or no time
    days = rows["day"].astype(np.int64) - _DAYS_1958_TO_1970
    return np.asarray(days * NS_PER_DAY + rows["ms"].astype(np.int64) * NS_PER_MS)


def intact(packets: bytes, size: int) -> npt.NDArray[np.bool_]:
    """Which of the packets, one after the other and each of ``size`` bytes, have a fitting packet error control."""
    count = len(packets) // size
    pieces = struct.unpack(f"{size}s" * count, packets)
    remainders = np.fromiter(map(binascii.crc_hqx, pieces, repeat(0xFFFF)), np.uint16, count)
    return np.equal(remainders, 0)


def packet_size(packet: Packet) -> int:
    """Bytes of a whole packet of this type, headers and packet error control included."""
    return pus.BODY_OFFSET + packet.codec.size + pus.CRC_SIZE


def labels(packet: Packet) -> dict[str, dict[int, str]]:
    """The words for the numbers in enum columns, by parameter name."""
    return {field.name: dict(field.labels) for field in packet.codec.layout.named if field.labels}


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


def _format(unit: Unit) -> str | tuple[str, int]:
    """One number that numpy knows, or bytes: for text as they are, for odd widths to be put together."""
    code = "u"
    if len(unit.fields) == 1:
        if unit.fields[0].kind == "bytes":
            return f"V{unit.size}"
        code = {"sint": "i", "float": "f"}.get(unit.fields[0].kind, "u")
    return f">{code}{unit.size}" if unit.size * 8 in _NATIVE else ("u1", unit.size)


def _cut_unit(unit: Unit, read: Column) -> Iterator[tuple[Field, Column]]:
    """The raw columns of one unit's fields."""
    first = unit.fields[0]
    if unit.size * 8 not in _NATIVE and first.kind != "bytes":
        read = _number(first.name, read, signed=len(unit.fields) == 1 and first.kind == "sint")
    if len(unit.fields) == 1:
        yield first, read != 0 if first.kind == "flag" else read
        return
    wide = read.astype(np.uint64)
    for field in unit.fields:
        if field.kind != "padding":
            yield field, _cut(field, unit, wide)


def _number(name: str, octets: Column, *, signed: bool) -> Column:
    """An integer of 3, 5, 6 or 7 bytes."""
    width = octets.shape[1]
    if width > 8:
        raise DeclarationError(name, f"a number of {width} bytes fits no numpy column")
    wide = np.zeros((len(octets), 8), np.uint8)
    if signed:
        wide[octets[:, 0] > 0x7F] = 0xFF
    wide[:, 8 - width :] = octets
    return wide.view(">i8" if signed else ">u8")[:, 0]


def _cut(field: Field, unit: Unit, wide: npt.NDArray[np.uint64]) -> Column:
    shift = unit.offset + unit.size * 8 - field.offset - field.bits
    cut = (wide >> np.uint64(shift)) & np.uint64((1 << field.bits) - 1)
    if field.kind == "flag":
        return np.asarray(cut != 0)
    if field.kind == "sint":
        sign = np.int64(1 << (field.bits - 1))
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
    quantity = field.quantity
    if field.kind == "float":
        return np.dtype(np.float64)
    if field.labels or quantity is None or quantity.identity:
        return raw.newbyteorder("=")
    whole = isinstance(quantity.scale, int) and isinstance(quantity.offset, int)
    return np.dtype(np.int64 if whole else np.float64)


def _fill(field: Field, raw: Column, column: Column) -> None:
    """Calibrate as the live decoder does it: times scale, then plus offset."""
    column[...] = raw
    quantity = field.quantity
    if quantity is not None and not quantity.identity and not field.labels:
        column *= quantity.scale
        column += quantity.offset

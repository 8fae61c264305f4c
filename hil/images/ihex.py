"""Intel HEX, as much as a flash image needs: one piece of memory from a file's text, and back."""

from __future__ import annotations

_DATA, _END, _SEGMENT, _START_SEGMENT, _LINEAR, _START_LINEAR = range(6)
_ROW = 16
_MAX_IMAGE = 1 << 24


class HexError(ValueError):
    """Not an Intel HEX file, or a damaged one."""


def parse_hex(text: str) -> tuple[int, bytes]:
    """What the file loads, as one piece of memory: its first address, and the bytes; 0xFF where it has none.

    Raises:
        HexError: a record is damaged, the end is missing, or there is nothing to load.
    """
    base, pieces, ended = 0, list[tuple[int, bytes]](), False
    for number, line in enumerate(text.split(), 1):
        kind, address, data = _record(line, number)
        if kind == _DATA:
            pieces.append((base + address, data))
        elif kind in (_SEGMENT, _LINEAR):
            base = int.from_bytes(data, "big") << (4 if kind == _SEGMENT else 16)
        elif kind == _END:
            ended = True
            break
        elif kind not in (_START_SEGMENT, _START_LINEAR):
            raise HexError(f"line {number}: record type {kind} is not known")
    if not ended or not pieces:
        raise HexError("the end record is missing" if pieces else "no data in it")
    first = min(at for at, _ in pieces)
    size = max(at + len(data) for at, data in pieces) - first
    if size > _MAX_IMAGE:
        raise HexError(f"spread over {size} bytes: not a flash image")
    image = bytearray(b"\xff" * size)
    for at, data in pieces:
        image[at - first : at - first + len(data)] = data
    return first, bytes(image)


def _record(line: str, number: int) -> tuple[int, int, bytes]:
    """Type, address and data of a record."""
    try:
        raw = bytes.fromhex(line[1:]) if line.startswith(":") else b""
    except ValueError:
        raw = b""
    if len(raw) < 5 or len(raw) != raw[0] + 5:
        raise HexError(f"line {number} is not a record of Intel HEX")
    if sum(raw) & 0xFF:
        raise HexError(f"line {number}: its checksum does not fit")
    return raw[3], int.from_bytes(raw[1:3], "big"), raw[4:-1]


def format_hex(address: int, image: bytes) -> str:
    """A file that loads these bytes from that address on."""
    lines, base = [], 0
    for at in range(0, len(image), _ROW):
        place = address + at
        if place >> 16 != base:
            base = place >> 16
            lines.append(_line(_LINEAR, 0, base.to_bytes(2, "big")))
        lines.append(_line(_DATA, place & 0xFFFF, image[at : at + _ROW]))
    return "\n".join([*lines, _line(_END, 0, b"")]) + "\n"


def _line(kind: int, address: int, data: bytes) -> str:
    raw = bytes([len(data), address >> 8, address & 0xFF, kind]) + data
    return f":{(raw + bytes([-sum(raw) & 0xFF])).hex().upper()}"

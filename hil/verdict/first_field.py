"""Which field of a frame differs first, in words: ``DESCENT.phase AEROBRAKING, expected DROGUE``.

Rules, and why:
1. The first bit that differs decides. All bits before it are equal, so the frame's structure up to there is known, and
   the expected frame says how it goes on.
2. A packet may have begun in an earlier frame of its channel: those frames are given too, equal in both streams.
3. Values are shown calibrated, as the dictionary has them; if that does not tell them apart, raw.
4. Any bytes may come. Where the structure ends, there is no name: the result is the byte's place in the frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from protocols.ccsds import clcw, pus, space_packet, tm_frame
from protocols.errors import DecodeError
from protocols.lander import MARS6
from protocols.profile import UART
from protocols.structures.codec import Buffer
from protocols.structures.layout import Field, Layout, layout_of
from protocols.sync.frames import TransferFrame, decode_frame

_ASM = len(UART.asm)
_DATA_AT = _ASM + UART.data_offset
_OCF_AT = _DATA_AT + UART.data_length
_FECF_AT = _OCF_AT + 4
_FRAME_HEADER = layout_of(tm_frame.PRIMARY_HEADER)
_CLCW = layout_of(clcw.CLCW)
_PACKET_HEADER = layout_of(space_packet.PRIMARY_HEADER)
_TM_HEADER = layout_of(pus.TM_SECONDARY_HEADER)
_WORDS = {
    "scid": "SCID",
    "vcid": "VCID",
    "has_ocf": "OCF flag",
    "mcfc": "MCFC",
    "vcfc": "VCFC",
    "apid": "APID",
    "report": "report value",
    "farm_b": "FARM-B counter",
    "sequence": "sequence count",
    "segmentation": "sequence flags",
    "data_length": "length",
    "time.day": "onboard time, day",
    "time.ms_of_day": "onboard time, ms of day",
}
"""The standards' words for fields of headers; others are called as in the declaration."""


def first_field(expected: bytes, found: bytes, before: bytes = b"") -> str:
    """The first field in which two frames differ, with both values.

    Args:
        expected: a frame as it goes on the wire, ASM first; empty if none is expected.
        found: what came in its place; empty if nothing did.
        before: the frames before it, equal in both streams; the later ones are enough.

    Returns:
        Words. Empty if the frames are equal.
    """
    if expected == found:
        return ""
    if not found or not expected:
        return f"no frame, expected {_frame_words(expected)}" if expected else f"{_frame_words(found)}, expected none"
    bit = _first_bit(expected, found)
    if bit is None:
        return f"{len(found)} bytes of a frame, expected {len(expected)}"
    at = bit // 8
    named = _in_frame(expected, found, before, bit) if expected.startswith(UART.asm) else ""
    return named or f"byte {at} of the frame {found[at]:02x}, expected {expected[at]:02x}"


def _in_frame(expected: bytes, found: bytes, before: bytes, bit: int) -> str:
    """By the part of the frame that the bit is in; empty if it has no name."""
    at = bit // 8
    if at < _ASM:
        return f"ASM {found[:_ASM].hex()}, expected {expected[:_ASM].hex()}"
    if at < _DATA_AT:
        return _named("frame", _FRAME_HEADER, expected, found, _ASM, bit)
    if at < _OCF_AT:
        return _in_packet(expected, found, before, bit)
    if at < _FECF_AT:
        return _named("CLCW", _CLCW, expected, found, _OCF_AT, bit)
    return f"FECF {found[_FECF_AT:].hex()}, expected {expected[_FECF_AT:].hex()}"


@dataclass(frozen=True, slots=True)
class _Place:
    """Bytes of a packet that began so many bytes before the data field of the frame, or after its start."""

    start: int
    head: bytes
    """What of it was in earlier frames."""


def _in_packet(expected: bytes, found: bytes, before: bytes, bit: int) -> str:
    place = _packet_at(expected, before, bit // 8 - _DATA_AT)
    if place is None:
        return ""
    skipped = _DATA_AT + max(place.start, 0)
    wanted, came = (place.head + frame[skipped:_OCF_AT] for frame in (expected, found))
    bit += 8 * (len(place.head) - skipped)
    apid = (wanted[0] & 7) << 8 | wanted[1] if len(wanted) > 1 else None
    packet = None if len(wanted) < pus.BODY_OFFSET else MARS6.identify(wanted)
    name = (
        packet.definition.name if packet is not None else "idle packet" if apid == space_packet.IDLE_APID else "packet"
    )
    if bit < 8 * space_packet.HEADER_SIZE:
        return _named(name, _PACKET_HEADER, wanted, came, 0, bit)
    if packet is None:
        at = bit // 8
        return f"{name} byte {at} {came[at]:02x}, expected {wanted[at]:02x}"
    if bit < 8 * pus.BODY_OFFSET:
        return _named(name, _TM_HEADER, wanted, came, space_packet.HEADER_SIZE, bit)
    crc_at = packet.min_size - packet.header.crc_size
    if bit < 8 * crc_at:
        return _named(name, packet.layout, wanted, came, pus.BODY_OFFSET, bit)
    return f"{name} checksum {came[crc_at : crc_at + 2].hex()}, expected {wanted[crc_at : crc_at + 2].hex()}"


def _packet_at(expected: bytes, before: bytes, at: int) -> _Place | None:
    """The packet that a byte of the data field belongs to."""
    frame = _decoded(expected)
    if frame is None:
        return None
    pointer = frame.first_header_pointer
    if at < pointer or pointer > tm_frame.MAX_POINTER:
        head = _begun(before, frame)
        return _Place(-len(head), head) if head else None
    start = next((start for start, end in _packets(frame.data, pointer) if at < end), None)
    return None if start is None else _Place(start, b"")


def _packets(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """From and to of the packets in a data field, from a header pointer on. The last may reach over the end."""
    while at < len(data):
        whole = at + space_packet.HEADER_SIZE <= len(data)
        end = at + space_packet.decode_header(data, at).size if whole else len(data) + space_packet.MIN_SIZE
        yield at, end
        at = end


def _begun(before: bytes, frame: TransferFrame) -> bytes:
    """What earlier frames of a channel have of a packet that ends in this one."""
    size, head = UART.cadu_length, b""
    for end in range(len(before), size - 1, -size):
        earlier = _decoded(before[end - size : end])
        if earlier is None or earlier.vcid != frame.vcid:
            continue
        pointer = earlier.first_header_pointer
        if pointer == tm_frame.NO_PACKET_START:
            head = earlier.data + head
            continue
        starts = [start for start, end_of in _packets(earlier.data, pointer) if end_of > len(earlier.data)]
        return earlier.data[starts[0] :] + head if starts and pointer <= tm_frame.MAX_POINTER else b""
    return b""


def _decoded(cadu: bytes) -> TransferFrame | None:
    """The frame, whatever its FECF says."""
    if len(cadu) != UART.cadu_length or not cadu.startswith(UART.asm):
        return None
    try:
        return decode_frame(cadu[_ASM:], UART)
    except DecodeError:
        return None


def _frame_words(cadu: bytes) -> str:
    frame = _decoded(cadu)
    return f"{len(cadu)} bytes" if frame is None else f"a frame of VC{frame.vcid}"


def _first_bit(expected: bytes, found: bytes) -> int | None:
    for at, (a, b) in enumerate(zip(expected, found, strict=False)):
        if a != b:
            return 8 * at + 8 - (a ^ b).bit_length()
    return None


def _named(owner: str, layout: Layout, expected: bytes, found: bytes, start: int, bit: int) -> str:
    """The field of a layout that begins at a byte, with its values."""
    inside = bit - 8 * start
    field = next((f for f in layout.fields if f.offset <= inside < f.offset + f.bits), None)
    if field is None or field.kind == "padding":
        return f"{owner} spare bits {found[bit // 8]:02x}, expected {expected[bit // 8]:02x}"
    wanted, came = (_raw(field, data, start) for data in (expected, found))
    if wanted is None or came is None:
        return f"{owner}.{field.name}, which the frame does not hold whole"
    shown = [_shown(field, value) for value in (came, wanted)]
    if shown[0] == shown[1]:
        shown = [f"{came} (raw)", f"{wanted} (raw)"]
    header = layout in (_FRAME_HEADER, _CLCW, _PACKET_HEADER, _TM_HEADER)
    name = f" {_WORDS.get(field.name, field.name.replace('_', ' '))}" if header else f".{field.name}"
    return f"{owner}{name} {shown[0]}, expected {shown[1]}"


def _raw(field: Field, data: Buffer, start: int) -> int | None:
    """The number in a field; None if the bytes end before it does."""
    first, last = 8 * start + field.offset, 8 * start + field.offset + field.bits
    if last > 8 * len(data):
        return None
    piece = int.from_bytes(data[first // 8 : -(-last // 8)], "big")
    value = piece >> (-last % 8) & ((1 << field.bits) - 1)
    return value - (1 << field.bits) if field.kind == "sint" and value >> (field.bits - 1) else value


def _shown(field: Field, raw: int) -> str:
    """As a person reads it."""
    if field.is_enum:
        return str(field.label(raw))
    if field.kind == "flag":
        return "yes" if raw else "no"
    quantity = field.quantity
    if quantity is None:
        return f"{raw:08x}" if field.name.endswith("hash") else str(raw)
    value = quantity.calibration.value(raw)
    return f"{value:.{quantity.decimals}f} {quantity.unit}".rstrip()

"""What a damaged frame must have been: for each channel that it may belong to, its header, trailer and packets.

A `Template` says which bits of the frame (without ASM) are known, which fields it has beside them, and where its
packets lie. `match` makes the likely ones: which of them it is, the checksums say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from protocols.ccsds import fhec
from protocols.ccsds.space_packet import HEADER_SIZE
from protocols.ccsds.tm_frame import MAX_POINTER, NO_PACKET_START
from protocols.mending.content import Expected, FieldReader, Idle, Placed, Reading
from protocols.mending.search import Cell
from protocols.mending.shapes import Leaf, Shape
from protocols.profile import LinkProfile

_RIGHT, _WRONG = 0.926, -3.322
_MARGIN = 10.0
"""A template that is less likely than the best one by more bits is not tried."""
MOST_TEMPLATES = 6
_OCF_BITS, _FECF_BITS = 32, 16
_POINTER_BITS = 11
_HEADER = 6


class Open(NamedTuple):
    """A packet that goes on in a channel's next frame: what there is of it, and what it is taken for."""

    vcfc: int
    data: bytes
    expected: Expected | None


@dataclass(frozen=True, slots=True)
class Guess:
    """A channel that a damaged frame may belong to.

    Attributes:
        vcid: the channel.
        header: of its last good frame: all before the data field.
        steady: which of those bytes are the same in the next good frame.
        counts: the VCFCs that are missing.
        ocfs: the OCFs of its neighbours.
        open: the packet that was open in its last frame.
        shapes: what packets may come.
        idle: how its idle packets look.
    """

    vcid: int
    header: bytes
    steady: tuple[bool, ...]
    counts: tuple[int, ...]
    ocfs: tuple[bytes, ...]
    open: Open | None
    shapes: tuple[tuple[Shape, Callable[[], Sequence[Expected]]], ...]
    idle: Idle


@dataclass(slots=True)
class Template:
    """A frame of ``length`` bits: ``mask`` and ``value`` of the known ones, the other fields, and the packets.

    ``doubted``: known bits that the source may have spoilt before it made the checksum, and how often it does.
    """

    vcid: int
    vcfc: int
    length: int
    score: float = 0.0
    mask: int = 0
    value: int = 0
    pointer: int = 0
    data_start: int = 0
    data_length: int = 0
    cells: list[Cell] = field(default_factory=list)
    packets: tuple[Placed, ...] = ()
    read_to: int = 0
    doubted: list[tuple[int, float]] = field(default_factory=list)

    def know(self, start: int, bits: int, mask: int, value: int) -> None:
        """Bits from ``start`` on are known, as far as ``mask`` says."""
        shift = self.length - start - bits
        self.mask |= mask << shift
        self.value |= (value & mask) << shift

    def leave(self, start: int, bits: int, name: str = "") -> None:
        """Bits of which nothing is known, byte by byte."""
        for at in range(start, start + bits, 8):
            self.cells.append(Cell(Leaf(name, 0, min(8, start + bits - at), "uint"), at, None))


def match(frame: bytes, guesses: Iterable[Guess], mcfc: int | None, profile: LinkProfile) -> list[Template]:
    """The likely templates of a damaged frame, the likeliest first; none: it is not like any frame that is missing."""
    found = sorted((t for guess in guesses for t in _templates(frame, guess, mcfc, profile)), key=lambda t: -t.score)
    likely = [each for each in found if each.score > max(0.0, found[0].score - _MARGIN)][:MOST_TEMPLATES]
    for each in likely:
        _fill(each)
    return likely


def _templates(frame: bytes, guess: Guess, mcfc: int | None, profile: LinkProfile) -> Iterator[Template]:
    start = len(guess.header)
    ocf = profile.has_ocf(guess.vcid)
    end = len(frame) - 2 * profile.fecf - 4 * ocf
    data = frame[start:end]
    reader = FieldReader(data, guess.shapes, guess.idle)
    readings: dict[tuple[int, bool], Reading] = {}
    for vcfc in guess.counts:
        going = guess.open if guess.open is not None and _follows(guess.open.vcfc, vcfc, profile) else None
        options = []
        for pointer in _pointers(frame, guess, going, len(data)):
            template = Template(guess.vcid, vcfc, 8 * len(frame), pointer=pointer)
            template.data_start, template.data_length = start, len(data)
            _header(template, guess, mcfc, profile)
            reading = readings.get((pointer, going is None))
            if reading is None:
                reading = readings[pointer, going is None] = _read(reader, pointer, going, data)
            template.packets, template.read_to = reading.packets, reading.end
            _trailer(template, guess, ocf=ocf, fecf=profile.fecf)
            template.score = reading.score + _score(frame, template)
            options.append(template)
        yield max(options, key=lambda each: each.score)


def _follows(before: int, vcfc: int, profile: LinkProfile) -> bool:
    return (before + 1) % profile.vcfc_modulus == vcfc


def _pointers(frame: bytes, guess: Guess, going: Open | None, room: int) -> set[int]:
    """Where the first packet may begin: where the open one ends; else as it came, or as in the frame before."""
    if going is not None and not going.data:
        return {0}
    if going is not None and going.expected is not None:
        left = going.expected.size - len(going.data)
        return {left if left < room else NO_PACKET_START}
    place = len(guess.header) - 2
    came = int.from_bytes(frame[place : place + 2], "big") & NO_PACKET_START
    last = int.from_bytes(guess.header[place : place + 2], "big") & NO_PACKET_START
    return {each for each in (came, last, 0) if each < room or each > MAX_POINTER}


def _read(reader: FieldReader, pointer: int, going: Open | None, data: bytes) -> Reading:
    rest = reader.read(pointer) if pointer <= MAX_POINTER else Reading(0.0, (), len(data))
    if going is None or going.expected is None or not going.data:
        return rest
    score = reader.score(0, going.expected, len(going.data)) if len(going.data) * 8 < going.expected.bits else 0.0
    first = Placed(going.expected, -len(going.data), going.data)
    return Reading(score + rest.score, (first, *rest.packets), rest.end)


def _header(template: Template, guess: Guess, mcfc: int | None, profile: LinkProfile) -> None:
    """Patch the header of the last good frame."""
    header, known = bytearray(guess.header), bytearray(0xFF if same else 0 for same in guess.steady)
    known[:_HEADER] = b"\xff" * _HEADER
    if profile.kind == "TM":
        header[2], header[3] = (mcfc or 0), template.vcfc
        known[2] = 0 if mcfc is None else 0xFF
        place = 4
    else:
        header[2:5] = template.vcfc.to_bytes(3, "big")
        if profile.header_error_control:
            check = fhec.check_symbols(header[0] << 16 | header[1] << 8 | header[5])
            header[6:8], known[6:8] = check.to_bytes(2, "big"), b"\xff\xff"
        place = len(header) - 2
    upper = int.from_bytes(header[place : place + 2], "big") & ~NO_PACKET_START
    header[place : place + 2] = (upper | template.pointer).to_bytes(2, "big")
    known[place : place + 2] = b"\xff\xff"
    template.know(0, 8 * len(header), int.from_bytes(known, "big"), int.from_bytes(header, "big"))
    for at, each in enumerate(known):
        if not each:
            template.leave(8 * at, 8, "header")


def _trailer(template: Template, guess: Guess, *, ocf: bool, fecf: bool) -> None:
    end = template.length
    if fecf:
        end -= _FECF_BITS
        template.cells.append(Cell(Leaf("frame error control", 0, _FECF_BITS, "uint"), end, None))
    if ocf:
        end -= _OCF_BITS
        words = frozenset(int.from_bytes(each, "big") for each in guess.ocfs)
        if len(words) == 1:
            template.know(end, _OCF_BITS, (1 << _OCF_BITS) - 1, next(iter(words)))
        else:
            template.cells.append(Cell(Leaf("OCF", 0, _OCF_BITS, "uint"), end, None, words or None))


def _score(frame: bytes, template: Template) -> float:
    """Of header and trailer: the packets have their own."""
    wrong = ((int.from_bytes(frame, "big") ^ template.value) & template.mask).bit_count()
    return (template.mask.bit_count() - wrong) * _RIGHT + wrong * _WRONG


def _fill(template: Template) -> None:
    """Put the packets' known bits and fields into the template; the rest of the data field is unknown."""
    room = template.data_length
    end = template.data_start + room
    covered = [_place(template, placed, end) for placed in template.packets]
    at = 0
    for first, last in covered:
        if first > at:
            template.leave(8 * (template.data_start + at), 8 * (first - at))
        at = max(at, last)
    if at < room:
        template.leave(8 * (template.data_start + at), 8 * (room - at))


def _place(template: Template, placed: Placed, end: int) -> tuple[int, int]:
    """One packet; from where to where it covers the data field."""
    expected = placed.expected
    origin = 8 * (template.data_start + placed.start)
    first = max(origin, 8 * template.data_start)
    last = min(origin + 8 * expected.size, 8 * end)
    known_end = min(origin + expected.bits, last)
    if known_end > first:
        count = known_end - first
        below = origin + expected.bits - known_end
        ones = (1 << count) - 1
        known = expected.mask >> below & ones
        template.know(first, count, known, expected.value >> below & ones)
        _doubt(template, expected, origin, first, known_end)
    for leaf, window in expected.cells:
        start, stop = origin + leaf.start, origin + leaf.start + leaf.bits
        if first <= start and stop <= last:
            spoilt = expected.spoilt.header if start < _body(expected, origin) else expected.spoilt.body
            template.cells.append(Cell(leaf, start, window, spoilt=spoilt))
        elif stop > first and start < last:
            template.leave(max(first, start), min(last, stop) - max(first, start), leaf.name)
    _leave_gaps(template, expected, origin, first, last)
    return (first - 8 * template.data_start) // 8, (last - 8 * template.data_start) // 8


def _body(expected: Expected, origin: int) -> int:
    """The first bit of a packet's body in the frame."""
    header = HEADER_SIZE if expected.shape is None else expected.shape.packet.header.body_offset
    return origin + 8 * header


def _doubt(template: Template, expected: Expected, origin: int, first: int, last: int) -> None:
    """Known bits of a declared packet may have been spoilt, but for its primary header."""
    body = _body(expected, origin)
    header, values = expected.spoilt
    for begin, end, spoilt in ((origin + 8 * HEADER_SIZE, body, header), (body, last, values)):
        start, stop = max(first, begin), min(last, end)
        if spoilt and start < stop:
            template.doubted.append((((1 << stop - start) - 1) << template.length - stop, spoilt))


def _leave_gaps(template: Template, expected: Expected, origin: int, first: int, last: int) -> None:
    """Bits of a packet that are neither known nor in a field: its checksum, and a body of variable size."""
    covered = expected.mask
    for leaf, _ in expected.cells:
        covered |= ((1 << leaf.bits) - 1) << expected.bits - leaf.start - leaf.bits
    for at in range(max(first, origin), last, 8):
        shift = expected.bits - (at - origin) - 8
        seen = covered >> shift & 0xFF if shift >= 0 else 0
        if not seen:
            template.leave(at, 8)
        elif seen != 0xFF:
            for bit in range(8):
                if not seen >> 7 - bit & 1:
                    template.leave(at + bit, 1)

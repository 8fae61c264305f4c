"""What can be had from frames that were rejected or cut off: field by field, each value with its quality and why.

Rules:
1. Salvaged values never mix with good ones: nothing of this is telemetry, and it is given only on request.
2. A value is *good* only if its packet's own checksum fits as it came. One flipped bit that explains the frame's
   checksum and the packet's is not proof: both are the same CRC-16, so for damage inside the packet they are one check.
   Then the packet is shown with that bit turned back, and its values are at best *suspect*.
3. It is *unusable* if its bytes did not come, if its enum has no such word, if the flag it depends on is off, or if it
   is an impossible jump: more than `JUMP_FACTOR` times the steepest change that good frames have shown so far.
4. Everything else of a rejected frame is *suspect*, out of limits or not, and says which checksum failed.
   A frame ends where the next ASM begins: what lies behind is the next one's.
5. A packet is known by its header wherever it lies; if none is found, it is taken for what the last good frame of the
   channel had in that place, and said so.
6. A packet of variable size is given only if its own checksum fits as it came: else where its fields lie is said by
   bytes that may be damaged. What `mending` makes of it is another matter.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from math import isfinite
from typing import Protocol

from groundstation.messages.base import Value
from groundstation.messages.onboard_clock import OnboardClock
from groundstation.messages.shown_values import shown_values
from groundstation.recordings.damaged.salvage_records import (
    Checksum,
    Reason,
    SalvagedFrame,
    SalvagedPacket,
    SalvagedValue,
)
from groundstation.recordings.damaged.whole_values import whole_values
from groundstation.recordings.reader import ArchiveReader
from protocols.ccsds.crc import crc16
from protocols.ccsds.randomizer import randomize
from protocols.ccsds.space_packet import HEADER_SIZE, IDLE_APID, UNSEGMENTED, decode_header
from protocols.declare.dictionary import Dictionary, Packet
from protocols.decode.frame_content import frame_counter, frame_time
from protocols.decode.packets import PacketExtractor, PacketFound
from protocols.decode.telemetry import decode_telemetry
from protocols.errors import DecodeError
from protocols.profile import LinkProfile
from protocols.structures.calibration import Linear, Table
from protocols.structures.fields import Limits, QuantityDef
from protocols.structures.layout import Field
from protocols.sync.arbiter import arbiter_of
from protocols.sync.deframer import Deframer, Frame, Reject
from protocols.sync.frames import TransferFrame, decode_frame
from protocols.units import NS_PER_HOUR, NS_PER_S
from protocols.words import Quality

JUMP_FACTOR = 8
_SAMPLES_NEEDED = 10
_NEAR_NS = NS_PER_HOUR
_MAX_PACKET = 4096

_RELATIVE_STEP = 2.0**-8
"""Of a value by a polynomial: one step of a sensor of 8 bits."""

_DOUBTS: dict[Checksum, str] = {
    "cut off": "the packet is cut off",
    "does not fit": "frame's and packet's checksums failed",
    "none": "the frame's checksum failed, and the packet has none",
}

_Marks = dict[int, list[tuple[Packet, tuple[tuple[int, int, int], ...]]]]


@dataclass(slots=True)
class _Track:
    """How a parameter moved in good packets."""

    ert: int
    value: float
    steepest: float = 0.0
    samples: int = 1

    def follow(self, ert: int, value: float, period: float) -> None:
        self.steepest = max(self.steepest, abs(value - self.value) / self.seconds(ert, period))
        self.ert, self.value = ert, value
        self.samples += 1

    def seconds(self, ert: int, period: float) -> float:
        return max(abs(ert - self.ert) / NS_PER_S, period)


@dataclass(slots=True)
class _Known:
    """What good frames have taught."""

    tracks: dict[tuple[str, str], _Track] = field(default_factory=dict)
    places: dict[int, list[tuple[int, Packet]]] = field(default_factory=dict)
    clock: OnboardClock = field(default_factory=OnboardClock)
    scet: int | None = None


class Salvager:
    """Feed it received bytes in order; it gives the frames that were not good, as soon as they can be judged."""

    def __init__(self, dictionary: Dictionary, profile: LinkProfile) -> None:
        self._dictionary = dictionary
        self._profile = profile
        self._deframer = Deframer(profile)
        self._counter = frame_counter(profile, dictionary)
        self._extractors = {c.vcid: PacketExtractor(_MAX_PACKET) for c in dictionary.channels}
        self._known = _Known()
        self._marks = _marks_of(dictionary)
        self._waiting: tuple[int, Reject] | None = None
        self._last_ert = 0

    def feed(self, ert: int, data: bytes) -> list[SalvagedFrame]:
        """Take what was received at ``ert``."""
        self._last_ert = ert
        out: list[SalvagedFrame] = []
        for found in self._deframer.feed(data):
            out += self._classify(found.offset if isinstance(found, Frame) or found.reason != "SYNC" else None)
            if isinstance(found, Frame):
                self._learn(found.data, ert)
            else:
                self._waiting = (ert, found)
        return out

    def finish(self) -> list[SalvagedFrame]:
        """Nothing more comes: what waits are frames that were cut off, as far as they begin like one."""
        pieces = self._trailing()
        out = self._classify(pieces[0][0] if pieces else None)
        return out + [self._salvage(self._last_ert, offset, data, self._why_pending(data)) for offset, data in pieces]

    def _why_pending(self, data: bytes) -> Reason:
        """Why a piece at the end is in no good frame: a whole one waited only for the ASM behind it."""
        asm = self._profile.asm
        if len(data) < self._profile.cadu_length:
            return "CUT"
        verdict = arbiter_of(self._profile)(data[len(asm) :])
        return verdict if data.startswith(asm) and isinstance(verdict, str) else "SYNC"

    def _trailing(self) -> list[tuple[int, bytes]]:
        """The pieces of frames that wait for more, and where they begin: each ends where the next ASM begins."""
        rest, asm = self._deframer.pending, self._profile.asm
        first = self._deframer.count().total - len(rest)
        places = [match.start() for match in re.finditer(re.escape(asm), rest)] if asm else [0]
        pieces = [(first + at, rest[at:end]) for at, end in pairwise([*places, len(rest)])]
        return [(at, data[: self._profile.cadu_length]) for at, data in pieces if len(data) > len(asm)]

    def _classify(self, next_asm: int | None) -> list[SalvagedFrame]:
        """The frame that waits; where the next one begins, good or not, its own bytes end."""
        if self._waiting is None:
            return []
        (ert, reject), self._waiting = self._waiting, None
        data = reject.data if next_asm is None else reject.data[: next_asm - reject.offset]
        return [self._salvage(ert, reject.offset, data, reject.reason)]

    def _learn(self, raw: bytes, ert: int) -> None:
        try:
            frame = decode_frame(raw, self._profile)
        except DecodeError:
            return
        extractor = self._extractors.get(frame.vcid)
        if extractor is None or frame.scid != self._dictionary.scid:
            return
        self._known.places[frame.vcid] = _declared(self._marks, frame.data)
        for item in extractor.push(frame, self._counter.count(frame, frame_time(frame, self._dictionary), ert)):
            if isinstance(item, PacketFound):
                self._learn_packet(item.data, ert)

    def _learn_packet(self, data: bytes, ert: int) -> None:
        try:
            sample = decode_telemetry(self._dictionary, data)
        except DecodeError:
            return
        time = sample.header.time_ns
        if time is not None and self._known.clock.follow(time):
            self._known.scet = time
        period = sample.packet.definition.period_ms / 1000 or 1.0
        for name, value in sample.values.items():
            if isinstance(value, (str, bytes, bool)):
                continue
            key = (sample.packet.definition.name, name)
            track = self._known.tracks.get(key)
            if track is None:
                self._known.tracks[key] = _Track(ert, value)
            else:
                track.follow(ert, value, period)

    def _salvage(self, ert: int, offset: int, cadu: bytes, reason: Reason) -> SalvagedFrame:
        profile = self._profile
        block = cadu[len(profile.asm) :]
        raw = (randomize(block) if profile.randomised else block)[: profile.frame_length]
        trust = [_asm_words(cadu, profile.asm)] if profile.asm else []
        if len(cadu) < profile.cadu_length:
            trust.append(f"{len(cadu)} of {profile.cadu_length} bytes came")
        flip = _one_flip(raw) if profile.fecf and len(raw) == profile.frame_length else None
        if flip is not None:
            trust.append(f"one flipped bit would explain the frame's checksum: byte {len(profile.asm) + flip // 8}")
        header = self._header(raw)
        trust.append(self._header_words(header))
        start = profile.data_offset
        data = raw[start : start + profile.data_length]
        packets = []
        for place, packet, guessed in self._packets(header, data):
            shift = None if flip is None else flip - (start + place) * 8
            piece = _Piece(packet, data[place : place + packet.min_size], shift, guessed)
            packets.append(self._salvage_packet(piece, ert))
            if packets[-1].checksum == "fits":
                first = len(profile.asm) + start + place
                trust.append(
                    f"bytes {first}–{first + packet.min_size - 1}: the checksum of {packet.definition.name} fits"
                )
        packets += self._of_variable_size(data)
        vcid, vcfc = (None, None) if header is None else (header.vcid, header.vcfc)
        return SalvagedFrame(ert, offset, reason, profile.cadu_length, len(cadu), vcid, vcfc, trust, packets)

    def _header(self, raw: bytes) -> TransferFrame | None:
        """The frame's header if it may be one of this spacecraft's."""
        if len(raw) < self._profile.data_offset:
            return None
        try:
            header = decode_frame(raw.ljust(self._profile.frame_length, b"\0"), self._profile)
        except DecodeError:
            return None
        return header if header.scid == self._dictionary.scid and header.vcid in self._extractors else None

    def _header_words(self, header: TransferFrame | None) -> str:
        if header is None:
            return "the frame's header is damaged or not there"
        if header.vcfc == self._counter.expected(header.vcid):
            return f"the frame's header is as predicted: VC{header.vcid}, count {header.vcfc}"
        return f"the frame's header is possible: VC{header.vcid}, count {header.vcfc}"

    def _packets(self, header: TransferFrame | None, data: bytes) -> Iterator[tuple[int, Packet, bool]]:
        """Packets in a data field: those whose header is there, then what should have been in the gaps between them."""
        found = _declared(self._marks, data)
        yield from ((place, packet, False) for place, packet in found)
        if header is None:
            return
        taken = [range(place, place + packet.min_size) for place, packet in found]
        taken += _idle_after(data, [header.first_header_pointer, *(each.stop for each in taken)])
        for place, packet in self._known.places.get(header.vcid, []):
            span = range(place, place + packet.min_size)
            if place < len(data) and not any(r.start < span.stop and span.start < r.stop for r in taken):
                yield place, packet, True

    def _of_variable_size(self, data: bytes) -> Iterator[SalvagedPacket]:
        """Whole packets of variable size whose checksum fits as they came."""
        place = 0
        while place + HEADER_SIZE < len(data):
            header = decode_header(data, place)
            whole = data[place : place + header.size]
            packet = self._dictionary.identify(whole)
            place += 1
            if packet is None or packet.size is not None or not packet.header.crc or len(whole) < header.size:
                continue
            if len(whole) < packet.min_size or crc16(whole):
                continue
            values = whole_values(packet, whole, "good", "the packet's own checksum fits")
            name, apid = packet.definition.name, packet.definition.apid
            yield SalvagedPacket(name, apid, packet.header.time_of(whole), "fits", values)
            place += header.size - 1

    def _salvage_packet(self, piece: _Piece, ert: int) -> SalvagedPacket:
        packet = piece.packet
        definition = packet.definition
        scet = packet.header.time_of(piece.mended)
        if scet is not None and piece.checksum != "fits":
            near = self._known.scet is not None and abs(scet - self._known.scet) <= _NEAR_NS
            scet = scet if near else None
        values = self._values(piece, ert)
        return SalvagedPacket(definition.name, definition.apid, scet, piece.checksum, values)

    def _values(self, piece: _Piece, ert: int) -> list[SalvagedValue]:
        packet = piece.packet
        try:
            decoded = packet.codec.decode(piece.mended.ljust(packet.min_size, b"\0"), packet.header.body_offset)
        except DecodeError as error:
            return [SalvagedValue(p.name, None, p.unit, "unusable", str(error)) for p in packet.parameters]
        fields = {f.name: f for f in packet.layout.named}
        shown, void = shown_values(packet, decoded, []).values, set(packet.void(decoded))
        flag_of = {condition.name: condition.flag for condition in packet.conditional}
        out = []
        for parameter in packet.parameters:
            leaf, value = fields[parameter.name], shown[parameter.name]
            assert value is not None
            if not piece.has(leaf):
                why = f"cut off: {piece.bytes_of(leaf)} of {(leaf.bits + 7) // 8} bytes came"
                out.append(SalvagedValue(parameter.name, None, parameter.unit, "unusable", why))
                continue
            if parameter.name in void:
                why = f"means nothing: {flag_of[parameter.name]} is off"
                out.append(SalvagedValue(parameter.name, None, parameter.unit, "unusable", why))
                continue
            quality, why = self._assess(piece, leaf, value, ert, parameter.limits)
            out.append(SalvagedValue(parameter.name, value, parameter.unit, quality, why))
        return out

    def _assess(self, piece: _Piece, leaf: Field, value: Value, ert: int, limits: Limits | None) -> tuple[Quality, str]:
        """Quality of a value whose bytes are there, and why."""
        if piece.checksum == "fits":
            return "good", "the packet's own checksum fits"
        words = [piece.doubt(leaf)]
        if leaf.labels and not isinstance(value, str):
            return "unusable", f"{words[0]}; {value} is none of its words"
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            jump = self._jump(piece.packet, leaf, value, ert)
            if jump:
                return "unusable", f"{words[0]}; {jump}"
            if limits is not None and limits.state(value) != "GREEN":
                words.append(f"out of limits: {limits.state(value)}")
        return "suspect", "; ".join(words)

    def _jump(self, packet: Packet, leaf: Field, value: float, ert: int) -> str | None:
        """Why a value cannot follow the last good one, or None."""
        track = self._known.tracks.get((packet.definition.name, leaf.name))
        if track is None or track.samples < _SAMPLES_NEEDED:
            return None
        seconds = track.seconds(ert, packet.definition.period_ms / 1000 or 1.0)
        step = 1.0 if leaf.quantity is None else abs(_step(leaf.quantity, value))
        possible = JUMP_FACTOR * track.steepest * seconds + JUMP_FACTOR * step * (track.steepest > 0)
        if abs(value - track.value) <= possible:
            return None
        return f"impossible jump from {track.value:g} in {seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class _Piece:
    """As much of a packet as came. ``flip`` is the bit, counted from its start, that explains the frame's checksum."""

    packet: Packet
    data: bytes
    flip: int | None
    guessed: bool

    @property
    def checksum(self) -> Checksum:
        if len(self.data) < self.packet.min_size:
            return "cut off"
        if not self.packet.header.crc:
            return "none"
        return "does not fit" if crc16(self.data) else "fits"

    @property
    def mended(self) -> bytes:
        """The packet with the flipped bit turned back, if that satisfies its checksum too."""
        if self.flip is None or not 0 <= self.flip < len(self.data) * 8:
            return self.data
        turned = bytearray(self.data)
        turned[self.flip // 8] ^= 0x80 >> self.flip % 8
        fits = self.packet.header.crc and len(turned) == self.packet.size and not crc16(turned)
        return bytes(turned) if fits else self.data

    @property
    def explained(self) -> bool:
        return self.checksum == "does not fit" and self.mended != self.data

    def doubt(self, leaf: Field) -> str:
        """Why a value in this packet is not good."""
        words = [_DOUBTS[self.checksum]]
        if self.explained:
            words.append("one flipped bit would explain both, but they are one check")
            words += ["this is the value with that bit turned back"] if self.flipped(leaf) else []
        if self.guessed:
            words.append("its header is damaged, it is taken for what the frame before had here")
        return "; ".join(words)

    def flipped(self, leaf: Field) -> bool:
        first = self.packet.header.body_offset * 8 + leaf.offset
        return self.flip is not None and first <= self.flip < first + leaf.bits

    def bytes_of(self, leaf: Field) -> int:
        start = self.packet.header.body_offset + leaf.offset // 8
        return max(0, min(len(self.data) - start, (leaf.bits + 7) // 8))

    def has(self, leaf: Field) -> bool:
        return self.packet.header.body_offset * 8 + leaf.offset + leaf.bits <= len(self.data) * 8


class Salvages(Protocol):
    """What is fed a recording's bytes, and gives its damaged frames."""

    def feed(self, ert: int, data: bytes) -> list[SalvagedFrame]:
        """Take what was received at ``ert``."""

    def finish(self) -> list[SalvagedFrame]:
        """Nothing more comes."""


def salvage(
    reader: ArchiveReader,
    salvagers: Sequence[Salvages],
    advance: Callable[[int], None] = lambda count: None,
) -> Iterator[SalvagedFrame]:
    """All frames of a recording that were rejected or cut off.

    Args:
        reader: the recording.
        salvagers: a fresh one for each link: what is half there of a link's frame goes on in the bytes of that link.
        advance: told how many bytes were read.

    Raises:
        ArchiveError: the recording cannot be read.
    """
    for ert, link, data in reader.chunks_by_link():
        yield from salvagers[link].feed(ert, data)
        advance(len(data))
    for each in salvagers:
        yield from each.finish()


def _marks_of(dictionary: Dictionary) -> _Marks:
    """The packets of fixed size by APID, each with the bytes that tell it: place, mask and value."""
    found: _Marks = {}
    for packet in dictionary.by_name.values():
        if packet.size is not None:
            found.setdefault(packet.definition.apid, []).append((packet, tuple(dictionary.marks(packet))))
    return found


def _declared(marks: _Marks, data: bytes) -> list[tuple[int, Packet]]:
    """Where headers of declared packets lie in a data field; a packet found is not looked into."""
    found = []
    place = 0
    while place + HEADER_SIZE <= len(data):
        packet = _declared_at(marks, data, place)
        if packet is not None:
            found.append((place, packet))
        place += 1 if packet is None else packet.min_size
    return found


def _idle_after(data: bytes, boundaries: list[int]) -> list[range]:
    """The idle packets that begin where another packet may end."""
    headers = [(at, decode_header(data, at)) for at in boundaries if at + HEADER_SIZE <= len(data)]
    return [range(at, at + header.size) for at, header in headers if not header.version and header.apid == IDLE_APID]


def _declared_at(marks: _Marks, data: bytes, place: int) -> Packet | None:
    """The packet whose header lies there, as far as its bytes came."""
    header = decode_header(data, place)
    if header.version or header.is_command or header.segmentation != UNSEGMENTED:
        return None
    for packet, told in marks.get(header.apid, ()):
        flagged = header.has_secondary_header or not packet.header.layout.fields
        came = ((data[place + n] & mask) == value for n, mask, value in told if place + n < len(data))
        if flagged and header.size == packet.size and all(came):
            return packet
    return None


def _asm_words(cadu: bytes, asm: bytes) -> str:
    wrong = (int.from_bytes(cadu[: len(asm)], "big") ^ int.from_bytes(asm, "big")).bit_count()
    return f"{wrong} bits of the ASM are wrong" if wrong else "the ASM is as it should be"


def _step(quantity: QuantityDef, value: float) -> float:
    """How far apart the values of two neighbouring raw numbers are, near a value."""
    calibration = quantity.calibration
    if isinstance(calibration, Linear):
        return calibration.scale
    if isinstance(calibration, Table):
        return max(map(abs, calibration.slopes), default=0.0)
    return 0.0 if not isfinite(value) else abs(value) * _RELATIVE_STEP


def _one_flip(frame: bytes) -> int | None:
    """The one bit that, turned, satisfies a frame's checksum."""
    return _flips(len(frame)).get(crc16(frame))


@lru_cache(maxsize=4)
def _flips(size: int) -> dict[int, int]:
    """What each single flipped bit does to the checksum over ``size`` bytes: it is linear."""
    table = {}
    for bit in range(size * 8):
        error = bytearray(size)
        error[bit // 8] = 0x80 >> bit % 8
        table[binascii.crc_hqx(error, 0)] = bit
    return table

"""From a stream to its damaged frames, each mended as far as it can be.

Rules:
1. A damaged frame is all that has a frame's length and lies between two good ones, or behind the last one, whether the
   deframer rejected it or passed over it. What has neither an ASM nor a header like one is noise.
2. A frame is looked at when `AHEAD` good frames have come behind it: they and those before it are its neighbours.
3. Its known bits are set; then each packet's checksum, and last the frame's, says what else is wrong. As both are the
   same CRC-16, the frame's says nothing more of the inside of a packet that has its own.
4. Packets begun in a mended frame are finished in the next, and counts go on from it; but no value of it is learned.
5. All is bounded: `AHEAD` frames wait, and at most `MOST_MISSING` damaged ones between two good ones are looked at in
   one go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from math import log

from protocols.ccsds.randomizer import randomize
from protocols.ccsds.space_packet import IDLE_APID, SEQUENCE_MODULO
from protocols.declare.dictionary import ANY_SCID, Dictionary
from protocols.errors import DeclarationError, DecodeError
from protocols.mending.content import (
    Content,
    Expected,
    Idle,
    apid_of,
    content_of,
    expect,
    expect_idle,
    sequence_of,
    size_at,
)
from protocols.mending.history import History, Neighbour, neighbour
from protocols.mending.repair import Repair, choose
from protocols.mending.results import Correction, MendedFrame
from protocols.mending.shapes import Shape, shapes_of
from protocols.mending.syndromes import block_syndrome
from protocols.mending.template import Guess, Open, Template, match
from protocols.profile import LinkProfile
from protocols.sync.deframer import Deframer, Frame
from protocols.sync.frames import TransferFrame, decode_frame

AHEAD = 32
"""Good frames that are waited for."""
MOST_MISSING = 64
_ASM_TOLERATED = 3
"""One of so many bits of an ASM may be wrong at most."""
_COUNTS_TRIED = 16
_LEAST_RATE = 1e-3
"""Of wrong bits in a damaged frame, so far as nothing else is known."""
_HEADER = 6


def refusal(profile: LinkProfile) -> str | None:
    """Why frames of this profile cannot be mended; None if they can."""
    if not profile.fecf:
        return "its frames have no FECF: nothing would tell a right mend from a wrong one"
    if profile.rs_depth:
        return "its frames are corrected by Reed–Solomon already: what that gives up has too many wrong bytes"
    if profile.alignment == "bit":
        return "its frames begin at any bit: only streams of bytes are mended"
    if not profile.asm:
        return "its frames have no ASM: where a damaged one begins is unknown"
    if profile.data_field != "packets":
        return f"its frames carry a {profile.data_field}, not packets: nothing in them is known"
    return None


@dataclass(frozen=True, slots=True)
class _Good:
    """A good frame in its place, with what lies in it."""

    offset: int
    raw: bytes
    frame: TransferFrame
    content: Content
    packets: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Gap:
    """Bytes in no good frame. ``ends`` at a good one."""

    offset: int
    data: bytes
    ends: bool
    erts: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Slot:
    """A damaged frame in its place. ``before`` and ``behind``: frames away from the good ones; None: it is unknown."""

    offset: int
    cadu: bytes
    ert: int
    before: int | None
    behind: int | None


@dataclass(slots=True)
class _Channel:
    """What is known of a virtual channel up to where the damage is looked at.

    ``unresolved``: frames of which it is unknown what they were, since the last of this channel.
    """

    raw: bytes
    vcfc: int
    open: Open | None = None
    idles: deque[int] = field(default_factory=lambda: deque(maxlen=3))
    unresolved: int = 0
    idle_first: int = IDLE_APID
    idle_fill: int | None = None


@dataclass(frozen=True, slots=True)
class _Ahead:
    """The first good frame of each channel, and the first good packet of each type, behind some damage.

    ``error_rate``: share of wrong bits in the frames there. ``expected``: packets that were worked out already.
    """

    frames: dict[int, _Good]
    packets: dict[str, Neighbour]
    sequences: dict[int, int]
    idles: dict[int, int]
    error_rate: float
    expected: dict[tuple[str, int | None], Expected]

    @property
    def next(self) -> _Good | None:
        """The very next good frame."""
        return min(self.frames.values(), key=lambda good: good.offset, default=None)


class Mender:
    """Feed it received bytes in order; it gives the damaged frames in order, each once what follows it is known.

    Attributes:
        passed_over: bytes in no good frame that were no frame at all.
        judged_to: place in the stream up to which all damaged frames were given.

    Raises:
        DeclarationError: frames of this profile cannot be mended, and why (`refusal`).
    """

    def __init__(self, dictionary: Dictionary, profile: LinkProfile) -> None:
        if (why := refusal(profile)) is not None:
            raise DeclarationError(dictionary.name, why)
        self.passed_over = 0
        self.judged_to = 0
        self._dictionary = dictionary
        self._profile = profile
        self._deframer = Deframer(profile)
        self._shapes = shapes_of(dictionary)
        self._kept = b""
        self._kept_from = 0
        self._erts: deque[tuple[int, int]] = deque()
        self._line: deque[_Good | _Gap] = deque()
        self._ahead_open: dict[int, tuple[int, bytes]] = {}
        self._histories = {shape.packet.definition.name: History(shape) for shape in self._shapes}
        self._channels: dict[int, _Channel] = {}
        self._sequences: dict[int, int] = {}
        self._seen_on: dict[str, set[int]] = {}
        self._master: int | None = None

    def feed(self, ert: int, data: bytes) -> list[MendedFrame]:
        """Take what was received at ``ert``."""
        self._kept += data
        end = self._kept_from + len(self._kept)
        self._erts.append((end, ert))
        for found in self._deframer.feed(data):
            if isinstance(found, Frame):
                self._take_good(found)
        limit = (MOST_MISSING + 2) * self._profile.cadu_length
        while len(self._kept) > limit:
            self._take_gap(self._kept_from + MOST_MISSING * self._profile.cadu_length, ends=False)
        return list(self._due(AHEAD))

    def finish(self) -> list[MendedFrame]:
        """Nothing more comes."""
        self._take_gap(self._kept_from + len(self._kept), ends=False)
        return list(self._due(0))

    def _take_good(self, found: Frame) -> None:
        if found.offset > self._kept_from:
            self._take_gap(found.offset, ends=True)
        self._forget(found.offset + self._profile.cadu_length)
        try:
            frame = decode_frame(found.data, self._profile)
        except DecodeError:
            return
        if self._dictionary.scid not in (ANY_SCID, frame.scid):
            return
        content = content_of(frame)
        whole = self._joined(frame, content)
        self._line.append(_Good(found.offset, found.data, frame, content, whole))

    def _take_gap(self, end: int, *, ends: bool) -> None:
        data = self._kept[: end - self._kept_from]
        if data:
            self._line.append(_Gap(self._kept_from, data, ends, tuple(self._erts)))
        self._forget(end)

    def _forget(self, end: int) -> None:
        """Bytes before ``end`` are in a frame, or in a gap."""
        self._kept = self._kept[max(0, end - self._kept_from) :]
        self._kept_from = max(end, self._kept_from)
        while self._erts and self._erts[0][0] <= self._kept_from:
            self._erts.popleft()

    def _joined(self, frame: TransferFrame, content: Content) -> tuple[bytes, ...]:
        """The packets that are whole with this good frame: also one that began in the good frame before it."""
        vcfc, start = self._ahead_open.get(frame.vcid, (None, b""))
        follows = vcfc is not None and (vcfc + 1) % self._profile.vcfc_modulus == frame.vcfc
        first: tuple[bytes, ...] = ()
        tail = content.tail
        if follows and start:
            joined = start + content.head
            if len(joined) >= _HEADER and size_at(joined) == len(joined):
                first = (joined,)
            elif not content.starts:
                tail = joined
        self._ahead_open[frame.vcid] = (frame.vcfc, tail)
        return (*first, *content.packets)

    def _due(self, ahead: int) -> Iterator[MendedFrame]:
        """Go on in the line, as far as enough good frames follow each damage."""
        while self._line:
            first = self._line[0]
            if isinstance(first, _Good):
                self._learn(first)
                self._line.popleft()
                self.judged_to = first.offset + self._profile.cadu_length
                continue
            if sum(isinstance(each, _Good) for each in self._line) < ahead:
                return
            self._line.popleft()
            yield from self._mend_gap(first)
            self.judged_to = first.offset + len(first.data)

    def _learn(self, good: _Good) -> None:
        frame = good.frame
        channel = self._channels.get(frame.vcid)
        if channel is None:
            channel = self._channels[frame.vcid] = _Channel(good.raw, frame.vcfc)
        joins = channel.open is not None and (channel.open.vcfc + 1) % self._profile.vcfc_modulus == frame.vcfc
        before = channel.open if joins else None
        channel.raw, channel.vcfc, channel.unresolved = good.raw, frame.vcfc, 0
        self._master = frame.mcfc
        for packet in good.packets:
            self._learn_packet(channel, frame.vcid, packet)
        channel.open = self._opened(frame.vcfc, good.content, before)

    def _opened(self, vcfc: int, content: Content, before: Open | None) -> Open | None:
        """The packet that is open behind a good frame; an empty one if the frame ends with a packet's end."""
        if content.starts:
            return Open(vcfc, content.tail, self._expected_of(content.tail))
        if before is None or not before.data or not content.head:
            return None
        data = before.data + content.head
        expected = before.expected or self._expected_of(data)
        done = expected is not None and len(data) >= expected.size
        return Open(vcfc, b"" if done else data, None if done else expected)

    def _expected_of(self, data: bytes) -> Expected | None:
        """What a packet is, of which the first bytes are good."""
        if len(data) < _HEADER:
            return None
        size, apid, sequence = size_at(data), apid_of(data), sequence_of(data)
        if apid == IDLE_APID:
            fill = _fill_of(data)
            return expect_idle(size, sequence, data[0] << 8 | data[1], fill)
        fits = [shape for shape in self._shapes if shape.apid == apid and _may_be(shape, data)]
        if len(fits) != 1 or size < fits[0].packet.min_size:
            return None
        shape = fits[0]
        return expect(shape, sequence, size, self._histories[shape.packet.definition.name], None)

    def _learn_packet(self, channel: _Channel, vcid: int, packet: bytes) -> None:
        apid, sequence = apid_of(packet), sequence_of(packet)
        if apid == IDLE_APID:
            channel.idles.append(sequence)
            channel.idle_first = packet[0] << 8 | packet[1]
            channel.idle_fill = _fill_of(packet)
            return
        self._sequences[apid] = sequence
        shape = self._shape_of(packet)
        if shape is not None:
            name = shape.packet.definition.name
            self._histories[name].add(sequence, packet)
            self._seen_on.setdefault(name, set()).add(vcid)

    def _shape_of(self, packet: bytes) -> Shape | None:
        found = self._dictionary.identify(packet)
        if found is None or len(packet) < found.min_size or found.size not in (None, len(packet)):
            return None
        if found.header.crc and block_syndrome(packet):
            return None
        return next(shape for shape in self._shapes if shape.packet is found)

    def _mend_gap(self, gap: _Gap) -> Iterator[MendedFrame]:
        ahead = self._look_ahead(gap.offset)
        slots = list(self._slots(gap))
        self.passed_over += len(gap.data) - sum(len(slot.cadu) for slot in slots)
        doubted = self._frames_are_lost(gap, slots, ahead)
        if doubted:
            self._doubt(_COUNTS_TRIED)
        for slot in slots:
            if slot.before is None and not doubted:
                doubted = True
                self._doubt(_COUNTS_TRIED)
            yield self._mend(slot, ahead)
        if not doubted and len(slots) * self._profile.cadu_length < len(gap.data):
            self._doubt(_COUNTS_TRIED)
        if self._master is not None:  # a long gap comes in several pieces
            self._master = (self._master + len(gap.data) // self._profile.cadu_length) % 256

    def _frames_are_lost(self, gap: _Gap, slots: list[_Slot], ahead: _Ahead) -> bool:
        """Whether more frames are missing than there are places of frames, by the master channel's count."""
        after, whole = ahead.next, len(gap.data) == len(slots) * self._profile.cadu_length
        if after is None or after.frame.mcfc is None or self._master is None or not (gap.ends and whole):
            return False
        return (after.frame.mcfc - self._master - 1 - len(slots)) % 256 != 0

    def _doubt(self, frames: int) -> None:
        """So many frames more may have been of any channel."""
        for channel in self._channels.values():
            channel.unresolved += frames

    def _look_ahead(self, start: int) -> _Ahead:
        ahead = _Ahead({}, {}, {}, {}, self._error_rate(start), {})
        for each in self._line:
            if not isinstance(each, _Good):
                continue
            vcid = each.frame.vcid
            ahead.frames.setdefault(vcid, each)
            for packet in each.packets:
                apid = apid_of(packet)
                if apid == IDLE_APID:
                    ahead.idles.setdefault(vcid, sequence_of(packet))
                    continue
                ahead.sequences.setdefault(apid, sequence_of(packet))
                shape = self._shape_of(packet)
                if shape is not None and shape.packet.definition.name not in ahead.packets:
                    near = neighbour(shape, sequence_of(packet), packet)
                    ahead.packets[shape.packet.definition.name] = near
        return ahead

    def _error_rate(self, start: int) -> float:
        """Share of wrong bits that lets as many frames come whole as do from here on."""
        size, good = self._profile.cadu_length, [each for each in self._line if isinstance(each, _Good)]
        if not good:
            return _LEAST_RATE
        share = len(good) * size / (good[-1].offset + size - start)
        return max(_LEAST_RATE, -log(min(1.0, share)) / (8 * size))

    def _slots(self, gap: _Gap) -> Iterator[_Slot]:
        """Places of a frame's length: one after the other from the last good frame on, or back from the next one."""
        size, length = self._profile.cadu_length, len(gap.data)
        whole, odd = divmod(length, size)
        sure = gap.ends and not odd
        forward = whole if sure else self._like_frames(gap.data, range(0, length - size + 1, size))
        for n in range(forward):
            yield self._slot(gap, n * size, n + 1, whole - n if sure else None)
        if odd and gap.ends:
            back = self._like_frames(gap.data, range(length - size, forward * size - 1, -size))
            for n in reversed(range(back)):
                yield self._slot(gap, length - (n + 1) * size, None, n + 1)

    def _like_frames(self, data: bytes, places: range) -> int:
        """How many of these places in a row begin with an ASM and end where another begins, as far as can be told."""
        size = self._profile.cadu_length
        for number, at in enumerate(places):
            if not (self._like_asm(data, at) and self._like_asm(data, at + size)):
                return number
        return len(places)

    def _like_asm(self, data: bytes, at: int) -> bool:
        asm = self._profile.asm
        came = data[at : at + len(asm)]
        return len(came) < len(asm) or _wrong_bits(came, asm) * _ASM_TOLERATED <= 8 * len(asm)

    def _slot(self, gap: _Gap, at: int, before: int | None, behind: int | None) -> _Slot:
        size = self._profile.cadu_length
        last = gap.offset + at + size
        ert = next((ert for end, ert in gap.erts if end >= last), 0)
        return _Slot(gap.offset + at, gap.data[at : at + size], ert, before, behind)

    def _mend(self, slot: _Slot, ahead: _Ahead) -> MendedFrame:
        profile = self._profile
        raw = slot.cadu[len(profile.asm) :]
        raw = randomize(raw) if profile.randomised else raw
        templates = match(raw, self._guesses(slot, ahead), self._mcfc(slot, ahead), profile)
        if not templates:
            self._doubt(1)
            why = "it is not like any frame that is missing"
            return MendedFrame(
                slot.offset, slot.ert, "HOPELESS", None, None, slot.cadu, slot.cadu, (), 1.0, 0.5, why, ()
            )
        asm = profile.asm
        came = slot.cadu[: len(asm)]
        marker_errors = _wrong_bits(came, asm), 8 * len(asm)
        repair = choose(
            [Repair(raw, each, marker_errors, self._going_on(each, ahead), ahead.error_rate) for each in templates]
        )
        self._go_on(repair, ahead)
        turned = int.from_bytes(came, "big") ^ int.from_bytes(asm, "big")
        marker = [Correction(n, "KNOWN") for n in range(8 * len(asm)) if turned >> 8 * len(asm) - 1 - n & 1]
        return MendedFrame(
            slot.offset,
            slot.ert,
            repair.level,
            repair.template.vcid,
            repair.template.vcfc,
            slot.cadu,
            asm + (randomize(repair.data) if profile.randomised else repair.data),
            (*marker, *repair.corrections(8 * len(asm))),
            repair.risk,
            repair.error_rate,
            repair.why,
            repair.packets(),
        )

    def _going_on(self, template: Template, ahead: _Ahead) -> bytes | None:
        """What goes on in the next frame of the channel, if that one is good."""
        good = ahead.frames.get(template.vcid)
        follows = good is not None and (template.vcfc + 1) % self._profile.vcfc_modulus == good.frame.vcfc
        return good.content.head if good is not None and follows else None

    def _mcfc(self, slot: _Slot, ahead: _Ahead) -> int | None:
        """The master channel frame count that a damaged frame must have had, if both neighbours agree."""
        first, found = ahead.next, set()
        if slot.before is not None and self._master is not None:
            found.add((self._master + slot.before) % 256)
        if slot.behind is not None and first is not None and first.frame.mcfc is not None:
            found.add((first.frame.mcfc - slot.behind) % 256)
        return found.pop() if len(found) == 1 else None

    def _guesses(self, slot: _Slot, ahead: _Ahead) -> list[Guess]:
        """The channels that a damaged frame may belong to: also one of which the first good frame lies ahead."""
        channels = {vcid: _before(good) for vcid, good in ahead.frames.items()} | self._channels
        guesses = [
            self._guess(vcid, channel, ahead, slot)
            for vcid, channel in channels.items()
            if self._profile.data_field_of(vcid) == "packets"
        ]
        return [guess for guess in guesses if guess.counts]

    def _guess(self, vcid: int, channel: _Channel, ahead: _Ahead, slot: _Slot) -> Guess:
        start, modulus = self._profile.data_offset, self._profile.vcfc_modulus
        good = ahead.frames.get(vcid)
        header = channel.raw[:start]
        steady = tuple(good is not None and header[n] == good.raw[n] for n in range(start))
        missing = None if good is None else (good.frame.vcfc - channel.vcfc - 1) % modulus
        reach = min(_COUNTS_TRIED, 1 + channel.unresolved, modulus if missing is None else missing)
        counts = tuple((channel.vcfc + 1 + n) % modulus for n in range(reach))
        if good is not None and good is ahead.next and slot.behind is not None:
            counts = tuple(n for n in counts if (good.frame.vcfc - n) % modulus <= slot.behind) or counts
        ocf = self._ocf(channel.raw, vcid)
        after = None if good is None else self._ocf(good.raw, vcid)
        ocfs = tuple({each for each in (ocf, after) if each is not None})
        shapes = tuple(
            (shape, partial(self._packets, shape, missing_ones, ahead))
            for shape in self._shapes
            if (missing_ones := self._counts(shape, vcid, ahead))
        )
        idle = Idle(channel.idle_first, self._idle_counts(vcid, channel, ahead), channel.idle_fill)
        return Guess(vcid, header, steady, counts, ocfs, channel.open, shapes, idle)

    def _ocf(self, raw: bytes, vcid: int) -> bytes | None:
        if not self._profile.has_ocf(vcid):
            return None
        end = len(raw) - 2 * self._profile.fecf
        return raw[end - 4 : end]

    def _counts(self, shape: Shape, vcid: int, ahead: _Ahead) -> tuple[int | None, ...]:
        """The sequence counts of packets of a type that may be missing on a channel; None: any."""
        seen = self._seen_on.get(shape.packet.definition.name)
        if seen is not None and vcid not in seen:
            return ()
        last, after = self._sequences.get(shape.apid), ahead.sequences.get(shape.apid)
        return (None,) if last is None else _missing(last, after)

    def _packets(self, shape: Shape, counts: tuple[int | None, ...], ahead: _Ahead) -> list[Expected]:
        """The packets of a type with these counts. What neighbours say is the same for all frames between them."""
        name, found = shape.packet.definition.name, list[Expected]()
        history, near = self._histories[name], ahead.packets.get(name)
        for count in counts:
            expected = ahead.expected.get((name, count))
            if expected is None:
                expected = expect(shape, count, shape.packet.size or history.size, history, near)
                ahead.expected[name, count] = expected
            found.append(expected)
        return found

    def _idle_counts(self, vcid: int, channel: _Channel, ahead: _Ahead) -> tuple[int | None, ...]:
        if not channel.idles:
            return (None,)
        if len(set(channel.idles)) == 1 and len(channel.idles) > 1:
            return (channel.idles[-1],)
        return _missing(channel.idles[-1], ahead.idles.get(vcid)) or (None,)

    def _go_on(self, repair: Repair, ahead: _Ahead) -> None:
        """Where a frame leaves its channel: one that is not surely of it says nothing, and may have been any."""
        template = repair.template
        if not repair.is_settled:
            self._doubt(1)
            return
        channel = self._channels.get(template.vcid)
        if channel is None:
            channel = self._channels[template.vcid] = _before(ahead.frames[template.vcid])
        channel.vcfc, channel.open, channel.unresolved = template.vcfc, None, 0
        for placed, data, sure in repair.placed():
            if not sure:
                continue
            if len(data) >= _HEADER and placed.expected.shape is None:
                channel.idles.append(sequence_of(data))
            elif len(data) >= _HEADER:
                self._sequences[apid_of(data)] = sequence_of(data)
            if len(data) < placed.expected.size and repair.is_solved:
                channel.open = Open(template.vcfc, data, placed.expected)
        if repair.is_solved and channel.open is None:
            channel.open = Open(template.vcfc, b"", None)


def _before(good: _Good) -> _Channel:
    """A channel of which nothing is known but its first good frame, which is to come."""
    first = good.frame.vcfc - _COUNTS_TRIED - 1
    return _Channel(good.raw, first, unresolved=_COUNTS_TRIED)


def _missing(last: int, after: int | None) -> tuple[int, ...]:
    """Sequence counts that are missing between two packets, or behind the last one."""
    missing = _COUNTS_TRIED if after is None else (after - last - 1) % SEQUENCE_MODULO
    ahead = [(last + 1 + n) % SEQUENCE_MODULO for n in range(min(missing, _COUNTS_TRIED))]
    if after is not None and missing > _COUNTS_TRIED:
        ahead += [(after - 1 - n) % SEQUENCE_MODULO for n in range(min(missing - _COUNTS_TRIED, _COUNTS_TRIED))]
    return tuple(ahead)


def _may_be(shape: Shape, data: bytes) -> bool:
    """Whether the first bytes of a packet are as all of this shape are."""
    bits = min(8 * len(data), shape.bits)
    came = int.from_bytes(data[: bits // 8], "big")
    return not (came ^ shape.value >> shape.bits - bits) & shape.mask >> shape.bits - bits


def _fill_of(packet: bytes) -> int | None:
    """The byte that all data of an idle packet are; None if they are not, or have not come."""
    data = set(packet[_HEADER:])
    return data.pop() if len(data) == 1 else None


def _wrong_bits(came: bytes, right: bytes) -> int:
    return (int.from_bytes(came, "big") ^ int.from_bytes(right, "big")).bit_count()

"""One damaged frame against its template: set what is known, locate the rest by the checksums, say what is left.

Each packet with a checksum of its own is a block, and what is left of the frame is one more, with the FECF. The blocks
do not disturb each other: whatever is wrong inside a packet adds to the frame's syndrome what the packet's own says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from protocols.ccsds.space_packet import HEADER_SIZE
from protocols.mending.content import Placed, sequence_of
from protocols.mending.results import Correction, Evidence, FieldTrust, MendedPacket, MendLevel, PacketState
from protocols.mending.search import MISPREDICTED, Block, Cell, Doubt, Solution
from protocols.mending.syndromes import block_syndrome
from protocols.mending.template import Template

MOST_RISK = 0.001
"""A correction with a higher risk is not made."""
HOPELESS_RATE = 0.1
"""With more wrong bits than that among the known ones, nothing that is read is believed."""
_WRONG_IN_HEADER = 2
_BURST_BYTES, _BURST_WRONG, _BURST_RATE = 8, 8, 0.05
"""So many wrong bits of known ones in so many bytes are a burst: unknown bits beside them are wrong at such a rate.
So they may be where so many bytes cannot be told to be any packet."""
_PRIOR_BITS = 1000
"""The error rate of a frame is that of its known bits, and of so many more with the rate of the frames around."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A packet in the frame: its bits there, from ``first`` to ``last``, and its bytes in the next frame, if known."""

    placed: Placed
    origin: int
    first: int
    last: int
    after: bytes

    @property
    def end(self) -> int:
        """The bit behind its last one; it may lie behind the frame."""
        return self.origin + 8 * self.placed.expected.size

    @property
    def is_whole(self) -> bool:
        """All of its bytes are there."""
        return self.last + 8 * len(self.after) == self.end

    @property
    def is_checked(self) -> bool:
        """It has a checksum, and all that this covers."""
        shape = self.placed.expected.shape
        return shape is not None and shape.packet.header.crc and self.is_whole


class Repair:
    """What can be done for a frame.

    Attributes:
        template: what the frame must have been.
        level: MENDED, PARTIAL or HOPELESS.
        why: how, or why not.
        risk: that a MENDED frame is not what was sent; 1 for others.
        error_rate: share of wrong bits among the known ones.
        data: the frame, corrected as far as possible.
    """

    def __init__(
        self,
        raw: bytes,
        template: Template,
        marker_errors: tuple[int, int],
        going_on: bytes | None,
        usual_rate: float,
    ) -> None:
        """Args:
        raw: the frame as it came, without ASM.
        template: what it must have been.
        marker_errors: wrong bits of its ASM, of how many.
        going_on: the bytes before the first packet of the next frame, if that one is good.
        usual_rate: share of wrong bits in the frames around.
        """
        self.template = template
        self._template, self._length = template, template.length
        self._came = int.from_bytes(raw, "big")
        self._set = (self._came & ~template.mask) | template.value
        self._forced = 0
        self._doubts = self._doubted()
        known = template.mask.bit_count() + marker_errors[1]
        wrong = ((self._came ^ template.value) & template.mask).bit_count() + marker_errors[0]
        self.error_rate = wrong / known if known else 0.0
        spoilt = sum(each.spoilt / (each.spoilt + usual_rate) for each in self._doubts)
        self._rate = min(0.45, (wrong - spoilt + usual_rate * _PRIOR_BITS) / (known + _PRIOR_BITS))
        unread = template.data_length - template.read_to
        if unread >= _BURST_BYTES or _is_burst((self._came ^ template.value) & template.mask, self._length):
            self._rate = max(self._rate, _BURST_RATE)
        self._parts = [self._part(placed, going_on) for placed in template.packets]
        self._solved: set[int] = set()
        self.risk, self.why = 1.0, ""
        self._solve()
        self.data = self._set.to_bytes(self._length // 8, "big")

    @property
    def is_solved(self) -> bool:
        """All checksums agree."""
        return self.risk <= MOST_RISK

    @property
    def is_settled(self) -> bool:
        """It is surely a frame of this channel with this count: mended, or a packet of it is and its header fits."""
        header = self._bits(0, 8 * self._template.data_start) & self._template.mask
        wrong = ((self._came ^ self._template.value) & header).bit_count()
        return self.is_solved or (bool(self._solved) and wrong <= _WRONG_IN_HEADER)

    @property
    def level(self) -> MendLevel:
        """What could be done."""
        if self.is_solved:
            return "MENDED"
        hopeless = not self._solved and (self.error_rate > HOPELESS_RATE or not self._parts)
        return "HOPELESS" if hopeless else "PARTIAL"

    def _part(self, placed: Placed, going_on: bytes | None) -> _Part:
        template = self._template
        origin = 8 * (template.data_start + placed.start)
        end, stop = origin + 8 * placed.expected.size, 8 * (template.data_start + template.data_length)
        first, last = max(origin, 8 * template.data_start), min(end, stop)
        missing = (end - last) // 8
        return _Part(placed, origin, first, last, going_on if going_on and len(going_on) == missing else b"")

    def _solve(self) -> None:
        risk, failures = 0.0, list[str]()
        inside = 0
        for number, part in enumerate(self._parts):
            if not part.is_checked:
                continue
            inside |= self._bits(part.first, part.last)
            found = self._block(self._cells(part), part.end, self._bits(part.first, part.last)).solve(
                block_syndrome(self._bytes_of(part)), self._rate
            )
            risk += self._take(found, failures, part.placed.expected.shape.packet.definition.name)  # type: ignore[union-attr]
            if not failures or found_is_taken(found):
                self._solved.add(number)
        if not failures:
            rest = [cell for cell in self._template.cells if not self._bits(cell.start, cell.start + 1) & inside]
            syndrome = block_syndrome(self._set.to_bytes(self._length // 8, "big"))
            risk += self._take(
                self._block(rest, self._length, ~inside).solve(syndrome, self._rate), failures, "the frame"
            )
        if failures:
            self.why = "; ".join(failures)
            return
        self.risk = risk
        if risk > MOST_RISK:
            self.why = f"a correction fits, but the risk that it is wrong is {risk:.1%}"
            return
        self.why = "all checksums agree"
        self._solved = set(range(len(self._parts)))

    def _take(self, found: Solution | str, failures: list[str], what: str) -> float:
        """Make a correction; the risk of it."""
        if isinstance(found, str):
            failures.append(f"{what}: {found}")
            return 1.0
        if not found_is_taken(found):
            failures.append(f"{what}: a correction fits, but the risk that it is wrong is {found.risk:.1%}")
            return 1.0
        self._set ^= found.mask
        self._forced |= found.forced
        return found.risk

    def _doubted(self) -> list[Doubt]:
        """Known bits that came otherwise, and that the source may have spoilt."""
        wrong = (self._came ^ self._template.value) & self._template.mask
        return [
            Doubt(1 << bit, spoilt)
            for mask, spoilt in self._template.doubted
            for bit in range((wrong & mask).bit_length())
            if wrong & mask & 1 << bit
        ]

    def _block(self, cells: list[Cell], end: int, where: int) -> Block:
        return Block(cells, self._set, self._length, end, [each for each in self._doubts if each.mask & where])

    def _cells(self, part: _Part) -> list[Cell]:
        return [cell for cell in self._template.cells if part.first <= cell.start < part.last]

    def _bits(self, first: int, last: int) -> int:
        return ((1 << last - first) - 1) << self._length - last

    def _bytes_of(self, part: _Part) -> bytes:
        whole = self._set.to_bytes(self._length // 8, "big")
        return part.placed.before + whole[part.first // 8 : part.last // 8] + part.after

    def packets(self) -> tuple[MendedPacket, ...]:
        """The declared packets in the frame."""
        return tuple(self._packet(n, part) for n, part in enumerate(self._parts) if part.placed.expected.shape)

    def placed(self) -> Iterator[tuple[Placed, bytes, bool]]:
        """All packets with their bytes so far, and whether those are sure."""
        for number, part in enumerate(self._parts):
            whole = part.placed.before + self.data[part.first // 8 : part.last // 8]
            yield part.placed, whole, number in self._solved

    def _packet(self, number: int, part: _Part) -> MendedPacket:
        expected = part.placed.expected
        assert expected.shape is not None
        turned = (self._came ^ self._set) & self._bits(part.first, part.last)
        sure = number in self._solved
        state: PacketState = "PARTIAL" if not sure else "MENDED" if turned else "INTACT"
        data = self._bytes_of(part)
        return MendedPacket(
            expected.shape.packet,
            sequence_of(data) if len(data) >= HEADER_SIZE else expected.sequence or 0,
            part.placed.start,
            data,
            part.is_whole,
            state,
            () if sure else tuple(self._trust(part)),
        )

    def _trust(self, part: _Part) -> Iterator[FieldTrust]:
        """Field by field: a packet whose checksum fails has at least one wrong bit, somewhere in its unknown ones."""
        shape = part.placed.expected.shape
        assert shape is not None
        cells = {cell.start: cell for cell in self._cells(part)}
        unknown = sum(cell.bits for cell in cells.values()) or 1
        rate = max(self._rate, 1 / unknown)
        for leaf in shape.leaves:
            start = part.origin + leaf.start
            if start < part.first or start + leaf.bits > part.last:
                continue
            cell = cells.get(start)
            if cell is None or cell.leaf != leaf:
                yield FieldTrust(leaf.name, 1 - MISPREDICTED, known=True, possible=True)
                continue
            raw = self._set >> self._length - start - leaf.bits & (1 << leaf.bits) - 1
            if not cell.allows(raw):
                yield FieldTrust(leaf.name, 0.0, known=False, possible=False)
                continue
            right = (1 - rate) ** leaf.bits
            unseen = sum(cell.allows(raw ^ 1 << bit) for bit in range(leaf.bits)) / leaf.bits
            yield FieldTrust(leaf.name, right / (right + (1 - right) * unseen), known=False, possible=True)

    def corrections(self, marker: int) -> tuple[Correction, ...]:
        """The bits that were turned, behind an ASM of so many bits."""
        turned = self._came ^ self._set
        known = turned & self._template.mask
        found = []
        for bit in range(self._length):
            one = 1 << self._length - 1 - bit
            if turned & one:
                evidence: Evidence = "KNOWN" if known & one else "WINDOW" if self._forced & one else "CHECKSUM"
                found.append(Correction(marker + bit, evidence))
        return tuple(found)


def _is_burst(wrong: int, length: int) -> bool:
    """Whether wrong bits come thick somewhere: then they do not come singly elsewhere."""
    counts = [each.bit_count() for each in wrong.to_bytes(length // 8, "big")]
    return any(sum(counts[at : at + _BURST_BYTES]) >= _BURST_WRONG for at in range(len(counts)))


def found_is_taken(found: Solution | str) -> bool:
    """Whether a correction may be made."""
    return not isinstance(found, str) and found.risk <= MOST_RISK


def choose(repairs: Sequence[Repair]) -> Repair:
    """Of a frame's repairs by several templates, the one that is solved; the likeliest template's if none is, or two.

    The more were tried, the likelier one is solved by chance.
    """
    solved = [each for each in repairs if each.is_solved]
    if len(solved) == 1 or (solved and len({each.data for each in solved}) == 1):
        solved[0].risk *= len(repairs)
    elif solved:
        repairs[0].risk, repairs[0].why = 1.0, f"ambiguous: it may be {len(solved)} frames of those missing"
    best = solved[0] if len(solved) == 1 else repairs[0]
    if solved and not best.is_solved and best.risk < 1:
        best.why, best.risk = f"a correction fits, but the risk that it is wrong is {best.risk:.1%}", 1.0
    return best

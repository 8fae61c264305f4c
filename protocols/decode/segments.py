"""TC frames to packets (CCSDS 232.0-B §4.1.3.2.2 and §4.3): segments put together, and packets cut apart by length.

Rules:
1. Each multiplexer access point of a channel has its own unit. A first segment, or an unsegmented one, drops what was
   half there; a continuing or last one without a first is dropped.
2. A data unit may hold several packets. What is left and cannot be one is dropped.
3. Everything is bounded: `UNITS_KEPT` units of `MAX_UNIT` bytes are half there at most.
"""

from __future__ import annotations

from collections.abc import Iterator

from protocols.ccsds import encapsulation, tc_frame
from protocols.ccsds.space_packet import HEADER_SIZE, IDLE_APID, MAX_SIZE
from protocols.decode.packets import EncapsulationFound, PacketDropped, PacketFound

MAX_UNIT = MAX_SIZE
UNITS_KEPT = 64

Uplinked = PacketFound | EncapsulationFound | PacketDropped


class SegmentAssembler:
    """Feed it TC data frames; it gives packets and drops."""

    def __init__(self, packet_versions: tuple[int, ...]) -> None:
        self._versions = frozenset(packet_versions)
        self._units: dict[tuple[int, int, int], bytes] = {}

    def push(self, frame: tc_frame.TcFrame) -> list[Uplinked]:
        """What a frame completes. One that carries a control command completes nothing."""
        if frame.control:
            return []
        segment = frame.segment
        if segment is None:
            return list(self._packets(frame.data))
        out: list[Uplinked] = []
        key = (frame.scid, frame.vcid, segment.map_id)
        unit = self._units.pop(key, None)
        begins = segment.flags in (tc_frame.FIRST, tc_frame.UNSEGMENTED)
        if begins and unit is not None:
            out.append(PacketDropped(unit, "another unit begins in the middle of it"))
        if not begins and unit is None:
            return [PacketDropped(frame.data, "a segment without the first one")]
        unit = frame.data if begins else (unit or b"") + frame.data
        if segment.flags in (tc_frame.LAST, tc_frame.UNSEGMENTED):
            return [*out, *self._packets(unit)]
        if len(unit) > MAX_UNIT or len(self._units) >= UNITS_KEPT:
            return [*out, PacketDropped(unit, "longer than any packet, or one of too many")]
        self._units[key] = unit
        return out

    def _packets(self, unit: bytes) -> Iterator[Uplinked]:
        at = 0
        while at < len(unit):
            size = self._size(unit, at)
            if not size or at + size > len(unit):
                yield PacketDropped(unit[at:], "not a packet" if not size else "shorter than its header says")
                return
            packet = unit[at : at + size]
            at += size
            if packet[0] >> 5 == encapsulation.VERSION:
                if protocol := packet[0] >> 2 & 7:
                    yield EncapsulationFound(protocol, packet)
                continue
            apid = (packet[0] & 7) << 8 | packet[1]
            if apid != IDLE_APID:
                yield PacketFound(apid, (packet[2] & 0x3F) << 8 | packet[3], packet)

    def _size(self, unit: bytes, at: int) -> int:
        if unit[at] >> 5 == encapsulation.VERSION:
            return encapsulation.size_of(unit, at)
        if unit[at] >> 5 not in self._versions or len(unit) - at < HEADER_SIZE:
            return 0
        return HEADER_SIZE + 1 + (unit[at + 4] << 8 | unit[at + 5])

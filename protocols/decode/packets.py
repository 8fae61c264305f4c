"""Frames to packets: one `PacketExtractor` a virtual channel (CCSDS 132.0-B §4.2.2 and §4.3.2, receiving end; the
M_PDUs of 732.0-B are the same).

Rules:
1. What a frame is, `counts.FrameCounter` says. Behind a gap, and where the source started again, whatever packet was
   half there is dropped. A duplicate gives nothing.
2. After a gap, or at the start, bytes before the first header pointer belong to no known packet and are dropped.
3. The pointer must agree with where the half packet ends. If it does not, the pointer is right.
4. Idle packets are counted and not given out. Encapsulation packets are given out as they are: what they wrap is
   another protocol's.
5. A late frame gives its packets late. What was cut off where it was missing is kept for it, so that it also completes
   the packets that go over its ends; the drop that was told of such a packet is taken back.
6. A frame that carries no packets (a VCA_SDU, a bitstream) ends whatever packet was half there.
7. Any bytes at all may come; nothing raises.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from protocols.ccsds import encapsulation
from protocols.ccsds.space_packet import HEADER_SIZE, IDLE_APID, MAX_SIZE
from protocols.ccsds.tm_frame import MAX_POINTER, NO_PACKET_START, NO_PACKETS, ONLY_IDLE
from protocols.counts import FrameCounter, FrameStep
from protocols.profile import SPACE_PACKETS, UART
from protocols.sync.frames import TransferFrame
from protocols.tuples import maker


class PacketFound(NamedTuple):
    """A whole space packet that is not idle. ``data`` is all of it, header included."""

    apid: int
    sequence: int
    data: bytes


_make_found = maker(PacketFound)
_header = struct.Struct(">HHH").unpack_from
"""A space packet's primary header: version, type, flag and APID; flags and sequence count; length less one."""


@dataclass(frozen=True, slots=True)
class EncapsulationFound:
    """A whole encapsulation packet that is not idle. ``data`` is all of it, header included."""

    protocol: int
    data: bytes


@dataclass(frozen=True, slots=True)
class PacketDropped:
    """A packet that cannot be put together. ``data`` is what there was of it."""

    data: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class DropUndone:
    """A packet that was said to be dropped, for that reason, was not: a late frame had the rest of it."""

    reason: str


class PlainPackets(NamedTuple):
    """Space packets in data fields that follow each other.

    Attributes:
        stream: what was half there before, then the data fields.
        before: bytes of what was half there.
        bounds: where each packet starts, and where the last one ends.
        length: of a data field.
    """

    stream: bytes
    before: int
    bounds: list[int]
    length: int


Extracted = PacketFound | EncapsulationFound | PacketDropped | DropUndone
_LOST = "frames lost in the middle of it"
_EDGES_KEPT = 32
"""Places where frames were missing, on either side, that late frames may be joined to."""


class PacketExtractor:
    """Packets out of one virtual channel's frames.

    Attributes:
        idle_packets: space and encapsulation packets that carried nothing.
        encapsulation_packets: encapsulation packets that carried something.
    """

    def __init__(
        self,
        max_packet: int = MAX_SIZE,
        vcfc_modulus: int = UART.vcfc_modulus,
        packet_versions: tuple[int, ...] = SPACE_PACKETS,
    ) -> None:
        """Begin.

        Args:
            max_packet: the longest packet in bytes.
            vcfc_modulus: of the VCFC, where the extractor counts frames itself.
            packet_versions: of packets with the space packet's header.
        """
        self._max_packet = max_packet
        self._versions = frozenset(packet_versions)
        self._counter = FrameCounter(vcfc_modulus)
        self._partial = b""
        self._synced = False
        self._tails: dict[int, bytes] = {}
        self._heads: dict[int, bytes] = {}
        self._head: int | None = None
        self.idle_packets = 0
        self.encapsulation_packets = 0

    def push(self, frame: TransferFrame, step: FrameStep | None = None) -> list[Extracted]:
        """Take the channel's next frame, give what it completes.

        Args:
            frame: it.
            step: what it is, as the spacecraft's `FrameCounter` says; None: it is counted here, by this channel alone.
        """
        step = step or self._counter.count(frame)
        out: list[Extracted] = []
        if step.kind == "LATE":
            self._process_late(frame, step.place, out)
        elif step.kind != "DUPLICATE":
            if step.kind not in ("NEXT", "STILL"):
                self._cut(step, out)
            self._process_frame(frame, out)
        return out

    def follow_plain(self, data: bytes, length: int) -> PlainPackets | None:
        """Find the packets in the data fields of frames that follow each other; `take_plain` then takes them.

        Args:
            data: these fields, one after the other.
            length: of one of them.

        Returns:
            None if it does not know where a packet starts, or if something else than space packets is in there.
        """
        if not self._synced or self._head is not None:
            return None
        stream, at, starts = self._partial + data, 0, list[int]()
        end, add = len(stream), starts.append
        while at + HEADER_SIZE <= end:
            after = at + HEADER_SIZE + 1 + (stream[at + 4] << 8 | stream[at + 5])
            if stream[at] >> 5 not in self._versions or after > end:
                break
            add(at)
            at = after
        if (at < end and stream[at] >> 5 not in self._versions) or self._max_packet < MAX_SIZE:
            return None
        return PlainPackets(stream, len(self._partial), [*starts, at], length)

    def take_plain(self, packets: PlainPackets) -> None:
        """The first header pointers agree with these packets: what is left of them is half a packet."""
        self._partial = packets.stream[packets.bounds[-1] :]

    def _cut(self, step: FrameStep, out: list[Extracted]) -> None:
        """This frame does not follow the last one."""
        self._head = None
        if step.kind == "GAP":
            if self._synced:
                _keep(self._tails, step.place - step.lost.count - step.at_restart.count - 1, self._partial)
            self._head = step.place
            _keep(self._heads, step.place, b"")
            self._lose_sync(_LOST, out)
        elif step.kind == "FIRST":  # a frame of before may still come, with the beginning of a packet
            self._head = step.place
            _keep(self._heads, step.place, b"")
        elif step.kind == "BACK":
            self._lose_sync("the frame count steps back in the middle of it", out)
        else:
            self._lose_sync("the source started again in the middle of it", out)

    def _process_late(self, frame: TransferFrame, place: int, out: list[Extracted]) -> None:
        """Take a frame on its own, between the tail before its place and the head behind it."""
        partial, synced, head = self._partial, self._synced, self._head
        tail = self._tails.pop(place - 1, None)
        self._partial, self._synced, self._head = tail or b"", tail is not None, place
        _keep(self._heads, place, b"")
        if tail:
            out.append(DropUndone(_LOST))
        self._process_frame(frame, out)
        behind = self._heads.pop(place + 1, None) if self._synced else None
        if head == place + 1 and behind is not None:  # and has no end yet: what this frame begins goes on
            self._head = None
            self._continue_only(behind, out)
            return
        if behind is not None:
            self._start_at(behind, len(behind), out)
        elif self._synced:
            _keep(self._tails, place, self._partial)
            self._drop(_LOST, out)
        self._partial, self._synced, self._head = partial, synced, head

    def _process_frame(self, frame: TransferFrame, out: list[Extracted]) -> None:
        pointer, data = frame.first_header_pointer, frame.data
        if self._head is not None:
            self._extend_head(data if pointer == NO_PACKET_START else data[:pointer])
        if pointer <= MAX_POINTER and pointer < len(data):
            self._head = None
            self._start_at(data, pointer, out)
        elif pointer == NO_PACKET_START:
            self._continue_only(data, out)
        elif pointer == ONLY_IDLE:
            self._head = None
            self._lose_sync("idle frame in the middle of a packet", out)
        elif pointer == NO_PACKETS:
            self._head = None
            self._lose_sync("a frame without packets in the middle of it", out)
        else:
            self._head = None
            self._lose_sync("first header pointer beyond the frame", out)

    def _extend_head(self, data: bytes) -> None:
        """Bytes before the first packet that starts behind a gap: a late frame may have the beginning of theirs."""
        assert self._head is not None
        head = self._heads.get(self._head)
        if head is not None and len(head) + len(data) <= self._max_packet:
            self._heads[self._head] = head + data
        else:
            self._head = None

    def _continue_only(self, data: bytes, out: list[Extracted]) -> None:
        if not self._synced:
            return
        continues = bool(self._partial)
        self._partial += data
        size = self._size(self._partial, 0)
        if continues and size == len(self._partial):
            self._emit(self._partial, out)
            self._partial = b""
        elif not continues or (size is not None and size < len(self._partial)):
            self._lose_sync("longer than its header says", out)

    def _start_at(self, data: bytes, pointer: int, out: list[Extracted]) -> None:
        if self._synced and self._partial:
            self._partial += data[:pointer]
            if len(self._partial) == self._size(self._partial, 0):
                self._emit(self._partial, out)
            else:
                self._drop("its end is not where the next packet starts", out)
        elif self._synced and pointer:
            out.append(PacketDropped(data[:pointer], "bytes between packets"))
        self._synced = True
        self._partial = b""
        self._emit_all(data, pointer, out)

    def _emit_all(self, data: bytes, at: int, out: list[Extracted]) -> None:
        """Take all whole packets from ``at`` on; what is left is half a packet."""
        at = self._emit_space_packets(data, at, out)
        while (size := self._size(data, at)) is not None and at + size <= len(data):
            if not size:
                out.append(PacketDropped(data[at:], "not a packet"))
                self._synced = False
                return
            self._emit(data[at : at + size], out)
            at += size
        self._partial = data[at:]

    def _emit_space_packets(self, data: bytes, at: int, out: list[Extracted]) -> int:
        """Take whole space packets, which nearly all are, without a call for each; returns where others begin."""
        whole = len(data)
        while at + HEADER_SIZE <= whole:
            word, count, length = _header(data, at)
            end = at + HEADER_SIZE + 1 + length
            if end > whole or word >> 13 not in self._versions or end - at > self._max_packet:
                break
            apid = word & 0x7FF
            if apid == IDLE_APID:
                self.idle_packets += 1
            else:
                out.append(_make_found((apid, count & 0x3FFF, data[at:end])))
            at = end
        return at

    def _size(self, data: bytes, at: int) -> int | None:
        """Whole size of the packet at ``at``; 0 if it cannot be one, None if its header is not there whole."""
        left = len(data) - at
        if not left:
            return None
        version = data[at] >> 5
        if version in self._versions:
            size = HEADER_SIZE + 1 + (data[at + 4] << 8 | data[at + 5]) if left >= HEADER_SIZE else None
        elif version == encapsulation.VERSION:
            size = encapsulation.size_of(data, at) if left >= encapsulation.header_size(data[at]) else None
        else:
            return 0
        return 0 if size is not None and size > self._max_packet else size

    def _emit(self, packet: bytes, out: list[Extracted]) -> None:
        """Give or count one whole packet."""
        if packet[0] >> 5 == encapsulation.VERSION:
            protocol = packet[0] >> 2 & 7
            if protocol == encapsulation.IDLE:
                self.idle_packets += 1
            else:
                self.encapsulation_packets += 1
                out.append(EncapsulationFound(protocol, packet))
            return
        apid = (packet[0] & 7) << 8 | packet[1]
        if apid == IDLE_APID:
            self.idle_packets += 1
        else:
            out.append(PacketFound(apid, (packet[2] & 0x3F) << 8 | packet[3], packet))

    def _lose_sync(self, reason: str, out: list[Extracted]) -> None:
        self._drop(reason, out)
        self._synced = False

    def _drop(self, reason: str, out: list[Extracted]) -> None:
        if self._partial:
            out.append(PacketDropped(self._partial, reason))
        self._partial = b""


def _keep(edges: dict[int, bytes], place: int, data: bytes) -> None:
    edges[place] = data
    if len(edges) > _EDGES_KEPT:
        del edges[next(iter(edges))]

"""Frames to packets: one `PacketExtractor` a virtual channel (CCSDS 132.0-B §4.2.2 and §4.3.2, receiving end; the
M_PDUs of 732.0-B are the same).

Rules:
1. Frames of a channel are counted by VCFC. A jump is a `FrameGap`, and whatever packet was half there is dropped.
2. After a gap, or at the start, bytes before the first header pointer belong to nobody and are dropped.
3. The pointer must agree with where the half packet ends. If it does not, the pointer is right.
4. Idle packets are counted and not given out. Encapsulation packets are given out as they are: what they wrap is
   another protocol's.
5. Any bytes at all may come; nothing raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from protocols.ccsds import encapsulation
from protocols.ccsds.space_packet import HEADER_SIZE, IDLE_APID, MAX_SIZE
from protocols.ccsds.tm_frame import MAX_POINTER, NO_PACKET_START, ONLY_IDLE
from protocols.errors import DecodeError
from protocols.frames import TransferFrame
from protocols.profile import UART


class PacketFound(NamedTuple):
    """A whole space packet that is not idle. ``data`` is all of it, header included."""

    apid: int
    sequence: int
    data: bytes


@dataclass(frozen=True, slots=True)
class EncapsulationFound:
    """A whole encapsulation packet that is not idle. ``data`` is all of it, header included."""

    protocol: int
    data: bytes


@dataclass(frozen=True, slots=True)
class FrameGap:
    """``lost`` frames are missing before this one, by VCFC: as many as its modulus allows to tell."""

    lost: int


@dataclass(frozen=True, slots=True)
class PacketDropped:
    """A packet that cannot be put together. ``data`` is what there was of it."""

    data: bytes
    reason: str


Extracted = PacketFound | EncapsulationFound | FrameGap | PacketDropped


class PacketExtractor:
    """Packets out of one virtual channel's frames.

    Attributes:
        idle_packets: space and encapsulation packets that carried nothing.
        encapsulation_packets: encapsulation packets that carried something.
    """

    def __init__(self, max_packet: int = MAX_SIZE, vcfc_modulus: int = UART.vcfc_modulus) -> None:
        self._max_packet = max_packet
        self._modulus = vcfc_modulus
        self._next_vcfc: int | None = None
        self._partial = b""
        self._synced = False
        self.idle_packets = 0
        self.encapsulation_packets = 0

    def push(self, frame: TransferFrame) -> list[Extracted]:
        """Take the channel's next frame, give what it completes."""
        out: list[Extracted] = []
        expected, self._next_vcfc = self._next_vcfc, (frame.vcfc + 1) % self._modulus
        if expected is not None and frame.vcfc != expected:
            out.append(FrameGap((frame.vcfc - expected) % self._modulus))
            self._lose_sync("frames lost in the middle of it", out)
        pointer = frame.first_header_pointer
        if pointer <= MAX_POINTER and pointer < len(frame.data):
            self._start_at(frame.data, pointer, out)
        elif pointer == NO_PACKET_START:
            self._continue_only(frame.data, out)
        elif pointer == ONLY_IDLE:
            self._lose_sync("idle frame in the middle of a packet", out)
        else:
            self._lose_sync("first header pointer beyond the frame", out)
        return out

    def _continue_only(self, data: bytes, out: list[Extracted]) -> None:
        if not self._synced:
            return
        continues = bool(self._partial)
        self._partial += data
        size = self._size(self._partial, 0)
        if continues and size == len(self._partial):
            self._take(self._partial, out)
            self._partial = b""
        elif not continues or (size is not None and size < len(self._partial)):
            self._lose_sync("longer than its header says", out)

    def _start_at(self, data: bytes, pointer: int, out: list[Extracted]) -> None:
        if self._synced and self._partial:
            self._partial += data[:pointer]
            if len(self._partial) == self._size(self._partial, 0):
                self._take(self._partial, out)
            else:
                self._drop("its end is not where the next packet starts", out)
        elif self._synced and pointer:
            out.append(PacketDropped(data[:pointer], "bytes between packets"))
        self._synced = True
        self._partial = b""
        self._take_all(data, pointer, out)

    def _take_all(self, data: bytes, at: int, out: list[Extracted]) -> None:
        """Take all whole packets from ``at`` on; what is left is half a packet."""
        while (size := self._size(data, at)) is not None and at + size <= len(data):
            if not size:
                out.append(PacketDropped(data[at:], "not a packet"))
                self._synced = False
                return
            self._take(data[at : at + size], out)
            at += size
        self._partial = data[at:]

    def _size(self, data: bytes, at: int) -> int | None:
        """Whole size of the packet at ``at``; 0 if it cannot be one, None if its header is not there whole."""
        left = len(data) - at
        version = data[at] >> 5 if left else 0
        if not version:
            size = HEADER_SIZE + 1 + (data[at + 4] << 8 | data[at + 5]) if left >= HEADER_SIZE else None
        elif version == encapsulation.VERSION:
            size = _encapsulated_size(data, at) if left >= encapsulation.header_size(data[at]) else None
        else:
            return 0
        return 0 if size is not None and size > self._max_packet else size

    def _take(self, packet: bytes, out: list[Extracted]) -> None:
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


def _encapsulated_size(data: bytes, at: int) -> int:
    try:
        return encapsulation.decode_header(data, at).size
    except DecodeError:
        return 0

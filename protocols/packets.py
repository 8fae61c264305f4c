"""Frames to packets: one `PacketExtractor` a virtual channel (CCSDS 132.0-B §4.2.2 and §4.3.2, receiving end).

Rules:
1. Frames of a channel are counted by VCFC. A jump is a `FrameGap`, and whatever packet was half there is dropped.
2. After a gap, or at the start, bytes before the first header pointer belong to nobody and are dropped.
3. The pointer must agree with where the half packet ends. If it does not, the pointer is right.
4. Idle packets are counted and not given out.
5. Any bytes at all may come; nothing raises.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocols.ccsds.space_packet import HEADER_SIZE, IDLE_APID, MAX_SIZE
from protocols.ccsds.tm_frame import MAX_POINTER, NO_PACKET_START, ONLY_IDLE, TmFrame


@dataclass(frozen=True, slots=True)
class PacketFound:
    """A whole space packet that is not idle. ``data`` is all of it, header included."""

    apid: int
    sequence: int
    data: bytes


@dataclass(frozen=True, slots=True)
class FrameGap:
    """``lost`` frames (1 … 255) are missing before this one, by VCFC."""

    lost: int


@dataclass(frozen=True, slots=True)
class PacketDropped:
    """A packet that cannot be put together. ``data`` is what there was of it."""

    data: bytes
    reason: str


Extracted = PacketFound | FrameGap | PacketDropped


class PacketExtractor:
    """Packets out of one virtual channel's frames."""

    def __init__(self, max_packet: int = MAX_SIZE) -> None:
        self._max_packet = max_packet
        self._next_vcfc: int | None = None
        self._partial = b""
        self._synced = False
        self.idle_packets = 0

    def push(self, frame: TmFrame) -> list[Extracted]:
        """Take the channel's next frame, give what it completes."""
        out: list[Extracted] = []
        self._check_count(frame.vcfc, out)
        pointer = frame.first_header_pointer
        if pointer == ONLY_IDLE:
            self._drop("idle frame in the middle of a packet", out)
            self._synced = False
        elif pointer == NO_PACKET_START:
            self._continue_only(frame.data, out)
        elif pointer > MAX_POINTER or pointer >= len(frame.data):
            self._drop("first header pointer beyond the frame", out)
            self._synced = False
        else:
            self._start_at(frame.data, pointer, out)
        return out

    def _check_count(self, vcfc: int, out: list[Extracted]) -> None:
        expected, self._next_vcfc = self._next_vcfc, (vcfc + 1) & 0xFF
        if expected is not None and vcfc != expected:
            out.append(FrameGap((vcfc - expected) & 0xFF))
            self._drop("frames lost in the middle of it", out)
            self._synced = False

    def _continue_only(self, data: bytes, out: list[Extracted]) -> None:
        if not self._synced:
            return
        self._partial += data
        if len(self._partial) < HEADER_SIZE or len(self._partial) <= self._size(self._partial, 0):
            if len(self._partial) == self._wanted():
                self._take(out)
            return
        self._drop("longer than its header says", out)
        self._synced = False

    def _start_at(self, data: bytes, pointer: int, out: list[Extracted]) -> None:
        if self._synced and self._partial:
            self._partial += data[:pointer]
            if len(self._partial) == self._wanted():
                self._take(out)
            else:
                self._drop("its end is not where the next packet starts", out)
        elif self._synced and pointer:
            out.append(PacketDropped(data[:pointer], "bytes between packets"))
        self._synced = True
        self._partial = data[pointer:]
        while len(self._partial) >= HEADER_SIZE and len(self._partial) >= self._wanted():
            if not self._take(out):
                return

    def _wanted(self) -> int:
        """Whole size of the half packet; its header may not be there yet."""
        return self._size(self._partial, 0) if len(self._partial) >= HEADER_SIZE else HEADER_SIZE

    @staticmethod
    def _size(data: bytes, offset: int) -> int:
        return HEADER_SIZE + 1 + (data[offset + 4] << 8 | data[offset + 5])

    def _take(self, out: list[Extracted]) -> bool:
        """Take one packet off the front of the half-read bytes."""
        size = self._wanted()
        packet, rest = self._partial[:size], self._partial[size:]
        if packet[0] >> 5 or size > self._max_packet:
            self._drop("not a space packet", out)
            self._synced = False
            return False
        self._partial = rest
        apid = (packet[0] & 7) << 8 | packet[1]
        if apid == IDLE_APID:
            self.idle_packets += 1
        else:
            out.append(PacketFound(apid, (packet[2] & 0x3F) << 8 | packet[3], packet))
        return True

    def _drop(self, reason: str, out: list[Extracted]) -> None:
        if self._partial:
            out.append(PacketDropped(self._partial, reason))
        self._partial = b""

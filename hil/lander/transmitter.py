"""Packets into frames: the sending end of CCSDS 132.0-B for two virtual channels of one spacecraft.

A frame starts with what is left of the packet that the last frame could not hold, then the packet of this tick,
then whatever waits. So the first packet that starts in a lander frame is always this tick's, and its time is the
frame's. What is left over is filled with an idle packet, which may reach into the next frame.
"""

from __future__ import annotations

from collections import deque

from protocols.ccsds.clcw import Clcw
from protocols.ccsds.space_packet import MIN_SIZE, SEQUENCE_MODULO, idle_packet
from protocols.ccsds.tm_frame import NO_PACKET_START, TmFrame, encode_frame
from protocols.profile import LinkProfile

QUEUE_LIMIT = 32
"""Packets that may wait on one channel; more are dropped and counted."""


class ChannelAssembler:
    """The data fields of one virtual channel's frames."""

    def __init__(self, data_length: int) -> None:
        self._length = data_length
        self._rest = b""
        self._cut = False
        self._waiting: deque[bytes] = deque()
        self._idle = 0
        self.dropped = 0

    @property
    def backlog(self) -> int:
        """Bytes of packets that wait for a frame."""
        return len(self._rest) + sum(map(len, self._waiting))

    @property
    def waits(self) -> bool:
        """A packet waits for a frame, whole or in part; idle fill does not count."""
        return self._cut or bool(self._waiting)

    def queue(self, packet: bytes) -> None:
        """Let a packet wait for room."""
        if len(self._waiting) >= QUEUE_LIMIT:
            self.dropped += 1
            return
        self._waiting.append(packet)

    def assemble(self, first: bytes) -> tuple[int, bytes]:
        """First header pointer and data field of the next frame. ``first`` goes before all that waits."""
        pointer = len(self._rest) if len(self._rest) < self._length else NO_PACKET_START
        data = self._rest + first
        while len(data) < self._length and self._waiting:
            data += self._waiting.popleft()
        self._cut = len(data) > self._length
        if len(data) < self._length:
            data += self._fill(self._length - len(data))
        self._rest = data[self._length :]
        return pointer, data[: self._length]

    def _fill(self, room: int) -> bytes:
        packet = idle_packet(max(room, MIN_SIZE), self._idle)
        self._idle = (self._idle + 1) % SEQUENCE_MODULO
        return packet


class Transmitter:
    """Frames of all virtual channels of one spacecraft, with their counters. MCFC counts them all."""

    def __init__(self, scid: int, profile: LinkProfile, vcids: tuple[int, ...]) -> None:
        self._scid = scid
        self._profile = profile
        self._channels = {vcid: ChannelAssembler(profile.data_length) for vcid in vcids}
        self._vcfc = dict.fromkeys(vcids, 0)
        self._mcfc = 0
        self.sent = dict.fromkeys(vcids, 0)

    def queue(self, vcid: int, packet: bytes) -> None:
        """Let a packet wait for room in the channel's next frames."""
        self._channels[vcid].queue(packet)

    def backlog(self, vcid: int) -> int:
        """Bytes that wait on a channel."""
        return self._channels[vcid].backlog

    def waits(self, vcid: int) -> bool:
        """Whether a packet waits on a channel, whole or in part."""
        return self._channels[vcid].waits

    def frame(self, vcid: int, first: bytes, clcw: Clcw) -> bytes:
        """The channel's next frame as it goes on the wire, ASM first."""
        pointer, data = self._channels[vcid].assemble(first)
        frame = TmFrame(self._scid, vcid, self._mcfc, self._vcfc[vcid], pointer, data, clcw.encode())
        self._mcfc = (self._mcfc + 1) & 0xFF
        self._vcfc[vcid] = (self._vcfc[vcid] + 1) & 0xFF
        self.sent[vcid] += 1
        return encode_frame(frame, self._profile)

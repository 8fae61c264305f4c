"""The fast way for frames without trouble: many at once, as arrays, with the same result as one by one.

Rules:
1. It takes frames only if all of them are AOS frames of one spacecraft, each plainly the next on its channel, with
   packets that fill them and first header pointers that agree. Else it takes none, and each goes its own way.
2. What the counter and the extractors know afterwards is what they would know otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise, repeat
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from groundstation.captures.packet_rows import CapturedPacket
from protocols.ccsds import aos_frame
from protocols.ccsds.space_packet import IDLE_APID
from protocols.counts import SURE_RIDES, FrameCounter, PlainRun
from protocols.decode.packets import PacketExtractor, PlainPackets
from protocols.profile import LinkProfile
from protocols.sync.deframer import Frame
from protocols.sync.frames import decode_frame

Ints = npt.NDArray[np.int64]
LEAST = 32
"""Frames that are worth it."""
_REMEMBERED = 256


class PlainChannel(NamedTuple):
    """What the frames of one channel carry: the packets, their frames' numbers in the batch, and fields of them."""

    vcid: int
    frames: int
    starting: int
    """Frames in which a packet starts."""
    idle: int
    row: Ints
    apid: Ints
    sequence: Ints
    size: Ints
    packets: list[CapturedPacket]

    def by_apid(self) -> Iterator[tuple[int, Ints, Ints]]:
        """Sequence counts and sizes of each APID's packets."""
        for apid in np.unique(self.apid).tolist():
            chosen = self.apid == apid
            yield apid, self.sequence[chosen], self.size[chosen]


class PlainFrames:
    """Takes batches of frames of one profile, if they are plain."""

    def __init__(self, profile: LinkProfile) -> None:
        self._profile = profile
        uniform = profile.kind == "AOS" and profile.uniform and not profile.header_error_control
        self.fits = uniform and profile.data_length <= aos_frame.ONLY_IDLE

    def take(
        self,
        found: Sequence[Frame],
        counter_of: Callable[[int], FrameCounter | None],
        extractor_of: Callable[[int, int], PacketExtractor | None],
    ) -> tuple[int, list[PlainChannel]] | None:
        """The spacecraft and what its channels carry; None: they are not plain, and nothing has changed."""
        raw = [frame.data for frame in found]
        octets = np.frombuffer(b"".join(raw), np.uint8).reshape(len(raw), -1)
        head = octets[:, :6].astype(np.int64)
        ids = (head[:, 0] << 8 | head[:, 1]) >> 6
        scid = int(ids[0]) & 0xFF
        counter = counter_of(scid)
        if (ids != aos_frame.VERSION << 8 | scid).any() or counter is None:
            return None
        vcfc = head[:, 2] << 16 | head[:, 3] << 8 | head[:, 4]
        vcid = head[:, 1] & 0x3F
        runs: list[PlainRun] = []
        channels: list[tuple[Ints, int, PacketExtractor, PlainPackets]] = []
        for each in np.unique(vcid).tolist():
            rows = np.flatnonzero(vcid == each)
            extractor = extractor_of(scid, each)
            if extractor is None or (np.diff(vcfc[rows]) % aos_frame.VCFC_MODULO != 1).any():
                return None
            packets = self._packets(octets[rows] if len(rows) < len(raw) else octets, extractor)
            if packets is None:
                return None
            runs.append(self._run(each, vcfc[rows], raw, rows, packets))
            channels.append((rows, each, extractor, packets))
        if not counter.pass_plain(runs):
            return None
        offset = np.array([frame.offset for frame in found])
        taken = [self._channel(scid, *channel, offset, vcfc) for channel in channels]
        return scid, taken

    def _packets(self, octets: npt.NDArray[np.uint8], extractor: PacketExtractor) -> PlainPackets | None:
        """The packets of a channel, if the first header pointers agree with them."""
        start, length = self._profile.data_offset, self._profile.data_length
        packets = extractor.follow_plain(octets[:, start : start + length].tobytes(), length)
        if packets is None:
            return None
        pointer = (octets[:, start - 2].astype(np.int64) & 7) << 8 | octets[:, start - 1]
        begin = np.arange(len(octets)) * length
        bounds = np.array(packets.bounds) - packets.before
        nearest = np.append(bounds, len(octets) * length)[np.searchsorted(bounds, begin)] - begin
        expected = np.where(nearest < length, nearest, aos_frame.NO_PACKET_START)
        return packets if (pointer == expected).all() else None

    def _run(self, vcid: int, vcfc: Ints, raw: list[bytes], rows: Ints, packets: PlainPackets) -> PlainRun:
        """What the counter has to know."""
        octets = np.frombuffer(packets.stream, np.uint8)
        bounds = np.array(packets.bounds)
        starts = bounds[(bounds >= packets.before) & (bounds + 4 <= len(octets))]
        home = (starts - packets.before) // packets.length
        first = np.append(True, np.diff(home) > 0) if len(home) else np.zeros(0, np.bool_)
        starts, home = starts[first], home[first]
        # A header that the frame cuts off within four bytes tells nothing.
        starts, home = (each[starts - packets.before + 4 <= (home + 1) * packets.length] for each in (starts, home))
        apid = (octets[starts].astype(np.int64) & 7) << 8 | octets[starts + 1]
        count = (octets[starts + 2].astype(np.int64) & 0x3F) << 8 | octets[starts + 3]
        known = octets[starts] >> 5 == 0
        by_apid = {}
        for each in np.unique(apid[known]).tolist():
            if each != IDLE_APID:
                last = np.flatnonzero((apid == each) & known)[-SURE_RIDES - 1 :]
                by_apid[each] = list(zip(count[last].tolist(), home[last].tolist(), strict=True))
        recent = [partial(decode_frame, raw[row], self._profile) for row in rows[-_REMEMBERED:].tolist()]
        return PlainRun(vcid, len(rows), int(vcfc[0]), int(vcfc[-1]), by_apid, recent)

    def _channel(
        self,
        scid: int,
        rows: Ints,
        vcid: int,
        extractor: PacketExtractor,
        packets: PlainPackets,
        offset: Ints,
        vcfc: Ints,
    ) -> PlainChannel:
        stream, bounds = packets.stream, packets.bounds
        octets, edge = np.frombuffer(stream, np.uint8), np.array(bounds)
        start, end = edge[:-1], edge[1:]
        row = rows[(end - 1 - packets.before) // packets.length]
        apid = (octets[start].astype(np.int64) & 7) << 8 | octets[start + 1]
        count = (octets[start + 2].astype(np.int64) & 0x3F) << 8 | octets[start + 3]
        pieces = [stream[a:b] for a, b in pairwise(bounds)]
        wanted = apid != IDLE_APID
        idle = len(apid) - int(np.count_nonzero(wanted))
        if idle:
            pieces = [piece for piece, keep in zip(pieces, wanted.tolist(), strict=True) if keep]
            row, apid, count, start, end = (each[wanted] for each in (row, apid, count, start, end))
        extractor.idle_packets += idle
        extractor.take_plain(packets)
        fields = (offset[row].tolist(), repeat(scid), repeat(vcid), vcfc[row].tolist(), apid.tolist(), count.tolist())
        made = list(map(CapturedPacket, *fields, pieces))
        places = np.unique((edge[edge >= packets.before] - packets.before) // packets.length)
        starting = int(np.count_nonzero(places < len(rows)))
        return PlainChannel(vcid, len(rows), starting, idle, row, apid, count, end - start, made)

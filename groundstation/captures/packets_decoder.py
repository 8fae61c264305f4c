"""A file of bare packets to packets and counts. Sans-I/O; memory does not grow with input."""

from __future__ import annotations

from itertools import repeat

import msgspec
import numpy as np

from groundstation.captures.packet_rows import ApidCount, ApidPackets, CapturedPacket, PacketReader
from protocols.capture_profile import PacketsProfile
from protocols.ccsds import encapsulation
from protocols.ccsds.space_packet import IDLE_APID
from protocols.declare.dictionary import Dictionary
from protocols.sync.packet_splitter import PacketSplitter, Pieces, StreamPacket

_FEW = 16
"""Packets that are cheaper to take one by one."""


class PacketsReport(msgspec.Struct, frozen=True):
    """All counts of a file of packets.

    Attributes:
        total: bytes; ``good`` lie in packets, ``skipped`` in none, ``pending`` in one that is cut off.
        packets: space packets that are not idle.
        encapsulation: encapsulation packets that are not idle.
        bad: whole packets that do not decode, by reason.
    """

    total: int
    good: int
    skipped: int
    pending: int
    conserved: bool
    packets: int
    idle_packets: int
    encapsulation_packets: int
    bad: dict[str, int]
    apids: list[ApidCount]


class PacketsDecoder:
    """Feed it a file piece by piece; it gives packets, and counts in the end."""

    def __init__(self, profile: PacketsProfile, dictionary: Dictionary | None) -> None:
        self._splitter = PacketSplitter(profile)
        self._reader = PacketReader(dictionary)
        self._apids: dict[int, ApidPackets] = {}
        self._idle = self._encapsulation = 0

    def feed(self, data: bytes, ert: int | None = None) -> list[CapturedPacket]:
        """Take the next piece, received at ``ert``; give the packets that it completes."""
        return self._taken(data, ert)

    def finish(self) -> list[CapturedPacket]:
        """The file has ended: give what was waiting for more."""
        return self._taken(None, None)

    def report(self) -> PacketsReport:
        """All counts so far."""
        count = self._splitter.count()
        apids = [self._apids[apid].counted() for apid in sorted(self._apids)]
        return PacketsReport(
            total=count.total,
            good=count.good,
            skipped=count.skipped,
            pending=count.pending,
            conserved=count.conserved,
            packets=sum(apid.packets for apid in apids),
            idle_packets=self._idle,
            encapsulation_packets=self._encapsulation,
            bad=dict(self._reader.bad),
            apids=apids,
        )

    def trouble(self) -> str | None:
        """Why nothing usable came out, in words that help; None if something did."""
        report = self.report()
        if not report.total:
            return "no packet found: there is not one byte"
        if not report.packets and not report.encapsulation_packets:
            idle = f", but {report.idle_packets} idle ones" if report.idle_packets else ""
            return f"no packet found in {report.total} bytes{idle}"
        bad = sum(apid.bad for apid in report.apids)
        if report.packets and bad == report.packets:
            reasons = "; ".join(f"{count} × {reason}" for reason, count in self._reader.bad.most_common(2))
            return f"{report.packets} packets found, and none of them decodes: {reasons}"
        return None

    def _taken(self, data: bytes | None, ert: int | None) -> list[CapturedPacket]:
        """The packets that the next bytes, or the end, complete."""
        pieces = self._splitter.find(data)
        if self._reader.dictionary is None and len(pieces.starts) >= _FEW:
            taken = self._taken_at_once(pieces, ert)
            if taken is not None:
                return taken
        return self._taken_one_by_one(pieces.packets(), ert)

    def _taken_at_once(self, pieces: Pieces, ert: int | None) -> list[CapturedPacket] | None:
        """Raw space packets that are not idle, many at once; None if there are others among them."""
        octets, start = np.frombuffer(pieces.stream, np.uint8), np.array(pieces.starts)
        first, second, third, fourth = (octets[start + n].astype(np.int64) for n in range(4))
        apid, sequence = (first & 7) << 8 | second, (third & 0x3F) << 8 | fourth
        if (first >> 5 == encapsulation.VERSION).any() or (apid == IDLE_APID).any():
            return None
        size = np.array(pieces.ends) - start
        for each in np.unique(apid).tolist():
            chosen = apid == each
            known = self._apids.get(each)
            if known is None:
                known = self._apids[each] = ApidPackets(ApidCount(None, None, each))
            known.add_all(sequence[chosen], size[chosen], lost=0)
        none, offset = repeat(None), (start + pieces.offset).tolist()
        fields = (offset, none, none, none, apid.tolist(), sequence.tolist(), pieces.cut(), repeat(ert))
        return list(map(CapturedPacket, *fields))

    def _taken_one_by_one(self, packets: list[StreamPacket], ert: int | None) -> list[CapturedPacket]:
        out: list[CapturedPacket] = []
        for packet in packets:
            offset, apid, sequence, data = packet.offset, packet.apid, packet.sequence, packet.data
            if apid is None:
                self._take_encapsulated(offset, data, ert, out)
            elif apid == IDLE_APID:
                self._idle += 1
            else:
                read = self._reader.read(apid, data, ert)
                known = self._apids.get(apid)
                if known is None:
                    known = self._apids[apid] = ApidPackets(ApidCount(None, None, apid))
                known.add(sequence, len(data), lost=0, name=read.name, bad=read.error is not None)
                out.append(CapturedPacket(offset, None, None, None, apid, sequence, data, ert, *read))
        return out

    def _take_encapsulated(self, offset: int, data: bytes, ert: int | None, out: list[CapturedPacket]) -> None:
        if data[0] >> 2 & 7 == encapsulation.IDLE:
            self._idle += 1
        else:
            self._encapsulation += 1
            out.append(CapturedPacket(offset, None, None, None, None, None, data, ert))

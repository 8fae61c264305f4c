"""An uplink capture to TC frames, packets and counts. Sans-I/O; memory does not grow with input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Literal

import msgspec

from groundstation.captures.frame_rows import DropPart, EncapsulationPart, PacketPart, item_fields
from groundstation.captures.packet_rows import ApidCount, ApidPackets, CapturedPacket, PacketReader, count_reason
from protocols.capture_profile import TcProfile
from protocols.ccsds.cltu import FILL, CltuReceiver
from protocols.ccsds.randomizer import randomize_tc
from protocols.ccsds.tc_frame import SetVr, TcFrame, Unlock, decode_control, decode_frame, split_frames
from protocols.cop1.messages import FrameKind
from protocols.declare.dictionary import Dictionary
from protocols.decode.packets import EncapsulationFound, PacketDropped, PacketFound
from protocols.decode.segments import SegmentAssembler
from protocols.errors import DecodeError
from protocols.sync.tc_splitter import TcSplitter
from protocols.words import GoodQuality

_SEGMENTS = ("continuing", "first", "last", "whole")


class TcFrameRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One TC frame, good or rejected. ``offset`` is where it starts, or its CLTU; ``data`` is the frame in hex.

    Attributes:
        quality: GOOD, CORRECTED if bits of its CLTU were, or why it was rejected.
        corrected: bits that were put right in its CLTU.
        whole: whether the tail of its CLTU was received.
        type: checked in sequence (AD), bypass (BD), or a control command (BC).
        sequence: N(S).
        segment, map_id: of the segment header.
        command: the control command, in words.
    """

    offset: int
    quality: Literal["GOOD", "CORRECTED", "REJECTED"]
    reason: str | None = None
    ert: int | None = None
    corrected: int = 0
    whole: bool = True
    scid: int | None = None
    vcid: int | None = None
    type: FrameKind | None = None
    sequence: int | None = None
    segment: str | None = None
    map_id: int | None = None
    command: str | None = None
    packets: list[PacketPart] = msgspec.field(default_factory=list)
    encapsulation: list[EncapsulationPart] = msgspec.field(default_factory=list)
    dropped: list[DropPart] = msgspec.field(default_factory=list)
    data: str = ""


class TcChannelCount(msgspec.Struct):
    """The good frames of one virtual channel by type, and the packets in them."""

    scid: int
    vcid: int
    ad: int = 0
    bd: int = 0
    bc: int = 0
    packets: int = 0
    encapsulation_packets: int = 0
    dropped: int = 0


class TcReport(msgspec.Struct, frozen=True):
    """All counts of an uplink capture.

    Attributes:
        total: bytes; ``good`` lie in frames or CLTUs, ``skipped`` in none, ``pending`` in one that is cut off.
        cltus: CLTUs by how they ended: TAIL is whole.
        corrected: bits that were put right in CLTUs.
        rejects: frames that were rejected, by reason.
        drops: packets that could not be put together, by reason.
        bad: whole packets that do not decode, by reason.
    """

    total: int
    good: int
    skipped: int
    pending: int
    conserved: bool
    frames: int
    cltus: dict[str, int]
    corrected: int
    rejects: dict[str, int]
    drops: dict[str, int]
    bad: dict[str, int]
    channels: list[TcChannelCount]
    apids: list[ApidCount]


class TcDecoder:
    """Feed it a capture piece by piece; it gives packets, and counts in the end."""

    def __init__(
        self,
        profile: TcProfile,
        dictionary: Dictionary | None,
        take_frame: Callable[[TcFrameRow], None] | None = None,
    ) -> None:
        """Prepare.

        Args:
            profile: of the uplink.
            dictionary: what is known of the packets; None: they stay raw.
            take_frame: given each frame, good or rejected, as a row.
        """
        self._profile = profile
        self._reader = PacketReader(dictionary)
        self._take_frame = take_frame
        self._cltus = CltuReceiver() if profile.kind == "CLTU" else None
        self._splitter = TcSplitter(fecf=profile.fecf)
        self._assembler = SegmentAssembler(profile.packet_versions)
        self._frames = self._corrected = 0
        self._endings: Counter[str] = Counter()
        self._rejects: Counter[str] = Counter()
        self._drops: Counter[str] = Counter()
        self._channels: dict[tuple[int, int], TcChannelCount] = {}
        self._apids: dict[tuple[int, int, int], ApidPackets] = {}

    def feed(self, data: bytes, ert: int | None = None) -> list[CapturedPacket]:
        """Take the next piece, received at ``ert``; give the packets that it completes."""
        out: list[CapturedPacket] = []
        if self._cltus is None:
            for piece in self._splitter.feed(data):
                self._frame(TcFrameRow(piece.offset, "GOOD", ert=ert, data=piece.data.hex()), piece.data, out)
            return out
        for cltu in self._cltus.feed(data):
            self._endings[cltu.ending] += 1
            self._corrected += cltu.corrected
            quality: GoodQuality = "CORRECTED" if cltu.corrected else "GOOD"
            row = TcFrameRow(cltu.offset, quality, ert=ert, corrected=cltu.corrected, whole=cltu.ending == "TAIL")
            self._cltu(row, randomize_tc(cltu.data) if self._profile.randomised else cltu.data, out)
        return out

    def finish(self) -> list[CapturedPacket]:
        """The capture has ended: give what was waiting for more."""
        out: list[CapturedPacket] = []
        for piece in self._splitter.finish() if self._cltus is None else ():
            self._frame(TcFrameRow(piece.offset, "GOOD", data=piece.data.hex()), piece.data, out)
        return out

    def report(self) -> TcReport:
        """All counts so far."""
        if self._cltus is None:
            count = self._splitter.count()
            total, good, skipped, pending, conserved = (
                count.total, count.good, count.skipped, count.pending, count.conserved,
            )  # fmt: skip
        else:
            each = self._cltus.count()
            total, good, skipped, pending, conserved = (
                each.total, each.taken, each.skipped, each.pending, each.conserved,
            )  # fmt: skip
        return TcReport(
            total=total,
            good=good,
            skipped=skipped,
            pending=pending,
            conserved=conserved,
            frames=self._frames,
            cltus=dict(self._endings),
            corrected=self._corrected,
            rejects=dict(self._rejects),
            drops=dict(self._drops),
            bad=dict(self._reader.bad),
            channels=[self._channels[key] for key in sorted(self._channels)],
            apids=[self._apids[key].counted() for key in sorted(self._apids)],
        )

    def trouble(self) -> str | None:
        """Why nothing usable came out, in words that help; None if something did. A control command is something."""
        report = self.report()
        if not report.total:
            return "no frame found: there is not one byte"
        if not report.frames:
            cltus = sum(report.cltus.values())
            inside = f"{cltus} CLTUs found, but no TC frame in them" if cltus else "no TC frame found"
            reasons = ", ".join(f"{count} × {reason}" for reason, count in self._rejects.most_common(2))
            return f"{inside} in {report.total} bytes{': ' if reasons else ''}{reasons}"
        packets = sum(apid.packets for apid in report.apids)
        if packets and sum(apid.bad for apid in report.apids) == packets:
            bad = "; ".join(f"{count} × {reason}" for reason, count in self._reader.bad.most_common(2))
            return f"{packets} packets found, and none of them decodes: {bad}"
        return None

    def _cltu(self, row: TcFrameRow, data: bytes, out: list[CapturedPacket]) -> None:
        """The frames of one CLTU."""
        frames = split_frames(data)
        for raw in frames:
            self._frame(msgspec.structs.replace(row, data=raw.hex()), raw, out)
        rest = data[sum(map(len, frames)) :]
        if not frames or (rest.strip(FILL) and not row.whole):
            self._reject(msgspec.structs.replace(row, data=rest.hex()), "not a TC frame")

    def _frame(self, row: TcFrameRow, raw: bytes, out: list[CapturedPacket]) -> None:
        try:
            frame = decode_frame(raw, segmented=self._profile.segmented, fecf=self._profile.fecf)
            command = _command(frame)
        except DecodeError as error:
            self._reject(row, str(error))
            return
        self._frames += 1
        channel = self._channels.setdefault((frame.scid, frame.vcid), TcChannelCount(frame.scid, frame.vcid))
        kind = _type(frame)
        channel.ad, channel.bd = channel.ad + (kind == "AD"), channel.bd + (kind == "BD")
        channel.bc += kind == "BC"
        items = self._assembler.push(frame)
        if self._take_frame is not None:
            segment = frame.segment
            self._take_frame(
                msgspec.structs.replace(
                    row,
                    scid=frame.scid,
                    vcid=frame.vcid,
                    type=kind,
                    sequence=frame.sequence,
                    segment=None if segment is None else _SEGMENTS[segment.flags],
                    map_id=None if segment is None else segment.map_id,
                    command=command,
                    **item_fields(items),
                )
            )
        for item in items:
            if isinstance(item, PacketFound):
                out.append(self._packet(channel, item, frame, row))
            elif isinstance(item, EncapsulationFound):
                channel.encapsulation_packets += 1
            elif isinstance(item, PacketDropped):
                channel.dropped += 1
                count_reason(self._drops, item.reason)

    def _packet(self, channel: TcChannelCount, found: PacketFound, frame: TcFrame, row: TcFrameRow) -> CapturedPacket:
        channel.packets += 1
        read = self._reader.read(found.apid, found.data, row.ert)
        key = (frame.scid, frame.vcid, found.apid)
        apid = self._apids.get(key)
        if apid is None:
            apid = self._apids[key] = ApidPackets(ApidCount(*key))
        apid.add(found.sequence, len(found.data), lost=0, name=read.name, bad=read.error is not None)
        place = (row.offset, frame.scid, frame.vcid, frame.sequence)
        return CapturedPacket(*place, found.apid, found.sequence, found.data, row.ert, *read)

    def _reject(self, row: TcFrameRow, reason: str) -> None:
        count_reason(self._rejects, reason)
        if self._take_frame is not None:
            self._take_frame(msgspec.structs.replace(row, quality="REJECTED", reason=reason))


def _type(frame: TcFrame) -> FrameKind:
    return "BC" if frame.control else "BD" if frame.bypass else "AD"


def _command(frame: TcFrame) -> str | None:
    if not frame.control:
        return None
    command = decode_control(frame.data)
    if isinstance(command, Unlock):
        return "UNLOCK"
    assert isinstance(command, SetVr)
    return f"SET V(R) {command.value}"

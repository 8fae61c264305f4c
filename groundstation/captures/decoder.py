"""A capture to packets and counts: the offline counterpart of the receiver. Sans-I/O; memory does not grow with input.

All virtual channels are decoded, declared or not; a frame is foreign if the profile does not fit it, or if a
dictionary is given and it is another spacecraft's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import cast

import msgspec

from groundstation.captures.frame_rows import Content, FrameRow, FrameRows, content_of
from groundstation.captures.hints import SAMPLE, header_hint, hint
from groundstation.captures.packet_rows import ApidCount, ApidPackets, CapturedPacket, PacketReader, count_reason
from groundstation.captures.plain_frames import LEAST, PlainChannel, PlainFrames
from protocols.ccsds.tm_frame import ONLY_IDLE
from protocols.counts import FrameCounter, FrameStep, FrameTotals
from protocols.declare.dictionary import ANY_SCID, Dictionary
from protocols.decode.frame_content import frame_counter, frame_time
from protocols.decode.packets import DropUndone, PacketDropped, PacketExtractor, PacketFound
from protocols.errors import DecodeError
from protocols.profile import LinkProfile
from protocols.sync.bit_sync import BitDeframer, BitForm
from protocols.sync.deframer import Deframer, Frame, Reject
from protocols.sync.frames import TransferFrame, decode_frame
from protocols.words import Certainty

_NO_PACKET: tuple[tuple[Content, str], ...] = (
    ("idle", "carry idle data alone"),
    ("continuation", "carry the continuation of a packet whose start is in none"),
    ("data", "carry no packets, but a VCA_SDU or a bitstream"),
    ("beyond", "have a first header pointer that leads out of the frame"),
)
_FARTHEST = 1 << 17
"""ASMs farther apart than this say nothing about a frame's length."""


class ChannelCount(msgspec.Struct):
    """What one virtual channel of one spacecraft carried.

    ``lost`` frames are missing in ``gaps`` places, as sure as ``lost_certainty`` says. ``duplicates`` came again,
    ``late`` came after a later one, and with ``steps_back`` the frame count stood still or went back: none is a loss.
    ``lost_at_restart`` are missing where the source started again.
    """

    scid: int
    vcid: int
    frames: int = 0
    idle_frames: int = 0
    duplicates: int = 0
    late: int = 0
    steps_back: int = 0
    gaps: int = 0
    lost: int = 0
    lost_certainty: Certainty = "EXACT"
    lost_at_restart: int = 0
    packets: int = 0
    idle_packets: int = 0
    encapsulation_packets: int = 0
    dropped: int = 0


class DecodeReport(msgspec.Struct, frozen=True):
    """All counts of a capture; ``unit`` is that of the first six.

    Attributes:
        rejects: places where a frame should have been, by reason.
        foreign: good frames of another kind, form or spacecraft, by reason.
        drops: packets that could not be put together, by reason.
        bad: whole packets that do not decode, by reason.
        restarts: how often a source started again.
    """

    unit: str
    total: int
    good: int
    corrected: int
    rejected: int
    skipped: int
    pending: int
    conserved: bool
    frames: int
    asm_damaged: int
    inverted: int
    rejects: dict[str, int]
    foreign: dict[str, int]
    drops: dict[str, int]
    bad: dict[str, int]
    restarts: int
    channels: list[ChannelCount]
    apids: list[ApidCount]


@dataclass(slots=True)
class _Channel:
    """A channel's extractor, what its frames were, and its packets by APID."""

    count: ChannelCount
    extractor: PacketExtractor
    totals: FrameTotals = field(default_factory=FrameTotals)
    apids: dict[int, ApidPackets] = field(default_factory=dict)

    def counted(self) -> ChannelCount:
        """All counts so far."""
        count, totals = self.count, self.totals
        count.frames, count.gaps, count.steps_back = totals.frames, totals.gaps, totals.steps_back
        count.duplicates, count.late = totals.duplicates, totals.late
        count.lost, count.lost_certainty = totals.lost.count, totals.lost.certainty
        count.lost_at_restart = totals.at_restart.count
        count.idle_packets = self.extractor.idle_packets
        count.encapsulation_packets = self.extractor.encapsulation_packets
        return count


class CaptureDecoder:
    """Feed it a capture piece by piece; it gives packets, and counts in the end."""

    def __init__(
        self,
        profile: LinkProfile,
        dictionary: Dictionary | None,
        form: BitForm = "packed",
        take_frame: Callable[[FrameRow], None] | None = None,
    ) -> None:
        """Prepare.

        Args:
            profile: of the link.
            dictionary: what is known of the packets; None: they stay raw.
            form: how bits stand in the bytes of a bit stream.
            take_frame: given each frame, good or rejected, as a row.
        """
        self.profile = profile
        self._form = form
        self._take_frame = take_frame
        self._frame_rows = FrameRows()
        self._sample = b""
        self._foreign_frame = b""
        self.dictionary = dictionary
        self._plain_frames = PlainFrames(profile)
        self._is_plain = self._plain_frames.fits and dictionary is None and take_frame is None
        self._reader = PacketReader(dictionary)
        bits = profile.alignment == "bit"
        self.unit = "bits" if bits else "bytes"
        self._deframer = BitDeframer(profile, form) if bits else Deframer(profile)
        self._counters: dict[int, FrameCounter] = {}
        self._channels: dict[tuple[int, int], _Channel] = {}
        self._frames = self._damaged = self._inverted = 0
        self._rejects: Counter[str] = Counter()
        self._foreign: Counter[str] = Counter()
        self._drops: Counter[str] = Counter()
        self._contents: Counter[Content] = Counter()
        self._distances: Counter[int] = Counter()
        self._last_marker: int | None = None

    def feed(self, data: bytes, ert: int | None = None) -> list[CapturedPacket]:
        """Take the next piece, received at ``ert``; give the packets that it completes."""
        packets: list[CapturedPacket] = []
        if not self._frames and len(self._sample) < SAMPLE:
            self._sample += data[: SAMPLE - len(self._sample)]
        items = self._deframer.feed(data)
        if self._is_plain and ert is None and len(items) >= LEAST and self._take_plain(items, packets):
            return packets
        for found in items:
            if isinstance(found, Frame):
                self._frame(found, ert, packets)
            else:
                self._reject(found, ert)
        return packets

    def _take_plain(self, items: list[Frame | Reject], packets: list[CapturedPacket]) -> bool:
        """Take all in one go; False if they are not plain frames, and nothing was taken."""
        if set(map(type, items)) != {Frame}:
            return False
        frames = cast("list[Frame]", items)
        taken = self._plain_frames.take(frames, self._counters.get, self._extractor)
        if taken is None:
            return False
        scid, channels = taken
        self._frames += len(frames)
        self._damaged += [frame.asm_damaged for frame in frames].count(True)
        for each in channels:
            self._count_plain(self._channels[scid, each.vcid], each)
        if len(channels) == 1:
            packets += channels[0].packets
        else:
            found = [pair for each in channels for pair in zip(each.row.tolist(), each.packets, strict=True)]
            packets += [packet for _, packet in sorted(found, key=itemgetter(0))]
        return True

    def _extractor(self, scid: int, vcid: int) -> PacketExtractor | None:
        channel = self._channels.get((scid, vcid))
        return None if channel is None else channel.extractor

    def _count_plain(self, channel: _Channel, plain: PlainChannel) -> None:
        channel.totals.frames += plain.frames
        channel.count.packets += len(plain.packets)
        self._contents["packets"] += plain.starting
        self._contents["continuation"] += plain.frames - plain.starting
        for apid, counts, sizes in plain.by_apid():
            known = channel.apids.get(apid)
            if known is None:
                known = channel.apids[apid] = ApidPackets(ApidCount(channel.count.scid, plain.vcid, apid))
            known.add_all(counts, sizes, lost=channel.totals.lost.count)

    def finish(self) -> list[CapturedPacket]:
        """The capture has ended: nothing more comes of it."""
        return []

    def report(self) -> DecodeReport:
        """All counts so far."""
        count = self._deframer.count()
        channels = [self._channels[key] for key in sorted(self._channels)]
        return DecodeReport(
            unit=self.unit,
            total=count.total,
            good=count.good,
            corrected=count.corrected,
            rejected=count.rejected,
            skipped=count.skipped,
            pending=count.pending,
            conserved=count.conserved,
            frames=self._frames,
            asm_damaged=self._damaged,
            inverted=self._inverted,
            rejects=dict(self._rejects),
            foreign=dict(self._foreign),
            drops=dict(self._drops),
            bad=dict(self._reader.bad),
            restarts=sum(counter.restarts for counter in self._counters.values()),
            channels=[c.counted() for c in channels],
            apids=[c.apids[apid].counted() for c in channels for apid in sorted(c.apids)],
        )

    def trouble(self) -> str | None:
        """Why nothing usable came out, in words that help; None if something did.

        Packets are usable if they decode, or stay raw because nothing declares them; frames, if their rows are taken.
        """
        if not self._deframer.count().total:
            return "no frame found: there is not one byte"
        if not self._frames:
            return f"no frame found: {self._why_no_frame()}"
        foreign = self._foreign.total()
        if foreign == self._frames:
            return f"{foreign} frames found, none for this profile and dictionary: {self._why_foreign()}"
        return None if self._take_frame is not None else self._why_no_packet()

    def _why_no_packet(self) -> str | None:
        apids = [apid for channel in self._channels.values() for apid in channel.apids.values()]
        packets = sum(apid.count.packets for apid in apids)
        if not packets:
            frames = self._frames - self._foreign.total()
            reasons = [f"{count} × {reason}" for reason, count in self._drops.most_common(2)]
            reasons += [
                f"{self._contents[content]} {words}" for content, words in _NO_PACKET if self._contents[content]
            ]
            return f"{frames} frames found, but no packet in them: {', '.join(reasons)}"
        if sum(apid.count.bad for apid in apids) < packets:
            return None
        bad = "; ".join(f"{count} × {reason}" for reason, count in self._reader.bad.most_common(2))
        return f"{packets} packets found, and none of them decodes: {bad}"

    def _why_foreign(self) -> str:
        reason, _ = self._foreign.most_common(1)[0]
        said = header_hint(self._foreign_frame, self.profile) if self._foreign_frame else None
        if said:
            return f"{reason}; their headers say {said}"
        raw = "with --profile and without --dictionary, packets of any spacecraft come out raw"
        return reason if self._foreign_frame else f"{reason}; {raw}"

    def _why_no_frame(self) -> str:
        better = hint(self._sample, self.profile, self._form)
        return f"{self._what_is_there()}; {better}" if better else self._what_is_there()

    def _what_is_there(self) -> str:
        profile = self.profile
        candidates = self._rejects.total() - self._rejects["SYNC"]
        count = self._deframer.count()
        if not profile.asm or not (candidates or count.pending):
            marker = f"the ASM {profile.asm.hex()} does not occur" if profile.asm else "nothing fits"
            return f"{marker} in {count.total} {self.unit}"
        if not candidates:
            return f"{count.total} {self.unit} are less than one frame with its ASM, {profile.cadu_length} bytes"
        checks = " and ".join(["Reed–Solomon"] * bool(profile.rs_depth) + ["FECF"] * profile.fecf)
        text = f"{candidates} ASMs, and after none of them a block of {profile.block_length} bytes that passes {checks}"
        return f"{text}{self._spacing()}"

    def _spacing(self) -> str:
        """What the distance of the ASMs says about the frame's length."""
        (distance, times), *_ = self._distances.most_common(1) or [(0, 0)]
        if times < 2:
            return ""
        cadu = self.profile.cadu_length * (8 if self.unit == "bits" else 1)
        said = "as the profile says" if distance == cadu else f"the profile says {cadu}"
        return f"; the ASMs are mostly {distance} {self.unit} apart, {said}"

    def _reject(self, reject: Reject, ert: int | None) -> None:
        if self._take_frame is not None:
            self._take_frame(self._frame_rows.rejected(reject, ert))
        self._rejects[reject.reason] += 1
        if reject.reason == "SYNC":
            return
        distance = reject.offset - self._last_marker if self._last_marker is not None else 0
        if 0 < distance < _FARTHEST:
            self._distances[distance] += 1
        self._last_marker = reject.offset

    def _frame(self, found: Frame, ert: int | None, packets: list[CapturedPacket]) -> None:
        self._frames += 1
        self._damaged += found.asm_damaged
        self._inverted += found.inverted
        try:
            frame = decode_frame(found.data, self.profile)
        except DecodeError as error:
            self._foreign_frame = self._foreign_frame or found.data
            self._count_foreign(str(error), found, ert)
            return
        if self.dictionary is not None and self.dictionary.scid not in (frame.scid, ANY_SCID):
            reason = f"SCID {frame.scid:#05x}, the dictionary's is {self.dictionary.scid:#05x}"
            self._count_foreign(reason, found, ert)
            return
        scet = None if self.dictionary is None else frame_time(frame, self.dictionary)
        step = self._counter(frame).count(frame, scet, ert)
        self._extract(self._channel(frame), frame, step, found, ert, packets)

    def _count_foreign(self, reason: str, found: Frame, ert: int | None) -> None:
        count_reason(self._foreign, reason)
        if self._take_frame is not None:
            self._take_frame(self._frame_rows.foreign(found, reason, ert))

    def _counter(self, frame: TransferFrame) -> FrameCounter:
        counter = self._counters.get(frame.scid)
        if counter is None:
            counter = self._counters[frame.scid] = frame_counter(self.profile, self.dictionary)
        return counter

    def _channel(self, frame: TransferFrame) -> _Channel:
        key = (frame.scid, frame.vcid)
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = _Channel(
                ChannelCount(*key), PacketExtractor(packet_versions=self.profile.packet_versions)
            )
        return channel

    def _extract(
        self,
        channel: _Channel,
        frame: TransferFrame,
        step: FrameStep,
        found: Frame,
        ert: int | None,
        packets: list[CapturedPacket],
    ) -> None:
        count = channel.count
        channel.totals.add(step)
        self._contents[content_of(frame)] += 1
        count.idle_frames += frame.first_header_pointer == ONLY_IDLE
        if step.kind in ("FIRST", "RESTART") or not step.at_restart.none:
            for apid in channel.apids.values():
                apid.counter.begin_again()
        items = channel.extractor.push(frame, step)
        if self._take_frame is not None:
            self._take_frame(self._frame_rows.good(found, frame, step, items, ert))
        for item in items:
            if isinstance(item, PacketFound):
                count.packets += 1
                packets.append(self._packet(channel, item, frame, step, found.offset, ert))
            elif isinstance(item, PacketDropped):
                count.dropped += 1
                count_reason(self._drops, item.reason)
            elif isinstance(item, DropUndone):
                count.dropped -= 1
                count_reason(self._drops, item.reason, -1)

    def _packet(
        self, channel: _Channel, found: PacketFound, frame: TransferFrame, step: FrameStep, offset: int, ert: int | None
    ) -> CapturedPacket:
        apid = channel.apids.get(found.apid)
        read = self._reader.read(found.apid, found.data, ert)
        if apid is None:
            apid = channel.apids[found.apid] = ApidPackets(ApidCount(frame.scid, frame.vcid, found.apid))
        lost, bad, late = channel.totals.lost.count, read.error is not None, step.kind == "LATE"
        apid.add(found.sequence, len(found.data), lost=lost, name=read.name, bad=bad, late=late)
        place = (offset, frame.scid, frame.vcid, frame.vcfc)
        return CapturedPacket(*place, found.apid, found.sequence, found.data, ert, *read)

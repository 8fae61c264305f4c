"""Salvage with mending: what `Salvager` finds in damaged frames, and what `protocols.mending` makes of them.

Rules:
1. Mended values never mix with good ones: they are *mended*, and given only here and on request.
2. A packet whose own checksum fits as it came is *good*; one that fits after a correction, or that lies in a mended
   frame and has no checksum of its own, is *mended*.
3. Of a frame that cannot be mended, fields are *suspect*, each with the probability that it is right, or *unusable*
   where the neighbours do not allow it.
4. Frames that the deframer passed over, as it had lost the lock, are in it too.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence

from groundstation.messages.base import Value
from groundstation.messages.shown_values import shown_values
from groundstation.recordings.damaged.salvage import Salvager
from groundstation.recordings.damaged.salvage_records import (
    Checksum,
    Mend,
    Reason,
    SalvagedFrame,
    SalvagedPacket,
    SalvagedValue,
    SalvageSummary,
    TurnedBit,
)
from groundstation.recordings.damaged.whole_values import whole_values
from protocols.declare.dictionary import Dictionary
from protocols.errors import DecodeError
from protocols.mending import FieldTrust, MendedFrame, MendedPacket, Mender, refusal
from protocols.profile import LinkProfile
from protocols.words import SalvagedQuality

_FITS = "the packet's own checksum fits"
_MENDED = "the checksum fits after a correction"
_PREDICTED = "not read: its neighbours say what it was"
_IMPOSSIBLE = "its neighbours do not allow this value"
_READ = "the checksum fails; its neighbours allow this value"


class MendingSalvager:
    """Feed it received bytes in order; it gives the damaged frames in order, once it is known what follows them.

    Attributes:
        refused: why frames of this link cannot be mended; None if they can.
    """

    def __init__(self, dictionary: Dictionary, profile: LinkProfile) -> None:
        self.refused = refusal(profile)
        self._size = profile.cadu_length
        self._salvager = Salvager(dictionary, profile)
        self._mender = Mender(dictionary, profile) if self.refused is None else None
        self._found: deque[SalvagedFrame] = deque()
        self._mended: deque[MendedFrame] = deque()
        self._levels: Counter[str] = Counter()
        self._bits: Counter[str] = Counter()
        self._packets: Counter[str] = Counter()
        self._risk = 0.0
        self._whole_to = 0

    def feed(self, ert: int, data: bytes) -> list[SalvagedFrame]:
        """Take what was received at ``ert``."""
        self._found += self._salvager.feed(ert, data)
        if self._mender is None:
            return list(self._joined(None))
        self._mended += self._mender.feed(ert, data)
        return list(self._joined(self._mender.judged_to))

    def finish(self) -> list[SalvagedFrame]:
        """Nothing more comes."""
        self._found += self._salvager.finish()
        if self._mender is not None:
            self._mended += self._mender.finish()
        return list(self._joined(None))

    @property
    def summary(self) -> SalvageSummary:
        """What was gained so far."""
        levels = self._levels
        return SalvageSummary(
            levels.total(),
            levels["MENDED"],
            levels["PARTIAL"],
            levels["HOPELESS"],
            levels[""],
            dict(self._bits),
            dict(self._packets.most_common()),
            self._risk,
            self.refused or "",
        )

    def _joined(self, end: int | None) -> Iterator[SalvagedFrame]:
        """Both kinds of findings in order of their places, as far as both have come; None: all.

        What looked like the beginning of a frame inside of one that was mended is none.
        """
        while True:
            found, mended = next(iter(self._found), None), next(iter(self._mended), None)
            if found is not None and end is not None and found.offset >= end and mended is None:
                return
            if mended is not None and (found is None or mended.offset <= found.offset):
                self._mended.popleft()
                same = found if found is not None and found.offset == mended.offset else None
                if same is not None:
                    self._found.popleft()
                if mended.level == "MENDED":
                    self._whole_to = mended.offset + self._size
                yield self._counted(_with_mend(same, mended, self._size))
            elif found is not None:
                self._found.popleft()
                if found.offset >= self._whole_to:
                    yield self._counted(found)
            else:
                return

    def _counted(self, frame: SalvagedFrame) -> SalvagedFrame:
        mend = frame.mend
        self._levels["" if mend is None else mend.level] += 1
        if mend is not None and mend.level == "MENDED":
            self._risk += mend.risk
            self._bits.update(turned.evidence for turned in mend.turned)
        whole = [packet.packet for packet in frame.packets if packet.checksum in ("fits", "fits mended")]
        self._packets.update(whole)
        return frame


def total(summaries: Sequence[SalvageSummary]) -> SalvageSummary:
    """What was gained on all links."""
    bits, packets = Counter[str](), Counter[str]()
    for each in summaries:
        bits.update(each.bits)
        packets.update(each.packets)
    return SalvageSummary(
        sum(each.damaged for each in summaries),
        sum(each.mended for each in summaries),
        sum(each.partial for each in summaries),
        sum(each.hopeless for each in summaries),
        sum(each.untried for each in summaries),
        dict(bits),
        dict(packets.most_common()),
        sum(each.risk for each in summaries),
        summaries[0].refused if summaries else "",
    )


def _with_mend(found: SalvagedFrame | None, mended: MendedFrame, size: int) -> SalvagedFrame:
    """A damaged frame with what mending made of it; None: the deframer had passed over it."""
    turned = [TurnedBit(each.bit, each.evidence) for each in mended.corrections]
    told = Mend(mended.level, mended.risk, mended.error_rate, mended.why, turned, mended.data)
    packets = [_packet(each, whole=mended.level == "MENDED") for each in mended.packets]
    if mended.level == "HOPELESS" and found is not None:
        packets = found.packets
    reason: Reason = "SYNC" if found is None else found.reason
    return SalvagedFrame(
        mended.ert,
        mended.offset,
        reason,
        size,
        size if found is None else found.came,
        mended.vcid if found is None or mended.level != "HOPELESS" else found.vcid,
        mended.vcfc if found is None or mended.level != "HOPELESS" else found.vcfc,
        [] if found is None else found.trust,
        packets,
        told,
    )


def _packet(mended: MendedPacket, *, whole: bool) -> SalvagedPacket:
    definition, header = mended.packet.definition, mended.packet.header
    sure = mended.state != "PARTIAL" and (header.crc or whole)
    checksum: Checksum = "does not fit"
    if not mended.whole:
        checksum, sure = "cut off", sure and whole
    elif sure:
        checksum = "fits" if header.crc and mended.state == "INTACT" else "fits mended"
    elif not header.crc:
        checksum = "none"
    quality: SalvagedQuality = "suspect" if not sure else "good" if checksum == "fits" else "mended"
    if sure and mended.whole:
        values = whole_values(mended.packet, mended.data, quality, _FITS if quality == "good" else _MENDED)
    else:
        values = _partial_values(mended, quality)
    return SalvagedPacket(definition.name, definition.apid, header.time_of(mended.data), checksum, values)


def _partial_values(mended: MendedPacket, quality: SalvagedQuality) -> list[SalvagedValue]:
    """Of a packet of which some bytes are doubtful, or not there."""
    packet = mended.packet
    size = packet.size
    if size is None:
        return [
            SalvagedValue(each.name, None, each.unit, "unusable", "the packet's size varies, and its checksum fails")
            for each in packet.parameters
        ]
    try:
        decoded = packet.codec.decode(mended.data.ljust(size, b"\0"), packet.header.body_offset)
    except DecodeError as error:
        return [SalvagedValue(each.name, None, each.unit, "unusable", str(error)) for each in packet.parameters]
    came = 8 * (len(mended.data) - packet.header.body_offset)
    ends = {leaf.name: leaf.offset + leaf.bits for leaf in packet.layout.named}
    trust = {field.name: field for field in mended.fields}
    shown, void = shown_values(packet, decoded, []).values, set(packet.void(decoded))
    values = []
    for each in packet.parameters:
        if ends[each.name] > came:
            values.append(SalvagedValue(each.name, None, each.unit, "unusable", "cut off: its bytes are not there"))
        elif each.name in void:
            values.append(SalvagedValue(each.name, None, each.unit, "unusable", "means nothing: its flag is off"))
        else:
            values.append(_partial(each.name, shown[each.name], each.unit, trust.get(each.name), quality))
    return values


def _partial(
    name: str, value: Value | None, unit: str, trust: FieldTrust | None, quality: SalvagedQuality
) -> SalvagedValue:
    if trust is None:
        return SalvagedValue(name, value, unit, quality, _MENDED if quality == "mended" else "the checksum fails")
    if not trust.possible:
        return SalvagedValue(name, value, unit, "unusable", _IMPOSSIBLE, trust.confidence)
    return SalvagedValue(name, value, unit, "suspect", _PREDICTED if trust.known else _READ, trust.confidence)

"""Transfer frames as rows: what `decode --frames` writes, a JSON object for each frame. Sans-I/O.

Good frames with all that their headers say, and what they carry besides packets: the CLCW, the secondary header, the
insert zone, encapsulation packets. Rejected ones with the reason; nothing in their headers can be believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from protocols.ccsds import encapsulation, tm_frame
from protocols.ccsds.aos_frame import AosFrame
from protocols.ccsds.clcw import decode_clcw
from protocols.ccsds.tm_frame import NO_PACKET_START, NO_PACKETS, ONLY_IDLE, TmFrame
from protocols.counts import FrameStep, StepKind
from protocols.decode.packets import EncapsulationFound, Extracted, PacketDropped, PacketFound
from protocols.sync.deframer import Frame, Reject
from protocols.sync.frames import TransferFrame
from protocols.words import Certainty, FrameKind, FrameQuality

Content = Literal["packets", "continuation", "idle", "data", "beyond"]
_TYPE_2 = 0x80


class ClcwRow(msgspec.Struct, frozen=True):
    """A CLCW (CCSDS 232.0-B §4.2): V(R) is ``report``."""

    vcid: int
    report: int
    farm_b: int
    lockout: bool
    wait: bool
    retransmit: bool
    no_rf: bool
    no_bit_lock: bool


class PacketPart(msgspec.Struct, frozen=True):
    """A space packet that this frame completes."""

    apid: int
    sequence: int
    size: int


class EncapsulationPart(msgspec.Struct, frozen=True):
    """An encapsulation packet that this frame completes (133.1-B): ``data`` is what it wraps, in hex."""

    protocol: int
    extension: int
    size: int
    data: str


class DropPart(msgspec.Struct, frozen=True):
    """Bytes that this frame shows to be no packet, or the rest of one that is missing."""

    reason: str
    size: int


class FrameRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One frame, good or rejected. ``offset`` is where its ASM starts, in the capture's units; ``data`` is hex.

    Attributes:
        quality: GOOD, CORRECTED by Reed–Solomon, or why it was rejected.
        corrected: bytes that Reed–Solomon changed.
        foreign: why a good frame is not this profile's or this spacecraft's.
        contains: packets that start in it, only the continuation of one, or idle data alone; "data": no packets, but
            ``field``; "beyond": its first header pointer leads out of the frame.
        field: the data field of a frame that carries no packets.
        step: what it is to the frames before it (`counts.FrameCounter`).
        lost: frames of its channel that are missing before it, as sure as ``lost_certainty`` says.
        mcfc_lost: likewise frames of all channels, by the master channel's count; TM only.
        sync, packet_order, segment_length: TM flags as they stand there (132.0-B §4.1.2.7).
        replay, cycle: AOS signalling (732.0-B §4.1.2.5).
        ocf: operational control field; ``clcw`` is what it says if it is a CLCW, ``type_2`` that it is none.
        data: the frame without ASM and check symbols; of a rejected one, the candidate with its ASM.
    """

    offset: int
    quality: FrameQuality
    ert: int | None = None
    asm_damaged: bool = False
    inverted: bool = False
    corrected: int = 0
    foreign: str | None = None
    kind: FrameKind | None = None
    scid: int | None = None
    vcid: int | None = None
    mcfc: int | None = None
    mcfc_lost: int = 0
    step: StepKind | None = None
    lost: int = 0
    lost_certainty: Certainty = "EXACT"
    vcfc: int | None = None
    first_header_pointer: int | None = None
    contains: Content | None = None
    has_ocf: bool | None = None
    has_secondary_header: bool | None = None
    sync: bool | None = None
    packet_order: bool | None = None
    segment_length: int | None = None
    secondary_header: str | None = None
    replay: bool | None = None
    cycle: int | None = None
    insert_zone: str | None = None
    header_errors: int = 0
    ocf: str | None = None
    clcw: ClcwRow | None = None
    type_2: bool = False
    packets: list[PacketPart] = msgspec.field(default_factory=list)
    encapsulation: list[EncapsulationPart] = msgspec.field(default_factory=list)
    dropped: list[DropPart] = msgspec.field(default_factory=list)
    field: str | None = None
    data: str = ""


class FrameRows:
    """Makes the rows."""

    def rejected(self, reject: Reject, ert: int | None) -> FrameRow:
        """The row of a place where a frame should have been."""
        return FrameRow(reject.offset, reject.reason, ert, data=reject.data.hex())

    def foreign(self, found: Frame, reason: str, ert: int | None) -> FrameRow:
        """The row of a good frame that does not fit."""
        return FrameRow(foreign=reason, **_found_fields(found, ert))

    def good(
        self, found: Frame, frame: TransferFrame, step: FrameStep, items: Sequence[Extracted], ert: int | None
    ) -> FrameRow:
        """The row of a good frame, of what it is to those before it and of what it completes."""
        fields = _found_fields(found, ert) | _ocf_fields(frame.ocf) | item_fields(items) | _step_fields(step)
        if isinstance(frame, TmFrame):
            fields |= _tm_fields(found.data, frame)
        elif isinstance(frame, AosFrame):
            fields |= _aos_fields(frame)
        return FrameRow(
            scid=frame.scid,
            vcid=frame.vcid,
            vcfc=frame.vcfc,
            first_header_pointer=None if frame.first_header_pointer == NO_PACKETS else frame.first_header_pointer,
            contains=content_of(frame),
            field=frame.data.hex() if frame.first_header_pointer == NO_PACKETS else None,
            **fields,
        )


def _step_fields(step: FrameStep) -> dict[str, Any]:
    lost = step.lost + step.at_restart
    everywhere = 0 if step.lost_all is None else step.lost_all.count
    return {"step": step.kind, "lost": lost.count, "lost_certainty": lost.certainty, "mcfc_lost": everywhere}


def _found_fields(found: Frame, ert: int | None) -> dict[str, Any]:
    return {
        "offset": found.offset,
        "quality": "CORRECTED" if found.corrected else "GOOD",
        "ert": ert,
        "asm_damaged": found.asm_damaged,
        "inverted": found.inverted,
        "corrected": found.corrected,
        "data": found.data.hex(),
    }


def content_of(frame: TransferFrame) -> Content:
    """What a frame carries, by its first header pointer."""
    pointer = frame.first_header_pointer
    if pointer == ONLY_IDLE:
        return "idle"
    if pointer == NO_PACKETS:
        return "data"
    if pointer == NO_PACKET_START:
        return "continuation"
    return "packets" if pointer < len(frame.data) else "beyond"


def _tm_fields(raw: bytes, frame: TmFrame) -> dict[str, Any]:
    header = tm_frame.decode_header(raw)
    return {
        "kind": "TM",
        "mcfc": frame.mcfc,
        "has_ocf": header.has_ocf,
        "has_secondary_header": header.has_secondary_header,
        "sync": header.sync,
        "packet_order": header.packet_order,
        "segment_length": header.segment_length,
        "secondary_header": frame.secondary_header.hex() or None,
    }


def _aos_fields(frame: AosFrame) -> dict[str, Any]:
    return {
        "kind": "AOS",
        "has_ocf": frame.ocf is not None,
        "replay": frame.replay,
        "cycle": frame.cycle,
        "insert_zone": frame.insert.hex() or None,
        "header_errors": frame.header_errors,
    }


def _ocf_fields(ocf: bytes | None) -> dict[str, Any]:
    if ocf is None:
        return {}
    if ocf[0] & _TYPE_2:
        return {"ocf": ocf.hex(), "type_2": True}
    word = decode_clcw(ocf)
    row = ClcwRow(
        word.vcid, word.report, word.farm_b, word.lockout, word.wait, word.retransmit, word.no_rf, word.no_bit_lock
    )
    return {"ocf": ocf.hex(), "clcw": row}


def item_fields(items: Sequence[Extracted]) -> dict[str, Any]:
    """What a frame completes, as the fields of its row."""
    packets = [PacketPart(i.apid, i.sequence, len(i.data)) for i in items if isinstance(i, PacketFound)]
    wrapped = [_wrapped(i.data) for i in items if isinstance(i, EncapsulationFound)]
    drops = [DropPart(i.reason, len(i.data)) for i in items if isinstance(i, PacketDropped)]
    return {"packets": packets, "encapsulation": wrapped, "dropped": drops}


def _wrapped(packet: bytes) -> EncapsulationPart:
    header = encapsulation.decode_header(packet)
    return EncapsulationPart(header.protocol, header.extension, header.size, packet[header.header_size :].hex())

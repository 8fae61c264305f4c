"""What this project's XTCE says beside the standard, so that it can be read back: `xtce_reader.own_marks`."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

import msgspec

from protocols.ccsds.cds import CdsFormat
from protocols.declare.dictionary import Dictionary, Packet
from protocols.declare.headers import PacketHeader, TimeCode
from protocols.export.xtce_types import ENCODINGS
from protocols.structures.calibration import Linear, Polynomial, Table
from protocols.structures.fields import QuantityDef
from protocols.structures.layout import Field
from protocols.structures.parts import OPEN_END
from protocols.xtce_reader.own_marks import (
    DocumentMark,
    FieldMark,
    HeaderMark,
    Mark,
    PacketMark,
    QuantityMark,
    TimeMark,
    name_of_mark,
)


def put_mark(element: Element, mark: Mark) -> None:
    """Add a mark at the front of an element, where the schema has it."""
    listed = Element("AncillaryDataSet")
    attributes = {"name": name_of_mark(type(mark)), "mimeType": "application/json"}
    SubElement(listed, "AncillaryData", attributes).text = msgspec.json.encode(mark).decode()
    element.insert(0, listed)


def document_mark(dictionary: Dictionary) -> DocumentMark:
    """What of a mission is neither packet nor command."""
    d = dictionary
    return DocumentMark(d.name, d.scid, d.hash, tuple(d.channels), tuple(d.timeline), tuple(d.events))


def field_mark(field: Field, name: str) -> FieldMark:
    """A field's name in its packet, and what XTCE has no words for."""
    const = field.const.hex() if isinstance(field.const, bytes) else field.const
    quantity = None if field.quantity is None else _quantity(field.quantity)
    text = field.text
    has_words = text is None or (text.encoding in ENCODINGS and text.end != "stripped")
    words = None if text is None or has_words else (text.encoding, text.end)
    return FieldMark(name, field.kind == "padding", field.kind == "flag", const, quantity, words)


def header_mark(header: PacketHeader) -> HeaderMark:
    """The kind of a header and its time code."""
    return HeaderMark(header.kind, header.crc, None if header.time is None else _time(header.time))


def packet_mark(packet: Packet) -> PacketMark:
    """What a packet was declared with, beside its body."""
    d = packet.definition
    when = {name: raw for name, raw in packet.told_by if name in d.when}
    is_open = OPEN_END in packet.layout.parts
    return PacketMark(d.name, d.service, d.subtype, d.period_ms, d.optional, dict(when), d.header.crc, is_open)


def _quantity(quantity: QuantityDef) -> QuantityMark:
    calibration = quantity.calibration
    linear = (calibration.scale, calibration.offset) if isinstance(calibration, Linear) else None
    points = calibration.points if isinstance(calibration, Table) else None
    limits = quantity.limits
    step = None if limits is None or limits.step_s is None else (limits.step_yellow, limits.step_red, limits.step_s)
    is_short = isinstance(calibration, Polynomial) and len(calibration.coefficients) == 2
    return QuantityMark(linear, points, quantity.places, quantity.valid_if, step, quantity.tolerance, is_short)


def _time(time: TimeCode) -> TimeMark:
    form = time.format
    if isinstance(form, CdsFormat):
        return TimeMark("cds", (form.day_size, form.fraction_size), form.epoch_ns, time.p_field)
    return TimeMark("cuc", (form.coarse, form.fine), form.epoch_ns, time.p_field, time.leap_seconds)

"""space_packet_parser decodes a whole descent with our XTCE; the official schema accepts the document."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from protocols.ccsds import pus
from protocols.ccsds.space_packet import decode_header
from protocols.export.names import identifier
from protocols.export.xtce import render_xtce
from protocols.lander import COMMAND_APID, MARS6
from tests.interop.judges import judge, packets

DOCUMENT = render_xtce(MARS6)


def plain(value: object) -> object:
    """Their value without what it carries along: a bool, number, text or bytes."""
    raw = getattr(value, "raw_value", value)
    if type(value).__name__ == "BoolParameter":
        return bool(raw)
    kinds: list[type[Any]] = [str, float, int, bytes]
    for kind in kinds:
        if isinstance(value, kind):
            return kind(value)
    raise AssertionError(f"{type(value)} is no plain value")


def verification() -> list[bytes]:
    """One packet of each type that shares the command handler's APID: the descent has none."""
    found = []
    for packet in MARS6.by_name.values():
        d = packet.definition
        if d.apid == COMMAND_APID:
            numbers = {"request": 0x1900C005, "tick": 7, "failure": 5}
            values = {p.name: numbers[p.name] for p in packet.parameters}
            found.append(packet.encode(values, 1, 0))
    return found


def test_every_value_of_a_descent_agrees() -> None:
    xtce = judge("space_packet_parser.xtce.definitions", "space_packet_parser")
    definition = xtce.XtcePacketDefinition.from_xtce(io.BytesIO(DOCUMENT.encode()))
    kinds: set[str] = set()
    for data in (*packets(), *verification()):
        primary = decode_header(data)
        packet = MARS6.identify(data)
        assert packet is not None
        theirs = definition.parse_bytes(data)
        prefix = identifier(packet.definition.name)
        kinds.add(prefix)
        ours = packet.codec.decode(data, pus.BODY_OFFSET)
        assert {name: plain(theirs[f"{prefix}_{identifier(name)}"]) for name in ours} == ours
        assert (theirs["PKT_APID"], theirs["SRC_SEQ_CTR"]) == (primary.apid, primary.sequence)
        assert theirs["PACKET_ERROR_CONTROL"] == int.from_bytes(data[-2:], "big")
    assert len(packets()) > 2700
    assert kinds == {identifier(name) for name in MARS6.by_name}


def test_a_packet_that_is_not_declared_is_refused() -> None:
    xtce = judge("space_packet_parser.xtce.definitions", "space_packet_parser")
    definition = xtce.XtcePacketDefinition.from_xtce(io.BytesIO(DOCUMENT.encode()))
    stranger = pus.encode_tm(0x55, 0, pus.TmHeader(3, 25, 0, 0, 0), b"body")
    with pytest.raises(Exception, match="abstract container"):
        definition.parse_bytes(stranger)


def test_the_official_schema_accepts_the_document(tmp_path: Path) -> None:
    validation = judge("space_packet_parser.xtce.validation", "space_packet_parser")
    path = tmp_path / "lander.xtce.xml"
    path.write_text(DOCUMENT, encoding="utf-8")
    result = validation.validate_xtce(path, level="schema", raise_on_error=False)
    assert result.valid, str(result)
    broken = tmp_path / "broken.xml"
    broken.write_text(DOCUMENT.replace("sizeInBits", "sizeInBots", 1), encoding="utf-8")
    assert not validation.validate_xtce(broken, level="schema", raise_on_error=False).valid

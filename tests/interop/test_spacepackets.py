"""spacepackets parses our telemetry and our telecommands, and builds the same bytes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from protocols.ccsds import pus
from protocols.ccsds.space_packet import decode_header
from protocols.lander import COMMANDS, MARS6
from tests.interop.external_decoders import judge, packets

CDS_SIZE = 6


def test_every_telemetry_packet_of_a_descent_parses_alike() -> None:
    tm = judge("spacepackets.ecss.tm", "spacepackets")
    for data in packets():
        theirs = tm.PusTm.unpack(data, CDS_SIZE)
        header, primary = pus.decode_tm(data), decode_header(data)
        assert (theirs.apid, theirs.seq_count) == (primary.apid, primary.sequence)
        assert (theirs.service, theirs.message_subtype) == (header.service, header.subtype)
        assert theirs.pus_tm_sec_header.message_counter == header.counter
        assert theirs.source_data == data[pus.BODY_OFFSET : -pus.CRC_SIZE]
        assert bytes(theirs.pack()) == data


def test_the_onboard_time_is_the_same_moment() -> None:
    time = judge("spacepackets.ccsds.time", "spacepackets")
    header = pus.decode_tm(packets()[0])
    stamp = packets()[0][pus.TIME_OFFSET : pus.BODY_OFFSET]
    theirs = time.CdsShortTimestamp.unpack(b"\x40" + stamp)  # it wants the P-field that we leave implicit
    ours = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=header.time_ns // 1000)
    assert theirs.as_datetime() == ours


@pytest.mark.parametrize("name", [c.name for c in COMMANDS])
def test_every_telecommand_parses_alike(name: str) -> None:
    tc = judge("spacepackets.ecss.tc", "spacepackets")
    req_id = judge("spacepackets.ecss.req_id", "spacepackets")
    command = MARS6.command(name)
    arguments = {a.name: a.labels[0][1] if a.labels else a.high or 0 for a in command.arguments}
    data = command.packet(77, arguments, source=3)
    theirs = tc.PusTc.unpack(data)
    assert (theirs.apid, theirs.seq_count) == (command.definition.apid, 77)
    assert (theirs.service, theirs.message_subtype) == (command.definition.service, command.definition.subtype)
    assert (theirs.source_id, theirs.app_data) == (3, command.encode(arguments))
    assert theirs.pus_tc_sec_header.ack_flags == pus.ACK_ACCEPTANCE | pus.ACK_COMPLETION
    assert bytes(theirs.pack()) == data
    assert req_id.RequestId.from_sp_header(theirs.sp_header).as_u32() == pus.request_id(data)


def test_their_telecommand_is_ours() -> None:
    tc = judge("spacepackets.ecss.tc", "spacepackets")
    theirs = tc.PusTc(service=17, message_subtype=1, apid=0x100, seq_count=5, ack_flags=9)
    assert bytes(theirs.pack()) == MARS6.command("PING").packet(5)

"""ccsdspy reads our packets with a field list made from the layout."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest

from protocols.ccsds import pus
from protocols.ccsds.space_packet import HEADER_SIZE
from protocols.decode import bulk_packets as bulk
from protocols.lander import MARS6
from protocols.structures.codec import codec_of
from tests.interop.external_decoders import judge, of_type

TYPES = {"uint": "uint", "sint": "int", "flag": "uint", "padding": "fill"}


@pytest.mark.parametrize("name", ["DESCENT", "LANDER_HK", "LANDER_EVENT", "BUS_HK", "BUS_EVENT", "FAULT_TRACE"])
def test_every_raw_value_agrees(name: str) -> None:
    ccsdspy = judge("ccsdspy", "ccsdspy")
    packet = MARS6.by_name[name]
    data = of_type(packet.definition)
    fields = [ccsdspy.PacketField("pus_header", "fill", 8 * (pus.BODY_OFFSET - HEADER_SIZE))]
    fields += [
        ccsdspy.PacketField(f.name or f"padding_{f.offset}", TYPES[f.kind], f.bits) for f in packet.layout.fields
    ]
    fields.append(ccsdspy.PacketField("error_control", "uint", 16))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = ccsdspy.FixedLength(fields).load(io.BytesIO(b"".join(data)), include_primary_header=True)
    assert theirs["CCSDS_APID"].tolist() == [packet.definition.apid] * len(data)
    codec = codec_of(packet.layout, name)
    raw = [codec.decode_raw(each, pus.BODY_OFFSET) for each in data]
    for index, field in enumerate(packet.layout.named):
        assert theirs[field.name].tolist() == [row[index] for row in raw]
    columns = bulk.decode_batch(data, packet)
    assert np.array_equal(theirs["tick"], columns["tick"])

"""The generated codecs of every header declared here against construct, the oracle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ccsds import aos_frame, cds, cuc, encapsulation, tc_frame
from protocols.structures.codec import compile_codec
from tests.protocols.structures.test_codec import flatten, same

DECLARATIONS = {
    "aos": aos_frame.PRIMARY_HEADER,
    "m_pdu": aos_frame.M_PDU_HEADER,
    "fhec": aos_frame.HEADER_ERROR_CONTROL,
    "tc": tc_frame.PRIMARY_HEADER,
    "segment": tc_frame.SEGMENT_HEADER,
    "encapsulation 1": encapsulation.HEADER_1,
    "encapsulation 2": encapsulation.HEADER_2,
    "encapsulation 4": encapsulation.HEADER_4,
    "encapsulation 8": encapsulation.HEADER_8,
    "cuc p": cuc.P_FIELD,
    "cuc p 2": cuc.P_FIELD_EXTENSION,
    "cds p": cds.P_FIELD,
}


@pytest.mark.parametrize("name", DECLARATIONS)
@given(data=st.data())
def test_generated_decoder_equals_construct(name: str, data: st.DataObject) -> None:
    declaration = DECLARATIONS[name]
    codec = compile_codec(declaration, name)
    raw = data.draw(st.binary(min_size=codec.size, max_size=codec.size))
    assert same(codec.decode(raw, 0), flatten(declaration.parse(raw)))
    assert codec.encode_raw(*codec.decode_raw(raw, 0)) == declaration.build(declaration.parse(raw))

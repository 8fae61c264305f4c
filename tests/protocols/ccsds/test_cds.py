"""CDS time codes with a P-field, long days and fractions of a millisecond."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ccsds.cds import EPOCH_1958_NS, CdsFormat, decode_cds, decode_p_field, encode_cds
from protocols.declare.dictionary import utc_ns
from protocols.errors import DeclarationError, DecodeError, EncodeError

LOS = utc_ns("1974-03-12T09:11:05")
J2000 = utc_ns("2000-01-01T12:00:00")
formats = st.builds(
    CdsFormat, st.sampled_from([2, 3]), st.sampled_from([0, 2, 4]), st.sampled_from([EPOCH_1958_NS, J2000])
)


@pytest.mark.parametrize(
    ("form", "p_field"),
    [
        (CdsFormat(), 0b0_100_0_0_00),
        (CdsFormat(fraction_size=2), 0b0_100_0_0_01),
        (CdsFormat(fraction_size=4), 0b0_100_0_0_10),
        (CdsFormat(3, 4, J2000), 0b0_100_1_1_10),
    ],
)
def test_p_fields(form: CdsFormat, p_field: int) -> None:
    assert form.p_field == bytes([p_field])
    assert decode_p_field(form.p_field, agency_epoch_ns=J2000) == form


def test_the_plain_format_is_this_landers_code() -> None:
    assert CdsFormat().encode(LOS) == encode_cds(LOS)
    assert CdsFormat(3, 2).encode(LOS + 123_456) == b"\0" + encode_cds(LOS) + (123).to_bytes(2, "big")
    assert CdsFormat(2, 4).encode(LOS + 123_456) == encode_cds(LOS) + (123_456_000).to_bytes(4, "big")


@given(formats, st.integers(0, 65535), st.integers(0, 86_399_999), st.integers(0, 999_999))
def test_round_trip(form: CdsFormat, day: int, ms: int, ns: int) -> None:
    time = form.epoch_ns + (day * 86_400_000 + ms) * 1_000_000 + ns
    unit = {0: 1_000_000, 2: 1_000, 4: 1}[form.fraction_size]
    raw = form.encode(time)
    assert len(raw) == form.size
    assert form.decode(b"\0" + raw, 1) == time - ns % unit
    assert form.encode(form.decode(raw)) == raw


@pytest.mark.parametrize("ms", [86_400_000, 86_400_999, 86_401_000, 2**32 - 1])
@pytest.mark.parametrize("day", [0, 5914, 65535])
def test_more_milliseconds_than_a_day_has_are_refused(day: int, ms: int) -> None:
    raw = day.to_bytes(2, "big") + ms.to_bytes(4, "big")
    for decode in (decode_cds, CdsFormat().decode):
        with pytest.raises(DecodeError, match="ms of day"):
            decode(raw)


@pytest.mark.parametrize(
    ("day", "allowed"),
    [
        ("1972-06-30", True),
        ("2016-12-31", True),
        ("1974-03-12", False),
        ("2017-12-31", False),
        ("2025-06-30", False),
        ("2031-06-30", True),  # not announced yet
        ("2031-03-31", False),
    ],
)
def test_leap_second_is_taken_where_there_was_one_or_may_be(day: str, allowed: bool) -> None:
    number = (utc_ns(f"{day}T00:00:00") - EPOCH_1958_NS) // 86_400_000_000_000
    raw = number.to_bytes(2, "big") + (86_400_999).to_bytes(4, "big")
    if allowed:
        assert decode_cds(raw) == utc_ns(f"{day}T23:59:59.999") + 1_000_000_000
    else:
        with pytest.raises(DecodeError):
            decode_cds(raw)


def test_a_leap_second() -> None:
    raw = (5843).to_bytes(2, "big") + (86_400_500).to_bytes(4, "big")  # 1973-12-31T23:59:60.5
    assert CdsFormat().decode(raw) == utc_ns("1974-01-01T00:00:00") + 500_000_000


@pytest.mark.parametrize(
    ("raw", "text"), [("", "wanted"), ("1E", "not a CDS"), ("C0", "not a CDS"), ("43", "not a CDS"), ("48", "agency")]
)
def test_p_fields_that_are_none(raw: str, text: str) -> None:
    with pytest.raises(DecodeError, match=text):
        decode_p_field(bytes.fromhex(raw))


def test_what_cannot_be_is_refused() -> None:
    for time in (EPOCH_1958_NS - 1, EPOCH_1958_NS + 65536 * 86_400_000_000_000):
        with pytest.raises(EncodeError):
            CdsFormat().encode(time)
    for raw in (b"", bytes(5), b"\0\0" + (86_401_000).to_bytes(4, "big")):
        with pytest.raises(DecodeError):
            CdsFormat().decode(raw)
    with pytest.raises(DecodeError):
        CdsFormat(2, 2).decode(bytes(6) + (1000).to_bytes(2, "big"))
    for day_size, fraction_size in ((1, 0), (4, 0), (2, 1), (2, 6)):
        with pytest.raises(DeclarationError):
            CdsFormat(day_size, fraction_size)

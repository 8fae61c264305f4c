"""CUC time codes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ccsds.cuc import EPOCH_1958_NS, CucFormat, decode_p_field
from protocols.declare.dictionary import utc_ns
from protocols.errors import DeclarationError, DecodeError, EncodeError

GPS_EPOCH = utc_ns("1980-01-06T00:00:00")
formats = st.builds(CucFormat, st.integers(1, 7), st.integers(0, 10), st.sampled_from([EPOCH_1958_NS, 0, GPS_EPOCH]))


@pytest.mark.parametrize(
    ("form", "p_field"),
    [
        (CucFormat(4, 0), "1C"),
        (CucFormat(4, 2), "1E"),
        (CucFormat(4, 2, GPS_EPOCH), "2E"),
        (CucFormat(4, 3, GPS_EPOCH), "2F"),
        (CucFormat(1, 0, GPS_EPOCH), "20"),
        (CucFormat(5, 6, GPS_EPOCH), "AF2C"),
        (CucFormat(2, 10), "971C"),
        (CucFormat(7, 1), "9D60"),
    ],
)
def test_p_fields(form: CucFormat, p_field: str) -> None:
    # 301.0-B §3.2.2: extension, code 001 or 010, coarse - 1, fine; second byte: extension, more coarse, more fine.
    assert form.p_field == bytes.fromhex(p_field)
    assert decode_p_field(form.p_field, agency_epoch_ns=GPS_EPOCH) == (form, len(form.p_field))


def test_seconds_and_fractions() -> None:
    form = CucFormat(4, 2, GPS_EPOCH)
    assert form.encode(GPS_EPOCH + 1_500_000_000) == bytes.fromhex("00000001 8000")
    assert form.decode(b"\xff" + bytes.fromhex("00000001 0001"), 1) == GPS_EPOCH + 1_000_015_259
    assert CucFormat(4, 0).encode(utc_ns("1958-01-02T00:00:00")) == (86400).to_bytes(4, "big")


@given(formats, st.data())
def test_bytes_come_back_up_to_three_bytes_of_fraction(form: CucFormat, data: st.DataObject) -> None:
    raw = data.draw(st.binary(min_size=form.size, max_size=form.size))
    time = form.decode(raw)
    if form.fine <= 3:
        assert form.encode(time) == raw


@given(formats.filter(lambda form: form.coarse >= 5 and form.fine >= 4), st.integers(0, 1 << 62))
def test_nanoseconds_come_back_from_four_bytes_of_fraction(form: CucFormat, elapsed: int) -> None:
    time = form.epoch_ns + elapsed % (255 << 32) * 1_000_000_000 + elapsed % 1_000_000_000
    assert form.decode(form.encode(time)) == time


@given(formats)
def test_p_field_round_trip(form: CucFormat) -> None:
    epoch = None if form.epoch_ns == EPOCH_1958_NS else form.epoch_ns
    assert decode_p_field(b"\0" + form.p_field, 1, agency_epoch_ns=epoch) == (form, len(form.p_field))


@pytest.mark.parametrize(
    ("raw", "text"), [("", "wanted"), ("40", "not CUC"), ("2E", "agency"), ("9E80", "two"), ("9E", "wanted")]
)
def test_p_fields_that_are_none(raw: str, text: str) -> None:
    with pytest.raises(DecodeError, match=text):
        decode_p_field(bytes.fromhex(raw))


def test_what_cannot_be_is_refused() -> None:
    form = CucFormat(1, 1, 0)
    for time in (-1_000_000_000, 256_000_000_000, 255_999_999_999):
        with pytest.raises(EncodeError):
            form.encode(time)
    with pytest.raises(DecodeError):
        form.decode(b"\0")
    for coarse, fine in ((0, 0), (8, 0), (1, -1), (1, 11)):
        with pytest.raises(DeclarationError):
            CucFormat(coarse, fine)

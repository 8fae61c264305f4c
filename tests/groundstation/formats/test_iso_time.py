"""Times as text read back as the same nanosecond."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from groundstation.formats.iso_time import iso_utc
from protocols.times import utc_ns


def test_loss_of_signal_is_written_with_nanoseconds() -> None:
    assert iso_utc(132_311_465_000_000_001) == "1974-03-12T09:11:05.000000001Z"


@given(st.integers(-(2**63), 2**63 - 1))
def test_iso_text_reads_back_as_the_same_nanosecond(ns: int) -> None:
    text = iso_utc(ns)
    assert utc_ns(text) == ns
    assert len(text) == len("1974-03-12T09:11:05.000000001Z")

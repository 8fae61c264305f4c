"""Instruments as data: each names parameters that are there, and the interface document has a row for each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protocols.declare.instruments import Instrument, items_of
from protocols.errors import DeclarationError
from protocols.export.icd import render_icd
from protocols.lander import MARS6

SYSTEMS = {"DESCENT", "LANDER_SYSTEMS", "SURFACE", "SPECTRUM", "BUS_HK", "MAGNETOMETER", "PLASMA", "COSMIC_RAYS"}


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ((), "it has no parameter"),
        (("pressure",), "'pressure' is not PACKET.parameter"),
        (("DESENT.pressure",), "no packet 'DESENT'; did you mean 'DESCENT'?"),
        (("DESCENT.presure",), "no parameter 'presure' of DESCENT; did you mean 'pressure'?"),
    ],
)
def test_a_parameter_that_is_not_there_is_refused(parameters: tuple[str, ...], told: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        replace(MARS6, instruments=(Instrument("barometer", "lander", "S", parameters),))
    assert str(refused.value) == f"instrument barometer: {told}"


def test_items_of_an_array_have_its_name() -> None:
    assert items_of("a", ["a[0]", "a[1]", "ab", "b"]) == ["a[0]", "a[1]"]
    assert items_of("a", ["a", "ab"]) == ["a"]


def test_every_instrument_has_a_row_with_all_columns() -> None:
    text = render_icd(MARS6).partition("## Instruments and systems")[2].partition("\n### ")[0]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == sum(len(each.parameters) for each in MARS6.instruments)
    assert all(len(row) == 9 for row in rows)
    barometer = next(row for row in rows if row[2] == "`DESCENT.pressure`")
    assert barometer[:2] == ["barometer [S]", "lander"]
    assert barometer[3:7] == ["0 … 12", "hPa", "1000 ms", "–, – … 6.5, 8"]
    assert "hydrostatic" in barometer[7]
    assert barometer[8] == "[A]"


def test_every_science_packet_belongs_to_an_instrument() -> None:
    measured = {parameter.partition(".")[0] for each in MARS6.instruments for parameter in each.parameters}
    assert measured >= SYSTEMS | {"MICROMETEOROIDS", "PARTICLES"}

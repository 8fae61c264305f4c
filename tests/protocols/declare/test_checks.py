"""Checks as they are declared: what they compute, what they say, and what is refused."""

from __future__ import annotations

from math import exp

import pytest
from construct import Enum, Flag, GreedyRange, Int8ub, Int16ub, Struct

from protocols.declare.checks import (
    Atmosphere,
    Bound,
    Check,
    FallChange,
    FlatLine,
    Hydrostatic,
    Integral,
    Labels,
    LapseRate,
    OnlyWhile,
    Order,
    Proportional,
    Range,
    Rate,
    SpeedChange,
)
from protocols.declare.dictionary import Dictionary, PacketDef
from protocols.errors import DeclarationError
from protocols.structures.fields import Quantity

TM = PacketDef(
    "TM",
    0x21,
    3,
    25,
    Struct(
        "mode" / Enum(Int8ub, SAFE=0),
        "on" / Flag,
        "height" / Quantity(Int16ub, "m"),
        "sink" / Quantity(Int16ub, "m/s"),
        "air" / Quantity(Int16ub, "hPa", scale=0.01),
    ),
)
OTHER = PacketDef("OTHER", 0x22, 3, 25, Struct("height" / Quantity(Int16ub, "m")))
LONG = PacketDef("LONG", 0x23, 3, 25, Struct("heights" / GreedyRange(Int8ub)))
HEIGHT, SINK = Rate("TM.height", 5, 100, 10), Rate("TM.sink", 1, 5, 5)
AIR = Atmosphere(1000.0, 280.0, 0.0065, 11_000.0, 287.0, 9.81, 6_371_000.0)


def declare(*checks: Check) -> Dictionary:
    return Dictionary("BIRD", 1, (TM, OTHER, LONG), (), (), (), checks=checks)


@pytest.mark.parametrize(
    ("checks", "message"),
    [
        ((Range("TM.hight", 0, 1),), r"check range of TM.hight: no parameter of TM 'hight'; did you mean 'height'"),
        ((Range("height", 0, 1),), "'height' is not PACKET.parameter"),
        ((Range("MT.height", 0, 1),), "no packet 'MT' of fixed size"),
        ((Range("LONG.heights", 0, 1),), "no packet 'LONG' of fixed size"),
        ((Range("TM.mode", 0, 1),), "TM.mode is not a number"),
        ((Range("TM.height", 2, 1),), "no value lies in 2 … 1"),
        ((Rate("TM.height", -1, 1, 1),), "window: expected a number from 0 on, not -1"),
        ((Rate("TM.height", float("nan"), 1, 1),), "window: expected a number from 0 on, not nan"),
        ((HEIGHT, HEIGHT), "check rate of TM.height: declared twice"),
        ((Rate("TM.height", 1, 1, 1, every_ms=300),), "every_ms: 300 ms do not divide a second"),
        ((HEIGHT, Integral("TM.height", "TM.sink", -1, 1)), "TM.sink has no Rate"),
        ((HEIGHT, Rate("OTHER.height", 1, 1, 1), Proportional("OTHER.height", "TM.height", 1)), "in another packet"),
        ((SINK, OnlyWhile("TM.on", "TM.height", 0, 1)), "TM.height has no Rate"),
        ((Order("TM.mode", ("SAVE",)),), "TM.mode has no label 'SAVE'; did you mean 'SAFE'"),
        ((Labels("TM.height"),), "TM.height is not an enumeration"),
    ],
)
def test_a_check_that_cannot_be_is_refused_with_its_place(checks: tuple[Check, ...], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        declare(*checks)


def test_checks_are_no_part_of_the_hash() -> None:
    assert declare(Range("TM.height", 0, 1)).hash == declare().hash


def test_the_hydrostatic_equation_holds_in_every_layer() -> None:
    for low, high in ((0, 100), (5_000, 5_100), (15_000, 15_100)):
        middle = AIR.temperature_at((low + high) / 2)
        gravity = 9.81 * (6_371_000 / (6_371_000 + (low + high) / 2)) ** 2
        expected = exp(-gravity * (high - low) / (287.0 * middle))
        assert AIR.pressure_at(high) / AIR.pressure_at(low) == pytest.approx(expected, rel=1e-6)
    assert AIR.pressure_at(0) == 1000.0
    assert AIR.temperature_at(20_000) == AIR.temperature_at(12_000) == pytest.approx(280 - 0.0065 * 11_000)


def test_relations_expect_what_they_say() -> None:
    assert Proportional("TM.air", "TM.height", 1, scale=2, offset=3, highest=100).expected(0, 7) == 17
    assert Proportional("TM.air", "TM.height", 1, scale=2, highest=100).expected(0, 70) == 100
    bound = Bound("TM.sink", "TM.height", 1)
    assert (bound.expected(9, 7), bound.expected(-9, 7), bound.expected(3, 7)) == (7, -7, 3)
    hydrostatic = Hydrostatic("TM.air", "TM.height", AIR, 0.1, 2)
    assert (hydrostatic.expected(0, 0), hydrostatic.allowed(1000)) == (1000, 102)
    assert LapseRate("TM.air", "TM.height", AIR, 2).expected(0, 0) == 280


def test_a_fall_without_air_is_free_and_one_along_the_ground_is_bent() -> None:
    fall = FallChange("TM.sink", "TM.height", "TM.air", 9.81, 1_000_000, 1)
    assert fall.per_second(100, 100, 0) == pytest.approx(9.81)
    assert fall.per_second(0, 1000, 0) == pytest.approx(9.81 - 1.0)
    assert fall.per_second(100, 100, 1) == pytest.approx(9.81 - 9.80665)
    speed = SpeedChange("TM.height", "TM.sink", "TM.air", 9.81, 1)
    assert speed.per_second(100, 50, 0) == pytest.approx(9.81 / 2)
    assert speed.per_second(100, 0, 2) == pytest.approx(-2 * 9.80665)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (Range("TM.height", 0, 9000), "0 … 9000"),
        (Order("TM.mode", ("SAFE", "SAFE")), "SAFE → SAFE"),
        (FlatLine("TM.height", 1, 5, "TM.sink", 3), "not within 1 for 5 s while sink moves 3"),
        (Proportional("TM.air", "TM.height", 1, 2, 3, 9), "2 · height + 3, at most 9, ±1"),
        (Integral("TM.height", "TM.sink", -1, 2), "changes by -sink, ±2 a second"),
        (Hydrostatic("TM.air", "TM.height", AIR, 0.03, 0.1), "hydrostatic at height, ±3 % ±0.1"),
    ],
)
def test_a_check_says_what_it_allows(check: Check, text: str) -> None:
    assert check.text == text

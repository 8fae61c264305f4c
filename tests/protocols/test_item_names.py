"""Names of the items of repeated parts: which of their numbers are declared, and which are not."""

from __future__ import annotations

import construct as c
import pytest

from protocols.declare.dictionary import Dictionary, Packet, PacketDef
from protocols.declare.headers import NO_HEADER
from protocols.item_names import declared_name, of_same_item, repeated_in
from protocols.structures.fields import Limits, Quantity

LIMITS = Limits(red_high=2)


def packet() -> Packet:
    """Of variable size: an array of fixed length, and one within a repeated part."""
    value = Quantity(c.Int8ub, "V", scale=0.1, limits=LIMITS, valid_if="p[].ok")
    item = c.Struct("ok" / c.Flag, "y" / c.Array(2, value))
    body = c.Struct(
        "n" / c.Int8ub,
        "a" / c.Array(2, Quantity(c.Int8ub, "V", scale=0.1, limits=LIMITS)),
        "wide" / c.Array(2, c.Int64ub),
        "p" / c.Array(c.this.n, item),
    )
    mission = Dictionary("M", 1, (PacketDef("SCI", 5, body=body, header=NO_HEADER),), (), (), ())
    return mission.by_name["SCI"]


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("n", "n"),
        ("a[1]", "a[1]"),
        ("p[12].x", "p[].x"),
        ("p[12].y[1]", "p[].y[1]"),
        ("q[1].r[2].s[3]", "q[1].r[].s[3]"),
        ("t[4][1][5]", "t[][1][]"),
    ],
)
def test_the_number_of_a_fixed_item_is_kept(name: str, declared: str) -> None:
    repeated = repeated_in(["n", "a[0]", "a[1]", "p[].x", "p[].y[1]", "q[1].r[].s[3]", "t[][1][]"])
    assert repeated == {"p", "q[1].r", "t", "t[][1]"}
    assert declared_name(name, repeated) == declared


def test_a_flag_beside_an_item_is_that_of_the_item() -> None:
    assert of_same_item("p[].ok", "p[3].y[1]", "p[].y[1]") == "p[3].ok"
    assert of_same_item("q[1].r[].ok", "q[1].r[2].s[3]", "q[1].r[].s[3]") == "q[1].r[2].ok"


def test_fixed_items_of_a_variable_packet_keep_their_meaning() -> None:
    sci = packet()
    given = {"n": 2, "a[0]": 1, "a[1]": 30, "wide[0]": 2**60, "wide[1]": 1}
    given |= {f"p[{n}].{name}": value for n in range(2) for name, value in (("ok", n), ("y[0]", 3), ("y[1]", 31))}
    values = sci.decode(sci.encode(given))
    quantities = ["a[0]", "a[1]", "p[0].y[0]", "p[0].y[1]", "p[1].y[0]", "p[1].y[1]"]
    assert [name for name, _ in sci.limited_in(values)] == quantities
    assert [name for name, limits in sci.limited_in(values) if limits.state(values[name]) != "GREEN"] == [  # type: ignore[arg-type]
        "a[1]",
        "p[0].y[1]",
        "p[1].y[1]",
    ]
    assert list(sci.rounded_in(values)) == [(name, 1) for name in quantities]
    assert list(sci.wide_in(values)) == ["wide[0]", "wide[1]"]
    assert sci.void(values) == ["p[0].y[0]", "p[0].y[1]"]

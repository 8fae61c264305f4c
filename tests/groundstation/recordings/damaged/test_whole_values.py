"""Values of whole packets, as salvage gives them."""

from __future__ import annotations

import construct as c

from groundstation.recordings.damaged.whole_values import whole_values
from protocols.declare.dictionary import Dictionary, PacketDef
from protocols.declare.headers import NO_HEADER
from protocols.structures.fields import Quantity


def test_items_of_fixed_and_of_variable_arrays_have_their_units() -> None:
    item = c.Struct("ok" / c.Flag, "y" / c.Array(2, Quantity(c.Int8ub, "V", valid_if="p[].ok")))
    body = c.Struct("a" / c.Array(2, Quantity(c.Int8ub, "A")), "p" / c.PrefixedArray(c.Int8ub, item))
    mission = Dictionary("M", 1, (PacketDef("SCI", 5, body=body, header=NO_HEADER),), (), (), ())
    packet = mission.by_name["SCI"]
    values = whole_values(packet, packet.wrap(bytes([1, 2, 1, 0, 3, 4])), "good", "")
    assert [(each.name, each.value, each.unit) for each in values] == [
        ("a[0]", 1, "A"),
        ("a[1]", 2, "A"),
        ("p[0].ok", False, ""),
        ("p[0].y[0]", None, "V"),
        ("p[0].y[1]", None, "V"),
    ]
    assert values[-1].why == "means nothing: p[].ok is off"

"""The interface document: what it says of headers, byte order, sizes and parts."""

from __future__ import annotations

import construct as c

from protocols.declare.checks import Proportional, Range, Rate
from protocols.declare.dictionary import Dictionary, PacketDef
from protocols.declare.headers import NO_HEADER, PacketHeader, cuc_time
from protocols.export.icd import render_icd
from protocols.structures.calibration import Polynomial, Table
from protocols.structures.fields import EnumRanges, Quantity

BODY = c.Struct(
    "n" / c.Int8ub,
    "volt" / Quantity(c.Int16ul, "V", calibration=Polynomial((1, 2, 0.5))) * "a voltage",
    "temp" / Quantity(c.Int8ub, "K", calibration=Table(((0, 200), (255, 300)))),
    "zone" / EnumRanges(c.Int8ub, COLD=(0, 99), HOT=200),
    "name" / c.PaddedString(8, "utf8"),
    "points" / c.Array(c.this.n, c.Struct("x" / c.Int8sb, "y" / c.Bytes(c.this.x))),
    "extra" / c.If(c.this.n > 3, c.Struct("z" / c.Int32ub)),
    "text" / c.PascalString(c.Int8ub, "ascii"),
    "rest" / c.GreedyBytes,
)
OWN = PacketHeader("own", cuc_time(), crc=True, fields=c.Struct("sid" / c.Int8ub))
MISSION = Dictionary(
    "M",
    1,
    (
        PacketDef("VAR", 5, body=BODY, header=OWN, when={"sid": 4}, description="All kinds."),
        PacketDef("BARE", 6, body=c.Struct("a" / c.Int8ub), header=NO_HEADER),
    ),
    (),
    (),
    (),
)


def test_every_part_has_its_row() -> None:
    rows = [line for line in render_icd(MISSION).splitlines() if line.startswith("|")]
    for wanted in (
        "| [VAR](#var) | 0x005 | sid = 4 | 29 or more | now and then |",
        "| 1 | `volt` | uint 16 little | V | 1 + 2 × raw + 0.5 × raw² |   | a voltage |",
        "| 3 | `temp` | uint 8 | K | table of 2, interpolated: 0 → 200 … 255 → 300 |   |   |",
        "| 5 | `name` | string utf-8 64 |   |   |   |   |",
        "| + | `points[]` | n times |   |   |   |   |",
        "| +0 | · `points[].x` | sint 8 |   |   |   |   |",
        "| + | · `points[].y` | bytes, points[].x bytes |   |   |   |   |",
        "| + | (if (n > 3)) |   |   |   |   |   |",
        "| +0 | · `extra.z` | uint 32 |   |   |   |   |",
        "| + | `text` | string ascii, as a prefix of 1 byte says |   |   |   |   |",
        "| + | `rest` | bytes, the rest of the bytes |   |   |   |   |",
    ):
        assert wanted in rows, wanted


def test_headers_byte_order_and_ranges_are_told() -> None:
    text = render_icd(MISSION)
    assert "big-endian, but for what says little" in text
    assert "Header of kind own (VAR): 13 bytes before the body, onboard time CUC 4+2 since" in text
    assert "Header of kind none (BARE): 6 bytes before the body, no onboard time." in text
    assert "`zone`: 0 … 99 COLD, 200 HOT." in text
    assert "PUS-C header: 19" not in text


def test_each_field_has_its_range_rate_tolerance_and_checks() -> None:
    body = c.Struct("volt" / Quantity(c.Int8ub, "V", tolerance=0.5), "amp" / Quantity(c.Int8ub, "A"), "n" / c.Int8ub)
    checks = (
        Range("TM.volt", 0, 30),
        Rate("TM.volt", 1, 2, 3, every_ms=500),
        Rate("TM.amp", 1, 2, 3),
        Proportional("TM.amp", "TM.volt", 1, scale=2),
    )
    packet = PacketDef("TM", 5, 3, 25, body, 100)
    rows = render_icd(Dictionary("M", 1, (packet,), (), (), (), checks=checks)).splitlines()
    rate = "rate: within 1 of where the last ones lead; at most 2 a second"
    assert f"| `volt` | 0 … 30 V | 500 ms | ±0.5 V | {rate} |" in rows
    assert f"| `amp` |   | 100 ms | exact | {rate}; proportion: 2 · volt, ±1 |" in rows
    assert not any(row.startswith("| `n` |") and "exact" in row for row in rows)

"""The C header: compiled with every warning as an error, its packers byte for byte those of Python."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import construct as c
import pytest

from protocols.declare.commands import CommandDef
from protocols.declare.dictionary import Dictionary, PacketDef
from protocols.declare.headers import PacketHeader, cuc_time
from protocols.export.c_header import render_c_header
from protocols.export.names import identifier
from protocols.lander import MARS6
from protocols.structures.codec import Codec, codec_of
from protocols.structures.fields import EnumRanges, Limits, Quantity
from protocols.structures.layout import Field, Layout
from protocols.structures.parts import fixed

FLAGS = ("-std=c11", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wpedantic", "-Werror")
ROUNDS = 25

ODD = c.Struct(
    "magic" / c.Const(0xA5, c.Int8ub),
    "sync" / c.Const(b"\x1a\xcf", c.Bytes(2)),
    "s8" / c.Int8sb,
    "u24" / c.Int24ub,
    "s24" / c.Int24sb,
    "s32" / c.Int32sb,
    "u64" / c.Int64ub,
    "s64" / c.Int64sb,
    c.Padding(3),
    "flag" / c.Flag,
    "mode" / c.Enum(c.Int8ub, OFF=0, ON=1),
    "raw" / c.Bytes(5),
    "bits"
    / c.BitStruct(
        "a" / c.BitsInteger(3),
        "b" / c.BitsInteger(13, signed=True),
        c.Padding(1),
        "c" / c.Flag,
        "d" / c.Enum(c.BitsInteger(6), X=1, Y=2),
    ),
    "wide" / c.BitStruct("x" / c.BitsInteger(33, signed=True), "y" / c.BitsInteger(7)),
    "triple" / c.Array(3, c.Int16sb),
    "u16l" / c.Int16ul,
    "s24l" / c.Int24sl,
    "s64l" / c.Int64sl,
    "text" / c.PaddedString(4, "utf8"),
    "default" / EnumRanges(c.Int8sb, COLD=(-128, -1), WARM=5),
)


def mission(body: c.Construct) -> Dictionary:
    """One packet that holds ``body``."""
    return Dictionary("ODD", 1, (PacketDef("BODY", 1, 3, 25, body, 0, "All there is."),), (), (), ())


def draw(field: Field, chance: random.Random) -> int | bytes:
    """A raw value for a field, its ends among them."""
    if field.kind in ("bytes", "string"):
        return chance.randbytes(field.bits // 8)
    if field.kind == "flag":
        return chance.randrange(2)
    low, high = (
        (-(1 << field.bits - 1), (1 << field.bits - 1) - 1) if field.kind == "sint" else (0, (1 << field.bits) - 1)
    )
    return chance.choice((low, high, chance.randint(low, high)))


def literal(value: int | bytes) -> str:
    """A value as C writes it."""
    if isinstance(value, bytes):
        return "{" + ", ".join(map(hex, value)) + "}"
    return f"INT64_C({value + 1}) - 1" if value < 0 else f"UINT64_C({value})"


def case(prefix: str, name: str, codec: Codec, values: dict[str, int | bytes]) -> str:
    """C that packs values, unpacks the bytes, packs them again, and prints both."""
    low = identifier(name).lower()
    kind = f"struct {prefix}_{low}"
    members = []
    for field in codec.layout.named:
        if field.name in values:
            written = literal(values[field.name])
            if field.kind not in ("bytes", "string"):
                width = next(w for w in (8, 16, 32, 64) if field.bits <= w)
                cast = "bool" if field.kind == "flag" else f"{'' if field.kind == 'sint' else 'u'}int{width}_t"
                written = f"({cast})({written})"
            member = "default_" if field.name == "default" else identifier(field.name)
            members.append(f".{member} = {written}")
    return f"""{{
    const {kind} value = {{ {", ".join(members)} }};
    {kind} back;
    uint8_t out[{prefix.upper()}_{low.upper()}_SIZE];
    {prefix}_pack_{low}(out, &value);
    show(out, sizeof out);
    {prefix}_unpack_{low}(&back, out);
    {prefix}_pack_{low}(out, &back);
    show(out, sizeof out);
}}"""


def run(folder: Path, header: str, body: str) -> list[str]:
    """Compile and run C; the lines it printed."""
    (folder / "packets.h").write_text(header, encoding="utf-8")
    (folder / "main.c").write_text(
        f"""#include <stdio.h>
#include "packets.h"
static void show(const uint8_t *data, size_t size)
{{
    for (size_t i = 0; i < size; i++) {{
        printf("%02x", (unsigned)data[i]);
    }}
    printf("\\n");
}}
int main(void)
{{
show((const uint8_t *)"C", 1u);
{body}
return 0;
}}
""",
        encoding="utf-8",
    )
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("no gcc")
    program = folder / "main"
    subprocess.run([compiler, *FLAGS, "-o", str(program), str(folder / "main.c")], check=True)
    return subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout.splitlines()[1:]


@pytest.mark.parametrize("dictionary", [MARS6, mission(ODD)], ids=lambda d: d.name)
def test_packers_give_the_bytes_of_python(dictionary: Dictionary, tmp_path: Path) -> None:
    chance, cases, wanted = random.Random(1974), [], []
    prefix = identifier(dictionary.name).replace("_", "").lower()
    codecs = {name: codec_of(packet.layout, name) for name, packet in dictionary.by_name.items()}
    codecs |= {name: command.codec for name, command in dictionary.command_by_name.items() if command.arguments}
    for name, codec in codecs.items():
        for _ in range(ROUNDS):
            fields = [field for field in codec.layout.named if field.const is None]
            values = {field.name: draw(field, chance) for field in fields}
            cases.append(case(prefix, name, codec, values))
            wanted += [codec.encode_names(values).hex()] * 2
    assert run(tmp_path, render_c_header(dictionary), "\n".join(cases)) == wanted


def test_ranges_of_arguments_are_checked_in_raw_counts(tmp_path: Path) -> None:
    body = "\n".join(
        f'printf("%d\\n", mars6_valid_scale(&(struct mars6_scale){{ .factor = {raw} }}));'
        for raw in (9, 10, 10000, 10001)
    )
    body += "\n" + "\n".join(
        f'printf("%d\\n", mars6_valid_clear_faults(&(struct mars6_clear_faults){{ .fault = {raw} }}));'
        for raw in (0, 4, 5)
    )
    assert run(tmp_path, render_c_header(MARS6), body) == ["0", "1", "1", "0", "1", "1", "0"]


def test_a_negative_range(tmp_path: Path) -> None:
    arguments = c.Struct("t" / Quantity(c.Int16sb, "K", scale=0.5, limits=Limits(-20.0, None, None, 20.0)))
    odd = Dictionary("ODD", 1, (), (), (), (), (CommandDef("HEAT", 1, 8, 1, "Heat.", 1, arguments),))
    body = "\n".join(f'printf("%d\\n", odd_valid_heat(&(struct odd_heat){{ .t = {t} }}));' for t in (-41, -40, 40, 41))
    assert run(tmp_path, render_c_header(odd), body) == ["0", "1", "1", "0"]


def test_ranges_of_labels_are_checked(tmp_path: Path) -> None:
    arguments = c.Struct("zone" / EnumRanges(c.Int8ub, COLD=(1, 9), HOT=20), "name" / c.PaddedString(2, "utf8"))
    odd = Dictionary("ODD", 1, (), (), (), (), (CommandDef("SET", 1, 8, 1, "Set.", 1, arguments),))
    body = "\n".join(f'printf("%d\\n", odd_valid_set(&(struct odd_set){{ .zone = {n} }}));' for n in (0, 1, 9, 10, 20))
    body += '\nprintf("%u %u\\n", ODD_SET_ZONE_COLD_MAX, ODD_SET_ZONE_HOT);'
    assert run(tmp_path, render_c_header(odd), body) == ["0", "1", "1", "0", "1", "9 20"]


def test_the_header_has_no_floats_and_carries_the_hash() -> None:
    header = render_c_header(MARS6)
    assert f"UINT32_C(0x{MARS6.hash:08X})" in header
    assert "float" not in header
    assert "double" not in header


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (c.Struct("f" / c.Float32b), "BODY.f: 32-bit float has no integer type"),
        (c.Struct("a" / c.BytesInteger(9)), "BODY.a: 72-bit uint"),
        (c.Struct("a" / c.Struct("b" / c.Int8ub), "a_b" / c.Int8ub), "BODY: 'a.b' and 'a_b' are both 'a_b'"),
        (c.Struct("n" / c.Int8ub, "a" / c.Array(c.this.n, c.Int8ub)), "BODY.a: its size varies"),
        (c.Struct("a" / c.BitStruct("x" / c.BitsInteger(70), c.Padding(2))), "BODY.a.x: 70-bit uint"),
        (c.Struct("a" / c.BitStruct("x" / c.BitsInteger(50), "y" / c.BitsInteger(22))), "BODY.a.x: bits that share 9"),
        (fixed([Field("x", 0, 4, "uint"), Field("y", 0, 16, "uint", little=True), Field("z", 0, 4, "uint")]), "BODY.y"),
    ],
)
def test_what_c_cannot_pack_is_left_out_with_its_path(body: c.Construct | Layout, path: str, tmp_path: Path) -> None:
    other = PacketDef("OTHER", 2, 3, 25, c.Struct("a" / c.Int8ub), 0, "Closes /* no comment */ early.")
    odd = Dictionary("ODD", 1, (*mission(body).packets, other), (), (), ())
    header = render_c_header(odd)
    assert f"/* BODY is left out: {path}" in header
    assert "ODD_BODY_SIZE" not in header
    assert run(tmp_path, header, case("odd", "OTHER", codec_of(odd.by_name["OTHER"].layout, ""), {"a": 7})) == [
        "07",
        "07",
    ]


def test_other_headers_have_their_offset_and_what_tells_the_packet(tmp_path: Path) -> None:
    header = PacketHeader("own", cuc_time(), fields=c.Struct("sid" / c.Int8ub))
    packet = PacketDef("HK", 5, body=c.Struct("m" / c.Int8sb), header=header, when={"sid": 4, "m": -3})
    body = 'printf("%u %u %d %u\\n", M_HK_BODY_OFFSET, M_HK_IS_SID, M_HK_IS_M, M_HK_PACKET_SIZE);'
    assert run(tmp_path, render_c_header(Dictionary("M", 1, (packet,), (), (), ())), body) == ["13 4 -3 14"]

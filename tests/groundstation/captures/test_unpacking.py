"""Captures in gzip and as hex text are read as what is in them, whole, cut and damaged."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from groundstation.captures.unpacking import Unpacking
from groundstation.cli import cli
from groundstation.errors import PartlyRead
from tests import descent

DESCENT = descent.stream()[: 132 * 100]


def piped(*command: str) -> bytes:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    return subprocess.run(command, input=DESCENT, capture_output=True, check=True).stdout


def lines_of(separator: str) -> bytes:
    return "\n".join(DESCENT[n : n + 32].hex(separator) for n in range(0, len(DESCENT), 32)).encode()


def c_numbers() -> bytes:
    return ", ".join(f"0x{byte:02x}" for byte in DESCENT).encode()


def spoilt(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


FORMS: dict[str, Callable[[], bytes]] = {
    "gzip": lambda: gzip.compress(DESCENT),
    "two gzip members, padded": lambda: gzip.compress(DESCENT[:5000]) + gzip.compress(DESCENT[5000:]) + bytes(512),
    "hex": lambda: DESCENT.hex().encode(),
    "HEX in pairs": lambda: DESCENT.hex(" ").upper().encode(),
    "hex in lines": lambda: lines_of(":"),
    "hex in lines of Windows": lambda: lines_of(" ").replace(b"\n", b"\r\n") + b"\r\n",
    "C array": c_numbers,
    "C array, declared": lambda: (
        b"static const unsigned char x[13200] = { " + c_numbers() + b" };\nint x_len = 13200;\n"
    ),
    "C string": lambda: "".join(f"\\x{byte:02x}" for byte in DESCENT).encode(),
    "hex in gzip": lambda: gzip.compress(lines_of(" ")),
    "xxd": lambda: piped("xxd"),
    "xxd, as C": lambda: piped("xxd", "-i"),
    "xxd -i of a file": lambda: (
        b"unsigned char bare_bin[] = {\n" + c_numbers() + b"\n};\nunsigned int bare_bin_len = 1;\n"
    ),
    "xxd, plain": lambda: piped("xxd", "-p"),
    "hexdump": lambda: piped("hexdump", "-v", "-C"),
    "od": lambda: piped("od", "-v", "-A", "x", "-t", "x1z"),
}


def decode(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["decode", str(path), *arguments])


def cut_up(data: bytes, size: int) -> Iterator[bytes]:
    return (data[n : n + size] for n in range(0, len(data), size))


@pytest.mark.parametrize("form", FORMS)
def test_wrapped_capture_decodes_as_it_is(tmp_path: Path, form: str) -> None:
    path = tmp_path / "capture"
    path.write_bytes(FORMS[form]())
    counts = json.loads(decode(path, "--json").output)
    assert (counts["total"], counts["frames"], counts["skipped"]) == (len(DESCENT), 100, 0)


@pytest.mark.parametrize("form", FORMS)
def test_pieces_of_any_size_give_the_same_bytes(form: str) -> None:
    wrapped = FORMS[form]()
    for size in (1, 7, 1000):
        unpacking = Unpacking(cut_up(wrapped, size))
        assert b"".join(unpacking.pieces()) == DESCENT
        assert not unpacking.lack


@pytest.mark.parametrize(
    ("wrapped", "least", "words"),
    [
        (gzip.compress(DESCENT)[:-600], 8000, "ends in the middle of its gzip data"),
        (gzip.compress(DESCENT) + b"rest", 13200, "is damaged as gzip after 13200 bytes"),
        (spoilt(gzip.compress(DESCENT), -6), 13200, "is damaged as gzip after 13200 bytes"),
        (spoilt(gzip.compress(DESCENT, 1), 4000), 4000, "is damaged as gzip after"),
        (DESCENT.hex(" ").encode()[:-1], 13199, "ends in the middle of a byte"),
        (b"char x[] = {" + c_numbers(), 13200, "ends in the middle of its array"),
        (gzip.compress(b"char x[] = {" + c_numbers())[:-600], 8000, "ends in the middle of its gzip data"),
        (spoilt(gzip.compress(b"char x[] = {" + c_numbers()), -6), 13200, "is damaged as gzip after"),
        (gzip.compress(DESCENT.hex(" ").encode(), 0)[:-9], 13199, "ends in the middle of its gzip data"),
        (b"char x[] = {" + c_numbers()[:20000] + b" /* */ 0x00 };", 3300, "is not hex any more"),
        (lines_of(" ")[:9000] + b"\nxyz\n" + lines_of(" "), 2900, "is not hex any more"),
        (b"00000000  1a cf fc 1d 00 00 00 00  |........|\n*\n00000020\n", 8, "lacks lines (*)"),
    ],
)
def test_damaged_wrapping_gives_what_is_before(wrapped: bytes, least: int, words: str) -> None:
    unpacking = Unpacking(iter([wrapped]))
    given = b"".join(unpacking.pieces())
    assert len(given) >= least and words in unpacking.lack
    assert DESCENT.startswith(given) or given.startswith(b"\x1a\xcf")


def test_cut_gzip_ends_with_its_counts_and_exit_19(tmp_path: Path) -> None:
    path = tmp_path / "capture.gz"
    path.write_bytes(gzip.compress(DESCENT)[:-600])
    result = decode(path, "--json")
    assert json.loads(result.output)["frames"] > 50
    assert isinstance(result.exception, PartlyRead) and result.exception.exit_code == 19


@given(st.binary(max_size=3000))
def test_binary_bytes_are_left_alone(data: bytes) -> None:
    data = b"\x1a\xcf" + data
    unpacking = Unpacking(iter([data]))
    assert b"".join(unpacking.pieces()) == data and not unpacking.form


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_after_a_gzip_header_raise_nothing(data: bytes, size: int) -> None:
    b"".join(Unpacking(cut_up(b"\x1f\x8b\x08" + data, size)).pieces())


@given(st.text(alphabet="01abx \n,:=*|\\", max_size=400), st.integers(1, 50))
def test_any_text_raises_nothing(text: str, size: int) -> None:
    b"".join(Unpacking(cut_up(text.encode(), size)).pieces())


@pytest.mark.parametrize(
    "text", [b"char x[] = { a, b };", b"x[] = {}", b"1010 0011\n" * 40, b"hello world, this is text", b"-12 34\n" * 99]
)
def test_text_that_is_not_hex_is_left_alone(text: bytes) -> None:
    assert b"".join(Unpacking(iter([text])).pieces()) == text

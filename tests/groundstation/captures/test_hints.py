"""The hints for captures that gave no frame are true: following them gives frames."""

from __future__ import annotations

import base64
import bz2
import json
import lzma
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from groundstation.captures.hints import hint
from groundstation.cli import cli
from groundstation.errors import NothingDecoded
from protocols.profile import UART, LinkProfile
from tests import descent
from tests.protocols.links import PROFILES, packet_cadu

DESCENT = descent.stream()[: 132 * 100]


def decode(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["decode", *map(str, arguments)])


def told(path: Path, *arguments: str | Path) -> str:
    """What is said, with exit code 16."""
    result = decode(path, *arguments)
    assert isinstance(result.exception, NothingDecoded), result.output
    return str(result.exception)


DUMPS: dict[str, Callable[[], bytes]] = {
    "bzip2": lambda: bz2.compress(DESCENT),
    "xz": lambda: lzma.compress(DESCENT),
    "base64": lambda: base64.encodebytes(DESCENT),
}


@pytest.mark.parametrize("form", DUMPS)
def test_command_that_is_said_decodes_the_dump(tmp_path: Path, form: str) -> None:
    path = tmp_path / "capture"
    path.write_bytes(DUMPS[form]())
    command = told(path).rpartition(": ")[2]
    assert command.endswith("| groundstation decode -")
    command = command.removesuffix("groundstation decode -").replace("FILE", "capture")
    command += f"{sys.executable} -m groundstation.cli decode - --json"
    bash = ["bash", "-c", command]
    done = subprocess.run(bash, cwd=tmp_path, env=_ENVIRONMENT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["frames"] == 100


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("od -v ", "a dump of 16-bit words in octal"),
        ("od ", "a dump of 16-bit words in octal"),
        ("od -v -b ", "a dump of bytes in octal"),
        ("od -v -tx2 ", "a dump of 16-bit words in hex"),
        ("od -v -tx4 ", "a dump of 32-bit words in hex"),
        ("hexdump ", "a dump of 16-bit words in hex"),
        ("dd conv=swab status=none if=", "if each 2 bytes are turned round"),
    ],
)
def test_dump_of_words_is_said_with_the_way_out(tmp_path: Path, command: str, said: str) -> None:
    (tmp_path / "raw").write_bytes(DESCENT)
    bash = ["bash", "-c", f"{command}raw >dump && od -v -An -tx1 raw >again"]
    subprocess.run(bash, cwd=tmp_path, env=_ENVIRONMENT, check=True)
    text = told(tmp_path / "dump")
    assert said in text
    assert "dd " in command or text.endswith("one by one, with od -v -An -tx1")
    assert CliRunner().invoke(cli, ["decode", str(tmp_path / "again")]).exit_code == 0


_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[3])}


@pytest.mark.parametrize("shift", [0, 3])
@pytest.mark.parametrize("form", ["packed", "one-per-byte", "text"])
@pytest.mark.parametrize("inverted", [False, True])
def test_option_that_is_said_decodes_the_bits(tmp_path: Path, shift: int, form: str, inverted: bool) -> None:
    bits = "0" * shift + "".join(f"{byte:08b}" for byte in DESCENT[:2640])
    bits = bits.translate({48: 49, 49: 48}) if inverted else bits
    path = tmp_path / "capture"
    if form == "packed":
        bits += "0" * (-len(bits) % 8)
        path.write_bytes(int("1" * 8 + bits, 2).to_bytes(len(bits) // 8 + 1, "big")[1:])
    else:
        path.write_bytes(bits.encode() if form == "text" else bytes(int(bit) for bit in bits))
    if form == "packed" and not shift and not inverted:
        return  # bytes, after all
    option = re.search(r"--bits (\S+)", told(path))
    assert option is not None
    assert "frames: 20 good" in decode(path, "--bits", option[1]).output


@pytest.mark.parametrize(
    "name",
    ["randomised", "rs only", "rs 4, randomised", "bare", "aos", "aos, all on", "no ocf", "secondary header"],
)
def test_profile_that_is_said_decodes_the_capture(tmp_path: Path, name: str) -> None:
    profile = PROFILES[name]
    path, toml = tmp_path / "capture", tmp_path / "profile.toml"
    path.write_bytes(b"".join(packet_cadu(profile, n) for n in range(40)))
    toml.write_text('kind = "TM"\n')
    said = told(path, "--profile", toml)
    words = re.search(r"(?:profile that says|headers say) (.*)", said)
    assert words is not None, said
    switches = "\n".join(words[1].split(", "))
    assert tomllib.loads(switches)
    insert = "insert_zone = 6\nheader_error_control = true\n" if name == "aos, all on" else ""
    toml.write_text(f"{switches}\n{insert}")
    result = decode(path, "--profile", toml)
    assert "frames: 40 good" in result.output and "0 foreign" in result.output, said


def test_other_lengths_are_found_by_the_distance_of_the_markers() -> None:
    other = LinkProfile(frame_length=300, randomised=True)
    sample = b"".join(packet_cadu(other, n) for n in range(20))
    assert "frame_length = 300, randomised = true" in str(hint(sample, UART, "packed"))


@pytest.mark.parametrize("data", [bytes(5000), b"hello world\n" * 500, b"\x55\xaa" * 4000, DESCENT[200:280]])
def test_nothing_is_made_up_where_nothing_fits(data: bytes) -> None:
    assert hint(data, UART, "packed") is None


def test_network_capture_is_told_to_be_one() -> None:
    assert "network capture" in str(hint(b"\xd4\xc3\xb2\xa1" + bytes(100), UART, "packed"))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=3000) | st.text(alphabet="01abx \n,:=*|", max_size=2000).map(str.encode))
def test_any_bytes_may_be_asked_about(data: bytes) -> None:
    hint(data, UART, "packed")

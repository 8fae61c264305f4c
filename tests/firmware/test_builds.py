"""What a build depends on: sources by their content, flags, compiler; not what the shell exports for other builds."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hil.firmware import stamp
from hil.images.boards import find_board
from hil.images.image import Image, read_image
from tests.firmware.tools import PREBUILT, copy_of_sources, make, need, record

ALIEN = {
    "CFLAGS": "-march=native",
    "LDFLAGS": "-Wl,--no-such-option",
    "CC": "clang",
    "CPATH": "/usr/include",
    "BOARD": "frdm_k64f",
    "BUILD": "/nowhere",
    "BAUD": "9600",
    "EXTRA": "toaster",
    "PYTHON": "python2",
}
"""What a shell that builds for a host, or with Zephyr, has exported."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    need("make", "avr-gcc", "avr-size", packages="make gcc-avr avr-libc binutils-avr")
    return copy_of_sources(tmp_path)


def built(copy: Path, *arguments: str, suffix: str = ".hex") -> Image:
    """The Uno's image, after make."""
    make("BOARD=uno", *arguments, folder=copy)
    return read_image(copy / "build" / "uno" / f"lander{suffix}", find_board("uno"))


@pytest.mark.long
def test_flags_make_another_image_of_the_same_sources(copy: Path) -> None:
    usual = built(copy)
    assert built(copy).data == usual.data
    exact = built(copy, "BAUD=250000")
    assert exact.id != usual.id
    assert exact.source == usual.source
    assert "-DBAUD=250000UL" in record(copy / "build" / "uno" / "lander.json")["flags"]
    assert built(copy).data == usual.data


def test_elf_and_hex_have_the_same_id(copy: Path) -> None:
    assert built(copy).id == built(copy, suffix=".elf").id


@pytest.mark.long
def test_sources_count_by_content_not_by_date(copy: Path) -> None:
    usual = built(copy)
    source = copy / "core" / "sequencer.c"
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("INT32_C(159000)", "INT32_C(161000)"), encoding="utf-8")
    os.utime(source, (1, 1))  # as a file out of an archive
    other = built(copy)
    assert other.id != usual.id
    assert other.source != usual.source
    source.write_text(text, encoding="utf-8")
    os.utime(source, (1, 1))
    assert built(copy).data == usual.data


@pytest.mark.long
def test_another_compiler_builds_from_scratch(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = built(copy)
    tool = tmp_path / "bin" / "avr-gcc"
    tool.parent.mkdir()
    real = shutil.which("avr-gcc")
    tool.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "avr-gcc (GCC) 14.2.0" && exit\nexec {real} "$@" -fno-ivopts\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    other = built(copy)
    assert (other.id != usual.id, other.source) == (True, usual.source)
    assert record(copy / "build" / "uno" / "lander.json")["compiler"] == "avr-gcc (GCC) 14.2.0"


@pytest.mark.long
def test_what_the_shell_exports_changes_nothing(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = built(copy)
    for name, value in ALIEN.items():
        monkeypatch.setenv(name, value)
    shutil.rmtree(copy / "build")
    assert built(copy).data == usual.data
    subprocess.run(["make", "-C", str(copy), "-n"], check=True, capture_output=True)  # all boards, whatever BOARD says


@pytest.mark.parametrize("board", ["stm32f4", "uno"])
def test_a_prebuilt_image_is_of_these_sources(board: str) -> None:
    """On any compiler, and without one."""
    told = record(PREBUILT / f"{board}.json")
    assert told["source"] == f"{stamp.source_id(PREBUILT.parent, board):08x}", "sources changed: `make prebuilt`"
    for path in PREBUILT.glob(f"{board}.[eh]*"):
        image = read_image(path, find_board(board))
        assert (image.id_text, f"{image.source:08x}", image.board) == (told["image"], told["source"], board)
    assert told["compiler"]
    assert told["flags"]

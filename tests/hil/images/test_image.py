"""Which image is used: the rule, on copies of the firmware's folder; and files that are not images of a board."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from hil.errors import ImageRefused
from hil.firmware import stamp
from hil.images.boards import find_board
from hil.images.ihex import format_hex, parse_hex
from hil.images.image import choose_image, image_with_id, read_any_image, read_image
from tests.firmware.tools import PREBUILT, copy_of_sources, make, need

STM32, UNO = PREBUILT / "stm32f4.elf", PREBUILT / "uno.hex"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copy_of_sources(tmp_path)


def change(copy: Path) -> None:
    """Another lander."""
    source = copy / "core" / "sequencer.c"
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("INT32_C(159000)", "INT32_C(161000)"), encoding="utf-8")


def build(copy: Path) -> None:
    need("make", "avr-gcc", "avr-size", packages="make gcc-avr avr-libc binutils-avr")
    make("BOARD=uno", folder=copy)


def test_without_a_build_the_prebuilt_one_of_these_sources(copy: Path) -> None:
    image = choose_image("uno", folder=copy)
    assert (image.kind, image.path, image.note) == ("prebuilt", copy / "prebuilt" / "uno.hex", "")


def test_what_was_built_here_comes_first(copy: Path) -> None:
    change(copy)
    build(copy)
    image = choose_image("uno", folder=copy)
    assert (image.kind, image.path) == ("built here", copy / "build" / "uno" / "lander.hex")
    assert image.id != read_any_image(UNO).id
    assert image.note == ""


def test_changed_sources_without_a_build_are_refused(copy: Path) -> None:
    change(copy)
    with pytest.raises(ImageRefused, match=r"uno\.hex was built from other sources .*`hil firmware build uno`"):
        choose_image("uno", folder=copy)


def test_a_stale_build_is_named_and_not_used(copy: Path) -> None:
    change(copy)
    build(copy)
    shutil.copy(find_source("sequencer.c"), copy / "core" / "sequencer.c")
    image = choose_image("uno", folder=copy)
    assert image.kind == "prebuilt"
    assert "build/uno/lander.hex was built from other sources" in image.note
    assert image.facts()["image not used"] == image.note
    (copy / "prebuilt" / "uno.hex").unlink()
    with pytest.raises(ImageRefused, match=r"build/uno/lander\.hex was built from other sources"):
        choose_image("uno", folder=copy)


def find_source(name: str) -> Path:
    return PREBUILT.parent / "core" / name


def test_in_a_wheel_the_prebuilt_one_is_used(copy: Path) -> None:
    for path in copy.glob("*.[ch]"):
        path.unlink()
    shutil.rmtree(copy / "core")
    assert choose_image("stm32f4", folder=copy).kind == "prebuilt"
    (copy / "prebuilt" / "stm32f4.elf").unlink()
    with pytest.raises(ImageRefused, match=r"no image of stm32f4 .*--image FILE") as refused:
        choose_image("stm32f4", folder=copy)
    assert "hil firmware build" not in str(refused.value)


def test_a_file_that_was_given_is_used_whatever_the_sources(copy: Path) -> None:
    change(copy)
    image = choose_image("stm32f4", STM32, folder=copy)
    assert (image.kind, image.path) == ("given", STM32)


def test_a_damaged_build_is_named_and_not_used(copy: Path) -> None:
    (copy / "build" / "uno").mkdir(parents=True)
    (copy / "build" / "uno" / "lander.hex").write_text(":00000001FF\n", encoding="ascii")
    image = choose_image("uno", folder=copy)
    assert image.kind == "prebuilt"
    assert "lander.hex is not an image of this firmware: no data in it" in image.note


def test_images_are_found_by_their_id() -> None:
    wanted = read_any_image(STM32)
    found = image_with_id(wanted.id)
    assert found is not None
    assert (found.board, found.loaded) == ("stm32f4", wanted.loaded)
    assert image_with_id(1) is None


def as_hex(path: Path, address: int, image: bytes) -> Path:
    path.write_text(format_hex(address, image), encoding="ascii")
    return path


def unstamped(image: bytes) -> bytes:
    return image.replace(stamp.MAGIC, b"-" * 8)


def changed_elf(tmp_path: Path, at: int, data: bytes) -> Path:
    """The STM32's with other bytes in its header."""
    elf = bytearray(STM32.read_bytes())
    elf[at : at + len(data)] = data
    (tmp_path / "changed.elf").write_bytes(elf)
    return tmp_path / "changed.elf"


REFUSED: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    "the Uno's hex": ("stm32f4", lambda tmp: UNO, "is an image of uno, not of stm32f4"),
    "the Uno's ELF": ("stm32f4", lambda tmp: UNO.with_suffix(".elf"), "is an image of uno, not of stm32f4"),
    "the STM32's ELF": ("uno", lambda tmp: STM32, "is an image of stm32f4, not of uno"),
    "a program of this computer": ("stm32f4", lambda tmp: Path("/bin/true"), "type 62, not of an ARM"),
    "ELF machine": ("stm32f4", lambda tmp: changed_elf(tmp, 18, b"\x53\0"), "an AVR, not of an ARM"),
    "hex elsewhere": (
        "uno",
        lambda tmp: as_hex(tmp / "x.hex", 0x0800_0000, unstamped(parse_hex(UNO.read_text())[1])),
        "lies at 0x8000000",
    ),
    "hex into the boot loader": (
        "uno",
        lambda tmp: as_hex(tmp / "x.hex", 0, b"\x0c\x94" * 0x3F80),
        "not in 0x0 … 0x7e00",
    ),
    "hex without a vector": ("uno", lambda tmp: as_hex(tmp / "x.hex", 0, bytes(100)), "its vectors"),
    "another's vectors": (
        "stm32f4",
        lambda tmp: as_hex(tmp / "x.hex", 0x0800_0000, struct.pack("<II", 0x1000_0000, 0x0800_0101) * 20),
        "its vectors",
    ),
    "an even reset vector": (
        "stm32f4",
        lambda tmp: as_hex(tmp / "x.hex", 0x0800_0000, struct.pack("<II", 0x2000_1000, 0x0800_0100) * 20),
        "its vectors",
    ),
    "no stamp": (
        "uno",
        lambda tmp: as_hex(tmp / "x.hex", 0, unstamped(parse_hex(UNO.read_text())[1])),
        "no stamp of this firmware",
    ),
    "text": ("stm32f4", lambda tmp: Path(__file__), "neither ELF nor Intel HEX"),
    "nothing": ("stm32f4", lambda tmp: tmp / "none.elf", "cannot be read: No such file"),
    "a folder": ("stm32f4", lambda tmp: tmp, "cannot be read: Is a directory"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_is_not_the_boards_image_is_refused(case: str, tmp_path: Path) -> None:
    board, made, words = REFUSED[case]
    with pytest.raises(ImageRefused, match=words):
        read_image(made(tmp_path), find_board(board))


def test_a_patched_image_is_refused(tmp_path: Path) -> None:
    address, image = parse_hex(UNO.read_text(encoding="ascii"))
    patched = as_hex(tmp_path / "x.hex", address, image[:5000] + bytes([image[5000] ^ 1]) + image[5001:])
    with pytest.raises(ImageRefused, match="is damaged: it is not the image that was stamped"):
        read_image(patched, find_board("uno"))

"""Debug probes as sysfs shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundstation.errors import CallerError
from hil.errors import FlashFailed
from hil.firmware_tools.flash import Chosen, plan_flashing
from hil.firmware_tools.probes import st_link_of, st_links
from hil.images.boards import find_board
from hil.images.image import choose_image


def plug(bus: Path, place: str, product: str, serial: str = "", vendor: str = "0483") -> Path:
    """A USB device; its folder."""
    device = bus / place
    device.mkdir(parents=True)
    for name, text in (("idVendor", vendor), ("idProduct", product), ("serial", serial)):
        if text:
            (device / name).write_text(f"{text}\n", encoding="utf-8")
    return device


def test_st_links_are_found_with_or_without_a_port(tmp_path: Path) -> None:
    assert st_links(tmp_path) == []
    plug(tmp_path, "1-1", "374b", "066CFF")
    plug(tmp_path, "1-2", "3748", "55FF6C")
    plug(tmp_path, "1-3", "5740", "A1B2")  # the CDC port of an STM32 itself
    plug(tmp_path, "1-4", "6001", "FT1", vendor="0403")
    (tmp_path / "1-1:1.0").mkdir()
    assert st_links(tmp_path) == ["066CFF", "55FF6C"]


def test_the_probe_of_a_port_is_found(tmp_path: Path) -> None:
    device = plug(tmp_path / "usb", "1-1", "374b", "066CFF")
    other = plug(tmp_path / "usb", "1-4", "6001", "FT1", vendor="0403")
    for port, owner in (("ttyACM0", device), ("ttyUSB0", other)):
        interface = owner / "1-1:1.2"
        interface.mkdir()
        (tmp_path / "tty" / port).mkdir(parents=True)
        (tmp_path / "tty" / port / "device").symlink_to(interface)
    assert st_link_of("/dev/ttyACM0", tmp_path / "tty") == "066CFF"
    assert st_link_of("/dev/ttyUSB0", tmp_path / "tty") is None
    assert st_link_of("/dev/ttyNOWHERE", tmp_path / "tty") is None


def test_several_probes_have_to_be_chosen_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board, image = find_board("stm32f4"), choose_image("stm32f4")
    monkeypatch.setattr("hil.firmware_tools.flash.st_links", lambda: ["066CFF", "55FF6C"])
    with pytest.raises(FlashFailed, match="2 ST-Links are plugged in; choose one: --probe 066CFF, --probe 55FF6C"):
        plan_flashing(board, image, tmp_path, to_run=False)
    plan = plan_flashing(board, image, tmp_path, chosen=Chosen(probe="55FF6C"), to_run=False)
    assert "adapter serial 55FF6C" in plan.command


def test_a_tool_that_hil_does_not_know_is_refused(tmp_path: Path) -> None:
    (tmp_path / "toy.mk").write_text("PORT := toy\nCC := gcc\nFLASH := dfu-util\n", encoding="utf-8")
    board, image = find_board("toy", tmp_path), choose_image("stm32f4")
    with pytest.raises(CallerError, match=r"boards/toy\.mk: FLASH names dfu-util; `hil` knows openocd"):
        plan_flashing(board, image, tmp_path, to_run=False)
    (tmp_path / "toy.mk").write_text("PORT := toy\nCC := gcc\nFLASH := dfu-util openocd\n", encoding="utf-8")
    with pytest.raises(CallerError, match="toy is flashed with openocd, not with dfu-util"):
        plan_flashing(find_board("toy", tmp_path), image, tmp_path, "dfu-util", to_run=False)

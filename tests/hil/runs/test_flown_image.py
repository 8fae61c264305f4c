"""What is built is what flies: the commands on a checkout whose sources change, and the bundle's own image."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.firmware.tools import PREBUILT, need, patched, record
from tests.system.conftest import Run, home, run  # noqa: F401 - fixtures
from tests.targets.bench import require
from tests.targets.stand_in import StandIn
from tests.targets.test_board import device  # noqa: F401 - fixture

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
LATE = "DESCENT.phase AEROBRAKING, expected DROGUE"
STM32 = record(PREBUILT / "stm32f4.json")["image"]


class Checkout:
    """The three packages at another place, with their own firmware."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for package in ("protocols", "groundstation", "hil"):
            shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("build", "__pycache__"))
        self.source = folder / "hil" / "firmware" / "core" / "sequencer.c"
        self.text = self.source.read_text(encoding="utf-8")

    def change(self) -> None:
        """The drogue two ticks late, so that the flight ends when it should."""
        self.source.write_text(self.text.replace("INT32_C(159000)", "INT32_C(159200)"), encoding="utf-8")

    def restore(self) -> None:
        self.source.write_text(self.text, encoding="utf-8")

    def call(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "PYTEST_ADDOPTS": ""}
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=100, check=False
        )


@pytest.fixture
def checkout(home: Path) -> Checkout:  # noqa: F811
    require("qemu")
    need("make", "arm-none-eabi-gcc", packages="make gcc-arm-none-eabi")
    return Checkout(home / "checkout")


def test_a_changed_firmware_is_built_before_it_flies_and_then_fails(checkout: Checkout) -> None:
    fly = ("hil.cli", "run", "los-091105", "--target", "qemu")
    done = checkout.call(*fly)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"image    {STM32}, prebuilt: {checkout.folder}/hil/firmware/prebuilt/stm32f4.elf" in done.stdout
    checkout.change()
    for command in (fly, ("hil.cli", "fly", "--target", "qemu", "--lockstep"), ("hil.cli", *INFO)):
        done = checkout.call(*command)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert "`hil firmware build stm32f4`" in done.stderr
    done = checkout.call("pytest", "-p", "no:cacheprovider", "--hil-target", "qemu")
    assert done.returncode == 4
    assert "`hil firmware build stm32f4`" in done.stderr
    assert checkout.call("hil.cli", "firmware", "build", "stm32f4").returncode == 0
    done = checkout.call(*fly, "--json")
    verdict = json.loads(done.stdout)
    assert (done.returncode, verdict["state"], verdict["image"]["kind"]) == (1, "FAIL", "built here")
    assert LATE in verdict["line"]
    assert next(row for row in verdict["measurements"] if row["name"] == "build_id_equal")["state"] == "PASS"
    checkout.restore()
    done = checkout.call(*fly)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"image    {STM32}, prebuilt" in done.stdout
    assert "image    not used: " in done.stdout
    assert "build/stm32f4/lander.elf was built from other sources" in done.stdout


INFO = ("firmware", "info", "--target", "qemu")


def test_a_bundle_keeps_the_image_that_flew(run: Run, tmp_path: Path) -> None:  # noqa: F811
    require("qemu")
    image = patched("stm32f4", "port_reset_reason", b"\x05\x20\x70\x47", tmp_path)  # it says: software
    fly = ("hil", "run", "los-091105", "--target", "qemu", "--image", str(image.path))
    done = run(*fly, "--report", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    bundle = tmp_path / "out" / "runs" / "los-091105-qemu"
    assert (bundle / "image.elf").read_bytes() == image.data
    result = json.loads((bundle / "result.json").read_text())
    assert result["verdict"]["image"]["build"] == image.id_text
    assert result["verdict"]["replay"].endswith(f"--image {image.path}")
    image.path.unlink()
    done = run("hil", "replay", str(bundle))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"image    {image.id_text}, from the bundle: {bundle / 'image.elf'}" in done.stdout
    assert "the same bytes" in done.stdout
    done = run("hil", "replay", str(bundle), "--image", str(PREBUILT / "stm32f4.elf"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"another image flies: build {STM32} ({PREBUILT / 'stm32f4.elf'}), not {image.id_text}\n" in done.stderr
    (bundle / "image.elf").unlink()
    done = run("hil", "replay", str(bundle))
    assert f"not {image.id_text}; the bundle keeps no image" in done.stderr
    (bundle / "image.elf").write_bytes((PREBUILT / "uno.elf").read_bytes())
    done = run("hil", "replay", str(bundle))
    assert (done.returncode, done.stderr) == (2, f"hil: {bundle}/image.elf is an image of uno, not of stm32f4\n")


@pytest.mark.parametrize(("target", "suffix"), [("qemu", ".elf"), ("simavr", ".hex"), ("posix", "")])
def test_every_machine_flies_the_image_it_was_given(run: Run, tmp_path: Path, target: str, suffix: str) -> None:  # noqa: F811
    require(target)
    done = run("hil", "run", "los-091105", "--target", target, "--report", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    kept = tmp_path / "out" / "runs" / f"los-091105-{target}" / f"image{suffix}"
    done = run("hil", "run", "los-091105", "--target", target, "--image", str(kept), "--json")
    verdict = json.loads(done.stdout)
    assert (done.returncode, verdict["image"]["kind"], verdict["image"]["path"]) == (0, "given", str(kept))


def test_a_hex_file_of_the_stm32_flies_in_qemu(run: Run, tmp_path: Path) -> None:  # noqa: F811
    require("qemu")
    need("objcopy", packages="binutils")
    made = tmp_path / "lander.hex"
    subprocess.run(["objcopy", "-I", "elf32-little", "-O", "ihex", PREBUILT / "stm32f4.elf", made], check=True)
    done = run("hil", "run", "los-091105", "--target", "qemu", "--image", str(made))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"image    {STM32}, given: {made}" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "los-091105", "--target", "simavr"], "is an image of stm32f4, not of uno"),
        (["campaign", "random-faults", "--target", "simavr"], "is an image of stm32f4, not of uno"),
        (["fly", "--target", "posix"], "is an image of stm32f4, not of posix"),
        (["run", "los-091105"], "the target software runs no image"),
    ],
)
def test_an_image_that_the_target_cannot_fly_is_refused(run: Run, arguments: list[str], words: str) -> None:  # noqa: F811
    done = run("hil", *arguments, "--image", str(PREBUILT / "stm32f4.elf"))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr


def test_a_board_is_held_against_an_image(device: StandIn, run: Run) -> None:  # noqa: F811
    fly = ("hil", "run", "los-091105", "--target", "board", "--port", device.path, "--lockstep", "--json")
    done = run(*fly)
    verdict = json.loads(done.stdout)
    assert done.returncode == 0, verdict["line"]
    assert verdict["image"]["path"].endswith("build/posix/lander")
    assert {row["name"]: row["state"] for row in verdict["measurements"]}["build_id_equal"] == "PASS"
    done = run(*fly, "--image", str(PREBUILT / "stm32f4.elf"))
    verdict = json.loads(done.stdout)
    (row,) = [row for row in verdict["measurements"] if row["name"] == "build_id_equal"]
    assert (done.returncode, row["state"]) == (1, "FAIL")
    assert row["note"].endswith(f"flies, the image is {STM32}")

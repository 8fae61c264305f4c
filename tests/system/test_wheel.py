"""The wheel: what is in it, and that with nothing but QEMU beside it the firmware flies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hil.images.boards import FIRMWARE
from tests.targets.bench import require

pytestmark = pytest.mark.long

ROOT = FIRMWARE.parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel installs. It is built from a copy, so that no build of before gets into it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("protocols", "groundstation", "hil"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("build", "__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*build, "-w", str(folder), str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def hil(installed: Path, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``hil`` as it was installed, in a place of its own, with the programs of one folder."""
    env = {
        "PATH": str(path),
        "PYTHONPATH": str(installed),
        "XDG_DATA_HOME": str(path.parent / "data"),
        "XDG_RUNTIME_DIR": str(path.parent),
        "HOME": str(path.parent),
    }
    return subprocess.run(
        [sys.executable, "-m", "hil.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        env=env,
        cwd=path.parent,
        check=False,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The folder of programs: none."""
    folder = tmp_path / "bin"
    folder.mkdir()
    tmp_path.chmod(0o700)
    return folder


def test_it_carries_firmware_and_boards(installed: Path) -> None:
    firmware = installed / "hil" / "firmware"
    images = [f"prebuilt/{name}" for name in ("stm32f4.elf", "stm32f4.json", "uno.hex", "uno.elf", "uno.json")]
    for name in (*images, "boards/stm32f4.mk", "boards/uno.mk", "stamp.py"):
        assert (firmware / name).read_bytes() == (FIRMWARE / name).read_bytes(), name
    assert not (firmware / "core").exists()
    assert not (firmware / "build").exists()
    assert not (installed / "tests").exists()
    assert not (installed / "tools").exists()


@pytest.mark.alone
def test_with_qemu_alone_it_flies(installed: Path, path: Path) -> None:
    require("qemu")
    qemu = shutil.which("qemu-system-arm")
    assert qemu is not None
    os.symlink(qemu, path / "qemu-system-arm")
    done = hil(installed, path, "fly", "--target", "qemu", "--speed", "60", "--json")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["lander_frames"] == 2240
    done = hil(installed, path, "firmware", "info", "--target", "qemu")
    assert done.returncode == 0
    assert str(installed) in done.stdout


def test_scenarios_are_found_by_name(installed: Path, path: Path) -> None:
    done = hil(installed, path, "run", "los-091105", "burst-loss")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 passed" in done.stdout
    done = hil(installed, path, "run", "all", "--jobs", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS     reacquisition on software" in done.stdout


def test_without_it_the_line_that_gets_it(installed: Path, path: Path) -> None:
    for target, words in (
        ("qemu", "qemu-system-arm not found: apt-get install qemu-system-arm"),
        ("posix", "firmware sources not found: build in a checkout"),
        ("simavr", "simavr runner not found: use a checkout"),
    ):
        done = hil(installed, path, "fly", "--target", target, "--json")
        assert (done.returncode, done.stderr.count("\n")) == (20, 1)
        assert words in done.stderr


def test_boards_are_flashed_with_what_the_wheel_carries(installed: Path, path: Path) -> None:
    for tool in ("openocd", "avrdude"):
        os.symlink("/bin/true", path / tool)
    for board, image in (("stm32f4", "stm32f4.elf"), ("uno", "uno.hex")):
        done = hil(installed, path, "firmware", "flash", board, "--port", "/dev/ttyACM0", "--dry-run")
        assert done.returncode == 0, done.stderr
        assert str(installed / "hil" / "firmware" / "prebuilt" / image) in done.stdout
    done = hil(installed, path, "firmware", "build", "stm32f4")
    assert done.returncode == 1
    assert "firmware sources not found: build in a checkout" in done.stderr

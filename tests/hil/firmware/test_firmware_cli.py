"""``hil firmware``: with stand-ins for the programs that write flash, and with real targets."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from hil.boards import PACKAGES, find_board, known_boards
from hil.elf import Elf, build_of
from hil.targets import MACHINES
from hil.targets.firmware import FIRMWARE, STM32_ELF
from tests.firmware.tools import need
from tests.system.conftest import Run, home, run  # noqa: F401 - fixtures
from tests.targets.bench import require
from tests.targets.test_board import StandIn, device  # noqa: F401 - fixture

Tools = Callable[..., Path]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """A PATH with these programs alone; each notes its words, keeps what it is given, and talks of its progress."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def install(*names: str, code: int = 0) -> Path:
        for name in names:
            path = folder / name
            path.write_text(
                "#!/bin/sh\n"
                f'printf "%s\\n" "{name}" "$@" > {tmp_path}/words\n'
                f'for word in "$@"; do [ -f "$word" ] && /bin/cp "$word" {tmp_path}/image; done\n'
                "echo 'Writing | #### | 100%' >&2\n"
                f"exit {code}\n"
            )
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return tmp_path

    return install


def words(folder: Path) -> list[str]:
    return (folder / "words").read_text().splitlines()


def test_every_board_says_what_builds_it_and_what_writes_it() -> None:
    assert known_boards() == ["posix", "stm32f4", "uno"]
    for name in known_boards():
        board = find_board(name)
        assert board.compiler in PACKAGES
        assert set(board.flash_tools) <= set(PACKAGES)
        assert bool(board.flash_tools) == (name != "posix")


def test_openocd_writes_and_verifies(tools: Tools, run: Run) -> None:  # noqa: F811
    folder = tools("openocd", "st-flash")
    done = run("hil", "firmware", "flash", "stm32f4", "--image", str(STM32_ELF))
    assert done.returncode == 0, done.stderr
    assert words(folder) == [
        "openocd",
        "-f",
        "board/st_nucleo_f4.cfg",
        "-c",
        f"program {{{STM32_ELF}}} verify reset exit",
    ]
    assert "Writing | #### | 100%" in done.stderr


def test_st_flash_gets_a_flat_image(tools: Tools, run: Run) -> None:  # noqa: F811
    folder = tools("st-flash")
    done = run("hil", "firmware", "flash", "stm32f4", "--image", str(STM32_ELF))
    assert done.returncode == 0, done.stderr
    name, *rest, image, address = words(folder)
    assert (name, rest, address) == ("st-flash", ["--reset", "write"], "0x8000000")
    assert (folder / "image").read_bytes() == Elf.read(STM32_ELF).image()[1]
    assert not Path(image).exists()


def test_avrdude_goes_through_the_port(tools: Tools, run: Run) -> None:  # noqa: F811
    folder = tools("avrdude")
    done = run("hil", "firmware", "flash", "uno", "--port", "/dev/ttyACM7")
    assert done.returncode == 0, done.stderr
    assert words(folder)[:9] == ["avrdude", "-c", "arduino", "-p", "m328p", "-b", "115200", "-P", "/dev/ttyACM7"]
    assert words(folder)[10].startswith("flash:w:/")
    assert words(folder)[10].endswith(".hex:i")


def test_a_dry_run_runs_nothing(tools: Tools, run: Run) -> None:  # noqa: F811
    folder = tools("openocd")
    done = run("hil", "firmware", "flash", "stm32f4", "--image", str(STM32_ELF), "--dry-run")
    assert done.stdout == f"openocd -f board/st_nucleo_f4.cfg -c 'program {{{STM32_ELF}}} verify reset exit'\n"
    assert not (folder / "words").exists()


def test_a_dry_run_needs_no_program(tools: Tools, run: Run) -> None:  # noqa: F811
    tools()
    done = run("hil", "firmware", "flash", "stm32f4", "--image", str(STM32_ELF), "--dry-run")
    assert done.returncode == 0
    assert done.stdout.startswith("openocd -f board/st_nucleo_f4.cfg")
    assert done.stderr == "there is no openocd: `apt-get install openocd`\n"
    done = run("hil", "firmware", "flash", "stm32f4", "--tool", "st-flash", "--dry-run")
    assert (done.returncode, done.stdout.split()[0]) == (0, "st-flash")
    assert "apt-get install stlink-tools" in done.stderr
    done = run("hil", "firmware", "flash", "stm32f4", "--image", "none.elf", "--dry-run")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "hil: none.elf is no file\n")


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["stm32f4"], 27, "no openocd and no st-flash: `apt-get install openocd` or `apt-get install stlink-tools`"),
        (["stm32f4", "--tool", "st-flash"], 27, "no st-flash: `apt-get install stlink-tools`"),
        (["uno"], 27, "no avrdude: `apt-get install avrdude`"),
        (["uno", "--tool", "openocd"], 2, "uno is flashed with avrdude, not with openocd"),
        (["posix"], 2, "posix is no hardware"),
        (["toaster"], 2, "there is no board 'toaster'; known are: posix, stm32f4, uno"),
    ],
)
def test_without_the_program_the_line_that_gets_it(
    tools: Tools,
    run: Run,  # noqa: F811
    arguments: list[str],
    code: int,
    text: str,
) -> None:
    tools()
    done = run("hil", "firmware", "flash", *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (code, 1)
    assert text in done.stderr


def test_images_that_are_none(tools: Tools, run: Run, tmp_path: Path) -> None:  # noqa: F811
    tools("st-flash")
    (tmp_path / "text.elf").write_text("no ELF")
    for image, code, text in (("none.elf", 2, "is no file"), ("text.elf", 1, "is no little-endian ELF file")):
        done = run("hil", "firmware", "flash", "stm32f4", "--image", str(tmp_path / image))
        assert done.returncode == code
        assert text in done.stderr


def test_a_program_that_fails_is_said(tools: Tools, run: Run) -> None:  # noqa: F811
    tools("avrdude", code=3)
    done = run("hil", "firmware", "flash", "uno", "--port", "/dev/ttyACM7")
    assert done.returncode == 27
    assert "avrdude ended with exit code 3" in done.stderr


def test_a_build_without_its_compiler(tools: Tools, run: Run) -> None:  # noqa: F811
    folder = tools()
    done = run("hil", "firmware", "build", "stm32f4")
    assert (done.returncode, done.stderr) == (1, "hil: there is no make: apt-get install make\n")
    os.symlink("/bin/true", folder / "bin" / "make")
    done = run("hil", "firmware", "build", "uno")
    assert (done.returncode, done.stderr) == (
        1,
        "hil: there is no avr-gcc: apt-get install gcc-avr avr-libc binutils-avr\n",
    )
    done = run("hil", "firmware", "build", "toaster")
    assert done.returncode == 2
    assert "known are: posix, stm32f4, uno" in done.stderr


def test_a_build_says_what_it_made(run: Run) -> None:  # noqa: F811
    need("make", "gcc", packages="make gcc libc6-dev")
    done = run("hil", "firmware", "build", "posix")
    assert done.returncode == 0, done.stderr
    program = FIRMWARE / "build" / "posix" / "lander"
    line = done.stdout.splitlines()[-1]
    assert line == f"{program}  {program.stat().st_size} bytes  build {build_of(program):08x}"


@pytest.mark.parametrize("name", sorted(MACHINES))
def test_every_target_is_what_it_should_be(run: Run, name: str) -> None:  # noqa: F811
    require(name)
    done = run("hil", "firmware", "info", "--target", name, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["reset_reason"] == "POWER_ON"
    assert told["dictionary"] == told["dictionary_here"]
    assert told["equal"]
    assert (told["file"] is None) == (name == "software")


def test_another_firmware_is_told(run: Run) -> None:  # noqa: F811
    require("qemu")
    done = run("hil", "firmware", "info", "--target", "qemu", "--elf", str(FIRMWARE / "prebuilt" / "uno.elf"))
    assert done.returncode == 1
    build, dictionary, reason = done.stdout.splitlines()
    assert f"DIFFERS from {build_of(FIRMWARE / 'prebuilt' / 'uno.elf'):08x} in" in build
    assert build.split()[1] == f"{build_of(STM32_ELF):08x}"
    assert "as " in dictionary
    assert reason == "reset reason  power on"


def test_a_board_is_asked_and_its_file_found(device: StandIn, run: Run, tmp_path: Path) -> None:  # noqa: F811
    shutil.copy(FIRMWARE / "build" / "posix" / "lander", tmp_path / "lander.elf")
    done = run("hil", "firmware", "info", "--port", device.path, "--elf", str(tmp_path / "lander.elf"))
    assert done.returncode == 0, done.stdout + done.stderr
    done = run("hil", "firmware", "info", "--port", device.path)
    assert done.returncode == 1
    assert "no file here has this build: `hil firmware build`, or --elf" in done.stdout
    done = run("hil", "firmware", "info", "--port", "/dev/ttyNOWHERE")
    assert done.returncode == 11
    done = run("hil", "firmware", "info", "--port", device.path, "--target", "qemu")
    assert done.returncode == 2

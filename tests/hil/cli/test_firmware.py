"""``hil firmware``: with stand-ins for the programs that write flash, and with real targets."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from hil.firmware import stamp
from hil.images.boards import FIRMWARE, PACKAGES, find_board, known_boards
from hil.images.image import choose_image
from hil.targets import MACHINES
from tests.firmware.tools import PREBUILT, need, record
from tests.system.conftest import Run, home, run  # noqa: F401 - fixtures
from tests.targets.bench import require
from tests.targets.stand_in import StandIn
from tests.targets.test_board import device  # noqa: F401 - fixture

Tools = Callable[..., Path]
STM32_ELF = PREBUILT / "stm32f4.elf"


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
    assert (folder / "image").read_bytes() == stamp.loaded_image(STM32_ELF.read_bytes())[1]
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
    assert done.stderr == "openocd not found: `apt-get install openocd`\n"
    done = run("hil", "firmware", "flash", "stm32f4", "--tool", "st-flash", "--dry-run")
    assert (done.returncode, done.stdout.split()[0]) == (0, "st-flash")
    assert "apt-get install stlink-tools" in done.stderr
    done = run("hil", "firmware", "flash", "stm32f4", "--image", "none.elf", "--dry-run")
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "hil: none.elf cannot be read: No such file or directory\n",
    )


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (
            ["stm32f4"],
            27,
            "openocd and st-flash not found: `apt-get install openocd` or `apt-get install stlink-tools`",
        ),
        (["stm32f4", "--tool", "st-flash"], 27, "st-flash not found: `apt-get install stlink-tools`"),
        (["uno"], 27, "avrdude not found: `apt-get install avrdude`"),
        (["uno", "--tool", "openocd"], 2, "uno is flashed with avrdude, not with openocd"),
        (["posix"], 2, "posix is not hardware"),
        (["toaster"], 2, "unknown board 'toaster'; known: posix, stm32f4, uno"),
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


@pytest.mark.parametrize(
    ("board", "image", "text"),
    [
        ("stm32f4", "none.elf", "cannot be read: No such file"),
        ("stm32f4", "text.elf", "neither ELF nor Intel HEX"),
        ("stm32f4", str(PREBUILT / "uno.elf"), "is an image of uno, not of stm32f4"),
        ("stm32f4", "/bin/true", "not of an ARM"),
        ("uno", str(STM32_ELF), "is an image of stm32f4, not of uno"),
    ],
)
def test_an_image_of_another_board_is_not_written(
    tools: Tools,
    run: Run,  # noqa: F811
    tmp_path: Path,
    board: str,
    image: str,
    text: str,
) -> None:
    folder = tools("openocd", "st-flash", "avrdude")
    (tmp_path / "text.elf").write_text("no ELF")
    done = run("hil", "firmware", "flash", board, "--image", str(tmp_path / image), "--port", "/dev/ttyACM7")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert text in done.stderr
    assert not (folder / "words").exists()


def test_an_elf_is_written_through_avrdude_as_hex(tools: Tools, run: Run) -> None:  # noqa: F811
    folder = tools("avrdude")
    image = PREBUILT / "uno.elf"
    done = run("hil", "firmware", "flash", "uno", "--image", str(image), "--port", "/dev/ttyACM7")
    assert done.returncode == 0, done.stderr
    assert f"flashed build {record(PREBUILT / 'uno.json')['image']}" in done.stderr
    (written,) = [word for word in words(folder) if word.startswith("flash:w:")]
    assert written.endswith("uno.hex:i")


def test_one_of_several_boards_is_chosen(tools: Tools, run: Run) -> None:  # noqa: F811
    folder = tools("openocd", "st-flash", "avrdude")
    for tool, chosen in (
        ("openocd", ["-c", "adapter serial 066CFF"]),
        ("st-flash", ["--serial", "066CFF"]),
    ):
        done = run(
            "hil", "firmware", "flash", "stm32f4", "--tool", tool, "--probe", "066CFF", "--image", str(STM32_ELF)
        )
        assert done.returncode == 0, done.stderr
        told = words(folder)
        assert told[told.index(chosen[0], 1) : told.index(chosen[0], 1) + 2] == chosen
    done = run("hil", "firmware", "flash", "uno", "--port", "/dev/ttyUSB3", "--baud", "57600")
    assert done.returncode == 0, done.stderr
    assert words(folder)[5:9] == ["-b", "57600", "-P", "/dev/ttyUSB3"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["uno", "--probe", "066CFF"], "choose the board with --port"),
        (["stm32f4", "--baud", "57600"], "has no baud rate"),
    ],
)
def test_a_choice_that_the_tool_does_not_have_is_refused(
    tools: Tools,
    run: Run,  # noqa: F811
    arguments: list[str],
    text: str,
) -> None:
    folder = tools("openocd", "avrdude")
    done = run("hil", "firmware", "flash", *arguments)
    assert done.returncode == 2
    assert text in done.stderr
    assert not (folder / "words").exists()


def test_a_port_in_use_is_not_flashed(tools: Tools, run: Run) -> None:  # noqa: F811
    folder = tools("avrdude")
    master, slave = os.openpty()
    done = run("hil", "firmware", "flash", "uno", "--port", os.ttyname(slave))
    assert done.returncode == 12
    assert f"is in use by {Path('/proc/self/comm').read_text().strip()} (pid {os.getpid()})" in done.stderr
    assert not (folder / "words").exists()
    for fd in (master, slave):
        os.close(fd)


def test_a_program_that_fails_is_said(tools: Tools, run: Run) -> None:  # noqa: F811
    tools("avrdude", code=3)
    done = run("hil", "firmware", "flash", "uno", "--port", "/dev/ttyACM7")
    assert done.returncode == 27
    assert "avrdude ended with exit code 3" in done.stderr


def test_a_build_without_its_compiler(tools: Tools, run: Run) -> None:  # noqa: F811
    folder = tools()
    done = run("hil", "firmware", "build", "stm32f4")
    assert (done.returncode, done.stderr) == (1, "hil: make not found: apt-get install make\n")
    os.symlink("/bin/true", folder / "bin" / "make")
    done = run("hil", "firmware", "build", "uno")
    assert (done.returncode, done.stderr) == (
        1,
        "hil: avr-gcc not found: apt-get install gcc-avr avr-libc binutils-avr\n",
    )
    done = run("hil", "firmware", "build", "toaster")
    assert done.returncode == 2
    assert "known: posix, stm32f4, uno" in done.stderr


def test_a_build_says_what_it_made(run: Run) -> None:  # noqa: F811
    need("make", "gcc", packages="make gcc libc6-dev")
    done = run("hil", "firmware", "build", "posix")
    assert done.returncode == 0, done.stderr
    program = FIRMWARE / "build" / "posix" / "lander"
    line = done.stdout.splitlines()[-1]
    assert line == f"{program}  {program.stat().st_size} bytes  build {choose_image('posix').id_text}"


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


def test_an_image_that_was_given_runs(run: Run, tmp_path: Path) -> None:  # noqa: F811
    require("qemu")
    shutil.copy(STM32_ELF, tmp_path / "lander.elf")
    done = run("hil", "firmware", "info", "--target", "qemu", "--image", str(tmp_path / "lander.elf"))
    build, dictionary, reason = done.stdout.splitlines()
    number = record(PREBUILT / "stm32f4.json")["image"]
    assert build == f"build         {number}  as {number} in {tmp_path}/lander.elf (given)"
    assert "as " in dictionary
    assert reason == "reset reason  power on"
    done = run("hil", "firmware", "info", "--target", "qemu", "--image", str(PREBUILT / "uno.elf"))
    assert (done.returncode, done.stderr) == (2, f"hil: {PREBUILT / 'uno.elf'} is an image of uno, not of stm32f4\n")


@pytest.mark.long
def test_a_board_is_asked_and_its_file_found(device: StandIn, run: Run, tmp_path: Path) -> None:  # noqa: F811
    shutil.copy(choose_image("posix").path, tmp_path / "lander.elf")
    done = run("hil", "firmware", "info", "--port", device.path, "--elf", str(tmp_path / "lander.elf"))
    assert done.returncode == 0, done.stdout + done.stderr
    done = run("hil", "firmware", "info", "--port", device.path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "build/posix/lander (built here)" in done.stdout
    done = run("hil", "firmware", "info", "--port", device.path, "--image", str(STM32_ELF))
    assert done.returncode == 1
    assert f"DIFFERS from {record(PREBUILT / 'stm32f4.json')['image']} in {STM32_ELF} (given)" in done.stdout
    done = run("hil", "firmware", "info", "--port", "/dev/ttyNOWHERE")
    assert done.returncode == 11
    done = run("hil", "firmware", "info", "--port", device.path, "--target", "qemu")
    assert done.returncode == 2

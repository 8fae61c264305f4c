"""The commands ``hil firmware build|flash|info``."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from groundstation.errors import WorldError
from groundstation.output import echo, write_json, write_line
from groundstation.printable import shell_join
from hil.boards import PACKAGES, find_board
from hil.elf import build_of
from hil.flashing import FlashFailed, lack, plan_flashing
from hil.identity import compare, identify
from hil.targets import MACHINES, find_port
from hil.targets.firmware import FIRMWARE

EXIT_DIFFERENT = 1

_EXIT_CODES = """
\b
Exit codes: 0 fine, 1 the target is not what the file is or a build failed, 2 wrong usage, 20 no target answers,
27 not flashed, 130 interrupted; those of groundstation besides.
"""


class BuildFailed(WorldError):
    """The firmware was not built."""


@click.group("firmware", epilog=_EXIT_CODES)
def firmware_command() -> None:
    """Build the lander's firmware, write it into a board, and ask a board what it runs.

    \b
    Examples:
      hil firmware build stm32f4
      hil firmware flash stm32f4 --dry-run             the command line, not run
      hil firmware flash uno --port /dev/ttyACM0
      hil firmware info --port /dev/ttyACM0            is the board what was built
      hil firmware info --target qemu --json
    """


@firmware_command.command("build")
@click.argument("board")
def build_command(board: str) -> None:
    """Build for a BOARD, from a checkout's sources.

    \b
    Examples:
      hil firmware build stm32f4       hil/firmware/build/stm32f4/lander.elf and .bin
      hil firmware build uno           hil/firmware/build/uno/lander.elf and .hex
    """
    found = find_board(board)
    if not (FIRMWARE / "Makefile").is_file():
        raise BuildFailed("the firmware's sources are not here: they come with a checkout, not with the wheel")
    for tool in ("make", found.compiler):
        if shutil.which(tool) is None:
            raise BuildFailed(f"there is no {tool}: apt-get install {PACKAGES.get(tool, tool)}")
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", str(FIRMWARE), f"BOARD={found.name}", "board"], check=False
    )
    if done.returncode:
        raise BuildFailed(f"the firmware of {found.name} was not built: see above")
    for suffix in (".elf", ".hex", ".bin", ""):
        path = FIRMWARE / "build" / found.name / f"lander{suffix}"
        if path.is_file():
            number = f"build {build_of(path):08x}" if suffix in ("", ".elf") else ""
            write_line(f"{path}  {path.stat().st_size} bytes  {number}".rstrip())


@firmware_command.command("flash")
@click.argument("board")
@click.option("--tool", help="The program to use; the first of the board's that is installed by default.")
@click.option(
    "--image", type=click.Path(path_type=Path), help="What to write; what was built here, or the prebuilt one."
)
@click.option(
    "--port", help="Serial port of a board that is flashed through it; the one that is plugged in by default."
)
@click.option("--dry-run", is_flag=True, help="Show the command line, and run nothing.")
def flash_command(board: str, tool: str | None, image: Path | None, port: str | None, dry_run: bool) -> None:
    """Write the firmware into a BOARD.

    \b
    Examples:
      hil firmware flash stm32f4                       through its ST-Link: openocd or st-flash
      hil firmware flash uno --port /dev/ttyACM0       through its boot loader: avrdude
    """
    found = find_board(board)
    with tempfile.TemporaryDirectory(prefix="mars6-flash-") as scratch:
        plan = plan_flashing(found, Path(scratch), tool, image, lambda: port or find_port(), not dry_run)
        line = shell_join(plan.command)
        if dry_run:
            write_line(line)
            if shutil.which(plan.command[0]) is None:
                echo(lack(plan.command[:1]), err=True)
            return
        if plan.temporary is not None:
            plan.image.write_bytes(plan.temporary)
        echo(line, err=True)
        code = subprocess.run(plan.command, check=False).returncode  # its progress is for whoever waits
    if code:
        raise FlashFailed(f"{plan.command[0]} ended with exit code {code}: the board may hold half an image")
    echo("flashed; `hil firmware info` asks the board what it runs", err=True)


@firmware_command.command("info")
@click.option("--target", type=click.Choice(sorted(MACHINES)), help="An emulated board, or a lander on this computer.")
@click.option("--port", help="Serial port of a board; the one that is plugged in by default.")
@click.option("--elf", type=click.Path(path_type=Path), help="What it should run; a file that fits by default.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def info_command(target: str | None, port: str | None, elf: Path | None, as_json: bool) -> None:
    """Ask a target what it runs and why it started, and compare that with the firmware's file.

    A board is brought to READY for that: a flight ends.

    \b
    Examples:
      hil firmware info --port /dev/ttyACM0
      hil firmware info --target qemu --elf hil/firmware/build/stm32f4/lander.elf
    """
    if target is not None and port is not None:
        raise click.UsageError("choose one of --target and --port")
    told = identify(target, port or (find_port() if target is None else None))
    result = compare(told, target, elf)
    if as_json:
        write_json(json.dumps(result.fields()))
    else:
        for line in result.lines():
            write_line(line)
    sys.exit(0 if result.equal else EXIT_DIFFERENT)

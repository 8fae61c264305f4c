"""Where the machines find their programs."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from hil.targets.base import MachineFailed

FIRMWARE = Path(__file__).resolve().parents[1] / "firmware"
STM32_ELF = FIRMWARE / "prebuilt" / "stm32f4.elf"
_BUILD_TIMEOUT_S = 120
_VERSION_TIMEOUT_S = 5


def missing_for_posix() -> str | None:
    """What a build for this computer lacks."""
    if not (FIRMWARE / "Makefile").is_file():
        return "the firmware's sources are not here: they come with a checkout, not with the wheel"
    absent = [tool for tool in ("make", "gcc") if shutil.which(tool) is None]
    return f"there is no {' and no '.join(absent)}: apt-get install {' '.join(absent)}" if absent else None


def posix_program() -> Path:
    """The lander as a program of this computer, built if it is not up to date.

    Raises:
        MachineFailed: it cannot be built.
    """
    if (lack := missing_for_posix()) is not None:
        raise MachineFailed(lack)
    make(FIRMWARE, "BOARD=posix", "board")
    return FIRMWARE / "build" / "posix" / "lander"


def make(folder: Path, *arguments: str) -> None:
    """Build what is not up to date in a folder with a Makefile.

    Raises:
        MachineFailed: it cannot be built.
    """
    with open(folder / "Makefile", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one build at a time
        try:
            done = subprocess.run(
                ["make", "--no-print-directory", "-C", str(folder), *arguments],
                capture_output=True,
                text=True,
                timeout=_BUILD_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise MachineFailed(f"make did not end in {_BUILD_TIMEOUT_S} s") from None
    if done.returncode != 0:
        raise MachineFailed(f"{folder.name} cannot be built: {done.stderr.strip()}")


def sha256_of(path: Path) -> str:
    """A program's hash.

    Raises:
        MachineFailed: it cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise MachineFailed(f"{path} cannot be read: {error.strerror}") from error


def first_line(*command: str) -> str:
    """What a program says first, its version for instance; empty if it says nothing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_VERSION_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.partition("\n")[0]

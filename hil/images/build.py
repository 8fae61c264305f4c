"""Runs make: for the firmware of a board, and for the program that runs one in simavr."""

from __future__ import annotations

import fcntl
import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from groundstation.formats.printable import shell_join
from hil.errors import BuildFailed

_LOG = logging.getLogger("hil.firmware_tools")

_TIMEOUT_S = 120
_LOOK_S = 0.05
_OF_ANOTHER_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "MAKEFILES")
"""What a make that started this program says to the makes that it starts: nothing for ours."""


def make(folder: Path, *arguments: str, show: bool = False) -> None:
    """Build what is not up to date in a folder with a Makefile; one build at a time.

    Args:
        folder: where the Makefile is.
        arguments: of make.
        show: let make and the compiler write to this program's own output.

    Raises:
        BuildFailed: it was not built; the compiler's words are in the text, or on the terminal.
    """
    command = ["make", "--no-print-directory", "-C", str(folder), f"PYTHON={sys.executable}", *arguments]
    with open(folder / "Makefile", encoding="utf-8") as lock:
        _wait_for(lock, folder)
        _LOG.info("run %s", shell_join(command))
        try:
            done = subprocess.run(
                command,
                capture_output=not show,
                text=True,
                timeout=None if show else _TIMEOUT_S,
                env=_environment(os.environ),
                check=False,
            )
        except FileNotFoundError:
            raise BuildFailed("make not found: apt-get install make") from None
        except subprocess.TimeoutExpired:
            raise BuildFailed(f"{folder}: make did not end in {_TIMEOUT_S} s") from None
    if done.returncode != 0:
        raise BuildFailed(f"{folder}: make failed: {'see above' if show else done.stderr.strip()}")


def _wait_for(lock: IO[str], folder: Path) -> None:
    """Wait until no other build goes on."""
    deadline = time.monotonic() + _TIMEOUT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise BuildFailed(f"{folder}: another make has been at it for {_TIMEOUT_S} s") from None
            time.sleep(_LOOK_S)
        else:
            return


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in given.items() if name not in _OF_ANOTHER_MAKE}

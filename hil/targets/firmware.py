"""What the machines need of this computer, and which programs it has."""

from __future__ import annotations

import shutil
import subprocess

from hil.images.boards import FIRMWARE

_VERSION_TIMEOUT_S = 5


def missing_for_posix() -> str | None:
    """What a build for this computer lacks."""
    if not (FIRMWARE / "Makefile").is_file():
        return "firmware sources not found: build in a checkout (the wheel has no sources)"
    absent = [tool for tool in ("make", "gcc") if shutil.which(tool) is None]
    return f"{' and '.join(absent)} not found: apt-get install {' '.join(absent)}" if absent else None


def first_line(*command: str) -> str:
    """What a program says first, its version for instance; empty if it says nothing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_VERSION_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.partition("\n")[0]

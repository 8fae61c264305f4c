"""What the tests of the firmware need beside Python."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.firmware.core import FIRMWARE


def need(*tools: str, packages: str) -> None:
    """Skip where a tool is missing; in CI that is a failure."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if not missing:
        return
    lack = f"no {' and no '.join(missing)}: apt-get install {packages}"
    if os.environ.get("MARS6_REQUIRE_ALL"):
        pytest.fail(lack)
    pytest.skip(lack)


def make(*arguments: str, check: bool = True, folder: Path = FIRMWARE) -> subprocess.CompletedProcess[str]:
    command_line = ["make", "--no-print-directory", "-C", str(folder), *arguments]
    return subprocess.run(command_line, check=check, capture_output=True, text=True)

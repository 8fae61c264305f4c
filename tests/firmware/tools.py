"""What the tests of the firmware need beside Python."""

from __future__ import annotations

import os
import shutil

import pytest


def need(*tools: str, packages: str) -> None:
    """Skip where a tool is missing; in CI that is a failure."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if not missing:
        return
    lack = f"no {' and no '.join(missing)}: apt-get install {packages}"
    if os.environ.get("MARS6_REQUIRE_ALL"):
        pytest.fail(lack)
    pytest.skip(lack)

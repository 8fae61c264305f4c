"""How much of the core these tests run: they are run once more with gcov."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.firmware.core import CORE

GOAL = 98.0
FILES = ["test_flight.py", "test_modules.py", "test_uplink.py"]
_LINE = re.compile(r"File '(.*core/\w+\.c)'\nLines executed:([\d.]+)% of (\d+)")


@pytest.mark.long
@pytest.mark.timeout(600)
def test_lines_of_the_core(tmp_path: Path) -> None:
    here = Path(__file__).parent
    environment = {**os.environ, "FIRMWARE_CFLAGS": "-O0 --coverage", "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'runs'}"]
    subprocess.run([*command, *(str(here / name) for name in FILES)], env=environment, check=True, cwd=CORE.parents[2])
    notes = [str(path) for path in tmp_path.rglob("*.gcno")]
    told = subprocess.run(["gcov", "-n", *notes], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    lines = {Path(path).name: (float(share), int(count)) for path, share, count in _LINE.findall(told)}
    assert set(lines) == {source.name for source in CORE.glob("*.c")}
    total = sum(share * count for share, count in lines.values()) / sum(count for _, count in lines.values())
    print(f"core: {total:.2f} % of lines;", {name: share for name, (share, _) in lines.items() if share < 100})
    assert total >= GOAL, lines

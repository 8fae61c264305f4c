"""Generated files are those that the tools write, and sources are what they are said to be."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.firmware.core import CORE, FIRMWARE

ROOT = FIRMWARE.parents[1]


@pytest.mark.parametrize("tool", ["make_atmosphere.py", "make_orbit.py"])
def test_the_tables_of_the_models(tool: str) -> None:
    subprocess.run([sys.executable, str(ROOT / "tools" / tool), "--check"], check=True)


@pytest.mark.parametrize("path", sorted(CORE.iterdir()), ids=lambda path: path.name)
def test_core_knows_no_floats_heap_or_library(path: Path) -> None:
    code = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not re.search(r"\b(float|double|malloc|free|printf)\b", code)
    allowed = {"stdbool.h", "stddef.h", "stdint.h", "avr/pgmspace.h"}
    assert set(re.findall(r"#include <(.+?)>", code)) <= allowed
    assert len(code.splitlines()) < 400

"""The pictures of the documents are those of today's terminal interface."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SIZES = {"descent.svg": 40, "descent-80x24.svg": 24}


def words(path: Path, line: int) -> list[str]:
    """The words of a line of a picture, without numbers."""
    pattern = rf'clip-path="url\(#terminal-mars6-line-{line}\)">([^<]*)</text>'
    text = " ".join(re.findall(pattern, path.read_text(encoding="utf-8")))
    return re.findall(r"[A-Za-z]{3,}", html.unescape(text))


@pytest.mark.long
@pytest.mark.alone
@pytest.mark.timeout(300)
def test_pictures_have_the_header_and_footer_of_today(tmp_path: Path) -> None:
    if shutil.which("tmux") is None:
        assert not os.environ.get("MARS6_REQUIRE_ALL"), "tmux is not installed"
        pytest.skip("tmux is not installed")
    command = [sys.executable, str(ROOT / "tools" / "screenshots.py"), "--folder", str(tmp_path)]
    subprocess.run(command, check=True, timeout=280)
    for name, lines in SIZES.items():
        committed = ROOT / "docs" / "img" / name
        for line in (0, lines - 1):
            assert words(committed, line), f"{name} has no line {line}"
            assert words(committed, line) == words(tmp_path / name, line), f"{name} is old: make screenshots"

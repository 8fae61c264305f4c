"""The whole screen as text, against files. ``REGENERATE_GOLDEN=1 pytest`` rewrites them: read the diff."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.groundstation.tui.stage import SCENES, SIZES, scene

GOLDEN = Path(__file__).with_name("golden")


async def shot(name: str, size: tuple[int, int], ascii_only: bool) -> str:
    async with scene(name, size, ascii_only=ascii_only) as stage:
        return stage.text()


@pytest.mark.parametrize("ascii_only", [False, pytest.param(True, marks=pytest.mark.long)], ids=["unicode", "ascii"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCENES)
def test_screen_is_as_recorded(name: str, size: tuple[int, int], ascii_only: bool) -> None:
    seen = asyncio.run(shot(name, size, ascii_only))
    golden = GOLDEN / f"{name}-{size[0]}x{size[1]}-{'ascii' if ascii_only else 'unicode'}.txt"
    if os.environ.get("REGENERATE_GOLDEN"):
        golden.write_text(seen, encoding="utf-8")
    assert seen == golden.read_text(encoding="utf-8")
    assert seen.isascii() or not ascii_only

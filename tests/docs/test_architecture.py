"""docs/architecture.md is what the contracts and the rooms' docstrings say."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.docs.shell import ROOT

PACKAGES = ("protocols", "groundstation", "hil")


def test_architecture_page_is_current() -> None:
    done = subprocess.run(
        [sys.executable, "tools/make_architecture.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_no_room_holds_more_than_15_files(package: str) -> None:
    rooms = {path.parent for path in (ROOT / package).rglob("*.py")}
    sizes = {str(room.relative_to(ROOT)): len(list(room.glob("*.py"))) for room in rooms}
    assert {room: size for room, size in sizes.items() if size > 15} == {}

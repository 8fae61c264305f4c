"""Scenarios of users."""

from __future__ import annotations

import pytest

PLAIN = '[scenario]\nid = "plain"\n'
TIGHT = """
[scenario]
id = "tight"

[[fault]]
kind = "frame_drop"
at = "09:08:00"
for = { frames = 3 }

[[limit]]
name = "frames_missing"
max = 1
"""
FLIP = '[scenario]\nid = "flip"\n[[fault]]\nkind = "memory_flip"\nat = "09:08:00"\naddress = 0x20000000\n'
TYPO = '[scenario]\nid = "typo"\n[[fault]]\nkind = "silense"\n'


def put(project: pytest.Pytester, **texts: str) -> None:
    """Write files into the folder ``scenarios``."""
    folder = project.path / "scenarios"
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")

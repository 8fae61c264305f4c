"""The style sheet: what is written can be read, in every scheme."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

import hil.report

CSS = (Path(hil.report.__file__).parent / "style.css").read_text(encoding="utf-8")


def schemes() -> list[dict[str, str]]:
    """Colours by name, of light, dark and print."""
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    assert len(blocks) == 3
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,8});", block)) for block in blocks]


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) > 4 else "".join(c * 2 for c in colour[1:])
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", schemes(), ids=["light", "dark", "print"])
def test_contrast(scheme: dict[str, str]) -> None:
    for text, ground in product(("ink", "mute", "pass", "marginal", "fail", "unset", "link"), ("paper", "panel")):
        assert contrast(scheme[text], scheme[ground]) >= 4.5, text
    for drawn in ("altitude", "speed", "frames", "fault"):
        assert contrast(scheme[drawn], scheme["paper"]) >= 3, drawn


def test_it_fetches_nothing() -> None:
    assert not re.search(r"@import|url\((?!#)", CSS)

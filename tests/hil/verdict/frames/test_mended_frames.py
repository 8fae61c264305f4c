"""What salvage gains of a flight's damaged frames, held against what was made aboard."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.runs.run import Plan, fly_plan
from hil.scenario.scenario import parse_scenario
from hil.verdict.frames import mended_frames
from hil.verdict.frames.mended_frames import MendingTally
from hil.verdict.result import Measurement
from hil.verdict.stream_diff import made_stream

NOISE = """
[scenario]
id = "noise"

[[fault]]
kind = "bit_flip"
ber = 1e-3
at = "09:08:00"
for = "20 s"
"""
CHIP = """
[scenario]
id = "chip"

[[command]]
at = "09:08:00"
name = "INJECT_FAULT"
args = { fault = "FLIPS_AFTER_CRC", level = 50, seed = 5 }

[[command]]
at = "09:08:20"
name = "CLEAR_FAULTS"
args = { fault = "ALL" }
"""


def measured(text: str, folder: Path) -> dict[str, Measurement]:
    plan = Plan(parse_scenario(text), "software", "lockstep", folder / "run", "hil run")
    return {row.name: row for row in fly_plan(plan, lambda: 0, lambda scet: None).measurements}


@pytest.mark.parametrize("text", [NOISE, CHIP], ids=["a noisy line", "a chip that fails"])
def test_damaged_frames_are_mended_as_they_were_made(text: str, tmp_path: Path) -> None:
    rows = measured(text, tmp_path)
    assert rows["mended_wrong"].value == 0
    assert isinstance(rows["frames_mended"].value, int)
    assert rows["frames_mended"].value > 80
    assert isinstance(rows["mended_share"].value, float)
    assert rows["mended_share"].value > 95


def test_a_mend_that_is_not_what_was_made_fails_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = 132 * 700 + 60

    def other(script: tuple[tuple[int, bytes], ...], ready: bool, steps: int) -> bytes:
        made = bytearray(made_stream(script, ready, steps))
        for at in range(where, len(made), 132):
            made[at] ^= 1
        return bytes(made)

    monkeypatch.setattr(mended_frames, "made_stream", other)
    monkeypatch.setattr(mended_frames, "flew_otherwise", lambda made, record: False)
    rows = measured(NOISE, tmp_path)
    assert rows["mended_wrong"].state == "FAIL"
    assert "salvage says at most" in rows["mended_wrong"].note


def test_a_flight_without_damage_has_nothing_to_mend(tmp_path: Path) -> None:
    rows = measured('[scenario]\nid = "whole"\n', tmp_path)
    assert not {name for name in rows if "mended" in name}


@pytest.mark.parametrize(("risk", "most"), [(0.0, 0), (0.0009, 0), (0.02, 1), (0.1, 2), (2.0, 8), (1000.0, 1099)])
def test_no_more_wrong_mends_are_allowed_than_are_likely(risk: float, most: int) -> None:
    assert MendingTally(100, 90, 0, 0, risk, 200).wrong_most == most

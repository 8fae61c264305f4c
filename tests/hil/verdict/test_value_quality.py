"""The ground's checks beside what the lander meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundstation.messages.wire import Telemetry, ValueQuality
from hil.report import page
from hil.report.contents import Report
from hil.runs.find import find_scenario
from hil.runs.run import Plan, fly_plan
from hil.scenario.measurements import OF_VALUES
from hil.scenario.scenario import load_scenario, parse_scenario
from hil.verdict.limits import band_of
from hil.verdict.result import CheckScore, Measurement
from hil.verdict.value_quality import ANY, total, value_scores
from protocols.lander import EPOCH, MARS6

TICK_NS = 100_000_000
PACKET = MARS6.by_name["DESCENT"]
RAW = {
    "tick": 0,
    "phase": 5,
    "altitude": 4_000_000,
    "speed": 70_000,
    "vertical_speed": 70_000,
    "deceleration": 40,
    "temperature": 2_000,
    "pressure": 1_500,
    "altimeter_lock": 0,
    "radio_altitude": 0,
    "radio_altitude_low": 0,
    "pump_current": 80,
}
CHIP = """
[scenario]
id = "chip"
title = "Stuck words and flips"

[[command]]
at = "09:07:40"
name = "INJECT_FAULT"
args = { fault = "STUCK_WORDS", level = 40, seed = 5 }

[[command]]
at = "09:08:00"
name = "INJECT_FAULT"
args = { fault = "FLIPS_BEFORE_CRC", level = 20, seed = 6 }
"""


def body(tick: int, **raw: int) -> bytes:
    return PACKET.codec.encode_names({**RAW, "tick": tick, **raw})


def said(tick: int, bad: dict[str, ValueQuality], **raw: int) -> Telemetry:
    values = PACKET.codec.decode(body(tick, **raw), 0)
    void = PACKET.void(values)
    shown = {name: None if name in void else value for name, value in values.items()}
    scet = EPOCH + tick * TICK_NS
    return Telemetry(packet="DESCENT", apid=0x101, vcid=0, scet=scet, ert=scet, values=shown, invalid=void, bad=bad)  # type: ignore[arg-type]


def score(rows: list[CheckScore], parameter: str, check: str = ANY) -> CheckScore:
    return next(row for row in rows if (row.parameter, row.check) == (parameter, check))


def test_scores_count_garbage_what_was_found_and_how_late() -> None:
    rate = {"altitude": ValueQuality("suspect", "rate")}
    flown = [
        said(0, {}),
        said(1, {}, altitude=9_000_000),
        said(2, rate, altitude=9_000_000),
        said(3, {"altitude": ValueQuality("unusable", "range")}, altitude=9_000_000),
        said(4, rate),
        said(5, {}, altitude=4_049_000),
    ]
    meant = {tick: body(tick) for tick in (1, 2, 3, 5)}
    rows = value_scores(flown, meant, MARS6)
    found = score(rows, "altitude")
    assert (found.values, found.garbage, found.found, found.wrong, found.latency_ms) == (6, 3, 2, 1, 100.0)
    assert score(rows, "altitude", "rate").found == 1
    assert score(rows, "altitude", "range").latency_ms == 200.0
    assert (found.recall, found.precision, found.false_share) == (2 / 3, 2 / 3, 1 / 3)
    assert score(rows, "speed").garbage == 0


def test_a_value_that_should_mean_nothing_is_garbage_if_shown() -> None:
    rows = value_scores([said(1, {}, altimeter_lock=1, radio_altitude=7)], {1: body(1)}, MARS6)
    assert (score(rows, "radio_altitude").garbage, score(rows, "altimeter_lock").garbage) == (1, 1)


def test_a_run_with_a_failing_chip_measures_its_checks(tmp_path: Path) -> None:
    result = fly_plan(
        Plan(parse_scenario(CHIP), "software", "lockstep", tmp_path / "run", "hil run"), lambda: 0, lambda scet: None
    )
    whole = total(result.checks)
    assert whole.garbage > 500
    assert (whole.recall or 0) >= 0.9 and (whole.false_share or 1) <= 0.02
    assert {row.phase for row in result.usable} >= {"AEROBRAKING", "DROGUE", "MAIN", "TERMINAL"}
    assert max(point.altitude for point in result.expected) < 120_000  # as meant, not as spoilt
    assert max(point.altitude for point in result.samples) < 120_000
    text = page.render(Report(generated="now", results=[result]))
    assert "Usable data by phase and instrument" in text and "garbage values" in text


def rows_of(text: str, folder: Path) -> dict[str, Measurement]:
    plan = Plan(parse_scenario(text), "software", "lockstep", folder / "run", "hil run")
    return {row.name: row for row in fly_plan(plan, lambda: 0, lambda scet: None).verdict.measurements}


def test_a_flight_whose_values_go_unmarked_fails() -> None:
    limits = load_scenario(find_scenario("degraded")).limits
    for name, passes, fails in (
        ("garbage_marked", 80.0, 0.0),
        ("good_marked", 2.0, 100.0),
        ("words_unusable", 48.0, 100.0),
    ):
        band = band_of(name, "lockstep", "software", limits)
        assert (band.judge(passes), band.judge(fails)) == ("PASS", "FAIL")
    assert band_of("words_unusable", "lockstep", "software", limits).judge(0.0) == "FAIL"


def test_rows_of_a_failing_chip_are_held_to_their_limits(tmp_path: Path) -> None:
    limit = '\n[[limit]]\nname = "{}"\n{}\n'
    text = CHIP + limit.format("garbage_marked", "min = 90") + limit.format("words_unusable", "max = 1")
    rows = rows_of(text, tmp_path)
    assert rows["garbage_marked"].state == "PASS"
    assert rows["words_unusable"].state == "FAIL"
    assert " of 31360 " in f" {rows['words_unusable'].note} "  # 2,240 packets of 14 words
    assert rows["good_marked"].limit == "any" and rows["good_marked"].state == "PASS"


def test_a_part_of_a_degraded_flight_is_not_held_to_the_whole(tmp_path: Path) -> None:
    text = '[scenario]\nid = "part"\nprofile = "degraded"\nuntil = "09:07:40"\n'
    rows = rows_of(text + '[[limit]]\nname = "words_unusable"\nmin = 40\n', tmp_path)
    assert [rows[name].state for name in OF_VALUES] == ["NA"] * 3


def test_words_of_packets_that_did_not_come_are_unusable(tmp_path: Path) -> None:
    chip = '[scenario]\nid = "gap"\n[[command]]\nat = "09:10:40"\nname = "INJECT_FAULT"\n'
    chip += 'args = { fault = "STUCK_WORDS", level = 1, seed = 5 }\n'
    gap = '[[fault]]\nkind = "silence"\nat = "09:08:00"\nfor = "50 s"\n'
    without, with_gap = (
        rows_of(chip + more, tmp_path / name)["words_unusable"].value for name, more in (("a", ""), ("b", gap))
    )
    assert isinstance(without, float) and isinstance(with_gap, float)
    assert with_gap - without == pytest.approx(100 * 500 / 2240, abs=0.1)


def test_a_run_without_a_failing_chip_measures_none(tmp_path: Path) -> None:
    text = CHIP[: CHIP.index("[[command]]")]
    plan = Plan(parse_scenario(text), "software", "lockstep", tmp_path / "run", "hil run")
    result = fly_plan(plan, lambda: 0, lambda scet: None)
    assert result.checks == []
    assert not {row.name for row in result.verdict.measurements} & set(OF_VALUES)

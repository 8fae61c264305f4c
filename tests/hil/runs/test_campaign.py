"""Campaigns: what is drawn, the interval, and a small one flown."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from hil.cli import cli
from hil.errors import ScenarioError
from hil.runs.campaign import check_vary, draw, wilson
from hil.scenario.scenario import SCENARIOS, load_scenario, parse_scenario
from hil.scenario.toml import to_toml

RANDOM = load_scenario(SCENARIOS / "random-faults.toml")


def test_a_run_depends_on_seed_and_number_alone() -> None:
    scenario, drawn = draw(RANDOM, 1, 7)
    again, same = draw(RANDOM, 1, 7)
    assert (scenario.text, drawn) == (again.text, same)
    assert draw(RANDOM, 1, 8)[1] != drawn
    assert draw(RANDOM, 2, 7)[1] != drawn
    assert parse_scenario(scenario.text).faults == scenario.faults
    assert scenario.vary == []


@given(st.integers(0, 10**6))
def test_what_is_drawn_lies_in_its_range(number: int) -> None:
    _, drawn = draw(RANDOM, 3, number)
    assert 1e-6 <= float(drawn["fault[0].ber"]) <= 1e-3
    assert "09:07:21.000" <= str(drawn["fault[0].at"]) <= "09:10:00.000"
    assert 1 <= int(drawn["fault[4].at_byte"]) <= 131


def test_a_range_whose_end_cannot_be_flown_is_refused() -> None:
    text = '[scenario]\nid = "x"\n[[fault]]\nkind = "bit_flip"\nber = 1e-3\n'
    for vary, told in [
        ('fault = 0\nkey = "ber"\nlow = 0.5\nhigh = 2.0\n', "<= 1"),
        ('fault = 0\nkey = "bre"\nlow = 0.5\nhigh = 0.6\n', "did you mean 'ber'"),
        ('fault = 0\nkey = "ber"\nlow = 0.0\nhigh = 0.6\nlog = true\n', "above 0"),
        ('fault = 0\nkey = "at"\nlow = "09:00"\nhigh = "09:08:00"\n', "invalid time '09:00'"),
    ]:
        with pytest.raises(ScenarioError, match=told):
            check_vary(parse_scenario(f"{text}[[vary]]\n{vary}"))
    check_vary(RANDOM)


def test_scenarios_survive_their_own_toml() -> None:
    for path in SCENARIOS.glob("*.toml"):
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        assert tomllib.loads(to_toml(tables)) == tables


def test_wilson() -> None:
    """Figures of the interval from its formula by hand: 0/10, 10/10, 50/100."""
    assert wilson(0, 10) == pytest.approx((0.0, 0.27754), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.72246, 1.0), abs=1e-4)
    assert wilson(50, 100) == pytest.approx((0.40383, 0.59617), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.long
def test_a_small_campaign(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(cli, ["campaign", "random-faults", "--runs", "4", "--seed", "11", "--report", str(out)])
    assert done.exit_code == 0, done.output
    assert "random-faults on software: 4 of 4 runs passed: 100.0%" in done.output
    summary = json.loads((out / "campaign.json").read_text())
    assert [case["number"] for case in summary["cases"]] == [0, 1, 2, 3]
    assert len({case["seed"] for case in summary["cases"]}) == 4
    assert not list(out.glob("runs/*"))

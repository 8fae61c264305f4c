"""Flight profiles: how every target learns its own, what its pass is, and what has to be seen at its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hil.cli import cli
from hil.cli.fly import chosen_scenario
from hil.errors import ScenarioError
from hil.faults import mission_time
from hil.runs.run import Plan, check_plan, fly_plan, read_bundle
from hil.scenario.scenario import SCENARIOS, load_scenario, parse_scenario
from hil.targets import MACHINES
from hil.verdict.expected_losses import losses_of, with_losses
from hil.verdict.result import RunResult

HEAD = '[scenario]\nid = "x"\nflight_profile = "soft-landing"\n'
END = mission_time("09:13:28")


def hil(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def landed(target: str, folder: Path, mode: str = "lockstep", text: str = HEAD) -> RunResult:
    plan = Plan(parse_scenario(text), target, mode, folder / "run", "", 40.0)  # type: ignore[arg-type]
    check_plan(plan)
    return fly_plan(plan, lambda: 0, lambda scet: None)


@pytest.mark.parametrize("target", ["software", "posix", "qemu", pytest.param("simavr", marks=pytest.mark.long)])
def test_every_target_lands_and_is_heard_to_the_end(target: str, tmp_path: Path) -> None:
    if target in MACHINES and (lack := MACHINES[target].missing()) is not None:
        pytest.skip(lack)
    result = landed(target, tmp_path)
    assert result.state == "PASS", result.line
    assert {row.name: row.value for row in result.measurements}["stream_equal"] is True
    assert (result.planned_los, result.observed_los) == (END, END)
    assert result.verdict.lander_frames == 3670  # one in each tick of 367 s
    assert (result.samples[-1].scet, result.samples[-1].altitude) == (END - 10**8, 0)


def test_a_loss_of_the_whole_link_comes_before_the_end(tmp_path: Path) -> None:
    result = landed("software", tmp_path, text=f'{HEAD}[[fault]]\nkind = "silence"\nat = "09:12:00"\n')
    (loss,) = result.verdict.losses
    assert (loss.cause, loss.observed) == ("SILENCE", "09:12:00.000")
    assert not result.passed  # the scenario expects the signal until the pass is over


def test_losses_that_follow_from_faults_end_with_the_pass() -> None:
    tables = {
        "scenario": {"id": "x", "flight_profile": "soft-landing"},
        "fault": [{"kind": "unplug", "at": "09:12:00", "for": "5 s"}],
    }
    scenario = with_losses(tables, "x")
    assert [(loss.at.value, loss.causes) for loss in scenario.losses] == [
        (mission_time("09:12:00"), ["PORT"]),
        (END, ["SILENCE", "LANDER_ONLY"]),
    ]
    assert losses_of(scenario.faults) is None  # after the historical loss


def test_an_unknown_profile_is_refused_with_the_nearest() -> None:
    told = r"scenario\.flight_profile: unknown value 'softlanding'; did you mean 'soft-landing'\?"
    with pytest.raises(ScenarioError, match=told):
        parse_scenario('[scenario]\nid = "x"\nflight_profile = "softlanding"\n')


def test_the_option_stands_in_place_of_the_key(tmp_path: Path) -> None:
    done = hil("run", "soft-landing", "--report", tmp_path / "a")
    assert done.exit_code == 0, done.output
    (tmp_path / "plain.toml").write_text('[scenario]\nid = "plain"\n')
    words = ("run", tmp_path / "plain.toml", "--flight-profile", "soft-landing", "--report", tmp_path / "b")
    assert hil(*words).exit_code == 0
    named, chosen = (read_bundle(tmp_path / path) for path in ("a/runs/soft-landing-software", "b/runs/plain-software"))
    assert chosen.provenance["sent sha256"] == named.provenance["sent sha256"]
    assert "--flight-profile soft-landing" in chosen.replay
    again = hil("replay", tmp_path / "b/runs/plain-software")
    assert again.exit_code == 0
    assert "the same bytes, sent and received" in again.output


def test_a_scenario_that_lands_can_be_flown_historically(tmp_path: Path) -> None:
    done = hil("run", "soft-landing", "--flight-profile", "historical", "--json")
    verdict = json.loads(done.stdout)
    assert (done.exit_code, [loss["observed"] for loss in verdict["losses"]]) == (0, ["09:11:05.000"])


def test_hil_fly_chooses_the_scenario_of_the_profile() -> None:
    assert chosen_scenario(None, None, {"flight_profile": "soft-landing"}).id == "soft-landing"
    dropped = chosen_scenario(None, mission_time("09:12:00"), {"flight_profile": "soft-landing"})
    assert [loss.at.value for loss in dropped.losses] == [mission_time("09:12:00")]


@pytest.mark.long
@pytest.mark.parametrize("target", ["software", "qemu", "simavr"])
def test_a_soft_landing_in_real_time(target: str, tmp_path: Path) -> None:
    if target in MACHINES and (lack := MACHINES[target].missing()) is not None:
        pytest.skip(lack)
    result = landed(target, tmp_path, "realtime")
    rows = {row.name: row.value for row in result.measurements}
    assert not result.error
    assert (rows["stream_equal"], rows["frames_lost"]) == (True, 0)
    assert result.verdict.lander_frames == 3670


def test_the_shipped_scenario_has_the_profile() -> None:
    assert load_scenario(SCENARIOS / "soft-landing.toml").head.flight_profile == "soft-landing"

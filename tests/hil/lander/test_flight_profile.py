"""Flight profiles: how every target learns its own, what its pass is, and what has to be seen at its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner, Result

from hil.cli import cli
from hil.cli.fly import chosen_scenario
from hil.errors import ScenarioError
from hil.faults import mission_time
from hil.lander.flight_profile import FlightProfile
from hil.runs.run import Plan, check_plan, fly_plan, read_bundle
from hil.scenario.scenario import SCENARIOS, load_scenario, parse_scenario, with_seed
from hil.targets import MACHINES
from hil.verdict.expected_losses import losses_of, with_losses
from hil.verdict.result import RunResult

HEAD = '[scenario]\nid = "x"\nprofile = "soft-landing"\n'
END = mission_time("09:11:05.8")


def hil(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def landed(target: str, folder: Path, mode: str = "lockstep", text: str = HEAD) -> RunResult:
    plan = Plan(parse_scenario(text), target, mode, folder / "run", "", 40.0)  # type: ignore[arg-type]
    check_plan(plan)
    return fly_plan(plan, lambda: 0, lambda scet: None)


EVERYWHERE = [
    "software",
    *(pytest.param(target, marks=pytest.mark.long) for target in ("posix", "qemu", "simavr")),
]


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("target", EVERYWHERE)
@pytest.mark.parametrize("profile", [profile for profile in get_args(FlightProfile) if profile != "historical"])
def test_each_profile_s_scenario_passes_on_every_target(profile: str, target: str, tmp_path: Path) -> None:
    if target in MACHINES and (lack := MACHINES[target].missing()) is not None:
        pytest.skip(lack)
    plan = Plan(load_scenario(SCENARIOS / f"{profile}.toml"), target, "lockstep", tmp_path / "run", "", 40.0)
    check_plan(plan)
    result = fly_plan(plan, lambda: 0, lambda scet: None)
    assert result.state == "PASS", result.line
    assert {row.name: row.value for row in result.measurements}["stream_equal"] is True


@pytest.mark.parametrize("target", EVERYWHERE)
def test_every_target_lands_and_is_heard_to_the_end(target: str, tmp_path: Path) -> None:
    if target in MACHINES and (lack := MACHINES[target].missing()) is not None:
        pytest.skip(lack)
    result = landed(target, tmp_path)
    assert result.state == "PASS", result.line
    assert {row.name: row.value for row in result.measurements}["stream_equal"] is True
    assert (result.planned_los, result.observed_los) == (END, END)
    assert result.verdict.lander_frames == 2248  # one in each tick of 224.8 s
    assert (result.samples[-1].scet, result.samples[-1].altitude) == (END - 10**8, 0)


def test_a_loss_of_the_whole_link_comes_before_the_end(tmp_path: Path) -> None:
    result = landed("software", tmp_path, text=f'{HEAD}[[fault]]\nkind = "silence"\nat = "09:10:00"\n')
    (loss,) = result.verdict.losses
    assert (loss.cause, loss.observed) == ("SILENCE", "09:10:00.000")
    assert not result.passed  # the scenario expects the signal until the pass is over


def test_losses_that_follow_from_faults_end_with_the_pass() -> None:
    tables = {
        "scenario": {"id": "x", "profile": "soft-landing"},
        "fault": [{"kind": "unplug", "at": "09:10:00", "for": "5 s"}],
    }
    scenario = with_losses(tables, "x")
    assert [(loss.at.value, loss.causes) for loss in scenario.losses] == [
        (mission_time("09:10:00"), ["PORT"]),
        (END, ["LANDER_ONLY"]),
    ]
    late = parse_scenario(f'{HEAD}[[fault]]\nkind = "unplug"\nat = "09:12:00"\nfor = "5 s"\n').faults
    assert losses_of(late, "soft-landing") is None  # after the lander's last frame on VC0


def test_the_key_is_known_by_its_name_of_before() -> None:
    assert parse_scenario('[scenario]\nid = "x"\nflight_profile = "soft-landing"\n').head.profile == "soft-landing"
    with pytest.raises(ScenarioError, match=r"scenario\.flight_profile: the name of before .*: leave out one"):
        parse_scenario(HEAD + 'flight_profile = "soft-landing"\n')


def test_an_unknown_profile_is_refused_with_the_nearest() -> None:
    told = r"scenario\.profile: unknown value 'softlanding'; did you mean 'soft-landing'\?"
    with pytest.raises(ScenarioError, match=told):
        parse_scenario('[scenario]\nid = "x"\nprofile = "softlanding"\n')


@pytest.mark.long
def test_the_option_stands_in_place_of_the_key(tmp_path: Path) -> None:
    done = hil("run", "soft-landing", "--report", tmp_path / "a")
    assert done.exit_code == 0, done.output
    (tmp_path / "plain.toml").write_text('[scenario]\nid = "plain"\n')
    words = ("run", tmp_path / "plain.toml", "--profile", "soft-landing", "--report", tmp_path / "b")
    assert hil(*words).exit_code == 0
    named, chosen = (read_bundle(tmp_path / path) for path in ("a/runs/soft-landing-software", "b/runs/plain-software"))
    assert chosen.provenance["sent sha256"] == named.provenance["sent sha256"]
    assert "--profile soft-landing" in chosen.replay
    again = hil("replay", tmp_path / "b/runs/plain-software")
    assert again.exit_code == 0
    assert "the same bytes, sent and received" in again.output


def test_a_scenario_that_lands_can_be_flown_historically(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(HEAD)
    done = hil("run", tmp_path / "x.toml", "--profile", "historical", "--json")
    verdict = json.loads(done.stdout)
    assert (done.exit_code, [loss["observed"] for loss in verdict["losses"]]) == (0, ["09:11:05.000"])


def test_seeds_beyond_32_bits_give_flights_of_their_own() -> None:
    def told(seed: int) -> int:
        return with_seed(parse_scenario('[scenario]\nid = "x"\nprofile = "degraded"\n'), seed).head.flight.seed

    assert [told(seed) for seed in (0, 6, 2**32 - 1)] == [0, 6, 2**32 - 1]
    wide = [7 + (high << 32) for high in (0, 1, 2, 2**30)]
    assert len({told(seed) for seed in wide}) == 4
    assert told(2**32) != told(0) and max(map(told, wide)) < 2**32


@pytest.mark.long
def test_hil_fly_takes_a_seed(tmp_path: Path) -> None:
    words = ("fly", "--lockstep", "--profile", "degraded", "--until", "09:07:40", "--report")
    sent = {}
    for seed in (7, 8, 2**32 + 7):
        done = hil(*words, tmp_path / str(seed), "--seed", seed)
        assert f"seed {seed}:" in done.output
        result = read_bundle(tmp_path / f"{seed}/runs/degraded-software")
        assert result.seed == seed and f"--seed {seed}" in result.replay
        sent[seed] = result.provenance["sent sha256"]
    assert len(set(sent.values())) == 3
    assert hil("replay", tmp_path / "8/runs/degraded-software").output.count("the same bytes, sent and received") == 1


def test_hil_fly_chooses_the_scenario_of_the_profile() -> None:
    for profile in get_args(FlightProfile):
        shown = chosen_scenario(None, None, {"profile": profile})
        assert (shown.id, shown.head.profile) == (profile if profile != "historical" else "los-lander-only", profile)
    dropped = chosen_scenario(None, mission_time("09:10:00"), {"profile": "soft-landing"})
    assert [loss.at.value for loss in dropped.losses] == [mission_time("09:10:00")]


@pytest.mark.long
@pytest.mark.parametrize("target", ["software", "qemu"])  # simavr would take four minutes for its 21
def test_a_soft_landing_in_real_time(target: str, tmp_path: Path) -> None:
    if target in MACHINES and (lack := MACHINES[target].missing()) is not None:
        pytest.skip(lack)
    result = landed(target, tmp_path, "realtime")
    rows = {row.name: row.value for row in result.measurements}
    assert not result.error
    assert (rows["stream_equal"], rows["frames_lost"]) == (True, 0)
    assert result.verdict.lander_frames == 2248


def test_the_shipped_scenario_has_the_profile() -> None:
    assert load_scenario(SCENARIOS / "soft-landing.toml").head.profile == "soft-landing"

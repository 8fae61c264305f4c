"""``hil fly`` without a clock, and links that drop: any moment of the flight can pass, on the lines of `hil run`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from groundstation.recordings.reader import ArchiveReader
from hil.cli import cli
from hil.cli.fly import chosen_scenario, link_drop_tables
from hil.errors import ScenarioError
from hil.faults import mission_time
from hil.runs.run import Plan, check_plan, fly_plan, read_bundle
from hil.scenario.scenario import Limit
from hil.verdict.limits import LimitBand, band_of
from hil.verdict.result import RunResult


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


def hil(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def dropped(at: str, folder: Path) -> RunResult:
    plan = Plan(chosen_scenario(None, mission_time(at)), "software", "lockstep", folder / "run", "")
    check_plan(plan)
    return fly_plan(plan, lambda: 0, lambda scet: None)


@pytest.mark.parametrize(
    ("at", "losses", "frames"),
    [
        ("09:05:53", [], 0),  # not a byte
        ("09:07:21.05", [], 1),  # a frame is no contact, and neither are two
        ("09:07:21.2", [], 2),
        ("09:07:21.25", [("SILENCE", "09:07:21.300")], 3),
        ("09:09:00", [("SILENCE", "09:09:00.000")], 990),
        ("09:11:04.95", [("SILENCE", "09:11:05.000")], 2240),
        ("09:11:05", [("SILENCE", "09:11:05.000")], 2240),
        ("09:11:05.05", [("LANDER_ONLY", "09:11:05.000")], 2240),  # a frame of the bus came through
        ("09:11:14", [("LANDER_ONLY", "09:11:05.000")], 2240),
    ],
)
def test_a_link_can_drop_at_any_time(at: str, losses: list[tuple[str, str]], frames: int, tmp_path: Path) -> None:
    result = dropped(at, tmp_path)
    assert result.state == "PASS", result.line
    assert [(loss.cause, loss.observed) for loss in result.verdict.losses] == losses
    assert result.verdict.lander_frames == frames


def test_a_link_that_drops_is_silent_both_ways() -> None:
    tables = link_drop_tables(mission_time("09:09:00.0005"))
    assert tables["fault"] == [{"kind": "silence", "at": "09:09:00.0005", "dir": "both"}]


def test_the_verdict_for_programs(home: Path) -> None:
    done = hil("fly", "--lockstep", "--json")
    assert done.exit_code == 0, done.output
    (line,) = done.stdout.splitlines()
    verdict = json.loads(line)
    assert (verdict["type"], verdict["version"], verdict["state"], verdict["exit_code"]) == ("verdict", 2, "PASS", 0)
    assert (verdict["scenario"], verdict["mode"], verdict["lander_frames"]) == ("los-lander-only", "lockstep", 2240)
    assert verdict["losses"] == [
        {
            "channel": "lander",
            "cause": "LANDER_ONLY",
            "evidence": "the link is up: bus still heard",
            "planned": "09:11:05.000",
            "observed": "09:11:05.000",
            "interval": ["09:11:04.900", "09:11:05.000"],
            "error_ms": 0,
            "declared_late_ms": 0.0,
            "last_frame": 2239 & 0xFF,
        }
    ]
    assert {row["state"] for row in verdict["measurements"]} == {"PASS"}
    (recording,) = (home / "data").rglob("*.sqlite")
    assert verdict["recording"] == str(recording)


def test_a_scenario_with_its_recording_and_its_bundle(tmp_path: Path) -> None:
    record, out = tmp_path / "pass.sqlite", tmp_path / "out"
    done = hil("fly", "los-091105", "--lockstep", "--record", record, "--report", out)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == f"recording: {record}"
    bundle = out / "runs" / "los-091105-software"
    assert (out / "report.html").is_file()
    assert read_bundle(bundle).verdict.recording == str(record)
    with ArchiveReader(record) as there, ArchiveReader(bundle / "recording.sqlite") as here:
        assert there.sha256() == here.sha256()
    again = hil("replay", bundle)
    assert "the same bytes, sent and received" in again.output
    twice = hil("fly", "los-091105", "--lockstep", "--record", record)
    assert twice.exit_code == 14
    assert twice.output == f"hil: {record} exists already: a recording never overwrites a file\n"


def test_what_a_viewer_may_spoil_is_recorded_unless_it_is_limited() -> None:
    name = "interarrival_p99"
    limit = Limit(name=name, max=3)
    assert band_of(name, "realtime", "software", []).most == 10
    assert band_of(name, "realtime", "software", [], watched=True) == LimitBand(least=0)
    assert band_of(name, "realtime", "software", [limit], watched=True).most == 3
    assert band_of("los_declared_late", "realtime", "software", [], watched=True).most == 50


@pytest.mark.parametrize(
    ("profile", "shown"),
    [("historical", "encounter"), ("soft-landing", "encounter-soft-landing"), ("main-fails", "main-fails")],
)
def test_a_span_flies_its_own_scenario_or_the_profiles(profile: str, shown: str) -> None:
    scenario = chosen_scenario(None, None, {"profile": profile, "span": "encounter"})
    assert (scenario.id, scenario.head.span) == (shown, "encounter")


def test_a_link_of_another_kind_and_a_wrong_name() -> None:
    assert chosen_scenario(None, None, {"link": "zmq"}).head.link == "zmq"
    with pytest.raises(ScenarioError, match="did you mean 'los-091105'"):
        chosen_scenario("los-091106", None)


@pytest.mark.parametrize("target", ["posix", pytest.param("qemu", marks=pytest.mark.long), "simavr"])
@pytest.mark.target
def test_every_target_flies_without_a_clock(target: str) -> None:
    from tests.targets.bench import require

    require(target)
    done = hil("fly", "--lockstep", "--target", target)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"PASS     los-lander-only on {target}, lockstep")

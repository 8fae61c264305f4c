"""Scenario files as tests: which are collected, and how each ends."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.hil.pytest_plugin.scenarios import FLIP, PLAIN, TIGHT, TYPO, put

pytest_plugins = ["pytester"]


def test_one_passes_and_one_fails_with_what_is_needed(project: pytest.Pytester, kept: Path) -> None:
    put(project, plain=PLAIN, tight=TIGHT)
    done = project.runpytest("--junitxml=junit.xml")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(
        [
            "FAIL * tight on software, lockstep, seed 6: frames_missing * frame",
            "*FAIL * frames_missing: *, limit ≤ 1 (of the lander, as the rig numbers them)",
            "bundle: tmp/*/runs/tight-software",
            "again: hil replay tmp/*/runs/tight-software",
            f"bundles of what failed: {kept}/*/runs",
        ]
    )
    assert [path.name for path in kept.glob("*/runs/*")] == ["tight-software"]
    cases = {case.get("name"): case for case in ET.parse(project.path / "junit.xml").iter("testcase")}
    properties = {p.get("name"): p.get("value") for p in cases["plain[software]"].iter("property")}
    assert properties["hil_state"] == "PASS"
    assert properties["hil_target"] == "software"
    assert properties["hil_los_time_error"] == "PASS 0 ms"
    assert "hil replay" in str(properties["hil_replay"])


@pytest.mark.long
def test_the_report_has_them_all(project: pytest.Pytester, kept: Path) -> None:
    put(project, plain=PLAIN, tight=TIGHT)
    done = project.runpytest("--hil-report", "out", "--hil-seed", "77")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*seed 77*", "again: hil replay out/runs/tight-software", "report: out/report.html"])
    page = (project.path / "out" / "report.html").read_text(encoding="utf-8")
    assert "plain" in page
    assert "tight" in page
    assert (project.path / "out" / "junit.xml").is_file()
    assert {path.name for path in (project.path / "out" / "runs").iterdir()} == {"plain-software", "tight-software"}
    assert not any(kept.iterdir())
    twice = project.runpytest("--hil-report", "out")
    assert twice.ret == pytest.ExitCode.USAGE_ERROR
    twice.stderr.fnmatch_lines(["*out has a report already*"])


def test_a_speed_that_is_too_much_is_no_skip(project: pytest.Pytester) -> None:
    outage = '[[fault]]\nkind = "unplug"\nat = "09:09:00"\nfor = "4 s"\n[[loss]]\nat = "09:09:00"\ncause = "PORT"\n'
    put(project, fast=f'[scenario]\nid = "fast"\nspeed = 50\n{outage}')
    done = project.runpytest("--hil-mode", "realtime")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["fast: fault?0?.for: at speed 50 it lasts 0.08 s*fly it at 13.3 or slower*"])


def test_a_report_that_cannot_be_written_is_told_before_the_flight(project: pytest.Pytester) -> None:
    put(project, plain=PLAIN)
    (project.path / "file").write_text("")
    for place in ("file", "/proc/none"):
        done = project.runpytest("--hil-report", place)
        assert done.ret == pytest.ExitCode.USAGE_ERROR
        done.stderr.fnmatch_lines([f"*--hil-report: cannot write a report to *{place}: No*; choose another folder"])
        assert "passed" not in done.stdout.str()


def test_what_the_target_cannot_fly_is_skipped_with_its_reason(project: pytest.Pytester) -> None:
    put(project, flip=FLIP, board='[scenario]\nid = "board"\ntargets = ["board"]\n')
    done = project.runpytest("-rs", "--hil-report", "out")
    done.assert_outcomes(skipped=2)
    done.stdout.fnmatch_lines(
        [
            "SKIPPED*board: it is for board, not for software (scenario.targets)",
            "SKIPPED*memory_flip: the target software cannot do that in lockstep",
        ],
    )
    done.stdout.fnmatch_lines(["report: out/report.html"])
    root = ET.parse(project.path / "out" / "junit.xml").getroot()
    assert (root.get("tests"), root.get("skipped")) == ("2", "2")
    assert "<title>UNSET" in (project.path / "out" / "report.html").read_text(encoding="utf-8")


def test_a_session_without_flights_leaves_no_report(project: pytest.Pytester) -> None:
    project.makepyfile("def test_plain(): ...")
    for _ in range(2):
        done = project.runpytest("--hil-report", "out")
        done.stdout.fnmatch_lines(["no flight: no report written"])
    assert not any((project.path / "out").iterdir())


def test_an_absent_emulator_is_a_skip_and_in_ci_a_failure(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put(project, plain=PLAIN)
    monkeypatch.setenv("PATH", str(tmp_path))
    done = project.runpytest("-rs", "--hil-target", "qemu")
    done.assert_outcomes(skipped=1)
    done.stdout.fnmatch_lines(["SKIPPED*qemu: qemu-system-arm not found: apt-get install qemu-system-arm"])
    monkeypatch.setenv("MARS6_REQUIRE_ALL", "1")
    done = project.runpytest("--hil-target", "qemu")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["qemu: qemu-system-arm not found*MARS6_REQUIRE_ALL is set*"])


def test_a_board_that_is_not_plugged_in_is_a_skip(project: pytest.Pytester, kept: Path) -> None:
    put(project, plain=PLAIN)
    project.makepyfile("def test_flight(hil_flight): hil_flight.fly()")
    done = project.runpytest("-rs", "--hil-target", "board", "--hil-port=/dev/ttyNONE")
    done.assert_outcomes(skipped=2)
    done.stdout.fnmatch_lines(["SKIPPED*board: port not found: /dev/ttyNONE"])
    assert "bundles" not in done.stdout.str()
    assert not any(kept.iterdir())


def test_a_port_that_pytest_takes_for_a_folder(project: pytest.Pytester) -> None:
    """Paths among options of plugins decide where pytest finds its settings; it knows the options only later."""
    put(project, plain=PLAIN)
    done = project.runpytest("--hil-target", "board", "--hil-port", "/dev/null")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*write --hil-port=/dev/null, in one word*"])
    done = project.runpytest("--hil-target", "board", "--hil-port=/dev/null", "--collect-only", "-q")
    assert "scenarios/plain.toml::plain[board]" in done.outlines


def test_a_typo_is_told_before_anything_flies(project: pytest.Pytester, kept: Path) -> None:
    put(project, plain=PLAIN, typo=TYPO, other='[scenario]\nid = "another"\n')
    done = project.runpytest()
    done.assert_outcomes(errors=2)
    done.stdout.fnmatch_lines(
        [
            "*other.toml: scenario.id is 'another', the file's name says 'other'",
            "*typo.toml:4: fault?0?.kind: unknown fault 'silense'; did you mean 'silence'?",
        ]
    )
    assert not any(kept.iterdir())


def test_other_toml_is_not_touched(project: pytest.Pytester) -> None:
    (project.path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (project.path / "broken.toml").write_text("[scenario\n")
    (project.path / "elsewhere.toml").write_text('[scenario]\nid = "elsewhere"\n')
    put(project, plain=PLAIN)
    done = project.runpytest("--collect-only", "-q")
    assert [line for line in done.outlines if "::" in line] == ["scenarios/plain.toml::plain[software]"]
    done = project.runpytest("pyproject.toml")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    named = project.runpytest("elsewhere.toml", "--collect-only", "-q")
    assert "elsewhere.toml::elsewhere[software]" in named.outlines


def test_one_item_for_each_target(project: pytest.Pytester) -> None:
    put(project, plain=PLAIN)
    for options in (["--hil-target", "software,qemu", "--hil-target=qemu"], ["-o", "hil_targets=software qemu"]):
        done = project.runpytest("--collect-only", "-q", *options)
        assert [line for line in done.outlines if "::" in line] == [
            "scenarios/plain.toml::plain[software]",
            "scenarios/plain.toml::plain[qemu]",
        ]
    done = project.runpytest("--hil-target", "quemu")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*unknown target 'quemu'; did you mean 'qemu'?"])


def test_plugins_that_are_not_there(project: pytest.Pytester) -> None:
    put(project, plain=PLAIN)
    absent = ("terminal", "cacheprovider", "junitxml", "tmpdir", "timeout", "skipping", "capture", "warnings")
    done = project.runpytest(*(f"-pno:{name}" for name in absent), "--hil-report", "out")
    assert done.ret == 0
    assert (project.path / "out" / "report.html").is_file()

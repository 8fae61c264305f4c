"""What a campaign leaves: a line for each run as it ends, and a report of all runs, whatever ended it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from hil.cli import cli
from tests.hil.report.reader import Element, read
from tests.hil.runs.test_batch import is_worker
from tests.stress.end_runs import processes

VARIED = """
[scenario]
id = "varied"
title = "Some of these fail"
requirements = ["LOS-3"]
tags = ["noise"]

[[fault]]
kind = "bit_flip"
ber = 1e-4
at = "09:08:00"
for = "30 s"

[[limit]]
name = "frames_missing"
max = 10

[[vary]]
fault = 0
key = "ber"
low = 1e-6
high = 1e-3
log = true
"""


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenario") / "varied.toml"
    path.write_text(VARIED)
    return path


@pytest.fixture(scope="module")
def flown(varied: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A campaign of which some runs fail: its report and its output."""
    out = tmp_path_factory.mktemp("campaign") / "out"
    words = ["campaign", str(varied), "--runs", "12", "--jobs", "2", "--report", str(out)]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 1, done.output
    return out, done.output


def junit(out: Path) -> ET.Element:
    return ET.parse(out / "junit.xml").getroot()


def page(out: Path) -> Element:
    return read((out / "report.html").read_text(encoding="utf-8")).one("body")


def drawn(case: ET.Element) -> float:
    (found,) = case.findall("properties/property[@name='fault[0].ber']")
    return float(found.attrib["value"])


def test_junit_of_a_campaign_has_all_runs(flown: tuple[Path, str]) -> None:
    root = junit(flown[0])
    assert (root.get("tests"), root.get("failures")) == ("12", "4")
    cases = list(root.iter("testcase"))
    assert [case.get("name") for case in cases] == [f"varied [run {n}]" for n in range(12)]
    failed = [drawn(case) for case in cases if case.find("failure") is not None]
    passed = [drawn(case) for case in cases if case.find("failure") is None]
    assert max(passed) < min(failed)
    labels = [case.find("properties/property[@name='requirement']") for case in cases]
    assert [None if label is None else label.get("value") for label in labels] == ["LOS-3"] * 12
    suite = {p.attrib["name"]: p.attrib["value"] for p in root.findall("testsuite/properties/property")}
    assert (suite["runs"], suite["passed"], suite["pass_rate"]) == ("12", "8", "0.666667")
    assert float(suite["pass_rate_low_95"]) == pytest.approx(0.3906, abs=1e-4)  # Wilson, 8 of 12, by hand
    assert float(suite["pass_rate_high_95"]) == pytest.approx(0.8619, abs=1e-4)


def test_page_of_a_campaign_has_rate_and_drawn_values(flown: tuple[Path, str]) -> None:
    out, said = flown
    body = page(out)
    rate = "8 of 12 runs passed: 66.7% (95 %: 39.1% … 86.2%)"
    assert body.one("p", "rate").text == rate
    assert rate in said
    rows = body.one("table", "trials").one("tbody").all("tr")
    assert [row.all("td")[1].text for row in rows] == [str(n) for n in range(12)]
    log = [json.loads(line) for line in (out / "campaign.jsonl").read_text().splitlines()[1:]]
    values = {case["number"]: f"{case['drawn']['fault[0].ber']:.3g}" for case in log}
    assert [row.all("td")[3].text for row in rows] == [values[n] for n in range(12)]
    links = [link.attributes["href"][1:] for row in rows for link in row.all("a")]
    assert len(links) == 4
    assert set(links) <= {element.attributes.get("id") for element in body.all()}
    (covered,) = body.one("table", "coverage").one("tbody").all("tr")
    assert [covered.all("td")[0].text, covered.one("th").text] == ["✗ FAIL", "LOS-3"]
    assert (len(body.one("g", "passed").children), len(body.one("g", "failed").children)) == (8, 4)


def test_campaign_that_passes_has_a_report_too(varied: Path, tmp_path: Path) -> None:
    easy = tmp_path / "easy.toml"
    easy.write_text(VARIED.replace('"varied"', '"easy"').replace("high = 1e-3", "high = 2e-6"))
    done = CliRunner().invoke(cli, ["campaign", str(easy), "--runs", "2", "--report", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    root = junit(tmp_path / "out")
    assert (root.get("tests"), root.get("failures")) == ("2", "0")
    assert all(1e-6 <= drawn(case) <= 2e-6 for case in root.iter("testcase"))
    assert "2 of 2 runs passed" in page(tmp_path / "out").text
    assert not list((tmp_path / "out").glob("runs/*"))


def start(varied: Path, out: Path, runs: int, jobs: int = 2) -> subprocess.Popen[str]:
    words = ["campaign", str(varied), "--runs", str(runs), "--jobs", str(jobs), "--report", str(out)]
    mark = {"XDG_RUNTIME_DIR": str(out.parent)}
    return subprocess.Popen(
        [sys.executable, "-m", "hil.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | mark,
    )


def ended(out: Path) -> int:
    """Runs of which the campaign has told."""
    log = out / "campaign.jsonl"
    return len(log.read_bytes().splitlines()) - 1 if log.exists() else 0


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.long
def test_killed_campaign_has_told_of_all_that_flew(varied: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with start(varied, out, 500) as program:
        until(lambda: ended(out) >= 3)
        program.kill()
    told = ended(out)
    made = CliRunner().invoke(cli, ["report", str(out)])
    assert made.exit_code == 1
    assert junit(out).get("tests") == str(told)
    assert page(out).one("h1").text.startswith("✗ FAIL" if junit(out).get("failures") != "0" else "◐ INCOMPLETE")
    assert f"{500 - told} were not flown" in page(out).text


@pytest.mark.long
def test_interrupted_campaign_reports_what_flew(varied: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with start(varied, out, 500) as program:
        until(lambda: ended(out) >= 2)
        program.send_signal(signal.SIGINT)
        said, _ = program.communicate(timeout=60)
    assert program.returncode == 130
    assert junit(out).get("tests") == str(ended(out))
    assert f"{500 - ended(out)} were not flown" in said


def flying(mark: str) -> list[int]:
    """Workers that fly: their recordings are open."""
    return [pid for pid in processes(mark) if is_worker(pid) and any("recording" in name for name in open_files(pid))]


def open_files(pid: int) -> list[str]:
    return [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]


@pytest.mark.long
def test_killed_worker_costs_a_campaign_one_run(varied: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with start(varied, out, 12) as program:
        until(lambda: ended(out) >= 1 and flying(str(tmp_path)) != [])
        os.kill(flying(str(tmp_path))[0], signal.SIGKILL)
        program.communicate(timeout=60)
    root = junit(out)
    assert root.get("tests") == "12"
    messages = [failure.get("message", "") for failure in root.iter("failure")]
    assert sum("its worker was killed by SIGKILL" in message for message in messages) == 1

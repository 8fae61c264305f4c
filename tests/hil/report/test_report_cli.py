"""``hil report``: of bundles that are there, wherever they are."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from groundstation.errors import CallerError
from hil.cli import cli
from hil.report import TestOutcome
from hil.report.page import render
from tests.hil.report.reader import read
from tests.hil.report.runs import changed, quiet, reported, rough


def hil(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Folders of two reports with runs of the same name."""
    places = [tmp_path_factory.mktemp("flown") / "out" for _ in range(2)]
    for place in places:
        assert hil("run", "los-lander-only", "--report", place).exit_code == 0
    return places


def names(report: Path) -> list[str | None]:
    return [case.get("name") for case in ET.parse(report / "junit.xml").getroot().iter("testcase")]


def test_bundles_of_two_folders_make_one_report(flown: list[Path], tmp_path: Path) -> None:
    made = tmp_path / "week"
    bundles = [place / "runs" / "los-lander-only-software" for place in flown]
    done = hil("report", *bundles, "--report", made)
    assert done.exit_code == 0, done.output
    assert len(set(names(made))) == 2
    links = [a.attributes["href"] for a in read((made / "report.html").read_text()).all("a")]
    files = [unquote(link) for link in links if link.startswith("./")]
    assert len(files) > 8
    assert all((made / file).is_file() for file in files)
    again = hil("report", *flown, "--report", made)
    assert isinstance(again.exception, CallerError)
    assert "has a report already (report.html)" in str(again.exception)
    assert hil("report", *flown, "--report", tmp_path / "other").exit_code == 0
    assert len(names(tmp_path / "other")) == 2


def test_report_without_a_folder_goes_here(flown: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = hil("report", flown[0] / "runs" / "los-lander-only-software")
    assert done.exit_code == 0, done.output
    assert names(tmp_path / "report") == ["los-lander-only"]


def test_report_of_a_folder_is_written_again(flown: list[Path]) -> None:
    (flown[0] / "report.html").unlink()
    assert hil("report", flown[0]).exit_code == 0
    assert (flown[0] / "report.html").is_file()


def test_filter_is_there_when_something_failed() -> None:
    tests = [TestOutcome(test="a.py::t", ended="FAIL", why="no"), TestOutcome(test="a.py::u", ended="PASS")]
    body = read(render(reported(quiet(), rough(), tests=tests))).one("body")
    assert body.one("label", "filter").text == " only what failed (2)"
    hidden = [element for element in body.all(kind="passed") if element.tag in ("tr", "details")]
    assert len(hidden) == 4  # the test, the scenario's row, the run's row, the run
    assert not read(render(reported(quiet(), quiet()))).one("body").all("label", "filter")


def test_durations_stand_beside_the_runs() -> None:
    slow = changed(rough(), took_s=12.3)
    rows = read(render(reported(quiet(), slow))).one("table", "runs").one("tbody").all("tr")
    assert [row.all("td")[1].text for row in rows] == [slow.run, quiet().run]
    assert rows[0].all("td")[3].text == "12.30"
    assert "golden_to_los" in rows[0].all("td")[4].text


def test_expected_curve_is_drawn_beside_the_flown() -> None:
    run = quiet()
    assert [point.scet for point in run.expected] == [point.scet for point in run.samples[::10]]
    altitudes = [point.altitude for point in run.samples[::10]]  # the station rounds to a decimetre
    assert [point.altitude for point in run.expected] == pytest.approx(altitudes, abs=0.0501)
    late = changed(run, samples=[])
    for shown in (run, late):
        strip = read(render(reported(shown))).one("div", "strip")
        drawn = strip.one("path", "expected-altitude")
        assert drawn.attributes["d"].count("L") > 50
        assert strip.one("path", "expected-speed").attributes["d"].count("L") > 50
    without = read(render(reported(changed(run, expected=[])))).one("div", "strip")
    assert not without.all("path", "expected")

"""What a test adds to its flight: telemetry as columns, rows of its own, files, requirement ids and tags."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.hil.pytest_plugin.scenarios import PLAIN, TIGHT, put
from tests.hil.report.reader import Element, read

pytest_plugins = ["pytester"]


def properties(case: ET.Element, name: str) -> list[str]:
    return [found.attrib["value"] for found in case.findall(f"properties/property[@name='{name}']")]


def junit(path: Path) -> dict[str, ET.Element]:
    return {str(case.get("name")): case for case in ET.parse(path).getroot().iter("testcase")}


def page(project: pytest.Pytester) -> Element:
    return read((project.path / "out" / "report.html").read_text(encoding="utf-8")).one("body")


@pytest.mark.long
def test_telemetry_comes_as_columns(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import numpy as np
        import pytest
        from groundstation.errors import CallerError

        def test_columns(hil_flight):
            hil_flight.fly()
            descent = hil_flight.telemetry("DESCENT")
            assert descent.rows == 2240 == len(descent["altitude"])
            assert set(np.diff(descent.scet)) == {100_000_000}
            assert 590 < descent["speed"][descent["phase"] == "DROGUE"].max() < 610
            minute = hil_flight.telemetry("DESCENT", since="09:08:00", until="09:09:00")
            assert minute.rows == 600
            assert np.all(np.diff(minute["altitude"]) < 0)
            low = descent["radio_altitude_low"]
            assert np.ma.is_masked(low) and low.mask[0] and not low.mask[-1]
            assert hil_flight.telemetry("BUS_HK").rows > 200
            with pytest.raises(CallerError, match="did you mean 'DESCENT'"):
                hil_flight.telemetry("DECENT")
            with pytest.raises(KeyError, match="did you mean 'altitude'"):
                descent["altitud"]
        """
    )
    project.runpytest().assert_outcomes(passed=1)


@pytest.mark.long
def test_own_rows_are_in_verdict_and_reports(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import numpy as np

        def test_within(hil_flight):
            hil_flight.fly()
            row = hil_flight.measure("max_g", np.float64(9.5), unit="g", max=12)
            assert (row.state, row.value, row.limit) == ("PASS", 9.5, "≤ 12")
            assert hil_flight.measure("close", 5, max=6, marginal_max=4).state == "MARGINAL"
            assert hil_flight.measure("noted", "as it is").state == "PASS"
            assert hil_flight.result.state == "MARGINAL"
            hil_flight.assert_passed()

        def test_outside(hil_flight):
            hil_flight.fly()
            hil_flight.measure("max_g", 13.0, unit="g", max=12)
            hil_flight.measure("none", float("nan"), max=12)
            hil_flight.measure("min_g", 1.0, unit="g", min=0)
            print("it went on")
        """
    )
    done = project.runpytest("--hil-report", "out", "--junitxml=pytest.xml")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["FAIL max_g: 13 g, limit ≤ 12", "UNSET none: *", "it went on"])
    assert "Traceback" not in done.stdout.str()
    cases = junit(project.path / "out" / "junit.xml")
    assert properties(cases["test-within"], "max_g") == ["PASS 9.5 g"]
    failure = cases["test-outside"].find("failure")
    assert failure is not None
    assert failure.get("message") == "max_g: 13 g, limit ≤ 12, and 1 more"
    assert properties(junit(project.path / "pytest.xml")["test_outside[software]"], "hil_max_g") == ["FAIL 13.0 g"]
    result = json.loads((project.path / "out" / "runs" / "test_outside-software" / "result.json").read_text())
    verdict = result["verdict"]
    assert (verdict["state"], verdict["passed"], verdict["exit_code"]) == ("FAIL", False, 1)
    assert "FAIL     test-outside on software, lockstep, seed 6: max_g 13.0 g" in verdict["line"]
    assert [row["name"] for row in verdict["measurements"]][-3:] == ["max_g", "none", "min_g"]


REFUSED = {
    'measure("max g", 1)': "'max g' cannot name a measurement of your own",
    'measure("frames_lost", 1)': "'frames_lost' cannot name a measurement of your own",
    'measure("x", 1, maximum=3)': "unknown limit 'maximum'; did you mean 'max'",
    'measure("x", 1, min=3, max=2)': "min 3 is above max 2",
    'measure("x", [1, 2])': "list is not one number, flag or text",
    'attach("../x", b"")': "cannot name a file",
}


def test_what_cannot_be_added_is_refused(project: pytest.Pytester) -> None:
    project.makepyfile(
        f"""
        import re
        import pytest
        from groundstation.errors import CallerError

        def test_all_are_refused(hil_flight):
            hil_flight.fly()
            for call, told in {REFUSED!r}.items():
                with pytest.raises(CallerError, match=re.escape(told)):
                    eval("hil_flight." + call)
            hil_flight.measure("max g", 1)
        """
    )
    done = project.runpytest()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["E *'max g' cannot name a measurement of your own*"])
    assert "Failed: DID NOT RAISE" not in done.stdout.str()


@pytest.mark.long
def test_failing_row_of_an_expected_failure_is_expected(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.xfail(strict=True)
        def test_known(hil_flight):
            hil_flight.fly()
            hil_flight.measure("max_g", 13.0, max=12)
        """
    )
    project.runpytest().assert_outcomes(xfailed=1)


def test_attachments_are_in_bundle_and_report(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        def test_it(hil_flight, tmp_path):
            hil_flight.fly()
            hil_flight.attach("notes.txt", "looked well")
            (tmp_path / "plot.svg").write_text("<svg/>")
            kept = hil_flight.attach("plot.svg", tmp_path / "plot.svg")
            assert kept == hil_flight.bundle / "attachments" / "plot.svg"
        """
    )
    project.runpytest("--hil-report", "out").assert_outcomes(passed=1)
    links = {link.text: link.attributes["href"] for link in page(project).all("a")}
    assert links["attachment notes.txt"] == "./runs/test_it-software/attachments/notes.txt"
    assert (project.path / "out" / links["attachment notes.txt"]).read_text() == "looked well"
    assert (project.path / "out" / links["attachment plot.svg"]).read_text() == "<svg/>"


@pytest.mark.long
def test_requirements_are_in_junit_and_coverage(project: pytest.Pytester) -> None:
    put(
        project,
        plain=PLAIN + 'requirements = ["LOS-3", "LOS-12"]\ntags = ["smoke"]\n',
        tight=TIGHT.replace('id = "tight"', 'id = "tight"\nrequirements = ["LOS-12"]'),
    )
    project.makepyfile(
        """
        import pytest

        @pytest.mark.hil_requirements("LOS-4")
        @pytest.mark.hil_tags("slow")
        def test_marked(hil_flight):
            hil_flight.use("los-lander-only")
            hil_flight.fly()

        @pytest.mark.hil_requirements("DOC-1")
        def test_that_flies_nothing(): ...
        """
    )
    done = project.runpytest("--hil-report", "out", "--junitxml=pytest.xml")
    done.assert_outcomes(passed=3, failed=1)
    cases = junit(project.path / "out" / "junit.xml")
    assert properties(cases["plain"], "requirement") == ["LOS-3", "LOS-12"]
    assert properties(cases["plain"], "tag") == ["smoke"]
    assert properties(cases["test-marked"], "requirement") == ["LOS-4"]
    own = junit(project.path / "pytest.xml")
    assert properties(own["test_that_flies_nothing"], "hil_requirement") == ["DOC-1"]
    assert properties(own["test_marked[software]"], "hil_tag") == ["slow"]
    rows = page(project).one("table", "coverage").one("tbody").all("tr")
    told = {row.one("th").text: row.all("td")[0].text for row in rows}
    assert told == {"DOC-1": "✓ PASS", "LOS-3": "✓ PASS", "LOS-4": "✓ PASS", "LOS-12": "✗ FAIL"}
    assert list(told) == ["DOC-1", "LOS-3", "LOS-4", "LOS-12"]
    assert "tight-software" in rows[3].text and "plain-software" in rows[3].text


def test_tags_choose_tests(project: pytest.Pytester) -> None:
    put(project, plain=PLAIN + 'tags = ["smoke"]\n', tight=TIGHT)
    project.makepyfile("import pytest\n@pytest.mark.hil_tags('smoke')\ndef test_a(): ...\ndef test_b(): ...\n")
    project.runpytest("-k", "smoke").assert_outcomes(passed=2, deselected=2)


@pytest.mark.parametrize("labels", ['[""]', '["a b"]', '["a", "a"]', '["\\u0007"]'])
def test_label_that_is_not_a_word_is_refused(project: pytest.Pytester, labels: str) -> None:
    put(project, plain=PLAIN + f"requirements = {labels}\n")
    done = project.runpytest()
    done.assert_outcomes(errors=1)
    assert "scenario.requirements[" in done.stdout.str()


@pytest.mark.long
def test_command_latency_is_a_measurement(project: pytest.Pytester) -> None:
    """In lockstep an answer comes in the tick of its command; one that the link delays comes so much later."""
    project.makepyfile(
        """
        def test_latency(hil_flight):
            hil_flight.fault("delay", at="09:08:05", for_="10 s", mean=400)
            hil_flight.send("PING", at="09:08:04")
            hil_flight.send("PING", at="09:08:10")
            hil_flight.limit("command_latency[2]", max=399)
            hil_flight.limit("command_latency", max=1)
            hil_flight.fly()
            rows = [hil_flight.measurement(f"command_latency[{n}] PING") for n in (1, 2)]
            assert [(row.value, row.unit, row.state) for row in rows] == [(0.0, "ms", "PASS"), (400.0, "ms", "FAIL")]
        """
    )
    project.runpytest().assert_outcomes(passed=1)

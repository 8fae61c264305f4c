"""junit.xml, report.json and the lines of the terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from hil.report import lines
from hil.report.contents import SCHEMA
from hil.report.export.json import read, render
from hil.report.export.junit import render as junit
from hil.verdict.result import Measurement, RunResult
from tests.hil.report.runs import DATE, changed, quiet, reported, rough

OLD = Path(__file__).parents[2] / "data" / "result-1.json"
"""A run's result before there was a verdict in it, with short lists."""


def test_a_report_of_the_form_before_is_read() -> None:
    """In form 1 a result had no verdict of its own."""
    old = json.loads(OLD.read_text(encoding="utf-8"))
    text = json.dumps({"type": "report", "schema": 1, "generated": DATE, "results": [old]})
    (result,) = read(text).results
    assert (result.state, result.passed, result.scenario) == ("PASS", True, "los-091105")
    assert [row.name for row in result.measurements] == [row["name"] for row in old["measurements"]]
    assert result.counters.bytes_in == old["counters"]["bytes_in"]
    assert (result.faults[0].occurrences, result.applied[0].direction, result.applied[0].effect) == (10, "down", "lost")


def test_json_reads_back_as_the_same_results() -> None:
    text = render(reported(quiet(), rough()))
    report = read(text)
    assert report.results == [quiet(), rough()]
    assert (report.generated, report.schema) == (DATE, SCHEMA)
    assert msgspec.json.decode(text)["type"] == "report"


def test_json_of_another_form_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="form 99"):
        read(render(reported()).replace(f'"schema":{SCHEMA}', '"schema":99'))


def test_a_console_that_is_no_text_is_kept_as_escapes() -> None:
    report = read(render(reported(changed(quiet(), console="ok \udcff\x1b"))))
    assert report.results[0].console == "ok \\udcff\x1b"
    same = changed(quiet(), console="ok \x1b\x00")
    assert read(render(reported(same))).results == [same]


def suites(*results: RunResult) -> ET.Element:
    return ET.fromstring(junit(reported(*results)))


def test_junit_is_what_readers_want() -> None:
    broke = changed(quiet(), target="qemu", error="qemu died", state="FAIL", run="quiet-qemu")
    root = suites(quiet(), rough(), broke)
    assert root.tag == "testsuites"
    assert [suite.get("name") for suite in root] == ["hil.software", "hil.qemu"]
    for element in (root, *root):
        cases = list(element.iter("testcase"))
        assert element.get("tests") == str(len(cases))
        assert element.get("failures") == str(sum(case.find("failure") is not None for case in cases))
        assert element.get("errors") == str(sum(case.find("error") is not None for case in cases))
        assert element.get("skipped") == "0"
        assert float(element.get("time", "")) == pytest.approx(sum(float(case.get("time", "")) for case in cases))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", "")) for suite in root)
    known = {"properties", "failure", "error", "system-out", "system-err"}
    for case in root.iter("testcase"):
        assert set(case.keys()) == {"classname", "name", "time"}
        assert [child.tag for child in case] == sorted((c.tag for c in case), key=list(_ORDER).index)
        assert {child.tag for child in case} <= known
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert names == [("hil.software", "quiet"), ("hil.software", "rough"), ("hil.qemu", "quiet")]


_ORDER = ("properties", "error", "failure", "system-out", "system-err")


def test_junit_says_every_row_that_failed() -> None:
    root = suites(rough())
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.text is not None
    bad = [row for row in rough().measurements if row.state in ("FAIL", "UNSET")]
    assert len(bad) >= 3
    for row in bad:
        assert f"{row.state} {row.name}: " in failure.text
        assert row.note in failure.text
    assert bad[0].name in failure.get("message", "")
    assert rough().replay in failure.text
    properties = {p.get("name"): p.get("value") for p in root.iter("property")}
    for row in rough().measurements:
        assert properties[row.name] == f"{row.state} {row.value} {row.unit}".rstrip()


def test_junit_hides_no_repeat() -> None:
    runs = [changed(quiet(), run=f"quiet-software-{n}") for n in range(3)]
    names = [case.get("name") for case in suites(*runs).iter("testcase")]
    assert names == [f"quiet [quiet-software-{n}]" for n in range(3)]


def test_junit_is_xml_whatever_was_said() -> None:
    nasty = "\x00\x1b]]><&\"'\ud800\ufffe\r\n"
    run = changed(rough(), console=nasty, error=nasty, run=nasty, scenario=nasty, target=nasty, replay=nasty)
    root = suites(run, changed(run, provenance={nasty: nasty}))
    assert "]]><&\"'" in next(root.iter("system-err")).itertext().__next__()


def test_lines_for_the_terminal() -> None:
    assert lines(quiet()) == [quiet().line]
    told = lines(rough())
    assert told[0] == rough().line
    bad = [row for row in rough().measurements if row.state != "PASS"]
    assert len(told) == 1 + len(bad)
    assert all(row.name in line and row.note in line for row, line in zip(bad, told[1:], strict=True))
    row = Measurement(name="drift", value=0.25, unit="ms", limit="≤ 1", marginal="> 0.2", state="MARGINAL")
    assert lines(changed(quiet(), measurements=[row]))[1:] == ["  MARGINAL drift: 0.25 ms, limit ≤ 1, marginal > 0.2"]
    assert len(lines(changed(quiet(), line="a\nb\x1b[2J"))) == 1
    assert "\x1b" not in lines(changed(quiet(), line="a\nb\x1b[2J"))[0]

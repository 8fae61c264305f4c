"""junit.xml in the form xunit1, which CI servers read: a suite for each target, a case for each run.

What did not pass is a <failure>, whose type says how: FAIL or UNSET if it was judged, RunBroke if it broke off. What a
late host has spoilt is an <error> of type UNSTABLE, or <skipped> if it was flown again: that run has its own case. All
rows that did not pass are in its text, and every measurement is a property of its case. A scenario that was flown
several times has the run's name behind its own, so that no repeat hides another. Of a campaign all runs are there,
each with the values that were drawn for it as properties.

Of a session of pytest the suite ``pytest`` has what no run says: tests that were skipped, and tests that failed
although what they flew passed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from xml.etree import ElementTree as ET

from groundstation.formats.printable import printable
from hil.report.contents import Report, TestOutcome
from hil.report.words import marginal, reason, row_property, row_text, wanting
from hil.runs.campaign import Case, Summary
from hil.verdict.result import RunResult

CONSOLE_TAIL = 20_000
"""Characters of a console; its last words are what is wanted."""
_TESTS = "pytest"


def render(report: Report) -> str:
    """The text of the file."""
    root = ET.Element("testsuites", name="hil")
    if report.campaign is not None:
        cases = _campaign_cases(report.campaign, report)
        suite = _suite(f"hil.{printable(report.campaign.target)}", report.generated, cases)
        suite.insert(0, _rate(report.campaign))
        root.append(suite)
    else:
        root.extend(_suites(report))
    if report.unflown:
        case = ET.Element("testcase", classname="hil", name="all planned runs were flown", time="0.000")
        _add(case, "error", report.ended_early, message=report.ended_early, type="INCOMPLETE")
        root.append(_suite("hil", report.generated, [case]))
    if untold := report.untold():
        root.append(_suite(_TESTS, report.generated, map(_test_case, untold)))
    root.attrib |= _counts(root.iter("testcase"))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suites(report: Report) -> Iterator[ET.Element]:
    """One for each target that flew."""
    flown = Counter((result.target, result.scenario) for result in report.results)
    named = Counter(result.run for result in report.results)
    for target in dict.fromkeys(result.target for result in report.results):
        cases = []
        for n, result in enumerate(report.results):
            if result.target == target:
                cases.append(_case(report, result, flown[target, result.scenario] == 1))
                if named[result.run] > 1:  # of several folders
                    cases[-1].set("name", printable(f"{result.scenario} [{report.place(n)}]"))
        yield _suite(f"hil.{printable(target)}", report.generated, cases)


def _campaign_cases(campaign: Summary, report: Report) -> Iterator[ET.Element]:
    """Every run; of those whose bundle was kept all that is known."""
    kept = {result.run: result for result in report.results}
    for run in campaign.cases:
        result = kept.get(run.run)
        case = _brief_case(campaign, run) if result is None else _case(report, result, alone=False)
        properties = case.find("properties")
        assert properties is not None  # each has them
        case.set("name", printable(f"{campaign.scenario} [run {run.number}]"))
        for key, value in run.drawn.items():
            ET.SubElement(properties, "property", name=printable(key), value=printable(str(value)))
        yield case


def _rate(campaign: Summary) -> ET.Element:
    """Properties of the whole campaign."""
    facts = {
        "seed": str(campaign.seed),
        "planned": str(campaign.planned),
        "runs": str(campaign.runs),
        "passed": str(campaign.passed),
        "pass_rate": f"{campaign.rate:.6f}",
        "pass_rate_low_95": f"{campaign.low:.6f}",
        "pass_rate_high_95": f"{campaign.high:.6f}",
    }
    properties = ET.Element("properties")
    for key, value in facts.items():
        ET.SubElement(properties, "property", name=key, value=value)
    return properties


def _brief_case(campaign: Summary, run: Case) -> ET.Element:
    """A run of a campaign whose bundle was not kept."""
    case = ET.Element("testcase", classname=f"hil.{printable(campaign.target)}", time=f"{run.took_s:.3f}")
    properties = ET.SubElement(case, "properties")
    _label(properties, campaign.requirements, campaign.tags)
    for key, value in {"mode": campaign.mode, "seed": str(run.seed), "state": run.state}.items():
        ET.SubElement(properties, "property", name=key, value=value)
    if not run.passed:
        _add(case, "failure", run.line, message=f"{run.state}: {', '.join(run.failed) or run.line}", type=run.state)
    return case


def _suite(name: str, generated: str, cases: Iterable[ET.Element]) -> ET.Element:
    suite = ET.Element("testsuite", name=name, timestamp=printable(generated).removesuffix("Z"))
    suite.extend(cases)
    suite.attrib |= _counts(suite.iter("testcase"))
    return suite


def _counts(cases: Iterable[ET.Element]) -> dict[str, str]:
    found = list(cases)
    kinds = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    counts = {key: sum(case.find(tag) is not None for case in found) for key, tag in kinds.items()}
    seconds = math.fsum(float(case.get("time", "0")) for case in found)
    return {"tests": str(len(found)), **{key: str(n) for key, n in counts.items()}, "time": f"{seconds:.3f}"}


def _case(report: Report, result: RunResult, alone: bool) -> ET.Element:
    name = printable(result.scenario if alone else f"{result.scenario} [{result.run}]")
    case = ET.Element("testcase", classname=f"hil.{printable(result.target)}", name=name, time=f"{result.took_s:.3f}")
    properties = ET.SubElement(case, "properties")
    _label(properties, result.requirements, result.tags)
    for key, value in _properties(result).items():
        ET.SubElement(properties, "property", name=printable(key), value=printable(value))
    rows = "\n".join(f"{row.state} {row_text(row)}{f' ({row.note})' if row.note else ''}" for row in wanting(result))
    if not result.passed:
        kind = "RunBroke" if result.error else result.state
        test = f"{result.test}: {why}" if (why := report.failure(result.test)) else ""
        text = "\n".join(part for part in (result.error, rows, test, result.replay) if part)
        again = result.verdict.flown_again
        if again:
            _add(case, "skipped", text, message=f"{reason(result)}; flown again: {again}", type=kind)
        else:
            _add(case, "error" if kind == "UNSTABLE" else "failure", text, message=reason(result), type=kind)
    out = [result.line, *(f"MARGINAL {row_text(row)}" for row in marginal(result)), f"again: {result.replay}"]
    _add(case, "system-out", "\n".join(out))
    if result.console:
        _add(case, "system-err", result.console[-CONSOLE_TAIL:])
    return case


def _test_case(test: TestOutcome) -> ET.Element:
    place, _, name = test.test.partition("::")
    about = {"classname": printable(place), "name": printable(name or place), "time": f"{test.took_s:.3f}"}
    case = ET.Element("testcase", about)
    if test.requirements:
        _label(ET.SubElement(case, "properties"), test.requirements, ())
    if test.ended == "FAIL":
        _add(case, "failure", test.text or test.why, message=test.why, type="FAIL")
    else:
        _add(
            case, "skipped", test.why, message=test.why, type="pytest.skip" if test.ended == "SKIP" else "pytest.xfail"
        )
    return case


def _properties(result: RunResult) -> dict[str, str]:
    """What describes the run, then every measurement; of two with one key the later one counts."""
    about = {"mode": result.mode, "seed": str(result.seed), "replay": result.replay, "state": result.state}
    about |= {"test": result.test} if result.test else {}
    rows = {row.name: row_property(row) for row in result.measurements}
    return {**about, **result.provenance, **rows}


def _label(properties: ET.Element, requirements: Iterable[str], tags: Iterable[str]) -> None:
    """A property for each requirement and each tag, under one name."""
    for name, labels in (("requirement", requirements), ("tag", tags)):
        for label in labels:
            ET.SubElement(properties, "property", name=name, value=printable(label))


def _add(parent: ET.Element, name: str, text: str, **attributes: str) -> None:
    kept = {key: printable(value) for key, value in attributes.items()}
    ET.SubElement(parent, name, kept).text = printable(text, lines=True)

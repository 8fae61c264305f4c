"""junit.xml in the form xunit1, which CI servers read: a suite for each target, a case for each run.

A run that broke is an <error>, one that was judged and did not pass a <failure>; both list the rows that did not pass.
Every measurement is a property of its case. A scenario that was flown several times has the run's name behind its own,
so that no repeat hides another.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from groundstation.printable import printable
from hil.report.words import marginal, reason, row_text, wanting
from hil.result import RunResult

CONSOLE_TAIL = 20_000
"""Characters of a console; its last words are what is wanted."""


def render(results: Sequence[RunResult], generated: str) -> str:
    """The text of the file."""
    root = ET.Element("testsuites", {"name": "hil", **_counts(results)})
    flown = Counter((result.target, result.scenario) for result in results)
    for target in dict.fromkeys(result.target for result in results):
        runs = [result for result in results if result.target == target]
        about = {"name": f"hil.{printable(target)}", "timestamp": printable(generated).removesuffix("Z")}
        suite = ET.SubElement(root, "testsuite", {**about, **_counts(runs)})
        for result in runs:
            suite.append(_case(result, alone=flown[target, result.scenario] == 1))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _counts(results: Sequence[RunResult]) -> dict[str, str]:
    broken = sum(bool(result.error) for result in results)
    failed = sum(not result.passed and not result.error for result in results)
    seconds = math.fsum(result.took_s for result in results)
    counts = {"tests": len(results), "failures": failed, "errors": broken, "skipped": 0}
    return {**{key: str(value) for key, value in counts.items()}, "time": f"{seconds:.3f}"}


def _case(result: RunResult, *, alone: bool) -> ET.Element:
    name = printable(result.scenario if alone else f"{result.scenario} [{result.run}]")
    case = ET.Element("testcase", classname=f"hil.{printable(result.target)}", name=name, time=f"{result.took_s:.3f}")
    properties = ET.SubElement(case, "properties")
    for key, value in _properties(result).items():
        ET.SubElement(properties, "property", name=printable(key), value=printable(value))
    rows = "\n".join(f"{row.state} {row_text(row)}{f' ({row.note})' if row.note else ''}" for row in wanting(result))
    if result.error:
        _add(case, "error", f"{result.error}\n{rows}\n{result.replay}", message=result.error, type="RunBroke")
    elif not result.passed:
        _add(case, "failure", f"{rows}\n{result.replay}", message=reason(result), type=result.state)
    out = [result.line, *(f"MARGINAL {row_text(row)}" for row in marginal(result)), f"again: {result.replay}"]
    _add(case, "system-out", "\n".join(out))
    if result.console:
        _add(case, "system-err", result.console[-CONSOLE_TAIL:])
    return case


def _properties(result: RunResult) -> dict[str, str]:
    """What describes the run, then every measurement; of two with one key the later one counts."""
    about = {"mode": result.mode, "seed": str(result.seed), "replay": result.replay, "state": result.state}
    rows = {row.name: f"{row.state} {row.value} {row.unit}".rstrip() for row in result.measurements}
    return {**about, **result.provenance, **rows}


def _add(parent: ET.Element, name: str, text: str, **attributes: str) -> None:
    kept = {key: printable(value) for key, value in attributes.items()}
    ET.SubElement(parent, name, kept).text = printable(text, lines=True)

"""Scenario files as pytest collects them: one item for each target that was chosen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from groundstation.formats.printable import printable
from hil.errors import ScenarioError
from hil.pytest_plugin import session_of
from hil.pytest_plugin.labels import put_labels
from hil.report import lines
from hil.scenario.scenario import Scenario, load_scenario
from hil.verdict.result import RunResult


class ScenarioFile(pytest.File):
    """A file with one scenario."""

    def collect(self) -> Iterator[pytest.Item]:
        """An item for each target. A scenario that is none is an error here, before anything flies."""
        try:
            scenario = load_scenario(self.path, session_of(self.config).mission)
        except ScenarioError as error:
            raise self.CollectError(printable(error)) from error
        for target in session_of(self.config).targets:
            yield ScenarioItem.from_parent(self, name=f"{scenario.id}[{target}]", scenario=scenario, target=target)


class ScenarioItem(pytest.Item):
    """One scenario on one target."""

    fixturenames: tuple[str, ...] = ()
    """None; but plugins look for some of their own in every item, labgrid's for one."""

    def __init__(self, *, scenario: Scenario, target: str, **kwargs: Any) -> None:
        """Args: what is flown and on what; and what every item takes."""
        super().__init__(**kwargs)
        self._scenario = scenario
        self._target = target
        put_labels(self, scenario.head.requirements, scenario.head.tags)

    def runtest(self) -> None:
        """Fly it; it fails if a measurement does."""
        session = session_of(self.config)
        result, bundle = session.fly(self, self._scenario, self._target)
        if not result.passed:
            pytest.fail("\n".join(story(result, session.shown(bundle))), pytrace=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it is and what it is called."""
        return self.path, None, self.name


def story(result: RunResult, bundle: str) -> list[str]:
    """A run for people: the verdict, what did not pass, and how to see it again."""
    return [*lines(result), printable(f"bundle: {bundle}"), printable(f"again: {result.replay}")]

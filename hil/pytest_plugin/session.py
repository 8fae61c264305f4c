"""What a pytest session that flies shares: what was chosen, where bundles go, and the report at the end.

Bundles are in ``DIR/runs`` of ``--hil-report``, and all stay. Without it they are in a folder for temporary files, and
only those of tests that failed stay.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import pytest

from groundstation.errors import CallerError
from groundstation.formats.file_names import as_file_name
from groundstation.formats.printable import printable, shell_join
from groundstation.host.clock import host_clock
from groundstation.host.service import Interrupts
from hil.errors import BuildFailed, ImageRefused, NotForTarget, ScenarioError
from hil.images.image import Image
from hil.lander_io.afterwards import Afterwards
from hil.lander_io.scratch import Scratch
from hil.pytest_plugin.boards import SessionBoards
from hil.pytest_plugin.outcomes import Outcomes
from hil.report import TESTS, gather, prepare_folder, release_folder, write_report
from hil.report.words import row_property, row_text
from hil.runs.find import default_mode, find_image, lack_of
from hil.runs.run import INTERRUPTED, Plan, check_plan, fly_plan, utc_date
from hil.scenario.scenario import Mode, Scenario, with_seed
from hil.targets import PROGRAM, TARGETS
from hil.targets.program import words_of
from hil.verdict.flight_record import BOARD
from hil.verdict.result import Measurement, RunResult
from protocols.nearest import nearest

if TYPE_CHECKING:
    from hil.pytest_plugin.flight import Flight

REQUIRE_ALL = "MARS6_REQUIRE_ALL"
"""Set in CI: a target that is not here is a failure, no skip."""
_FLOWN = pytest.StashKey[list[Path]]()
"""Bundles of a test."""
_OWN_FAILED = pytest.StashKey[list[str]]()
"""Rows of a test's own that did not pass."""
_ENDED = pytest.StashKey[str]()
"""How a test ended that did not pass: "failed" or "skipped"."""


class HilSession:
    """A plugin of its own: its hooks are there only in sessions that fly.

    Attributes:
        targets: on which tests fly.
        seed: of all random numbers; None: the scenario's.
        mission: of flights and scenarios that name none; None: MARS-6.
    """

    def __init__(self, config: pytest.Config) -> None:
        """Read the options.

        Raises:
            pytest.UsageError: a target that there is not, a folder that has a report or cannot have one, a port that
                pytest has misread, an image that no target may fly.
        """
        self.targets = _targets(config)
        self.seed: int | None = config.getoption("--hil-seed")
        self._mode: Mode | None = config.getoption("--hil-mode")
        self.mission: str | None = config.getoption("--hil-mission") or config.getini("hil_mission") or None
        self._command = _command(config, self.targets)
        self._boards = SessionBoards(config)
        self._images = _images(config, self.targets)
        self._worker = getattr(config, "workerinput", {}).get("workerid", "")  # of pytest-xdist
        report = config.getoption("--hil-report")
        self._started = config.invocation_params.dir
        self._report = None if report is None else self._started / report
        self._outcomes: Outcomes | None = None
        if self._report is not None and not self._worker:
            _prepare(self._report)
            self._outcomes = Outcomes(self._report / TESTS)
            remake = [sys.executable, "-m", "hil.cli", "report", str(self._report.absolute())]
            self._if_killed = Afterwards('exec "$0" "$@"', *remake, environment=os.environ)
            config.add_cleanup(self._if_killed.call_off)
            _end_in_order(config)
        self._scratch: Scratch | None = None
        self._said = [f"{name}: not used: {i.note}" for name, i in self._images.items() if i is not None and i.note]

    def require(self, target: str) -> None:
        """Skip the test if the target is not here; in CI that is a failure."""
        lack = self._lack(target)
        if lack is not None and os.environ.get(REQUIRE_ALL):
            pytest.fail(f"{target}: {lack} ({REQUIRE_ALL} is set, so this is not a skip)", pytrace=False)
        if lack is not None:
            pytest.skip(f"{target}: {lack}")

    def fly(
        self, item: pytest.Item, scenario: Scenario, target: str, *, own_seed: bool = False
    ) -> tuple[RunResult, Path]:
        """Fly a scenario for a test. What the target cannot fly is a skip.

        Args:
            item: the test.
            scenario: what is flown.
            target: on what.
            own_seed: the test chose the seed: it wins over ``--hil-seed``.

        Returns:
            What it came to, and its bundle. A target that died is a result, too.
        """
        self.require(target)
        seeded = scenario if self.seed is None or own_seed else with_seed(scenario, self.seed)
        bundle = self._bundle(item)
        again = shell_join(["hil", "replay", self.shown(bundle)])
        mode, image = self._mode or default_mode(scenario, target), self._images.get(target)
        plan = Plan(seeded, target, mode, bundle, again, image=image, test=item.nodeid)
        if target == PROGRAM:
            plan = replace(plan, command=self._command)
        if target == BOARD:
            plan = replace(plan, ports=self._boards.ports, board_wait_s=self._boards.wait_s)
        try:
            check_plan(plan)
        except NotForTarget as error:
            pytest.skip(printable(error))
        except ScenarioError as error:  # the scenario cannot be flown on any target
            pytest.fail(printable(error), pytrace=False)
        item.stash.setdefault(_FLOWN, []).append(bundle)
        result = _fly(plan)
        item.user_properties += _properties(result)
        return result, bundle

    def own_row(self, item: pytest.Item, row: Measurement) -> None:
        """A test has added a row to the verdict of its flight: outside of its limits it fails the test, at its end."""
        item.user_properties.append((f"hil_{row.name}", row_property(row)))
        if row.state not in ("PASS", "MARGINAL"):
            item.stash.setdefault(_OWN_FAILED, []).append(f"{row.state} {row_text(row)}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """A test that has run to its end fails by its own rows."""
        yield
        if failed := item.stash.get(_OWN_FAILED, []):
            pytest.fail("\n".join(failed), pytrace=False)

    def check_flown(self, item: pytest.Item, flights: Sequence[Flight]) -> None:
        """A test that prepared a flight and passed without it has tested nothing."""
        if _ENDED not in item.stash and any(flight.waits for flight in flights):
            pytest.fail("hil_flight was told what to do, and never flew: call fly()", pytrace=False)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """After a test: delete its bundles if it passed and --hil-report is not given."""
        report = yield
        if not report.passed:
            item.stash[_ENDED] = report.outcome
        if report.when == "teardown" and item.stash.get(_ENDED, "") != "failed" and self._report is None:
            for bundle in item.stash.get(_FLOWN, []):
                shutil.rmtree(bundle, ignore_errors=True)
        return report

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins, here or in a worker."""
        if self._outcomes is not None:
            self._outcomes.began(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test is over, here or in a worker."""
        if self._outcomes is not None:
            self._outcomes.take(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file was looked through for tests."""
        if self._outcomes is not None:
            self._outcomes.collected(report)

    def pytest_internalerror(self, excrepr: object) -> None:
        """Pytest itself has failed."""
        if self._outcomes is not None:
            self._outcomes.broke(str(excrepr))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """The report of all that was flown, by whatever worker."""
        if self._report is not None and not self._worker:
            self._write_report(self._report)
        elif self._scratch is not None:
            self._tidy(self._scratch)

    def shown(self, path: Path) -> str:
        """A path as one would write it where pytest was started; a test may be elsewhere."""
        return str(path.relative_to(self._started) if path.is_relative_to(self._started) else path)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Where report and bundles are."""
        if self._said:
            terminalreporter.section("hil")
        for line in self._said:
            terminalreporter.write_line(printable(line))

    def _write_report(self, folder: Path) -> None:
        report = gather(folder, utc_date(host_clock()))
        if not report.results and not report.tests:
            self._said.append("no flight: no report written")
            (folder / TESTS).unlink(missing_ok=True)
            release_folder(folder)
            return
        try:
            page = write_report(report, folder)
        except OSError as error:
            self._said.append(f"no report could be written: {error}")
        else:
            self._said.append(f"report: {self.shown(page)}")

    def _tidy(self, scratch: Scratch) -> None:
        if any(scratch.path.glob("runs/*")):
            scratch.keep()
            self._said.append(f"bundles of what failed: {scratch.path / 'runs'}")
        scratch.close()

    def _lack(self, target: str) -> str | None:
        """Why a target cannot fly here."""
        return self._boards.lack() if target == BOARD else lack_of(target)

    def _bundle(self, item: pytest.Item) -> Path:
        """A folder that is not there yet, named after the test."""
        if self._report is None and self._scratch is None:
            self._scratch = Scratch("hil-pytest-")
        folder = self._report if self._scratch is None else self._scratch.path
        assert folder is not None
        name = as_file_name(f"{item.name} {self._worker}")
        found, n = folder / "runs" / name, 1
        while found.exists():
            n += 1
            found = folder / "runs" / f"{name}-{n}"
        return found


KEY = pytest.StashKey[HilSession]()


def _fly(plan: Plan) -> RunResult:
    """Fly; a signal breaks the flight off, is a result, and then ends the session."""
    if threading.current_thread() is not threading.main_thread():
        return fly_plan(plan, host_clock, lambda scet: None)
    with Interrupts() as interrupts:
        result = fly_plan(plan, host_clock, lambda scet: None, breakable=interrupts.heeded)
    if interrupts.exit_code is not None:
        os.kill(os.getpid(), interrupts.exit_code - 128)  # for the signal's other handlers
    if result.error == INTERRUPTED:
        raise KeyboardInterrupt
    return result


def _end_in_order(config: pytest.Config) -> None:
    """Let SIGTERM end the session as Ctrl-C does, with its report."""

    def end(number: int, frame: FrameType | None) -> None:
        pytest.exit(signal.strsignal(number) or "terminated", returncode=128 + number)

    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, end)

        def undo() -> None:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

        config.add_cleanup(undo)


def _targets(config: pytest.Config) -> list[str]:
    """What was chosen, each once."""
    given: list[str] = config.getoption("--hil-target") or config.getini("hil_targets") or ["software"]
    names = [name.strip() for text in given for name in text.split(",") if name.strip()]
    known = sorted(TARGETS)
    for name in names:
        if name not in known:
            raise pytest.UsageError(f"--hil-target: unknown target {name!r}{nearest(name, known)}")
    if not names:
        raise pytest.UsageError(f"--hil-target: expected one or more of {', '.join(known)}")
    return list(dict.fromkeys(names))


def _command(config: pytest.Config, targets: Sequence[str]) -> tuple[str, ...]:
    """The command line of the target process, by words."""
    given = config.getoption("--hil-command") or config.getini("hil_command")
    if not given and PROGRAM in targets:
        raise pytest.UsageError(
            f"--hil-target {PROGRAM} needs --hil-command: the program that flies, with {{port}} in it"
        )
    try:
        return words_of(given) if given else ()
    except CallerError as error:
        raise pytest.UsageError(f"--hil-command: {error}") from error


def _images(config: pytest.Config, targets: Sequence[str]) -> dict[str, Image | None]:
    """What each of the targets flies: chosen once, so that all tests fly the same."""
    given: str | None = config.getoption("--hil-image")
    path = None if given is None else config.invocation_params.dir / given
    if path is not None and not config.invocation_params.dir.is_relative_to(config.rootpath):
        raise pytest.UsageError(f"write --hil-image={given}, in one word: pytest took the image for a folder of tests")
    try:
        return {target: find_image(target, path) for target in targets}
    except (ImageRefused, BuildFailed) as error:
        raise pytest.UsageError(f"--hil-image: {printable(error)}" if given else printable(error)) from error


def _prepare(folder: Path) -> None:
    """Make the folder of the report now: behind a long session it would be too late."""
    try:
        prepare_folder(folder)
    except CallerError as error:
        raise pytest.UsageError(printable(f"--hil-report: {error}")) from error


def _properties(result: RunResult) -> list[tuple[str, object]]:
    """For JUnit."""
    about = {"target": result.target, "mode": result.mode, "seed": result.seed, "state": result.state}
    rows = {row.name: row_property(row) for row in result.measurements}
    facts = {**about, "replay": result.replay, **result.provenance, **rows}
    return [(f"hil_{name}", str(value)) for name, value in facts.items()]

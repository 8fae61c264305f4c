"""Many runs: one after the other in this process, or several at once, each in a process of its own.

Rules:
1. What ends a worker costs the run that it was at, and no other: a new worker takes its place.
2. Workers have sessions of their own (`hil.targets.child`): Ctrl-C reaches this process alone, which breaks off what
   they fly. They end with this process even if it is killed, and so do their emulators with them.
3. Nothing waits for a worker for ever: one that does not break off its flight in time is killed.
4. A result is never lost: errors that end a run are results, and so is what a signal breaks off.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Pipe, wait

from groundstation.errors import StationError
from groundstation.host.clock import host_clock
from groundstation.host.service import Interrupts
from groundstation.messages.text import utc
from hil.errors import MachineFailed
from hil.runs.progress import Progress
from hil.runs.run import Plan, fly_plan, give_up
from hil.runs.worker import READY
from hil.targets.child import Child
from hil.verdict.result import RunResult

_BREAK_OFF_S = 10.0
"""What a worker gets to break off its flight, judge it and write its bundle: a station may take half of it to stop."""
_STARTS = 3
"""Workers in a row that may end before they were ready."""


class Batch:
    """Flies plans."""

    def __init__(self, jobs: int, interrupts: Interrupts, progress: Progress | None = None) -> None:
        """Args: how many at once, what ends them, and what shows how far they are; None: standard error."""
        self._jobs = jobs
        self._interrupts = interrupts
        self._progress = progress or Progress()
        self._done = self._failed = self._total = 0
        self._began = time.monotonic()

    def fly(self, plans: Iterable[Plan], total: int) -> Iterator[RunResult]:
        """The results as they come. After a signal: of what flew then, and of nothing that had not begun.

        Args:
            plans: checked; each is taken when its turn comes.
            total: how many there are.
        """
        jobs = min(self._jobs, total)
        self._total, self._began = total, time.monotonic()
        results = self._one_by_one(plans) if jobs <= 1 else self._at_once(plans, jobs)
        for result in results:
            self._done += 1
            self._failed += not result.passed
            self._progress.clear()
            yield result
            self._progress.show(self._text)
        self._progress.clear()

    def _one_by_one(self, plans: Iterable[Plan]) -> Iterator[RunResult]:
        for plan in plans:
            if self._interrupts.exit_code is not None:
                return
            began = host_clock()
            try:
                yield fly_plan(plan, host_clock, self._shows(plan.name), breakable=self._interrupts.heeded)
            except StationError as error:
                yield give_up(plan, str(error), began, host_clock(), error.exit_code)

    def _at_once(self, plans: Iterable[Plan], jobs: int) -> Iterator[RunResult]:
        crew = _Crew(jobs, iter(plans))
        try:
            while crew.busy:
                crew.feed()
                try:
                    with self._interrupts.heeded():
                        heard = crew.wait(self._progress.every_s)
                except KeyboardInterrupt:
                    yield from crew.break_off()
                    return
                yield from crew.take(heard)
                self._progress.show(self._text)
        finally:
            crew.close()

    def _shows(self, name: str) -> Callable[[int], None]:
        """Shows the mission time of a run now and then."""
        return lambda scet: self._progress.show(lambda: f"{self._text()}: {name} {utc(scet)}")

    def _text(self) -> str:
        """How far it is, and how long the rest will take if it goes on so."""
        failed = f", {self._failed} failed" if self._failed else ""
        if not self._done:
            return f"[0/{self._total}]"
        left = (time.monotonic() - self._began) / self._done * (self._total - self._done)
        return f"[{self._done}/{self._total}]{failed}, about {_duration(left)} left"


class _Worker:
    """A process that flies one plan after the other.

    Attributes:
        line: its socket.
        ready: it can be given a plan, and a signal.
        plan: what it flies; None: nothing.
    """

    def __init__(self) -> None:
        """Start it.

        Raises:
            MachineFailed: it cannot be started.
        """
        self.line, far = Pipe()
        with far:
            self._child = Child([sys.executable, "-m", "hil.runs.worker", str(far.fileno())], [far.fileno()])
        self.ready = False
        self.plan: Plan | None = None
        self._began = 0

    def fly(self, plan: Plan) -> None:
        """Give it something to fly."""
        self.plan, self._began = plan, host_clock()
        self.line.send(plan)

    def receive(self) -> RunResult | None:
        """What it came to say: that it is ready, or a result. One that has ended has failed its run.

        Raises:
            EOFError: it has ended, and flew nothing.
        """
        try:
            said = self.line.recv()
        except (EOFError, OSError):
            if self.plan is None:
                raise EOFError(self.end()) from None
            return self.give_up()
        if said == READY:
            self.ready = True
            return None
        self.plan = None
        assert isinstance(said, RunResult)
        return said

    def break_off(self) -> None:
        """Let it end its flight."""
        self._child.signal(signal.SIGINT)

    def end(self) -> str:
        """End it at once; its last words. Idempotent."""
        self.line.close()
        return self._child.end()

    def give_up(self) -> RunResult:
        """The result of a run whose worker has ended, or is to."""
        plan, self.plan, self.ready = self.plan, None, False
        assert plan is not None
        *_, last = ["", *self.end().splitlines()]
        return give_up(plan, f"cut off: its worker {self._child.fate}{last and f': {last}'}", self._began, host_clock())


class _Crew:
    """The workers, and what is left to be flown."""

    def __init__(self, jobs: int, plans: Iterator[Plan]) -> None:
        self._jobs = jobs
        self._plans = plans
        self._next = next(plans, None)
        self._workers: list[_Worker] = []
        self._failed_starts = 0

    @property
    def busy(self) -> bool:
        """Something flies, or is to."""
        return self._next is not None or bool(self._flying)

    def feed(self) -> None:
        """Give each worker that waits a plan, and start workers for what is left.

        Raises:
            MachineFailed: none can be started.
        """
        for worker in [each for each in self._workers if each.ready and each.plan is None]:
            if self._next is None:
                return
            try:
                worker.fly(self._next)
            except OSError:  # it has been killed while it waited: the plan is for another one
                self._dismiss(worker)
            else:
                self._next = next(self._plans, None)
        while self._next is not None and len(self._workers) < self._jobs:
            self._workers.append(_Worker())

    def wait(self, seconds: float) -> list[_Worker]:
        """Workers that have something to say, or have ended; so long at most."""
        return _heard(self._workers, seconds)

    def take(self, heard: Iterable[_Worker]) -> Iterator[RunResult]:
        """What they have to say.

        Raises:
            MachineFailed: one worker after the other has ended as soon as it was started.
        """
        for worker in heard:
            try:
                result = worker.receive()
            except EOFError as end:
                self._dismiss(worker)
                self._failed_starts += not worker.ready
                if self._failed_starts == _STARTS:
                    raise MachineFailed(f"no worker can be started: {end}") from end
                continue
            self._failed_starts = 0
            if not worker.ready:
                self._dismiss(worker)
            if result is not None:
                yield result

    def break_off(self) -> Iterator[RunResult]:
        """End all flights; the result of each. What has not begun is not flown."""
        self._next = None
        for worker in self._flying:
            worker.break_off()
        deadline = time.monotonic() + _BREAK_OFF_S
        while self._flying and (left := deadline - time.monotonic()) > 0:
            yield from self.take(_heard(self._flying, left))
        for worker in self._flying:
            yield worker.give_up()

    def close(self) -> None:
        """End all workers."""
        for worker in list(self._workers):
            self._dismiss(worker)

    @property
    def _flying(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.plan is not None]

    def _dismiss(self, worker: _Worker) -> None:
        worker.end()
        self._workers.remove(worker)


def _duration(seconds: float) -> str:
    """A duration for people: seconds, minutes or hours."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.0f} h"


def _heard(workers: list[_Worker], seconds: float) -> list[_Worker]:
    """Those that have something to say, or have ended; waits for the first of them."""
    lines = wait([worker.line for worker in workers], seconds)
    return [worker for worker in workers if worker.line in lines]

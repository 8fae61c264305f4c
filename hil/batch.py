"""Many runs: one after the other, or several at once, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait

from groundstation.host_time import host_clock
from groundstation.output import paint
from groundstation.plain import utc
from hil.result import RunResult
from hil.run import Plan, fly_plan

_SHOW_EVERY_S = 0.2


class Batch:
    """Flies plans.

    Attributes:
        interrupted: Ctrl-C came; what flew then is a result, what had not begun is none.
    """

    def __init__(self, jobs: int, quiet: bool = False) -> None:
        """Args: how many at once; and whether to show no progress."""
        self._jobs = jobs
        self._show = sys.stderr.isatty() and not quiet
        self.interrupted = False

    def fly(self, plans: Sequence[Plan]) -> Iterator[RunResult]:
        """The results as they come."""
        if self._jobs == 1:
            yield from self._one_by_one(plans)
        else:
            yield from self._at_once(plans)
        self._clear()

    def _one_by_one(self, plans: Sequence[Plan]) -> Iterator[RunResult]:
        for n, plan in enumerate(plans):
            result = fly_plan(plan, host_clock, self._progress(f"[{n + 1}/{len(plans)}] {plan.name}"))
            self.interrupted = self.interrupted or result.error == "interrupted"
            self._clear()
            yield result
            if self.interrupted:
                return

    def _at_once(self, plans: Sequence[Plan]) -> Iterator[RunResult]:
        context = multiprocessing.get_context("spawn")
        done = 0
        with ProcessPoolExecutor(self._jobs, mp_context=context) as pool:
            left = list(plans)
            running: set[Future[RunResult]] = set()
            while running or left:
                try:
                    while left and len(running) < self._jobs and not self.interrupted:
                        running.add(pool.submit(_fly_alone, left.pop(0)))
                    finished, running = wait(running, return_when=FIRST_COMPLETED)
                except KeyboardInterrupt:
                    self.interrupted = True
                    left.clear()
                    continue
                for future in finished:
                    done += 1
                    self._clear()
                    yield future.result()
                    self._write(f"[{done}/{len(plans)}]")

    def _progress(self, what: str) -> Callable[[int], None]:
        """Shows the mission time now and then."""
        shown = 0.0

        def show(scet: int) -> None:
            nonlocal shown
            now = time.monotonic()
            if self._show and now - shown >= _SHOW_EVERY_S:
                shown = now
                self._write(f"{what} {utc(scet)}")

        return show

    def _write(self, text: str) -> None:
        if self._show:
            paint(text)

    def _clear(self) -> None:
        self._write("")


def _fly_alone(plan: Plan) -> RunResult:
    """One run, in a process of a pool."""
    return fly_plan(plan, host_clock, lambda scet: None)

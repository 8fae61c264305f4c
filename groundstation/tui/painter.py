"""When to paint.

Five rules, each with its reason:

- What arrives is painted at once, but at most every `PAINT_EVERY_S`; the last arrival is always painted.
- Ages grow with time, not with data: something is painted every `AGES_EVERY_S` at the latest.
- One loop looks at the clock for what is overdue. Nothing waits for one callback: Textual drops a one-shot timer whose
  moment has passed when it first looks (`set_timer` with some microseconds), and a flag that waits for such a timer
  freezes the screen for good. Here a wake-up that gets lost delays a painting by `AGES_EVERY_S`, no more.
- A terminal that has not taken the last painting gets no next one: a slow one then shows the present in fewer
  paintings, and not the past in all of them.
- An error in a painting ends the loop with it: a viewer that cannot paint must not go on looking alive.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

PAINT_EVERY_S = 0.05
AGES_EVERY_S = 0.25


class Painter:
    """Calls ``paint`` whenever it is due.

    Attributes:
        paintings: how many there were.
    """

    def __init__(
        self,
        paint: Callable[[], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        ready: Callable[[], bool] = lambda: True,
        every_s: float = PAINT_EVERY_S,
        ages_s: float = AGES_EVERY_S,
    ) -> None:
        """``clock`` gives seconds that never go back; ``ready`` says whether the last painting was taken."""
        self.paintings = 0
        self._paint, self._clock, self._ready = paint, clock, ready
        self._every_s, self._ages_s = every_s, ages_s
        self._painted = clock() - ages_s
        self._wanted = asyncio.Event()

    def soon(self) -> None:
        """Something arrived."""
        self._wanted.set()

    def defer(self) -> None:
        """Let what is there now stand for another `PAINT_EVERY_S`: more is on its way."""
        self._painted = self._clock()

    def now(self) -> None:
        """Paint without waiting: a key was pressed."""
        self._wanted.clear()
        self._painted = self._clock()
        self.paintings += 1
        self._paint()

    async def run(self) -> None:
        """Paint until cancelled.

        Raises:
            Exception: whatever ``paint`` raises.
        """
        while True:
            left_s = self._painted + (self._every_s if self._wanted.is_set() else self._ages_s) - self._clock()
            if left_s <= 0 and not self._ready():
                await asyncio.sleep(self._every_s)
            elif left_s <= 0:
                self.now()
                await asyncio.sleep(0)
            elif self._wanted.is_set():
                await asyncio.sleep(min(left_s, self._every_s))
            else:
                await self._arrival(left_s)

    async def _arrival(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wanted.wait()
        except TimeoutError:
            pass

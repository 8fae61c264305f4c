"""Wakes an event loop from another thread, once for however much waits."""

from __future__ import annotations

import asyncio


class LoopWakeup:
    """Wakes one event loop from any thread."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._rung = False

    def ring(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake the loop: `heard` returns after this, at least once."""
        if not self._rung:
            self._rung = True
            loop.call_soon_threadsafe(self._event.set)

    async def heard(self) -> None:
        """Wait for a wake-up. One that came before this returns is not lost."""
        await self._event.wait()
        self._event.clear()
        self._rung = False

"""How a service ends: at the first signal in good order, at the second without waiting for the disk."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from groundstation.errors import ArchiveError
from groundstation.formats.output import tell
from groundstation.host.service import stop_signals
from groundstation.host.wakeup import LoopWakeup

RECORDING_CLOSED = "RECORDING_CLOSED"
"""Name of a station's last event: its recording is closed and whole."""

RECORDING_INCOMPLETE = "RECORDING_INCOMPLETE"
"""Name of a station's last event in its place: what the recording lacks."""

DISK_S = 3.0
"""How long a disk may take before the wait is reported."""


class GracefulShutdown:
    """To be used inside one event loop.

    Attributes:
        stop: set when a stop is requested.
    """

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self._again = asyncio.Event()

    def listen(self) -> None:
        """Handle signals from now on."""
        for number in stop_signals():
            asyncio.get_running_loop().add_signal_handler(number, self.signalled)

    def signalled(self) -> None:
        """A signal came."""
        if self.stop.is_set():
            self._again.set()
        self.stop.set()

    async def close(self, name: str, close: Callable[[], None]) -> None:
        """Close a recording and wait for its disk, until a second stop request gives up what it lacks.

        Raises:
            ArchiveError: given up.
        """
        closed, loop = LoopWakeup(), asyncio.get_running_loop()

        def work() -> None:
            close()
            with suppress(RuntimeError):  # given up: the loop has ended
                closed.ring(loop)

        self._again.clear()  # an earlier second signal came before the user could read what it costs
        threading.Thread(target=work, name="archive-close", daemon=True).start()
        done, given_up = loop.create_task(closed.heard()), loop.create_task(self._again.wait())
        await asyncio.wait({done}, timeout=DISK_S)
        if not done.done():
            tell("the disk does not answer: waiting for it. Once more gives up what is not written", err=True)
            await asyncio.wait({done, given_up}, return_when=asyncio.FIRST_COMPLETED)
        given_up.cancel()
        if not done.done():
            done.cancel()
            raise ArchiveError(f"{name} was not closed: the disk does not answer")

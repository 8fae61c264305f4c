"""A flight that is watched: the viewer has the main thread, where a terminal's keys and signals are, and the flight a
thread beside it.

Lines end with the flight. The terminal interface stays until its user leaves, and the rig keeps the link up until then.
Of a part of a pass the terminal interface opens when the part begins: while the target flies flat out to there, the
station hears nothing, and an empty screen would say that something is wrong.
A viewer that is closed before the pass is over ends the flight; one that crashes does not: lines take over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from groundstation.cli.output import show
from groundstation.cli.runtime import Style
from groundstation.errors import StationError, StationGone, ViewerCrashed
from groundstation.formats.output import echo
from groundstation.formats.printable import shell_join
from groundstation.messages.wire import AnyMessage
from groundstation.station.registry import StationInfo

_END_TIMEOUT_S = 20.0
"""A rig ends within its longest wait."""


class Viewer(Protocol):
    """Follows a flight in real time."""

    @property
    def left(self) -> bool:
        """Its user left: the flight ends."""

    @property
    def stays(self) -> bool:
        """It wants the link to stay up after the pass."""

    def begin(self) -> None:
        """What the station is to hear of the flight begins."""

    def watch(self, station: StationInfo, fly: Callable[[], None]) -> None:
        """Show the station while flying; returns when both are over.

        Raises:
            StationError: whatever the flight or the viewer raised.
        """


class LiveViewer:
    """The viewer of ``hil fly``.

    Attributes:
        code: its exit code, once it was closed.
        crashed: the terminal interface did.
    """

    def __init__(self, style: Style, in_ascii: bool, opens_late: bool = False) -> None:
        """Prepare.

        Args:
            style: the interface or lines.
            in_ascii: whether the interface is drawn in ASCII.
            opens_late: the interface opens when the flight has been told to `begin`. Lines follow all the time.
        """
        self._style = style
        self._ascii = in_ascii
        self._left = threading.Event()
        self._flown = threading.Event()
        self._begun = threading.Event()
        if style != "tui" or not opens_late:
            self._begun.set()
        self._error: Exception | None = None
        self.code = 0
        self.crashed = False

    @property
    def left(self) -> bool:
        """Its user left."""
        return self._left.is_set()

    @property
    def stays(self) -> bool:
        """The terminal interface does."""
        return self._style == "tui" and not self.crashed

    def begin(self) -> None:
        """The interface may open."""
        self._begun.set()

    def watch(self, station: StationInfo, fly: Callable[[], None]) -> None:
        """Show the station, and fly beside it."""
        flight = threading.Thread(target=self._fly, args=(fly,), name="flight", daemon=True)
        flight.start()
        try:
            self._begun.wait()
            if self._error is None:
                self.code = self._show(station)
        finally:
            self._left.set()
            flight.join(_END_TIMEOUT_S)
        if flight.is_alive():
            raise StationError(f"the flight did not end in {_END_TIMEOUT_S:g} s after its viewer was closed")
        if self._error is not None:
            raise self._error
        if self.code == StationGone.exit_code:
            raise StationGone("the station ended in flight")

    def _show(self, station: StationInfo) -> int:
        def over(_: AnyMessage) -> bool:
            return self._flown.is_set()

        try:
            return show(station, self._style, self._ascii, closing="The flight ends with its viewer.", over=over)
        except ViewerCrashed as error:
            self.crashed = True
            again = shell_join(["groundstation", "watch", station.name])
            echo(f"{error}; the flight goes on until Ctrl-C: {again}", err=True)
            return show(station, "plain", over=over)

    def _fly(self, fly: Callable[[], None]) -> None:
        try:
            fly()
        except Exception as error:
            self._error = error
        finally:
            self._flown.set()
            self._begun.set()

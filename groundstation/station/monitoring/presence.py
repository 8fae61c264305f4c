"""Keeps a running station findable: tmp cleaners, logouts and people remove runtime folders of programs that still run.

Its viewers stay connected all the time. Only its private sockets have files there; the remote ones have none.
"""

from __future__ import annotations

from collections.abc import Callable

from groundstation.errors import CallerError, StationError
from groundstation.station.publisher import Publisher
from groundstation.station.registry import Registry, StationInfo
from protocols.words import Severity

LOOK_EVERY_S = 1.0
_TIMES_MAX = 1000
"""The folder is made again at most this many times: each time costs a file descriptor for each socket."""


class Presence:
    """To be used inside the station's event loop."""

    def __init__(
        self,
        registry: Registry,
        info: StationInfo,
        publisher: Publisher,
        report: Callable[[Severity, str, str], None],
    ) -> None:
        """Args: where the station is registered, as what, at which sockets, and how to report an event."""
        self._registry = registry
        self._info = info
        self._publisher = publisher
        self._report = report
        self._trouble = ""
        self._times = 0

    def look(self) -> None:
        """See that the station can be found; if not, make what is missing. To be called every `LOOK_EVERY_S`."""
        if self._times >= _TIMES_MAX or self._registry.is_registered(self._info):
            return
        try:
            self._registry.restore(self._info)
            self._publisher.bind_again()
        except CallerError as error:  # the name is another station's by now
            self._times = _TIMES_MAX
            self._report("WARNING_HI", "REGISTRY", f"this station cannot be found any more: {error}")
            return
        except StationError as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                self._report("WARNING_LO", "REGISTRY", f"this station cannot be found any more: {error}")
            return
        self._trouble = ""
        self._times += 1
        again = "made again" if self._times < _TIMES_MAX else "made again for the last time"
        folder = self._registry.root / self._info.name
        self._report("WARNING_LO", "REGISTRY", f"files removed from {folder} were {again}: this station can be found")

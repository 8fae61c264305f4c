"""A whole descent in real time: lander, station and viewer together, each a process of its own.

    lander process ──PTY or ZeroMQ──▶ station process ──ZeroMQ──▶ viewer (here)

The lander starts when the station has opened the link, and holds the link open after its pass, so that what the
station hears is the silence of the lander and not the end of a process. The verdict is read from the recording.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from groundstation.messages import AnyMessage, ContactChange, LinkStatus
from groundstation.registry import StationInfo
from groundstation.shell import Style
from groundstation.station_config import StationConfig
from groundstation.station_process import start_station, stop_station
from groundstation.viewing import show
from hil.oracle import expect
from hil.targets import Target
from hil.verdict import REAL_TIME_LATENESS_MS, Verdict, expected_cause, judge
from protocols.lander import LANDER, MARS6
from protocols.profile import UART


@dataclass(frozen=True, slots=True)
class FlightPlan:
    """What is flown. ``link_drop`` is the mission time in ns from which the link is silent, or None."""

    target: Target
    recording: Path
    name: str
    link_drop: int | None = None


@dataclass(frozen=True, slots=True)
class FlightResult:
    """How it ended: the viewer's exit code, whether the pass was flown to its end, and the verdict."""

    code: int
    complete: bool
    verdict: Verdict


_LOST_QUIET_NS = 300_000_000
_UNLOST_QUIET_NS = 6_000_000_000


class _End:
    """Knows when a flight is over: the lander has flown its pass, and the station has declared the loss."""

    def __init__(self) -> None:
        self.lander_done = threading.Event()
        self.lost = False
        self.quiet_since: int | None = None

    def __call__(self, message: AnyMessage) -> bool:
        if isinstance(message, ContactChange) and message.vcid == LANDER and message.state == "LOS":
            self.lost = True
        if not isinstance(message, LinkStatus) or not self.lander_done.is_set():
            return False
        self.quiet_since = self.quiet_since or message.ert
        # A while after the last byte: whatever is on its way has arrived, or there is no loss at all.
        return message.ert - self.quiet_since >= (_LOST_QUIET_NS if self.lost else _UNLOST_QUIET_NS)


def fly_real_time(plan: FlightPlan, style: Style, in_ascii: bool = False) -> FlightResult:
    """Fly a pass and show it.

    Raises:
        WorldError: a process could not be started.
    """
    end = _End()
    with plan.target as target, _station(plan, target.url) as info:
        threading.Thread(target=_await_pass, args=(target, end.lander_done), daemon=True).start()
        code = _show(info, style, in_ascii, end)
        complete = end.lander_done.is_set()
    script = plan.target.script
    expected = expect(plan.link_drop, script, ready=bool(script))
    verdict = judge(plan.recording, expected, expected_cause(plan.link_drop), REAL_TIME_LATENESS_MS)
    return FlightResult(code, complete, verdict)


def _show(info: StationInfo, style: Style, in_ascii: bool, end: _End) -> int:
    """The TUI stays until its user leaves; lines end with the flight."""
    return show(info, style, in_ascii, closing="The flight ends with its viewer.", over=end)


@contextmanager
def _station(plan: FlightPlan, url: str) -> Iterator[StationInfo]:
    info = start_station(StationConfig(plan.name, url, plan.recording, MARS6, UART), with_parent=True)
    try:
        yield info
    finally:
        asyncio.run(stop_station(info, "the flight is over"))


def _await_pass(target: Target, done: threading.Event) -> None:
    if target.wait_finished():
        done.set()

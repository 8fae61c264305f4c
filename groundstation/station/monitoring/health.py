"""What a station notices of its surroundings: each thing once when it begins, and once when it is over. Sans-I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from groundstation.messages.wire import Counters
from protocols.units import NS_PER_S
from protocols.words import Severity

STEP_NS = NS_PER_S
"""A difference between the clocks that is reported: NTP's own slow corrections are in both."""

FRAMES_WAITED = 20
"""Bytes of so many frames without one frame are reported."""
NO_FRAMES_NS = 5 * NS_PER_S
"""So are bytes that come for so long: a lander that only greets sends a frame a second, and fewer bytes at a wrong
baud rate. A line whose frame takes longer, of less than 530 baud, is reported in vain."""


class HealthEvent(NamedTuple):
    """Something to be published as an event of the station."""

    severity: Severity
    name: str
    text: str


class HealthMonitor:
    """Looks at the archive, the host's clock and what comes from the port."""

    def __init__(self, frame_length: int) -> None:
        """Args: bytes of a frame on this link, ASM and all."""
        self._frame_length = frame_length
        self._error: str | None = None
        self._step = 0
        self._frames_expected = True
        self._bytes = 0
        self._first_byte: int | None = None

    def look(
        self, now: int, archive_error: str | None, missing: str, step_ns: int, counters: Counters
    ) -> Iterator[HealthEvent]:
        """What is new.

        Args:
            now: the station's time, in ns.
            archive_error: why nothing is recorded; None if all is well.
            missing: what the recording notes as missing; empty if nothing is.
            step_ns: how far the host's clock is ahead of the station's.
            counters: of the link, since the station started.
        """
        if archive_error != self._error:
            self._error = archive_error
            yield _of_archive(archive_error, missing)
        if abs(step_ns - self._step) > STEP_NS:
            self._step = step_ns
            yield HealthEvent("WARNING_LO", "CLOCK", _of_clock(step_ns))
        if self._frames_expected:
            yield from self._look_for_frames(now, counters)

    def _look_for_frames(self, now: int, counters: Counters) -> Iterator[HealthEvent]:
        if counters.bytes_in > self._bytes:
            self._bytes = counters.bytes_in
            self._first_byte = now if self._first_byte is None else self._first_byte
            enough = self._bytes >= FRAMES_WAITED * self._frame_length or now - self._first_byte >= NO_FRAMES_NS
            self._frames_expected = not enough and not counters.frames_good
            if enough and not counters.frames_good:
                yield HealthEvent("WARNING_HI", "NO_FRAMES", _of_bytes(counters.bytes_in))


def _of_archive(error: str | None, missing: str) -> HealthEvent:
    if error is None:
        lack = f"missing, and noted in it: {missing}" if missing else "nothing is missing"
        return HealthEvent("ACTIVITY_HI", "ARCHIVE", f"the recording goes on; {lack}")
    return HealthEvent("WARNING_HI", "ARCHIVE", f"not recording: {error}. Reception goes on")


def _of_clock(step_ns: int) -> str:
    if abs(step_ns) <= STEP_NS:
        return "the host's clock was set: it agrees with this station's again"
    place = f"{abs(step_ns) / NS_PER_S:.0f} s {'ahead of' if step_ns > 0 else 'behind'} this station's"
    return f"the host's clock was set: it is {place}, which stays as it is until the station is started again"


def _of_bytes(count: int) -> str:
    return f"{count:,} bytes and not one frame: another baud rate at the other end, or no lander of this mission"

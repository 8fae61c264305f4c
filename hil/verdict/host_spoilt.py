"""Rows of a flight in real time that a late host may have spoilt: they say nothing, neither for nor against.

A row is spoilt if it would have passed without the lateness measured during the flight. Rows of bytes and of counts
are never: how late they come changes none of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from groundstation.messages.wire import LosVerdict
from hil.verdict.host_watch import Lateness
from hil.verdict.limits import LimitBand, base_name
from hil.verdict.result import Shown

Span = tuple[int, int]
"""Of the station's time, in ns."""

_HOPS = {"interarrival_p99": 3, "byte_to_published_p99": 5}
"""Threads of several processes in a row that each may come late: target, rig, station; and publisher, subscriber."""
_UNIT_MS = {"los_declared_late": 1.0, "reacquisition": 1000.0}
"""Rows of one moment, in ms a unit."""
_COMMAND_MS = 500.0
"""A host that is so late can cost a command its time-outs."""


def is_spoilt(name: str, value: Shown, band: LimitBand, lateness: Lateness, span: Span | None) -> bool:
    """Whether a row that fails would have passed on a host in time.

    Args:
        name: of the measurement.
        value: that was measured.
        band: what passes.
        lateness: of the host.
        span: in which it was measured; None: in the whole flight.
    """
    base = base_name(name)
    if base == "command":
        return value == "TIMEOUT" and lateness.worst_ms() >= _COMMAND_MS
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    if base in _HOPS:
        taken_off = _HOPS[base] * lateness.p99_ms
    elif base in _UNIT_MS and span is not None:
        taken_off = lateness.worst_ms(*span) / _UNIT_MS[base]
    else:
        return False
    return band.judge(max(0.0, value - taken_off)) in ("PASS", "MARGINAL")


def are_spoilt(false: Sequence[LosVerdict], lateness: Lateness, period_ms: float) -> bool:
    """Whether losses that were declared and not planned may all be the host's: it was late while frames were due."""
    return bool(false) and all(
        lateness.worst_ms(loss.last_ert, loss.declared_ert) >= max(0.0, loss.timeout_ms - period_ms) / 2
        for loss in false
    )

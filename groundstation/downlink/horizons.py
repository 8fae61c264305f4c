"""Relays near the horizon: whether one has set, by the last elevation that it reported. Sans-I/O.

Rules:
1. What counts is the elevation when the lost channel's next frame was due, not when its loss was declared: that may be
   half a minute later, and the relay has sunk on since.
2. A relay's elevation is a parameter of its own telemetry, as the mission declares it. It comes once in a housekeeping
   period, so the value may be that old, or may come that much later: a relay has set if its elevation by a period after
   that time is at or below its mask; if no value came since, the last one, carried on at its rate for one period.
3. A value that means nothing, or is older than three periods then, says nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from groundstation.messages.base import Value
from groundstation.messages.text import utc
from protocols.declare.dictionary import Dictionary
from protocols.declare.mission import Relay
from protocols.units import NS_PER_MS

_STALE_PERIODS = 3
_SAMPLES = 64
"""More than come in the time-out of a channel whose frames are ten seconds apart."""


class _Sample(NamedTuple):
    """An elevation in degrees, and by how much it sinks in one period; 0 if that is not known, or it rises."""

    elevation: float
    scet: int
    ert: int
    change: float


@dataclass(slots=True)
class _Horizon:
    """One relay, and its last elevations, received on the channel ``vcid``."""

    relay: Relay
    mask: float
    period: int
    vcid: int | None = None
    samples: deque[_Sample] = field(default_factory=lambda: deque(maxlen=_SAMPLES))

    def take(self, elevation: float, vcid: int, scet: int, ert: int) -> None:
        """The next value; one after a gap, or of a source that started again, has no rate."""
        change, last = 0.0, self.samples[-1] if self.samples else None
        passed = 0 if last is None or self.vcid != vcid else scet - last.scet
        if last is not None and 0 < passed <= _STALE_PERIODS * self.period:
            change = min(0.0, (elevation - last.elevation) * self.period / passed)
        self.vcid = vcid
        self.samples.append(_Sample(elevation, scet, ert, change))

    def below(self, due: int) -> _Sample | None:
        """The elevation by which it was at or below its mask at that time (ERT); None: it was not."""
        sample = next((each for each in reversed(self.samples) if each.ert <= due + self.period), None)
        if sample is None or due - sample.ert > _STALE_PERIODS * self.period:
            return None
        carried = sample.elevation + (sample.change if sample.ert < due else 0.0)
        return sample if carried <= self.mask else None


class Horizons:
    """Follows the elevations of a mission's relays.

    Attributes:
        packets: those that have an elevation.
    """

    def __init__(self, dictionary: Dictionary, relays: Iterable[Relay]) -> None:
        """Args: the mission's dictionary and relays; those that report no elevation are left out."""
        self._by_packet: dict[str, list[_Horizon]] = {}
        for relay in relays:
            if relay.elevation and relay.mask is not None:
                period = dictionary.by_name[relay.packet].definition.period_ms * NS_PER_MS
                horizon = _Horizon(relay, relay.mask.value, period)
                self._by_packet.setdefault(relay.packet, []).append(horizon)
        self.packets = frozenset(self._by_packet)

    def take(self, packet: str, vcid: int, values: Mapping[str, Value | None], scet: int, ert: int) -> None:
        """The values of a packet that came in order; what means nothing is None."""
        for horizon in self._by_packet.get(packet, ()):
            value = values.get(horizon.relay.parameter)
            if isinstance(value, int | float):
                horizon.take(value, vcid, scet, ert)

    def has_set(self, due: int, witnesses: Collection[int]) -> str:
        """The evidence that a relay has set, whose own channel is among those that go on; empty: none has.

        Args:
            due: when the lost channel's next frame was due (ERT in ns).
            witnesses: VCIDs of the channels that go on.
        """
        for horizons in self._by_packet.values():
            for horizon in horizons:
                sample = horizon.below(due) if horizon.vcid in witnesses else None
                if sample is not None:
                    where = "sinking to" if sample.elevation > horizon.mask else "its mask is"
                    return (
                        f"{horizon.relay.name} has set: elevation {sample.elevation:.2f}° at {utc(sample.scet)}, "
                        f"{where} {horizon.mask:g}°; its own channel goes on"
                    )
        return ""

"""Relays near the horizon: whether one has set, by the last elevation that it reported. Sans-I/O.

Rules:
1. A relay's elevation is a parameter of its own telemetry, as the mission declares it. It comes once in a housekeeping
   period, so at a loss it may be that old: a relay has set if its elevation, carried on at its last rate for one period
   at most, is at or below its mask.
2. A value that means nothing, or is older than three periods at the loss, says nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from groundstation.messages.base import Value
from groundstation.messages.text import utc
from protocols.declare.dictionary import Dictionary
from protocols.declare.mission import Relay
from protocols.units import NS_PER_MS

_STALE_PERIODS = 3


@dataclass(slots=True)
class _Horizon:
    """One relay, and its last elevation in degrees: at ``scet``, received at ``ert`` on the channel ``vcid``."""

    relay: Relay
    mask: float
    period: int
    vcid: int | None = None
    elevation: float = 0.0
    scet: int = 0
    ert: int = 0
    change: float = 0.0
    """In degrees, over one period; 0 while it is not known, or rises."""

    def take(self, elevation: float, vcid: int, scet: int, ert: int) -> None:
        """The next value; one after a gap, or of a source that started again, begins a new rate."""
        passed = scet - self.scet
        known = self.vcid == vcid and 0 < passed <= _STALE_PERIODS * self.period
        self.change = min(0.0, (elevation - self.elevation) * self.period / passed) if known else 0.0
        self.elevation, self.scet, self.ert, self.vcid = elevation, scet, ert, vcid

    def has_set(self, last: int) -> bool:
        """Whether it was at or below its mask when a channel was last heard, or a period later."""
        return last - self.ert <= _STALE_PERIODS * self.period and self.elevation + self.change <= self.mask


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

    def has_set(self, last: int, witnesses: Collection[int]) -> str:
        """The evidence that a relay has set, whose own channel is among those that go on; empty: none has.

        Args:
            last: when the lost channel was last heard (ERT in ns).
            witnesses: VCIDs of the channels that go on.
        """
        for horizons in self._by_packet.values():
            for horizon in horizons:
                if horizon.vcid in witnesses and horizon.has_set(last):
                    below = "at" if horizon.elevation > horizon.mask else "below"
                    return (
                        f"{horizon.relay.name} has set: elevation {horizon.elevation:.2f}° at {utc(horizon.scet)}, "
                        f"{below} its mask of {horizon.mask:g}°; its own channel goes on"
                    )
        return ""

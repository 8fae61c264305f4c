"""The table [[relay]]: other spacecraft that carry the lander to the same station, beside the bus.

    [[relay]]
    name = "MARS_5"                      # a relay that the mission declares
    delay_ms = 40                        # its frames come so much later than the bus's

    [[fault]]
    kind = "drop"
    relay = "MARS_5"                     # on that relay's link; without it, on the bus's

The target sends one stream. The bus's link is that stream; each relay hears the lander's frames in it and sends them on
under its own frame count. A relay that failed in history may fly as a counterfactual; one that was out of range cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from hil.faults import Spec
from protocols.declare.mission import HEALTH_WORDS, Mission
from protocols.nearest import nearest


class RelayLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A relay whose link the station has beside the bus's.

    Attributes:
        name: as the mission declares it.
        delay_ms: how much later than the bus's its frames come.
    """

    name: str
    delay_ms: Annotated[float, msgspec.Meta(ge=0, le=10_000)] = 40.0


def check_relays(relays: Sequence[RelayLink], faults: Sequence[Spec], modes: Sequence[str], mission: Mission) -> None:
    """See that each relay can relay, and that faults act on links that there are.

    Args:
        relays: of the scenario.
        faults: of the scenario.
        modes: in which it flies.
        mission: which declares the relays.

    Raises:
        ValueError: one cannot; with the place.
    """
    for n, link in enumerate(relays):
        _check_relay(f"relay[{n}].name", link.name, mission)
        if link.name in [each.name for each in relays[:n]]:
            raise ValueError(f"relay[{n}].name: {link.name} is named twice")
    if relays and list(modes) != ["lockstep"]:
        raise ValueError('scenario.modes: relays fly in lockstep: modes = ["lockstep"]')
    names = [link.name for link in relays]
    for n, fault in enumerate(faults):
        if fault.relay is None:
            continue
        if fault.relay not in names:
            raise ValueError(
                f"fault[{n}].relay: no [[relay]] has the name {fault.relay!r}{nearest(fault.relay, names)}"
            )
        if fault.family != "stream" or fault.direction != "down":
            raise ValueError(f"fault[{n}].relay: {fault.kind} does not act on a relay's frames: leave out relay")


def _check_relay(place: str, name: str, mission: Mission) -> None:
    known = {relay.name: relay for relay in mission.relays}
    relay = known.get(name)
    if relay is None:
        raise ValueError(f"{place}: {mission.name} has no relay {name!r}{nearest(name, known)}")
    if relay is mission.relays[0]:
        raise ValueError(f"{place}: {name} is the link that every flight has: leave it out")
    if relay.health == "OUT_OF_RANGE":
        margin = "" if relay.margin is None else f", link margin {relay.margin.value:+.1f} dB"
        raise ValueError(f"{place}: {name} is {HEALTH_WORDS[relay.health]}{margin}: nothing would be received")

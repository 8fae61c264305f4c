"""A relay that has set: the cause RELAY_SET, by the elevation in the relay's own telemetry."""

from __future__ import annotations

import pytest
from construct import Int8ub, Int16sb, Struct

from groundstation.downlink.contact import ContactMonitor
from groundstation.downlink.horizons import Horizons
from groundstation.messages.wire import ContactChange
from protocols.ccsds.space_packet import encode_packet
from protocols.ccsds.tm_frame import TmFrame
from protocols.counts import FrameCounter
from protocols.declare.dictionary import ChannelDef, Dictionary, PacketDef
from protocols.declare.mission import Figure, Relay
from protocols.structures.fields import Quantity

MS = 1_000_000
S = 1000 * MS
LANDER, BUS = 0, 2
HK = PacketDef(
    "HK", 1, 3, 25, Struct("elevation" / Quantity(Int16sb, "°", scale=0.01), "spare" / Int8ub), 1000, "of the relay"
)
CHANNELS = (ChannelDef(LANDER, "lander", "LANDER", 100), ChannelDef(BUS, "bus", "BUS", 1000))
BIRD = Dictionary("BIRD", 1, (HK,), (), CHANNELS, ())
RELAY = Relay("BUS", "It passes.", "A", elevation="HK.elevation", mask=Figure(15.0, "A"))


def lose(elevations: list[float | None], after_ms: int = 950) -> ContactChange:
    """The bus reports an elevation each second, the lander falls silent so long after the last one; its loss."""
    horizons = Horizons(BIRD, [RELAY])
    monitor = ContactMonitor(CHANNELS, {}, horizons=horizons)
    monitor.transport("CONNECTED", "", False, 0)
    counter = FrameCounter(256, {c.vcid: c.period_ms * MS for c in CHANNELS})
    counts = {LANDER: 0, BUS: 0}
    changes: list[ContactChange] = []
    silent = (len(elevations) - 1) * S + after_ms * MS

    def frame(vcid: int, at: int) -> None:
        nonlocal changes
        packet = encode_packet(0x100 | vcid, counts[vcid], at.to_bytes(8, "big"))
        made = TmFrame(1, vcid, sum(counts.values()) & 0xFF, counts[vcid] & 0xFF, 0, packet, None)
        counts[vcid] += 1
        changes += monitor.received(132, at)
        changes += monitor.frame(vcid, made.vcfc, counter.count(made, at, at), at, at, 132)

    for at in range(0, silent + 2 * S, 100 * MS):
        if at % S == 0:
            frame(BUS, at)
            if at // S < len(elevations):
                horizons.take("HK", BUS, {"elevation": elevations[at // S]}, at, at)
        if at <= silent:
            frame(LANDER, at)
        changes += monitor.advance(at)
    (loss,) = [c for c in changes if c.state == "LOS" and c.vcid == LANDER]
    return loss


@pytest.mark.parametrize(
    ("elevations", "cause"),
    [
        ([15.2, 15.1, 15.0, 14.9], "RELAY_SET"),
        ([15.3, 15.2, 15.1, 15.04], "RELAY_SET"),  # falls by 0.06 a second: below the mask with the next value
        ([16.3, 16.2, 16.1, 16.0], "LANDER_ONLY"),
        ([15.05, 15.05, 15.05, 15.05], "LANDER_ONLY"),  # it stands
        ([14.9, 15.0, 15.1, 15.2], "LANDER_ONLY"),  # it rises
        ([14.0, None, None, None, None], "LANDER_ONLY"),  # that was four periods ago
        ([None, None, None], "LANDER_ONLY"),
    ],
)
def test_the_cause_follows_the_elevation(elevations: list[float | None], cause: str) -> None:
    verdict = lose(elevations).verdict
    assert verdict is not None and verdict.cause == cause


def test_the_evidence_is_the_elevation_its_time_and_the_mask() -> None:
    verdict = lose([15.2, 15.0, 14.8]).verdict
    assert verdict is not None
    assert verdict.evidence == "BUS has set: elevation 14.80° at 00:00:02.0, its mask is 15°; its own channel goes on"


def test_what_counts_is_the_elevation_when_the_next_frame_was_due() -> None:
    """The loss of a slow channel is declared long after: the relay has set since, and that is no cause."""
    horizons = Horizons(BIRD, [RELAY])
    for second in range(40):
        horizons.take("HK", BUS, {"elevation": 16.0 - 0.05 * second}, second * S, second * S)
    assert horizons.has_set(10 * S, {BUS}) == ""
    assert horizons.has_set(20 * S, {BUS}).startswith("BUS has set: elevation 14.95° at 00:00:21.0")


def test_a_relay_that_is_silent_too_has_not_set() -> None:
    horizons = Horizons(BIRD, [RELAY])
    horizons.take("HK", BUS, {"elevation": 10.0}, 0, 0)
    assert horizons.has_set(S, {BUS}) and not horizons.has_set(S, set()) and not horizons.has_set(S, {LANDER})

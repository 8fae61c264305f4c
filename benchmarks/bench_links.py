"""The cost of a second link: a descent over one link, and over two that carry the same lander, in turns.

The receiver alone, without recording or viewers. The second link brings each of the lander's frames 30 ms later, under
a frame count of its own.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

from groundstation.downlink.diversity_receiver import receiver_of
from groundstation.links.base import Chunk, NamedLink, Report, TransportChange
from hil.channel.relayed import RelayedFrames
from hil.verdict.oracle import fly
from protocols.lander import EPOCH, LANDER, MISSION
from protocols.profile import UART
from protocols.units import NS_PER_MS

ROUNDS = 15
LINKS = (NamedLink("bus", "none:bus"), NamedLink("mars5", "none:mars5"))


def over_two(chunks: Sequence[Chunk]) -> list[Report]:
    """What two links report of a descent."""
    relay = RelayedFrames(UART, (LANDER,))
    reports: list[Report] = [TransportChange(EPOCH, "CONNECTED", "", link=link) for link in range(len(LINKS))]
    for chunk in chunks:
        reports.append(chunk)
        relayed = b"".join(relay.relay(chunk.data))
        reports += [Chunk(chunk.ert + 30 * NS_PER_MS, relayed, 1)] if relayed else []
    return reports


def seconds(links: Sequence[NamedLink], reports: Sequence[Report]) -> float:
    """How long a receiver takes."""
    receiver = receiver_of(MISSION, "none", links)
    start = time.perf_counter()
    for report in reports:
        receiver.process(report)
    return time.perf_counter() - start


def main() -> None:
    """Print the table."""
    one = [Chunk(burst.scet, burst.data) for burst in fly() if burst.data]
    two, frames = over_two(one), sum(len(chunk.data) for chunk in one) // UART.cadu_length
    took = {"one link": [0.0], "two links": [0.0]}
    for _ in range(ROUNDS):
        took["one link"].append(seconds((), one) / frames)
        took["two links"].append(seconds(LINKS, two) / frames)
    print(f"{frames} merged frames{'median µs':>20}{'min µs':>10}")
    for name, values in took.items():
        print(f"{name:20}{statistics.median(values[1:]) * 1e6:17.1f}{min(values[1:]) * 1e6:10.1f}")


if __name__ == "__main__":
    main()

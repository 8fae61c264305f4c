"""A descent that two relays carry, for tests: the bus's own stream, and Mars 5 with the lander's frames alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from groundstation.downlink.diversity_receiver import receiver_of
from groundstation.downlink.receiver import Receiver, ReceiverEvent
from groundstation.links.base import Chunk, Idle, NamedLink, Report, TransportChange
from groundstation.recordings.mission_facts import mission_facts
from groundstation.recordings.schema import LINKS
from groundstation.recordings.writer import ArchiveWriter
from groundstation.station.recorder import ArchivingReceiver, NoArchive
from hil.channel.relayed import RelayedFrames
from protocols.lander import EPOCH, LANDER, MISSION
from protocols.profile import UART
from protocols.units import NS_PER_MS
from tests import descent

BUS, MARS5 = 0, 1
TWO = (NamedLink("bus", "test:bus"), NamedLink("mars5", "test:mars5"))
FIRST_MCFC = 77

Keep = Callable[[int, int, bytes], bool]
"""Whether a link's frame comes through: the link, the tick's SCET, the frame."""


def everything(link: int, scet: int, frame: bytes) -> bool:
    return True


def receiver() -> Receiver:
    """One for both links."""
    return receiver_of(MISSION, "both", TWO)


def reports(keep: Keep = everything, delay_ms: int = 30, until: int | None = None, ahead: int = 0) -> Iterator[Report]:
    """What both links report: the bus at each tick, Mars 5 so much later, by a clock that is so many ns ahead."""
    yield TransportChange(EPOCH, "CONNECTED", "test", link=BUS)
    yield TransportChange(EPOCH + ahead, "CONNECTED", "test", link=MARS5, ahead=ahead)
    relay = RelayedFrames(UART, (LANDER,), FIRST_MCFC)
    delay = delay_ms * NS_PER_MS
    waiting: list[Chunk] = []
    for burst in descent.bursts():
        if until is not None and burst.scet > until:
            break
        while waiting and waiting[0].ert - ahead <= burst.scet:
            yield waiting.pop(0)
        size = UART.cadu_length
        frames = [burst.data[n : n + size] for n in range(0, len(burst.data), size)]
        direct = b"".join(frame for frame in frames if keep(BUS, burst.scet, frame))
        yield Chunk(burst.scet, direct, BUS) if direct else Idle(burst.scet, BUS)
        relayed = [frame for frame in relay.relay(burst.data) if keep(MARS5, burst.scet, frame)]
        waiting += [Chunk(burst.scet + delay + ahead, b"".join(relayed), MARS5)] if relayed else []
        yield Idle(burst.scet + ahead, MARS5)
    yield from waiting


def decode(
    keep: Keep = everything, delay_ms: int = 30, path: Path | None = None, until: int | None = None, ahead: int = 0
) -> tuple[Receiver, list[ReceiverEvent]]:
    """Receive both links; ``path``: record them; ``until`` and ``ahead`` as `reports` takes them."""
    meta = {"station": "bench", "link": "bus=test:bus + mars5=test:mars5"} | mission_facts(MISSION)
    meta[LINKS] = msgspec.json.encode(TWO).decode()
    archive = NoArchive() if path is None else ArchiveWriter(path, meta)
    both = receiver()
    recorder = ArchivingReceiver(both, archive, None if path is None else str(path))
    events = [
        event for report in reports(keep, delay_ms, until, ahead) for event in recorder.decode(recorder.keep(report))
    ]
    events += recorder.finish()
    archive.close()
    return both, events

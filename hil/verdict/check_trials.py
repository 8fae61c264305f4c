"""What the checks of value quality are worth over many failing chips: the degraded descent without station and link.

The motion of the lander is the same with every seed, so it is flown once; the chip spoils its packets and frames anew
with each. A frame that the chip changed after its checksum was made is rejected by the ground: its values do not come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from hil.lander.physics.dynamics import TICK_NS
from hil.lander.spacecraft import Spacecraft
from hil.lander.systems.wear import Wear
from hil.verdict.result import CheckScore
from hil.verdict.value_quality import ValueScores
from protocols.decode.judging.quality import QualityMonitor
from protocols.decode.packets import PacketExtractor, PacketFound
from protocols.lander import EPOCH, LANDER, MARS6
from protocols.profile import UART
from protocols.sync.deframer import Deframer, Frame
from protocols.sync.frames import decode_frame

_PACKET = MARS6.by_name["DESCENT"]
_FRAME = bytes(UART.cadu_length)


class TrueBody(NamedTuple):
    """The body of DESCENT at a tick, as the lander means it."""

    tick: int
    body: bytes


@cache
def true_bodies() -> tuple[TrueBody, ...]:
    """All of the historical descent, flown once in a process."""
    craft, deframer, extractor = Spacecraft(), Deframer(UART), PacketExtractor()
    craft.start()
    bodies = []
    start, end = _PACKET.header.body_offset, -_PACKET.header.crc_size
    while craft.flies:
        tick = craft.tick
        for item in deframer.feed(craft.step()):
            frame = decode_frame(item.data, UART) if isinstance(item, Frame) else None
            found = extractor.push(frame) if frame is not None and frame.vcid == LANDER else []
            packets = (each for each in found if isinstance(each, PacketFound))
            bodies += [TrueBody(tick, each.data[start:end]) for each in packets if each.apid == _PACKET.definition.apid]
    return tuple(bodies)


def worn_bodies(seed: int) -> Iterator[tuple[TrueBody, bytes]]:
    """What is received of a degraded descent: each true body, and what the chip made of it."""
    wear = Wear(seed)
    for meant in true_bodies():
        wear.age(meant.tick)
        body = wear.spoil_body(meant.body)
        if wear.spoil_frame(_FRAME) == _FRAME:
            yield meant, body


def trial(seeds: Iterable[int]) -> list[CheckScore]:
    """The scores of all checks, over the chips of these seeds."""
    scores = ValueScores(_PACKET)
    for seed in seeds:
        monitor = QualityMonitor(MARS6)
        scores.begin()
        for meant, body in worn_bodies(seed):
            time, values = EPOCH + meant.tick * TICK_NS, _PACKET.codec.decode(body, 0)
            void = _PACKET.void(values)
            verdicts = monitor.judge(_PACKET, values, time, void) or {}
            shown = {name: None if name in void else value for name, value in values.items()}
            reasons = {name: verdict.reason for name, verdict in verdicts.items()}
            truth = _PACKET.codec.decode(meant.body, 0)
            scores.take(time, shown, reasons, truth, _PACKET.void(truth))  # type: ignore[arg-type]  # no field is bytes
    return scores.rows()

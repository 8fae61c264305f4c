"""The lander's frames of the historical descent, with values in them that are not the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from hil.lander.commanding import CommandReceiver
from hil.lander.downlink import Downlink
from protocols.decode.packets import PacketExtractor, PacketFound
from protocols.lander import EPOCH, LANDER, MARS6
from protocols.profile import UART
from protocols.sync.deframer import Deframer, Frame
from protocols.sync.frames import decode_frame
from tests import descent

FIRST_TICK = 880
TICK_NS = 100_000_000
_BODY_OFFSET = MARS6.by_name["DESCENT"].header.body_offset


class Descent(NamedTuple):
    """One DESCENT packet: its tick, its time and its body."""

    tick: int
    scet: int
    body: bytes

    def spoilt(self, **raw: int) -> Descent:
        """With other raw values of some fields."""
        codec = MARS6.by_name["DESCENT"].codec
        names = [leaf.name for leaf in codec.layout.named]
        values = dict(zip(names, codec.decode_raw(self.body, 0), strict=True))
        return self._replace(body=codec.encode_names({**values, **raw}))


Spoil = Callable[[Descent], Descent]


@cache
def true_descent() -> tuple[Descent, ...]:
    """All DESCENT packets of the historical descent, as the lander means them."""
    extractor, out = PacketExtractor(), list[Descent]()
    for item in Deframer(UART).feed(descent.stream()):
        frame = decode_frame(item.data, UART) if isinstance(item, Frame) else None
        if frame is None or frame.vcid != LANDER:
            continue
        for found in extractor.push(frame):
            if isinstance(found, PacketFound) and found.apid == 0x101:
                tick = FIRST_TICK + len(out)
                out.append(Descent(tick, EPOCH + tick * TICK_NS, found.data[_BODY_OFFSET:-2]))
    return tuple(out)


def frames(packets: Iterator[Descent] | list[Descent]) -> bytes:
    """One good frame for each."""
    downlink = Downlink(UART, CommandReceiver().clcw)
    wrap = downlink.packetizer.wrap
    return b"".join(downlink.frame(LANDER, wrap("DESCENT", each.tick, each.body)) for each in packets)

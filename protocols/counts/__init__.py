"""What the counters of a link say: what is missing, what came twice, late or from a source that started again.

A frame has a VCFC, a TM frame an MCFC too, a packet its sequence count. They turn over, stand still, begin again, and
come in any order. Here is the only arithmetic on them; it knows neither a clock nor what frames carry beyond their
first packet's header.

    lost      a number of lost frames, and how sure it is
    holes     places of a counter that may still come late
    frames    `FrameCounter`: each frame of one spacecraft in its place
    totals    the sums of what a channel's frames were
    packets   `PacketCounter`: the same for the packets of one APID
"""

from protocols.counts.frames import PLAIN_STEP, FrameCounter, FrameStep, StepKind
from protocols.counts.lost import NOTHING, UNKNOWN, Certainty, Lost
from protocols.counts.packets import PacketCounter
from protocols.counts.totals import FrameTotals

__all__ = [
    "NOTHING",
    "PLAIN_STEP",
    "UNKNOWN",
    "Certainty",
    "FrameCounter",
    "FrameStep",
    "FrameTotals",
    "Lost",
    "PacketCounter",
    "StepKind",
]

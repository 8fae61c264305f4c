"""What the counters of a link say: what is missing, what came twice, late or from a source that started again.

A frame has a VCFC, a TM frame an MCFC too, a packet its sequence count. They turn over, stand still, begin again, and
come in any order. Here is the only arithmetic on them; it knows neither a clock nor what frames carry beyond their
first packet's header.

    frames     `FrameCounter`: each frame of one spacecraft in its place. The table and the rules
    step       what it says of a frame; totals: the sums of that
    channel    what is remembered of each channel; holes: places that may still come late
    signs      what says that a source has started again
    sequences  sequence counts as evidence of what became of frames; pace: times as such
    turns      how many frames are missing, where a count may have turned over
    lost       such a number, and how sure it is
    packets    `PacketCounter`: the packets of one APID by their sequence count
    merger     `FrameMerger`: the frames of several links, each once, before they are counted
"""

from protocols.counts.frames import PLAIN_STEP, FrameCounter, PlainRun
from protocols.counts.lost import NOTHING, UNKNOWN, Lost
from protocols.counts.packets import PacketCounter
from protocols.counts.sequences import SURE_RIDES
from protocols.counts.step import FrameStep, StepKind
from protocols.counts.totals import FrameTotals
from protocols.words import Certainty

__all__ = [
    "NOTHING",
    "PLAIN_STEP",
    "SURE_RIDES",
    "UNKNOWN",
    "Certainty",
    "FrameCounter",
    "FrameStep",
    "FrameTotals",
    "Lost",
    "PacketCounter",
    "PlainRun",
    "StepKind",
]

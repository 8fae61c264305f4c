"""The vocabulary of faults: declared here, applied by `hil.channel` (bytes) or `hil.rigs` (link and target). Sans-I/O.

    unit        what moves, and the log of what was done to it
    when        conditions on telemetry that a fault or a command waits for
    window      when a fault is on
    spec        what every fault has, and how an effect stands behind its window
    damage, framewise, timing    faults on the bytes, and their effects: `hil.channel.channel` applies them
    environment                  faults of the link and the target: `hil.rigs.environment_faults` applies them

To add one: a class in its file, and its line here.
"""

from __future__ import annotations

from hil.faults.damage import BitFlip, ByteDrop, ByteDup, ByteInsert, Garbage, Stuck, Truncate, WrongBaud
from hil.faults.environment import (
    EnvironmentFault,
    Hang,
    Hangup,
    MemoryFlip,
    PeerKilled,
    PeerStopped,
    PowerOff,
    Reset,
    Trigger,
    Unplug,
)
from hil.faults.framewise import BurstLoss, FrameDrop, FrameDup, FrameReorder, Overrun, Silence
from hil.faults.spec import Spec, Stage
from hil.faults.timing import Clock, Delay, Rate, Slice, Stall
from hil.faults.unit import FaultLog, FaultLogEntry, Note, StreamDirection, Unit
from hil.faults.when import Amount, Watch, When
from hil.faults.window import At, For, in_flight, mission_day, mission_time, span_ns

FAULTS: dict[str, type[Spec]] = {
    "silence": Silence,
    "bit_flip": BitFlip,
    "byte_drop": ByteDrop,
    "byte_dup": ByteDup,
    "byte_insert": ByteInsert,
    "frame_drop": FrameDrop,
    "frame_dup": FrameDup,
    "frame_reorder": FrameReorder,
    "burst_loss": BurstLoss,
    "truncate": Truncate,
    "garbage": Garbage,
    "stuck": Stuck,
    "wrong_baud": WrongBaud,
    "overrun": Overrun,
    "delay": Delay,
    "rate": Rate,
    "slice": Slice,
    "stall": Stall,
    "clock": Clock,
    "unplug": Unplug,
    "hangup": Hangup,
    "peer_killed": PeerKilled,
    "peer_stopped": PeerStopped,
    "reset": Reset,
    "hang": Hang,
    "power_off": PowerOff,
    "memory_flip": MemoryFlip,
}

__all__ = [
    "FAULTS",
    "Amount",
    "At",
    "EnvironmentFault",
    "FaultLog",
    "FaultLogEntry",
    "For",
    "MemoryFlip",
    "Note",
    "Spec",
    "Stage",
    "StreamDirection",
    "Trigger",
    "Unit",
    "Watch",
    "When",
    "in_flight",
    "mission_day",
    "mission_time",
    "span_ns",
]

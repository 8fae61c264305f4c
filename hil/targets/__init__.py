"""What flies: targets by name. Each gives a link URL and knows when its pass is over; nothing else differs.

To add one: one file with a class that follows `base.Machine`, and one line in `MACHINES`; `flown.FlownMachine` makes
a target of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hil.targets.base import Machine, MachineFailed, Sink, Target, TargetOptions, Unsupported
from hil.targets.board import BoardMachine, find_port
from hil.targets.flown import FlownMachine
from hil.targets.posix import PosixMachine
from hil.targets.qemu import QemuMachine
from hil.targets.simavr import SimavrMachine
from hil.targets.software import SoftwareMachine, SoftwareTarget

MACHINES: dict[str, type[Machine]] = {
    "software": SoftwareMachine,
    "posix": PosixMachine,
    "qemu": QemuMachine,
    "simavr": SimavrMachine,
}

TIMELESS: dict[str, Callable[..., Machine]] = {**MACHINES, "simavr": partial(SimavrMachine, fast=True)}
"""The same for whoever does not care for time: an Arduino's line needs half a minute for a descent."""

TARGETS: dict[str, Callable[[TargetOptions], Target]] = {
    **{name: partial(FlownMachine, kind) for name, kind in MACHINES.items()},
    "board": lambda options: FlownMachine(partial(BoardMachine, port=options.port or find_port()), options),
    "software": SoftwareTarget,  # it needs no command to start, and flies faster than SCALE can ask for
}

__all__ = [
    "MACHINES",
    "TARGETS",
    "TIMELESS",
    "BoardMachine",
    "FlownMachine",
    "Machine",
    "MachineFailed",
    "Sink",
    "SoftwareTarget",
    "Target",
    "TargetOptions",
    "Unsupported",
    "find_port",
]

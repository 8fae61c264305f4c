"""What flies: targets by name. Each gives a link URL and knows when its pass is over; nothing else differs.

To add one: one file with a class that follows `base.Machine`, and one line in `MACHINES`; `flown.FlownMachine` makes
a target of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hil.targets.base import Machine, MachineFailed, Sink, Target, TargetOptions, Unsupported
from hil.targets.flown import FlownMachine
from hil.targets.posix import PosixMachine
from hil.targets.qemu import QemuMachine
from hil.targets.simavr import SimavrMachine
from hil.targets.software import SoftwareTarget

MACHINES: dict[str, type[PosixMachine] | type[QemuMachine] | type[SimavrMachine]] = {
    "posix": PosixMachine,
    "qemu": QemuMachine,
    "simavr": SimavrMachine,
}

TARGETS: dict[str, Callable[[TargetOptions], Target]] = {
    "software": SoftwareTarget,
    **{name: partial(FlownMachine, kind) for name, kind in MACHINES.items() if kind.greets},
}

__all__ = [
    "MACHINES",
    "TARGETS",
    "FlownMachine",
    "Machine",
    "MachineFailed",
    "Sink",
    "SoftwareTarget",
    "Target",
    "TargetOptions",
    "Unsupported",
]

"""What flies: targets by name. All are machines on a bench; nothing but the name differs.

To add one: one file with a class that follows `base.Machine`, and one line in `MACHINES`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hil.errors import MachineFailed, Unsupported
from hil.targets.base import Machine, Sink
from hil.targets.board import BoardMachine, find_port, no_reset
from hil.targets.board_ports import BoardPort
from hil.targets.emulators.qemu import QemuMachine
from hil.targets.emulators.simavr import SimavrMachine
from hil.targets.open_board import OpenBoardMachine
from hil.targets.posix import PosixMachine
from hil.targets.program import PROGRAM, ProgramMachine
from hil.targets.software import SoftwareMachine
from hil.verdict.flight_record import BOARD

MACHINES: dict[str, type[Machine]] = {
    "software": SoftwareMachine,
    "posix": PosixMachine,
    "qemu": QemuMachine,
    "simavr": SimavrMachine,
}

UNPACED: dict[str, Callable[..., Machine]] = {**MACHINES, "simavr": partial(SimavrMachine, fast=True)}
"""The same without pacing by the wall clock: an Arduino's line needs half a minute for a descent."""

TARGETS = (*MACHINES, PROGRAM, BOARD)
"""All names of targets."""

__all__ = [
    "BOARD",
    "MACHINES",
    "PROGRAM",
    "TARGETS",
    "UNPACED",
    "BoardMachine",
    "BoardPort",
    "Machine",
    "MachineFailed",
    "OpenBoardMachine",
    "ProgramMachine",
    "Sink",
    "Unsupported",
    "find_port",
    "no_reset",
]

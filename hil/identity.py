"""What a target runs, as it says itself, beside what a firmware's file and this program's declaration say."""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass
from pathlib import Path

from hil.boards import known_boards
from hil.elf import ElfError, build_of
from hil.targets import TIMELESS, BoardMachine, Machine, MachineFailed
from hil.targets.firmware import FIRMWARE, STM32_ELF
from hil.targets.greeting import Greeting, find_greeting
from hil.targets.simavr import UNO_HEX
from protocols.lander import MARS6

GREETING_TIMEOUT_S = 10.0
_OF_TARGET = {
    "software": [],
    "posix": [FIRMWARE / "build" / "posix" / "lander"],
    "qemu": [STM32_ELF],
    "simavr": [UNO_HEX.with_suffix(".elf")],
}
"""What each of the machines runs."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a target said, and what it was compared with.

    Attributes:
        greeting: of the target.
        file: the ELF that it was compared with; None: there is none that could be.
        build: the number of that file's build.
    """

    greeting: Greeting
    file: Path | None
    build: int | None

    @property
    def equal(self) -> bool:
        """It runs the file, and was built with this program's declaration. The software lander has no file."""
        same_build = self.greeting.build_id == (self.build or 0)
        return same_build and self.greeting.dictionary_hash == MARS6.hash

    def fields(self) -> dict[str, object]:
        """For programs."""
        return {
            "build": f"{self.greeting.build_id:08x}",
            "file": None if self.file is None else str(self.file),
            "file_build": None if self.build is None else f"{self.build:08x}",
            "dictionary": f"{self.greeting.dictionary_hash:08x}",
            "dictionary_here": MARS6.hash_text,
            "reset_reason": self.greeting.reset_reason.name,
            "equal": self.equal,
        }

    def lines(self) -> list[str]:
        """For people."""
        told = self.greeting
        dictionary = _verdict(told.dictionary_hash == MARS6.hash, MARS6.hash_text)
        return [
            f"build         {_build(told.build_id)}  {self._of_file()}".rstrip(),
            f"dictionary    {told.dictionary_hash:08x}  {dictionary} here",
            f"reset reason  {told.reset_reason.name.lower().replace('_', ' ')}",
        ]

    def _of_file(self) -> str:
        if self.file is None or self.build is None:
            return "" if not self.greeting.build_id else "no file here has this build: `hil firmware build`, or --elf"
        return f"{_verdict(self.greeting.build_id == self.build, f'{self.build:08x}')} in {self.file}"


def _build(number: int) -> str:
    return f"{number:08x}" if number else "none: the software lander"


def _verdict(equal: bool, other: str) -> str:
    return f"as {other}" if equal else f"DIFFERS from {other}"


def identify(target: str | None, port: str | None) -> Greeting:
    """Switch a target on, or go to a board's port, and wait for its greeting.

    Raises:
        MachineFailed: it does not answer.
        LinkError: the port cannot be opened.
    """
    came: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    machine = BoardMachine(came.put, port) if port is not None else TIMELESS[target or "software"](came.put)
    try:
        machine.power_on()
        return _greeting(machine, came)
    finally:
        machine.close()


def _greeting(machine: Machine, came: queue.SimpleQueue[bytes]) -> Greeting:
    deadline, stream = time.monotonic() + GREETING_TIMEOUT_S, b""
    while (found := find_greeting(stream)) is None:
        left = deadline - time.monotonic()
        if left <= 0 or not machine.running:
            raise MachineFailed(f"{machine.name} does not greet: {machine.console or 'it says nothing'}")
        try:
            stream += came.get(timeout=min(left, 0.1))
        except queue.Empty:
            continue
    return found[1]


def compare(greeting: Greeting, target: str | None, elf: Path | None) -> Identity:
    """Find the file to compare with: the one that is named, that of the target, or any that fits a board.

    Raises:
        ElfError: the file that was named cannot be read.
    """
    if elf is not None:
        return Identity(greeting, elf, build_of(elf))
    candidates = (
        _OF_TARGET[target] if target is not None else [path for name in known_boards() for path in _files(name)]
    )
    builds = [(path, build) for path in candidates if (build := _try_build(path)) is not None]
    for path, build in builds:
        if build == greeting.build_id or len(builds) == 1:
            return Identity(greeting, path, build)
    return Identity(greeting, None, None)


def _files(board: str) -> list[Path]:
    return [FIRMWARE / "build" / board / "lander.elf", FIRMWARE / "prebuilt" / f"{board}.elf"]


def _try_build(path: Path) -> int | None:
    try:
        return build_of(path)
    except ElfError:
        return None

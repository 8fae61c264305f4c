"""What a target runs, as it says itself, beside what a firmware's file and this program's declaration say."""

from __future__ import annotations

import queue
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from groundstation.ports.board_lock import WAIT_S
from hil.images.image import BOARD_OF, Image, choose_image, image_with_id, read_any_image
from hil.lander.bus import FaultTrace
from hil.targets import UNPACED, BoardMachine, BoardPort, Machine, MachineFailed
from hil.targets.greeting import Greeting, find_greeting, no_greeting
from protocols.lander import MARS6

GREETING_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Identity:
    """What a target said, and what it was compared with.

    Attributes:
        greeting: of the target.
        image: what it should run; None: there is nothing that it could be compared with.
        runs: another image here, which is what it runs.
    """

    greeting: Greeting
    image: Image | None
    runs: Image | None = None

    @property
    def equal(self) -> bool:
        """It runs the image, and was built with this program's declaration. The software lander has no image."""
        same_build = self.greeting.build_id == (self.image.id if self.image is not None else 0)
        return same_build and self.greeting.dictionary_hash == MARS6.hash

    def fields(self) -> dict[str, object]:
        """For programs."""
        return {
            "build": f"{self.greeting.build_id:08x}",
            "file": None if self.image is None else str(self.image.path),
            "file_build": None if self.image is None else self.image.id_text,
            "file_kind": None if self.image is None else self.image.kind,
            "runs_file": None if self.runs is None else str(self.runs.path),
            "dictionary": f"{self.greeting.dictionary_hash:08x}",
            "dictionary_here": MARS6.hash_text,
            "reset_reason": self.greeting.reset_reason.name,
            "fault": None if self.greeting.fault is None else asdict(self.greeting.fault),
            "equal": self.equal,
        }

    def lines(self) -> list[str]:
        """For people."""
        told = self.greeting
        dictionary = _verdict(told.dictionary_hash == MARS6.hash, MARS6.hash_text)
        return [
            f"build         {_build(told.build_id)}  {self._of_file()}".rstrip(),
            f"dictionary    {told.dictionary_hash:08x}  {dictionary} here",
            f"reset reason  {told.reset_reason.words}",
            *([f"last fault    {_fault(told.fault)}"] if told.fault is not None else []),
        ]

    def _of_file(self) -> str:
        if self.image is None:
            return (
                "" if not self.greeting.build_id else "no image here has this build: `hil firmware build`, or --image"
            )
        verdict = _verdict(self.greeting.build_id == self.image.id, self.image.id_text)
        old = f"; it runs {self.runs.path}, built from other sources" if self.runs is not None else ""
        return f"{verdict} in {self.image.path} ({self.image.kind}){old}"


def _fault(trace: FaultTrace) -> str:
    return f"PC {trace.pc:08x}, LR {trace.lr:08x}, CFSR {trace.cfsr:08x}, {trace.stack} bytes of stack used"


def _build(number: int) -> str:
    return f"{number:08x}" if number else "none: the software lander"


def _verdict(equal: bool, other: str) -> str:
    return f"as {other}" if equal else f"DIFFERS from {other}"


def identify(
    target: str | None, ports: Sequence[BoardPort] = (), image: Path | None = None, wait_s: float = WAIT_S
) -> Greeting:
    """Switch a target on, or go to a board's port, and wait for its greeting.

    Args:
        target: one of `UNPACED`; None: a board.
        ports: of boards, of which any will do.
        image: what an emulated target is to run; None: what the rule chooses.
        wait_s: how long to wait for a board that another run uses.

    Raises:
        MachineFailed: it does not answer.
        LinkError: the port cannot be opened.
        ImageRefused: there is no image for it.
    """
    came: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    if target is None:
        machine: Machine = BoardMachine(came.put, ports, wait_s=wait_s)
    elif image is not None and target in BOARD_OF:
        machine = UNPACED[target](came.put, choose_image(BOARD_OF[target], image))
    else:
        machine = UNPACED[target](came.put)
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
            said = no_greeting(stream) or machine.console or "it says nothing"
            raise MachineFailed(f"{machine.name} does not greet: {said}")
        try:
            stream += came.get(timeout=min(left, 0.1))
        except queue.Empty:
            continue
    return found[1]


def compare(greeting: Greeting, target: str | None, image: Path | None) -> Identity:
    """Find what a target should run: the image that was named, that of the target, or that of the board which it is.

    Raises:
        ImageRefused: the image that was named cannot be used, or there is none for this target.
    """
    if image is not None:
        return Identity(greeting, read_any_image(image))
    if target is not None:
        board = BOARD_OF.get(target)
        return Identity(greeting, None if board is None else choose_image(board))
    runs = image_with_id(greeting.build_id)
    if runs is None:
        return Identity(greeting, None)
    wanted = choose_image(runs.board)
    return Identity(greeting, wanted, None if wanted.id == runs.id else runs)

"""Exit codes, said once: the table that prints the end of each ``--help`` and ``docs/exit-codes.md``.

An error's class has its code and what it means (`groundstation.errors`, `hil.errors`). The ways to end that are not
errors stand here. A command names the endings that it can have: ``epilog=exit_codes(DONE, StationGone, INTERRUPTED)``.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable
from dataclasses import dataclass

from groundstation.errors import (
    AccessRefused,
    ArchiveError,
    CallerError,
    KeyUnusable,
    LinkError,
    OtherProtocol,
    PartlyRead,
    PortAbsent,
    PortBusy,
    PortForbidden,
    StationGone,
    ViewerCrashed,
    WorldError,
)
from groundstation.host.hangup import EXIT_HANGUP
from groundstation.host.service import EXIT_INTERRUPTED
from protocols.errors import Mars6Error


@dataclass(frozen=True, slots=True)
class Outcome:
    """A way to end that is not an error of its own."""

    exit_code: int
    exit_meaning: str


Ending = Outcome | type[Mars6Error]

DONE = Outcome(0, "success")
HANGUP = Outcome(EXIT_HANGUP, "the terminal was closed")
INTERRUPTED = Outcome(EXIT_INTERRUPTED, "interrupted (Ctrl-C)")
TERMINATED = Outcome(128 + signal.SIGTERM, "terminated (SIGTERM)")

READING: tuple[Ending, ...] = (DONE, CallerError, ArchiveError, PartlyRead, INTERRUPTED)
"""Of a command that reads a recording."""
REQUEST: tuple[Ending, ...] = (DONE, CallerError, StationGone, OtherProtocol, AccessRefused, KeyUnusable, INTERRUPTED)
"""Of a command that asks a station for something."""
PORT: tuple[Ending, ...] = (LinkError, PortAbsent, PortBusy, PortForbidden)
RECEPTION: tuple[Ending, ...] = (DONE, WorldError, CallerError, *PORT, ArchiveError, KeyUnusable)
"""Of a command that runs a station."""
VIEWER: tuple[Ending, ...] = (StationGone, OtherProtocol, ViewerCrashed, HANGUP, INTERRUPTED)
"""Of a command that shows a station."""


def exit_codes(*endings: Ending) -> str:
    """The epilog of a command's ``--help``. Of two endings with one code the first counts."""
    meanings = {ending.exit_code: ending.exit_meaning for ending in reversed(endings)}
    rows = [f"  {code:>3}  {meanings[code]}" for code in sorted(meanings)]
    return "\n".join(["\b", "Exit codes:", *rows])


def errors_of(*packages: str) -> list[type[Mars6Error]]:
    """The errors of these packages that have an exit code of their own. Those that were imported count."""
    found = [each for each in _below(Mars6Error) if each.__module__.partition(".")[0] in packages]
    return sorted((each for each in found if "exit_code" in vars(each)), key=lambda each: each.exit_code)


def _below(kind: type[Mars6Error]) -> Iterable[type[Mars6Error]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _below(each)

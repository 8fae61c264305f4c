"""What a recording lacks when its writer has ended, and where its file is by then."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from groundstation.formats.printable import printable
from groundstation.recordings.event_bodies import Gap


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What is missing in a recording.

    Attributes:
        path: of the recording.
        missing: what was received and is not in it; None if it lacks nothing but its end.
        why: the last thing that went wrong.
        noted: the recording itself says what is missing, and that it is closed.
        is_left: there still is such a file.
    """

    path: Path
    missing: Gap | None
    why: str
    noted: bool
    is_left: bool

    def __str__(self) -> str:
        end = "" if self.noted or not self.is_left else "; the recording does not say so, it was not closed"
        if self.missing is None:
            return printable(f"{self.path}: {self.why}{end}")
        return printable(f"{self.path} lacks {self.missing}: {self.why}{end}")


class Place(NamedTuple):
    """Where the file of a recording is: still linked to by a name, and by its own. ``words`` say what happened."""

    is_linked: bool
    is_found: bool
    words: str


def place_of(path: Path, file: int) -> Place:
    """Look for the file behind a descriptor."""
    own = os.fstat(file)
    try:
        is_found, taken = os.path.samestat(os.stat(path), own), True
    except OSError:
        is_found, taken = False, False
    if is_found:
        return Place(True, True, "")
    other = ", and another file is in its place" if taken else ""
    if not own.st_nlink:
        return Place(False, False, f"the recording was removed while it was written{other}: nothing of it is left")
    now = os.readlink(f"/proc/self/fd/{file}")
    return Place(True, False, f"the recording was moved to {now}{other}: it ends there")

"""A program of one's own as a machine: it is given the path of a serial line, and flies whatever it flies."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence

from groundstation.errors import CallerError
from groundstation.formats.printable import shell_join
from hil.errors import ImageRefused, MachineFailed
from hil.images.image import Image
from hil.targets.base import Sink
from hil.targets.child import Child
from hil.targets.process import ProcessMachine

PROGRAM = "process"
"""The name of the target."""
PORT = "{port}"
"""In a command: the path of the serial line."""


def words_of(command: str) -> tuple[str, ...]:
    """The words of a command line, as a shell splits them; nothing else of a shell is done.

    Raises:
        CallerError: it is none, or has no place for the port.
    """
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise CallerError(f"{command!r}: {error}") from error
    if not words:
        raise CallerError("an empty command")
    if not any(PORT in word for word in words):
        raise CallerError(
            f"{command!r} has no {PORT}: the program is given its serial line there, as `lander.py {PORT}`"
        )
    return words


class ProgramMachine(ProcessMachine):
    """A command line with `PORT` in it."""

    name = PROGRAM

    def __init__(self, sink: Sink, image: Image | None = None, *, command: Sequence[str]) -> None:
        """Args: the sink of what it sends, no image, and its command line, by words.

        Raises:
            ImageRefused: it has an image.
        """
        if image is not None:
            raise ImageRefused(f"the target {PROGRAM} runs no image")
        self._command = tuple(command)
        super().__init__(sink)

    @classmethod
    def missing(cls) -> str | None:
        """Nothing: whether there is such a program shows when it starts."""
        return None

    @property
    def running(self) -> bool:
        """It has power and has not ended by itself."""
        return self._child is not None and self._child.running

    def provenance(self) -> dict[str, str]:
        """Its command, and what the files in it are."""
        facts = {"command": shell_join(self._command)}
        for word in self._command[1:]:
            try:
                with open(word, "rb") as file:
                    facts[f"sha256 of {word}"] = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError:  # not a file
                continue
        return facts

    def _start(self, terminal: str) -> Child:
        try:
            return Child([word.replace(PORT, terminal) for word in self._command])
        except MachineFailed as error:
            raise MachineFailed(f"--command: {error}") from error

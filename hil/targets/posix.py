"""The C lander as a process of this computer: the firmware's loop without an emulator."""

from __future__ import annotations

import os

from hil.errors import MachineFailed
from hil.images.image import Image, choose_image
from hil.targets.base import Sink
from hil.targets.child import Child
from hil.targets.firmware import missing_for_posix
from hil.targets.process import ProcessMachine


class PosixMachine(ProcessMachine):
    """The port `posix` of the firmware."""

    name = "posix"

    def __init__(self, sink: Sink, image: Image | None = None) -> None:
        """Args: who takes what it sends, and what it runs; None: the image that the rule chooses.

        Raises:
            ImageRefused: there is no image to use.
            BuildFailed: the program cannot be built.
        """
        self._image = choose_image("posix") if image is None and self.missing() is None else image
        super().__init__(sink)

    @classmethod
    def missing(cls) -> str | None:
        """What a build for this computer lacks."""
        return missing_for_posix()

    def provenance(self) -> dict[str, str]:
        """Which image it runs."""
        return {} if self._image is None else self._image.facts()

    def _start(self, terminal: str) -> Child:
        if self._image is None:
            raise MachineFailed(self.missing() or "no posix image")
        fd = self._image.open_copy()
        try:
            return Child([f"/proc/self/fd/{fd}", terminal], [fd])
        finally:
            os.close(fd)

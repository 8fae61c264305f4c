"""The software lander as a process of its own: a machine that waits for START."""

from __future__ import annotations

import sys

from hil.errors import ImageRefused
from hil.images.image import Image
from hil.targets.base import Sink
from hil.targets.child import Child
from hil.targets.process import ProcessMachine


class SoftwareMachine(ProcessMachine):
    """``hil lander --ready`` with the levers of a machine."""

    name = "software"

    def __init__(self, sink: Sink, image: Image | None = None) -> None:
        """Args: who takes what it sends; an image it cannot run.

        Raises:
            ImageRefused: an image was given.
        """
        if image is not None:
            raise ImageRefused(f"{image.path} is for {image.board}: the software lander runs no image")
        super().__init__(sink)

    @classmethod
    def missing(cls) -> str | None:
        """It needs nothing."""
        return None

    def _start(self, terminal: str) -> Child:
        return Child([sys.executable, "-m", "hil.cli", "lander", "--ready", "--terminal", terminal])

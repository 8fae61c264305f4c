"""The software lander as a process of its own: a target that starts by itself, and a machine that waits for START."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from hil.images import Image, ImageRefused
from hil.oracle import Script
from hil.process import Helper, ProcessFailed
from hil.targets.base import Sink, TargetOptions
from hil.targets.child import Child
from hil.targets.process import ProcessMachine


class SoftwareTarget:
    """``hil lander``, started, read and ended."""

    def __init__(self, options: TargetOptions) -> None:
        self._options = options
        self._helper: Helper | None = None
        self._url = ""

    @property
    def url(self) -> str:
        """The link URL for the station."""
        return self._url

    @property
    def script(self) -> Script:
        """It starts by itself."""
        return ()

    def wait_finished(self) -> bool:
        """Wait for the end of the pass. False if the lander ended before it."""
        assert self._helper is not None
        try:
            return self._helper.read().get("state") == "finished"
        except (ProcessFailed, ValueError):  # ValueError: its pipe was closed because the flight was called off
            return False

    def __enter__(self) -> Self:
        options = self._options
        arguments = ["hil.cli", "lander", "--announce", "--speed", repr(options.speed)]
        arguments += ["--pty"] if options.link == "pty" else ["--zmq", "tcp://127.0.0.1:*"]
        if options.link_drop is not None:
            arguments += ["--link-drop-ns", str(options.link_drop)]
        self._helper = Helper(arguments)
        try:
            self._url = str(self._helper.read()["url"])
        except BaseException:
            self._helper.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._helper is not None:
            self._helper.stop()


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

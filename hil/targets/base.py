"""The contract of a target."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, Self


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """How a target is to fly. ``speed`` in mission seconds a second; ``link_drop`` as mission time in ns."""

    speed: float = 1.0
    link: Literal["pty", "zmq"] = "pty"
    link_drop: int | None = None


class Target(Protocol):
    """Something that flies a descent and speaks over a link. A context manager: leaving it ends the target."""

    @property
    def url(self) -> str:
        """The link URL for the station; known from the start on."""
        ...

    def wait_finished(self) -> bool:
        """Wait for the end of the pass. False if the target ended before it."""
        ...

    def __enter__(self) -> Self:
        """Start; the pass begins when somebody opens the link."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, whatever it does."""
        ...

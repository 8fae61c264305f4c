"""Faults of the environment, that is the link and the target: done at a moment, undone at another.

They touch no byte themselves: `hil.rigs.environment_faults` applies them.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec

from hil.faults.spec import Family, Spec
from hil.faults.unit import Unit
from hil.faults.when import Watch
from hil.faults.window import At


class EnvironmentFault(Spec, frozen=True, kw_only=True):
    """Done once when its window opens, and undone when it closes, if it closes and can be undone."""

    lasts: ClassVar[bool] = True
    """It has a duration."""

    def check(self) -> None:
        """What has no duration has no ``for``; frames and bytes do not pass while a link is down."""
        if self.span is not None and not self.lasts:
            raise ValueError(f"{self.kind} happens at once: it has no 'for'")
        if self.span is not None and self.span.kind != "ns":
            raise ValueError(f"{self.kind} lasts for a time, not for {self.span.kind}")
        if self.at is None and self.when is None:
            raise ValueError(f"{self.kind} needs 'at' or 'when'")


class Unplug(EnvironmentFault, frozen=True, kw_only=True, tag="unplug"):
    """The device goes, and comes back after ``for``, under another name if ``new_name``. What was not read is lost."""

    family: ClassVar[Family] = "link"
    new_name: bool = False


class Hangup(EnvironmentFault, frozen=True, kw_only=True, tag="hangup"):
    """The line is hung up: the reader sees the ``eof`` or an ``eio``; the port is there again after ``for``."""

    family: ClassVar[Family] = "link"
    error: Literal["eof", "eio"] = "eof"


class PeerKilled(EnvironmentFault, frozen=True, kw_only=True, tag="peer_killed"):
    """The ZeroMQ peer dies; another takes its place after ``for``."""

    family: ClassVar[Family] = "link"


class PeerStopped(EnvironmentFault, frozen=True, kw_only=True, tag="peer_stopped"):
    """The ZeroMQ peer stands still for ``for``: connected, and silent."""

    family: ClassVar[Family] = "link"


class Reset(EnvironmentFault, frozen=True, kw_only=True, tag="reset"):
    """The target's reset pin, or a brown-out: it boots and waits in READY."""

    family: ClassVar[Family] = "target"
    lasts: ClassVar[bool] = False


class Hang(EnvironmentFault, frozen=True, kw_only=True, tag="hang"):
    """The target stands still, and goes on after ``for`` where it stood."""

    family: ClassVar[Family] = "target"


class PowerOff(EnvironmentFault, frozen=True, kw_only=True, tag="power_off"):
    """The target loses its power; after ``for`` it is switched on, boots, and waits in READY."""

    family: ClassVar[Family] = "target"


class MemoryFlip(EnvironmentFault, frozen=True, kw_only=True, tag="memory_flip"):
    """Bits of the target's memory turn over.

    Attributes:
        address: of a byte.
        mask: which bits of it.
    """

    family: ClassVar[Family] = "target"
    lasts: ClassVar[bool] = False
    address: Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)]
    mask: Annotated[int, msgspec.Meta(ge=1, le=255)] = 1


class Trigger:
    """Knows when an act is to be done. Show it the mission time before a tick, and every frame sent.

    It waits for a place, or for a condition on what the station decodes.

    Attributes:
        began: mission time at which it was due, once it was.
    """

    def __init__(self, at: At | None, watch: Watch | None = None) -> None:
        self._at = at
        self._watch = watch
        self.began: int | None = None

    def begins(self, scet: int, last: Unit | None = None) -> bool:
        """Whether it is to be done now, for the first time. ``last`` is the frame that was sent last."""
        if self.began is not None or not self._reached(scet, last):
            return False
        at = self._at
        self.began = at.value if at is not None and isinstance(at.value, int) and at.kind == "scet" else scet
        return True

    def _reached(self, scet: int, last: Unit | None) -> bool:
        at = self._at
        if at is None:
            return self._watch is not None and self._watch.fired is not None
        if at.kind == "scet":
            return isinstance(at.value, int) and scet >= at.value
        if last is None:
            return False
        if at.kind == "event":
            return at.value in last.events
        return isinstance(at.value, int) and (last.number if at.kind == "frame" else last.end) >= at.value

"""The errors of `hil`: the tree of `groundstation.errors` goes on here.

    CallerError
    ├── ScenarioError        a scenario that cannot be flown
    │   ├── NeverHappens     it expects what its flight cannot have
    │   ├── NotForTarget     not on this target, or not in this mode
    │   └── TooFast          not at this speed
    └── ImageRefused         no firmware image can be used, or not this one
    WorldError
    ├── BuildFailed          make did not build the firmware
    ├── FlashFailed          the board was not flashed
    ├── MachineFailed        a target did not start, ended by itself, or does not answer
    └── Unsupported          this target cannot do that

A test compares the drawing with the classes. The codes and their words go into every ``--help`` and
``docs/exit-codes.md`` (`groundstation.exit_codes`).
"""

from __future__ import annotations

from groundstation.errors import CallerError, WorldError


class ScenarioError(CallerError):
    """A scenario that cannot be flown. Says the file, the place in it and what would be right."""


class NeverHappens(ScenarioError):
    """A scenario expects something that its flight cannot have. Says the place, and what the flight has."""


class NotForTarget(ScenarioError):
    """This target, or this mode, cannot fly the scenario; another one may."""


class TooFast(ScenarioError):
    """At this speed the station could not see what the scenario expects it to see."""


class ImageRefused(CallerError):
    """No image can be used, or not this one. Nothing was flown, nothing written."""


class BuildFailed(WorldError):
    """Make did not build the firmware."""


class FlashFailed(WorldError):
    """The board was not flashed."""

    exit_code = 27
    exit_meaning = "the board was not flashed"


class MachineFailed(WorldError):
    """A target did not start, ended by itself, or does not answer. Its last words are in the text."""

    exit_code = 20
    exit_meaning = "the target died, did not end, or does not answer"


class Unsupported(WorldError):
    """This target cannot do that."""

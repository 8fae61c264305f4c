"""The station's errors: one small tree that says whose fault it is.

    StationError
    ├── ViewerCrashed        an error in the terminal interface; the station goes on
    ├── CallerError          the caller asked for something that cannot be: a bad URL, an unknown station
    │   ├── CommandRefused   an order that the station did not take: nothing was sent
    │   └── AccessRefused    a key that is not let in, or none where one is needed
    └── WorldError           the world said no; every one carries its exit code
        ├── LinkError        the link cannot be opened or written
        │   ├── PortAbsent
        │   ├── PortBusy
        │   └── PortForbidden
        ├── ArchiveError     the recording cannot be written or read
        │   └── NotARecording    the file is something else
        ├── PartlyRead       the recording is damaged: what could be read was given
        ├── StationGone      no station answers
        ├── KeyUnusable      a key file is damaged, or others can read it
        ├── CommandFailed    a command failed or was given up
        │   └── CommandTimeout   no word of a command in time
        ├── NothingDecoded   a capture holds no frame that the profile fits
        └── udev.RulesError  the udev rules cannot be written, or udev does not take them

Bytes are never at fault here: line noise is data, and is counted. A bad declaration is `protocols`' own error.
"""

from __future__ import annotations


class StationError(Exception):
    """Base of all. ``exit_code`` is what the command line exits with."""

    exit_code = 1


class ViewerCrashed(StationError):
    """The terminal interface ended by an error of its own: a station that records does not end with it.

    Attributes:
        at: where a replay stood, in ns of its recording's time; None: it was none, or had not begun.
    """

    exit_code = 70

    def __init__(self, text: str, *, at: int | None = None) -> None:
        super().__init__(text)
        self.at = at


class CallerError(StationError):
    """A request that no retry will mend."""

    exit_code = 2


class CommandRefused(CallerError):
    """An order that the station did not take: nothing was sent."""

    exit_code = 22


class AccessRefused(CallerError):
    """A station or bridge does not let this key in, or not without a key."""

    exit_code = 25


class WorldError(StationError):
    """Something outside this program refused."""

    exit_code = 1


class LinkError(WorldError):
    """A link cannot be opened, read or written."""

    exit_code = 10


class PortAbsent(LinkError):
    """No such port now. A retry makes sense: it may be plugged in."""

    exit_code = 11


class PortBusy(LinkError):
    """Another process has the port. A retry makes sense."""

    exit_code = 12


class PortForbidden(LinkError):
    """Not permitted. A retry makes no sense before somebody changes the permission."""

    exit_code = 13


class ArchiveError(WorldError):
    """The recording cannot be written or read."""

    exit_code = 14


class NotARecording(ArchiveError):
    """A file that no station recorded."""


class PartlyRead(WorldError):
    """A recording is damaged or incomplete. What can be read of it was given."""

    exit_code = 19


class StationGone(WorldError):
    """No station answers at the endpoint."""

    exit_code = 15


class KeyUnusable(WorldError):
    """A key file is damaged, cannot be read or written, or is open to other users."""

    exit_code = 26


class CommandFailed(WorldError):
    """A command was refused aboard, failed there, or was given up."""

    exit_code = 23


class CommandTimeout(CommandFailed):
    """No word of a command came in time: it may have been carried out."""

    exit_code = 24


class NothingDecoded(WorldError):
    """The file holds no frame that the profile and the dictionary fit."""

    exit_code = 16

"""The station's errors: one small tree that says whose fault it is.

    Mars6Error                   `protocols.errors`: the root of all
    └── StationError
        ├── ViewerCrashed        an error in the terminal interface; the station goes on
        ├── CallerError          the caller asked for something that cannot be: a bad URL, an unknown station
        │   ├── CommandRefused   the station did not take a command: nothing was sent
        │   └── AccessRefused    a key that is not authorized, or no key where one is needed
        └── WorldError           something outside this program refused
            ├── LinkError        the link cannot be opened or written
            │   ├── PortAbsent
            │   ├── PortBusy
            │   │   └── BoardBusy    another program of this kind uses the board
            │   ├── PortForbidden
            │   └── LockRefused  the lock file of a board cannot be used
            ├── StorageError     a disk refused, or what is on it cannot be used
            │   ├── ArchiveError     the recording cannot be written or read
            │   │   └── NotARecording    the file is something else
            │   └── OutputFailed     a file or standard output cannot be written: the disk is full
            ├── PartlyRead       the recording or capture is damaged: what could be read was given
            ├── StationGone      no station answers
            ├── OtherProtocol    a station of another version answers
            ├── KeyUnusable      a key file is damaged, or others can read it
            ├── CommandFailed    a command failed or was given up
            │   └── CommandTimeout   no report on a command in time
            ├── NothingDecoded   a capture holds no frame that the profile fits
            └── RulesError       the udev rules cannot be written, or udev does not take them
                └── RulesForbidden   only root may write there

Bytes are never at fault here: line noise is data, and is counted. A bad declaration is `protocols`' own error;
`hil.errors` draws those of the rig. A test compares the drawings with the classes. The codes and their meanings go
into every ``--help`` and ``docs/exit-codes.md`` (`groundstation.exit_codes`): the class is the one place for both.
"""

from __future__ import annotations

from protocols.errors import Mars6Error


class StationError(Mars6Error):
    """Base of the errors of `groundstation` and `hil`."""


class ViewerCrashed(StationError):
    """The terminal interface ended by an error of its own: a station that records does not end with it.

    Attributes:
        at: where a replay stood, in ns of its recording's time; None: it was none, or had not begun.
    """

    exit_code = 70
    exit_meaning = "the viewer crashed; the station goes on"

    def __init__(self, text: str, *, at: int | None = None) -> None:
        super().__init__(text)
        self.at = at


class CallerError(StationError):
    """A request that no retry will mend."""

    exit_code = 2
    exit_meaning = "wrong usage, or a value that cannot be used"


class CommandRefused(CallerError):
    """An order that the station did not take: nothing was sent."""

    exit_code = 22
    exit_meaning = "command refused: nothing was sent"


class AccessRefused(CallerError):
    """A station or bridge does not let this key in, or not without a key."""

    exit_code = 25
    exit_meaning = "the key is not authorized"


class WorldError(StationError):
    """Something outside this program refused."""


class LinkError(WorldError):
    """A link cannot be opened, read or written."""

    exit_code = 10
    exit_meaning = "the link cannot be opened or written"


class PortAbsent(LinkError):
    """No such port now. A retry makes sense: it may be plugged in."""

    exit_code = 11
    exit_meaning = "the port is absent"


class PortBusy(LinkError):
    """Another process has the port. A retry makes sense."""

    exit_code = 12
    exit_meaning = "the port is in use"


class BoardBusy(PortBusy):
    """Another program uses the board."""


class PortForbidden(LinkError):
    """Not permitted. A retry makes no sense until the permission is changed."""

    exit_code = 13
    exit_meaning = "no permission to use the port"


class LockRefused(LinkError):
    """The file of a lock cannot be used."""


class StorageError(WorldError):
    """A disk refused, or what is on it cannot be used."""

    exit_code = 14
    exit_meaning = "a recording, table or other output cannot be read or written, or a recording lacks data at its end"


class ArchiveError(StorageError):
    """The recording cannot be written or read."""


class NotARecording(ArchiveError):
    """A file that no station recorded."""


class OutputFailed(StorageError):
    """A file or standard output cannot be written: the disk is full, or refuses."""


class PartlyRead(WorldError):
    """A recording, or a packed capture, is damaged or incomplete. What can be read of it was given."""

    exit_code = 19
    exit_meaning = "a recording is damaged or incomplete: what could be read was given"


class StationGone(WorldError):
    """No station answers at the endpoint."""

    exit_code = 15
    exit_meaning = "no station answers"


class OtherProtocol(WorldError):
    """The station and this client are of versions that do not understand each other."""

    exit_code = 29
    exit_meaning = "the station is of another version: install the same on both hosts"


class KeyUnusable(WorldError):
    """A key file is damaged, cannot be read or written, or is open to other users."""

    exit_code = 26
    exit_meaning = "a key file is damaged, or open to other users"


class CommandFailed(WorldError):
    """A command was refused aboard, failed there, or was given up."""

    exit_code = 23
    exit_meaning = "the command failed"


class CommandTimeout(CommandFailed):
    """No word of a command came in time: it may have been carried out."""

    exit_code = 24
    exit_meaning = "no report on the command in time: it may have been executed"


class NothingDecoded(WorldError):
    """The file holds no frame that the profile and the dictionary fit."""

    exit_code = 16
    exit_meaning = "nothing decoded: no frame fits the profile"


class RulesError(WorldError):
    """The udev rules cannot be written or taken away, or udev does not take them."""

    exit_code = 17
    exit_meaning = "udev: the rules are missing or wrong, or a port cannot be used"


class RulesForbidden(RulesError):
    """Only root may write there."""

    exit_code = 18
    exit_meaning = "root is needed"

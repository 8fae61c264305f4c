"""What every link is: bytes with the time they were read, and transport states. Nothing here knows a port."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from groundstation.messages.commanding import CommandUpdate
from groundstation.messages.wire import Acknowledgement, ContactChange, EventMessage, Transport
from groundstation.recordings.records import NamedLink as NamedLink  # noqa: PLC0414 - links are given by it

Disturbance = Literal["", "moment", "lasting"]
"""Another program meddles with the port: not, just now, or until another change of the transport says otherwise."""
Clock = Callable[[], int]
"""Integer nanoseconds since 1970-01-01 UTC."""

RecordedMessage = EventMessage | CommandUpdate | ContactChange | Acknowledgement
"""What a station has to say and keeps, telemetry apart."""


class Chunk(NamedTuple):
    """Bytes as one read returned them, stamped there. ``ert`` in ns; ``data`` is never empty.

    ``link``, here and in the other reports, is the place of the link among those of its station.
    """

    ert: int
    data: bytes
    link: int = 0


@dataclass(frozen=True, slots=True)
class TransportChange:
    """The transport changed. ``detail`` is one line of text: what happened and what to do.

    ``peer`` is True when the port is fine but the peer went away (a ZeroMQ peer: cause RELAY).
    ``disturbance``: the port stays CONNECTED, but another program does something to it.
    ``ahead`` is how far the clock that stamps this link's reports is ahead of the station's, in ns; it matters only
    where a station has several links.
    """

    ert: int
    state: Transport
    detail: str
    peer: bool = False
    disturbance: Disturbance = ""
    link: int = 0
    ahead: int = 0


@dataclass(frozen=True, slots=True)
class Idle:
    """The reader was at the port until ``ert`` and nothing came: silence that was heard, not missed.

    ``link`` is None in a replay: then it holds for all links, and ``ert`` is by the station's clock.
    """

    ert: int
    link: int | None = 0


@dataclass(frozen=True, slots=True)
class RelayGap:
    """``missed`` messages of a relay are absent before the one stamped ``ert``, by their sequence."""

    ert: int
    missed: int
    link: int = 0


@dataclass(frozen=True, slots=True)
class ReplayJump:
    """A replay jumped: decoding starts from scratch at ``ert``, and what came before is not its context.

    What lies before ``until`` is given as context: the decoder finds lock again there, which the pass had already.
    ``before`` is what was received in the minutes before that: the checks of value quality learn from it, and nothing
    of it is shown.
    """

    ert: int
    until: int
    before: tuple[Chunk | TransportChange, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class EndOfStream:
    """A replay has come to the end of its recording at ``ert``: nothing more comes, and nothing is lost by that.

    ``fault`` says why it ends early: what follows cannot be read. Empty at the true end. ``lack`` says what was missing
    on the way; empty if nothing was.
    """

    ert: int
    fault: str = ""
    lack: str = ""


@dataclass(frozen=True, slots=True)
class ReplayedMessage:
    """A message that the station published in the pass, at ``ert`` of the recording. It is not decoded again."""

    ert: int
    message: RecordedMessage


Report = Chunk | TransportChange | Idle | RelayGap | ReplayJump | EndOfStream | ReplayedMessage


class Link(Protocol):
    """A source of bytes. Reports come from the link's own reader thread through ``sink``; they are in time order.

    Except that what a bridge buffered while no station was connected comes with the older stamps of the bridge.
    """

    url: str

    def now(self) -> int:
        """The time by the clock that stamps the reports, in ns: that of a far port may be another than this host's."""

    def start(self, sink: Callable[[Report], None]) -> None:
        """Open in the background, report CONNECTED or ATTEMPTING, retry with back-off until `stop`."""

    def write(self, data: bytes) -> None:
        """Send bytes up.

        Raises:
            LinkError: the link is not connected or cannot take them.
        """

    def stop(self) -> None:
        """Close and join the reader thread. Idempotent."""

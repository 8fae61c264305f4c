"""Messages of commanding: requests to a station, and the states of commands. `wire` encodes them."""

from __future__ import annotations

from typing import Literal

import msgspec

from groundstation.messages.base import Int64, Message, Request, Value

CommandState = Literal["QUEUED", "SENT", "ACCEPTED", "COMPLETED", "FAILED", "TIMEOUT"]
TIMEOUTS_MS = range(100, 3_600_000 + 1)
"""How long to wait for a command's completion may be asked for."""

FINAL_STATES: tuple[CommandState, ...] = ("COMPLETED", "FAILED", "TIMEOUT")


class ArgumentInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One argument of a command, so that a client can offer and check it before the station does.

    Attributes:
        low, high: the range in ``unit``, both allowed; None where ``labels`` say what may be given, and of text.
        whole: no fractions.
        labels: the words that may be given; for a switch ``on`` and ``off``.
        text: it is text, or bytes in hex.
        range_text: all that for a person.
    """

    name: str
    unit: str
    description: str
    range_text: str
    low: float | None = None
    high: float | None = None
    whole: bool = False
    labels: list[str] = msgspec.field(default_factory=list)
    text: bool = False


class CommandInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A command that the spacecraft knows. ``critical`` ones need arming."""

    name: str
    description: str
    critical: bool
    arguments: list[ArgumentInfo]


class CommandUpdate(Message, frozen=True, tag="command"):
    """A command changed its state at ``ert``, or something new is known of it.

    QUEUED, then SENT (the link took it, nothing more), ACCEPTED (the spacecraft said so), COMPLETED. FAILED: it was
    refused aboard, or given up; TIMEOUT: no word of it in time. Both may still be overtaken by a late report.

    Attributes:
        command: number of the command at this station, from 1.
        arguments: in their units, as they were encoded.
        who: who asked for it.
        delivered: a CLCW acknowledged its frame.
        attempt: how often it was sent as a packet of its own; retransmissions of a frame do not count.
        request: PUS request id of the last of these packets.
        tick: when the spacecraft applied it.
    """

    command: Int64
    name: str
    arguments: dict[str, Value]
    who: str
    state: CommandState
    previous: CommandState | None
    ert: Int64
    detail: str = ""
    critical: bool = False
    bypass: bool = False
    delivered: bool = False
    attempt: Int64 = 1
    request: Int64 | None = None
    tick: Int64 | None = None
    replay: bool = False


class UplinkStatus(Message, frozen=True, tag="uplink"):
    """The uplink at ``ert``: FOP-1, what the last CLCW said, the queue, the arming.

    Attributes:
        cop: FOP-1's state: ACTIVE, RETRANSMIT_WITHOUT_WAIT, … INITIAL.
        vs: V(S), the number of the next frame.
        vr: V(R) of the last CLCW, at ``clcw_ert``; None if there was none. So with the three flags.
        unacknowledged: frames sent and not acknowledged.
        waiting: commands that have not been sent.
        refused: requests refused since the station started.
        armed_until: critical commands are allowed until then; None if they are not.
    """

    ert: Int64
    cop: str
    vs: Int64
    vr: Int64 | None = None
    clcw_ert: Int64 | None = None
    lockout: bool = False
    wait: bool = False
    retransmit: bool = False
    unacknowledged: Int64 = 0
    waiting: Int64 = 0
    refused: Int64 = 0
    armed_until: Int64 | None = None
    armed_by: str = ""
    replay: bool = False


class CommandingRequest(Request, frozen=True, kw_only=True):
    """What changes something aboard, on the way there, or for all viewers.

    A station takes each one once, and only while it is fresh.

    Attributes:
        who: the sender; goes into the log.
        token: unlike that of any other order.
        issued: when, in ns by the client's clock.
    """

    who: str
    token: str
    issued: Int64


class CommandRequest(CommandingRequest, frozen=True, tag="command_request"):
    """Send a command. Arguments may be text as a person types it.

    Attributes:
        bypass: send it in a type BD frame, past the sequence control of COP-1.
        timeout_ms: how long to wait for its completion.
        repeats: how often to send it again as a new command if no report of it comes; the spacecraft may then carry
            it out more than once. None: as often as time allows if it changes nothing aboard, else never.
    """

    name: str
    arguments: dict[str, Value] = msgspec.field(default_factory=dict)
    bypass: bool = False
    timeout_ms: Int64 = 10_000
    repeats: Int64 | None = None


class ArmRequest(CommandingRequest, frozen=True, tag="arm_request"):
    """Allow critical commands for so many seconds; 0 forbids them again."""

    seconds: float


class CopDirectiveRequest(CommandingRequest, frozen=True, tag="cop_directive_request"):
    """A directive to FOP-1 (CCSDS 232.1-B §4.2), by its name there: INITIATE_WITH_UNLOCK, TERMINATE, SET_WINDOW …

    UNLOCK is short for the first. ``value`` is in the standard's units; T1 in ns.
    """

    directive: str
    value: Int64 | None = None


class AcknowledgeRequest(CommandingRequest, frozen=True, tag="acknowledge_request"):
    """Acknowledge losses of signal: all that are open, or those that were declared ``until`` then (their own stamps).

    So a loss that was declared while the request was on its way stays unacknowledged.
    """

    until: Int64 | None = None


class RequestAccepted(Message, frozen=True, tag="request_accepted"):
    """The station accepted a request; ``command`` is the number under which a command is followed."""

    text: str
    command: Int64 | None = None

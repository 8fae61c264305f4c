"""What goes in and out of FOP-1, CCSDS 232.1-B-2 §3.2 and §4: directives, frames, responses and notifications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from protocols.cop1.fop1_table import FopState

FrameKind = Literal["AD", "BC", "BD"]
"""Sequence-controlled data, control command, expedited data (§2.2)."""

Response = Literal["ACCEPT", "REJECT", "CONFIRM", "NEGATIVE_CONFIRM"]
"""§4.3.1 and §4.4: ``CONFIRM`` is the positive one. Reject, confirm and negative confirm are the last word."""

AlertReason = Literal["SYNCH", "CLCW", "LIMIT", "T1", "LOCKOUT", "NNR", "LLIF", "TERM"]
"""Table 4-4."""

DirectiveKind = Literal[
    "INITIATE",
    "INITIATE_WITH_CLCW_CHECK",
    "INITIATE_WITH_UNLOCK",
    "INITIATE_WITH_SET_V_R",
    "TERMINATE",
    "RESUME",
    "SET_V_S",
    "SET_WINDOW",
    "SET_T1",
    "SET_LIMIT",
    "SET_TIMEOUT_TYPE",
]


@dataclass(frozen=True, slots=True)
class Directive:
    """An order to FOP-1 itself (§4.2). ``request`` comes back in its responses.

    ``value`` is V*(R), V*(S), K, T1 in ns, the transmission limit or the timeout type.
    """

    request: int
    kind: DirectiveKind
    value: int = 0


@dataclass(frozen=True, slots=True)
class TransmitFrame:
    """Transmit Request for Frame (§3.2.4): send this, then answer with `Fop1.lower_accepted` or ``lower_rejected``.

    ``ns`` is N(S), 0 in type-B frames. ``request`` is the transfer it carries; None in control commands.
    """

    bypass: bool
    control: bool
    ns: int
    data: bytes
    request: int | None = None

    @property
    def kind(self) -> FrameKind:
        """AD, BC or BD, by the two flags."""
        if not self.bypass:
            return "AD"
        return "BC" if self.control else "BD"


@dataclass(frozen=True, slots=True)
class Abort:
    """Abort Request (§5.2.7): a retransmission begins, frames of this kind not yet on their way may be dropped.

    A dropped frame's Transmit Request is answered all the same.
    """

    kind: FrameKind


@dataclass(frozen=True, slots=True)
class TransferResponse:
    """Response to Request to Transfer FDU (§4.4). After ``NEGATIVE_CONFIRM`` the FDU may have arrived, or not."""

    request: int
    response: Response


@dataclass(frozen=True, slots=True)
class DirectiveResponse:
    """Response to Directive (§4.3.1)."""

    request: int
    response: Response


@dataclass(frozen=True, slots=True)
class Alert:
    """The AD service has ended (§4.3.2): why, and in which state the event of table 5-1 found FOP-1."""

    reason: AlertReason
    event: int
    state: FopState


@dataclass(frozen=True, slots=True)
class Suspended:
    """The AD service is suspended in ``state`` (§4.3.2); the directive ``RESUME`` goes on from there."""

    state: FopState


FopOutput = TransmitFrame | Abort | TransferResponse | DirectiveResponse | Alert | Suspended


@dataclass(frozen=True, slots=True)
class FopStatus:
    """FOP-1's variables (§5.1) as they stand.

    Attributes:
        state: S1 … S6.
        vs: V(S), the N(S) of the next new frame.
        nnr: NN(R), the N(S) of the oldest frame not yet acknowledged; V(S) if there is none.
        sent: the transfers on the Sent_Queue, oldest first.
        waiting: the transfer on the Wait_Queue.
        transmissions: Transmission_Count of the oldest frame.
        suspended: SS, the state that ``RESUME`` goes back to.
        deadline: when the timer expires, or None while it is not running.
        window: K.
        t1: T1_Initial in ns.
        limit: Transmission_Limit.
        timeout_type: TT, 0 to alert or 1 to suspend at the limit.
    """

    state: FopState
    vs: int
    nnr: int
    sent: tuple[int, ...]
    waiting: int | None
    transmissions: int
    suspended: FopState | None
    deadline: int | None
    window: int
    t1: int
    limit: int
    timeout_type: int

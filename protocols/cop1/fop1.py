"""FOP-1, the ground's end of COP-1 (CCSDS 232.1-B-2 §5): transfers in, frames out, until CLCWs acknowledge them.

Rules:
1. Whatever happens is one event of table 5-1. The methods here find out which, `fop1_table` says what follows and
   `fop1_actions` does it. All outputs come in the order in which they are to be carried out.
2. Every `TransmitFrame` is answered with `lower_accepted` or `lower_rejected`; until then no other of its kind comes.
   An unexpected answer is ignored. After a rejection, too, the next frame may come.
3. Every transfer and directive gets ``REJECT``, or ``ACCEPT`` and then ``CONFIRM`` or ``NEGATIVE_CONFIRM``; but after
   its ``ACCEPT`` nothing more is said of expedited data (BD, §4.4.3).
4. `tick` must be called when the deadline is over; a CLCW that came before should be given first.
5. In S1 and S2 the timer runs while a frame is unacknowledged. The standard lets it expire unheard in S3; a CLCW that
   then leads to S1 (E6) would leave frames without a timer, so it is started again there. S3 itself may last for ever.
"""

from __future__ import annotations

from protocols.ccsds.clcw import Clcw
from protocols.cop1.fop1_actions import ACTIONS, FopEvent, FopMachine
from protocols.cop1.fop1_table import FOP_TABLE, FopState
from protocols.cop1.messages import Directive, DirectiveKind, FopOutput, FopStatus, FrameKind
from protocols.errors import DeclarationError

_BYTE = range(0x100)
DIRECTIVE_VALUES: dict[DirectiveKind, range] = {
    "INITIATE_WITH_SET_V_R": _BYTE,
    "SET_V_S": _BYTE,
    "SET_WINDOW": range(1, 0x100),
    "SET_T1": range(1, 1 << 63),
    "SET_LIMIT": range(1, 0x100),
    "SET_TIMEOUT_TYPE": range(2),
}
"""What a directive's value may be; those that are not here ignore it."""

_EVENTS: dict[DirectiveKind, int] = {
    "INITIATE": 23,
    "INITIATE_WITH_CLCW_CHECK": 24,
    "INITIATE_WITH_UNLOCK": 25,
    "INITIATE_WITH_SET_V_R": 27,
    "TERMINATE": 29,
    "RESUME": 30,
    "SET_V_S": 35,
    "SET_WINDOW": 36,
    "SET_T1": 37,
    "SET_LIMIT": 38,
    "SET_TIMEOUT_TYPE": 39,
}
_TIMED = (FopState.ACTIVE, FopState.RETRANSMIT_WITHOUT_WAIT)
_LOWER_ACCEPTS: dict[FrameKind, int] = {"AD": 41, "BC": 43, "BD": 45}


class Fop1:
    """One virtual channel's FOP-1, in S6 at first: a directive initiates the AD service. Times are in ns.

    Attributes:
        vcid: the virtual channel.
        machine: its variables. `status` is a copy; set them only to resume where another FOP-1 stopped.
    """

    def __init__(
        self, vcid: int = 0, *, window: int = 10, t1: int = 2_000_000_000, limit: int = 3, timeout_type: int = 0
    ) -> None:
        """Args: the channel, K (at most FARM-1's PW), T1_Initial in ns, Transmission_Limit and Timeout_Type.

        Raises:
            DeclarationError: one of them cannot be.
        """
        self.vcid = vcid
        self.machine = FopMachine(
            window=_checked("SET_WINDOW", window),
            t1=_checked("SET_T1", t1),
            limit=_checked("SET_LIMIT", limit),
            timeout_type=_checked("SET_TIMEOUT_TYPE", timeout_type),
        )

    @property
    def state(self) -> FopState:
        """S1 … S6."""
        return self.machine.state

    @property
    def deadline(self) -> int | None:
        """When `tick` is due, or None while the timer is not running."""
        return self.machine.deadline

    def status(self) -> FopStatus:
        """All variables."""
        machine = self.machine
        return FopStatus(
            state=machine.state,
            vs=machine.vs,
            nnr=machine.nnr,
            sent=tuple(s.frame.request for s in machine.sent if s.frame.request is not None),
            waiting=None if machine.waiting is None else machine.waiting[0],
            transmissions=machine.count,
            suspended=machine.suspended,
            deadline=machine.deadline,
            window=machine.window,
            t1=machine.t1,
            limit=machine.limit,
            timeout_type=machine.timeout_type,
        )

    def transfer(self, request: int, data: bytes, now: int, *, bypass: bool = False) -> list[FopOutput]:
        """Request to Transfer FDU (§3.2.2): AD, or BD with ``bypass``. E19 … E22."""
        return self._apply(FopEvent(self._transfer_event(bypass), now, request=request, data=data))

    def directive(self, directive: Directive, now: int) -> list[FopOutput]:
        """A directive (§4.2), E23 … E40."""
        return self._apply(FopEvent(self._directive_event(directive), now, directive=directive))

    def clcw(self, clcw: Clcw, now: int) -> list[FopOutput]:
        """A CLCW arrived, E1 … E14; another channel's is not looked at (§5.3.2)."""
        if clcw.vcid != self.vcid:
            return []
        return self._apply(FopEvent(self.clcw_event(clcw), now, report=clcw.report))

    def clcw_event(self, clcw: Clcw) -> int:
        """The event of table 5-1 that a CLCW of this channel is now: its number, 1 … 14 or 101 … 104."""
        if clcw.lockout:
            return 14
        nnr = self.machine.nnr
        acknowledged, outstanding = (clcw.report - nnr) & 0xFF, (self.machine.vs - nnr) & 0xFF
        if acknowledged > outstanding:
            return 13
        if clcw.retransmit:
            return 4 if acknowledged == outstanding else self._retransmit_event(clcw, acknowledged)
        if acknowledged == outstanding:
            return 3 if clcw.wait else (2 if acknowledged else 1)
        return 7 if clcw.wait else (6 if acknowledged else 5)

    def invalid_clcw(self, now: int) -> list[FopOutput]:
        """A CLCW arrived whose fixed fields are not what they must be, E15."""
        return self._apply(FopEvent(15, now))

    def lower_accepted(self, kind: FrameKind, now: int) -> list[FopOutput]:
        """The frame of this kind that was asked for is on its way: E41, E43 or E45."""
        return self._lower(kind, _LOWER_ACCEPTS[kind], now)

    def lower_rejected(self, kind: FrameKind, now: int) -> list[FopOutput]:
        """The frame of this kind that was asked for cannot be sent: E42, E44 or E46."""
        out = self._lower(kind, _LOWER_ACCEPTS[kind] + 1, now)
        self.machine.set_ready(kind)
        return out

    def tick(self, now: int) -> list[FopOutput]:
        """Time has passed: E16, E104, E17 or E18, if the deadline is over."""
        machine = self.machine
        if machine.deadline is None or now < machine.deadline:
            return []
        machine.deadline = None
        more, over = (104, 18) if machine.timeout_type else (16, 17)
        return self._apply(FopEvent(more if machine.count < machine.limit else over, now))

    def _lower(self, kind: FrameKind, number: int, now: int) -> list[FopOutput]:
        machine = self.machine
        if machine.ready[kind]:
            return []
        return self._apply(FopEvent(number, now, request=machine.expedited if kind == "BD" else None))

    def _transfer_event(self, bypass: bool) -> int:
        if bypass:
            return 21 if self.machine.ready["BD"] else 22
        return 19 if self.machine.waiting is None else 20

    def _directive_event(self, directive: Directive) -> int:
        values = DIRECTIVE_VALUES.get(directive.kind)
        if values is not None and directive.value not in values:
            return 40
        number, suspended = _EVENTS[directive.kind], self.machine.suspended
        if number in (25, 27) and not self.machine.ready["BC"]:
            return number + 1
        if number == 30 and suspended is not None:
            return number + suspended
        return 40 if number == 35 and suspended is not None else number

    def _retransmit_event(self, clcw: Clcw, acknowledged: int) -> int:
        """Some frames are outstanding, and the CLCW wants them again."""
        if self.machine.limit == 1:
            return 101 if acknowledged else 102
        if acknowledged:
            return 9 if clcw.wait else 8
        if self.machine.count < self.machine.limit:
            return 11 if clcw.wait else 10
        return 103 if clcw.wait else 12

    def _apply(self, event: FopEvent) -> list[FopOutput]:
        machine = self.machine
        cell = FOP_TABLE[event.number][machine.state - 1]
        assert cell is not None, f"E{event.number} in S{machine.state}"
        for action in cell.actions:
            ACTIONS[action](machine, event)
        machine.state = cell.state
        if machine.state in _TIMED and machine.sent and machine.deadline is None:
            machine.start_timer(event)
        return event.out


def _checked(kind: DirectiveKind, value: int) -> int:
    """A parameter that the directive ``kind`` could set as well."""
    if value not in DIRECTIVE_VALUES[kind]:
        raise DeclarationError(
            f"fop1.{kind.removeprefix('SET_').lower()}", f"{value} is not within {DIRECTIVE_VALUES[kind]}"
        )
    return value

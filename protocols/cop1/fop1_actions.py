"""FOP-1's variables (CCSDS 232.1-B-2 §5.1) and actions (§5.2). Which actions follow an event is `fop1_table`'s.

Rules:
1. An action appends to the event's outputs; they are to be carried out in that order.
2. The Wait_Queue holds one FDU (§5.1.4), the Sent_Queue at most K, which is below 256, or one control command.
3. The timer is the deadline. It runs from the last frame of type AD or BC (§5.1.9).

Where the standard leaves a gap:
4. Purging the Sent_Queue makes NN(R) = V(S): nothing is unacknowledged any more (§5.1.8).
5. Initiating the AD service again confirms negatively an initiation that was suspended (SS = 4).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from protocols.ccsds.tc_frame import ControlCommand, SetVr, Unlock, encode_control
from protocols.cop1.fop1_table import FopAction, FopState
from protocols.cop1.messages import (
    Abort,
    Alert,
    AlertReason,
    Directive,
    DirectiveResponse,
    FopOutput,
    FrameKind,
    Response,
    Suspended,
    TransferResponse,
    TransmitFrame,
)


@dataclass(slots=True)
class Sent:
    """A frame on the Sent_Queue, and its To_Be_Retransmitted_Flag (§5.1.7)."""

    frame: TransmitFrame
    again: bool = False


@dataclass(slots=True)
class FopEvent:
    """One event of table 5-1 on its way through it, with what it brought, and what it leads to."""

    number: int
    now: int
    request: int | None = None
    data: bytes = b""
    directive: Directive | None = None
    report: int = 0
    out: list[FopOutput] = field(default_factory=list)


@dataclass(slots=True)
class FopMachine:
    """The variables, and the actions on them.

    Attributes:
        window: K.
        t1: T1_Initial in ns.
        limit: Transmission_Limit.
        timeout_type: TT.
        state: S1 … S6.
        suspended: SS; None is 0.
        vs: V(S).
        nnr: NN(R).
        count: Transmission_Count.
        deadline: when the timer expires, or None.
        sent: the Sent_Queue.
        waiting: the FDU on the Wait_Queue and its request.
        expedited: the request of the BD frame given to the Lower Procedures last.
        initiating: the Initiate AD Service that has not yet been confirmed.
        ready: AD_Out_Flag, BC_Out_Flag and BD_Out_Flag.
    """

    window: int
    t1: int
    limit: int
    timeout_type: int
    state: FopState = FopState.INITIAL
    suspended: FopState | None = None
    vs: int = 0
    nnr: int = 0
    count: int = 1
    deadline: int | None = None
    sent: deque[Sent] = field(default_factory=deque)
    waiting: tuple[int, bytes] | None = None
    expedited: int | None = None
    initiating: Directive | None = None
    ready: dict[FrameKind, bool] = field(default_factory=lambda: {"AD": True, "BC": True, "BD": True})

    def answer(self, event: FopEvent, response: Response) -> None:
        """§5.2.11 … §5.2.13. A confirm without a directive of its own is the pending initiation's."""
        directive = event.directive or (self.initiating if event.request is None else None)
        if directive is not None:
            event.out.append(DirectiveResponse(directive.request, response))
            if response == "CONFIRM" and directive is self.initiating:
                self.initiating = None
        elif event.request is not None:
            event.out.append(TransferResponse(event.request, response))

    def _purge_sent(self, event: FopEvent) -> None:
        """§5.2.2. A control command has no transfer to answer."""
        for sent in self.sent:
            if sent.frame.request is not None:
                event.out.append(TransferResponse(sent.frame.request, "NEGATIVE_CONFIRM"))
        self.sent.clear()
        self.nnr = self.vs

    def _purge_wait(self, event: FopEvent) -> None:
        """§5.2.3."""
        if self.waiting is not None:
            event.out.append(TransferResponse(self.waiting[0], "REJECT"))
        self.waiting = None

    def _abandon_initiation(self, event: FopEvent) -> None:
        """§5.2.15 d."""
        if self.initiating is not None:
            event.out.append(DirectiveResponse(self.initiating.request, "NEGATIVE_CONFIRM"))
        self.initiating = None

    def _transmit(self, frame: TransmitFrame, event: FopEvent) -> None:
        """§5.2.4 … §5.2.6, the part they share."""
        self.ready[frame.kind] = False
        event.out.append(frame)
        if frame.kind != "BD":
            self.start_timer(event)

    def _transmit_ad(self, request: int, data: bytes, event: FopEvent) -> None:
        """§5.2.4."""
        if not self.sent:
            self.count = 1
        frame = TransmitFrame(False, False, self.vs, data, request)
        self.sent.append(Sent(frame))
        self.vs = (self.vs + 1) & 0xFF
        self._transmit(frame, event)

    def transmit_bc(self, command: ControlCommand, event: FopEvent) -> None:
        """§5.2.5."""
        frame = TransmitFrame(True, True, 0, encode_control(command))
        self.sent.append(Sent(frame))
        self.count = 1
        self._transmit(frame, event)

    def transmit_bd(self, event: FopEvent) -> None:
        """§5.2.6."""
        self.expedited = event.request
        self._transmit(TransmitFrame(True, False, 0, event.data, event.request), event)

    def retransmit(self, kind: FrameKind, event: FopEvent) -> None:
        """§5.2.7."""
        event.out.append(Abort(kind))
        self.count += 1
        self.start_timer(event)
        for sent in self.sent:
            sent.again = True

    def remove_acknowledged(self, event: FopEvent) -> None:
        """§5.2.8."""
        while self.nnr != event.report:
            request = self.sent.popleft().frame.request
            assert request is not None
            event.out.append(TransferResponse(request, "CONFIRM"))
            self.nnr = (self.nnr + 1) & 0xFF
            self.count = 1

    def _send_again(self, kind: FrameKind, event: FopEvent) -> bool:
        """§5.2.9 and §5.2.10 b: the first frame that is to be retransmitted."""
        sent = next((s for s in self.sent if s.again and s.frame.kind == kind), None)
        if sent is None:
            return False
        sent.again = False
        self._transmit(sent.frame, event)
        return True

    def look_for_directive(self, event: FopEvent) -> None:
        """§5.2.9."""
        if self.ready["BC"]:
            self._send_again("BC", event)

    def look_for_fdu(self, event: FopEvent) -> None:
        """§5.2.10."""
        if not self.ready["AD"] or self._send_again("AD", event) or self.waiting is None:
            return
        if (self.vs - self.nnr) & 0xFF >= self.window:
            return
        (request, data), self.waiting = self.waiting, None
        event.out.append(TransferResponse(request, "ACCEPT"))
        self._transmit_ad(request, data, event)

    def add_to_wait_queue(self, event: FopEvent) -> None:
        """§5.1.4."""
        assert event.request is not None
        self.waiting = (event.request, event.data)

    def initialise(self, event: FopEvent) -> None:
        """§5.2.14."""
        self._purge_sent(event)
        self._purge_wait(event)
        self._abandon_initiation(event)
        self.count, self.suspended = 1, None
        self.initiating = event.directive

    def alert(self, reason: AlertReason, event: FopEvent) -> None:
        """§5.2.15."""
        self.deadline = None
        self._purge_sent(event)
        self._purge_wait(event)
        self._abandon_initiation(event)
        event.out.append(Alert(reason, event.number, self.state))

    def suspend(self, event: FopEvent) -> None:
        """§5.2.16, with SS set to the state."""
        self.suspended = self.state
        event.out.append(Suspended(self.state))

    def resume(self, event: FopEvent) -> None:
        """§5.2.17."""
        self.start_timer(event)
        self.suspended = None

    def start_timer(self, event: FopEvent) -> None:
        """§5.1.9."""
        self.deadline = event.now + self.t1

    def cancel_timer(self, event: FopEvent) -> None:
        """§5.1.9."""
        self.deadline = None

    def set_value(self, event: FopEvent) -> None:
        """What a directive of the kind ``SET_…`` or ``INITIATE_WITH_SET_V_R`` sets."""
        assert event.directive is not None
        kind, value = event.directive.kind, event.directive.value
        if kind == "SET_WINDOW":
            self.window = value
        elif kind == "SET_T1":
            self.t1 = value
        elif kind == "SET_LIMIT":
            self.limit = value
        elif kind == "SET_TIMEOUT_TYPE":
            self.timeout_type = value
        else:
            self.vs = self.nnr = value

    def set_ready(self, kind: FrameKind) -> None:
        """The Lower Procedures take the next frame of this kind."""
        self.ready[kind] = True


def _set_vr(machine: FopMachine, event: FopEvent) -> None:
    assert event.directive is not None
    machine.transmit_bc(SetVr(event.directive.value), event)


def _alerting(reason: AlertReason) -> Callable[[FopMachine, FopEvent], None]:
    return lambda machine, event: machine.alert(reason, event)


ACTIONS: dict[FopAction, Callable[[FopMachine, FopEvent], None]] = {
    FopAction.ACCEPT: lambda machine, event: machine.answer(event, "ACCEPT"),
    FopAction.REJECT: lambda machine, event: machine.answer(event, "REJECT"),
    FopAction.CONFIRM: lambda machine, event: machine.answer(event, "CONFIRM"),
    FopAction.REMOVE_ACKNOWLEDGED: FopMachine.remove_acknowledged,
    FopAction.RETRANSMIT_AD: lambda machine, event: machine.retransmit("AD", event),
    FopAction.RETRANSMIT_BC: lambda machine, event: machine.retransmit("BC", event),
    FopAction.LOOK_FOR_FDU: FopMachine.look_for_fdu,
    FopAction.LOOK_FOR_DIRECTIVE: FopMachine.look_for_directive,
    FopAction.ADD_TO_WAIT_QUEUE: FopMachine.add_to_wait_queue,
    FopAction.TRANSMIT_BD: FopMachine.transmit_bd,
    FopAction.TRANSMIT_UNLOCK: lambda machine, event: machine.transmit_bc(Unlock(), event),
    FopAction.TRANSMIT_SET_V_R: _set_vr,
    FopAction.RELEASE_BC: lambda machine, event: machine.sent.clear(),
    FopAction.INITIALISE: FopMachine.initialise,
    FopAction.START_TIMER: FopMachine.start_timer,
    FopAction.CANCEL_TIMER: FopMachine.cancel_timer,
    FopAction.SUSPEND: FopMachine.suspend,
    FopAction.RESUME: FopMachine.resume,
    FopAction.SET_V_S: FopMachine.set_value,
    FopAction.SET_WINDOW: FopMachine.set_value,
    FopAction.SET_T1: FopMachine.set_value,
    FopAction.SET_LIMIT: FopMachine.set_value,
    FopAction.SET_TIMEOUT_TYPE: FopMachine.set_value,
    FopAction.AD_OUT_READY: lambda machine, event: machine.set_ready("AD"),
    FopAction.BC_OUT_READY: lambda machine, event: machine.set_ready("BC"),
    FopAction.BD_OUT_READY: lambda machine, event: machine.set_ready("BD"),
    FopAction.ALERT_SYNCH: _alerting("SYNCH"),
    FopAction.ALERT_CLCW: _alerting("CLCW"),
    FopAction.ALERT_LIMIT: _alerting("LIMIT"),
    FopAction.ALERT_T1: _alerting("T1"),
    FopAction.ALERT_LOCKOUT: _alerting("LOCKOUT"),
    FopAction.ALERT_NNR: _alerting("NNR"),
    FopAction.ALERT_LLIF: _alerting("LLIF"),
    FopAction.ALERT_TERM: _alerting("TERM"),
}

"""FOP-1 at work: CLTUs out, CLCWs in, and when its service is initiated. Sans-I/O.

Rules:
1. Nothing is assumed of the spacecraft's V(R). The AD service starts with the V(R) of a fresh CLCW: SET V(S), then
   INITIATE.
2. If that CLCW still asks for a retransmission of an earlier session's frames, it starts with Unlock instead: that
   ends the request and changes nothing else (CCSDS 232.1-B table 6-1, E7).
3. Lockout is never cleared automatically, only by an operator, with INITIATE_WITH_UNLOCK.
4. After an Alert the service starts again only with a CLCW that came later.
5. If no CLCW comes for long the service is terminated.
6. Frames are given out one of a kind at a time. Before it is written, `CopService.begin` says whether it is still
   wanted; one that is gets its answer, `CopService.written` or ``unwritten``. What ends the service, or the link,
   recalls what has not begun: a command that was given up is not sent later.
7. What is not a CLCW of this channel changes nothing: an operational control field may be a type-2 report
   (132.0-B §4.1.5.2), or the CLCW of another channel, whatever its other fields are.
8. While an earlier session's frame is being written the service does not start: that frame may yet move V(R).
"""

from __future__ import annotations

from typing import get_args

from groundstation.errors import CommandRefused
from groundstation.uplink.cop1_messages import CopOutput, CopSettings, Delivered, Notice, Transmission, Undelivered
from protocols.ccsds.clcw import Clcw, decode_clcw
from protocols.ccsds.cltu import encode_cltu
from protocols.ccsds.tc_frame import TcFrame, encode_frame
from protocols.cop1 import (
    DIRECTIVE_VALUES,
    Alert,
    AlertReason,
    Directive,
    DirectiveKind,
    DirectiveResponse,
    Fop1,
    FopOutput,
    FopState,
    FopStatus,
    FrameKind,
    Suspended,
    TransferResponse,
    TransmitFrame,
)
from protocols.errors import DecodeError
from protocols.nearest import nearest
from protocols.units import NS_PER_MS, NS_PER_S
from protocols.words import Severity

_OWN = 0
"""The request number of directives that no client requested."""

T1_VALUES = range(100 * NS_PER_MS, DIRECTIVE_VALUES["SET_T1"].stop)
"""A station looks at its clock every 50 ms: with less it would send again what cannot have been acknowledged yet."""

_TYPE_2 = 0x80
"""First bit of an operational control field: it is a type-2 report, whose contents a project defines, and no CLCW."""

_FIXED = 0x63
_COP_1 = 0x01
"""First byte of a CLCW: version and COP in effect, both of which are fixed."""

_REASONS: dict[AlertReason, str] = {
    "SYNCH": "the CLCW contradicts what was sent",
    "CLCW": "a CLCW came that cannot be",
    "LIMIT": "a frame was sent as often as allowed and not acknowledged",
    "T1": "no acknowledgement came, however often it was sent",
    "LOCKOUT": "the spacecraft is in lockout",
    "NNR": "the CLCW acknowledges what was not sent",
    "LLIF": "the link did not take a frame",
    "TERM": "the service was terminated",
}


class CopService:
    """One virtual channel's uplink.

    Attributes:
        clcw: the last one; None if there was none.
        heard: when it came, in ns.
        invalid: CLCWs whose fixed fields were not what they must be.
    """

    def __init__(self, scid: int, settings: CopSettings) -> None:
        self.clcw: Clcw | None = None
        self.heard: int | None = None
        self.invalid = 0
        self._scid = scid
        self._settings = settings
        self._fop = Fop1(settings.vcid, window=settings.window, t1=settings.t1, limit=settings.limit)
        self._trusted = False
        self._since = 0
        self._directives: dict[int, str] = {}
        self._requests = _OWN
        self._writing: dict[FrameKind, Transmission] = {}
        self._begun: set[FrameKind] = set()

    @property
    def locked_out(self) -> bool:
        """The spacecraft takes no type-AD frames until it is unlocked."""
        return self.clcw is not None and self.clcw.lockout

    @property
    def deadline(self) -> int | None:
        """When `tick` is due."""
        if self._fop.state is FopState.INITIAL:
            return None
        contact = self._since + self._settings.contact
        return contact if self._fop.deadline is None else min(contact, self._fop.deadline)

    @property
    def outstanding(self) -> bool:
        """Something was sent that a CLCW has to acknowledge."""
        return self._fop.deadline is not None

    def status(self) -> FopStatus:
        """FOP-1's variables."""
        return self._fop.status()

    def room(self, *, bypass: bool) -> bool:
        """Whether a transfer would be sent now."""
        if bypass:
            return "BD" not in self._writing
        status = self._fop.status()
        sending = status.state in (FopState.ACTIVE, FopState.RETRANSMIT_WITHOUT_WAIT)
        return sending and status.waiting is None and len(status.sent) < status.window

    def needs_clcw(self, now: int) -> bool:
        """The service cannot start before a CLCW comes."""
        return self._fop.state is FopState.INITIAL and self._fresh(now) is None

    def obstacle(self, now: int) -> str:
        """Why a transfer waits, as text."""
        if self.locked_out:
            return "the spacecraft is in lockout"
        if self.needs_clcw(now):
            return "no CLCW came from the spacecraft"
        if self.clcw is not None and self.clcw.wait:
            return "the spacecraft's buffers are full"
        return "earlier frames are not acknowledged"

    def start(self, now: int) -> list[CopOutput]:
        """Initiate the AD service, if it is not and the last CLCW is fresh and lets it."""
        clcw, status = self._fresh(now), self._fop.status()
        if status.state is not FopState.INITIAL or status.suspended is not None:
            return []
        if clcw is None or clcw.lockout or clcw.wait or not self._writing.keys() <= {"BD"}:
            return []
        self._since = now
        self._fop.directive(Directive(_OWN, "SET_V_S", clcw.report), now)
        kind: DirectiveKind = "INITIATE_WITH_UNLOCK" if clcw.retransmit else "INITIATE"
        return self._translate(self._fop.directive(Directive(_OWN, kind), now), now)

    def transfer(self, transfer: int, data: bytes, now: int, *, bypass: bool) -> list[CopOutput]:
        """Send a packet; there must be `room`."""
        return self._translate(self._fop.transfer(transfer, data, now, bypass=bypass), now)

    def directive(self, name: str, value: int | None, now: int) -> list[CopOutput]:
        """A directive that a client requested. What initiates takes over V(R) of the last CLCW as V(S) first.

        Raises:
            CommandRefused: no such directive, no such value, or FOP-1 rejects it in its state.
        """
        kind = directive_kind(name)
        number = _directive_value(kind, value)
        state = self._fop.state
        self._requests += 1
        outputs = self._prepared(now) if state is FopState.INITIAL and kind.startswith("INITIATE") else []
        if kind == "TERMINATE":
            outputs += self._terminated(self._requests, now)
        else:
            outputs += self._fop.directive(Directive(self._requests, kind, number), now)
        if DirectiveResponse(self._requests, "REJECT") in outputs:
            raise CommandRefused(f"FOP-1 rejects {kind} while it is {state.name}{_remedy(kind, state)}")
        self._directives[self._requests] = kind
        return self._translate(outputs, now)

    def terminate(self, reason: str, now: int) -> list[CopOutput]:
        """End the AD service: what was not acknowledged is given up."""
        self._trusted = False
        if self._fop.state is FopState.INITIAL and self._fop.status().suspended is None:
            return []
        return self._translate(self._terminated(_OWN, now), now, reason)

    def link_down(self, reason: str, now: int) -> list[CopOutput]:
        """Nothing can be written any more: the AD service ends, and a BD frame that has not begun is given up too."""
        out = self.terminate(reason, now)
        waiting = self._writing.get("BD")
        if waiting is not None and waiting.transfer is not None and self._recall("BD", now):
            out.append(Undelivered(waiting.transfer, reason))
        return out

    def ocf(self, data: bytes, now: int) -> list[CopOutput]:
        """The operational control field of a good frame."""
        try:
            clcw = decode_clcw(data)
        except DecodeError:
            return []
        if data[0] & _TYPE_2 or clcw.vcid != self._settings.vcid:
            return []
        if data[0] & _FIXED != _COP_1:
            self.invalid += 1
            return self._translate(self._fop.invalid_clcw(now), now)
        out = self._lockout_notice(clcw)
        self.clcw, self.heard, self._since, self._trusted = clcw, now, now, True
        return out + self._translate(self._fop.clcw(clcw, now), now)

    def begin(self, transmission: Transmission) -> bool:
        """Whether it is still to be written; if so, it counts as begun from here on."""
        if self._writing.get(transmission.kind) is not transmission:
            return False
        self._begun.add(transmission.kind)
        return True

    def written(self, transmission: Transmission, now: int) -> list[CopOutput]:
        """The link took it."""
        self._answered(transmission)
        if self._fop.state is FopState.INITIAL and transmission.kind != "BD":
            self._trusted = False  # its session is over, and V(R) as it was heard may not hold any more
        return self._translate(self._fop.lower_accepted(transmission.kind, now), now)

    def unwritten(self, transmission: Transmission, reason: str, now: int) -> list[CopOutput]:
        """The link did not take it."""
        self._answered(transmission)
        return self._translate(self._fop.lower_rejected(transmission.kind, now), now, reason)

    def tick(self, now: int) -> list[CopOutput]:
        """Time has passed."""
        if self._fop.state is not FopState.INITIAL and now >= self._since + self._settings.contact:
            return self.terminate(f"no CLCW came for {self._settings.contact // NS_PER_S} s", now)
        return self._translate(self._fop.tick(now), now)

    def _prepared(self, now: int) -> list[FopOutput]:
        """Before an operator initiates: a suspended service would keep its old V(S), so it is ended."""
        out = [] if self._fop.status().suspended is None else self._terminated(_OWN, now)
        self._since = now
        if self.clcw is not None:
            self._fop.directive(Directive(_OWN, "SET_V_S", self.clcw.report), now)
        return out

    def _terminated(self, request: int, now: int) -> list[FopOutput]:
        """TERMINATE. By the standard a suspended service keeps its frames even then: so it is re-initiated first."""
        out = []
        if self._fop.status().suspended is not None:
            out = self._fop.directive(Directive(_OWN, "INITIATE"), now)
        return out + self._fop.directive(Directive(request, "TERMINATE"), now)

    def _answered(self, transmission: Transmission) -> None:
        if self._writing.get(transmission.kind) is transmission:
            del self._writing[transmission.kind]
        self._begun.discard(transmission.kind)

    def _recall(self, kind: FrameKind, now: int) -> bool:
        """Take back what has not begun; FOP-1 learns no more than that the way is free."""
        if kind not in self._writing or kind in self._begun:
            return False
        del self._writing[kind]
        self._fop.lower_accepted(kind, now)
        return True

    def _fresh(self, now: int) -> Clcw | None:
        if not self._trusted or self.heard is None or now - self.heard > self._settings.fresh:
            return None
        return self.clcw

    def _lockout_notice(self, clcw: Clcw) -> list[CopOutput]:
        if clcw.lockout == self.locked_out:
            return []
        if not clcw.lockout:
            return [Notice("ACTIVITY_HI", "LOCKOUT_CLEARED", f"the spacecraft takes frames again, V(R) {clcw.report}")]
        text = "the spacecraft is in lockout and takes no frames of type AD: groundstation cop unlock"
        return [Notice("WARNING_HI", "LOCKOUT", text)]

    def _translate(self, outputs: list[FopOutput], now: int, reason: str | None = None) -> list[CopOutput]:
        alert = next((output.reason for output in outputs if isinstance(output, Alert)), None)
        if alert is not None:
            self._trusted = False
            reason = reason or _REASONS[alert]
            self._recall("AD", now)
            self._recall("BC", now)
        found = (self._output(output, alert, reason or "") for output in outputs)
        return [output for output in found if output is not None]

    def _output(self, output: FopOutput, alert: AlertReason | None, reason: str) -> CopOutput | None:
        if isinstance(output, TransmitFrame):
            return self._transmission(output)
        if isinstance(output, TransferResponse):
            return self._transfer_output(output, alert, reason)
        if isinstance(output, DirectiveResponse):
            return self._directive_notice(output, reason)
        if isinstance(output, Alert):
            severity: Severity = "ACTIVITY_HI" if output.reason == "TERM" else "WARNING_HI"
            return Notice(severity, f"COP1_{output.reason}", f"the AD service has ended: {reason}", ended=True)
        if isinstance(output, Suspended):
            text = "the AD service is suspended: groundstation cop resume, or terminate"
            return Notice("WARNING_HI", "COP1_SUSPENDED", text)
        return None  # Abort: what is being written is on its way already

    def _transmission(self, frame: TransmitFrame) -> Transmission:
        tc = TcFrame(self._scid, self._settings.vcid, frame.ns, frame.data, frame.bypass, frame.control)
        transmission = Transmission(frame.kind, encode_cltu(encode_frame(tc)), frame.request)
        self._writing[frame.kind] = transmission
        return transmission

    def _transfer_output(
        self, response: TransferResponse, alert: AlertReason | None, reason: str
    ) -> Delivered | Undelivered | None:
        if response.response == "ACCEPT":
            return None
        if response.response == "CONFIRM":
            return Delivered(response.request)
        begun = response.request in [self._writing[kind].transfer for kind in self._begun]
        return Undelivered(response.request, reason or "FOP-1 rejects it", alert in ("T1", "LIMIT"), begun)

    def _directive_notice(self, response: DirectiveResponse, reason: str) -> Notice | None:
        kind = self._directives.get(response.request)
        if kind is None or response.response == "ACCEPT":
            return None
        del self._directives[response.request]
        if response.response == "CONFIRM":
            return Notice("ACTIVITY_HI", "COP1_DIRECTIVE", f"{kind} is done")
        return Notice("WARNING_HI", "COP1_DIRECTIVE", f"{kind} was given up: {reason or 'a new one came'}")


def directive_kind(name: str) -> DirectiveKind:
    """A directive by its name, or by UNLOCK, which is short for one.

    Raises:
        CommandRefused: no such directive.
    """
    kinds: dict[str, DirectiveKind] = {kind: kind for kind in get_args(DirectiveKind)}
    kinds["UNLOCK"] = "INITIATE_WITH_UNLOCK"
    kind = kinds.get(name.upper().replace("-", "_"))
    if kind is None:
        raise CommandRefused(f"no directive {name!r}{nearest(name.replace('-', '_'), kinds)}")
    return kind


def _directive_value(kind: DirectiveKind, value: int | None) -> int:
    allowed = T1_VALUES if kind == "SET_T1" else DIRECTIVE_VALUES.get(kind)
    if allowed is None:
        if value is not None:
            raise CommandRefused(f"{kind} takes no value")
        return 0
    if value is None or value not in allowed:
        given = "needs a value" if value is None else f"is {value}"
        raise CommandRefused(f"{kind} {given}: the range is {allowed.start} … {allowed.stop - 1}")
    return value


def _remedy(kind: DirectiveKind, state: FopState) -> str:
    terminated = kind.startswith("INITIATE") or kind == "SET_V_S"
    return ": terminate the service first" if terminated and state is not FopState.INITIAL else ""

"""Takes requests and writes CLTUs: `uplink` with a clock, a link and viewers.

    request ─▶ CommandServer ─▶ uplink ─▶ queue ─▶ thread: link.write ─▶ written, or not
    CLCWs, reports, time ─▶ uplink ─▶ archived, published

A write may take half a second, so it is another thread's; one at a time, in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import msgspec

from groundstation.downlink.receiver import ReceiverEvent
from groundstation.errors import CommandRefused, LinkError
from groundstation.links.base import Report, TransportChange
from groundstation.messages.base import Message
from groundstation.messages.commanding import (
    AcknowledgeRequest,
    ArmRequest,
    CommandingRequest,
    CommandRequest,
    CommandUpdate,
    CopDirectiveRequest,
    RequestAccepted,
    UplinkStatus,
)
from groundstation.messages.losses import LossBook
from groundstation.messages.throttle import EventThrottle
from groundstation.messages.wire import Acknowledgement, EventMessage, Telemetry
from groundstation.security.authorization import LOCAL, Principal
from groundstation.uplink.cop1_messages import Transmission
from groundstation.uplink.service import Uplink, UplinkOutcome
from protocols.declare.commands import shown
from protocols.units import NS_PER_MIN, NS_PER_MS, NS_PER_S

FRESH = NS_PER_MIN
"""How far a client's clock may be from the station's. A request is remembered that long; a repeated one is refused."""

TICK_S = 0.05
_TOKENS = 10_000
_TOKEN_SIZES = range(8, 65)
_NAME_MAX = 64
_TEXT_MAX = 400

UplinkMessage = CommandUpdate | UplinkStatus | EventMessage | Acknowledgement


class RequestGuard:
    """Accepts every request once, and only while it is fresh. Bounded."""

    def __init__(self, since: int) -> None:
        """Args: since when requests are remembered: an earlier one may have been executed by a previous station."""
        self._since = since
        self._seen: dict[str, int] = {}

    def check(self, request: CommandingRequest, now: int, wall: int) -> None:
        """Remember a request. It is fresh by the station's time, ``now``, or by ``wall``, the time of its caller.

        Raises:
            CommandRefused: it was received before, is old, or does not state its sender.
        """
        if not request.who.strip() or len(request.who) > _NAME_MAX:
            raise CommandRefused(f"a request states its sender in up to {_NAME_MAX} characters")
        if len(request.token) not in _TOKEN_SIZES:
            raise CommandRefused(f"a request has a token of {_TOKEN_SIZES.start} … {_TOKEN_SIZES.stop - 1} characters")
        if abs(now - request.issued) <= FRESH or abs(wall - request.issued) > FRESH:
            self._check_age(request.issued, now)
        self._forget(now)
        if request.token in self._seen:
            raise CommandRefused("replayed: this request was received before")
        if len(self._seen) >= _TOKENS:
            raise CommandRefused(f"more than {_TOKENS} requests in two minutes")
        self._seen[request.token] = now

    def _check_age(self, issued: int, now: int) -> None:
        age = now - issued
        if abs(age) > FRESH:
            when = f"{abs(age) // NS_PER_S} s {'ago' if age > 0 else 'ahead'}"
            raise CommandRefused(
                f"the request was made {when} by this station's clock: the range is 60 s. Set the clocks; a station "
                "whose clock was set keeps its own time until it is started again"
            )
        if issued < self._since:
            raise CommandRefused("the request was made before this station started: make it again")

    def _forget(self, now: int) -> None:
        """A request was made at most `FRESH` after it came, so it is fresh for at most twice that."""
        for token, came in list(self._seen.items()):
            if now - came <= 2 * FRESH:
                break
            del self._seen[token]


class CommandServer:
    """Takes requests, follows the link, writes to it.

    `transmit` runs in an event loop; the other methods may be called from any thread that has the ``lock``.
    """

    def __init__(
        self,
        uplink: Uplink,
        losses: LossBook,
        write: Callable[[bytes], None],
        publish: Callable[[UplinkMessage], None],
        clock: Callable[[], int],
        wall: Callable[[], int],
        lock: AbstractContextManager[None],
    ) -> None:
        """Prepare.

        Args:
            uplink: of the spacecraft.
            losses: what there is to acknowledge.
            write: the link's.
            publish: archives and publishes a message.
            clock: the station's time in ns.
            wall: the host's clock; it may be set.
            lock: to hold while publishing.
        """
        self._uplink = uplink
        self._losses = losses
        self._write = write
        self._publish = publish
        self._clock = clock
        self._wall = wall
        self._lock = lock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._guard = RequestGuard(clock())
        self._refusals = EventThrottle(self._publish_refusal, clock)
        self._outgoing: asyncio.Queue[Transmission] = asyncio.Queue()  # FOP-1 has one of a kind there, so three

    def answer(self, request: CommandingRequest, caller: Principal = LOCAL) -> RequestAccepted:
        """Execute a request of a client that may command.

        Raises:
            CommandRefused: it cannot be executed. Nothing was sent; an event has the request and its sender.
        """
        now = self._clock()
        try:
            # Over a private socket callers go by this host's clock, which may have been set since the station started.
            self._guard.check(request, now, self._wall() if caller.key is None else now)
            return self._execute(msgspec.structs.replace(request, who=caller.label(request.who)), now)
        except CommandRefused as error:
            self.refused()
            who = caller.label(request.who[:_NAME_MAX])
            text = f"{describe(request)} of {who!r}: {error}"
            self._refusals.note(f"{who} {describe(request)}", text[:_TEXT_MAX])
            raise

    def refused(self) -> None:
        """Count a request that was refused, here or before it came here."""
        self._uplink.refused += 1

    def follow(self, transport: Report | None, ocfs: Sequence[bytes], outcomes: Sequence[ReceiverEvent]) -> None:
        """What a report of a link brought.

        Args:
            transport: the report, if it is of the link over which commands go out; only changes of its transport count.
            ocfs: the CLCWs in it.
            outcomes: what else the receiver found in it.
        """
        now = self._clock()
        if isinstance(transport, TransportChange):
            self._process(self._uplink.link(transport.state == "CONNECTED", transport.detail, now))
        for ocf in ocfs:
            self._process(self._uplink.ocf(ocf, now))
        for outcome in outcomes:
            if isinstance(outcome, Telemetry):
                self._process(self._uplink.report(outcome, now))

    def tick(self) -> None:
        """Let time pass; to be called every `TICK_S`."""
        self._process(self._uplink.tick(self._clock()))
        self._refusals.tick()

    def close(self) -> None:
        """The station ends: what is under way is given up."""
        self._process(self._uplink.link(False, "the station stops", self._clock()))

    async def transmit(self) -> None:
        """Write what is to be sent, until cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            transmission = await self._outgoing.get()
            with self._lock:
                if not self._uplink.begin(transmission):
                    continue  # given up while it waited
            refused: LinkError | None = None
            try:
                await asyncio.to_thread(self._write, transmission.cltu)
            except LinkError as error:
                refused = error
            with self._lock:
                if refused is not None:
                    self._process(self._uplink.unwritten(transmission, str(refused), self._clock()))
                else:
                    self._process(self._uplink.written(transmission, self._clock()))

    def _execute(self, request: CommandingRequest, now: int) -> RequestAccepted:
        if isinstance(request, CommandRequest):
            return self._command(request, now)
        if isinstance(request, ArmRequest):
            self._process(self._uplink.arm(request.seconds, request.who, now))
            return RequestAccepted(text=f"armed for {request.seconds:g} s" if request.seconds else "disarmed")
        if isinstance(request, CopDirectiveRequest):
            self._process(self._uplink.directive(request.directive, request.value, request.who, now))
            return RequestAccepted(text=f"FOP-1 takes {request.directive}")
        if isinstance(request, AcknowledgeRequest):
            return self._acknowledge(request, now)
        raise CommandRefused(f"a station does not take {type(request).__name__}")

    def _acknowledge(self, request: AcknowledgeRequest, now: int) -> RequestAccepted:
        acknowledgement = self._losses.acknowledge(request.who, now, request.until)
        if acknowledgement is None:
            return RequestAccepted(text="nothing to acknowledge")
        self._publish(acknowledgement)
        return RequestAccepted(
            text="acknowledged: " + ", ".join(f"{loss.channel} LOS" for loss in acknowledgement.losses)
        )

    def _command(self, request: CommandRequest, now: int) -> RequestAccepted:
        number, outcomes = self._uplink.submit(
            request.name,
            request.arguments,
            request.who,
            now,
            bypass=request.bypass,
            timeout=request.timeout_ms * NS_PER_MS,
            repeats=request.repeats,
        )
        self._process(outcomes)
        return RequestAccepted(text=f"command {number} {request.name} is queued", command=number)

    def _publish_refusal(self, text: str) -> None:
        now = self._clock()
        self._publish(EventMessage(severity="WARNING_LO", source="STATION", name="REQUEST_REFUSED", text=text, ert=now))

    def _process(self, outcomes: list[UplinkOutcome]) -> None:
        for outcome in outcomes:
            if not isinstance(outcome, Transmission):
                self._publish(outcome)
            elif self._loop is None:
                self._outgoing.put_nowait(outcome)
            else:
                self._loop.call_soon_threadsafe(self._outgoing.put_nowait, outcome)


def describe(request: Message) -> str:
    """A request as text for the log."""
    if isinstance(request, CommandRequest):
        values = {name: v if isinstance(v, str) else shown(v) for name, v in request.arguments.items()}
        given = "".join(f" {name}={value}" for name, value in values.items())
        return f"{request.name}{given}"[:200]
    if isinstance(request, CopDirectiveRequest):
        return f"directive {request.directive}"[:200]
    if isinstance(request, AcknowledgeRequest):
        return "acknowledging"
    return "arming" if isinstance(request, ArmRequest) else str(request.__struct_config__.tag)

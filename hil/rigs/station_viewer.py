"""The rig as a viewer of the station: what was published and when, what became of commands; and orders to it.

A thread with an event loop of its own, so that the rig's pump is held up by nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import secrets
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

from groundstation.errors import StationError, StationGone
from groundstation.messages.commanding import ArmRequest, CommandRequest, CommandUpdate, RequestAccepted
from groundstation.messages.wire import AnyMessage, ContactChange, LinkStatus, Refusal, Telemetry
from groundstation.security.endpoints import Endpoints
from groundstation.uplink.service import STATION
from groundstation.viewer.client import StationClient
from groundstation.viewer.source import StationLost
from hil.scenario.scenario import Command
from protocols.declare.mission import Mission
from protocols.lander import MISSION
from protocols.units import NS_PER_MS

_T = TypeVar("_T")
_JOIN_TIMEOUT_S = 10.0
_ANSWER_TIMEOUT_S = 5.0
_ARMED_S = 10.0
_WHO = "rig"
_WATCHED = 4096
"""Frames whose publication is waited for."""


class StationViewer:
    """One viewer. Use it as a context.

    Attributes:
        delays_ms: from `sent` to the publication of a lander frame's packet.
        updates: the last that was said of each command, by its number at the station.
        losses: of the lander's signal, so far.
        locked: its signal is there.
        cut_off: the station has found that its port is gone, and has declared every contact lost.
        lost: the station has fallen silent.
        others_command: another client than the rig sent a command.
    """

    def __init__(
        self, station: Endpoints, clock: Callable[[], int], mission: Mission = MISSION, *, keep: bool = False
    ) -> None:
        """Args: whom to watch, now in ns, the mission that it receives, and whether `decoded` is wanted."""
        self._dictionary = mission.dictionary
        self._vcid = mission.dictionary.channels[0].vcid
        self._decoded: queue.SimpleQueue[Telemetry] | None = queue.SimpleQueue() if keep else None
        self._station = station
        self._clock = clock
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rig's viewer", daemon=True)
        self._watched: dict[int, int] = {}
        self._order: deque[int] = deque()
        self._client: StationClient | None = None
        self._task: asyncio.Task[None] | None = None
        self.delays_ms: list[float] = []
        self.updates: dict[int, CommandUpdate] = {}
        self.losses = 0
        self.locked = False
        self.cut_off = False
        self.lost = False
        self.others_command = False

    def __enter__(self) -> StationViewer:
        self._thread.start()
        self._call(self._join(), _JOIN_TIMEOUT_S)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(StationGone):  # it has been told, or will be when the station is stopped
            self._call(self._leave(), _JOIN_TIMEOUT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_JOIN_TIMEOUT_S)
        if not self._thread.is_alive():
            self._loop.close()

    def sent(self, scet: int, now: int) -> None:
        """A lander frame of that mission time went to the station's port."""
        if len(self._order) >= _WATCHED:
            self._watched.pop(self._order.popleft(), None)
        self._watched[scet] = now
        self._order.append(scet)

    def decoded(self) -> Iterator[Telemetry]:
        """All telemetry that the station published since this was asked last."""
        if self._decoded is not None:
            while not self._decoded.empty():
                yield self._decoded.get_nowait()

    def order(self, command: Command) -> int | str:
        """Give the station a command, arming it first if that is needed; its number, or why it was refused."""
        critical = self._dictionary.command(command.name).definition.critical
        requests: list[AnyMessage] = []
        if critical:
            requests.append(ArmRequest(who=_WHO, token=secrets.token_hex(16), issued=self._clock(), seconds=_ARMED_S))
        requests.append(
            CommandRequest(
                who=_WHO,
                token=secrets.token_hex(16),
                issued=self._clock(),
                name=command.name,
                arguments=command.args,
                bypass=command.bypass,
            )
        )
        try:
            answers = [self._call(self._ask(request), _ANSWER_TIMEOUT_S) for request in requests]
        except StationError as error:
            return str(error)
        refused = [answer.text for answer in answers if isinstance(answer, Refusal)]
        last = answers[-1]
        if refused or not isinstance(last, RequestAccepted) or last.command is None:
            return "; ".join(refused) or "the station did not take it"
        return last.command

    async def _join(self) -> None:
        self._client = StationClient(self._station, self._clock)
        await self._client.connect()
        self._task = asyncio.create_task(self._follow(self._client))

    async def _leave(self) -> None:
        if self._client is not None:
            await self._client.close()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _follow(self, client: StationClient) -> None:
        async for message in client.messages():
            self.lost = isinstance(message, StationLost)
            if self._decoded is not None and isinstance(message, Telemetry):
                self._decoded.put(message)
            if isinstance(message, Telemetry) and message.vcid == self._vcid:
                since = self._watched.pop(message.scet, None)
                if since is not None:
                    self.delays_ms.append((self._clock() - since) / NS_PER_MS)
            elif isinstance(message, CommandUpdate):
                self.updates[message.command] = message
                self.others_command = self.others_command or message.who not in (_WHO, STATION)
            elif isinstance(message, ContactChange) and message.vcid == self._vcid:
                self.losses += message.state == "LOS" and not message.revised
                self.locked = message.state in ("LOCKED", "DEGRADED")
            elif isinstance(message, LinkStatus):
                self.cut_off = message.transport != "CONNECTED" and not _has_signal(message)

    async def _ask(self, request: AnyMessage) -> AnyMessage:
        assert self._client is not None
        return await self._client.request(request)

    def _call(self, work: Coroutine[Any, Any, _T], timeout: float) -> _T:
        """Have it done in the loop's thread.

        Raises:
            StationGone: it was not done in time.
        """
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout)
        except TimeoutError as error:
            future.cancel()
            raise StationGone(f"the station did not answer the rig in {timeout:g} s") from error


def _has_signal(link: LinkStatus) -> bool:
    return any(state not in ("NO_SIGNAL", "LOS") for state in (link.state, *(each.state for each in link.channels)))

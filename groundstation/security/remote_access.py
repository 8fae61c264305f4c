"""A station's access for remote clients: keys, refusals, revocation.

A revocation applies at once: requests are refused from the next one on, and the telemetry socket is closed and opened
again, which disconnects all subscribers. Authorized ones reconnect within a moment.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import zmq.asyncio

from groundstation.errors import StationError, WorldError
from groundstation.messages.throttle import EventThrottle
from groundstation.security.authorization import AuthorizedKeys
from groundstation.security.connections import Refuse
from groundstation.security.endpoints import Endpoints
from groundstation.security.keys import KeyPair, KeyStore
from groundstation.security.server_sockets import ServerSockets
from groundstation.security.zap import CurveAuthenticator
from protocols.words import Severity

_WATCH_EVERY_S = 0.25


class Say(Protocol):
    """How to report an event."""

    def __call__(self, severity: Severity, name: str, text: str) -> None:
        """An event."""


class RemoteAccess:
    """A pair of sockets, with keys or, on loopback, without. To be used inside one event loop."""

    def __init__(
        self,
        context: zmq.asyncio.Context,
        ends: Endpoints,
        key: KeyPair | None,
        store: KeyStore,
        tally: EventThrottle,
        say: Say,
        refuse: Refuse,
    ) -> None:
        """Bind the sockets.

        Raises:
            CallerError: other hosts could reach them, and there is no key.
            WorldError: they cannot be bound.
        """
        self._say = say
        self._guests = AuthorizedKeys(store)
        self._told: str | None = None
        self._gate = None if key is None else CurveAuthenticator(context, key, self._guests, tally)
        try:
            self.door = ServerSockets(context, ends, self._gate, refuse, detached=True)
        except StationError:
            self._close_gate()
            raise

    async def serve(self) -> None:
        """Authorize and disconnect clients until cancelled."""
        if self._gate is None:
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._gate.serve())
            tasks.create_task(self._watch())

    def close(self) -> None:
        """Close the sockets. Idempotent."""
        self.door.close()
        self._close_gate()

    async def _watch(self) -> None:
        known = self._guests.let_in()
        leaving = False
        while True:
            let_in = self._guests.let_in()
            leaving = leaving or bool(known - let_in)
            known = let_in
            self._tell_of_list()
            if leaving:
                leaving = not await self._show_out()
            await asyncio.sleep(_WATCH_EVERY_S)

    async def _show_out(self) -> bool:
        try:
            await self.door.show_out()
        except WorldError as error:
            self._say("WARNING_HI", "ACCESS", f"remote clients cannot subscribe: {error}")
            return False
        text = "key revoked; remote subscribers disconnected (authorized ones will reconnect)"
        self._say("ACTIVITY_HI", "ACCESS", text)
        return True

    def _tell_of_list(self) -> None:
        error = self._guests.error
        if error == self._told:
            return
        self._told = error
        if error is None:
            self._say("ACTIVITY_HI", "ACCESS", "the list of keys can be read again")
        else:
            self._say("WARNING_HI", "ACCESS", f"no remote client is authorized: {error}")

    def _close_gate(self) -> None:
        if self._gate is not None:
            self._gate.close()

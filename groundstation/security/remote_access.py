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


class ReportEvent(Protocol):
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
        refusals: EventThrottle,
        report: ReportEvent,
        refuse: Refuse,
    ) -> None:
        """Bind the sockets.

        Raises:
            CallerError: other hosts could reach them, and there is no key.
            WorldError: they cannot be bound.
        """
        self._report = report
        self._keys = AuthorizedKeys(store)
        self._reported_error: str | None = None
        self._authenticator = None if key is None else CurveAuthenticator(context, key, self._keys, refusals)
        try:
            self.sockets = ServerSockets(context, ends, self._authenticator, refuse, detached=True)
        except StationError:
            self._close_authenticator()
            raise

    async def serve(self) -> None:
        """Authorize and disconnect clients until cancelled."""
        if self._authenticator is None:
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._authenticator.serve())
            tasks.create_task(self._watch())

    def close(self) -> None:
        """Close the sockets. Idempotent."""
        self.sockets.close()
        self._close_authenticator()

    async def _watch(self) -> None:
        known = self._keys.authorized()
        leaving = False
        while True:
            authorized = self._keys.authorized()
            leaving = leaving or bool(known - authorized)
            known = authorized
            self._report_list()
            if leaving:
                leaving = not await self._disconnect_revoked()
            await asyncio.sleep(_WATCH_EVERY_S)

    async def _disconnect_revoked(self) -> bool:
        try:
            await self.sockets.disconnect_all()
        except WorldError as error:
            self._report("WARNING_HI", "ACCESS", f"remote clients cannot subscribe: {error}")
            return False
        text = "key revoked; remote subscribers disconnected (authorized ones will reconnect)"
        self._report("ACTIVITY_HI", "ACCESS", text)
        return True

    def _report_list(self) -> None:
        error = self._keys.error
        if error == self._reported_error:
            return
        self._reported_error = error
        if error is None:
            self._report("ACTIVITY_HI", "ACCESS", "the list of keys can be read again")
        else:
            self._report("WARNING_HI", "ACCESS", f"no remote client is authorized: {error}")

    def _close_authenticator(self) -> None:
        if self._authenticator is not None:
            self._authenticator.close()

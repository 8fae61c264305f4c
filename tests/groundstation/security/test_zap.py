from __future__ import annotations

import asyncio
import time
from pathlib import Path

import zmq
import zmq.asyncio

from groundstation.messages.throttle import EventThrottle
from groundstation.security.authorization import AuthorizedKeys, Principal
from groundstation.security.keys import Credentials, KeyStore
from groundstation.security.zap import CurveAuthenticator


def test_without_an_answer_no_client_is_authorized(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    server, client = store.new("server"), store.new("client")
    store.allow("client", client.public, "telemetry", 1)
    told: list[str] = []

    async def run() -> None:
        with zmq.asyncio.Context() as context, zmq.asyncio.Context() as elsewhere:
            gate = CurveAuthenticator(context, server, AuthorizedKeys(store), EventThrottle(told.append, time.time_ns))
            with context.socket(zmq.ROUTER) as router, elsewhere.socket(zmq.DEALER) as dealer:
                gate.secure(router)
                router.bind("tcp://127.0.0.1:*")
                Credentials(client, server.public).apply(dealer)
                dealer.set(zmq.LINGER, 0)
                dealer.connect(router.get_string(zmq.LAST_ENDPOINT))
                await dealer.send(b"let me in")
                assert not await router.poll(300)
                serving = asyncio.create_task(gate.serve())
                _, frame = await asyncio.wait_for(router.recv_multipart(copy=False), 20)
                assert frame.bytes == b"let me in"
                assert gate.key_of(frame) == client.public
                assert gate.caller(client.public) == Principal("client", "telemetry")
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)
            gate.close()

    asyncio.run(run())
    assert told == []

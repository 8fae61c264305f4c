"""A station with a door for clients elsewhere, and clients that are no well-behaved ones."""

from __future__ import annotations

import asyncio
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import zmq

from groundstation.errors import StationGone
from groundstation.messages.commanding import ArmRequest, CommandRequest
from groundstation.messages.wire import AnyMessage, EventMessage, Snapshot, decode, encode
from groundstation.security.endpoints import Endpoints, pair_of
from groundstation.security.keys import Credentials, KeyPair, KeyStore
from groundstation.station.registry import Registry
from groundstation.viewer.client import StationClient
from hil.lander_io.servers import PtyServer
from protocols.ccsds.cltu import START

GROUND = [sys.executable, "-m", "groundstation.cli"]
PATIENCE_S = 20.0
T = TypeVar("T")


def free_pair() -> int:
    """A port that is free together with the next one."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def until(look: Callable[[], T | None], what: str) -> T:
    """Wait for something."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.02)
    raise AssertionError(f"no {what}")


@dataclass(frozen=True)
class RemoteHarness:
    """A station named ``bench`` at a port whose far end is here."""

    wire: PtyServer
    process: subprocess.Popen[bytes]
    ends: Endpoints
    key: KeyPair
    recording: Path

    def cltus(self, seen: list[bytes]) -> int:
        """Telecommands on the wire so far; ``seen`` keeps what was read."""
        seen.append(self.wire.receive())
        return b"".join(seen).count(START)


@contextmanager
def remote_bench(home: Path, name: str = "bench.sqlite", port: int | None = None) -> Iterator[RemoteHarness]:
    """A station that binds to loopback with a key: the same door as for others."""
    store = KeyStore()
    key = store.load("station") if "station" in store.names() else store.new("station")
    address = f"tcp://127.0.0.1:{port or free_pair()}"
    wire = PtyServer()
    recording = home / name
    command = [*GROUND, "serve", wire.url, "--name", "bench", "--record", str(recording), "--announce"]
    process = subprocess.Popen([*command, "--bind", address, "--key", "station"], stdout=subprocess.PIPE)
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline(), "the station did not start"
            assert wire.wait_for_listener(PATIENCE_S)
            until(lambda: snapshot().link.transport == "CONNECTED" or None, "open port")
            yield RemoteHarness(wire, process, pair_of(address), key, recording)
        finally:
            process.terminate()
            process.wait(PATIENCE_S)
            wire.close()


def ask(client: StationClient, *requests: AnyMessage) -> list[AnyMessage]:
    """The answers to some requests, and close the client."""

    async def run() -> list[AnyMessage]:
        try:
            return [await client.request(request) for request in requests]
        finally:
            await client.close()

    return asyncio.run(run())


def local() -> StationClient:
    """A client of this host's own user."""
    return StationClient(Registry().find("bench"), time.time_ns, timeout_s=PATIENCE_S)


def remote(bench: RemoteHarness, key: KeyPair | None, server: str | None = None) -> StationClient:
    """A client over the door with keys; without one if there is none."""
    credentials = None if key is None else Credentials(key, server or bench.key.public)
    return StationClient(bench.ends, time.time_ns, credentials=credentials)


def snapshot() -> Snapshot:
    """What this host's own user sees."""

    async def run() -> Snapshot:
        client = local()
        try:
            return await client.connect()
        finally:
            await client.close()

    while True:
        try:
            return asyncio.run(run())
        except StationGone:  # a busy machine
            continue


def event(name: str, words: str) -> EventMessage:
    """Wait for an event."""
    return until(lambda: next((e for e in snapshot().events if e.name == name and words in e.text), None), words)


def ping(token: str, who: str = "test") -> CommandRequest:
    """One CLTU, sent once."""
    fields: dict[str, Any] = {"who": who, "token": token.ljust(16, "."), "issued": time.time_ns()}
    return CommandRequest(**fields, name="PING", bypass=True, repeats=0)


def arm(seconds: float) -> ArmRequest:
    """Critical commands are allowed for so long."""
    return ArmRequest(who="test", token=secrets.token_hex(8), issued=time.time_ns(), seconds=seconds)


class RawClient:
    """A socket that sends bytes as they are, over one connection."""

    def __init__(self, bench: RemoteHarness, key: KeyPair) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.set(zmq.LINGER, 0)
        self._socket.set(zmq.RCVTIMEO, int(PATIENCE_S * 1000))
        Credentials(key, bench.key.public).apply(self._socket)
        self._socket.connect(bench.ends.command)

    def ask(self, request: AnyMessage | bytes) -> AnyMessage:
        self._socket.send(request if isinstance(request, bytes) else encode(request))
        return decode(self._socket.recv())

    def close(self) -> None:
        self._socket.close()
        self._context.term()

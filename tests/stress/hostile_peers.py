"""Peers that send what no well-behaved one sends, against real processes: how much memory that takes, and for how long
the station does not read its port.

    python -m tests.stress.hostile_peers [ATTACK …]

For each attack a station receives 100 frames a second from a pseudo-terminal, behind a door with keys; a process of its
own attacks for a few seconds with a key that may only listen or, ``raw_…``, over a door without keys, with bytes of its
own making. What is measured: the most memory that the station had (VmHWM), the longest time between two reads of the
port (from the recording's own stamps), the slowest answer to another client's request, and what is missing in the end.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import zmq

from groundstation.errors import StationError
from groundstation.messages.wire import Snapshot, SnapshotRequest, encode
from groundstation.recordings.reader import ArchiveReader
from groundstation.security.endpoints import Endpoints, pair_of
from groundstation.security.keys import Credentials, KeyPair, KeyStore
from groundstation.station.registry import Registry
from groundstation.viewer.client import StationClient
from tests.stress.kill_station import Feeder, wait_until_connected
from tests.stress.steady_reception import endless_frames
from tests.system.remote import free_pair
from tests.zmtp import connected, part

RATE = 100
"""Frames a second."""

LASTS_S = 6.0
CALM_S = 1.0


@dataclass(frozen=True, slots=True)
class Door:
    """Where an attacker comes, and with what."""

    ends: Endpoints
    key: KeyPair
    server: str

    def socket(self, context: zmq.Context[zmq.Socket[bytes]], kind: int) -> zmq.Socket[bytes]:
        found = context.socket(kind)
        found.set(zmq.LINGER, 0)
        found.set(zmq.SNDHWM, 0)
        Credentials(self.key, self.server).apply(found)
        return found

    def ports(self) -> list[int]:
        return [int(end.rpartition(":")[2]) for end in (self.ends.telemetry, self.ends.command)]


def long_subscription(door: Door, context: zmq.Context[zmq.Socket[bytes]], until: float) -> None:
    """One of 20 MB."""
    sub = door.socket(context, zmq.SUB)
    sub.connect(door.ends.telemetry)
    sub.subscribe(os.urandom(20_000_000))
    time.sleep(max(0.0, until - time.monotonic()))


def many_subscriptions(door: Door, context: zmq.Context[zmq.Socket[bytes]], until: float) -> None:
    """As many as go through, of 200 bytes."""
    sub = door.socket(context, zmq.XSUB)
    sub.connect(door.ends.telemetry)
    for number in itertools.count():
        sub.send(b"\1" + os.urandom(192) + number.to_bytes(8))
        if number % 1000 == 0 and time.monotonic() > until:
            return


def many_connections(door: Door, context: zmq.Context[zmq.Socket[bytes]], until: float) -> None:
    """600 with a key, half of them to each port."""
    held = []
    for number in range(600):
        held.append(door.socket(context, zmq.SUB if number % 2 else zmq.DEALER))
        held[-1].connect(door.ends.telemetry if number % 2 else door.ends.command)
        if number % 2:
            held[-1].subscribe(b"link")
    time.sleep(max(0.0, until - time.monotonic()))


def half_open(door: Door, context: zmq.Context[zmq.Socket[bytes]], until: float) -> None:
    """900 that say nothing, and come again when they are closed."""
    held: list[socket.socket] = []
    while time.monotonic() < until:
        for port in door.ports():
            with suppress(OSError):
                held.append(socket.create_connection(("127.0.0.1", port), 0.5))
        if len(held) > 900:
            held.pop(0).close()


def slow_loris(door: Door, context: zmq.Context[zmq.Socket[bytes]], until: float) -> None:
    """200 that send a byte of their greeting now and then."""
    held = [socket.create_connection(("127.0.0.1", port), 2) for port in door.ports() for _ in range(100)]
    for byte in b"\xff\0\0\0\0\0\0\0\1\x7f\3\0CURVE" + bytes(40):
        for each in held:
            with suppress(OSError):
                each.send(bytes([byte]))
        time.sleep(0.1)
        if time.monotonic() > until:
            return


def endless(door: Door, kind: bytes, parts: bytes, until: float) -> None:
    """Send more and more parts of a message; reconnect when disconnected."""
    port = door.ports()[kind == b"DEALER"]
    while time.monotonic() < until:
        with suppress(OSError), connected(port, kind) as own:
            while time.monotonic() < until:
                own.sendall(parts)


def raw_endless_request(door: Door, context: zmq.Context[zmq.Socket[bytes]], until: float) -> None:
    """One request whose envelope never ends, of parts of 10 kB."""
    endless(door, b"DEALER", part(bytes(10_000), more=True) * 10, until)


def raw_empty_parts(door: Door, context: zmq.Context[zmq.Socket[bytes]], until: float) -> None:
    """The same of empty parts: for libzmq each takes 64 bytes."""
    endless(door, b"DEALER", part(b"", more=True) * 50_000, until)


def raw_endless_subscription(door: Door, context: zmq.Context[zmq.Socket[bytes]], until: float) -> None:
    """A subscription of so many parts that it never ends."""
    endless(door, b"SUB", part(b"\1" + bytes(199), more=True) * 500, until)


def raw_subscriptions(door: Door, context: zmq.Context[zmq.Socket[bytes]], until: float) -> None:
    """40 connections with as many subscriptions as go through."""

    def one() -> None:
        port = door.ports()[0]
        while time.monotonic() < until:
            with suppress(OSError), connected(port, b"SUB") as own:
                while time.monotonic() < until:
                    own.sendall(b"".join(part(b"\1" + os.urandom(199)) for _ in range(50)))

    threads = [threading.Thread(target=one) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def many_requests(door: Door, context: zmq.Context[zmq.Socket[bytes]], until: float) -> None:
    """Snapshots, as many as go through, whose answers are never read."""
    dealer = door.socket(context, zmq.DEALER)
    dealer.set(zmq.RCVHWM, 1)
    dealer.set(zmq.RCVBUF, 4096)
    dealer.connect(door.ends.command)
    while time.monotonic() < until:
        dealer.send(encode(SnapshotRequest()))
        time.sleep(0.001)


def long_requests(door: Door, context: zmq.Context[zmq.Socket[bytes]], until: float) -> None:
    """Requests of 1 MB that mean nothing."""
    dealer = door.socket(context, zmq.DEALER)
    dealer.set(zmq.SNDHWM, 100)
    dealer.connect(door.ends.command)
    text = b'{"type":"stop_request","reason":"' + b"a" * 1_000_000 + b'"}'
    while time.monotonic() < until:
        dealer.send(text)


ATTACKS: dict[str, Callable[[Door, zmq.Context[zmq.Socket[bytes]], float], None]] = {
    attack.__name__: attack
    for attack in (
        long_subscription,
        many_subscriptions,
        many_connections,
        half_open,
        slow_loris,
        many_requests,
        long_requests,
        raw_endless_request,
        raw_empty_parts,
        raw_endless_subscription,
        raw_subscriptions,
    )
}


@dataclass(frozen=True, slots=True)
class Suffered:
    """What an attack did. Memory in MiB, times in ms."""

    memory: float
    before: float
    gap: float
    answer: float
    lost: int
    told: list[str]


class Steady:
    """Writes frames at a rate, and asks for a snapshot again and again; both beside the attack."""

    def __init__(self, feeder: Feeder) -> None:
        self.longest = 0.0
        self.sent = 0
        self._feeder = feeder
        self._frames = itertools.cycle(endless_frames())
        self._end = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._feed, self._ask)]

    def __enter__(self) -> Steady:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(60)

    def _feed(self) -> None:
        began = time.monotonic()
        while not self._end.is_set():
            self._feeder.write(memoryview(next(self._frames)))
            self.sent += 1
            self._end.wait(max(0.0, began + self.sent / RATE - time.monotonic()))

    def _ask(self) -> None:
        asyncio.run(self._asked())

    async def _asked(self) -> None:
        client = StationClient(Registry().find("attacked"), time.time_ns, timeout_s=60)
        while not self._end.is_set():
            began = time.monotonic()
            with suppress(StationError):
                await client.request(SnapshotRequest())
            self.longest = max(self.longest, time.monotonic() - began)
            await asyncio.sleep(0.05)
        await client.close()


def most_memory(pid: int) -> float:
    """The most resident memory since `forget_memory`, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def forget_memory(pid: int) -> None:
    """Reset the kernel's count."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


@contextmanager
def home(folder: Path) -> Iterator[None]:
    """Keys, sockets and recordings of this measurement alone."""
    (folder / "run").mkdir(mode=0o700)
    os.environ |= {"XDG_RUNTIME_DIR": str(folder / "run"), "XDG_DATA_HOME": str(folder)}
    yield


def suffer(folder: Path, attack: str) -> Suffered:
    """Let a station be attacked."""
    store = KeyStore()
    own, stranger = store.new("station"), store.new("stranger")
    store.allow("stranger", stranger.public, "telemetry", 1)
    place, recording, feeder = f"tcp://127.0.0.1:{free_pair()}", folder / "pass.sqlite", Feeder()
    command = [sys.executable, "-m", "groundstation.cli", "serve", f"serial:{feeder.device}", "--name", "attacked"]
    command += ["--record", str(recording), "--announce", "--bind", place]
    command += [] if attack.startswith("raw_") else ["--key", "station"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as station:
        try:
            assert station.stdout is not None
            assert station.stdout.readline(), "the station did not start"
            wait_until_connected(recording)
            with Steady(feeder) as steady:
                time.sleep(CALM_S)
                before = most_memory(station.pid)
                forget_memory(station.pid)
                began = time.time_ns()
                words = [sys.executable, "-m", "tests.stress.hostile_peers", "--attack", attack, place, own.public]
                subprocess.run(words, check=False, timeout=120)
                time.sleep(CALM_S)
                memory = most_memory(station.pid)
            told, lost = asyncio.run(_told())
        finally:
            station.send_signal(signal.SIGTERM)
    feeder.close()
    with ArchiveReader(recording) as reader:
        stamps = [ert for ert, _, _ in reader.chunks() if ert >= began]
    gap = max(late - early for early, late in itertools.pairwise(stamps)) / 1e6
    return Suffered(memory, before, gap, steady.longest * 1000, lost, told)


async def _told() -> tuple[list[str], int]:
    """What the station said of it, and how many frames it missed."""
    client = StationClient(Registry().find("attacked"), time.time_ns, timeout_s=60)
    try:
        snapshot = await client.request(SnapshotRequest())
        assert isinstance(snapshot, Snapshot)
        words = [f"{e.name}: {e.text}" for e in snapshot.events if e.severity.startswith("WARNING")]
        return words, snapshot.link.counters.frames_lost
    finally:
        await client.close()


def main() -> None:
    if sys.argv[1:2] == ["--attack"]:
        name, place, server = sys.argv[2:]
        door = Door(pair_of(place), KeyStore().load("stranger"), server)
        ATTACKS[name](door, zmq.Context(), time.monotonic() + LASTS_S)
        os._exit(0)
    for attack in sys.argv[1:] or ATTACKS:
        with tempfile.TemporaryDirectory() as folder, home(Path(folder)):
            found = suffer(Path(folder), attack)
        print(
            f"{attack:20} memory {found.before:.0f} -> {found.memory:.0f} MiB, "
            f"longest reception gap {found.gap:.0f} ms, longest answer {found.answer:.0f} ms, {found.lost} frames lost",
            flush=True,
        )
        for line in found.told:
            print(f"    {line}", flush=True)


if __name__ == "__main__":
    main()

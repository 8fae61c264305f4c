"""The bridge as a process: a pseudo-terminal on one side, links and whole stations on the other."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
import zmq

from groundstation.errors import LinkError
from groundstation.links.base import Chunk, Idle, RelayGap, TransportChange
from groundstation.links.relay_protocol import Welcome, pack, unpack_parts
from groundstation.recordings.reader import ArchiveReader
from groundstation.security.keys import Credentials, KeyStore
from hil.lander_io.servers import PtyServer
from tests.groundstation.links.collect import Sink, receive, started
from tests.stress.kill_station import Feeder
from tests.system.conftest import Run
from tests.system.remote import GROUND, PATIENCE_S, snapshot, until

STREAM = random.Random(1974).randbytes(400_000)
HALF = 200_000


class Bridge:
    """A bridge process, and what it says."""

    def __init__(self, device: str, *more: str, endpoint: str = "tcp://127.0.0.1:*") -> None:
        command = [*GROUND, "bridge", device, "--bind", endpoint, "--announce", "--with-parent", *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        assert first.startswith("{"), first
        about = json.loads(first)
        self.endpoint, self.public = about["endpoint"], about["public_key"]
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def url(self) -> str:
        return f"zmq:{self.endpoint}"

    def link(self, key: str, server_key: str | None = None) -> str:
        """The URL with keys."""
        return f"{self.url}?key={key}&server_key={server_key or self.public}"

    def said(self, words: str) -> str:
        return until(lambda: next((line for line in self.lines if words in line), None), words)

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines += self.process.stdout

    def stop(self) -> str:
        """End it; its last line."""
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        assert self.process.wait(PATIENCE_S) == 0
        self._reader.join(PATIENCE_S)
        return self.lines[-1]


@contextmanager
def bridged(device: str, *more: str) -> Iterator[Bridge]:
    bridge = Bridge(device, *more)
    try:
        yield bridge
    finally:
        if bridge.process.poll() is None:
            bridge.stop()
        assert bridge.process.stdout is not None
        bridge.process.stdout.close()


@pytest.fixture
def wire() -> Iterator[PtyServer]:
    server = PtyServer()
    yield server
    server.close()


def feed(wire: PtyServer, data: bytes, sizes: random.Random) -> None:
    """Write in pieces of any size, as a UART's interrupts would."""
    at = 0
    while at < len(data):
        size = sizes.randrange(1, 700)
        wire.send(data[at : at + size])
        at += size


def data(sink: Sink) -> bytes:
    return b"".join(chunk.data for chunk in sink.of(Chunk))


@contextmanager
def station(link: str, recording: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [*GROUND, "serve", link, "--name", "bench", "--record", str(recording), "--announce"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline(), "the station did not start"
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def recorded(path: Path) -> bytes:
    with ArchiveReader(path) as archive:
        return b"".join(data for _, _, data in archive.chunks())


def events(path: Path) -> list[str]:
    with ArchiveReader(path) as archive:
        return [f"{e['name']} {e['text']}" for e in (json.loads(each.body) for each in archive.events("event"))]


def test_byte_for_byte_to_a_station_with_keys_and_commands_back(home: Path, wire: PtyServer, run: Run) -> None:
    store = KeyStore()
    store.new("benchhost")
    store.allow("station", store.new("station").public, "command", 1)
    with bridged(wire.path, "--key", "benchhost") as bridge:
        assert wire.wait_for_listener(PATIENCE_S)
        with station(bridge.link("station"), home / "a.sqlite"):
            until(lambda: snapshot().link.detail.endswith("is open") or None, "port at the bridge")
            feed(wire, STREAM, random.Random(1))
            until(lambda: snapshot().link.counters.bytes_in == len(STREAM) or None, "stream")
            assert run("groundstation", "send", "PING", "--bypass").returncode == 0
            assert receive(wire, 8).startswith(b"\xeb\x90")
        assert bridge.said("a station came with the key 'station'")
        assert "dropped 0 reads (0 bytes); 0 bytes not acknowledged" in bridge.stop()
    assert recorded(home / "a.sqlite") == STREAM


def test_replug_is_told_with_the_port_s_own_times(tmp_path: Path) -> None:
    device = tmp_path / "ttyLander"
    first = PtyServer(device)
    with bridged(str(device)) as bridge, started(bridge.url) as (link, sink):
        assert first.wait_for_listener(PATIENCE_S)
        first.send(b"before")
        assert sink.wait_bytes(6) == b"before"
        first.hang_up()
        gone = sink.wait_for("DISCONNECTED")
        assert not gone.peer
        assert "at the bridge" in gone.detail
        with pytest.raises(LinkError, match=r"at the bridge: .*nothing was sent"):
            link.write(b"x")
        second = PtyServer(device)
        assert second.wait_for_listener(PATIENCE_S)
        sink.wait(lambda: sink.changes("CONNECTED")[-1].ert > gone.ert, "port that is back")
        second.send(b" after")
        assert sink.wait_bytes(12) == b"before after"
        link.write(b"command")
        assert receive(second, 7) == b"command"
        reports = sink.reports[next(i for i, r in enumerate(sink.reports) if isinstance(r, Chunk)) :]
        assert all(before.ert <= after.ert for before, after in pairwise(reports))
        second.close()


def test_another_program_at_the_far_port_is_told(wire: PtyServer) -> None:
    with bridged(wire.path) as bridge, started(bridge.url) as (_, sink):
        assert wire.wait_for_listener(PATIENCE_S)
        sink.wait_for("CONNECTED")
        fd = os.open(wire.path, os.O_RDWR | os.O_NOCTTY)
        try:
            sink.wait(lambda: sink.changes("CONNECTED")[-1].disturbance == "lasting", "reader")
            detail = sink.changes("CONNECTED")[-1].detail
            assert detail.startswith(f"at the bridge: {wire.path} is open; ")
            assert f"(pid {os.getpid()}) has it open too" in detail
        finally:
            os.close(fd)
        sink.wait(lambda: sink.changes("CONNECTED")[-1].disturbance == "", "going")


def test_a_station_that_ends_in_order_and_the_next_have_all_bytes_once(home: Path, wire: PtyServer) -> None:
    with bridged(wire.path) as bridge:
        assert wire.wait_for_listener(PATIENCE_S)
        feeding = threading.Thread(target=feed, args=(wire, STREAM[:HALF], random.Random(2)))
        with station(bridge.url, home / "a.sqlite"):
            feeding.start()
            until(lambda: snapshot().link.counters.bytes_in > 50_000 or None, "bytes")
        bridge.said("the station left")
        feeding.join()
        feed(wire, STREAM[HALF:], random.Random(2))
        started_again = time.time_ns()
        with station(bridge.url, home / "b.sqlite"):
            rest = len(STREAM) - len(recorded(home / "a.sqlite"))
            until(lambda: snapshot().link.counters.bytes_in >= rest or None, "rest")
        assert "dropped 0 reads (0 bytes)" in bridge.stop()
    assert recorded(home / "a.sqlite") + recorded(home / "b.sqlite") == STREAM
    with ArchiveReader(home / "b.sqlite") as archive:
        erts = [ert for ert, _, _ in archive.chunks()]
    assert erts[0] < started_again
    assert erts == sorted(erts)
    assert not [line for line in events(home / "b.sqlite") if line.startswith("RELAY_GAP")]


@pytest.mark.long
def test_a_station_that_is_killed_and_the_next_have_all_bytes(home: Path, wire: PtyServer) -> None:
    with bridged(wire.path) as bridge:
        assert wire.wait_for_listener(PATIENCE_S)
        feeding = threading.Thread(target=feed, args=(wire, STREAM[:HALF], random.Random(3)))
        with station(bridge.url, home / "a.sqlite") as process:
            feeding.start()
            until(lambda: snapshot().link.counters.bytes_in > 50_000 or None, "bytes")
            process.kill()
            process.wait()
        feeding.join()
        feed(wire, STREAM[HALF:], random.Random(3))
        first = recorded(home / "a.sqlite")
        with station(bridge.url, home / "b.sqlite"):
            until(lambda: snapshot().link.counters.bytes_in >= len(STREAM) - len(first) or None, "rest")
            bridge_is_empty(home / "b.sqlite")
        second = recorded(home / "b.sqlite")
    begins = STREAM.index(second[:64])
    assert STREAM.startswith(first)
    assert begins <= len(first)
    assert STREAM[begins:] == second


def bridge_is_empty(recording: Path) -> None:
    """Until the end of the stream is on disk."""
    until(lambda: recorded(recording).endswith(STREAM[-64:]) or None, "end of the stream")


def test_what_there_is_no_room_for_is_counted_at_both_ends(wire: PtyServer) -> None:
    with bridged(wire.path, "--buffer", "1") as bridge:
        assert wire.wait_for_listener(PATIENCE_S)
        stream = STREAM * 6
        feed(wire, stream, random.Random(4))
        bridge.said("the buffer is full and no station takes data")
        with started(bridge.url) as (link, sink):
            until(lambda: data(sink).endswith(stream[-64:]) or None, "end")
            got = data(sink)
            (gap,) = sink.of(RelayGap)
        dropped = re.search(r"dropped (\d+) reads \((\d+) bytes\)", bridge.stop())
        assert dropped is not None
        assert int(dropped[1]) == gap.missed == link.missed  # type: ignore[attr-defined]
        assert len(got) + int(dropped[2]) == len(stream)
        assert stream.endswith(got)
        assert len(got) < 1 << 20


def test_strangers_and_listeners_at_a_bridge(home: Path, wire: PtyServer) -> None:
    store = KeyStore()
    store.new("benchhost")
    stranger, viewer, wrong = store.new("stranger"), store.new("viewer"), store.new("wrong")
    store.allow("viewer", viewer.public, "telemetry", 1)
    with bridged(wire.path, "--key", "benchhost") as bridge:
        assert wire.wait_for_listener(PATIENCE_S)
        wire.send(b"secret")
        for link, words in (
            (bridge.link("stranger"), f"groundstation keys allow stranger {stranger.public}"),
            (bridge.link("viewer", wrong.public), "does not have the key given as server_key"),
            (bridge.url, "needs a key"),
        ):
            with started(link) as (_, sink):
                sink.wait(lambda: words in str(sink.changes("ATTEMPTING")), words)  # noqa: B023
                assert not sink.of(Chunk) and not sink.changes("CONNECTED")
        for words in ("an unknown key from 127.0.0.1", "holds another key for ours", "without a key"):
            bridge.said(words)
        with started(bridge.link("viewer")) as (listener, sink):
            assert sink.wait_bytes(6) == b"secret"
            with pytest.raises(LinkError, match="lets this key listen only"):
                listener.write(b"command")
            store.revoke("viewer", 2)
            sink.wait(lambda: "no longer authorized" in str(sink.changes("ATTEMPTING")), "revocation")
            wire.send(b"more")
            bridge.said("the station's key was revoked")
        with started(bridge.link("viewer")) as (_, sink):
            sink.wait(lambda: "does not let the key 'viewer' in" in str(sink.changes("ATTEMPTING")), "refusal")
            store.allow("viewer", viewer.public, "command", 3)  # the link tries again by itself
            sink.wait(lambda: data(sink).endswith(b"more"), "what was kept")
        assert wire.receive() == b""


def test_nothing_of_who_may_not_command_reaches_the_port(home: Path, wire: PtyServer) -> None:
    """By sockets that do not keep to what a link of ours would ask itself."""
    store = KeyStore()
    bench, viewer, anna = store.new("benchhost"), store.new("viewer"), store.new("anna")
    store.allow("viewer", viewer.public, "telemetry", 1)
    store.allow("anna", anna.public, "command", 1)
    with bridged(wire.path, "--key", "benchhost") as bridge, zmq.Context() as context:
        assert wire.wait_for_listener(PATIENCE_S)
        listener, other = context.socket(zmq.DEALER), context.socket(zmq.DEALER)
        for socket, key in ((listener, viewer), (other, anna)):
            socket.set(zmq.LINGER, 0)
            socket.set(zmq.RCVTIMEO, int(PATIENCE_S * 1000))
            Credentials(key, bench.public).apply(socket)
            socket.connect(bridge.url.removeprefix("zmq:"))
        listener.send(pack(1, 0, b""))
        assert isinstance(unpack_parts(listener.recv_multipart()).control, Welcome)
        listener.send(pack(2, 0, b"a listener's command"))
        bridge.said("commands of the key 'viewer': it may only listen")
        other.send(pack(1, 0, b"a command of a station that is not served"))
        bridge.said("commands from a station that is not served")
        for news in (b"[" * 50_000, b'{"type":"received","x":' + b"[" * 50_000, b"\xff", b"{}"):
            listener.send_multipart([pack(3, 0, b""), news])
        bridge.said("not a message of a station")
        store.allow("viewer", viewer.public, "command", 2)
        listener.send(pack(4, 0, b"may"))
        deadline, came = time.monotonic() + PATIENCE_S, b""
        while not came and time.monotonic() < deadline:
            came = wire.receive()
            time.sleep(0.02)
        assert came == b"may"
        listener.close()
        other.close()


def test_a_second_station_waits_for_the_first_to_leave(wire: PtyServer) -> None:
    with bridged(wire.path) as bridge:
        assert wire.wait_for_listener(PATIENCE_S)
        with ExitStack() as later:
            with started(bridge.url) as (_, first):
                wire.send(b"one")
                assert first.wait_bytes(3) == b"one"
                _, second = later.enter_context(started(bridge.url))
                second.wait(lambda: "serves another station" in str(second.changes("ATTEMPTING")), "refusal")
                wire.send(b"two")
                assert first.wait_bytes(6) == b"onetwo"
            wire.send(b"three")
            assert second.wait_bytes(5) == b"three"


def test_a_bridge_that_stalls_is_a_relay_that_stalls_and_loses_nothing(wire: PtyServer) -> None:
    with bridged(wire.path) as bridge, started(bridge.url) as (_, sink):
        assert wire.wait_for_listener(PATIENCE_S)
        sink.wait(lambda: bool(sink.of(Idle)), "silence that is heard")
        bridge.process.send_signal(signal.SIGSTOP)
        gone = sink.wait_for("DISCONNECTED")
        assert gone.peer
        heard = max(r.ert for r in sink.of(Idle))
        assert gone.ert - heard < 2_000_000_000
        wire.send(b"in flight")
        bridge.process.send_signal(signal.SIGCONT)
        assert sink.wait_bytes(9) == b"in flight"
        last = [r for r in sink.reports if isinstance(r, TransportChange)][-1]
        assert (last.state, last.peer) == ("CONNECTED", False)


LISTENER = """
import sys
from groundstation.links.base import RelayGap
from tests.groundstation.links.collect import started
with started(sys.argv[1]) as (link, sink):
    sink.wait_bytes(5)
    print("here", flush=True)
    sys.stdin.readline()
    got = sink.wait_bytes(int(sys.argv[2]))
    print(got.hex(), link.missed, len(sink.of(RelayGap)), flush=True)
"""


@pytest.mark.long
def test_a_station_that_stalls_gets_it_all_afterwards(wire: PtyServer) -> None:
    with bridged(wire.path) as bridge:
        assert wire.wait_for_listener(PATIENCE_S)
        wire.send(b"first")
        command = [sys.executable, "-c", LISTENER, bridge.url, str(5 + len(STREAM))]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as listener:
            try:
                assert listener.stdout is not None
                assert listener.stdout.readline() == "here\n"
                listener.send_signal(signal.SIGSTOP)
                feed(wire, STREAM, random.Random(5))
                bridge.said("the station left")
                listener.send_signal(signal.SIGCONT)
                assert listener.communicate("\n", PATIENCE_S)[0] == f"{(b'first' + STREAM).hex()} 0 0\n"
            finally:
                listener.kill()


def test_a_bridge_goes_on_when_its_output_is_not_read(wire: PtyServer) -> None:
    command = [*GROUND, "bridge", wire.path, "--bind", "tcp://127.0.0.1:*", "--announce"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = f"zmq:{json.loads(process.stdout.readline())['endpoint']}"
            process.stdout.close()
            assert wire.wait_for_listener(PATIENCE_S)
            for word in (b"first", b"second"):
                with started(url) as (_, sink):
                    wire.send(word)
                    sink.wait(lambda: data(sink).endswith(word), "bytes")  # noqa: B023
        finally:
            process.terminate()
        assert process.wait(PATIENCE_S) == 0


AHEAD = """
import asyncio, sys, time
from pathlib import Path
from groundstation.bridge.bridge import Bridge, BridgeConfig
from groundstation.security.keys import Credentials, KeyStore
from groundstation.links.serial import SerialLink

def clock():
    return time.time_ns() + 3600 * 10**9

async def run():
    link = SerialLink(sys.argv[1], clock)
    bridge = Bridge(BridgeConfig("tcp://127.0.0.1:*"), link, KeyStore(Path(sys.argv[2])), clock, lambda _: None)
    await bridge.run(lambda endpoint: print(endpoint, flush=True))

asyncio.run(run())
"""


@pytest.mark.long
def test_a_loss_behind_a_bridge_whose_clock_is_ahead_is_declared(home: Path) -> None:
    feeder = Feeder(period_s=0.02)
    command = [sys.executable, "-c", AHEAD, feeder.device, str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as bridge:
        try:
            assert bridge.stdout is not None
            with station(f"zmq:{bridge.stdout.readline().strip()}", home / "a.sqlite"):
                until(lambda: "is open" in snapshot().link.detail or None, "port at the bridge")
                feeder.start()
                until(lambda: snapshot().link.state == "LOCKED" or None, "lock")
                bridge.send_signal(signal.SIGSTOP)
                losses = until(lambda: [c for c in snapshot().contacts if c.state == "LOS"] or None, "loss of signal")
                verdict = losses[0].verdict
                assert verdict is not None
                assert verdict.cause in ("RELAY", "STATION")  # the latter if this machine is too busy to tell
                assert verdict.last_ert > time.time_ns() + 3500 * 10**9
        finally:
            bridge.kill()
            feeder.close()


def test_a_bridge_binds_nowhere_else_without_a_key(home: Path, run: Run) -> None:
    done = run("groundstation", "bridge", "/dev/null", "--bind", "tcp://0.0.0.0:5580")
    assert done.returncode == 2
    assert "groundstation keys new NAME" in done.stderr
    done = run("groundstation", "bridge", "zmq:ipc:///x", "--bind", "tcp://127.0.0.1:5580")
    assert (done.returncode, done.stdout) == (2, "")

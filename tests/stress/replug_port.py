"""Pulls a station's port and plugs it in again, over and over: is it found each time, and does nothing pile up?

    python -m tests.stress.replug_port 1000

The port is a pseudo-terminal behind a link, as udev makes one. It is away for up to a third of a second, every
twentieth time for two and a half: long enough for the longest pause between two tries. Found again means: a frame sent
into it has come as telemetry to a viewer. The station is another process; its file descriptors and threads are counted
while it receives, after the first rounds and at the end.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from groundstation.messages.wire import LinkStatus, Telemetry
from groundstation.station.registry import Registry
from groundstation.viewer.client import StationClient
from hil.lander_io.servers import PtyServer
from hil.verdict.oracle import fly
from protocols.profile import UART

LIMIT_S = 2.0
WARM_UP = 5
PATIENCE_S = 30.0
LONG_EVERY, LONG_S, SHORT_S = 20, 2.5, 0.33


@dataclass(slots=True)
class Replugged:
    """How long each return took, in seconds, and what the station held: file descriptors and threads."""

    took: list[float] = field(default_factory=list)
    before: tuple[int, int] = (0, 0)
    after: tuple[int, int] = (0, 0)


def held(pid: int) -> tuple[int, int]:
    """File descriptors and threads of a process."""
    return len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task"))


def frames() -> list[bytes]:
    """Frames of the bus, one packet each, from the descent's first seconds."""
    stream = b"".join(burst.data for burst in fly())
    return [stream[at : at + UART.cadu_length] for at in range(0, 60 * UART.cadu_length, UART.cadu_length)]


def replug(folder: Path, rounds: int, seed: int = 6) -> Replugged:
    """Start a station in ``folder`` and pull its port ``rounds`` times."""
    (folder / "run").mkdir(mode=0o700, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
    port = folder / "ttyBoard"
    server = PtyServer(port)
    command = [sys.executable, "-m", "groundstation.cli", "serve", f"serial:{port}", "--announce"]
    command += ["--name", "replug", "--record", str(folder / "pass.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as station:
        try:
            assert station.stdout is not None
            assert station.stdout.readline(), "the station did not start"
            return asyncio.run(_rounds(port, server, station.pid, rounds, random.Random(seed)))
        finally:
            station.send_signal(signal.SIGTERM)


async def _rounds(port: Path, server: PtyServer, pid: int, rounds: int, chance: random.Random) -> Replugged:
    result, sent = Replugged(), frames()
    client = StationClient(Registry().find("replug"), time.time_ns)
    try:
        await client.connect()
        messages = client.messages()
        await _acquire(server, messages, sent[0])
        for number in range(rounds):
            if number == min(WARM_UP, rounds - 1):
                result.before = held(pid)
            server.hang_up()
            await _until(messages, lambda m: isinstance(m, LinkStatus) and m.transport != "CONNECTED")
            await asyncio.sleep(LONG_S if number % LONG_EVERY == LONG_EVERY - 1 else chance.uniform(0, SHORT_S))
            server, plugged = PtyServer(port), time.monotonic()
            await _acquire(server, messages, sent[(number + 1) % len(sent)])  # never the same frame twice
            result.took.append(time.monotonic() - plugged)
        result.after = held(pid)
    finally:
        await client.close()
        server.close()
    return result


async def _acquire(server: PtyServer, messages: object, frame: bytes) -> None:
    assert await asyncio.to_thread(server.wait_for_listener, PATIENCE_S), "the station did not open the port"
    server.send(frame)
    await _until(messages, lambda m: isinstance(m, Telemetry))


async def _until(messages: object, wanted: object) -> None:
    async with asyncio.timeout(PATIENCE_S):
        async for message in messages:  # type: ignore[attr-defined]
            if wanted(message):  # type: ignore[operator]
                return


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as folder:
        result = replug(Path(folder), rounds)
    late = sum(took > LIMIT_S for took in result.took)
    print(
        f"{len(result.took)} times pulled and found again: median {statistics.median(result.took):.2f} s, "
        f"longest {max(result.took):.2f} s, {late} over {LIMIT_S:g} s; "
        f"file descriptors and threads {result.before} before, {result.after} after"
    )
    sys.exit(late > 0 or result.after != result.before)


if __name__ == "__main__":
    main()

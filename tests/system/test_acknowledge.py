"""An acknowledgement is the station's: every viewer sees it, it is recorded and replayed, and needs a command key."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from groundstation.messages.commanding import AcknowledgeRequest
from groundstation.messages.wire import Acknowledgement, LossStatus, Refusal, Snapshot, SnapshotRequest
from groundstation.recordings.reader import ArchiveReader
from groundstation.security.keys import KeyPair, KeyStore
from groundstation.viewer.client import StationClient
from hil.verdict.oracle import fly
from protocols.profile import UART
from tests.system.conftest import Run
from tests.system.remote import PATIENCE_S, RemoteHarness, ask, local, remote, remote_bench, snapshot, until

SIZE = UART.cadu_length


def client_key(name: str, *, command: bool) -> KeyPair:
    store = KeyStore()
    pair = store.new(name)
    store.allow(name, pair.public, "command" if command else "telemetry", time.time_ns())
    return pair


def lose_signal(bench: RemoteHarness) -> list[LossStatus]:
    """A second of the bus, then silence; the losses that are declared."""
    stream = b"".join(burst.data for burst in fly())
    for at in range(0, 30 * SIZE, SIZE):
        bench.wire.send(stream[at : at + SIZE])
        time.sleep(0.03)
    return until(lambda: snapshot().losses or None, "loss of signal")


def request(token: str) -> AcknowledgeRequest:
    return AcknowledgeRequest(who="wall", token=token * 16, issued=time.time_ns())


async def acknowledgement(client: StationClient, joined: asyncio.Event) -> Acknowledgement:
    """What a viewer that watches gets of it."""
    try:
        await client.connect()
        joined.set()
        async for update in client.messages():
            if isinstance(update, Acknowledgement):
                return update
    finally:
        await client.close()
    raise AssertionError("the station ended")


@pytest.mark.long
def test_it_is_seen_by_all_recorded_and_replayed(home: Path, run: Run) -> None:
    wall = client_key("wall", command=False)
    client_key("anna", command=True)

    async def watch(bench: RemoteHarness) -> tuple[Acknowledgement, str]:
        joined = asyncio.Event()
        async with asyncio.timeout(PATIENCE_S):
            watching = asyncio.create_task(acknowledgement(remote(bench, wall), joined))
            await joined.wait()
            given = ("--station", bench.ends.telemetry, "--key", "anna", "--server-key", bench.key.public)
            result = await asyncio.to_thread(run, "groundstation", "acknowledge", *given)
            assert result.returncode == 0, result.stderr
            return await watching, result.stdout

    with remote_bench(home) as bench:
        losses = lose_signal(bench)
        assert all(loss.acknowledged is None for loss in losses)
        refused, late = ask(remote(bench, wall), request("w"), SnapshotRequest())
        assert isinstance(refused, Refusal) and "telemetry only" in refused.text
        assert isinstance(late, Snapshot) and [loss.acknowledged for loss in late.losses] == [None] * len(losses)
        seen, said = asyncio.run(watch(bench))
        assert said.startswith("acknowledged: ") and "bus LOS" in said
        assert seen.who.startswith("key:anna ") and abs(seen.ert - time.time_ns()) < PATIENCE_S * 1e9
        assert {each.channel for each in seen.losses} == {loss.channel for loss in losses}
        known = snapshot()
        assert {loss.acknowledged and loss.acknowledged.who for loss in known.losses} == {seen.who}
        assert [each.ert for each in known.acknowledgements] == [seen.ert]
        again = run("groundstation", "acknowledge", "--station", "bench")
        assert (again.returncode, again.stdout) == (0, "nothing to acknowledge\n")
        assert isinstance(ask(local(), SnapshotRequest())[0], Snapshot)
    info = run("groundstation", "info", str(bench.recording)).stdout.splitlines()
    (loss,) = [number for number, line in enumerate(info) if line.startswith("loss of signal, bus")]
    assert info[loss + 1].startswith("  acknowledged ") and info[loss + 1].endswith(f"by {seen.who}")
    with ArchiveReader(bench.recording) as archive:
        (kept,) = [json.loads(each.body) for each in archive.events("acknowledgement")]
    assert (kept["who"], kept["ert"]) == (seen.who, seen.ert)
    lines = run("groundstation", "replay", str(bench.recording), "--json", "--speed", "100").stdout.splitlines()
    (told,) = [each for each in map(json.loads, lines) if each["type"] == "acknowledgement"]
    assert (told["who"], told["ert"], told["replay"]) == (seen.who, seen.ert, True)
    plain = run("groundstation", "replay", str(bench.recording), "--plain", "--speed", "100").stdout
    assert f"by {seen.who}" in next(line for line in plain.splitlines() if "ACKNOWLEDGED" in line)

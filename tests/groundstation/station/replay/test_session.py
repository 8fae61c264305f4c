"""A recording that a station plays in this process: marked, snapshots of the place alone, and no commands."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from groundstation.links.replay import replay_url
from groundstation.messages.commanding import AcknowledgeRequest, RequestAccepted
from groundstation.messages.wire import (
    AnyMessage,
    EventMessage,
    LinkStatus,
    Refusal,
    ReplayAck,
    ReplayControl,
    Snapshot,
    Telemetry,
)
from groundstation.viewer.client import StationClient
from hil.lander.flight_profile import FlightPlan
from hil.lander.spacecraft import Spacecraft
from hil.targets.telecommands import plan_cltus
from protocols.lander import EPOCH
from protocols.units import NS_PER_S
from tests.groundstation.made_recordings import record
from tests.groundstation.station.running import config_in, registry_in, running

BURSTS = 100
"""Ninety seconds of the cruise."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replay") / "pass.sqlite"
    record(path, bursts=BURSTS)
    return path


def samples(messages: Sequence[object]) -> list[tuple[str, int, int]]:
    """Packet, SCET and ERT of all telemetry."""
    return [(m.packet, m.scet, m.ert) for m in messages if isinstance(m, Telemetry)]


@asynccontextmanager
async def replaying(recording: Path, folder: Path) -> AsyncIterator[tuple[StationClient, Snapshot]]:
    """A paused replay, and a client that has joined it."""
    registry = registry_in(folder)
    config = replace(config_in(folder, replay_url(recording, speed=100, paused=True)), recording=None)
    async with asyncio.timeout(20), running(config, registry):
        client = StationClient(registry.find("bench"), time.time_ns)
        try:
            yield client, await client.connect()
        finally:
            await client.close()


def degraded(path: Path, seed: int, bursts: int) -> list[Telemetry]:
    """Record a descent with a chip that fails; what was said of the lander's values."""
    craft = Spacecraft()
    craft.receive(plan_cltus(FlightPlan(profile="degraded", seed=seed)))
    craft.start()
    sent = [data for _ in range(3_200) if (data := craft.step())]
    live = record(path, lambda number, _: sent[number - 1], bursts)
    return [each for each in live if isinstance(each, Telemetry) and each.packet == "DESCENT"]


async def played(client: StationClient) -> list[AnyMessage]:
    """All messages from the start of the replay to its end."""
    await client.request(ReplayControl(action="play"))
    seen: list[AnyMessage] = []
    async for update in client.messages():
        if isinstance(update, AnyMessage):
            seen.append(update)
        if isinstance(update, EventMessage) and update.name == "REPLAY_END":
            break
    return seen


def test_every_message_of_a_replay_is_marked(recording: Path, tmp_path: Path) -> None:
    async def run() -> tuple[Snapshot, list[AnyMessage]]:
        async with replaying(recording, tmp_path) as (client, snapshot):
            return snapshot, await played(client)

    snapshot, seen = asyncio.run(run())
    marked = [message for message in seen if isinstance(message, Telemetry | EventMessage | LinkStatus)]
    assert {type(message) for message in marked} == {Telemetry, EventMessage, LinkStatus}
    assert all(message.replay for message in marked)
    assert (snapshot.replay, snapshot.link.replay) == (True, True)
    (start,) = [event for event in snapshot.events if event.name == "STATION_START"]
    assert "this is a replay" in start.text


def test_a_replay_publishes_what_the_pass_published(recording: Path, tmp_path: Path) -> None:
    live = record(tmp_path / "again.sqlite", bursts=BURSTS)

    async def run() -> list[AnyMessage]:
        async with replaying(recording, tmp_path) as (client, _):
            return await played(client)

    seen = asyncio.run(run())
    assert samples(seen) == samples(live)
    assert len(samples(live)) > BURSTS
    events = [(e.name, e.ert) for e in seen if isinstance(e, EventMessage) and e.name != "REPLAY_END"]
    assert events == [(e.name, e.ert) for e in live if isinstance(e, EventMessage)]
    assert not (tmp_path / "pass.sqlite").exists()


def test_after_a_jump_a_late_viewer_gets_the_new_place_alone(recording: Path, tmp_path: Path) -> None:
    async def run() -> tuple[Snapshot, Snapshot]:
        async with replaying(recording, tmp_path) as (client, _):
            await played(client)
            at_the_end = await client.connect()
            await client.request(ReplayControl(action="pause"))
            await client.request(ReplayControl(action="skip", seconds=-60))
            while (snapshot := await client.connect()).link.playback is None or snapshot.link.playback.jumps < 2:
                await asyncio.sleep(0.01)
            return at_the_end, snapshot

    before, after = asyncio.run(run())
    assert before.telemetry
    assert "REPLAY_END" in [event.name for event in before.events]
    assert "REPLAY_END" not in [event.name for event in after.events]
    assert all(sample.ert <= EPOCH + 40 * NS_PER_S for sample in after.telemetry)
    assert after.link.counters.bytes_in < before.link.counters.bytes_in


def test_a_replay_acknowledges_nothing_and_takes_no_commands(recording: Path, tmp_path: Path) -> None:
    acknowledge = AcknowledgeRequest(who="test", token="t" * 16, issued=time.time_ns())

    async def run() -> list[AnyMessage]:
        async with replaying(recording, tmp_path) as (client, _):
            return [await client.request(r) for r in (ReplayAck(messages=0), ReplayAck(messages=10**6), acknowledge)]

    noted, too_many, refused = asyncio.run(run())
    assert isinstance(noted, RequestAccepted)
    assert isinstance(too_many, Refusal)
    assert "1000000 messages heard" in too_many.text
    assert refused == Refusal(text="this is a replay: a recording takes no commands", sent=getattr(refused, "sent", 0))


def test_after_a_jump_values_are_judged_as_they_were_live(tmp_path: Path) -> None:
    live = degraded(tmp_path / "degraded.sqlite", seed=6, bursts=1_600)
    place = EPOCH + 217 * NS_PER_S  # 09:09:30, when most of the words have been stuck for long

    async def run() -> list[Telemetry]:
        async with replaying(tmp_path / "degraded.sqlite", tmp_path) as (client, _):
            await client.request(ReplayControl(action="speed", speed=1000.0))
            await client.request(ReplayControl(action="seek", to="09:09:30"))
            return [each for each in await played(client) if isinstance(each, Telemetry) and each.packet == "DESCENT"]

    again = {each.ert: each.bad for each in asyncio.run(run()) if each.ert >= place}
    assert again == {each.ert: each.bad for each in live if each.ert >= place}
    assert len(again) > 50 and sum(bool(bad) for bad in again.values()) > 50

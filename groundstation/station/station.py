"""Puts a station together and runs it: link, sockets, recording, session and server.

Rules of the order:
1. What can be refused is refused first: link, link profile, key and endpoint, before anything is made.
2. Signals are handled before the station can be found, and so stopped.
3. The name is registered before the sockets are bound: its folder is theirs.
4. The sockets are bound before the recording is made: a port that is taken must not leave an empty one behind.
5. The end comes in reverse order. The last message says how complete the recording is.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from functools import partial

import msgspec
import zmq.asyncio

from groundstation.downlink.diversity_receiver import receiver_of
from groundstation.errors import ArchiveError, CallerError
from groundstation.links import open_link
from groundstation.links.base import Clock
from groundstation.links.link_set import LinkSet
from groundstation.links.replay import ReplayLink
from groundstation.links.wire_log import with_wire_log
from groundstation.recordings.mission_facts import mission_facts
from groundstation.recordings.schema import LINKS
from groundstation.recordings.writer import ArchiveWriter
from groundstation.security.endpoints import Endpoints, check, pair_of
from groundstation.security.keys import KeyPair, KeyStore
from groundstation.security.remote_access import RemoteAccess
from groundstation.station.config import StationConfig
from groundstation.station.live_session import LiveSession
from groundstation.station.monitoring.presence import Presence
from groundstation.station.monitoring.station_events import StationEvents
from groundstation.station.publisher import Publisher
from groundstation.station.recorder import NoArchive
from groundstation.station.registry import Registry, StationInfo
from groundstation.station.replay.session import ReplaySession
from groundstation.station.server import StationServer
from groundstation.station.session import Session
from groundstation.station.shutdown import GracefulShutdown
from groundstation.station.snapshot import SnapshotCache
from groundstation.uplink.service import Uplink
from protocols.units import NS_PER_S

SessionMaker = Callable[[Publisher], Session]
"""Makes a station's session, and its recording, when the sockets are bound."""


async def run_station(
    config: StationConfig,
    clock: Clock,
    registry: Registry,
    wall: Clock = time.time_ns,
    ready: Callable[[StationInfo], None] | None = None,
) -> None:
    """Run a station until a stop is requested; the arguments are those of `open_station`.

    Args:
        ready: called once viewers can connect.
    """
    async with open_station(config, clock, registry, wall) as station:
        await station.serve(ready)


@asynccontextmanager
async def open_station(
    config: StationConfig, clock: Clock, registry: Registry, wall: Clock = time.time_ns
) -> AsyncIterator[StationServer]:
    """A station that can be found and connected to; `StationServer.serve` makes it receive and answer.

    Args:
        config: what it receives, and for whom.
        clock: the station's own time, which is never set.
        registry: where it is found.
        wall: the host's clock.

    Raises:
        ArchiveError: the recording cannot be made, or lacks something in the end.
        CallerError: a station of this name runs already, or a part of the configuration cannot be.
    """
    started = clock()
    now, make_session = _prepare_session(config, clock, wall, started)
    key = None if config.key is None else KeyStore().load(config.key)
    remote_ends = None if config.bind is None else pair_of(config.bind)
    if remote_ends is not None:
        check(remote_ends.telemetry, keyed=key is not None)
    info = _info_of(config, registry.endpoints(config.name), started, key)
    shutdown, events = GracefulShutdown(), StationEvents(now)
    shutdown.listen()
    with _registered(registry, info), zmq.asyncio.Context() as context:
        refuse = events.connections.note
        with (
            closing(Publisher(context, info.telemetry, info.command, now, clock, refuse)) as publisher,
            _remote_access(context, remote_ends, key, events) as remote,
        ):
            if remote is not None:
                publisher.open(remote.sockets)
            presence = Presence(registry, info, publisher, events.report)
            session = make_session(publisher)
            try:
                yield StationServer(info, session, publisher, remote, presence, events, shutdown)
            finally:
                lack = await session.close(shutdown)
            if lack is not None:
                raise ArchiveError(lack)


def _prepare_session(config: StationConfig, clock: Clock, wall: Clock, started: int) -> tuple[Clock, SessionMaker]:
    """Open the link of a station.

    Returns:
        The time of its session, and what makes the session.
    """
    links = [open_link(each.url, clock, config.mission) for each in config.all_links]
    link = links[0]
    make_receiver = partial(receiver_of, config.mission)
    make_snapshot = partial(SnapshotCache, config.mission, config.name, os.getpid(), started)
    if isinstance(link, ReplayLink):
        make_again = partial(make_receiver, link.url, links=link.links)
        make_again()  # refuses a profile that no link delivers
        return link.now, lambda publisher: ReplaySession(link, make_again, make_snapshot, publisher, clock)
    if any(isinstance(each, ReplayLink) for each in links):
        raise CallerError("a recording is replayed alone: it has its own links")
    logged = [with_wire_log(each) for each in links]
    url = config.link if config.links else link.url
    receiver = make_receiver(url, links=config.links, commands=config.command_link)  # refuses such a profile, too

    def make_live(publisher: Publisher) -> Session:
        uplink = Uplink(config.dictionary, first_sequence=started // NS_PER_S)
        archive, path = _open_archive(config, started), _path_of(config)
        link_set = LinkSet(logged, clock, config.command_link)
        return LiveSession(link_set, receiver, archive, path, uplink, publisher, make_snapshot(), clock, wall)

    return clock, make_live


def _open_archive(config: StationConfig, started: int) -> ArchiveWriter | NoArchive:
    if config.recording is None:
        return NoArchive()
    meta = {"station": config.name, "link": config.link, "started": str(started)} | mission_facts(config.mission)
    if config.links:
        meta[LINKS] = msgspec.json.encode(config.links).decode()
    return ArchiveWriter(config.recording, meta)


def _path_of(config: StationConfig) -> str | None:
    return None if config.recording is None else str(config.recording)


def _info_of(config: StationConfig, ends: Endpoints, started: int, key: KeyPair | None) -> StationInfo:
    return StationInfo(
        telemetry=ends.telemetry,
        command=ends.command,
        name=config.name,
        pid=os.getpid(),
        link=config.link,
        started=started,
        recording=_path_of(config),
        remote=config.bind,
        public_key=None if key is None else key.public,
    )


@contextmanager
def _registered(registry: Registry, info: StationInfo) -> Iterator[None]:
    registry.register(info)
    try:
        yield
    finally:
        registry.unregister(info.name)


@contextmanager
def _remote_access(
    context: zmq.asyncio.Context, ends: Endpoints | None, key: KeyPair | None, events: StationEvents
) -> Iterator[RemoteAccess | None]:
    """The access of remote clients, if configured."""
    if ends is None:
        yield None
        return
    refuse = events.connections.note
    with closing(RemoteAccess(context, ends, key, KeyStore(), events.access, events.report, refuse)) as remote:
        yield remote

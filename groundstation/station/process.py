"""Stations as processes of their own: started, and stopped."""

from __future__ import annotations

import asyncio
import logging
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from groundstation.errors import ArchiveError, CallerError, OtherProtocol, StationError, StationGone
from groundstation.formats.output import echo
from groundstation.host.clock import host_clock
from groundstation.host.logs import options_of_child
from groundstation.host.service import parented
from groundstation.messages.wire import EventMessage, Refusal, StopRequest
from groundstation.recordings.event_bodies import Gap, body_of, sum_of
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.schema import GAP_KIND
from groundstation.station.config import StationConfig
from groundstation.station.registry import Registry, StationInfo
from groundstation.station.shutdown import RECORDING_CLOSED, RECORDING_INCOMPLETE
from groundstation.viewer.client import StationClient

_LOG = logging.getLogger("groundstation.station")

_START_S = 30.0
"""How long a station may take to start, on a busy host too."""
_STOP_S = 5.0
"""How long a station may take to end."""

_LOOK_S = 0.05


def start_station(config: StationConfig, *, wait: bool = False, with_parent: bool = False) -> StationInfo:
    """Start a station as a process of its own and wait until it serves.

    It outlives this process, unless ``with_parent`` ties it to it.

    Raises:
        CallerError: the mission cannot be found again by another process.
        StationError: it ended instead, with its own words and exit code; or did not start in time.
    """
    source = config.mission.source
    if not source:
        raise CallerError(f"mission {config.mission.name} has no source: get it from load_mission(NAME)")
    arguments = [sys.executable, "-m", "groundstation.cli", "serve", "--announce", *options_of_child()]
    arguments += [part for each in config.links for part in ("--link", f"{each.name}={each.url}")] or [config.link]
    arguments += ["--command-link", config.commands] if config.commands else []
    arguments += ["--name", config.name, *(["--wait"] if wait else [])]
    arguments += ["--mission", source]
    arguments += ["--record", str(config.recording)] if config.recording is not None else []
    arguments += ["--with-parent"] if with_parent else []
    arguments += ["--bind", config.bind] if config.bind is not None else []
    arguments += ["--key", config.key] if config.key is not None else []
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=words,
            start_new_session=True,
            env=parented() if with_parent else None,
        )
        assert process.stdout is not None
        with process.stdout as announcement:
            in_time = _is_readable(announcement)
            started = in_time and bool(announcement.readline())
        if not in_time:
            process.kill()
            process.wait()
            raise StationError(f"station {config.name} did not start in {_START_S:g} s")
        if not started:
            code = process.wait()
            words.seek(0)
            raise _not_started(words.read().decode(errors="backslashreplace"), code)
    info = Registry().find(config.name)
    _LOG.info("started station %s, pid %d, on %s", info.name, info.pid, info.link)
    process.returncode = 0  # it is meant to outlive this process: not waited for here
    return info


def _is_readable(pipe: IO[bytes]) -> bool:
    """Whether a line, or the end, comes in the time that a start may take."""
    ready = select.poll()
    ready.register(pipe.fileno(), select.POLLIN)
    return bool(ready.poll(_START_S * 1000))


def has_ended(info: StationInfo) -> bool:
    """Whether a station that this process has started has ended."""
    try:
        return os.waitid(os.P_PID, info.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # not a child, or not any more
        return not os.path.exists(f"/proc/{info.pid}")


def _not_started(words: str, code: int) -> StationError:
    """What a station said before it ended: its last line is the error, a traceback may stand before it."""
    *before, last = words.strip().splitlines() or ["the station did not start"]
    echo(*before, err=True)
    error = StationError(last.removeprefix("groundstation: "))
    error.exit_code = code
    return error


async def stop_station(info: StationInfo, reason: str) -> None:
    """Stop a station of this host and wait until it has closed its recording.

    Raises:
        ArchiveError: its recording lacks something, or was not closed.
        StationError: it will not stop.
        StationGone: it does not answer.
    """
    until = time.monotonic() + _STOP_S
    word = await _stop(StationClient(info, host_clock), reason, lambda: is_running(info))
    while is_running(info):
        if time.monotonic() > until:
            raise StationError(f"station {info.name} (pid {info.pid}) did not stop in {_STOP_S:g} s")
        await asyncio.sleep(_LOOK_S)
    if word is None:
        check_recording(info)
    else:
        _check_word(word)


async def stop_elsewhere(client: StationClient, reason: str) -> bool:
    """Stop a station that may be on another host; whether it said that its recording is closed.

    Raises:
        ArchiveError: its recording lacks something.
        StationError: it will not stop.
        StationGone: it does not answer.
    """
    word = await _stop(client, reason, lambda: True)
    if word is not None:
        _check_word(word)
    return word is not None


def is_running(info: StationInfo) -> bool:
    """Whether a station of this host lives."""
    return any((other.name, other.pid) == (info.name, info.pid) for other in Registry().running())


def check_recording(info: StationInfo) -> None:
    """Check that the recording of a station which has ended is closed and complete: it sent no last message.

    Raises:
        ArchiveError: it is not, or it cannot be read.
    """
    if info.recording is None:
        return
    with ArchiveReader(Path(info.recording)) as reader:
        if not reader.closed:
            raise ArchiveError(f"{info.recording} was not closed: its station ended before it could")
        gaps = [body_of(event, Gap, reader.path) for event in reader.events(GAP_KIND)]
    if gaps:
        raise ArchiveError(f"{info.recording} lacks {sum_of(gaps)}")


async def _stop(client: StationClient, reason: str, is_there: Callable[[], bool]) -> EventMessage | None:
    """Ask, and wait for the last word; None if none comes before the station is gone or time is up."""
    try:
        with suppress(StationGone, OtherProtocol):  # a stop it understands; or it does not answer either
            await client.connect()
        answer = await client.request(StopRequest(reason=reason))
        if isinstance(answer, Refusal):
            raise StationError(answer.text)
        listening = asyncio.create_task(_last_word(client))
        until = time.monotonic() + _STOP_S
        while not listening.done() and is_there() and time.monotonic() < until:
            await asyncio.wait([listening], timeout=_LOOK_S)
        await asyncio.wait([listening], timeout=_LOOK_S)
        word = listening.result() if listening.done() else None
        listening.cancel()
    finally:
        await client.close()
    return word


def _check_word(word: EventMessage) -> None:
    if word.name == RECORDING_INCOMPLETE:
        raise ArchiveError(word.text)


async def _last_word(client: StationClient) -> EventMessage | None:
    async for message in client.messages():
        if isinstance(message, EventMessage) and message.name in (RECORDING_CLOSED, RECORDING_INCOMPLETE):
            return message
    return None

"""Stations as processes of their own: started, and stopped."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile

from groundstation.client import StationClient
from groundstation.errors import StationError
from groundstation.host_time import host_clock
from groundstation.messages import Refusal, StopRequest
from groundstation.output import echo
from groundstation.registry import Registry, StationInfo
from groundstation.station_config import StationConfig


def start_station(config: StationConfig, *, wait: bool = False, with_parent: bool = False) -> StationInfo:
    """Start a station as a process of its own and wait until it serves.

    It outlives this process, unless ``with_parent`` ties it to it.

    Raises:
        StationError: it ended instead; its own words and exit code.
    """
    arguments = [sys.executable, "-m", "groundstation.cli", "serve", config.link, "--announce"]
    arguments += ["--name", config.name, *(["--wait"] if wait else [])]
    arguments += ["--record", str(config.recording)] if config.recording is not None else []
    arguments += ["--with-parent"] if with_parent else []
    arguments += ["--bind", config.bind] if config.bind is not None else []
    arguments += ["--key", config.key] if config.key is not None else []
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words, start_new_session=True
        )
        assert process.stdout is not None
        with process.stdout as announcement:
            started = bool(announcement.readline())
        if not started:
            code = process.wait()
            words.seek(0)
            raise _not_started(words.read().decode(errors="backslashreplace"), code)
    info = Registry().find(config.name)
    process.returncode = 0  # it is meant to outlive this process: nobody waits for it here
    return info


def _not_started(words: str, code: int) -> StationError:
    """What a station said before it ended: its last line is the error, a traceback may stand before it."""
    *before, last = words.strip().splitlines() or ["the station did not start"]
    echo(*before, err=True)
    error = StationError(last.removeprefix("groundstation: "))
    error.exit_code = code
    return error


async def stop_station(info: StationInfo, reason: str) -> None:
    """Ask a station to stop and wait until it has closed its recording."""
    await ask_to_stop(StationClient(info, host_clock), reason)
    for _ in range(100):
        if info.name not in [other.name for other in Registry().running()]:
            return
        await asyncio.sleep(0.05)
    raise StationError(f"station {info.name} (pid {info.pid}) did not stop in 5 s")


async def ask_to_stop(client: StationClient, reason: str) -> None:
    """Ask, and close the client.

    Raises:
        StationError: it will not.
        StationGone: it does not answer.
    """
    try:
        answer = await client.request(StopRequest(reason=reason))
    finally:
        await client.close()
    if isinstance(answer, Refusal):
        raise StationError(answer.text)

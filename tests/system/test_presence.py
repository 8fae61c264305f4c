"""A station whose runtime folder is wiped while it runs."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from groundstation.messages.wire import EventMessage, Heartbeat, Snapshot
from groundstation.station.registry import Registry, StationInfo
from groundstation.viewer.client import StationClient
from tests.system.conftest import Run
from tests.system.test_recording import serving

PATIENCE_S = 20.0


def wait_for(condition: Callable[[], object]) -> None:
    patience = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < patience
        time.sleep(0.05)


@pytest.fixture
def runtime(home: Path) -> Path:
    return home / "run" / "groundstation"


@pytest.fixture
def bench(home: Path, runtime: Path) -> Iterator[StationInfo]:
    with serving("zmq:ipc:///absent", "--record", str(home / "pass.sqlite")):
        (info,) = Registry().running()
        yield info


@contextmanager
def suspended(bench: StationInfo) -> Iterator[None]:
    """The station does not look: it would make files again in the middle of what removes them."""
    os.kill(bench.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(bench.pid, signal.SIGCONT)


def wipe_all(runtime: Path) -> None:
    shutil.rmtree(runtime)


def wipe_contents(runtime: Path) -> None:
    shutil.rmtree(runtime / "bench")


def wipe_sockets(runtime: Path) -> None:
    for name in ("tm", "cmd"):
        (runtime / "bench" / name).unlink()


def wipe_lock(runtime: Path) -> None:
    (runtime / "bench" / "lock").unlink()


@pytest.mark.long
@pytest.mark.parametrize("wipe", [wipe_all, wipe_contents, wipe_sockets, wipe_lock])
def test_a_wiped_station_is_found_again_and_loses_no_viewer(
    run: Run, bench: StationInfo, runtime: Path, wipe: Callable[[Path], None]
) -> None:
    async def watch() -> tuple[list[str], dict[str, int]]:
        old = StationClient(bench, time.time_ns)
        try:
            await old.connect()
            with suspended(bench):
                wipe(runtime)
            told: list[str] = []
            async with asyncio.timeout(PATIENCE_S):
                async for message in old.messages():
                    if isinstance(message, EventMessage) and message.name == "REGISTRY":
                        told.append(message.text)
                    if told and isinstance(message, Heartbeat):
                        break
            fresh = StationClient(bench, time.time_ns)
            try:
                assert isinstance(await fresh.connect(), Snapshot)
            finally:
                await fresh.close()
            return told, old.missed
        finally:
            await old.close()

    told, missed = asyncio.run(watch())
    assert len(told) == 1
    assert "made again: this station can be found" in told[0]
    assert not missed
    assert [info.pid for info in Registry().running()] == [bench.pid]
    done = run("groundstation", "stop")
    assert done.returncode == 0, done.stderr
    assert list(runtime.iterdir()) == []


@pytest.mark.long
def test_it_is_found_again_each_time(bench: StationInfo, runtime: Path) -> None:
    for _ in range(3):
        with suspended(bench):
            shutil.rmtree(runtime)
        wait_for(lambda: [info.pid for info in Registry().running()] == [bench.pid])
    os.kill(bench.pid, 0)


@pytest.mark.long
def test_a_name_that_another_station_took_stays_its(run: Run, home: Path, bench: StationInfo, runtime: Path) -> None:
    other = Registry(runtime)
    info = StationInfo(telemetry="ipc:///t", command="ipc:///c", name="bench", pid=os.getpid(), link="", started=0)
    with suspended(bench):
        shutil.rmtree(runtime)
        other.register(info)
    time.sleep(2.5)
    assert [found.pid for found in Registry().running()] == [os.getpid()]
    other.unregister("bench")
    os.kill(bench.pid, 0)

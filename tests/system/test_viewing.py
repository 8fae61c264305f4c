"""Viewers that begin and end a station, or none: what becomes of it, and what is said of it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import click
import pytest

from groundstation.cli import viewer as viewer_cli
from groundstation.cli.commanding import arm, cop
from groundstation.cli.output import follow
from groundstation.errors import AccessRefused, CommandRefused, StationGone
from groundstation.host.hangup import EXIT_HANGUP
from groundstation.host.service import EXIT_INTERRUPTED
from groundstation.messages.wire import Snapshot
from groundstation.security.endpoints import Endpoints
from groundstation.station.registry import Registry, StationInfo
from groundstation.viewer.client import StationClient
from groundstation.viewer.source import StationLost, Update
from tests.groundstation.made_recordings import record
from tests.groundstation.tui.scripted import snapshot as scripted
from tests.system.conftest import Run
from tests.system.remote import GROUND, PATIENCE_S, free_pair, until

LINK = "zmq:ipc:///absent/endpoint"
INFO = StationInfo(telemetry="ipc:///t", command="ipc:///c", name="bench", pid=1, link=LINK, started=0, recording="r")


def running(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*GROUND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def left(home: Path) -> Iterator[None]:
    """Whatever a failed test leaves running is stopped."""
    yield
    for info in Registry().running():
        os.kill(info.pid, signal.SIGTERM)


@pytest.mark.usefixtures("left")
def test_a_reader_that_leaves_ends_the_station() -> None:
    """As with ``| head``: no viewer is left, and without this the station would run on unnoticed."""
    with running("run", LINK, "--json") as viewer:
        assert viewer.stdout is not None and viewer.stderr is not None
        assert viewer.stdout.readline()
        viewer.stdout.close()
        said = viewer.stderr.read()
    assert said.startswith("stopped; the recording is ")
    assert said.count("\n") == 1
    assert not Registry().running()


@pytest.mark.usefixtures("left")
def test_a_viewer_whose_terminal_closes_says_that_its_station_goes_on() -> None:
    with running("run", LINK, "--json", "--name", "bench") as viewer:
        assert viewer.stdout is not None and viewer.stderr is not None
        assert viewer.stdout.readline()
        viewer.send_signal(signal.SIGHUP)
        viewer.stdout.read()
        said = viewer.stderr.read()
    assert viewer.returncode == EXIT_HANGUP
    assert said == "station bench goes on: groundstation watch bench\n"
    assert [info.name for info in Registry().running()] == ["bench"]


class Command:
    """``groundstation run`` in this process, with a station and a viewer that are none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, start: Callable[[], None], show: Callable[[], int]) -> None:
        self.stopped = self.shown = False

        def started(*_: object, **__: object) -> StationInfo:
            start()
            return INFO

        def showing(*_: object, **__: object) -> int:
            self.shown = True
            return show()

        async def stop(*_: object) -> None:
            self.stopped = True

        for name, fake in (("start_station", started), ("show", showing), ("stop_station", stop)):
            monkeypatch.setattr(viewer_cli, name, fake)
        monkeypatch.setattr(Registry, "running", lambda _: [INFO])

    def code(self) -> Any:
        with pytest.raises(SystemExit) as ended:
            viewer_cli.run.main([LINK, "--plain"], standalone_mode=False)
        return ended.value.code


def test_a_station_that_was_stopped_elsewhere_is_not_stopped_again(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = Command(monkeypatch, start=lambda: None, show=lambda: 0)
    monkeypatch.setattr(Registry, "running", lambda _: [])
    monkeypatch.chdir(home)
    record(Path("r"), bursts=1)
    assert command.code() == 0
    assert not command.stopped
    assert capsys.readouterr().err == "station bench has ended; the recording is r\n"


def kill(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_interrupts_while_a_station_starts_stops_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    before = signal.getsignal(number)
    command = Command(monkeypatch, start=lambda: kill(number), show=lambda: 0)
    assert command.code() == EXIT_INTERRUPTED
    assert (command.shown, command.stopped) == (False, True)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_interrupts_before_the_viewer_listens_stops_the_station(
    home: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    def show() -> int:
        kill(number)
        time.sleep(PATIENCE_S)
        return 0

    command = Command(monkeypatch, start=lambda: None, show=show)
    assert command.code() == EXIT_INTERRUPTED
    assert command.stopped


def test_a_viewer_that_crashes_leaves_the_station(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def show() -> NoReturn:
        raise ZeroDivisionError

    command = Command(monkeypatch, start=lambda: None, show=show)
    with pytest.raises(ZeroDivisionError):
        viewer_cli.run.main([LINK, "--plain"], standalone_mode=False)
    assert not command.stopped


class Client(StationClient):
    """Joins, is told that the station is lost, and finds out why."""

    def __init__(self, why: Exception | None = None, *, deaf: bool = False) -> None:
        super().__init__(Endpoints(telemetry="ipc:///t", command="ipc:///c"), time.time_ns)
        self._why, self._deaf = why, deaf

    async def connect(self) -> Snapshot:
        if self._deaf:
            kill(signal.SIGTERM)
            await asyncio.sleep(PATIENCE_S)
        return scripted(100)

    async def messages(self) -> AsyncIterator[Update]:
        yield StationLost(0)

    async def check_access(self) -> None:
        if self._why is not None:
            raise self._why


def test_a_viewer_is_interrupted_while_it_joins() -> None:
    assert asyncio.run(follow(INFO, "plain", client=Client(deaf=True))) == EXIT_INTERRUPTED


@pytest.mark.long
def test_who_is_shown_out_is_not_told_that_the_station_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AccessRefused):
        asyncio.run(follow(INFO, "plain", client=Client(AccessRefused("not let in"))))
    assert capsys.readouterr().err == ""
    assert asyncio.run(follow(INFO, "plain", client=Client())) == StationGone.exit_code
    assert capsys.readouterr().err == "the station is gone\n"


@pytest.mark.long
def test_a_station_that_does_not_answer_is_named_as_it_was_typed(run: Run) -> None:
    port = free_pair()
    done = run("groundstation", "watch", f"tcp://127.0.0.1:{port}", "--plain")
    assert done.returncode == 15
    assert f"no station answers at tcp://127.0.0.1:{port} (asked at tcp://127.0.0.1:{port + 1})" in done.stderr


def test_a_replay_takes_no_directives_and_says_how_it_goes_on(home: Path, run: Run) -> None:
    path = home / "pass.sqlite"
    record(path)
    with running("replay", str(path), "--paused", "--plain") as viewer:
        assert viewer.stdout is not None and viewer.stderr is not None
        try:
            name = until(lambda: next((info.name for info in Registry().running()), None), "a replay")
            assert viewer.stderr.readline() == f"paused: groundstation watch {name} moves it\n"
            for order in (["cop"], ["cop", "unlock"], ["arm", "5"], ["send", "PING"]):
                done = run("groundstation", *order)
                assert (done.returncode, done.stdout) == (22, ""), order
                assert "a recording takes no commands" in done.stderr
        finally:
            viewer.send_signal(signal.SIGTERM)
        viewer.communicate(timeout=PATIENCE_S)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (["foo"], "known: unlock, initiate, initiate-with-clcw-check"),
        (["Initiate-With-Unlok"], "did you mean 'initiate-with-unlock'?"),
    ],
)
def test_a_directive_that_cannot_be_is_refused_in_the_words_of_the_help(order: list[str], words: str) -> None:
    with pytest.raises(CommandRefused, match=words.replace("?", r"\?")):
        cop.main(order, standalone_mode=False)


def test_a_negative_number_is_no_option() -> None:
    assert arm.make_context("arm", ["-1"]).params["seconds"] == -1
    assert arm.make_context("arm", ["--station", "bench", "--", "-0.5"]).params["seconds"] == -0.5
    assert cop.make_context("cop", ["set-window", "-1", "--station", "bench"]).params["value"] == -1
    with pytest.raises(click.NoSuchOption):
        arm.make_context("arm", ["-x"])

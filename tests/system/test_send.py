"""Commands as a user sends them: a real station, the software lander behind a cable, and what may go wrong."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from groundstation.errors import StationGone
from groundstation.messages.commanding import CommandRequest, RequestAccepted
from groundstation.messages.wire import Refusal
from groundstation.recordings.reader import ArchiveReader
from groundstation.station.registry import Registry
from groundstation.viewer.client import StationClient
from hil.lander_io.servers import PtyServer, ZmqServer
from tests.lander_process import ChildProcess
from tests.system.conftest import Run
from tests.system.relay import LossyCable
from tests.targets.served import served

GROUND = [sys.executable, "-m", "groundstation.cli"]


@contextmanager
def lander(target: str, link: str, ready: bool = False) -> Iterator[str]:
    """The URL of a lander that flies when a station listens, or waits in READY."""
    if target == "software":
        options = [*link.split(), *(["--ready"] if ready else [])]
        with ChildProcess(["hil.cli", "lander", "--announce", *options]) as process:
            yield str(process.read()["url"])
        return
    with served(target, PtyServer() if link == "--pty" else ZmqServer("tcp://127.0.0.1:*")) as url:
        yield url


@contextmanager
def bench(
    home: Path, *, loss: float = 0.0, seed: int = 1, ready: bool = False, target: str = "software"
) -> Iterator[LossyCable]:
    """A lander, a cable and a station named ``bench`` that records to ``bench.sqlite``."""
    with lander(target, "--pty", ready) as url:
        cable = LossyCable(url.removeprefix("serial:"), loss, seed)
        arguments = [*GROUND, "serve", cable.url, "--name", "bench", "--record", str(home / "bench.sqlite")]
        station = subprocess.Popen([*arguments, "--announce"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            assert station.stdout is not None
            station.stdout.readline()
            wait_for_link()
            cable.start()
            yield cable
        finally:
            station.terminate()
            station.wait(10)
            station.stdout.close()  # type: ignore[union-attr]
            cable.close()


def wait_for_link() -> None:
    """Until the station has opened its port: what comes before is flushed."""

    async def connected() -> bool:
        client = StationClient(Registry().find("bench"), time.time_ns)
        try:
            return (await client.connect()).link.transport == "CONNECTED"
        except StationGone:  # a busy machine
            return False
        finally:
            await client.close()

    deadline = time.monotonic() + 20
    while not asyncio.run(connected()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def archived(home: Path) -> list[dict[str, object]]:
    with ArchiveReader(home / "bench.sqlite") as archive:
        return [json.loads(event.body) for event in archive.events("command")]


def events(home: Path) -> list[dict[str, object]]:
    with ArchiveReader(home / "bench.sqlite") as archive:
        return [json.loads(event.body) for event in archive.events("event")]


@pytest.mark.parametrize("target", ["software", "qemu", "simavr"])
def test_a_ping_completes_and_is_recorded(home: Path, run: Run, target: str) -> None:
    with bench(home, target=target):
        result = run("groundstation", "send", "PING", "--wait", "--json")
        assert result.returncode == 0, result.stderr
        updates = [json.loads(line) for line in result.stdout.splitlines()]
        assert [u["state"] for u in updates if not u["delivered"] or u["state"] != "SENT"] == [
            "QUEUED",
            "SENT",
            "ACCEPTED",
            "COMPLETED",
        ]
        assert "@" in updates[0]["who"]
    mine = [{**u, "seq": 0, "sent": 0} for u in archived(home) if u["command"] == updates[0]["command"]]
    assert mine == [{**{k: v for k, v in u.items() if not k.endswith("_utc")}, "seq": 0, "sent": 0} for u in updates]


def test_a_ready_lander_is_started(home: Path, run: Run) -> None:
    """Its greetings carry the CLCW that tells V(R)."""
    with bench(home, ready=True):
        result = run("groundstation", "send", "START", "--wait")
        assert result.returncode == 0, result.stderr
        assert result.stdout.splitlines()[-1].endswith("START by " + who() + ": COMPLETED at tick 0")
        failed = run("groundstation", "send", "START", "--wait")
        assert failed.returncode == 23
        assert failed.stderr == "groundstation: START: the spacecraft says WRONG_STATE\n"


def who() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"[:64]


@pytest.mark.long
@pytest.mark.parametrize(
    ("target", "ready"), [("software", False), ("software", True), ("qemu", False), ("simavr", False)]
)
def test_through_a_cable_that_loses_a_fifth_both_ways(home: Path, run: Run, target: str, ready: bool) -> None:
    with bench(home, loss=0.2, seed=2, ready=ready, target=target) as cable:
        for _ in range(5):
            result = run("groundstation", "send", "PING", "--wait", "--timeout", "40")
            assert result.returncode == 0, result.stdout + result.stderr
    assert sum(cable.lost) > 0


def test_two_viewers_see_who_commanded_what(home: Path, run: Run) -> None:
    with bench(home):
        viewers = [
            subprocess.Popen([*GROUND, "watch", *how], stdout=subprocess.PIPE, text=True)
            for how in (["--json"], ["--plain"])
        ]
        try:
            for viewer in viewers:
                assert viewer.stdout is not None
                viewer.stdout.readline()
            assert run("groundstation", "send", "STEP", "ticks=7", "--wait").returncode == 23
            time.sleep(0.3)
        finally:
            for viewer in viewers:
                viewer.terminate()
            told = [viewer.communicate(timeout=10)[0] for viewer in viewers]
    (as_json, plain) = told
    updates = [json.loads(line) for line in as_json.splitlines() if '"type":"command"' in line]
    steps = [u for u in updates if u["name"] == "STEP"]
    assert (steps[-1]["state"], steps[-1]["who"], steps[-1]["arguments"]) == ("FAILED", who(), {"ticks": 7})
    assert f"STEP ticks=7 by {who()}: FAILED at tick" in plain
    assert '"type":"uplink"' in as_json


def test_what_cannot_be_is_refused_before_anything_is_sent(shared: LossyCable, run: Run) -> None:
    for arguments, code, words in (
        (["PONG"], 22, "did you mean 'PING'"),
        (["STEP"], 22, "STEP.ticks is missing: 1 … 10000 tick"),
        (["STEP", "ticks=10001"], 22, "the range is 1 … 10000"),
        (["STEP", "tick=1"], 22, "did you mean 'ticks'"),
        (["SELECT_PROFILE", "profile=HARD"], 22, "SELECT_PROFILE.profile has no value 'HARD'"),
        (["FIRE_RETROS"], 22, "is critical: arm the station first"),
        (["PING", "--timeout", "0"], 2, "0.1 … 3600"),
        (["PING", "--timeout", "nan"], 2, "number of seconds"),
        (["PING", "--timeout", "1e306"], 2, "number of seconds"),
        (["STEP", "ticks=" + "9" * 401], 22, "expected a number"),
        (["STEP", "ticks=0x" + "f" * 5000], 22, "expected a number"),
        (["TRANSMITTER", "on=" + "9" * 5000], 22, "expected on, off"),
        (["STEP", "5"], 2, "'5' is not KEY=VALUE"),
    ):
        result = run("groundstation", "send", *arguments, "--wait")
        assert (result.returncode, result.stdout) == (code, ""), arguments
        assert words in result.stderr
        assert "Traceback" not in result.stderr
    assert shared.passed[1] == 0


def test_cop_directives_and_arming_from_the_command_line(shared: LossyCable, run: Run) -> None:
    assert run("groundstation", "send", "PING", "--wait").returncode == 0
    assert run("groundstation", "cop").stdout.startswith("FOP-1       ACTIVE, V(S) 1")
    for arguments, words in (
        (["set-window", "0"], "range is 1 … 255"),
        (["initiate"], "terminate the service first"),
        (["unlok"], "did you mean 'unlock'"),
    ):
        result = run("groundstation", "cop", *arguments)
        assert result.returncode == 22
        assert words in result.stderr
    assert run("groundstation", "cop", "terminate").returncode == 0
    assert run("groundstation", "cop").stdout.startswith("FOP-1       INITIAL")
    assert run("groundstation", "cop", "unlock").returncode == 0
    assert run("groundstation", "send", "FIRE_RETROS", "--wait").returncode == 22
    assert run("groundstation", "arm", "30").stdout == "armed for 30 s\n"
    assert f"armed by {who()}" in run("groundstation", "cop").stdout
    assert run("groundstation", "send", "FIRE_RETROS", "--wait").returncode == 23  # not now, says the lander
    assert run("groundstation", "arm", "0").stdout == "disarmed\n"
    assert run("groundstation", "send", "FIRE_RETROS", "--wait").returncode == 22


def test_an_order_is_taken_once_and_only_fresh(shared: LossyCable) -> None:
    async def ask(*orders: CommandRequest) -> list[object]:
        client = StationClient(Registry().find("bench"), time.time_ns)
        try:
            return [await client.request(order) for order in orders]
        finally:
            await client.close()

    def order(**more: object) -> CommandRequest:
        fields = {"who": "test", "token": os.urandom(8).hex(), "issued": time.time_ns(), "name": "PING"}
        return CommandRequest(**{**fields, **more})  # type: ignore[arg-type]

    first = order()
    stale, nameless, tokenless = order(issued=time.time_ns() - 61 * 10**9), order(who=" "), order(token="x")
    answers = asyncio.run(ask(first, first, stale, nameless, tokenless))
    assert isinstance(answers[0], RequestAccepted)
    refusals = [answer.text for answer in answers[1:] if isinstance(answer, Refusal)]
    assert [text.split(":")[0] for text in refusals] == [
        "replayed",
        "the request was made 61 s ago by this station's clock",
        "a request states its sender in up to 64 characters",
        "a request has a token of 8 … 64 characters",
    ]


@pytest.fixture
def shared(home: Path) -> Iterator[LossyCable]:
    with bench(home) as cable:
        yield cable


def test_refusals_are_in_the_log(home: Path, run: Run) -> None:
    with bench(home):
        run("groundstation", "send", "RESET", "--wait")
    (refused,) = [event for event in events(home) if event["name"] == "REQUEST_REFUSED"]
    assert refused["text"] == f"RESET of '{who()}': RESET is critical: arm the station first (groundstation arm 30)"
    assert archived(home) == []


@pytest.mark.parametrize("target", ["software", "qemu"])
def test_over_zeromq(home: Path, run: Run, target: str) -> None:
    with lander(target, f"--zmq ipc://{home}/z") as link:
        station = subprocess.Popen([*GROUND, "serve", link, "--name", "bench", "--announce"], stdout=subprocess.PIPE)
        with station:
            assert station.stdout is not None
            station.stdout.readline()
            wait_for_link()
            result = run("groundstation", "send", "PING", "--wait")
            station.terminate()
        assert result.returncode == 0, result.stderr


def test_without_a_station(run: Run) -> None:
    for arguments in (["send", "PING"], ["arm", "5"], ["cop"]):
        result = run("groundstation", *arguments)
        assert result.returncode == 15
        assert result.stderr.count("\n") == 1


def test_commands_are_explained(run: Run) -> None:
    listing = run("groundstation", "commands").stdout
    assert "! FIRE_RETROS" in listing
    assert "STEP ticks=…" in listing
    text = run("groundstation", "commands", "SCALE").stdout
    assert "number 0.1 … 100 ×, steps of 0.01" in text
    assert "one of HISTORICAL, SOFT_LANDING" in run("groundstation", "commands", "SELECT_PROFILE").stdout
    wrong = run("groundstation", "commands", "SCALES")
    assert (wrong.returncode, wrong.stderr) == (22, "groundstation: no command 'SCALES'; did you mean 'SCALE'?\n")

"""Commanded runs: the golden ones, in lockstep over real links, and the lander as a program of its own."""

from __future__ import annotations

import hashlib
import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from groundstation.downlink.receiver import Receiver
from groundstation.links import open_link
from groundstation.links.base import Chunk, Idle, Report, TransportChange
from groundstation.messages.wire import EventMessage, Telemetry
from hil.lander.physics.dynamics import TICK_NS
from hil.lander.spacecraft import Spacecraft
from hil.verdict.oracle import call, expect, fly
from protocols.declare.commands import Argument
from protocols.lander import EPOCH, MARS6
from protocols.profile import UART
from tests.golden.make import COMMANDED, commanded
from tests.golden.scripts import RUNS, Entry
from tests.groundstation.links.collect import receive, serve
from tests.groundstation.links.collect import started as opened
from tests.hil.lander.uplink import BOTH, command, packet, started
from tests.lander_process import ChildProcess

pytestmark = pytest.mark.long

PATIENCE_S = 20.0


def script_of(entries: list[Entry]) -> list[tuple[int, bytes]]:
    return [(entry.tick, entry.data) for entry in entries]


def test_the_golden_runs_are_those_of_the_software_lander() -> None:
    assert COMMANDED.read_text(encoding="utf-8") == commanded()


def test_the_golden_file_is_all_that_another_lander_needs() -> None:
    golden = json.loads(COMMANDED.read_text(encoding="utf-8"))
    assert golden["dictionary_hash"] == MARS6.hash_text
    assert list(golden["runs"]) == list(RUNS)
    for run in golden["runs"].values():
        craft, digest = Spacecraft(), hashlib.sha256()
        for number in range(run["calls"]):
            uplink = [bytes.fromhex(entry["cltu"]) for entry in run["uplink"] if entry["tick"] == number]
            digest.update(b"".join(map(craft.receive, uplink)) + craft.step())
            if so_far := run["so_far"].get(str(number + 1)):
                assert digest.hexdigest() == so_far
        assert digest.hexdigest() == run["sha256"]


def test_a_link_that_dropped_carries_no_command() -> None:
    start = expect(None, [(0, command("START"))], ready=True)
    late = expect(start.end - 10**9, [(0, command("START")), (3215, command("PING"))], ready=True)
    assert late == expect(start.end - 10**9, [(0, command("START"))], ready=True)


class Ground:
    """A receiver behind a link: what came, decoded."""

    def __init__(self, url: str) -> None:
        self.stream = b""
        self.telemetry: list[Telemetry] = []
        self.events: list[EventMessage] = []
        self._receiver = Receiver(MARS6, UART, url)

    def take(self, report: Report) -> None:
        if isinstance(report, Chunk):
            self.stream += report.data
        outcomes = self._receiver.process(report)
        self.telemetry += [each for each in outcomes if isinstance(each, Telemetry)]
        self.events += [each for each in outcomes if isinstance(each, EventMessage)]

    def ticks(self, packet: str) -> list[int]:
        ticks = [each.values["tick"] for each in self.telemetry if each.packet == packet]
        return [tick for tick in ticks if isinstance(tick, int)]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.stream).hexdigest()


@pytest.mark.parametrize("kind", ["pty", pytest.param("tcp", marks=pytest.mark.long)])
@pytest.mark.parametrize("name", ["clock", "soft landing"])
def test_a_commanded_run_in_lockstep_over_a_real_link(name: str, kind: str, tmp_path: Path) -> None:
    script = script_of(RUNS[name]())
    entries, craft, calls = list(script), Spacecraft(), 0
    with closing(serve(kind, tmp_path)) as server, opened(server.url) as (link, sink):
        assert server.wait_for_listener(5)
        sink.wait_for("CONNECTED")
        ground = Ground(server.url)
        ground.take(TransportChange(craft.scet, "CONNECTED", "in lockstep"))
        while craft.flies or entries:
            uplink = b""
            while entries and entries[0][0] == calls:
                uplink += entries.pop(0)[1]
            if uplink:
                link.write(uplink)
                assert receive(server, len(uplink)) == uplink
            burst = call(craft, uplink)
            server.send(burst.data)
            calls += 1
            came = sink.wait_bytes(len(ground.stream) + len(burst.data))[len(ground.stream) :]
            ground.take(Chunk(burst.scet, came) if came else Idle(burst.scet))
    assert ground.sha256 == expect(None, script, ready=True).sha256
    if name == "clock":
        _check_clock(ground)
    else:
        assert ground.ticks("DESCENT")[-1] == 3127  # it stands on the ground
        assert ground.ticks("SURFACE") == list(range(4550, 12_060, 100))
        failures = [each.values["failure"] for each in ground.telemetry if each.packet == "COMMAND_FAILED"]
        assert failures == ["WRONG_STATE"] * 4


def _check_clock(ground: Ground) -> None:
    """Calls are ahead of ticks by as many as found the clock standing."""
    completed = ground.ticks("COMMAND_COMPLETED")
    assert completed[:4] == [0, 0, 0, 0]
    assert {12, 15, 25, 28, 31, 931, 966, 976, 1066, 1200, 1266, 1966} <= set(completed)
    science = ground.ticks("DESCENT")
    ends = [n for n, (tick, then) in enumerate(pairwise(science), 1) if then < tick]
    assert len(ends) == 2
    assert not set(science[: ends[0]]) & set(range(976, 1200))
    assert science[ends[1] :] == list(range(880, 3120))
    drogues = [each.scet for each in ground.events if each.name == "DROGUE"]
    assert drogues == [EPOCH + tick * TICK_NS for tick in (1066, 1590)]


class Live(Ground):
    """A lander process in real time and the ground that commands it."""

    def __init__(self, *options: str) -> None:
        self._helper = ChildProcess(["hil.cli", "lander", "--announce", "--ready", *options])
        super().__init__(url := str(self._helper.read()["url"]))
        self._reports: list[Report] = []
        self._link = open_link(url, time.time_ns)
        self._link.start(self._reports.append)
        self._taken = 0
        self.until(lambda: self._receiver.connected, "connection")

    def until(self, wanted: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not wanted():
            assert time.monotonic() < deadline, f"no {what}; last came {self.telemetry[-3:]}"
            for report in self._reports[self._taken :]:
                self._taken += 1
                self.take(report)
            time.sleep(0.002)

    def send(self, name: str, **values: Argument) -> tuple[int, bytes]:
        """Send a command and wait until it is carried out: the tick, and what was sent."""
        before = len(self.ticks("COMMAND_COMPLETED"))
        data = command(name, before, BOTH, **values)
        self._link.write(data)
        self.until(lambda: len(self.ticks("COMMAND_COMPLETED")) > before, f"completion of {name}")
        return self.ticks("COMMAND_COMPLETED")[-1], data

    def finished(self) -> bool:
        return self._helper.read() == {"state": "finished"}

    def close(self) -> None:
        self._link.stop()
        self._helper.stop()


@pytest.fixture(params=[("--pty",), ("--zmq", "tcp://127.0.0.1:*")], ids=["pty", "zmq"])
def live(request: pytest.FixtureRequest) -> Iterator[Live]:
    ground = Live("--speed", "100", *request.param)
    yield ground
    ground.close()


def test_the_lander_program_in_real_time(live: Live) -> None:
    """What comes down is what the oracle sends that got the same commands at the same ticks."""
    # Slowly at first: HOLD has to come before tick 1000, however busy this machine is.
    script = [live.send("SCALE", factor=0.1), live.send("START")]
    held, data = live.send("HOLD")
    script.append((held, data))
    greetings = [each for each in live.events if each.name == "BOOT"]
    assert greetings
    assert live.ticks("BUS_HK") == [0] * len(greetings) + list(range(0, held, 10))
    calls, tick = held + 1, held

    def stepped(to: int) -> None:
        nonlocal calls, tick
        script.append((calls, live.send("STEP", ticks=to + 1 - tick)[1]))
        live.until(lambda: live.ticks("BUS_HK")[-1] == to, f"tick {to}")
        calls, tick = calls + to + 1 - tick, to + 1

    def sent(name: str, **values: Argument) -> None:
        nonlocal calls
        at, data = live.send(name, **values)
        assert at == tick
        script.append((calls, data))
        calls += 1

    stepped(1000)
    sent("TRANSMITTER", on=False)
    stepped(1050)
    sent("TRANSMITTER", on=True)
    sent("DEPLOY_PARACHUTE")
    stepped(1060)
    time.sleep(0.1)
    assert live.ticks("BUS_HK")[-1] == 1060
    sent("SCALE", factor=1)
    sent("RESUME")
    assert live.finished()
    start = packet("START", 1)[:4]
    expected = started(b"".join(burst.data for burst in fly(script=script, ready=True)), start)
    live.until(lambda: len(started(live.stream, start)) >= len(expected), "rest of the pass")
    assert started(live.stream, start) == expected
    assert not set(live.ticks("DESCENT")) & set(range(1001, 1051))
    # After the pass it goes on taking commands, and flies again.
    assert live.send("RESET")[0] == 3220
    assert live.send("START")[0] == 0
    live.until(lambda: live.ticks("BUS_HK")[-1] == 50, "second descent")


def test_scale_sets_the_pace_and_hold_stops_it(live: Live) -> None:
    live.send("SCALE", factor=0.1)
    live.send("START")
    begin, first = time.monotonic(), live.ticks("BUS_HK")
    live.until(lambda: len(live.ticks("BUS_HK")) >= len(first) + 10, "ten seconds of the mission")
    slow = time.monotonic() - begin
    live.send("SCALE", factor=1)
    begin, first = time.monotonic(), live.ticks("BUS_HK")
    live.until(lambda: len(live.ticks("BUS_HK")) >= len(first) + 10, "ten seconds of the mission")
    fast = time.monotonic() - begin
    assert slow > 0.85
    assert fast < 0.6 * slow
    live.send("HOLD")
    count = len(live.ticks("BUS_HK"))
    time.sleep(0.2)
    live.send("PING")
    assert len(live.ticks("BUS_HK")) == count


def test_a_lander_that_waits_ends_when_it_is_told_to() -> None:
    helper = ChildProcess(["hil.cli", "lander", "--announce", "--ready", "--pty"])
    assert helper.read()["state"] == "waiting"
    assert helper.stop() in (-signal.SIGTERM, 0, 130, 143)

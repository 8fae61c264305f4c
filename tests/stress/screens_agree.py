"""Six viewers watch ten flights in tmux, and at each second their screens are held against the recording.

    python -m tests.stress.screens_agree            all flights
    python -m tests.stress.screens_agree slow-line  one of them

Rules, each with what it allows a screen that was read between ``begin`` and ``end`` (ns of this host):

1. Altitude and speed are of one packet that the recording holds, received in the second before ``end``, or of the last
   one before that second. A viewer that says LAG may show an older one, by as much as it says.
2. A value whose packet came more than `STALE_S` ago is marked stale, and LIVE is not said over it.
3. The lander's signal state is one that the recording has for that second.
4. While the station does not answer for `GONE_S` neither LIVE nor LOCK is said, and no recording is green.
5. The count of lost frames is one that the bytes written so far make true; at the end it is the script's.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from groundstation.downlink.receiver import Receiver
from groundstation.links.base import Chunk
from groundstation.messages.wire import Telemetry
from groundstation.recordings.reader import ArchiveReader
from groundstation.security.endpoints import pair_of
from protocols.lander import LANDER, MARS6
from protocols.profile import UART
from tests.stress.cable import FLIGHTS, Cable, S
from tests.stress.screens import Screens
from tests.system.remote import free_pair
from tests.system.slow_line import slow_line

SIZES = ((60, 18), (80, 24), (120, 40), (200, 60), (80, 24), (120, 40))
SLOW = 5
"""Which of the viewers is behind the slow line, in the flight that has one."""
RATE = 9000
"""Bytes a second of the slow line."""
ALLOWED_S = 1.0
STALE_S = 1.5
"""After a second without a packet a value is stale at the latest; half a second for the painting of ages."""
GONE_S = 3.0
TAIL_S = 3.0
LITTLE_S = 0.3
"""A viewer that is less late than this shows fresh values as fresh."""
UNCOMMITTED_S = 0.5
"""A killed station may lack what came in so many seconds before."""
CLOCKS_S = 0.02
"""What the station's clock and this program's may be apart."""
JOIN_S = 60.0
GROUND = [sys.executable, "-m", "groundstation.cli"]


@dataclass(frozen=True, slots=True)
class Look:
    """One screen as it was read."""

    viewer: int
    begin: int
    end: int
    screen: str


@dataclass(slots=True)
class Truth:
    """What was recorded, and when the station was not there.

    Attributes:
        samples: ERT, altitude and speed as the screen would print them.
        states: ERT and the lander's signal state from then on.
        away: begin and end of each time in which the station was stopped or dead.
    """

    samples: list[tuple[int, str, str]] = field(default_factory=list)
    states: list[tuple[int, str]] = field(default_factory=list)
    away: list[tuple[int, int]] = field(default_factory=list)

    def read(self, recording: Path) -> None:
        """Add what a recording holds."""
        with ArchiveReader(recording) as archive:
            self.decode((ert, data) for ert, _, data in archive.chunks())
            for event in archive.events("contact"):
                body = json.loads(event.body)
                if body["vcid"] == LANDER:
                    self.states.append((body["ert"], body["state"]))

    def decode(self, chunks: Iterable[tuple[int, bytes]]) -> None:
        """Add what bytes say that came at these times."""
        receiver = Receiver(MARS6, UART, "archive:")
        for ert, data in chunks:
            for outcome in receiver.process(Chunk(ert, data)):
                if isinstance(outcome, Telemetry) and outcome.packet == "DESCENT":
                    altitude, speed = outcome.values["altitude"], outcome.values["speed"]
                    self.samples.append((ert, f"{altitude:,.1f}", f"{speed:,.2f}"))


class Flight:
    """One flight with its station, viewers and looks."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.looks: list[Look] = []
        self.truth = Truth()
        self._folder = folder
        self._port = folder / "port"
        self._recordings: list[Path] = []
        self._station: subprocess.Popen[bytes] | None = None
        self._address = f"tcp://127.0.0.1:{free_pair()}"
        (folder / "run").mkdir(mode=0o700)
        self._environment = dict(os.environ) | {
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "XDG_DATA_HOME": str(folder / "data"),
        }

    def fly(self) -> None:
        """Fly it, and look at every screen once a second."""
        with ExitStack() as stack:
            stack.callback(self._end_station)
            cable = Cable(self._port, FLIGHTS[self.name](), self._act)
            stack.callback(cable.close)
            self._start_station()
            screens = stack.enter_context(Screens(self._folder))
            for number, size in enumerate(SIZES):
                command = f"{sys.executable} -m groundstation.cli watch {self._target(number, stack)}"
                screens.open(f"v{number}", size, command, self._environment)
            for number in range(len(SIZES)):
                screens.wait(f"v{number}", lambda screen: "CONN" in screen, JOIN_S)
            cable.start()
            self._watch(screens, cable.seconds + TAIL_S)
        for recording in self._recordings:
            self.truth.read(recording)
        if "kill station" in (step.action for step in FLIGHTS[self.name]()):
            killed = self.truth.away[0][0]  # what came in the last moment was shown, and not yet on the disk
            self.truth.decode((at, data) for at, data in cable.sent if killed - UNCOMMITTED_S * S < at <= killed)
        self.truth.samples.sort()

    def _target(self, viewer: int, stack: ExitStack) -> str:
        if self.name != "slow-line" or viewer != SLOW:
            return "bench"
        ends, _ = stack.enter_context(slow_line(pair_of(self._address), RATE))
        return ends.telemetry

    def _watch(self, screens: Screens, seconds: float) -> None:
        begin = time.monotonic()
        for second in range(1, round(seconds) + 1):
            time.sleep(max(0.0, begin + second - time.monotonic()))
            for number in range(len(SIZES)):
                before = time.time_ns()
                screen = screens.look(f"v{number}")
                self.looks.append(Look(number, before, time.time_ns(), screen))

    def _act(self, action: str) -> None:
        assert self._station is not None
        now = time.time_ns()
        if action == "start station":
            self._start_station()
            self._back()
        elif action == "kill station":
            self._station.kill()
            self._station.wait(20)
            assert self._station.stdout is not None
            self._station.stdout.close()
            self.truth.away.append((now, now + 3600 * S))
        elif action == "stop station":
            self._station.send_signal(signal.SIGSTOP)
            self.truth.away.append((now, now + 3600 * S))
        elif action == "continue station":
            self._station.send_signal(signal.SIGCONT)
            self._back()

    def _back(self) -> None:
        self.truth.away[-1] = (self.truth.away[-1][0], time.time_ns())

    def _start_station(self) -> None:
        recording = self._folder / f"flight-{len(self._recordings)}.sqlite"
        self._recordings.append(recording)
        command = [*GROUND, "serve", f"serial:{self._port}", "--name", "bench", "--record", str(recording)]
        command += ["--announce", "--bind", self._address, "--wait"]
        self._station = subprocess.Popen(command, stdout=subprocess.PIPE, env=self._environment)
        assert self._station.stdout is not None
        assert self._station.stdout.readline(), "the station did not start"

    def _end_station(self) -> None:
        if self._station is not None:
            self._station.send_signal(signal.SIGCONT)
            self._station.terminate()
            self._station.wait(20)
            assert self._station.stdout is not None
            self._station.stdout.close()


# ------------------------------------------------------------------------------------------------- judging


def disagreements(flight: Flight) -> list[str]:
    """Every look at which a screen was not as the recording has it, in words."""
    return [
        f"{flight.name} viewer {look.viewer} after {_seconds(flight, look)} s: {fault}\n{look.screen}"
        for look in flight.looks
        for fault in _faults(look, flight.truth)
    ]


def _seconds(flight: Flight, look: Look) -> str:
    return f"{(look.begin - flight.looks[0].begin) / S:.1f}"


def _faults(look: Look, truth: Truth) -> Iterator[str]:
    screen = look.screen
    if "EXIT=" in screen:
        yield "the viewer ended"
        return
    header = screen.splitlines()[0]
    away = any(begin + GONE_S * S < look.begin and look.end < end for begin, end in truth.away)
    near_away = any(begin - S < look.end and look.begin < end + GONE_S * S for begin, end in truth.away)
    if away and ("LIVE" in header or re.search(r"\b(LOCK|LOS)\b", header)):
        yield f"the station does not answer, and the header says {header!r}"
    yield from _value_faults(look, truth, quiet=near_away)
    if not near_away:
        yield from _state_faults(look, truth, header)


def _lag_s(screen: str) -> float:
    """How late a screen says that it is, at most: in the header from a second on, in the contact panel always.

    From ten seconds on it says whole ones, which have passed.
    """
    found = re.search(r"LAG (?:([\d.]+) s|(\d+):(\d\d))", screen)
    if found is not None:
        if found[1] and "." in found[1]:
            return float(found[1])
        return float(found[1]) + 1.0 if found[1] else 60.0 * int(found[2]) + int(found[3]) + 1.0
    panel = re.search(r"Display +lag ([\d.]+) s", screen)
    return 0.0 if panel is None else float(panel[1])


def _value_faults(look: Look, truth: Truth, *, quiet: bool) -> Iterator[str]:
    altitude = re.search(r"^.*Altitude\s+(\S+) m", look.screen, re.M)
    speed = re.search(r"Speed\s+(\S+) m/s", look.screen)
    if altitude is None or speed is None:
        yield "no altitude or no speed on the screen"
        return
    shown, lag = (altitude[1], speed[1]), _lag_s(look.screen)
    came = [sample for sample in truth.samples if sample[0] <= look.end + CLOCKS_S * S]
    since = look.begin - round((ALLOWED_S + lag + (GONE_S + TAIL_S if quiet else 0.0)) * S)
    fresh = [sample for sample in came if sample[0] > since]
    allowed = {(a, s) for _, a, s in fresh} | {(a, s) for _, a, s in came[: len(came) - len(fresh)][-1:]}
    if not came:
        allowed = {("—", "—")}
    elif came[0][0] > since:
        allowed |= {("—", "—")}
    if shown not in allowed:
        yield f"shown are {shown}, recorded {sorted(allowed)[:3]} … ({len(allowed)})"
    if came and look.begin - came[-1][0] > STALE_S * S:
        if "◷" not in altitude[0]:
            yield "the altitude is old and is not marked stale"
    elif quiet or lag >= LITTLE_S:
        return
    elif came and look.begin - came[-1][0] < 0.2 * S and len(fresh) > 8 and "◷" in altitude[0]:
        yield "the altitude is fresh and is marked stale"


def _state_faults(look: Look, truth: Truth, header: str) -> Iterator[str]:
    words = {"LOCKED": "LOCK", "DEGRADED": "DEG", "ACQUIRING": "ACQ", "NO_SIGNAL": "NONE", "LOS": "LOS"}
    since = look.begin - round((ALLOWED_S + _lag_s(look.screen)) * S)
    before = [state for ert, state in truth.states if ert <= since][-1:] or ["NO_SIGNAL"]
    then = [state for ert, state in truth.states if since < ert <= look.end]
    allowed = {words[state] for state in (*before, *then)}
    found = re.search(r"lander (\w+)", header)
    said = None if found is None else next((word for word in words.values() if found[1].startswith(word)), found[1])
    if said not in allowed:
        yield f"the lander is said to be {said}, recorded {sorted(allowed)}"
    if "LOS" not in allowed and re.search(r"\bLOS\b", header):
        yield "a loss is shown that is not recorded"


def lost_at_end(flight: Flight) -> set[int]:
    """The counts of lost frames that the last screens show."""
    last = flight.looks[-len(SIZES) :]
    found = [re.search(r"([\d,]+) lost", look.screen) for look in last]
    return {int(match[1].replace(",", "")) for match in found if match is not None}


LOST: Mapping[str, int] = {
    "history": 0,
    "nothing-for-8-s": 352,
    "ten-frames-missing": 11,
    "frames-twice": 0,
    "frames-damaged": 19,
    "spacecraft-restarts": 83,  # of the bus: its script leaves 83 s out after the restart
    "slow-line": 0,
}
"""Frames that a flight's script takes away, on all channels, where the script alone says how many."""


def fly(name: str) -> tuple[Flight, list[str]]:
    """Fly one, and say at what the screens were wrong."""
    with tempfile.TemporaryDirectory(prefix="screens-") as folder:
        flight = Flight(name, Path(folder))
        flight.fly()
        faults = disagreements(flight)
    if name in LOST and lost_at_end(flight) != {LOST[name]}:
        faults.append(f"{name}: lost are {LOST[name]} frames, shown are {lost_at_end(flight)}")
    return flight, faults


def main() -> None:
    bad = 0
    for name in sys.argv[1:] or FLIGHTS:
        flight, faults = fly(name)
        bad += len(faults)
        print(
            f"{name}: {len(flight.looks)} looks, {len(faults)} wrong; lost at the end {lost_at_end(flight)}", flush=True
        )
        for fault in faults[:5]:
            print(fault, flush=True)
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()

"""Watches viewers for an hour: what comes is painted within a second, all the time.

    python -m tests.stress.painted_in_time 3600

Frames come at 20 a second into a pseudo-terminal, from a station to four viewers in tmux, of four sizes. Each frame
carries its own number as the lander's altitude, so that a screen says which frame it shows; an event every five seconds
and the count of good frames are looked at likewise. Truth is when a frame was written: at no look may a screen lack
something that was written more than `LIMIT_S` before.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from hil.lander.packetizer import Packetizer
from hil.lander.transmitter import Transmitter
from protocols.ccsds.clcw import Clcw
from protocols.lander import EPOCH, LANDER, MARS6, SCID
from protocols.profile import UART
from tests.stress.kill_station import Feeder, wait_until_connected
from tests.stress.screens import SIZES, Screens

LIMIT_S = 1.0
PERIOD_S = 0.05
EVENT_EVERY = 100
"""Frames between two events."""
STEPS = {"telemetry": 1, "status": 1, "event": EVENT_EVERY}
"""Frames from one message of a kind to the next."""
LOOK_S = 0.2
JOIN_S = 60.0

_DESCENT = {
    "phase": 4,
    "speed": 60_000,
    "vertical_speed": 60_000,
    "deceleration": 40,
    "temperature": 2000,
    "pressure": 1500,
    "altimeter_lock": 0,
    "radio_altitude": 0,
    "radio_altitude_low": 0,
    "pump_current": 80,
}
_METRES = 0.1
"""Altitude that one frame stands for: the last digit on the screen."""


class NumberedFrames:
    """Frames whose altitude is their number, and every now and then an event that carries it too."""

    def __init__(self) -> None:
        self._packets = Packetizer(MARS6, EPOCH)
        self._transmitter = Transmitter(SCID, UART, (LANDER,))

    def build(self, number: int) -> bytes:
        """The frame with this number, from 1 on; its time is that of a lander which flies at twice the speed."""
        if number % EVENT_EVERY == 0:
            event = {"number": 7, "tick": number, "a": number, "b": 0}
            self._transmitter.queue(LANDER, self._packets.build("LANDER_EVENT", number, event))
        descent = _DESCENT | {"tick": number, "altitude": round(number * _METRES * 1000)}
        return self._transmitter.frame(LANDER, self._packets.build("DESCENT", number, descent), Clcw())


@dataclass(slots=True)
class Watched:
    """What one viewer showed.

    Attributes:
        looks: how often the screen was looked at, and how often it showed each kind of message.
        worst: the age in s of the oldest message that the screen lacked, by kind.
        screen: the worst of all screens.
    """

    looks: Counter[str] = field(default_factory=Counter)
    worst: dict[str, float] = field(default_factory=dict)
    screen: str = ""

    def late(self, what: str, seconds: float, screen: str) -> None:
        """Keep the worst, and the screen that went with it."""
        if seconds > max(self.worst.values(), default=0.0):
            self.screen = screen
        self.worst[what] = max(seconds, self.worst.get(what, 0.0))


def numbers_on(screen: str) -> dict[str, int]:
    """The newest frame that a screen shows, by what shows it; what is not on the screen is left out."""
    out = {}
    altitude = re.search(r"Altitude\s+([\d,]+\.\d) m|ALT\w*\s+([\d,]+\.\d) ?m", screen)
    if altitude is not None:
        out["telemetry"] = round(float((altitude[1] or altitude[2]).replace(",", "")) / _METRES)
    good = re.search(r"([\d,]+) good", screen)
    if good is not None:
        out["status"] = int(good[1].replace(",", ""))
    events = re.findall(r"locked at (\d+)( m)?", screen)
    if events and all(whole for _, whole in events):  # none is cut at the panel's edge
        out["event"] = max(int(number) for number, _ in events)
    return out


def lateness(shown: int, step: int, written: list[int], now: int) -> float:
    """For how long the successor of what is shown has been due on the screen, in s; 0 if it was not written yet."""
    due = shown + step
    return (now - written[due - 1]) / 1e9 if due <= len(written) else 0.0


def watch(folder: Path, seconds: float) -> dict[str, Watched]:
    """Fly, look, and say how late each viewer was."""
    (folder / "run").mkdir(mode=0o700, exist_ok=True)
    environment = dict(os.environ) | {"XDG_RUNTIME_DIR": str(folder / "run"), "XDG_DATA_HOME": str(folder / "data")}
    recording = folder / "soak.sqlite"
    feeder = Feeder(PERIOD_S, source=map(NumberedFrames().build, count(1)))
    serve = [sys.executable, "-m", "groundstation.cli", "serve", f"serial:{feeder.device}", "--announce"]
    serve += ["--name", "soak", "--record", str(recording)]
    watched = {f"{width}x{height}": Watched() for width, height in SIZES}
    with subprocess.Popen(serve, stdout=subprocess.PIPE, env=environment) as station, Screens(folder) as screens:
        try:
            assert station.stdout is not None
            assert station.stdout.readline(), "the station did not start"
            wait_until_connected(recording)
            for name, size in zip(watched, SIZES, strict=True):
                screens.open(name, size, f"{sys.executable} -m groundstation.cli watch soak", environment)
            for name in watched:
                screens.wait(name, lambda screen: "CONNECTED" in screen or "MARS-6" in screen, JOIN_S)
            feeder.start()
            _look(screens, watched, feeder.sent, time.monotonic() + seconds)
        finally:
            feeder.close()
            station.terminate()
    return watched


def _look(screens: Screens, watched: dict[str, Watched], written: list[int], end: float) -> None:
    while (now := time.monotonic()) < end:
        for name, result in watched.items():
            at = time.time_ns()
            screen = screens.look(name)
            assert "EXIT=" not in screen, f"the viewer {name} ended:\n{screen}"
            shown = numbers_on(screen)
            result.looks.update(["screen", *shown])
            for what, step in STEPS.items():
                if what in shown or what == "telemetry":  # which is on every screen, or late
                    result.late(what, lateness(shown.get(what, 0), step, written, at), screen)
        time.sleep(max(0.0, now + LOOK_S - time.monotonic()))


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3600.0
    with tempfile.TemporaryDirectory() as folder:
        watched = watch(Path(folder), seconds)
    bad = False
    for name, result in watched.items():
        worst = ", ".join(f"{what} {late:.2f} s (seen {result.looks[what]:,} times)"
                          for what, late in result.worst.items())  # fmt: skip
        print(f"{name}: {result.looks['screen']:,} looks; latest {worst}")
        if max(result.worst.values()) > LIMIT_S:
            bad = True
            print(result.screen)
    sys.exit(bad)


if __name__ == "__main__":
    main()

"""A fake station: the descent of Mars 6 as messages, at the figures of the 1 Hz truth table.

Host time runs with mission time: `HOST` is the host's clock at entry, so that ages and intervals are exact.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from groundstation.messages.base import PROTOCOL, Value
from groundstation.messages.commanding import (
    ArgumentInfo,
    CommandInfo,
    CommandState,
    CommandUpdate,
    RequestAccepted,
    UplinkStatus,
)
from groundstation.messages.declared import (
    channels_of,
    display_of,
    light_times_of,
    mission_events_of,
    parameters_of,
    relays_of,
)
from groundstation.messages.wire import (
    AnyMessage,
    ChannelStatus,
    ContactChange,
    Counters,
    EventMessage,
    Heartbeat,
    HistoryRequest,
    LimitInfo,
    LinkStatus,
    LosVerdict,
    MilestoneInfo,
    ParameterInfo,
    PlaybackStatus,
    Refusal,
    SignalState,
    Snapshot,
    Telemetry,
    Transport,
    ValueQuality,
)
from groundstation.viewer.source import Update
from protocols.lander import MISSION
from protocols.words import LimitState, Severity

S = 1_000_000_000
ENTRY = 132_311_153 * S  # 1974-03-12T09:05:53Z
HOST = 1_800_000_000 * S
AOS, DROGUE, MAIN, CONE, RETRO, LOS = 88.0, 159.0, 212.67, 218.67, 308.0, 312.0
SURFACE = 455.0
FRAME_BYTES = 132
RECORDING = "/var/lib/mars6/recordings/1974-03-12T090553.sqlite"
TRUTH = Path(__file__).parents[2] / "data" / "descent_1hz.csv"

Timed = tuple[float, Update]


def _parameter(
    packet: str, name: str, unit: str = "", decimals: int = 0, limits: LimitInfo | None = None
) -> ParameterInfo:
    period = 100 if packet == "DESCENT" else 1000
    return ParameterInfo(
        packet=packet,
        name=name,
        unit=unit,
        decimals=decimals,
        description=name,
        period_ms=period,
        limits=limits,
    )


PARAMETERS = [
    _parameter("DESCENT", "tick", "tick"),
    _parameter("DESCENT", "phase"),
    _parameter("DESCENT", "altitude", "m", 1),
    _parameter("DESCENT", "speed", "m/s", 2),
    _parameter("DESCENT", "vertical_speed", "m/s", 2),
    _parameter("DESCENT", "deceleration", "g", 2, LimitInfo(yellow_high=9.0, red_high=20.0)),
    _parameter("DESCENT", "temperature", "K", 2, LimitInfo(red_low=130.0, yellow_low=145.0)),
    _parameter("DESCENT", "pressure", "hPa", 3, LimitInfo(yellow_high=6.5, red_high=8.0)),
    _parameter("DESCENT", "altimeter_lock"),
    _parameter("DESCENT", "radio_altitude", "m", 0, LimitInfo(red_low=100.0, yellow_low=1000.0)),
    _parameter("DESCENT", "radio_altitude_low", "m", 1),
    _parameter("DESCENT", "pump_current", "mA", 2, LimitInfo(yellow_high=5.0, red_high=8.0)),
    _parameter("LANDER_HK", "tick", "tick"),
    _parameter("LANDER_HK", "dictionary_hash"),
    _parameter("LANDER_HK", "frames_sent"),
    _parameter("LANDER_HK", "transmitter_on"),
    _parameter("BUS_HK", "tick", "tick"),
    _parameter("BUS_HK", "slant_range", "km"),
    _parameter("BUS_HK", "elevation", "°", 2),
    _parameter("BUS_HK", "relay_frames"),
    _parameter("BUS_HK", "relay.lock"),
]

_SCRIPTED = {parameter.packet for parameter in PARAMETERS}
PARAMETERS += [parameter for parameter in parameters_of(MISSION.dictionary) if parameter.packet not in _SCRIPTED]

PARAMETERS = [
    msgspec.structs.replace(each, checks=["range"] if each.unit and each.packet == "DESCENT" else [])
    for each in PARAMETERS
]

TIMELINE = [
    MilestoneInfo(name=name, label=label, scet=ENTRY + int(at * S), mark=mark)
    for name, label, at, mark in (
        ("ENTRY", "ENTRY", 0.0, "S"),
        ("BLACKOUT_START", "BLACKOUT", 60.0, "A"),
        ("FIRST_DATA", "DATA", AOS, "C"),
        ("DROGUE", "CHUTE", DROGUE, "F"),
        ("MAIN", "MAIN", MAIN, "A"),
        ("RETRO_ARM", "RETRO", RETRO, "C"),
        ("LOSS_OF_SIGNAL", "LOS", LOS, "S"),
    )
]


def scet(at: float) -> int:
    """Mission time at so many seconds after entry."""
    return ENTRY + round(at * 10) * (S // 10)


def host(at: float) -> int:
    """Host time at so many seconds after entry."""
    return HOST + round(at * 1000) * 1_000_000


@cache
def _truth() -> list[list[float]]:
    with TRUTH.open(encoding="utf-8") as file:
        return [[float(row[name]) for name in _COLUMNS] for row in csv.DictReader(file)]


_COLUMNS = ("alt_m", "speed_mps", "vertical_speed_mps", "axial_decel_g", "temperature_K", "pressure_hPa")


def truth(at: float) -> list[float]:
    """Altitude, speed, vertical speed, deceleration, temperature, pressure: linear between the seconds."""
    second = min(int(at), len(_truth()) - 2)
    part = at - second
    return [a + (b - a) * part for a, b in zip(_truth()[second], _truth()[second + 1], strict=True)]


def phase(at: float) -> str:
    """The sequencer's phase."""
    steps = (
        (RETRO, "RETRO_ARMED"),
        (CONE, "TERMINAL"),
        (MAIN, "MAIN"),
        (DROGUE, "DROGUE"),
        (AOS, "AEROBRAKING"),
    )
    return next((name for start, name in steps if at >= start), "BLACKOUT")


def descent(at: float) -> Telemetry:
    """The lander's packet at so many seconds."""
    altitude, speed, vertical, drag, kelvin, pressure = truth(at)
    lock = at >= CONE
    values: dict[str, Value | None] = {
        "tick": round(at * 10),
        "phase": phase(at),
        "altitude": altitude,
        "speed": speed,
        "vertical_speed": vertical,
        "deceleration": drag,
        "temperature": kelvin,
        "pressure": pressure,
        "altimeter_lock": lock,
        "radio_altitude": altitude if lock else 0.0,
        "radio_altitude_low": min(altitude, 100.0) if lock else 0.0,
        "pump_current": 1.2 + at / 100,
    }
    limits: dict[str, LimitState] = {}
    if drag > 9.0:
        limits["deceleration"] = "YELLOW_HIGH"
    if lock and altitude < 1000:
        limits["radio_altitude"] = "RED_LOW" if altitude < 100 else "YELLOW_LOW"
    invalid = [] if lock else ["radio_altitude", "radio_altitude_low"]
    bad = {"pump_current": ValueQuality("unusable", "range"), "pressure": ValueQuality("suspect", "hydrostatic")}
    return Telemetry(
        bad=bad if 225 <= at < 235 else {},
        packet="DESCENT",
        apid=257,
        vcid=0,
        scet=scet(at),
        ert=host(at),
        values=values,
        limits=limits,
        invalid=invalid,
    )


def housekeeping(packet: str, at: float, frames: int) -> Telemetry:
    """The 1 Hz packets of lander and bus."""
    lander = packet == "LANDER_HK"
    values: dict[str, Value | None] = {"tick": round(at * 10)}
    if lander:
        values |= {"dictionary_hash": 0x5EEDC0DE, "frames_sent": frames, "transmitter_on": True}
    else:
        values |= {
            "slant_range": round(2030 - at * 340 / LOS),
            "elevation": elevation(at),
            "relay_frames": frames,
            "relay.lock": frames > 0,
        }
    apid, vcid = (258, 0) if lander else (513, 2)
    return Telemetry(packet=packet, apid=apid, vcid=vcid, scet=scet(at), ert=host(at), values=values)


def elevation(at: float) -> float:
    """Of the bus, in degrees: up to 84 at 455 s, down to 15 at 1,215 s."""
    return round(56 + 28 * at / 455, 2) if at < 455 else round(84 - 69 * (at - 455) / 760, 2)


def _ions(mass: int) -> float:
    """Of carbon dioxide with some nitrogen and argon, in dB."""
    return {44: 62.0, 28: 41.5, 16: 38.0, 12: 36.5, 22: 30.0, 14: 24.5, 40: 28.0, 45: 39.5, 46: 36.0}.get(mass, 1.5)


SOUNDED: dict[str, tuple[int, int, float, dict[str, Value | None]]] = {
    "LANDER_SYSTEMS": (0x104, 0, 1, {
        "peak_deceleration": 9.74, "mean_deceleration": 9.71, "swing": -12.4, "retro": "SAFE", "thrust": 0.0,
        "battery_voltage": 27.31, "battery_current": 4.2, "transmitter_power": 4.8,
    }),
    "BUS_ORBIT": (0x204, 2, 10, {"range": 5305, "altitude": 1909, "speed": 5.123, "light_time": 6.42}),
    "MAGNETOMETER": (0x210, 2, 10, {"bx": -7.1, "by": 32.4, "bz": -0.3}),
    "PLASMA": (0x211, 2, 20, {"energy": 210, "current": 61.4, "speed": 201, "density": 7.5, "temperature": 900_000.0}),
    "COSMIC_RAYS": (0x212, 2, 60, {"rate": 44.93}),
    "MICROMETEOROIDS": (0x213, 2, 60, {"impacts": 3}),
    "PARTICLES": (0x214, 2, 60, {
        "proton_1": 101.2, "proton_2": 30.1, "proton_3": 10.0, "proton_4": 3.02, "electron_1": 1502.7,
        "electron_2": 50.2,
    }),
    "SURFACE": (0x110, 1, 10, {
        "temperature": 229.85, "pressure": 6.102, "battery_voltage": 26.9, "battery_current": 2.1,
        "transmitter_power": 4.8,
    }),
    "SPECTRUM": (0x111, 1, 60, {"sweep": 1} | {f"intensity[{n - 1}]": _ions(n) for n in range(1, 81)}),
}  # fmt: skip
"""APID, channel, period in s and values of the packets that the script sends beside the descent."""

_LIMITS: dict[str, dict[str, LimitState]] = {
    "MAGNETOMETER": {"by": "YELLOW_HIGH"},
    "PARTICLES": {"electron_1": "YELLOW_HIGH"},
}


def sounding(packet: str, at: float) -> Telemetry:
    """One of the packets of `SOUNDED`."""
    apid, vcid, _, values = SOUNDED[packet]
    return Telemetry(
        packet=packet, apid=apid, vcid=vcid, scet=scet(at), ert=host(at), values={"tick": round(at * 10)} | values,
        limits=_LIMITS.get(packet, {}),
    )  # fmt: skip


def link(
    at: float, lander: SignalState, *, recording_ok: bool = True, transport: Transport = "CONNECTED"
) -> LinkStatus:
    """Counters and channels at so many seconds: every tenth of a second of data is one frame."""
    frames, bus = lander_frames(at), int(at) + 1
    good = (frames + bus) * FRAME_BYTES
    last = min(at, LOS - 0.1)
    channels = [
        ChannelStatus(
            vcid=0, name="LANDER", state=lander, frames=frames, rate_hz=10.0 if lander == "LOCKED" else 0.0,
            last_vcfc=(frames - 1) % 256 if frames else None, last_scet=scet(last) if frames else None,
        ),
        ChannelStatus(
            vcid=2, name="BUS", state="LOCKED", frames=bus, rate_hz=1.0, last_vcfc=bus % 256, last_scet=scet(at)
        ),
    ]  # fmt: skip
    if at >= SURFACE:
        channels.insert(
            1,
            ChannelStatus(
                vcid=1,
                name="SURFACE",
                state="LOCKED",
                frames=int(at - SURFACE) // 10 + 1,
                rate_hz=0.1,
                last_vcfc=int(at - SURFACE) // 10,
                last_scet=scet(at),
            ),
        )
    counters = Counters(
        bytes_in=good + 3 * FRAME_BYTES + 57, good=good, rejected=3 * FRAME_BYTES, skipped=57,
        frames_good=frames + bus, frames_rejected=3, frames_lost=3 if frames else 0, packets=frames + bus,
    )  # fmt: skip
    return LinkStatus(
        ert=host(at), url="serial:///dev/ttyACM0", transport=transport, detail="", state="LOCKED", channels=channels,
        counters=counters, recording=RECORDING, recording_ok=recording_ok,
    )  # fmt: skip


def lander_frames(at: float) -> int:
    """Frames of the lander up to a moment."""
    return max(0, min(2240, round((at - AOS) * 10) + 1))


def contact(at: float, state: SignalState, previous: SignalState, verdict: LosVerdict | None = None) -> ContactChange:
    """The lander's channel changes."""
    return ContactChange(vcid=0, channel="LANDER", state=state, previous=previous, ert=host(at), verdict=verdict)


def verdict(at: float = LOS, *, planned_error_ms: int = 0) -> LosVerdict:
    """The lander fell silent at a moment; the bus goes on."""
    return LosVerdict(
        vcid=0,
        channel="LANDER",
        cause="LANDER_ONLY",
        evidence="port open, bus frames good, no lander frame for 300 ms",
        last_vcfc=(lander_frames(at - 0.1) - 1) % 256,
        last_scet=scet(at - 0.1),
        last_ert=host(at - 0.1),
        interval_scet=(scet(at - 0.1), scet(at)),
        interval_ert=(host(at - 0.1), host(at)),
        declared_ert=host(at + 0.2),
        timeout_ms=300,
        trailing_bytes=61,
        frames=lander_frames(at - 0.1),
        planned_scet=ENTRY + int(LOS * S),
        planned_error_ms=planned_error_ms,
    )


def event(at: float, name: str, text: str, *, source: str = "LANDER") -> EventMessage:
    """An event aboard, or in the station."""
    severity: Severity = "WARNING_HI" if name.startswith("LOS") or "LOST" in name else "ACTIVITY_HI"
    onboard = None if source == "STATION" else scet(at)
    return EventMessage(severity=severity, source=source, name=name, text=text, ert=host(at), scet=onboard)


def snapshot(at: float = 60.0) -> Snapshot:
    """A station that has been listening since entry and has not heard the lander yet."""
    return Snapshot(
        protocol=PROTOCOL,
        station="bench", pid=4711, started=HOST, mission="Mars-6", dictionary_hash="5eedc0de", parameters=PARAMETERS,
        timeline=TIMELINE, link=link(at, "NO_SIGNAL"), telemetry=[housekeeping("BUS_HK", at, 0)], contacts=[],
        events=[event(0, "STARTED", "station bench listens", source="STATION"),
                event(60, "BLACKOUT_START", "plasma blackout begins: no lander data expected", source="BUS")],
        sequences={}, known_commands=COMMANDS, display=display_of(MISSION.display),
        mission_events=mission_events_of(MISSION), channels=channels_of(MISSION.dictionary),
        light_times=light_times_of(MISSION), relays=relays_of(MISSION),
    )  # fmt: skip


_EVENTS = (
    (AOS, "BLACKOUT_END", "blackout over at 34235 m, 4284 m/s: transmitting"),
    (DROGUE, "DROGUE", "drogue parachute at 15260 m, 600 m/s"),
    (MAIN, "MAIN", "main parachute opens reefed at 7250 m, 196 m/s"),
    (CONE, "CONE_RELEASE", "heat-shield cone released"),
    (RETRO, "RETRO_ARM", "retrorockets armed at 269 m, 61 m/s"),
)


def script(until: float = LOS + 30, start: float = 60.0, silent: tuple[float, float] = (LOS, 1e9)) -> Iterator[Timed]:
    """All updates after the snapshot, in order; ``silent`` is when the lander is not heard."""
    state: SignalState = "NO_SIGNAL"
    for tick in range(round(start * 10), round(until * 10) + 1):
        at = tick / 10
        heard = at >= AOS and not silent[0] <= at < silent[1]
        if heard and state != "LOCKED":
            yield at, contact(at, "LOCKED", state)
            state = "LOCKED"
        elif state == "LOCKED" and at >= silent[0] + 0.2 and not heard:
            yield at, contact(at, "LOS", "LOCKED", verdict(silent[0], planned_error_ms=_planned(silent[0])))
            state = "LOS"
        if heard:
            yield at, descent(at)
            yield from ((at, event(at, name, text)) for when, name, text in _EVENTS if tick == round(when * 10))
        yield from _second(tick, at, heard, state)


def _planned(at: float) -> int:
    return round((at - LOS) * 1000)


def _second(tick: int, at: float, heard: bool, state: SignalState) -> Iterator[Timed]:
    if tick % 10 == 0:
        yield at, housekeeping("BUS_HK", at, lander_frames(at))
        if heard:
            yield at, housekeeping("LANDER_HK", at, lander_frames(at))
    for packet, (_, vcid, period, _) in SOUNDED.items():
        due = tick % round(period * 10) == 0
        if due and (vcid == 2 or (vcid == 0 and heard) or (vcid == 1 and at >= SURFACE)):
            yield at, sounding(packet, at)
    yield at, link(at, state)
    if tick % 5 == 0:
        yield at, Heartbeat(ert=host(at), sequences={})


def replayed(
    updates: Iterator[Timed], *, paused: bool = False, ended: bool = False, jumps: int = 1, speed: float = 4.0
) -> Iterator[Timed]:
    """The same as a replay says it."""
    for at, update in updates:
        if isinstance(update, LinkStatus):
            yield at, msgspec.structs.replace(update, replay=True, playback=playback(at, paused, ended, jumps, speed))
        elif isinstance(update, (Telemetry, ContactChange, EventMessage)):
            yield at, msgspec.structs.replace(update, replay=True)
        else:
            yield at, update


def playback(
    at: float, paused: bool = False, ended: bool = False, jumps: int = 1, speed: float = 4.0
) -> PlaybackStatus:
    """A replay of the whole pass that stands at so many seconds after entry."""
    return PlaybackStatus(
        recording=RECORDING, at=host(at), first=host(0), last=host(LOS + 10), speed=speed, paused=paused, ended=ended,
        jumps=jumps,
    )  # fmt: skip


def ordered(
    number: int,
    name: str,
    *states: CommandState,
    at: float = 90.0,
    who: str = "ada@bench",
    arguments: Any = None,
    critical: bool = False,
    **last: Any,
) -> list[CommandUpdate]:
    """What is said of a command, state by state, half a second apart; ``last`` is known with the last of them."""
    said: list[CommandUpdate] = []
    for step, state in enumerate(states):
        update = CommandUpdate(
            command=number, name=name, arguments=arguments or {}, who=who, state=state,
            previous=states[step - 1] if step else None, ert=host(at + step / 2), critical=critical,
        )  # fmt: skip
        said.append(update)
    said[-1] = msgspec.structs.replace(said[-1], **last)
    return said


def uplink(at: float, **more: Any) -> UplinkStatus:
    """The way up in good order, or as told."""
    given = {"cop": "ACTIVE", "vs": 3, "vr": 3, "clcw_ert": host(at - 0.4), **more}
    return UplinkStatus(ert=host(at), **given)


COMMANDS = [
    CommandInfo(name="PING", description="Are you alive?", critical=False, arguments=[]),
    CommandInfo(
        name="STEP", description="Fly some ticks, then hold again.", critical=False,
        arguments=[ArgumentInfo(name="ticks", unit="tick", description="how many to fly", range_text="1 … 10000 tick",
                                low=1, high=10000, whole=True)],
    ),
    CommandInfo(
        name="SELECT_PROFILE", description="Choose what happens at the end of the descent.", critical=False,
        arguments=[ArgumentInfo(name="profile", unit="", description="", range_text="HISTORICAL, SOFT_LANDING",
                                labels=["HISTORICAL", "SOFT_LANDING"])],
    ),
    CommandInfo(name="FIRE_RETROS", description="Fire the retrorockets and release the parachute, once armed.",
                critical=True, arguments=[]),
]  # fmt: skip


class FakeClock:
    """Host nanoseconds that stand until they are set."""

    def __init__(self, now: int = HOST) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class ScriptedSource:
    """Feeds a script: all at once with the clock set to each message's time, or paced by ``speed``."""

    def __init__(
        self, updates: Iterator[Timed], clock: FakeClock, *, first: Snapshot | None = None, speed: float = 0.0
    ) -> None:
        self._updates, self._clock, self._speed = updates, clock, speed
        self._first = first or snapshot()
        self.done = asyncio.Event()
        self._late: asyncio.Queue[Update] = asyncio.Queue()
        self.closed = False
        self.asked: list[AnyMessage] = []
        self.answer: AnyMessage = RequestAccepted(text="taken")
        self.history: AnyMessage = Refusal(text="a script has no past")

    async def connect(self) -> Snapshot:
        """The snapshot the script begins with."""
        self._clock.now = self._first.link.ert
        return self._first

    async def messages(self) -> AsyncIterator[Update]:
        """The script; afterwards what `say` is given."""
        for at, update in self._updates:
            if self._speed:
                await asyncio.sleep(max(0.0, (host(at) - self._clock.now) / S / self._speed))
            self._clock.now = host(at)
            yield update
        self.done.set()
        while True:
            update = await self._late.get()
            yield update
            self._late.task_done()

    async def say(self, *updates: Update) -> None:
        """What the station says after its script; until the application has taken it."""
        for update in updates:
            self._late.put_nowait(update)
        await self._late.join()

    async def request(self, message: AnyMessage, timeout_s: float | None = None) -> AnyMessage:
        """Remember what was asked; the answer is as set. Curves are asked for by the application itself."""
        if isinstance(message, HistoryRequest):
            return self.history
        self.asked.append(message)
        return self.answer

    async def clock(self) -> int | None:
        """A script's messages are not stamped."""
        return None

    async def close(self) -> None:
        """Remember that it was called."""
        self.closed = True

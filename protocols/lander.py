"""THE declaration of this lander's packets: what Mars 6 and its bus send and take, with units, calibrations, limits.

Marks of where a figure comes from: [S] the project's source document, [F] found in public sources, [R] from memory
of the literature, [C] computed, [A] assumed for the simulation. No telemetry format of Mars 6 is public: every
packet below is this project's own design [A]. Instrument ranges, steps and limits are [A] too.
"""

from __future__ import annotations

from construct import BitStruct, Enum, Flag, Int8ub, Int16sb, Int16ub, Int32sb, Int32ub, Padding, Struct

from protocols.declare.commands import CommandDef
from protocols.declare.dictionary import ChannelDef, Dictionary, EventDef, Milestone, PacketDef, utc_ns
from protocols.declare.display import Display, DisplayView, Plot
from protocols.declare.mission import Figure, LightTime, Mission, MissionEvent
from protocols.mars6.checks import CHECKS
from protocols.mars6.instruments import INSTRUMENTS
from protocols.mars6.relays import RELAYS
from protocols.structures.fields import Limits, Quantity

SCID = 0x006
LANDER, SURFACE, BUS, IDLE = 0, 1, 2, 7
"""Virtual channels: the lander, the lander after landing, the bus, fill."""

COMMAND_APID = 0x100
"""The lander's command handler: telecommands go to it, their verification reports come from it."""

PHASES = Enum(
    Int8ub,
    ENTRY=0,
    BLACKOUT=1,
    AEROBRAKING=2,
    DROGUE=3,
    MAIN=4,
    TERMINAL=5,
    RETRO_ARMED=6,
    LOST=7,
    LANDED=8,
    SURFACE=9,
    CRASHED=10,
    COAST=11,
)

_TICK = "tick" / Quantity(Int32sb, "tick", tolerance=0) * "ticks of 100 ms since entry; negative before it"

_TEMPERATURE = Quantity(
    Int16ub,
    "K",
    scale=0.05,
    offset=120.0,
    decimals=2,
    limits=Limits(red_low=130.0, yellow_low=145.0, yellow_high=250.0, red_high=300.0),
    tolerance=1.0,
)
_PRESSURE = Quantity(
    Int16ub, "hPa", scale=0.003, decimals=3, limits=Limits(yellow_high=6.5, red_high=8.0), tolerance=0.05
)
_DECELERATION = Quantity(
    Int16ub, "g", scale=0.01, decimals=2, limits=Limits(yellow_high=12.0, red_high=20.0), tolerance=0.1
)
_BATTERY = (
    "battery_voltage"
    / Quantity(Int16ub, "V", scale=0.01, decimals=2, limits=Limits(red_low=22.0, yellow_low=24.0))
    * "lander's battery [A]",
    "battery_current" / Quantity(Int16ub, "A", scale=0.01, decimals=2) * "drawn from the lander's battery [A]",
    "transmitter_power" / Quantity(Int8ub, "W", scale=0.1, decimals=1) * "radiated by the lander [A]",
)

DESCENT = PacketDef(
    "DESCENT",
    apid=0x101,
    service=3,
    subtype=25,
    period_ms=100,
    description="Descent science, one packet a tick: the lander's motion and its four descent instruments.",
    body=Struct(
        _TICK,
        "phase" / PHASES * "where the sequencer stands",
        "altitude" / Quantity(Int32ub, "m", scale=0.001, decimals=1, tolerance=50) * "height of the flight model [A]",
        "speed" / Quantity(Int32ub, "m/s", scale=0.001, decimals=2, tolerance=5) * "speed of the flight model [A]",
        "vertical_speed" / Quantity(Int32sb, "m/s", scale=0.001, decimals=2, tolerance=5) * "positive is down",
        "deceleration" / _DECELERATION * "accelerometer: drag over mass",
        "temperature" / _TEMPERATURE * "thermometer",
        "pressure" / _PRESSURE * "barometer",
        "altimeter_lock" / Flag * "radio altimeter has an echo",
        "radio_altitude"
        / Quantity(
            Int16ub,
            "m",
            scale=2.0,
            limits=Limits(red_low=100.0, yellow_low=1000.0),
            valid_if="altimeter_lock",
            tolerance=20,
        )
        * "radio altimeter, high channel",
        "radio_altitude_low"
        / Quantity(Int16ub, "m", scale=0.1, decimals=1, valid_if="altimeter_lock", tolerance=1)
        * "radio altimeter, low channel: full scale above 100 m",
        "pump_current"
        / Quantity(Int8ub, "mA", scale=0.04, decimals=2, limits=Limits(yellow_high=5.0, red_high=8.0), tolerance=0.2)
        * "vacuum pump of the mass spectrometer",
    ),
)

LANDER_HK = PacketDef(
    "LANDER_HK",
    apid=0x102,
    service=3,
    subtype=25,
    period_ms=1000,
    description="The lander's housekeeping.",
    body=Struct(
        _TICK,
        "dictionary_hash" / Int32ub * "hash of the dictionary that the lander was built with",
        "frames_sent" / Int32ub * "frames on VC0 since start",
        "events_sent" / Int16ub * "event packets since start",
        "commands_accepted" / Int16ub * "telecommands carried out since start",
        "commands_rejected" / Int16ub * "telecommands refused since start",
        "transmitter_on" / Flag * "the transmitter radiates",
        "backlog" / Quantity(Int16ub, "byte") * "packet bytes that wait for a frame",
    ),
)

LANDER_SYSTEMS = PacketDef(
    "LANDER_SYSTEMS",
    apid=0x104,
    service=3,
    subtype=25,
    period_ms=1000,
    description="The lander's systems: accelerometer over a second, swing, retrorockets, battery, transmitter.",
    body=Struct(
        _TICK,
        "peak_deceleration" / _DECELERATION * "highest of the last ten ticks",
        "mean_deceleration" / _DECELERATION * "mean of the last ten ticks",
        "swing"
        / Quantity(Int16sb, "°", scale=0.1, decimals=1, limits=Limits(-30.0, -25.0, 25.0, 30.0))
        * "angle under the parachute [A]",
        "retro" / Enum(Int8ub, SAFE=0, ARMED=1, FIRING=2, BURNT=3) * "retrorockets",
        "thrust" / Quantity(Int16ub, "kN", scale=0.01, decimals=2) * "of the retrorockets, mean over the tick",
        *_BATTERY,
    ),
)

SURFACE_SCIENCE = PacketDef(
    "SURFACE",
    apid=0x110,
    service=3,
    subtype=25,
    period_ms=10_000,
    description="Surface science after landing: air at the site, battery, transmitter.",
    body=Struct(
        _TICK,
        "temperature" / _TEMPERATURE * "thermometer",
        "pressure" / _PRESSURE * "barometer",
        *_BATTERY,
    ),
)

SPECTRUM = PacketDef(
    "SPECTRUM",
    apid=0x111,
    service=3,
    subtype=25,
    period_ms=60_000,
    description="A sweep of the mass spectrometer after landing, m/z 1 to 80: intensity[0] is m/z 1.",
    body=Struct(
        _TICK,
        "sweep" / Int16ub * "number of the sweep, from 1",
        "intensity" / Quantity(Int8ub, "dB", scale=0.5, decimals=1)[80] * "ion counts at each m/z, over one count",
    ),
)

BUS_HK = PacketDef(
    "BUS_HK",
    apid=0x201,
    service=3,
    subtype=25,
    period_ms=1000,
    description="Housekeeping of the flyby bus, which relays the lander.",
    body=Struct(
        _TICK,
        "dictionary_hash" / Int32ub * "hash of the dictionary that the bus was built with",
        "slant_range" / Quantity(Int16ub, "km") * "bus to lander [C]",
        # Elevation and its flag stand where recordings of before have zeros: in those it is not known.
        "elevation"
        / Quantity(Int16sb, "°", scale=0.01, decimals=2, valid_if="relay.horizon")
        * "bus above the lander's horizon [C]; the relay's mask is 15° [A]",
        "relay_frames" / Int16ub * "lander frames relayed since start, modulo 65,536",
        "relay"
        / BitStruct(
            Padding(6),
            "horizon" / Flag * "the lander has entered: it has a horizon",
            "lock" / Flag * "the relay receiver hears the lander",
        ),
        "relay_silence"
        / Quantity(Int16ub, "s", scale=0.1, decimals=1)
        * "since the last lander frame; 6553.5: that long, or none was ever heard",
    ),
)

BUS_ORBIT = PacketDef(
    "BUS_ORBIT",
    apid=0x204,
    service=3,
    subtype=25,
    period_ms=10_000,
    description="Where the bus is on its hyperbola past Mars [C].",
    body=Struct(
        _TICK,
        "range" / Quantity(Int16ub, "km") * "from the centre of Mars",
        "altitude" / Quantity(Int16ub, "km") * "above the surface",
        "speed" / Quantity(Int16ub, "km/s", scale=0.001, decimals=3) * "relative to Mars",
        "light_time" / Quantity(Int16ub, "ms", scale=0.01, decimals=2) * "one-way light time, lander to bus",
    ),
)

COSMIC_RAY_CM2 = 10
"""Area of the cosmic-ray detector in cm² [A]: counts are flux times area."""
PARTICLE_CM2_SR = 1
"""Geometric factor of the proton and electron channels in cm² sr [A]."""

_FIELD = Quantity(Int16sb, "nT", scale=0.1, decimals=1, limits=Limits(-60.0, -30.0, 30.0, 60.0))
_PER_MINUTE = 1 / 60
_FLUX = Quantity(Int32ub, "1/s", scale=_PER_MINUTE, decimals=2, limits=Limits(yellow_high=1_000.0, red_high=10_000.0))

MAGNETOMETER = PacketDef(
    "MAGNETOMETER",
    apid=0x210,
    service=3,
    subtype=25,
    period_ms=10_000,
    description="The bus's magnetometer, ±128 nT. Axes [A]: x to the sun, y against Mars's orbital motion, z north.",
    body=Struct(
        _TICK,
        "bx" / _FIELD * "towards the sun",
        "by" / _FIELD * "against the orbital motion of Mars",
        "bz" / _FIELD * "north of the ecliptic",
    ),
)

PLASMA = PacketDef(
    "PLASMA",
    apid=0x211,
    service=3,
    subtype=25,
    period_ms=20_000,
    description="The bus's plasma traps, 0 to 6 keV/q and 1e-13 to 1e-9 A: the solar wind.",
    body=Struct(
        _TICK,
        "energy" / Quantity(Int16ub, "eV/q") * "at the peak of the current",
        "current" / Quantity(Int16ub, "pA", scale=0.1, decimals=1) * "at the peak; 0.1 pA is 1e-13 A",
        "speed"
        / Quantity(Int16ub, "km/s", limits=Limits(yellow_high=700.0, red_high=1_000.0))
        * "of the protons, from the energy",
        "density" / Quantity(Int16ub, "1/cm³", scale=0.01, decimals=2) * "of the protons",
        "temperature" / Quantity(Int16ub, "K", scale=100.0) * "of the protons",
    ),
)

COSMIC_RAYS = PacketDef(
    "COSMIC_RAYS",
    apid=0x212,
    service=3,
    subtype=25,
    period_ms=60_000,
    description=f"The bus's cosmic-ray detector, above 30 MeV: {COSMIC_RAY_CM2} cm² [A], counts of 60 s.",
    body=Struct(
        _TICK,
        "rate"
        / Quantity(Int32ub, "1/s", scale=_PER_MINUTE, decimals=2, limits=Limits(yellow_high=100.0, red_high=1_000.0))
        * "counts of the last minute",
    ),
)

MICROMETEOROIDS = PacketDef(
    "MICROMETEOROIDS",
    apid=0x213,
    service=3,
    subtype=25,
    period_ms=60_000,
    description="The bus's micrometeoroid detector.",
    body=Struct(
        _TICK,
        "impacts"
        / Quantity(Int8ub, limits=Limits(step_yellow=2, step_red=10, step_s=60))
        * "since separation, or since entry in a flight of the descent alone",
    ),
)

PARTICLES = PacketDef(
    "PARTICLES",
    apid=0x214,
    service=3,
    subtype=25,
    period_ms=60_000,
    description=f"Protons and electrons from the sun at the bus: {PARTICLE_CM2_SR} cm² sr [A], counts of 60 s.",
    body=Struct(
        _TICK,
        "proton_1" / _FLUX * "1 to 4 MeV",
        "proton_2" / _FLUX * "4 to 10 MeV",
        "proton_3" / _FLUX * "10 to 30 MeV",
        "proton_4" / _FLUX * "30 to 60 MeV",
        "electron_1" / _FLUX * "30 to 100 keV",
        "electron_2" / _FLUX * "100 to 300 keV",
    ),
)

_EVENT_BODY = Struct(
    "number" / Int16ub * "event number",
    "tick" / Quantity(Int32sb, "tick") * "tick at which it happened",
    "a" / Int32sb * "first argument",
    "b" / Int32sb * "second argument",
)

LANDER_EVENT = PacketDef("LANDER_EVENT", 0x103, 5, 1, _EVENT_BODY, 0, "Something happened aboard the lander.")
BUS_EVENT = PacketDef("BUS_EVENT", 0x203, 5, 1, _EVENT_BODY, 0, "Something happened aboard the bus.")

RESET_REASONS = {0: "unknown", 1: "power on", 2: "pin", 3: "brown-out", 4: "watchdog", 5: "software"}
"""Why a machine started, by the first argument of the event BOOT."""

FAULT_TRACE = PacketDef(
    "FAULT_TRACE",
    0x203,
    5,
    4,
    Struct(
        "number" / Int16ub * "event number",
        "tick" / Quantity(Int32sb, "tick") * "tick at which it is told",
        "pc" / Int32ub * "address of the instruction that failed, or of the one after it",
        "lr" / Int32ub * "address to which its function would have returned",
        "cfsr" / Int32ub * "what kind of fault it was: the Cortex-M's CFSR",
        "stack" / Quantity(Int32ub, "byte") * "how deep the stack was at its deepest",
    ),
    0,
    "What a fault of the machine left behind, sent with BOOT after the reset that it led to.",
    optional=True,
)

FAILURES = Enum(
    Int8ub,
    BAD_CHECKSUM=1,
    BAD_LENGTH=2,
    UNKNOWN_APID=3,
    UNKNOWN_COMMAND=4,
    BAD_ARGUMENT=5,
    WRONG_STATE=6,
    BUSY=7,
)

_REQUEST = "request" / Int32ub * "the command: the first four bytes of its packet"
_DONE_AT = "tick" / Quantity(Int32sb, "tick") * "tick at which it was applied"
_TOLD_AT = "tick" / Quantity(Int32sb, "tick") * "tick at which this was found"
_FAILURE = "failure" / FAILURES * "what was wrong"

VERIFICATION = (
    PacketDef("COMMAND_ACCEPTED", COMMAND_APID, 1, 1, Struct(_REQUEST, _TOLD_AT), 0, "A command was accepted."),
    PacketDef("COMMAND_REFUSED", COMMAND_APID, 1, 2, Struct(_REQUEST, _TOLD_AT, _FAILURE), 0, "A command was refused."),
    PacketDef("COMMAND_COMPLETED", COMMAND_APID, 1, 7, Struct(_REQUEST, _DONE_AT), 0, "A command was carried out."),
    PacketDef("COMMAND_FAILED", COMMAND_APID, 1, 8, Struct(_REQUEST, _TOLD_AT, _FAILURE), 0, "A command failed."),
)
"""PUS service 1. They share an APID: PUS service and subtype tell them apart."""

ALIVE = PacketDef("ALIVE", COMMAND_APID, 17, 2, Struct(_TOLD_AT), 0, "The answer to PING.")

CHIP_FAULTS = {"STUCK_WORDS": 1, "FLIPS_BEFORE_CRC": 2, "FLIPS_AFTER_CRC": 3, "BOND": 4}
"""How the failing transistors corrupt data [A]."""


def _function(number: int, name: str, description: str, arguments: Struct | None = None, **more: bool) -> CommandDef:
    """A command of PUS service 8: perform a function."""
    return CommandDef(name, COMMAND_APID, 8, 1, description, number, arguments, **more)


COMMANDS = (
    CommandDef("PING", COMMAND_APID, 17, 1, "Are you alive? Answered by ALIVE."),
    _function(1, "START", "Start the descent from tick 0."),
    _function(2, "HOLD", "Stop the mission clock at the end of this tick."),
    _function(3, "RESUME", "Let the mission clock run again."),
    _function(
        4,
        "STEP",
        "Fly some ticks, then hold again.",
        Struct("ticks" / Quantity(Int16ub, "tick", limits=Limits(1, None, None, 10_000)) * "how many to fly"),
    ),
    _function(
        5,
        "SCALE",
        "Let the mission clock run faster or slower than real time.",
        Struct(
            "factor"
            / Quantity(Int16ub, "×", scale=0.01, decimals=2, limits=Limits(0.1, None, None, 100.0))
            * "mission time over real time"
        ),
    ),
    _function(6, "RESET", "Restart the lander: back to tick 0, on hold.", critical=True),
    _function(
        7,
        "TRANSMITTER",
        "Switch the transmitter; the lander flies on while it is off.",
        Struct("on" / Flag * "whether it radiates"),
    ),
    _function(
        8,
        "FRAME_RATE",
        "Set how often a lander frame is sent.",
        Struct("period" / Quantity(Int8ub, "tick", limits=Limits(1, None, None, 100)) * "from one frame to the next"),
    ),
    _function(9, "REQUEST_HK", "Send LANDER_HK with the next frame."),
    _function(10, "DEPLOY_PARACHUTE", "Open the next parachute: the drogue, then the main.", critical=True),
    _function(11, "FIRE_RETROS", "Fire the retrorockets and release the parachute, once armed.", critical=True),
    _function(
        12,
        "SELECT_PROFILE",
        "Choose what happens in the descent and at its end.",
        Struct(
            "profile"
            / Enum(
                Int8ub,
                HISTORICAL=0,
                SOFT_LANDING=1,
                DEGRADED=2,
                PARACHUTE_FAILS=3,
                MAIN_FAILS=4,
                CONE_STICKS=5,
                RETROS_EARLY=6,
                RETROS_LATE=7,
                RETROS_NEVER=8,
                ALTIMETER_BLIND=9,
            )
            * "silent at 09:11:05, a soft landing, a failing chip, or what fails in the lander"
        ),
    ),
    _function(
        13,
        "INJECT_FAULT",
        "Let the chip corrupt data in one way.",
        Struct(
            "fault" / Enum(Int8ub, **CHIP_FAULTS) * "in which way",
            "level" / Quantity(Int8ub, "%", limits=Limits(1, None, None, 100)) * "share of the model's full strength",
            "seed" / Int32ub * "the same seed corrupts the same bits",
        ),
        critical=True,
    ),
    _function(
        14,
        "CLEAR_FAULTS",
        "End injected faults of the chip.",
        Struct("fault" / Enum(Int8ub, ALL=0, **CHIP_FAULTS) * "which"),
    ),
    _function(
        15,
        "SELECT_SPAN",
        "Choose what is flown: the descent from entry, or the encounter from separation to an hour after the fly-by.",
        Struct("span" / Enum(Int8ub, DESCENT=0, ENCOUNTER=1) * "from which tick to which"),
    ),
    _function(
        16,
        "SEED",
        "Set the seed of the failing chip and of the instruments' noise.",
        Struct("seed" / Int32ub * "the same seed gives the same flight; 0 is the default"),
    ),
)

EVENTS = (
    EventDef(1, "ENTRY", "ACTIVITY_HI", "atmospheric entry at {a} m, {b} m/s"),
    EventDef(2, "BLACKOUT_START", "ACTIVITY_HI", "plasma blackout begins: no lander data expected"),
    EventDef(3, "BLACKOUT_END", "ACTIVITY_HI", "blackout over at {a} m, {b} m/s: transmitting"),
    EventDef(4, "DROGUE", "ACTIVITY_HI", "drogue parachute at {a} m, {b} m/s"),
    EventDef(5, "MAIN", "ACTIVITY_HI", "main parachute opens reefed at {a} m, {b} m/s"),
    EventDef(6, "CONE_RELEASE", "ACTIVITY_HI", "heat-shield cone released at {a} m, {b} m/s"),
    EventDef(7, "ALTIMETER_LOCK", "ACTIVITY_LO", "radio altimeter locked at {a} m"),
    EventDef(8, "RETRO_ARM", "ACTIVITY_HI", "retrorockets armed at {a} m, {b} m/s"),
    EventDef(9, "LOSS_OF_SIGNAL", "WARNING_HI", "the lander fell silent at {a} m, {b} m/s"),
    EventDef(10, "TOUCHDOWN", "ACTIVITY_HI", "touchdown at {a:.2f} m/s", scales={"a": 0.01}),
    EventDef(11, "IMPACT", "WARNING_HI", "hit the ground at {a:.2f} m/s: the lander is lost", scales={"a": 0.01}),
    EventDef(32, "RELAY_LOCK", "ACTIVITY_HI", "relay receiver hears the lander"),
    EventDef(33, "RELAY_LOST", "WARNING_HI", "relay receiver lost the lander after {a} frames"),
    EventDef(34, "BOOT", "ACTIVITY_HI", "ready: reset reason {a}, build {b:08x}", {"a": RESET_REASONS}, starts=True),
    EventDef(
        35,
        "FAULT",
        "WARNING_HI",
        "the run before ended by a fault: PC {pc:08x}, LR {lr:08x}, CFSR {cfsr:08x}, {stack} bytes of stack used",
        optional=True,
    ),
    EventDef(
        36,
        "RELAY_SET",
        "ACTIVITY_HI",
        "the bus fell below the relay's mask: {a:.2f}° above the horizon, {b} frames relayed",
        scales={"a": 0.01},
    ),
    EventDef(37, "BOW_SHOCK", "ACTIVITY_HI", "the bus crossed the bow shock inbound at {a} km"),
)

EPOCH = utc_ns("1974-03-12T09:05:53")
"""Atmospheric entry, tick 0 [S]."""

FIRST_DATA = utc_ns("1974-03-12T09:07:21")
"""The lander's first frame: loss of signal less the 224 s of data [S+C]."""

SURFACE_DATA = utc_ns("1974-03-12T09:13:28")
"""Where a lander that survived would have been heard again: loss of signal and 143 s [R]."""

TIMELINE = (
    Milestone("ENTRY", "ENTRY", EPOCH, "S"),
    Milestone("BLACKOUT_START", "BLACKOUT", utc_ns("1974-03-12T09:06:53"), "A"),
    Milestone("FIRST_DATA", "DATA", FIRST_DATA, "C"),
    Milestone("DROGUE", "CHUTE", utc_ns("1974-03-12T09:08:32"), "F"),
    Milestone("MAIN", "MAIN", utc_ns("1974-03-12T09:09:25.670"), "A"),
    Milestone("CONE_RELEASE", "CONE", utc_ns("1974-03-12T09:09:31.670"), "A"),
    Milestone("RETRO_ARM", "RETRO", utc_ns("1974-03-12T09:11:01"), "C"),
    Milestone("LOSS_OF_SIGNAL", "LOS", utc_ns("1974-03-12T09:11:05"), "S"),
)

MARS6 = Dictionary(
    name="MARS-6",
    scid=SCID,
    packets=(
        DESCENT,
        LANDER_HK,
        LANDER_SYSTEMS,
        LANDER_EVENT,
        SURFACE_SCIENCE,
        SPECTRUM,
        BUS_HK,
        BUS_ORBIT,
        MAGNETOMETER,
        PLASMA,
        COSMIC_RAYS,
        MICROMETEOROIDS,
        PARTICLES,
        BUS_EVENT,
        FAULT_TRACE,
        *VERIFICATION,
        ALIVE,
    ),
    events=EVENTS,
    channels=(
        ChannelDef(LANDER, "lander", "LANDER", 100, expected_from=FIRST_DATA),
        ChannelDef(SURFACE, "surface", "SURFACE", 10_000, expected_from=SURFACE_DATA),
        ChannelDef(BUS, "bus", "BUS", 1000),
    ),
    timeline=TIMELINE,
    commands=COMMANDS,
    checks=CHECKS,
    instruments=INSTRUMENTS,
)

MISSION_EVENTS = (
    MissionEvent(
        "LAUNCH",
        "LAUNCH",
        utc_ns("1973-08-05T17:45:48"),
        "S",
        "Proton-K with Blok D lifts off from Baikonur, site 81/23",
    ),
    MissionEvent(
        "PARKING_ORBIT",
        "ORBIT",
        utc_ns("1973-08-05T17:55:48"),
        "A",
        "Blok D and spacecraft in parking orbit; no source gives the time: ten minutes after launch",
    ),
    MissionEvent(
        "BLOK_D",
        "BLOK D",
        utc_ns("1973-08-05T19:15:48"),
        "A",
        "Blok D burns for Mars; no source gives the time: an orbit later",
    ),
    MissionEvent(
        "COURSE_CORRECTION",
        "COURSE",
        utc_ns("1973-08-13"),
        "S",
        "course correction on 13 August; another source says 12 August, 23:45 UT [F]; a tape recorder failed then [F]",
        day_only=True,
    ),
    MissionEvent(
        "TELEMETRY_LOST",
        "TELEMETRY",
        utc_ns("1973-09-03"),
        "F",
        "the bus's own telemetry loses all but two channels",
        day_only=True,
    ),
    MissionEvent(
        "SEPARATION",
        "SEPARATION",
        utc_ns("1974-03-12T05:01:56"),
        "S",
        "the lander separates at 48,000 km; another source says 46,000 km [F]; in this project's model the bus is then "
        "45,394 km high, 48,790 km from the centre of Mars [C]",
    ),
    MissionEvent(
        "BOW_SHOCK",
        "SHOCK",
        utc_ns("1974-03-12T09:02:28"),
        "A",
        "the bus crosses the bow shock of Mars inbound, 2,238 km high: a parabola for quiet wind [F for its form]",
    ),
    MissionEvent("ENTRY", "ENTRY", EPOCH, "S", "the lander enters the atmosphere at 5,600 m/s"),
    MissionEvent(
        "PARACHUTE",
        "PARACHUTE",
        utc_ns("1974-03-12T09:08:32"),
        "F",
        "the parachute opens at 600 m/s [S]",
    ),
    MissionEvent(
        "LOSS_OF_SIGNAL",
        "LOS",
        utc_ns("1974-03-12T09:11:05"),
        "S",
        "the lander falls silent, about to fire its retrorockets",
    ),
    MissionEvent(
        "FLYBY",
        "FLY-BY",
        utc_ns("1974-03-12T09:13:33"),
        "C",
        "the bus passes 1,600 km above Mars [S]; the time is this project's model: 460 s after entry",
    ),
    MissionEvent(
        "RELAY_SET",
        "SET",
        utc_ns("1974-03-12T09:26:08"),
        "A",
        "seen from the lander the bus falls below the relay's mask of 15°; the horizon itself follows at 09:37:21 [C]",
    ),
)

VIEWS = (
    DisplayView(
        "descent",
        packets=("DESCENT", "LANDER_SYSTEMS"),
        without=("tick", "altimeter_lock"),
        plots=(Plot("DESCENT.altitude", "ALT"), Plot("DESCENT.speed", "SPD")),
    ),
    DisplayView(
        "bus",
        packets=("BUS_HK", "BUS_ORBIT", "MAGNETOMETER", "PLASMA", "COSMIC_RAYS", "MICROMETEOROIDS", "PARTICLES"),
        without=("tick", "dictionary_hash", "relay.horizon"),
        plots=(Plot("MAGNETOMETER.bx", "BX"), Plot("PLASMA.speed", "WIND")),
        panels=("light times",),
    ),
    DisplayView(
        "surface",
        packets=("SURFACE", "SPECTRUM"),
        without=("tick",),
        plots=(Plot("SURFACE.temperature", "TEMP"), Plot("SURFACE.pressure", "PRES")),
        bars="SPECTRUM.intensity",
        panels=("expected",),
    ),
    DisplayView("quality", without=("tick",), panels=("quality",)),
    DisplayView(
        "relays",
        packets=("LANDER_HK",),
        without=("tick", "dictionary_hash"),
        panels=("relays",),
    ),
)
"""What a viewer shows, by the keys 1 to 5."""

CURVES = tuple(
    Plot(f"{packet}.{name}")
    for packet, names in {
        "DESCENT": ("deceleration", "temperature", "pressure", "radio_altitude", "pump_current"),
        "LANDER_SYSTEMS": ("swing", "thrust", "battery_voltage"),
        "SURFACE": ("temperature", "pressure"),
        "BUS_ORBIT": ("altitude", "speed"),
        "BUS_HK": ("slant_range", "elevation"),
        "MAGNETOMETER": ("bx", "by", "bz"),
        "PLASMA": ("speed", "density", "temperature"),
        "COSMIC_RAYS": ("rate",),
        "MICROMETEOROIDS": ("impacts",),
        "PARTICLES": ("proton_1", "electron_1"),
    }.items()
    for name in names
)
"""What a report draws beside altitude and speed of the descent."""

MISSION = Mission(
    MARS6,
    events=MISSION_EVENTS,
    relays=RELAYS,
    display=Display(phase="DESCENT.phase", zero="ENTRY", views=VIEWS, curves=CURVES),
    ping="PING",
    light_times=(
        LightTime("Mars to Earth", Figure(761.05, "C")),
        LightTime("lander to bus", parameter="BUS_ORBIT.light_time"),
    ),
    source="mars6",
)

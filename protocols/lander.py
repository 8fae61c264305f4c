"""THE declaration of this lander's packets: what Mars 6 and its bus send and take, with units, calibrations, limits.

Marks of where a figure comes from: [S] the project's source document, [F] found in public sources, [R] from memory
of the literature, [C] computed, [A] assumed for the simulation. No telemetry format of Mars 6 is public: every
packet below is this project's own design [A]. Instrument ranges, steps and limits are [A] too.
"""

from __future__ import annotations

from construct import Enum, Flag, Int8ub, Int16ub, Int32sb, Int32ub, Struct

from protocols.declare.commands import CommandDef
from protocols.declare.dictionary import ChannelDef, Dictionary, EventDef, Milestone, PacketDef, utc_ns
from protocols.declare.mission import Display, Mission, MissionEvent, Plot
from protocols.lander_relays import RELAYS
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
)

DESCENT = PacketDef(
    "DESCENT",
    apid=0x101,
    service=3,
    subtype=25,
    period_ms=100,
    description="Descent science, one packet a tick: the lander's motion and its four descent instruments.",
    body=Struct(
        "tick" / Quantity(Int32ub, "tick") * "ticks of 100 ms since entry",
        "phase" / PHASES * "where the sequencer stands",
        "altitude" / Quantity(Int32ub, "m", scale=0.001, decimals=1) * "height of the flight model [A]",
        "speed" / Quantity(Int32ub, "m/s", scale=0.001, decimals=2) * "speed of the flight model [A]",
        "vertical_speed" / Quantity(Int32sb, "m/s", scale=0.001, decimals=2) * "positive is down",
        "deceleration"
        / Quantity(Int16ub, "g", scale=0.01, decimals=2, limits=Limits(yellow_high=12.0, red_high=20.0))
        * "accelerometer: drag over mass",
        "temperature"
        / Quantity(
            Int16ub,
            "K",
            scale=0.05,
            offset=120.0,
            decimals=2,
            limits=Limits(red_low=130.0, yellow_low=145.0, yellow_high=250.0, red_high=300.0),
        )
        * "thermometer",
        "pressure"
        / Quantity(Int16ub, "hPa", scale=0.003, decimals=3, limits=Limits(yellow_high=6.5, red_high=8.0))
        * "barometer",
        "altimeter_lock" / Flag * "radio altimeter has an echo",
        "radio_altitude"
        / Quantity(
            Int16ub,
            "m",
            scale=2.0,
            limits=Limits(red_low=100.0, yellow_low=1000.0),
            valid_if="altimeter_lock",
        )
        * "radio altimeter, high channel",
        "radio_altitude_low"
        / Quantity(Int16ub, "m", scale=0.1, decimals=1, valid_if="altimeter_lock")
        * "radio altimeter, low channel: full scale above 100 m",
        "pump_current"
        / Quantity(Int8ub, "mA", scale=0.04, decimals=2, limits=Limits(yellow_high=5.0, red_high=8.0))
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
        "tick" / Quantity(Int32ub, "tick") * "ticks of 100 ms since entry",
        "dictionary_hash" / Int32ub * "hash of the dictionary that the lander was built with",
        "frames_sent" / Int32ub * "frames on VC0 since start",
        "events_sent" / Int16ub * "event packets since start",
        "commands_accepted" / Int16ub * "telecommands carried out since start",
        "commands_rejected" / Int16ub * "telecommands refused since start",
        "transmitter_on" / Flag * "the transmitter radiates",
        "backlog" / Quantity(Int16ub, "byte") * "packet bytes that wait for a frame",
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
        "tick" / Quantity(Int32ub, "tick") * "ticks of 100 ms since entry",
        "dictionary_hash" / Int32ub * "hash of the dictionary that the bus was built with",
        "slant_range" / Quantity(Int16ub, "km") * "bus to lander [C], interpolated [A]",
        "relay_frames" / Int32ub * "lander frames relayed since start",
        "relay_lock" / Flag * "the relay receiver hears the lander",
        "relay_silence" / Quantity(Int16ub, "s", scale=0.1, decimals=1) * "since the last lander frame",
    ),
)

_EVENT_BODY = Struct(
    "number" / Int16ub * "event number",
    "tick" / Quantity(Int32ub, "tick") * "tick at which it happened",
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
        "tick" / Quantity(Int32ub, "tick") * "tick at which it is told",
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
_DONE_AT = "tick" / Quantity(Int32ub, "tick") * "tick at which it was applied"
_TOLD_AT = "tick" / Quantity(Int32ub, "tick") * "tick at which this was found"
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
        "Choose what happens at the end of the descent.",
        Struct("profile" / Enum(Int8ub, HISTORICAL=0, SOFT_LANDING=1) * "silent at 09:11:05, or a soft landing"),
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
)

EPOCH = utc_ns("1974-03-12T09:05:53")
"""Atmospheric entry, tick 0 [S]."""

TIMELINE = (
    Milestone("ENTRY", "ENTRY", EPOCH, "S"),
    Milestone("BLACKOUT_START", "BLACKOUT", utc_ns("1974-03-12T09:06:53"), "A"),
    Milestone("FIRST_DATA", "DATA", utc_ns("1974-03-12T09:07:21"), "C"),
    Milestone("DROGUE", "CHUTE", utc_ns("1974-03-12T09:08:32"), "F"),
    Milestone("MAIN", "MAIN", utc_ns("1974-03-12T09:09:25.670"), "A"),
    Milestone("CONE_RELEASE", "CONE", utc_ns("1974-03-12T09:09:31.670"), "A"),
    Milestone("RETRO_ARM", "RETRO", utc_ns("1974-03-12T09:11:01"), "C"),
    Milestone("LOSS_OF_SIGNAL", "LOS", utc_ns("1974-03-12T09:11:05"), "S"),
)

MARS6 = Dictionary(
    name="MARS-6",
    scid=SCID,
    packets=(DESCENT, LANDER_HK, LANDER_EVENT, BUS_HK, BUS_EVENT, FAULT_TRACE, *VERIFICATION, ALIVE),
    events=EVENTS,
    channels=(
        ChannelDef(LANDER, "lander", "LANDER", 100),
        ChannelDef(BUS, "bus", "BUS", 1000),
    ),
    timeline=TIMELINE,
    commands=COMMANDS,
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
        "the lander separates at 48,000 km; another source says 46,000 km [F]",
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
)

MISSION = Mission(
    MARS6,
    events=MISSION_EVENTS,
    relays=RELAYS,
    display=Display(
        packets=("DESCENT", "LANDER_HK", "BUS_HK"),
        plots=(Plot("DESCENT.altitude", "ALT"), Plot("DESCENT.speed", "SPD")),
        phase="DESCENT.phase",
        zero="ENTRY",
    ),
    ping="PING",
    source="mars6",
)

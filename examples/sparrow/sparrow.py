"""SPARROW: a cubesat with one housekeeping packet and two commands."""

# Run: groundstation missions ./examples/sparrow/sparrow.py

from construct import BitsInteger, BitStruct, Enum, Flag, Int8ub, Int16sb, Int16ub, Int32ub, Padding, Struct

from protocols import (
    ChannelDef,
    CommandDef,
    Dictionary,
    Display,
    EventDef,
    Limits,
    Milestone,
    Mission,
    PacketDef,
    Plot,
    Quantity,
)
from protocols.times import utc_ns

HK = PacketDef(
    "HK",
    apid=0x021,
    service=3,
    subtype=25,
    period_ms=500,
    description="Housekeeping.",
    body=Struct(
        "mode" / Enum(Int8ub, SAFE=0, NOMINAL=1) * "what the satellite does",
        "battery"
        / Quantity(Int16ub, "V", scale=0.001, decimals=3, limits=Limits(6.4, 7.0, 8.3, 8.6))
        * "battery voltage",
        "temperature" / Quantity(Int16sb, "°C", scale=0.1, decimals=1) * "battery temperature",
        "switches" / BitStruct("heater" / Flag, "camera" / Flag, Padding(2), "slot" / BitsInteger(4)),
    ),
)

REQUEST = "request" / Int32ub * "the command: the first four bytes of its packet"

SPARROW = Dictionary(
    name="SPARROW",
    scid=0x2A,
    packets=(
        HK,
        PacketDef("ACCEPTED", 0x020, 1, 1, Struct(REQUEST), 0, "A command was accepted."),
        PacketDef("COMPLETED", 0x020, 1, 7, Struct(REQUEST), 0, "A command was carried out."),
    ),
    events=(EventDef(1, "BOOT", "ACTIVITY_HI", "started, reset reason {a}"),),
    channels=(ChannelDef(0, "satellite", "SPARROW", 500),),
    timeline=(Milestone("DEPLOY", "DEPLOY", utc_ns("2031-05-01T12:00:00"), "A"),),
    commands=(
        CommandDef("PING", 0x020, 17, 1, "Are you alive?"),
        CommandDef(
            "CAMERA",
            0x020,
            8,
            1,
            "Take pictures.",
            function=1,
            arguments=Struct("count" / Quantity(Int8ub, limits=Limits(red_low=1, red_high=16)) * "how many"),
        ),
    ),
)

MISSION = Mission(
    SPARROW,
    display=Display(
        packets=("HK",),
        plots=(Plot("HK.battery", "BAT"), Plot("HK.temperature", "TMP")),
        phase="HK.mode",
    ),
    ping="PING",
)

"""The instruments and systems of Mars 6 and its bus, each with the parameters that show it.

Marks as in `protocols.lander`: what was aboard is the source's [S] or was found [F]; ranges, rates and limits are [A].
"""

from __future__ import annotations

from protocols.declare.instruments import Instrument

INSTRUMENTS = (
    Instrument("thermometer", "lander", "S", ("DESCENT.temperature", "SURFACE.temperature")),
    Instrument("barometer", "lander", "S", ("DESCENT.pressure", "SURFACE.pressure")),
    Instrument(
        "accelerometer",
        "lander",
        "S",
        ("DESCENT.deceleration", "LANDER_SYSTEMS.peak_deceleration", "LANDER_SYSTEMS.mean_deceleration"),
    ),
    Instrument(
        "radio altimeter",
        "lander",
        "S",
        ("DESCENT.altimeter_lock", "DESCENT.radio_altitude", "DESCENT.radio_altitude_low"),
    ),
    Instrument("mass spectrometer", "lander", "S", ("DESCENT.pump_current", "SPECTRUM.intensity")),
    Instrument("parachute", "lander", "S", ("LANDER_SYSTEMS.swing",)),
    Instrument("retrorockets", "lander", "S", ("LANDER_SYSTEMS.retro", "LANDER_SYSTEMS.thrust")),
    Instrument(
        "battery",
        "lander",
        "A",
        (
            "LANDER_SYSTEMS.battery_voltage",
            "LANDER_SYSTEMS.battery_current",
            "SURFACE.battery_voltage",
            "SURFACE.battery_current",
        ),
    ),
    Instrument(
        "transmitter",
        "lander",
        "S",
        ("LANDER_HK.transmitter_on", "LANDER_SYSTEMS.transmitter_power", "SURFACE.transmitter_power"),
    ),
    Instrument("magnetometer", "bus", "S", ("MAGNETOMETER.bx", "MAGNETOMETER.by", "MAGNETOMETER.bz")),
    Instrument(
        "plasma traps",
        "bus",
        "S",
        ("PLASMA.energy", "PLASMA.current", "PLASMA.speed", "PLASMA.density", "PLASMA.temperature"),
    ),
    Instrument("cosmic-ray detector", "bus", "S", ("COSMIC_RAYS.rate",)),
    Instrument("micrometeoroid detector", "bus", "S", ("MICROMETEOROIDS.impacts",)),
    Instrument(
        "proton and electron fluxes",
        "bus",
        "S",
        (
            "PARTICLES.proton_1",
            "PARTICLES.proton_2",
            "PARTICLES.proton_3",
            "PARTICLES.proton_4",
            "PARTICLES.electron_1",
            "PARTICLES.electron_2",
        ),
    ),
    Instrument(
        "relay",
        "bus",
        "S",
        ("BUS_HK.relay.lock", "BUS_HK.relay_frames", "BUS_HK.relay_silence", "BUS_HK.slant_range", "BUS_HK.elevation"),
    ),
)

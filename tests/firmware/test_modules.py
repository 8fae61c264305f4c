"""Each module of the core against its Python twin."""

from __future__ import annotations

import math
from dataclasses import asdict, astuple, fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.lander import instruments, sequencer
from hil.lander.bus_instruments import poisson, seeded
from hil.lander.chip import Chip
from hil.lander.modes import PROFILES
from hil.lander.physics import atmosphere, fixed
from hil.lander.physics.descent import descend
from hil.lander.physics.dynamics import ENTRY_STATE, State, Vehicle, advance
from hil.lander.physics.orbit import LAST_TICK, SEPARATION_TICK, geometry_at
from hil.lander.physics.orbit_table import BOW_SHOCK_TICK
from hil.lander.sequencer import NEVER, Sequence
from hil.lander.systems.surface import SurfaceStation
from hil.lander.systems.vitals import Vitals, swing_at
from hil.lander.systems.wear import Wear
from protocols.ccsds.crc import crc16
from protocols.ccsds.space_packet import idle_packet
from tests.firmware.core import Core

ALTITUDE_UM = st.integers(0, 130_000_000_000)
SPEED_UMS = st.integers(-4_200_000_000, 4_200_000_000)
"""Of each component, so that the speed stays below 6 km/s, for which the arithmetic is made."""
TICKS = st.integers(0, 12_600)
TIMES_MS = st.one_of(st.integers(0, 455_000), st.just(NEVER))
SEQUENCES = st.builds(
    Sequence,
    *[TIMES_MS] * 8,
    crashed=st.booleans(),
    fire_at_dm=st.sampled_from([0, 80, 202, 400]),
    blind=st.booleans(),
    dud=st.booleans(),
    low_dm=st.integers(0, 999),
)
MOTION = ("altitude_um", "horizontal_ums", "vertical_ums", "speed_mms", "drag_ums2")
SEQUENCE = tuple(field.name for field in fields(Sequence))


def fill(struct: Any, names: tuple[str, ...], source: object) -> Any:
    for name in names:
        setattr(struct, name, getattr(source, name))
    return struct


@given(square=st.one_of(st.integers(0, 2**62 - 1), st.integers(0, 2**31 - 1).map(lambda root: root * root)))
def test_isqrt(core: Core, square: int) -> None:
    assert core.lib.fixed_isqrt(square) == math.isqrt(square)


def test_isqrt_at_its_edges(core: Core) -> None:
    for square in (0, 1, 2, 3, 4, 2**60 - 1, 2**60, 2**62 - 1):
        assert core.lib.fixed_isqrt(square) == fixed.isqrt(square) == math.isqrt(square)


@given(
    low=st.integers(-(2**31), 2**31 - 1),
    high=st.integers(-(2**31), 2**31 - 1),
    step=st.integers(1, 2**30),
    share=st.floats(0, 1),
)
def test_division_truncates_as_in_python(core: Core, low: int, high: int, step: int, share: float) -> None:
    past = int(share * (step - 1))
    assert core.lib.fixed_between(low, high, past, step) == low + fixed.div((high - low) * past, step)


@given(altitude_mm=st.integers(-(2**40), 2**40) | st.integers(0, 115_000_000))
def test_atmosphere(core: Core, altitude_mm: int) -> None:
    assert core.lib.atmosphere_density(altitude_mm) == atmosphere.density(altitude_mm)
    assert core.lib.atmosphere_temperature_ck(altitude_mm) == atmosphere.temperature_ck(altitude_mm)
    assert core.lib.atmosphere_pressure_mpa(altitude_mm) == atmosphere.pressure_mpa(altitude_mm)


@settings(max_examples=500)
@given(
    altitude_um=ALTITUDE_UM,
    u=SPEED_UMS,
    w=SPEED_UMS,
    drag=st.integers(0, 3_000_000_000),
    vehicle=st.builds(
        Vehicle,
        st.sampled_from([450_000, 635_000]),
        st.integers(0, 791_000),
        st.integers(0, 791_000),
        st.integers(0, 41_900_000),
    ),
    steps_per_s=st.sampled_from([10, 50]),
)
def test_one_step_of_motion(
    core: Core, altitude_um: int, u: int, w: int, drag: int, vehicle: Vehicle, steps_per_s: int
) -> None:
    speed = fixed.isqrt(fixed.div(u, 1000) ** 2 + fixed.div(w, 1000) ** 2)
    state = State(altitude_um, u, w, 0, speed, drag)
    motion = fill(core.new("motion"), MOTION, state)
    craft = fill(core.new("vehicle"), ("mass_g", "cda_middle_cm2", "cda_end_cm2", "thrust_mn"), vehicle)
    after = advance(state, vehicle, steps_per_s)
    core.lib.dynamics_advance(motion, craft, steps_per_s)
    assert core.fields(motion) == {name: getattr(after, name) for name in MOTION}


@settings(max_examples=300)
@given(
    altitude_um=st.integers(0, 30_000_000),
    u=st.integers(-10_000_000, 10_000_000),
    w=st.integers(-20_000_000, 200_000_000),
    plan=SEQUENCES,
    tick=TICKS,
)
def test_one_tick_near_the_ground(core: Core, altitude_um: int, u: int, w: int, plan: Sequence, tick: int) -> None:
    speed = fixed.isqrt(fixed.div(u, 1000) ** 2 + fixed.div(w, 1000) ** 2)
    state = State(altitude_um, u, w, 0, speed, 0)
    motion = fill(core.new("motion"), MOTION, state)
    core.lib.descent_tick(motion, fill(core.new("sequence"), SEQUENCE, plan), tick)
    after = descend(state, plan, tick)
    assert core.fields(motion) == {name: getattr(after, name) for name in MOTION}


def test_it_starts_where_the_python_lander_does(core: Core) -> None:
    motion = core.new("motion")
    core.lib.dynamics_entry(motion)
    assert core.fields(motion) == {name: getattr(ENTRY_STATE, name) for name in MOTION}


@pytest.mark.parametrize("number", range(len(PROFILES)))
def test_each_profile_is_planned_as_the_python_lander_does(core: Core, number: int) -> None:
    plan = core.new("sequence")
    core.lib.sequencer_plan(plan, number)
    assert core.fields(plan) == {name: getattr(PROFILES[number].sequence, name) for name in SEQUENCE}
    assert core.lib.sequencer_falls_silent(number) is not PROFILES[number].ends_with_crash


@settings(max_examples=500)
@given(
    plan=SEQUENCES,
    tick=TICKS,
    altitude_mm=st.one_of(st.integers(0, 14_000_000), st.integers(0, 110_000)),
    speed_mms=st.integers(0, 200_000),
)
def test_sequencer(core: Core, plan: Sequence, tick: int, altitude_mm: int, speed_mms: int) -> None:
    twin = fill(core.new("sequence"), SEQUENCE, plan)
    lib, vehicle = core.lib, core.new("vehicle")
    assert lib.sequencer_phase(twin, tick) == sequencer.phase_at(plan, tick)
    assert lib.sequencer_transmits(twin, tick) == sequencer.transmits_at(plan, tick)
    assert lib.sequencer_on_surface(twin, tick) == sequencer.surface_at(plan, tick)
    assert lib.sequencer_on_ground(twin, tick) == sequencer.on_ground(plan, tick)
    assert lib.sequencer_retro(twin, tick) == sequencer.retro_at(plan, tick)
    assert lib.sequencer_thrust_mn(twin, tick) == sequencer.thrust_at(plan, tick)
    if plan.main_ms >= plan.drogue_ms:  # as any plan and any command has it
        assert lib.vitals_swing(twin, tick) == swing_at(plan, tick)
    lib.sequencer_vehicle(twin, tick * 100, 20, vehicle)
    expected = sequencer.vehicle_at(plan, tick * 100, 20)
    assert core.fields(vehicle) == {name: getattr(expected, name) for name in core.fields(vehicle)}
    after, passed = sequencer.step(plan, tick, altitude_mm, speed_mms)
    assert lib.sequencer_step(twin, tick, altitude_mm, speed_mms) == sum(1 << what for what in passed)
    assert core.fields(twin) == {name: getattr(after, name) for name in SEQUENCE}
    assert lib.sequencer_locked(twin, tick) == sequencer.altimeter_locked(after, tick)


@settings(max_examples=300)
@given(plan=SEQUENCES, tick=TICKS, fires=st.booleans())
def test_what_is_commanded(core: Core, plan: Sequence, tick: int, fires: bool) -> None:
    twin = fill(core.new("sequence"), SEQUENCE, plan)
    lib, act = core.lib, sequencer.fire_retrorockets if fires else sequencer.deploy_parachute
    can, do = (
        (lib.sequencer_can_fire, lib.sequencer_fire) if fires else (lib.sequencer_can_deploy, lib.sequencer_deploy)
    )
    after = act(plan, tick)
    assert can(twin, tick) == (after is not plan)
    if can(twin, tick):
        do(twin, tick)
    assert core.fields(twin) == {name: getattr(after, name) for name in SEQUENCE}


READINGS = st.builds(
    instruments.Readings,
    st.integers(0, 4000),
    st.integers(0, 4000),
    st.integers(0, 2500),
    st.booleans(),
    st.integers(0, 3500),
    st.integers(0, 1000),
    st.integers(0, 250),
)


@settings(max_examples=300)
@given(last=READINGS, altitude_um=ALTITUDE_UM, drag=st.integers(0, 3_000_000_000), tick=TICKS, locked=st.booleans())
def test_instruments(
    core: Core, last: instruments.Readings, altitude_um: int, drag: int, tick: int, locked: bool
) -> None:
    state = State(altitude_um, 0, 0, 0, 0, drag)
    motion, readings = fill(core.new("motion"), MOTION, state), core.new("readings")
    names = tuple(core.fields(readings))
    fill(readings, names, last)
    expected = instruments.measure(state, tick, locked, last)
    core.lib.instruments_measure(readings, motion, tick, locked)
    assert core.fields(readings) == {name: getattr(expected, name) for name in names}


@given(data=st.binary(max_size=300))
def test_crc(core: Core, data: bytes) -> None:
    assert core.lib.crc16(data, len(data)) == crc16(data)


@given(size=st.integers(7, 116), sequence=st.integers(0, 0x3FFF))
def test_idle_packets(core: Core, size: int, sequence: int) -> None:
    out = core.ffi.new("uint8_t[]", size)
    core.lib.packet_idle(out, size, sequence)
    assert bytes(out) == idle_packet(size, sequence)


INJECTIONS = st.tuples(st.integers(1, 4), st.integers(1, 100), st.integers(0, 2**32 - 1))
CHIP_ACTIONS = st.lists(st.one_of(INJECTIONS, st.integers(0, 4), st.binary(min_size=132, max_size=132)), max_size=12)


@settings(max_examples=50, deadline=None)
@given(actions=CHIP_ACTIONS)
def test_chip(core: Core, actions: list[tuple[int, int, int] | int | bytes]) -> None:
    twin, chip = core.new("chip"), Chip()
    core.lib.chip_init(twin)
    for action in actions:
        if isinstance(action, tuple):
            chip = chip.inject(*action)
            core.lib.chip_inject(twin, *action)
        elif isinstance(action, int):
            chip = chip.clear(action)
            core.lib.chip_clear(twin, action)
        else:
            wire, body = core.ffi.new("uint8_t[]", action), core.ffi.new("uint8_t[]", action[:29])
            spoilt, chip = chip.spoil_body(action[:29])
            core.lib.chip_corrupt_body(twin, body, 29)
            assert bytes(body)[:29] == spoilt
            spoilt, chip = chip.spoil_frame(action)
            core.lib.chip_corrupt_frame(twin, wire, len(action))
            assert bytes(wire)[: len(action)] == spoilt


def test_orbit_at_every_second(core: Core) -> None:
    geometry = core.new("geometry")
    for tick in range(SEPARATION_TICK, LAST_TICK + 1, 10):
        twin = geometry_at(tick)
        core.lib.orbit_geometry(geometry, tick)
        assert core.fields(geometry) == asdict(twin), tick
        assert core.lib.orbit_elevation(tick) == twin.elevation
        assert core.lib.orbit_speed_ms(twin.altitude) == twin.speed_ms
        assert core.lib.orbit_light_time(twin.slant_range) == twin.light_time
        assert core.lib.orbit_km(twin.altitude) == twin.altitude_km
        assert core.lib.orbit_radius_km(twin.altitude) == twin.radius_km
    assert core.lib.orbit_bow_shock_tick() == BOW_SHOCK_TICK


@given(state=st.integers(1, 2**32 - 1), mean=st.integers(0, 4_000_000) | st.integers(0, 51_000))
def test_poisson_numbers(core: Core, state: int, mean: int) -> None:
    mine = core.ffi.new("uint32_t *", state)
    count = core.lib.bus_poisson(mine, mean)
    assert (count, mine[0]) == poisson(state, mean)


@pytest.mark.parametrize("seed", [0, 1, 0x4D41474E, 2**32 - 1])
def test_bus_instruments_through_the_whole_encounter(core: Core, seed: int) -> None:
    twin, mine = seeded(seed), core.new("bus_instruments")
    core.lib.bus_instruments_seed(mine, seed)
    axes, counts = core.ffi.new("int16_t[3]"), core.ffi.new("uint32_t[6]")
    geometry, plasma = core.new("geometry"), core.new("plasma")
    for tick in range(SEPARATION_TICK, LAST_TICK + 1, 100):
        core.lib.orbit_geometry(geometry, tick)
        place = geometry_at(tick)
        field, twin = twin.measure_field(tick, place)
        core.lib.bus_measure_field(mine, tick, geometry, axes)
        assert tuple(axes) == field
        ions, twin = twin.measure_plasma(tick, place)
        core.lib.bus_measure_plasma(mine, tick, geometry, plasma)
        assert core.fields(plasma) == asdict(ions)
        rays, twin = twin.count_cosmic_rays(place)
        assert core.lib.bus_count_cosmic_rays(mine, geometry) == rays
        impacts, twin = twin.count_meteoroids()
        assert core.lib.bus_count_meteoroids(mine) == impacts
        particles, twin = twin.count_particles(tick)
        core.lib.bus_count_particles(mine, tick, counts)
        assert tuple(counts) == particles
    assert (*mine.draws, mine.impacts) == astuple(twin)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), first=st.integers(880, 3_100), body=st.binary(min_size=29, max_size=29))
def test_the_chip_that_fails_with_time(core: Core, seed: int, first: int, body: bytes) -> None:
    twin, wear = core.new("wear"), Wear(seed)
    core.lib.wear_start(twin, seed)
    for tick in range(first, first + 20):
        core.lib.wear_age(twin, tick)
        wear.age(tick)
        spoilt, wire = core.ffi.new("uint8_t[]", body), core.ffi.new("uint8_t[]", bytes(132))
        core.lib.wear_corrupt_body(twin, tick, spoilt, 29)
        assert bytes(spoilt)[:29] == wear.spoil_body(body)
        core.lib.wear_corrupt_frame(twin, tick, wire, 132)
        assert bytes(wire)[:132] == wear.spoil_frame(bytes(132))


@given(seed=st.integers(0, 2**32 - 1), ground_ms=st.integers(0, 455_000), ticks=st.lists(st.integers(4_550, 12_149)))
def test_surface_instruments(core: Core, seed: int, ground_ms: int, ticks: list[int]) -> None:
    twin, station = core.new("surface"), SurfaceStation(seed)
    core.lib.surface_start(twin, seed)
    for tick in ticks:
        if tick % 2:
            expected = station.read(tick, ground_ms)
            assert core.lib.surface_temperature(twin, tick, ground_ms) == expected["temperature"]
            assert core.lib.surface_pressure(twin) == expected["pressure"]
            continue
        swept = core.ffi.new("uint8_t[]", 80)
        core.lib.surface_sweep(twin, swept)
        assert {"sweep": twin.sweeps} | {f"intensity[{n}]": swept[n] for n in range(80)} == station.sweep()


@given(seen=st.lists(st.tuples(st.integers(0, 2_500), st.booleans()), max_size=60))
def test_vitals(core: Core, seen: list[tuple[int, bool]]) -> None:
    twin, vitals, lib = core.new("vitals"), Vitals(), core.lib
    for tick, (deceleration, radiates) in enumerate(seen):
        lib.vitals_observe(twin, tick, deceleration, radiates)
        vitals.observe(tick, deceleration, radiates)
        report = vitals.report(sequencer.HISTORICAL, tick)
        assert (twin.peak, lib.vitals_mean(twin)) == (report["peak_deceleration"], report["mean_deceleration"])
        assert lib.vitals_voltage_cv(twin) == report["battery_voltage"]
        assert lib.vitals_current_ca(twin) == report["battery_current"]
        assert lib.vitals_power_dw(twin) == report["transmitter_power"]

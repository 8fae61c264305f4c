"""The bus's instruments against the means of their models, over the whole encounter and with fixed seeds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import fmean, pvariance

import pytest

from hil.lander.bus_instruments import BusInstruments, Plasma, poisson, seeded
from hil.lander.physics.orbit import LAST_TICK, SEPARATION_TICK, geometry_at

Field = tuple[int, int, int]
SHOCK = -2_050
WIND = range(SEPARATION_TICK, SHOCK - 100, 100)
SHEATH = range(SHOCK + 150, LAST_TICK, 100)
SEEDS = (0, 1, 6, 2**32 - 1)


def fields(ticks: range, seed: int = 0) -> list[tuple[int, Field]]:
    instruments, found = seeded(seed), []
    for tick in ticks:
        field, instruments = instruments.measure_field(tick, geometry_at(tick))
        found.append((tick, field))
    return found


def ions(ticks: range, seed: int = 0) -> list[Plasma]:
    instruments, found = seeded(seed), []
    for tick in ticks:
        plasma, instruments = instruments.measure_plasma(tick, geometry_at(tick))
        found.append(plasma)
    return found


def minutes(instruments: BusInstruments) -> Iterator[tuple[int, int, int, tuple[int, ...]]]:
    """Tick, cosmic rays, impacts and particles, of each minute of the encounter."""
    for tick in range(SEPARATION_TICK, LAST_TICK, 600):
        rays, instruments = instruments.count_cosmic_rays(geometry_at(tick))
        impacts, instruments = instruments.count_meteoroids()
        particles, instruments = instruments.count_particles(tick)
        yield tick, rays, impacts, particles


@pytest.mark.parametrize("seed", SEEDS)
def test_field_of_the_solar_wind(seed: int) -> None:
    """3 nT in the ecliptic, at 57° from the sun in the mean; noise is 5 % of it, on each axis."""
    found = [field for _, field in fields(WIND, seed)]
    assert fmean(math.hypot(*field) for field in found) == pytest.approx(30, abs=0.3)
    angles = [math.degrees(math.atan2(y, -x)) for x, y, _ in found]
    assert fmean(angles) == pytest.approx(57, abs=1)
    assert min(angles) == pytest.approx(37, abs=5)
    assert max(angles) == pytest.approx(77, abs=5)
    assert fmean(z for _, _, z in found) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("seed", SEEDS)
def test_field_of_the_magnetosheath(seed: int) -> None:
    """4 times the wind's at the nose, 1.7 times on the flank; each axis is turbulent by 30 % of the field."""
    near = [math.hypot(x, y) for tick, (x, y, _) in fields(SHEATH, seed) if tick < 2_000]
    flank = [z for tick, (_, _, z) in fields(SHEATH, seed) if geometry_at(tick).zenith > 9_000]
    assert fmean(near) == pytest.approx(102, rel=0.06)  # the zenith angle is 12° … 31° there: 3.4 times
    assert max(map(abs, flank)) == pytest.approx(0.3 * 51, abs=1)
    assert math.sqrt(pvariance(flank)) == pytest.approx(0.3 * 51 / math.sqrt(3), rel=0.12)


@pytest.mark.parametrize("seed", SEEDS)
def test_field_jumps_within_20_s_of_the_bow_shock(seed: int) -> None:
    strength = {tick: math.hypot(*field) for tick, field in fields(range(-10_000, 1, 100), seed)}
    before = [strength[tick] for tick in range(-10_000, -2_199, 100)]
    after = [strength[tick] for tick in range(-1_900, 1, 100)]
    assert max(before) < 36
    assert min(after) > 60


@pytest.mark.parametrize("seed", SEEDS)
def test_plasma_of_the_solar_wind(seed: int) -> None:
    found = ions(WIND, seed)
    assert fmean(each.speed for each in found) == pytest.approx(420, abs=1)
    assert fmean(each.density for each in found) == pytest.approx(250, abs=2)
    assert fmean(each.temperature for each in found) == pytest.approx(600, abs=4)


def test_plasma_of_the_magnetosheath() -> None:
    """Slower by 0.4 (nose) … 0.8 (flank), 3 times denser, 15 times hotter."""
    found = ions(SHEATH)
    assert fmean(each.density for each in found) == pytest.approx(750, abs=9)
    assert fmean(each.temperature for each in found) == pytest.approx(9_000, abs=100)
    nose, flank = found[:5], found[-100:]
    assert fmean(each.speed for each in nose) == pytest.approx(0.46 * 420, abs=6)  # 12° … 14° from the nose
    assert fmean(each.speed for each in flank) == pytest.approx(0.8 * 420, abs=2)


def test_energy_and_current_are_those_of_the_protons() -> None:
    """½ m v² in eV, and n·e·v through 1 cm²."""
    for each in (*ions(WIND)[:200], *ions(SHEATH)[:200]):
        speed = each.speed * 1_000.0
        assert each.energy == pytest.approx(0.5 * 1.67262e-27 * speed**2 / 1.602177e-19, abs=1.2)
        assert each.current == pytest.approx(each.density * 1e4 * 1.602177e-19 * speed * 1e-4 / 1e-13, abs=1.1)


@pytest.mark.parametrize("seed", SEEDS)
def test_cosmic_rays_are_fewer_behind_the_planet(seed: int) -> None:
    far: list[int] = []
    near: list[int] = []
    between: list[int] = []
    for tick, rays, _, _ in minutes(seeded(seed)):
        altitude = geometry_at(tick).altitude / 10
        (far if altitude > 20_000 else near if altitude < 2_000 else between).append(rays)
    assert fmean(far) == pytest.approx(2_700, rel=0.005)
    assert pvariance(far) == pytest.approx(2_700, rel=0.3)
    assert fmean(near) == pytest.approx(2_700 * 0.87, rel=0.015)  # 1,600 … 2,000 km: 0.866 … 0.886


def test_micrometeoroids_hit_four_times_in_the_mean() -> None:
    """18,700 s · 2e-4: over 40 seeds the mean is 3.74 ± 0.31."""
    finals = [[impacts for _, _, impacts, _ in minutes(seeded(seed))][-1] for seed in range(1, 41)]
    assert fmean(finals) == pytest.approx(3.74, abs=0.7)
    assert min(finals) >= 0
    assert len(set(finals)) > 3


def test_micrometeoroids_only_add_and_stay_in_range() -> None:
    counts = [impacts for _, _, impacts, _ in minutes(seeded(3))]
    assert counts == sorted(counts)
    full = BusInstruments(1, 1, 1, 1, 1, impacts=255)
    for _ in range(2_000):
        impacts, full = full.count_meteoroids()
        assert impacts == 255


@pytest.mark.parametrize("seed", SEEDS)
def test_particles_have_the_declared_means(seed: int) -> None:
    """Within four deviations of the mean, and the slow drift of ±20 %, which is even over whole periods."""
    whole = [counts for tick, _, _, counts in minutes(seeded(seed)) if tick < SEPARATION_TICK + 144_000]
    for channel, mean in enumerate((600, 180, 60, 18, 3_000, 300)):
        counts = [minute[channel] for minute in whole]
        assert fmean(counts) == pytest.approx(mean, abs=4 * math.sqrt(mean / len(counts)) + 0.002 * mean)
    start, middle = [minute[4] for minute in whole[:20]], [minute[4] for minute in whole[110:130]]
    assert fmean(start) == pytest.approx(2_450, rel=0.03)
    assert fmean(middle) == pytest.approx(3_550, rel=0.03)


@pytest.mark.parametrize("mean", [0.02, 0.5, 3.0, 18.4, 49.9, 50.1, 300.0, 3_600.0])
def test_poisson_numbers_have_their_mean_and_variance(mean: float) -> None:
    state, numbers = 2_463_534_242, []
    for _ in range(4_000):
        number, state = poisson(state, round(mean * 1_000))
        numbers.append(number)
    assert fmean(numbers) == pytest.approx(mean, abs=4 * math.sqrt(mean / 4_000))
    assert pvariance(numbers) == pytest.approx(mean, abs=4 * math.sqrt((mean + 2 * mean**2) / 4_000))
    assert min(numbers) >= 0


def test_small_poisson_numbers_are_distributed_as_such() -> None:
    """Each share within four deviations of λ^k e^-λ / k!."""
    state, numbers, mean = 88_172_645, [], 2.5
    for _ in range(6_000):
        number, state = poisson(state, 2_500)
        numbers.append(number)
    for k in range(9):
        share = math.exp(-mean) * mean**k / math.factorial(k)
        assert numbers.count(k) / 6_000 == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 6_000)), k


def test_values_stay_in_the_ranges_of_the_instruments() -> None:
    for _, axes in fields(range(SEPARATION_TICK, LAST_TICK, 100), 7):
        assert max(map(abs, axes)) <= 1_280
    for each in ions(range(SEPARATION_TICK, LAST_TICK, 200), 7):
        assert 0 < each.energy <= 6_000
        assert 1 <= each.current <= 10_000
    for _, rays, _, particles in minutes(seeded(7)):
        assert rays <= 60 * 10_000
        assert max(particles) <= 60 * 100_000


def test_what_one_instrument_draws_changes_no_other() -> None:
    busy = quiet = seeded(5)
    for tick in range(0, 1_000, 10):
        _, busy = busy.measure_plasma(tick, geometry_at(tick))
        _, busy = busy.count_particles(tick)
    assert busy.measure_field(1_000, geometry_at(1_000))[0] == quiet.measure_field(1_000, geometry_at(1_000))[0]


def test_seeds_give_different_measurements_and_zero_the_default() -> None:
    assert seeded(0) == seeded(0x9E3779B9)
    assert fields(range(0, 1_000, 100), 1) != fields(range(0, 1_000, 100), 2)
    assert fields(range(0, 1_000, 100), 1) == fields(range(0, 1_000, 100), 1)


@pytest.mark.parametrize("own", [0x4D41474E, 0x504C4153, 0x434F534D, 0x4D494352, 0x5A48454D])
def test_no_generator_starts_at_zero(own: int) -> None:
    generators = seeded(own)
    assert 0 not in (
        generators.magnetometer,
        generators.plasma,
        generators.cosmic,
        generators.meteoroids,
        generators.particles,
    )

"""The instruments of a landed lander: what they read, and that a seed repeats it."""

from __future__ import annotations

from hil.lander.systems.surface import SurfaceStation


def readings(seed: int, ticks: range) -> list[dict[str, int]]:
    station = SurfaceStation(seed)
    return [station.read(tick, ground_ms=312_700) for tick in ticks]


def test_it_reads_230_k_and_61_hpa_and_cools_by_5_k_an_hour() -> None:
    read = readings(6, range(4_550, 12_150, 100))
    kelvin = [0.05 * each["temperature"] + 120 for each in read]
    pressure = [0.003 * each["pressure"] for each in read]
    assert abs(sum(kelvin[:10]) / 10 - (230 - 5 * (455 + 45 - 312.7) / 3600)) < 0.1
    assert abs(sum(kelvin[-10:]) / 10 - (230 - 5 * (1215 - 55 - 312.7) / 3600)) < 0.1
    assert all(abs(each - 6.1) < 0.006 for each in pressure)


def test_noise_is_small_there_and_seeded() -> None:
    ticks = range(4_550, 12_150, 100)
    assert readings(1, ticks) == readings(1, ticks)
    assert readings(1, ticks) != readings(2, ticks)
    assert readings(0, ticks) == readings(0x9E3779B9, ticks)
    assert len({each["pressure"] for each in readings(1, ticks)}) == 3


def sweep(station: SurfaceStation) -> list[float]:
    """Intensities in dB; the index is m/z."""
    values = station.sweep()
    return [0.0, *(0.5 * values[f"intensity[{n}]"] for n in range(80))]


def test_a_sweep_shows_the_air_of_mars() -> None:
    seen = sweep(SurfaceStation(6))
    assert max(range(81), key=seen.__getitem__) == 44  # carbon dioxide
    assert 8 <= seen[44] - seen[28] <= 10  # and its fragments, an eighth of it with nitrogen's,
    assert 9 <= seen[44] - seen[16] <= 11  # and a tenth
    assert 15 < seen[44] - seen[40] < 19  # argon: 1.6 % beside 95 %
    assert 7 < seen[40] - seen[20] < 10  # twice charged: a seventh of it
    assert 32 <= seen[40] - seen[36] <= 34  # 40Ar over 36Ar: about 1,900
    assert 25 < seen[44] - seen[32] < 32  # oxygen: 0.13 %
    empty = set(range(1, 81)) - {12, 13, 14, 16, 17, 18, 20, 22, 28, 29, 30, 32, 34, 36, 38, 40, 44, 45, 46}
    assert max(seen[mass] for mass in empty) <= 4 < min(seen[mass] for mass in set(range(1, 81)) - empty)


def test_sweeps_are_numbered_and_differ() -> None:
    station = SurfaceStation(6)
    first, second = station.sweep(), station.sweep()
    assert (first["sweep"], second["sweep"]) == (1, 2)
    changed = [abs(first[f"intensity[{n}]"] - second[f"intensity[{n}]"]) for n in range(80)]
    assert 0 < max(changed) <= 8

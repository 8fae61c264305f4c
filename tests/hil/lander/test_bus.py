"""What the bus sends over the encounter: its packets at their times, its events, and one frame a second."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import pytest

from hil.lander.physics.orbit import SEPARATION_TICK, geometry_at
from hil.lander.spacecraft import Spacecraft
from protocols.lander import BUS
from tests.hil.lander.uplink import DecodedPacket, Flight, GroundDecoder, command

PERIODS = {
    "BUS_HK": (10, 0),
    "MAGNETOMETER": (100, 0),
    "BUS_ORBIT": (100, 20),
    "PLASMA": (200, 50),
    "COSMIC_RAYS": (600, 70),
    "MICROMETEOROIDS": (600, 80),
    "PARTICLES": (600, 90),
}


@lru_cache(maxsize=1)
def encounter() -> list[DecodedPacket]:
    """All packets of the bus."""
    craft = Spacecraft()
    craft.receive(command("SELECT_SPAN", span="ENCOUNTER") + command("START"))
    stream = bytearray()
    while not craft.finished:
        stream += craft.step()
    return [each for each in GroundDecoder().hear(bytes(stream)) if each.vcid == BUS]


def events(name: str) -> list[DecodedPacket]:
    numbers = {"RELAY_LOCK": 32, "RELAY_LOST": 33, "RELAY_SET": 36, "BOW_SHOCK": 37}
    return [each for each in encounter() if each.name == "BUS_EVENT" and each.values["number"] == numbers[name]]


def test_each_packet_comes_at_its_ticks_and_no_others() -> None:
    ticks: dict[str, list[int]] = {name: [] for name in PERIODS}
    for each in encounter():
        if each.name in ticks:
            ticks[each.name].append(each.values["tick"])
    for name, (period, phase) in PERIODS.items():
        flown = range(SEPARATION_TICK, 40_600, 10)
        assert ticks[name] == [tick for tick in flown if tick % period == phase], name


def test_no_two_measurements_are_due_in_one_second() -> None:
    due = Counter(
        tick
        for tick in range(-1_200, 1_200, 10)
        for name, (period, phase) in PERIODS.items()
        if name != "BUS_HK" and tick % period == phase
    )
    assert set(due.values()) == {1}


def test_the_bow_shock_is_reported_at_its_second() -> None:
    (event,) = events("BOW_SHOCK")
    assert event.values["tick"] == -2_050
    assert event.values["a"] == pytest.approx(2_238, abs=1)


def test_the_relay_sets_with_the_elevation_below_its_mask() -> None:
    """With how many frames it has relayed: 2,240 of the historical descent."""
    (event,) = events("RELAY_SET")
    assert (event.values["tick"], event.values["b"]) == (12_150, 2_240)
    assert 1_480 <= event.values["a"] < 1_500


def test_the_relay_locks_once_and_is_lost_once() -> None:
    assert [each.values["tick"] for each in events("RELAY_LOCK")] == [880]
    assert [each.values["tick"] for each in events("RELAY_LOST")] == [3_130]


def test_housekeeping_has_an_elevation_from_entry_on() -> None:
    """Before, the lander has no horizon: the value is void, and the flag says so."""
    found = {each.values["tick"]: each.values for each in encounter() if each.name == "BUS_HK"}
    assert {values["relay.horizon"] for tick, values in found.items() if tick < 0} == {False}
    assert {values["relay.horizon"] for tick, values in found.items() if tick >= 0} == {True}
    assert found[0]["elevation"] == pytest.approx(55.98, abs=0.02)
    assert found[3_120]["slant_range"] == pytest.approx(1_690, abs=6)
    assert found[12_150]["elevation"] < 15 <= found[12_140]["elevation"]


def test_the_orbit_packet_has_the_way_past_mars() -> None:
    found = {each.values["tick"]: each.values for each in encounter() if each.name == "BUS_ORBIT"}
    assert min(values["altitude"] for values in found.values()) == 1_600
    closest = min(found, key=lambda tick: found[tick]["altitude"])
    assert closest == pytest.approx(4_600, abs=150)
    for tick, values in found.items():
        assert values["range"] == values["altitude"] + 3_396
        assert values["speed"] == pytest.approx(geometry_at(tick).speed_ms / 1000)
        assert 0 <= values["light_time"] < 49


def test_a_descent_starts_the_instruments_afresh_by_its_seed() -> None:
    def field(seed: int) -> list[tuple[float, ...]]:
        flight = Flight()
        flight.craft = Spacecraft()
        flight.craft.receive(command("SEED", seed=seed) + command("START"))
        return [
            tuple(each.values[axis] for axis in ("bx", "by", "bz"))
            for each in flight.step(500)
            if each.name == "MAGNETOMETER"
        ]

    assert field(3) == field(3)
    assert field(3) != field(4)


def test_reset_gives_the_instruments_their_default_seed() -> None:
    def magnetometer(craft: Spacecraft) -> list[DecodedPacket]:
        craft.receive(command("START"))
        stream = b"".join(craft.step() for _ in range(310))
        return [each for each in GroundDecoder().hear(stream) if each.name == "MAGNETOMETER"]

    used = Spacecraft()
    used.receive(command("SEED", seed=99) + command("START"))
    for _ in range(300):
        used.step()
    used.receive(command("RESET"))
    used.step()
    assert magnetometer(used) == magnetometer(Spacecraft())

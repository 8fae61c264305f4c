"""What commands do to the descent: housekeeping, transmitter, frame rate, parachutes, retrorockets, soft landing."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.lander import BUS
from tests.hil.lander.uplink import DONE, FAILED, DecodedPacket, Flight, command, reports


def housekeeping(told: list[DecodedPacket], tick: int) -> dict[str, object]:
    (values,) = [each.values for each in told if each.name == "LANDER_HK" and each.values["tick"] == tick]
    return values


def test_housekeeping_on_request_counts_that_request() -> None:
    flight = Flight()
    flight.to(905)
    flight.do("START")
    flight.craft.receive(command("REQUEST_HK"))
    values = housekeeping(flight.step(3), 906)
    assert (values["commands_accepted"], values["commands_rejected"], values["frames_sent"]) == (1, 1, 26)


def test_housekeeping_on_request_waits_for_the_transmitter() -> None:
    flight = Flight()
    flight.to(100)
    flight.do("REQUEST_HK")
    told = flight.to(890)
    assert housekeeping(told, 100)["transmitter_on"] is True


def test_transmitter_off_silences_vc0_alone_and_events_wait() -> None:
    flight = Flight()
    flight.to(1580)
    flight.do("TRANSMITTER", on=False)
    quiet = flight.to(1700)
    assert {each.vcid for each in quiet} == {BUS}
    flight.craft.receive(command("TRANSMITTER", on=True))
    told = flight.step(2)
    assert [each.values["tick"] for each in told if each.name == "LANDER_EVENT"] == [1590]
    assert [each.values["tick"] for each in told if each.name == "DESCENT"] == [1700, 1701]
    assert housekeeping(told, 1700)["frames_sent"] == 1580 - 880


def test_frame_rate_divides_the_ticks_and_housekeeping_goes_on() -> None:
    flight = Flight()
    flight.do("FRAME_RATE", period=3)
    told = flight.to(1200)
    assert [t.values["tick"] for t in told if t.name == "DESCENT"] == list(range(882, 1200, 3))
    assert [t.values["tick"] for t in told if t.name == "LANDER_HK"] == list(range(880, 1200, 10))


def science(told: list[DecodedPacket]) -> dict[int, dict[str, Any]]:
    return {each.values["tick"]: each.values for each in told if each.name == "DESCENT"}


def test_early_parachutes_open_at_their_tick_and_slow_the_lander() -> None:
    flight = Flight()
    told = flight.to(1000)
    flight.send("DEPLOY_PARACHUTE")
    told += flight.to(1100)
    for _ in range(2):
        flight.send("DEPLOY_PARACHUTE")
    told += flight.to(3120)
    assert reports(told) == [*DONE, *DONE, *FAILED]
    events = {each.values["number"]: each.values["tick"] for each in told if each.name == "LANDER_EVENT"}
    assert (events[4], events[5], events[6]) == (1000, 1100, 1160)
    assert science(told)[1050]["phase"] == "DROGUE"
    assert science(told)[3119]["altitude"] > 1000


def test_a_parachute_commanded_in_hold_opens_with_the_next_tick() -> None:
    flight = Flight()
    flight.to(1000)
    flight.do("HOLD")
    assert reports(flight.send("DEPLOY_PARACHUTE")) == DONE
    flight.send("RESUME")
    told = flight.step(3)
    assert [each.values["tick"] for each in told if each.name == "LANDER_EVENT" and each.values["number"] == 4] == [
        1000
    ]


@pytest.fixture(scope="module")
def landing() -> list[DecodedPacket]:
    """All that a soft landing sends."""
    flight = Flight(start=False)
    flight.do("SELECT_PROFILE", profile="SOFT_LANDING")
    flight.send("START")
    told = flight.to(12_600)
    assert flight.craft.finished
    return told


def test_a_soft_landing_brakes_and_ends_vc0_with_the_touchdown(landing: list[DecodedPacket]) -> None:
    values = science(landing)
    assert list(values) == list(range(880, 3_128))
    assert values[3_120]["vertical_speed"] == pytest.approx(61, abs=1)
    assert (values[3_126]["altitude"], values[3_126]["phase"]) == (pytest.approx(0.4, abs=0.3), "RETRO_ARMED")
    assert (values[3_127]["altitude"], values[3_127]["phase"]) == (0, "LANDED")
    assert values[3_127]["speed"] == pytest.approx(12, abs=1)
    (event,) = [each.values for each in landing if each.name == "LANDER_EVENT" and each.values["number"] == 10]
    assert (event["tick"], event["a"], event["b"]) == (3_127, round(100 * values[3_127]["speed"] - 0.5), 11)


def test_a_landed_lander_is_heard_on_vc1_from_143_s_after_the_loss_on(landing: list[DecodedPacket]) -> None:
    surface = [each.values for each in landing if each.name == "SURFACE"]
    assert [each["tick"] for each in surface] == list(range(4_550, 12_150, 100))
    assert all(each["temperature"] == pytest.approx(229, abs=1.1) for each in surface)
    assert all(each["pressure"] == pytest.approx(6.1, abs=0.01) for each in surface)
    assert {each["transmitter_power"] for each in surface} == {20}
    assert 26 < surface[-1]["battery_voltage"] < surface[0]["battery_voltage"] < 27
    sweeps = [each.values for each in landing if each.name == "SPECTRUM"]
    assert [(each["sweep"], each["tick"]) for each in sweeps] == [(n + 1, 4_580 + 600 * n) for n in range(13)]
    assert {each.vcid for each in landing if each.name in ("SURFACE", "SPECTRUM")} == {1}


def test_a_switched_off_transmitter_is_silent_on_the_surface_too() -> None:
    flight = Flight(start=False)
    flight.do("SELECT_PROFILE", profile="SOFT_LANDING")
    flight.send("START")
    flight.to(4_560)
    flight.send("TRANSMITTER", on=False)
    told = flight.to(4_700)
    flight.send("TRANSMITTER", on=True)
    told += flight.to(4_760)
    assert [each.values["tick"] for each in told if each.vcid == 1] == [4_750]


def test_lander_systems_come_once_a_second(landing: list[DecodedPacket]) -> None:
    systems = {each.values["tick"]: each.values for each in landing if each.name == "LANDER_SYSTEMS"}
    values = science(landing)
    assert list(systems) == list(range(885, 3_128, 10))
    for tick in range(895, 3_126, 10):
        measured = [values[n]["deceleration"] for n in range(tick - 9, tick + 1)]
        assert systems[tick]["peak_deceleration"] == pytest.approx(max(measured))
        assert systems[tick]["mean_deceleration"] == pytest.approx(sum(measured) / 10, abs=0.0051)
    assert max(each["peak_deceleration"] for each in systems.values()) == pytest.approx(9.76, abs=0.01)
    retro = {tick: (each["retro"], each["thrust"]) for tick, each in systems.items()}
    assert retro[3_075] == ("SAFE", 0)
    assert retro[3_085] == retro[3_115] == ("ARMED", 0)
    assert retro[3_125] == ("FIRING", pytest.approx(41.9))


def test_with_slow_frames_the_last_systems_are_sent_with_the_next_one() -> None:
    flight = Flight()
    flight.to(900)
    flight.send("FRAME_RATE", period=20)
    told = flight.to(1_000)
    systems = [each.values["tick"] for each in told if each.name == "LANDER_SYSTEMS"]
    assert systems == [915, 935, 955, 975]  # with frames 920, 940, 960, 980; those of 905, 925 … are lost


def test_the_frame_of_the_impact_comes_whatever_the_period() -> None:
    flight = Flight(start=False)
    flight.do("SELECT_PROFILE", profile="MAIN_FAILS")
    flight.send("START")
    flight.to(2_000)
    flight.send("FRAME_RATE", period=20)
    told = flight.to(2_742)
    assert flight.craft.finished
    assert [tick for tick in science(told) if tick > 2_600] == [2_620, 2_640, 2_642]
    (event,) = [each.values for each in told if each.name == "LANDER_EVENT" and each.values["number"] == 11]
    assert (event["tick"], event["b"]) == (2_642, 141)
    assert science(told)[2_642]["phase"] == "CRASHED"


def test_a_degraded_flight_repeats_by_its_seed() -> None:
    def stream(seed: int) -> bytes:
        flight = Flight(start=False)
        flight.craft.receive(command("SELECT_PROFILE", profile="DEGRADED"))
        flight.craft.receive(command("SEED", seed=seed))
        flight.craft.start()
        return b"".join(flight.craft.step() for _ in range(950))

    assert stream(7) == stream(7)
    assert stream(7) != stream(8)


def test_retrorockets_fire_once_when_armed() -> None:
    flight = Flight()
    flight.to(3079)
    assert flight.do("FIRE_RETROS") == FAILED
    flight.craft.receive(command("FIRE_RETROS"))
    assert reports(flight.step(2)) == DONE  # beside a measurement there is room for one of them
    assert flight.do("FIRE_RETROS") == FAILED
    values = science(flight.to(3100))
    assert values[3089]["vertical_speed"] < 20
    assert values[3099]["deceleration"] < 0.1

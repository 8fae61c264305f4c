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


def test_a_soft_landing_brakes_lands_and_is_heard_on() -> None:
    flight = Flight(start=False)
    flight.do("SELECT_PROFILE", profile="SOFT_LANDING")
    flight.send("START")
    values = science(flight.to(4550))
    assert flight.craft.finished
    assert list(values) == list(range(880, 4550))
    (touchdown,) = [tick for tick in values if values[tick]["altitude"] == 0 and values[tick - 1]["altitude"] > 0]
    assert touchdown in range(3125, 3129)
    assert values[touchdown]["vertical_speed"] == pytest.approx(12, abs=2)
    assert values[3120]["vertical_speed"] == pytest.approx(61, abs=1)
    at_rest = values[touchdown + 1]
    assert (at_rest["speed"], at_rest["vertical_speed"], at_rest["deceleration"]) == (0, 0, 0)
    assert {values[tick]["phase"] for tick in range(3080, 4550)} == {"RETRO_ARMED"}
    assert {values[tick]["altitude"] for tick in range(touchdown, 4550)} == {0}
    assert values[4549]["pressure"] == pytest.approx(6.1, abs=0.05)


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

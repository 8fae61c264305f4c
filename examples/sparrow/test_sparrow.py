"""SPARROW judged by pytest. Run: cd examples/sparrow && pytest   (pytest.ini says the mission and what flies)."""

import pytest

from hil import Flight

pytestmark = pytest.mark.hil_expect("HK.battery", min="7 V", max="8.3 V")


def test_pictures_cost_battery(hil_flight: Flight) -> None:
    """A command when the battery has fallen a little; what it costs is seen in the next packet."""
    hil_flight.configure(until="+3 s")
    hil_flight.send("CAMERA", when={"parameter": "HK.battery", "below": 8.19}, count=4)
    hil_flight.expect("HK.switches.camera", equals=True, at_least_once=True)
    hil_flight.fly()
    hil_flight.assert_passed()
    battery = hil_flight.telemetry("HK")["battery"]
    assert battery[0] - battery[-1] > 0.4


def test_power_loss_is_seen(hil_flight: Flight) -> None:
    """The satellite is off for a second: its counters begin again, and no frame is counted as lost."""
    hil_flight.configure(until="+6 s")
    hil_flight.power_off(at="+2 s", for_="1 s")
    hil_flight.fly()
    assert hil_flight.result.counters.restarts == 1
    assert hil_flight.measurement("bytes_conserved").value is True

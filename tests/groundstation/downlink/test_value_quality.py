"""A value that cannot be says so, and raises no limit."""

from __future__ import annotations

from dataclasses import replace

from groundstation.downlink.receiver import Receiver, ReceiverEvent
from groundstation.links.base import Chunk
from groundstation.messages.text import plain_line
from groundstation.messages.wire import EventMessage, Telemetry, ValueQuality
from protocols.lander import MARS6
from protocols.profile import UART
from tests.bad_values import Descent, frames, true_descent

FAR_AWAY = 200_000_000
"""An altitude of 200 km, in the raw unit."""
HOT = 5_000
"""370 K: beyond the thermometer's range, and its red limit."""


def received(packets: list[Descent]) -> list[ReceiverEvent]:
    return Receiver(MARS6, UART, "test:").process(Chunk(1, frames(packets)))


def telemetry(outcomes: list[ReceiverEvent]) -> list[Telemetry]:
    return [each for each in outcomes if isinstance(each, Telemetry)]


def test_a_value_out_of_range_is_unusable_and_stands_there() -> None:
    first, second, *_ = true_descent()
    good, bad = telemetry(received([first, second.spoilt(altitude=FAR_AWAY, phase=77)]))
    assert good.bad == {}
    assert bad.bad == {"altitude": ValueQuality("unusable", "range"), "phase": ValueQuality("unusable", "label")}
    assert bad.values["altitude"] == 200_000.0


def test_a_tick_that_is_not_the_packets_time_is_unusable() -> None:
    first, second, *_ = true_descent()
    _, bad = telemetry(received([first, second.spoilt(tick=999_999)]))
    assert bad.bad == {"tick": ValueQuality("unusable", "packet time")}


def test_unusable_values_raise_no_limit_however_many() -> None:
    packets = [each.spoilt(temperature=HOT) for each in true_descent()[:20]]
    outcomes = received(packets)
    assert [each for each in outcomes if isinstance(each, EventMessage) and each.name == "LIMIT"] == []
    assert all("temperature" not in each.limits for each in telemetry(outcomes))


def test_packets_without_checks_are_not_judged() -> None:
    receiver = Receiver(replace(MARS6, checks=()), UART, "test:")
    (first,) = telemetry(receiver.process(Chunk(1, frames([true_descent()[0]]))))
    assert first.bad is None


def test_a_line_of_text_marks_what_is_not_good() -> None:
    first, second, *_ = true_descent()
    _, bad = telemetry(received([first, second.spoilt(altitude=FAR_AWAY)]))
    assert "altitude=200000~unusable(range) " in (plain_line(bad) or "")

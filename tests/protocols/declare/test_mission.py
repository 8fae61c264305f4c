"""A mission's display: what is left out is chosen, what is not there is refused."""

from __future__ import annotations

import pytest
from construct import Enum, Flag, Float32b, Int8ub, Int16ub, Struct

from protocols.declare.dictionary import Dictionary, Milestone, PacketDef
from protocols.declare.display import Display, DisplayView, Plot
from protocols.declare.mission import Figure, LightTime, Mission, Relay
from protocols.errors import DeclarationError
from protocols.lander import MISSION
from protocols.structures.fields import Quantity

HK = PacketDef(
    "HK",
    0x21,
    3,
    25,
    Struct(
        "mode" / Enum(Int8ub, SAFE=0),
        "on" / Flag,
        "count" / Int8ub,
        "battery" / Quantity(Int16ub, "V", scale=0.001),
        "sun" / Quantity(Float32b, "W"),
        "elevation" / Quantity(Int16ub, "°", scale=0.01),
    ),
    1000,
    "",
)
STONES = (Milestone("LATER", "LATER", 20, "A"), Milestone("FIRST", "FIRST", 10, "A"))
BIRD = Dictionary("BIRD", 1, (HK,), (), (), STONES)


def test_an_empty_display_is_chosen_from_the_dictionary() -> None:
    display = Mission(BIRD).display
    assert display.packets == ("HK",)
    assert [(plot.parameter, plot.short) for plot in display.plots] == [("HK.battery", "BAT"), ("HK.sun", "SUN")]
    assert (display.phase, display.zero) == ("", "FIRST")


def test_the_timeline_is_in_order_of_time() -> None:
    assert [stone.name for stone in Mission(BIRD).timeline] == ["FIRST", "LATER"]


@pytest.mark.parametrize(
    ("display", "message"),
    [
        (Display(packets=("HKK",)), "no packet 'HKK'; did you mean 'HK'"),
        (Display(plots=(Plot("HK.batery"),)), "no parameter of HK 'batery'; did you mean 'battery'"),
        (Display(plots=(Plot("battery"),)), "'battery' is not PACKET.parameter"),
        (Display(plots=(Plot("HK.sun"),) * 3), "3 plots: a viewer has room for 2"),
        (Display(curves=(Plot("HK.batery"),)), "no parameter of HK 'batery'; did you mean 'battery'"),
        (Display(curves=(Plot("HK.sun"),) * 33), "33 curves: a report draws 32"),
        (Display(phase="HK.mod"), "did you mean 'mode'"),
        (Display(zero="FRIST"), "no milestone 'FRIST'; did you mean 'FIRST'"),
    ],
)
def test_a_display_of_what_is_not_there_is_refused(display: Display, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        Mission(BIRD, display=display)


def view(**more: object) -> Display:
    """A display with one view."""
    return Display(views=(DisplayView("first", **more),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("display", "message"),
    [
        (view(packets=("HKK",)), "display.first: no packet 'HKK'; did you mean 'HK'"),
        (view(packets=("HK",), without=("batery",)), "no parameter 'batery'; did you mean 'battery'"),
        (view(without=("nothing",)), "no parameter 'nothing'"),
        (view(plots=(Plot("HK.sun"),) * 3), "3 plots"),
        (view(panels=("event",)), "no panel 'event'; did you mean 'events'"),
        (view(bars="HK.battery"), "bars of 'HK.battery': expected a repeated number"),
        (view(bars="battery"), "no packet 'battery'"),
        (Display(views=(DisplayView("a"), DisplayView("a"))), "view 'a': each view has a name of its own"),
        (Display(views=tuple(DisplayView(f"v{n}") for n in range(10))), "10 views: there are keys for 9"),
    ],
)
def test_a_view_of_what_is_not_there_is_refused(display: Display, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        Mission(BIRD, display=display)


def test_a_report_draws_the_plots_of_all_views_or_what_is_named() -> None:
    views = (DisplayView("a", plots=(Plot("HK.sun"),)), DisplayView("b", plots=(Plot("HK.sun"), Plot("HK.battery"))))
    assert Mission(BIRD, display=Display(views=views)).display.curves == (Plot("HK.sun"), Plot("HK.battery"))
    assert Mission(BIRD, display=Display(views=views, curves=(Plot("HK.sun"),))).display.curves == (Plot("HK.sun"),)


def test_a_display_and_its_first_view_are_filled_from_each_other() -> None:
    from_view = Mission(BIRD, display=view(packets=("HK",), plots=(Plot("HK.sun"),))).display
    assert (from_view.packets, [plot.name for plot in from_view.plots]) == (("HK",), ["sun"])
    first = Mission(BIRD).display.views[0]
    assert (first.name, first.packets, [plot.name for plot in first.plots]) == (
        "telemetry",
        ("HK",),
        ["battery", "sun"],
    )


def test_a_light_time_in_another_unit_is_refused() -> None:
    with pytest.raises(DeclarationError, match="is not a time: expected a unit of s, ms, µs"):
        Mission(BIRD, light_times=(LightTime("far", parameter="HK.sun"),))


def test_a_ping_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(DeclarationError, match="no command 'PING'; there are none"):
        Mission(BIRD, ping="PING")


def test_mars_6_shows_the_descent_first() -> None:
    assert MISSION.display.packets == ("DESCENT", "LANDER_SYSTEMS")
    assert [plot.short for plot in MISSION.display.plots] == ["ALT", "SPD"]


def relay(**more: object) -> Relay:
    """A relay of BIRD."""
    return Relay("EAGLE", "It passes.", "A", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("relays", "message"),
    [
        ((relay(), relay()), "relay EAGLE: declared twice"),
        ((relay(elevation="HK.elevatoin", mask=Figure(5, "A")),), "did you mean 'elevation'"),
        ((relay(elevation="HK.battery", mask=Figure(5, "A")),), "HK.battery is in V: expected degrees"),
        ((relay(elevation="HK.elevation"),), "an elevation without a mask"),
        ((relay(mask=Figure(5, "A")),), "a mask without an elevation"),
        ((relay(elevation="HK.elevation", mask=Figure(91, "A")),), "mask of 91°: expected -90 to 90"),
        ((relay(range=Figure(-1, "A")),), "range of -1 km: expected 0 or more"),
        ((relay(margin=Figure(float("nan"), "A")),), "margin of nan dB: expected a number"),
        ((relay(health="DEAD"),), "health 'DEAD': expected ALIVE, FAILED, OUT_OF_RANGE"),
    ],
)
def test_a_relay_that_cannot_be_is_refused(relays: tuple[Relay, ...], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        Mission(BIRD, relays=relays)


def test_mars_6_declares_its_four_relay_candidates() -> None:
    health = {each.name: each.health for each in MISSION.relays}
    assert health == {
        "MARS_6_BUS": "ALIVE",
        "MARS_5": "FAILED",
        "MARS_4": "OUT_OF_RANGE",
        "MARS_7": "OUT_OF_RANGE",
    }
    far = {each.name: each.range.value for each in MISSION.relays if each.range is not None}
    assert far == {"MARS_6_BUS": 2029.0, "MARS_4": 7e6, "MARS_7": 7e5}


@pytest.mark.parametrize(
    ("light", "message"),
    [
        (LightTime("there to here"), "light_time there to here: expected one of seconds and parameter"),
        (LightTime("a to b", Figure(1.0, "A"), "HK.battery"), "expected one of seconds and parameter"),
        (LightTime("a to b", Figure(-1.0, "A")), "-1 s: expected 0 or more"),
        (LightTime("a to b", Figure(float("nan"), "A")), "nan s: expected 0 or more"),
        (LightTime("a to b", parameter="HK.batery"), "no parameter of HK 'batery'; did you mean 'battery'"),
    ],
)
def test_a_light_time_that_says_nothing_or_too_much_is_refused(light: LightTime, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        Mission(BIRD, light_times=(light,))


def test_mars_6_names_both_of_its_light_times() -> None:
    """228.157 million km to Earth; from the lander to the bus it changes, and is sent in ms."""
    earth, bus = MISSION.light_times
    assert (earth.path, bus.path) == ("Mars to Earth", "lander to bus")
    assert earth.seconds is not None
    assert earth.seconds.value == pytest.approx(228.157e6 / 299_792.458, abs=0.01)
    packet, name = bus.parameter.split(".")
    (parameter,) = [each for each in MISSION.dictionary.by_name[packet].parameters if each.name == name]
    assert parameter.unit == "ms"

"""A mission's views: keys, columns, bars, what is expected; and that nothing in them looks fresher than it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec
import pytest

from groundstation.messages.base import Value
from groundstation.messages.wire import (
    DisplayInfo,
    LinkStatus,
    ParameterInfo,
    Snapshot,
    Telemetry,
    ValueQuality,
    ViewInfo,
)
from groundstation.tui.drawing.glyphs import ASCII, UNICODE, Glyphs
from groundstation.tui.drawing.spans import plain, width_of
from groundstation.tui.panels.rows import View, packet_blocks
from groundstation.tui.views.bars import bars
from groundstation.tui.views.channels import countdown, expected
from groundstation.tui.views.columns import columns
from groundstation.tui.views.quality import quality
from groundstation.viewer.model import PassModel
from protocols.units import NS_PER_S
from tests.groundstation.tui.scripted import LOS, SURFACE, host, housekeeping, link, scet, script, snapshot, sounding
from tests.groundstation.tui.stage import staged

_SIZES = ((80, 24), (120, 40))


def model_of(*messages: Telemetry | LinkStatus, at: float = 100.0) -> PassModel:
    model = PassModel()
    model.apply(snapshot(), host(60))
    model.apply(link(at, "LOCKED"), host(at))
    for message in messages:
        model.apply(message, host(at))
    return model


def spectrum(values: Iterable[float], bad: dict[int, str] | None = None, at: float = 100.0) -> View:
    """A view of a spectrum of these values; ``bad`` has the reasons of unusable items, from 0."""
    verdicts = {f"intensity[{n}]": ValueQuality("unusable", why) for n, why in (bad or {}).items()}
    message = Telemetry(
        packet="SPECTRUM", apid=0x111, vcid=1, scet=scet(at), ert=host(at), bad=verdicts,
        values={"tick": 0, "sweep": 1} | {f"intensity[{n}]": value for n, value in enumerate(values)},
    )  # fmt: skip
    return View(model_of(message, at=at), host(at), UNICODE)


SURFACE_VIEW = snapshot().display.views[2]


@pytest.mark.parametrize("size", _SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_each_key_shows_its_view_and_the_footer_its_name(size: tuple[int, int]) -> None:
    async def play() -> None:
        async with staged(script(until=100.0), size) as stage:
            for key, name, words in (
                ("2", "bus", "MAGNETOMETER"),
                ("3", "surface", "EXPECTED"),
                ("5", "relays", "RELAYS"),
                ("1", "descent", "LANDER_SYSTEMS"),
            ):
                await stage.pilot.press(key)
                await stage.settle()
                assert words in stage.text() and f"1-5 {name}" in stage.text()

    asyncio.run(play())


def test_a_key_without_a_view_says_which_there_are() -> None:
    async def play() -> None:
        async with staged(script(until=100.0)) as stage:
            await stage.pilot.press("9")
            await stage.settle()
            assert "No view 9: 1 descent, 2 bus, 3 surface, 4 quality, 5 relays." in stage.text()
            assert "LANDER_SYSTEMS" in stage.text()

    asyncio.run(play())


@pytest.mark.parametrize("key", ["1", "2", "3", "4", "5"])
def test_a_loss_is_seen_in_every_view(key: str) -> None:
    async def play() -> None:
        async with staged(script(until=LOS + 1)) as stage:
            await stage.pilot.press(key)
            await stage.settle()
            assert "LOSS OF SIGNAL  LANDER (VC0)" in stage.text()

    asyncio.run(play())


def test_values_that_stop_coming_are_stale_in_the_bus_view() -> None:
    async def play() -> None:
        async with staged(script(until=100.0)) as stage:
            await stage.pilot.press("2")
            await stage.at(100.0)
            assert "◷" not in stage.text()
            await stage.hears(135.0)  # the station is there; the packets of the bus are not
            assert "BUS_ORBIT ───────────── stale" in stage.text()
            assert "COSMIC_RAYS ────────────────── VC2" in stage.text()  # one a minute: not overdue yet
            await stage.hears(300.0)
            assert "COSMIC_RAYS ─────────── stale" in stage.text()

    asyncio.run(play())


def test_a_view_without_plots_keeps_its_body_when_plots_are_zoomed() -> None:
    async def play() -> None:
        async with staged(script(until=100.0)) as stage:
            await stage.pilot.press("5", "p")
            await stage.settle()
            assert "RELAYS" in stage.text()
            await stage.pilot.press("2")
            await stage.settle()
            assert "BX" in stage.text() and "MAGNETOMETER" not in stage.text()

    asyncio.run(play())


def test_a_station_that_declares_no_views_has_one() -> None:
    model = PassModel()
    bare = snapshot()
    display = DisplayInfo(packets=["BUS_HK"], plots=[], zero="ENTRY")
    model.apply(Snapshot(**{name: getattr(bare, name) for name in bare.__struct_fields__} | {"display": display}), 1)
    assert model.views == [ViewInfo(name="telemetry", packets=["BUS_HK"])]


@pytest.mark.parametrize("height", range(3, 40))
@pytest.mark.parametrize("width", [39, 60, 79, 80, 120, 200])
def test_columns_lose_no_row_uncounted(width: int, height: int) -> None:
    view = View(model_of(), host(100), UNICODE)
    page = snapshot().display.views[1]
    total = sum(len(block) for block in packet_blocks(view, page, 39)) + 3
    rows, start = columns(view, page, width, height)
    assert start == 0 and len(rows) <= height and all(width_of(row) == width for row in rows)
    text = plain(rows)
    if "more" in text:
        hidden = int(text.split("▾ ")[1].split(" more")[0])
        shown = sum(bool(part.strip()) for line in text.splitlines() for part in line.split("│"))
        assert shown - 1 + hidden == total
    else:
        assert all(word in text for word in ("Slant range", "Electron 2", "Mars to Earth"))


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (80, 0), (1, 1), (5, 1), (80, 1), (80, 2)])
def test_columns_of_hardly_any_room_end(size: tuple[int, int]) -> None:
    rows, _ = columns(View(model_of(), host(100), UNICODE), snapshot().display.views[1], *size)
    assert len(rows) <= size[1]


def test_columns_can_be_scrolled_to_the_last_row_and_no_further() -> None:
    view, page = View(model_of(), host(100), UNICODE), snapshot().display.views[1]
    rows, start = columns(view, page, 60, 10, 1000)
    assert "Mars to Earth" in plain(rows) and f"{start} above" in plain(rows) and start < 34


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("width", [30, 60, 80, 87, 120, 200])
def test_bars_are_as_wide_and_high_as_their_room(width: int, glyphs: Glyphs) -> None:
    view = spectrum([n % 60 for n in range(80)])
    rows = bars(View(view.model, view.now, glyphs), SURFACE_VIEW, width, 9)
    assert len(rows) == 9 and {width_of(row) for row in rows} == {width}


@pytest.mark.parametrize("width", [60, 120, 200])
def test_the_highest_bar_reaches_highest_and_none_has_none(width: int) -> None:
    rows = plain(bars(spectrum([0.0] * 43 + [60.0] + [0.0] * 36), SURFACE_VIEW, width, 10)).splitlines()
    assert "highest 44: 60" in rows[0]
    marks = {line.index(mark) for line in rows[1:-1] for mark in line if mark not in " │0123456789"}
    assert len(marks) <= 2 and "60" in rows[1] and rows[-1].split()[:3] == ["1", "10", "20"]


def test_an_unusable_item_is_counted_and_not_drawn() -> None:
    rows = plain(bars(spectrum([10.0, 90.0, 20.0], {1: "range"}), SURFACE_VIEW, 100, 8)).splitlines()
    assert "highest 3: 20, 1: 10" in rows[0] and "78 unusable" in rows[0] and "90" not in "".join(rows)


def test_a_spectrum_that_is_old_says_so() -> None:
    view = spectrum([1.0] * 80)
    assert "stale 5:00" in plain(bars(View(view.model, host(400), UNICODE), SURFACE_VIEW, 100, 8))


def test_what_is_expected_counts_down_by_the_mission_clock() -> None:
    model = model_of(at=100.0)
    model.flight.adopt(1, scet(300.0), 2)
    text = plain(expected(View(model, host(100), UNICODE), SURFACE_VIEW, 60))
    assert "VC1 surface    from 09:13:28, in 02:35" in text and "SURFACE        every 10 s  none yet" in text


def test_a_channel_that_is_due_and_silent_is_said_so() -> None:
    model = model_of(at=100.0)
    model.flight.adopt(1, scet(SURFACE + 5), 2)
    text = plain(expected(View(model, host(100), UNICODE), SURFACE_VIEW, 60))
    assert "VC1 surface    expected since 09:13:28" in text


def test_a_packet_that_is_overdue_says_for_how_long() -> None:
    model = model_of(sounding("SURFACE", 460.0), at=460.0)
    model.flight.adopt(1, scet(500.0), 2)
    assert "SURFACE        every 10 s  overdue 30 s" in plain(
        expected(View(model, host(460), UNICODE), SURFACE_VIEW, 60)
    )


@pytest.mark.parametrize(("seconds", "text"), [(0, "00:00"), (0.2, "00:01"), (61, "01:01"), (3600, "1:00:00")])
def test_a_countdown_reaches_zero_only_when_it_is_over(seconds: float, text: str) -> None:
    assert countdown(round(seconds * NS_PER_S)) == text


@pytest.mark.parametrize(
    ("void", "text"), [(True, "elevation not known, relays above 15°"), (False, "elevation 62.15°")]
)
def test_an_elevation_that_is_not_known_is_no_number(void: bool, text: str) -> None:
    relay = msgspec.structs.replace(snapshot().relays[0], elevation=("BUS_HK", "elevation"), mask=15.0)
    told = msgspec.structs.replace(housekeeping("BUS_HK", 100.0, 1), invalid=["elevation"] * void)
    model = PassModel()
    model.apply(msgspec.structs.replace(snapshot(), relays=[relay]), host(60))
    model.apply(told, host(100))
    assert text in plain(columns(View(model, host(100), UNICODE), snapshot().display.views[4], 120, 30)[0])


def test_a_parameter_of_another_mission_keeps_its_capitals() -> None:
    info = ParameterInfo(packet="X", name="CCSDS_APID", unit="", decimals=0, description="", period_ms=1)
    model = PassModel()
    model.apply(msgspec.structs.replace(snapshot(), parameters=[info]), 1)
    page = ViewInfo(name="x", packets=["X"])
    assert "CCSDS APID" in plain(columns(View(model, 1, UNICODE), page, 60, 10)[0])


def judged(*found: dict[str, ValueQuality], phase: str = "DROGUE", void: Iterable[str] = ()) -> PassModel:
    """A model of a packet with two checked parameters and a phase, received once for each of the verdicts."""
    model = PassModel()
    names: tuple[tuple[str, list[str]], ...] = (("phase", []), ("a", ["range"]), ("b", ["rate"]))
    infos = [
        ParameterInfo(packet="X", name=name, unit="", decimals=0, description="", period_ms=1000, checks=checks)
        for name, checks in names
    ]
    display = DisplayInfo(packets=["X"], phase=("X", "phase"))
    model.apply(msgspec.structs.replace(snapshot(), parameters=infos, display=display, telemetry=[]), host(60))
    for n, bad in enumerate(found):
        values: dict[str, Value | None] = {"phase": phase, "a": 1, "b": 2}
        message = Telemetry(
            packet="X", apid=1, vcid=0, scet=scet(60 + n), ert=host(60 + n), values=values, bad=bad, invalid=[*void]
        )
        model.apply(message, host(60 + n))
    return model


BAD = ValueQuality("unusable", "range")


def table(model: PassModel, width: int = 80) -> list[str]:
    return plain(quality(View(model, host(61), UNICODE), ViewInfo(name="quality"), width)).splitlines()


def test_shares_are_of_what_was_checked_and_not_void() -> None:
    lines = table(judged({}, {"a": BAD}, {"a": ValueQuality("suspect", "range")}, {}))
    assert [line.split() for line in lines[-3:]] == [
        ["all", "that", "is", "checked", "87.5", "87.5"],
        ["a", "75.0", "75.0"],
        ["b", "100.0", "100.0"],
    ]
    lines = table(judged({}, void=["b"]))
    assert lines[-1].split() == ["b", "—", "—"]


def test_one_bad_value_of_very_many_is_not_a_hundred_percent() -> None:
    lines = table(judged(*[{}] * 3000, {"a": BAD}))
    assert lines[-2].split() == ["a", "99.9", "99.9"]


def test_the_checks_that_found_something_stand_first_and_leave_with_the_next_good_value() -> None:
    assert "✗  X.a" in "\n".join(table(judged({"a": BAD}))[:2])
    assert "none" in table(judged({"a": BAD}, {}))[1]


def test_nothing_checked_is_no_share() -> None:
    assert "no checked value received yet" in "\n".join(table(judged()))

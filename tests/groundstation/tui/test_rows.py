"""Pure rows: what a state looks like, without a screen."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from groundstation.messages.wire import Cause, LimitInfo, ParameterInfo, ValueQuality
from groundstation.tui.descent import layout_for
from groundstation.tui.drawing.glyphs import ASCII, UNICODE, Glyphs, ascii_wanted
from groundstation.tui.drawing.spans import Span, fit, left, plain, right, width_of
from groundstation.tui.drawing.theme import styles
from groundstation.tui.panels.banner import banner, chain
from groundstation.tui.panels.plot import Canvas, Frame, nice, plot, plot_title
from groundstation.tui.panels.rows import View, age_text, elapsed_text, footer, parameter_row
from groundstation.viewer.model import Freshness, PassModel, Reading
from protocols.words import BadQuality, LimitState
from tests.groundstation.tui.scripted import LOS, S, contact, descent, host, link, snapshot, verdict

INFO = ParameterInfo(
    packet="DESCENT", name="deceleration", unit="[g]", decimals=2, description="", period_ms=100,
    limits=LimitInfo(yellow_high=12.0, red_high=20.0),
)  # fmt: skip


def row(limit: LimitState = "GREEN", freshness: Freshness = "FRESH") -> str:
    value = None if freshness == "NEVER" else 9.1
    return plain([parameter_row(Reading(INFO, value, limit, True, freshness, 3 * S), 60, UNICODE)])


def test_units_in_brackets_do_not_vanish() -> None:
    assert row() == " ·  Deceleration             9.10 [g]"


@pytest.mark.parametrize(
    ("limit", "freshness", "start", "end"),
    [
        ("YELLOW_HIGH", "FRESH", " ▲  ", ">12.00"),
        ("RED_HIGH", "FRESH", " ■  ", ">20.00"),
        ("RED_HIGH", "STALE", " ■◷ ", "-3.0s >20.00"),
        ("GREEN", "STALE", " ·◷ ", "-3.0s"),
        ("GREEN", "NEVER", " ?  ", "never"),
    ],
)
def test_stale_is_added_to_the_limit_symbol(limit: LimitState, freshness: Freshness, start: str, end: str) -> None:
    assert row(limit, freshness).startswith(start)
    assert row(limit, freshness).endswith(end)


def test_ages_and_elapsed_times() -> None:
    assert [age_text(n) for n in (990_000_000, 12 * S, 185 * S)] == ["0.9 s", "12 s", "3:05"]
    assert (elapsed_text(200 * S), elapsed_text(-1 * S)) == ("T+03:20.0", "T-00:01.0")


def test_the_footer_fits_80_columns_with_every_key() -> None:
    assert "Quit" in plain([footer(80, UNICODE)])
    assert width_of(footer(80, UNICODE)) == 80


@pytest.mark.parametrize(
    ("error", "words"), [(0, "falls on the plan"), (-12400, "-12.4 s, early"), (900, "+0.9 s, late")]
)
def test_the_banner_says_whether_the_loss_was_planned(error: int, words: str) -> None:
    model = PassModel()
    model.apply(snapshot(), host(60))
    lost = contact(LOS + 0.2, "LOS", "LOCKED", verdict(planned_error_ms=error))
    model.apply(lost, host(LOS + 0.2))
    text = plain(banner(View(model, host(LOS + 1), UNICODE), 100))
    assert words in text
    assert "CRC ✓ → lander ✗" in text


@pytest.mark.parametrize("cause", ["PORT", "RELAY"])
def test_a_port_that_is_back_and_silent_is_not_asked_for(cause: Cause) -> None:
    model = PassModel()
    model.apply(snapshot(), host(60))
    gone = msgspec.structs.replace(verdict(), cause=cause, evidence="it is not there: plug the board in")
    model.apply(contact(LOS + 0.2, "LOS", "LOCKED", gone), host(LOS + 0.2))

    for at, transport in ((0.1, "CONNECTED"), (0.3, "ATTEMPTING"), (5, "CONNECTED"), (6, "ATTEMPTING")):
        model.apply(link(LOS + at, "LOS", transport=transport), host(LOS + at))  # type: ignore[arg-type]
        text = plain(banner(View(model, host(LOS + at), UNICODE), 100))
        assert "it is not there: plug the board in" in text
        assert ("connected now, no frame yet; at the loss: it is" in text) is (at == 5), at


@pytest.mark.parametrize(
    ("quality", "glyphs", "shown"),
    [("unusable", UNICODE, "✗268,491.3 m"), ("suspect", UNICODE, "≈268,491.3 m"), ("unusable", ASCII, "XX268,491.3 m")],
)
def test_the_last_values_of_a_lost_lander_keep_their_marks(quality: BadQuality, glyphs: Glyphs, shown: str) -> None:
    model = PassModel()
    model.apply(snapshot(), host(60))
    good = descent(LOS)
    bad = {"altitude": ValueQuality(quality, "range")}
    model.apply(msgspec.structs.replace(good, values={**good.values, "altitude": 268491.3}, bad=bad), host(LOS))
    model.apply(contact(LOS + 0.2, "LOS", "LOCKED", verdict()), host(LOS + 0.2))
    view = View(model, host(LOS + 1), glyphs)
    assert f"altitude {shown}  speed 6" in plain(banner(view, 100))
    assert f"ALTITUDE  {shown} " in plain([plot_title(view, ("DESCENT", "altitude"), 60)])


def test_a_plot_leaves_gaps_open_and_joins_the_rest() -> None:
    canvas = Canvas(Frame(0, 100, 0.0, 1.0, 10, 1), unicode=False)
    canvas.draw([(0, 0.0), (10, 0.0), (60, 0.0), (90, 0.0)], {0, 60})
    assert "".join(canvas.char(column, 0) or " " for column in range(10)) == "**    ****"
    assert [nice(value) for value in (34235.0, 4284.0, 0.0)] == [40000, 5000, 0]


def test_alphabets_and_locales() -> None:
    assert ASCII.text("−47 °C → [km]") == "-47 degC -> [km]"
    assert UNICODE.text("a\x1b[31mb") == "a\\x1b[31mb"
    assert ascii_wanted({"LANG": "C"}) and not ascii_wanted({"LANG": "en_GB.UTF-8"})


def test_without_colours_badges_are_reversed() -> None:
    plain_styles = styles(colour=False)
    assert all(style.color is None and style.bgcolor is None for style in plain_styles.values())
    assert plain_styles["badge_alarm"].reverse


def test_layouts() -> None:
    assert not layout_for(59, 24, zoomed=False).fits
    assert layout_for(80, 24, zoomed=False).plots == 0
    assert layout_for(120, 40, zoomed=False).plots == 12
    assert layout_for(80, 24, zoomed=True).stacked
    assert width_of(fit((), 7)) == 7


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("cause", get_args(Cause))
def test_the_chain_keeps_its_broken_link_at_any_width(cause: Cause, glyphs: Glyphs) -> None:
    def links(width: int) -> list[str]:
        row = chain(cause, glyphs, width)
        assert width_of(row) <= width
        return "".join(span.text for span in row).split(f" {glyphs.arrow} ")

    whole = links(200)
    (broken,) = (link for link in whole if link.endswith(f" {glyphs.no}"))
    at = whole.index(broken)
    for width in range(len(broken), 81):
        shown = links(width)
        before = [link for link in shown[: shown.index(broken)] if link != glyphs.ellipsis]
        behind = [link for link in shown[shown.index(broken) + 1 :] if link != glyphs.ellipsis]
        assert before == whole[at - len(before) : at]
        assert behind == whole[at + 1 :] or not before  # the front goes first


def test_what_is_cut_says_so_and_no_number_looks_like_another() -> None:
    assert plain([fit((Span("12,345"), Span(" good")), 8)]) == "12,345 >"
    assert plain([fit((Span("12,345"), Span(" good")), 6)]) == "12,34>"
    assert plain([fit((Span("12,345   "),), 6)]) == "12,345"
    assert right("123,456,789,012", 11) == "123,456,78>"
    assert left("Radio altitude low", 14) == "Radio altitud>"


@pytest.mark.parametrize(("glyphs", "cross"), [(UNICODE, "×"), (ASCII, "x")])
def test_a_plot_draws_values_that_are_not_good_apart_and_does_not_scale_to_them(glyphs: Glyphs, cross: str) -> None:
    model = PassModel()
    model.flight.plot([("DESCENT", "altitude")])
    for tick in range(1000, 1400):
        message = descent(tick / 10)
        if tick == 1200:
            values = {**message.values, "altitude": 9e9}
            message = msgspec.structs.replace(message, values=values, bad={"altitude": ValueQuality("suspect", "rate")})
        model.flight.add(message, {"DESCENT": 100})
    rows = plot(View(model, 0, glyphs), ("DESCENT", "altitude"), 80, 14, "plot_a")
    crosses = [span for row in rows for span in row if span.tone == "doubt"]
    assert [span.text for span in crosses] == [cross]
    assert "30k" in "".join(span.text for span in rows[1])


@pytest.mark.parametrize(("quality", "symbol", "note"), [("suspect", "≈", "rate?"), ("unusable", "✗", "bad: rate")])
def test_a_value_that_is_not_good_says_why(quality: BadQuality, symbol: str, note: str) -> None:
    info = ParameterInfo(packet="P", name="n", unit="m", decimals=0, description="", period_ms=100)
    reading = Reading(info, 7, "GREEN", True, "FRESH", 0, ValueQuality(quality, "rate"))
    text = "".join(span.text for span in parameter_row(reading, 60, UNICODE))
    assert text.startswith(f" {symbol}") and note in text

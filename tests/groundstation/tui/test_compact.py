"""A terminal of any size: state, altitude, speed and a loss are always there."""

from __future__ import annotations

import asyncio

import pytest

from groundstation.tui.drawing.glyphs import ASCII, UNICODE, Glyphs
from groundstation.tui.drawing.spans import Row, width_of
from groundstation.tui.panels.compact import compact
from groundstation.tui.panels.rows import View
from groundstation.viewer.model import PassModel
from tests.groundstation.tui.scripted import LOS, S, host, script, snapshot
from tests.groundstation.tui.stage import Stage, scene, staged

SIZES = [(width, height) for width in (20, 24, 33, 40, 59, 60, 79, 120) for height in (1, 2, 3, 4, 5, 8, 12, 17)]


def lost(glyphs: Glyphs = UNICODE, held_ns: int | None = None) -> View:
    """A second after the loss, at 31.1 m and 61.01 m/s."""
    model = PassModel()
    model.apply(snapshot(60), host(60))
    for at, update in script(until=LOS + 0.5):
        model.apply(update, host(at))  # type: ignore[arg-type]  # a script has messages alone
    return View(model, host(LOS + 1), glyphs, held_ns)


def texts(rows: list[Row]) -> list[str]:
    return ["".join(span.text for span in row) for row in rows]


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_state_altitude_speed_and_loss_are_there(width: int, height: int, glyphs: Glyphs) -> None:
    view = lost(glyphs)
    rows = compact(view, view, view.model.views[0], width, height)
    text = "\n".join(texts(rows))
    assert [width_of(row) for row in rows] == [width] * height
    assert "LOS" in text
    assert "31" in text and "61" in text and "m/s" in text
    assert glyphs.unicode or text.isascii()


def test_no_size_is_too_small_to_be_drawn() -> None:
    view = lost()
    for width in range(24):
        for height in range(8):
            rows = compact(view, view, view.model.views[0], width, height)
            assert [width_of(row) for row in rows] == [width] * max(1, height)


@pytest.mark.parametrize("height", [3, 4, 5, 12])
def test_held_values_are_marked_where_they_stand(height: int) -> None:
    live, held = lost(held_ns=12 * S), lost(held_ns=12 * S)
    values = [
        text for text in texts(compact(live, held, held.model.views[0], 40, height)) if text.startswith(("ALT", "SPD"))
    ]
    assert len(values) == 2
    assert all("HELD" in text for text in values)


@pytest.mark.parametrize("size", [(20, 5), (59, 17), (60, 18)])
def test_the_screen_shows_them_from_the_first_loss_on(size: tuple[int, int]) -> None:
    async def play() -> str:
        async with scene("los", size) as stage:
            return stage.text()

    text = asyncio.run(play())
    assert "LOS" in text and "31.1 m" in text and "61.01 m/s" in text


def test_a_terminal_that_grows_and_shrinks_is_laid_out_again() -> None:
    async def seen(stage: Stage, width: int, height: int) -> str:
        await stage.pilot.resize_terminal(width, height)
        await stage.settle()
        return stage.text()

    async def play() -> None:
        async with staged(script(until=100.0), (20, 5)) as stage:
            assert "CONTACT" not in stage.text() and "ALT " in stage.text()
            assert "CONTACT" in await seen(stage, 80, 24)
            assert "CONTACT" not in await seen(stage, 30, 9)
            assert "CONTACT" in await seen(stage, 120, 40)

    asyncio.run(play())


@pytest.mark.parametrize("height", [3, 5, 9, 14, 24])
def test_the_command_screen_keeps_badges_and_line_at_any_height(height: int) -> None:
    async def play() -> str:
        async with scene("commands", (30, height)) as stage:
            return stage.text()

    text = asyncio.run(play())
    assert "ARM" in text and "> STEP" in text

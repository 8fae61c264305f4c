"""A panel whose height changes before it is given rows that fit."""

from __future__ import annotations

import asyncio

import pytest
from textual.app import App, ComposeResult

from groundstation.tui.drawing.panel import Panel
from groundstation.tui.drawing.spans import Span
from groundstation.tui.drawing.theme import styles

ROWS = [(Span("title", "dim"),), *((Span(f"event {number}", "text"),) for number in range(1, 6))]


class OnePanel(App[None]):
    """Nothing but a panel."""

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self.panel = panel

    def compose(self) -> ComposeResult:
        yield self.panel


@pytest.mark.parametrize(
    ("newest_last", "seen"),
    [(True, ["title", "event 4", "event 5"]), (False, ["title", "event 1", "event 2"])],
)
def test_a_panel_that_shrinks_keeps_the_rows_that_matter(newest_last: bool, seen: list[str]) -> None:
    """Before the next paint: a banner takes rows away in the same refresh in which it appears."""

    async def shrink() -> list[str]:
        app = OnePanel(Panel(styles(colour=True), name="events", newest_last=newest_last))
        async with app.run_test(size=(20, 6)) as pilot:
            app.panel.show(ROWS)
            await pilot.pause()
            app.panel.styles.height = 3
            await pilot.pause()
            return [app.panel.render_line(y).text.strip() for y in range(app.panel.size.height)]

    assert asyncio.run(shrink()) == seen

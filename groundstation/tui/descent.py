"""The screen with a mission's views: which panel stands where at which size, and what each of them shows.

The first view has its telemetry beside contact and events. The others have the whole width, in columns; a bar chart
stands below them. Header, timeline, banner and footer are the same for all: a loss of signal is seen in each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.css.scalar import Scalar
from textual.geometry import Size
from textual.screen import Screen

from groundstation.messages.wire import ViewInfo
from groundstation.tui.drawing.glyphs import Glyphs
from groundstation.tui.drawing.panel import Panel, Styles
from groundstation.tui.drawing.spans import Row, Tone
from groundstation.tui.panels.banner import banner, reading
from groundstation.tui.panels.compact import compact
from groundstation.tui.panels.contact import contact
from groundstation.tui.panels.events import events
from groundstation.tui.panels.header import header
from groundstation.tui.panels.plot import plot, plot_title
from groundstation.tui.panels.replay import KEYS as REPLAY_KEYS
from groundstation.tui.panels.replay import replay_bar
from groundstation.tui.panels.rows import KEYS, View, clamp_offset, footer, held_mark, packet_blocks, telemetry
from groundstation.tui.panels.timeline import Scale, scales_of, timeline
from groundstation.tui.views.bars import bars
from groundstation.tui.views.columns import columns
from groundstation.viewer.flight import Key

SMALLEST = (60, 18)
PLOTS_FROM = (100, 32)
_PLOTS: tuple[Tone, ...] = ("plot_a", "plot_b")
_BARS_LEAST = 8
_KEYS_BEFORE = 4
"""Keys of the footer that stand before those of the views."""
_TELEMETRY_WIDTHS = ((170, 64), (100, 52), (0, 45))


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes in cells. No rows of plots hides them, unless they are zoomed."""

    fits: bool
    telemetry: int
    plots: int
    stacked: bool
    bars: int


def layout_for(width: int, height: int, *, zoomed: bool) -> Layout:
    """The layout of a terminal size. ``zoomed`` gives the body's place to the plots."""
    fits = width >= SMALLEST[0] and height >= SMALLEST[1]
    room = next(cells for least, cells in _TELEMETRY_WIDTHS if width >= least)
    share = min(room, width * 6 // 10)
    wide = width >= PLOTS_FROM[0] and height >= PLOTS_FROM[1]
    stacked = zoomed and width < PLOTS_FROM[0]
    return Layout(fits, share, height * 3 // 10 if wide else 0, stacked, max(_BARS_LEAST, height * 3 // 10))


class DescentScreen(Screen[None]):
    """Header, timeline, banner, telemetry beside contact and events, plots, footer."""

    DEFAULT_CSS = """
    DescentScreen { background: #0e1116; }
    DescentScreen.nocolour { background: ansi_default; }
    DescentScreen Panel { width: 1fr; height: 1fr; }
    #header, #footer { height: 1; }
    #timeline { height: 2; }
    #banner, #small, #replay { display: none; }
    #plots, #bars { display: none; }
    #plots.stacked { layout: vertical; }
    """

    def __init__(self, styles: Styles, glyphs: Glyphs, live: Callable[[], View], shown: Callable[[], View]) -> None:
        """``live`` is what is known now; ``shown`` may be held."""
        super().__init__()
        self._styles, self._glyphs, self._live, self._shown = styles, glyphs, live, shown
        self._panels: dict[str, Panel] = {}
        self._zoomed = False
        self._arranged_for: tuple[Size, bool, ViewInfo] | None = None
        self._view = 0
        self._offset = 0
        self._notice = ""
        self._verdict = False
        self._scale: Scale = "pass"

    def compose(self) -> ComposeResult:
        """The panels, in reading order."""
        yield self._panel("small")
        yield self._panel("header")
        yield self._panel("timeline")
        yield self._panel("banner")
        with Horizontal(id="body"):
            yield self._panel("telemetry")
            with Vertical(id="side"):
                yield self._panel("contact", edge=self._glyphs.edge)
                yield self._panel("events", edge=self._glyphs.edge, newest_last=True)
        yield self._panel("bars")
        with Horizontal(id="plots"):
            yield self._panel("plot_a")
            yield self._panel("plot_b", edge=self._glyphs.edge)
        yield self._panel("replay")
        yield self._panel("footer")

    def on_mount(self) -> None:
        """First layout, unless the application closes already."""
        if self.query(Panel):
            self._arrange()

    def on_resize(self) -> None:
        """Arrange the panels at once."""
        if self._has_panels:
            self._fit()

    def _fit(self) -> None:
        """Arrange the panels for the terminal's size, unless they are; the rows follow once panels know their sizes.

        Each paint calls it: a resize that comes before the screen is mounted has no effect of its own.
        """
        if self._arranged_for != (self.size, self._zoomed, self._page):
            self._arrange()
            self.call_after_refresh(self.paint_all)

    @property
    def _page(self) -> ViewInfo:
        """The view that is shown; the first, where another mission has fewer."""
        views = self._shown().model.views
        return views[self._view if self._view < len(views) else 0]

    def show_view(self, number: int) -> None:
        """Show another view, counted from 0, with its telemetry from the top; the plots stay as they are."""
        self._view, self._offset = number, 0
        self.paint_all()

    @property
    def _has_panels(self) -> bool:
        """Whether the panels are there: not before the mount, no more once the app closes."""
        return self.is_mounted and self.is_attached and all(panel.is_attached for panel in self._panels.values())

    def toggle_verdict(self) -> None:
        """The verdict of the last loss, or not; a banner has its place first."""
        self._verdict = not self._verdict
        self.paint()

    def zoom_timeline(self) -> Scale:
        """Show the next scale of the timeline that has something to see: the pass, the day, the whole mission."""
        scales = scales_of(self._shown().model)
        place = scales.index(self._scale) + 1 if self._scale in scales else 0
        self._scale = scales[place % len(scales)]
        self.paint()
        return self._scale

    def toggle_plots(self) -> None:
        """Give the body's place to the plots, or give it back."""
        self._zoomed = not self._zoomed
        self.on_resize()

    def scroll_telemetry(self, rows: int) -> None:
        """Move the telemetry panel by so many rows."""
        self._offset = max(0, self._offset + rows)
        self.paint()

    def show_notice(self, text: str) -> None:
        """Show a line in the footer; an empty one gives the keys back."""
        self._notice = text
        self.paint()

    def apply_styles(self, styles: Styles) -> None:
        """Other styles: a replay is marked on every screen."""
        self._styles = styles
        for panel in self._panels.values():
            panel.apply_styles(styles)

    def paint_all(self) -> None:
        """Everything."""
        self.paint()
        self.paint_plots()

    def paint(self) -> None:
        """Everything but the curves: cheap, for every arrival. A plot's title has the same value as the telemetry."""
        if not self._has_panels:
            return
        self._fit()
        width, height = self.size
        live, shown = self._live(), self._shown()
        if not layout_for(width, height, zoomed=False).fits:
            self._get("small").show(compact(live, shown, self._page, width, height, self._notice))
            return
        self._get("header").show([header(live, width)])
        self._get("footer").show([footer(width, self._glyphs, self._notice, self._keys(live))])
        self._get("timeline").show(held_mark(timeline(shown, width, self._scale), shown, width))
        self._sized("banner", banner(live, width) or (reading(live, width) if self._verdict else []))
        self._sized("replay", replay_bar(live, width))
        contact_panel, events_panel = self._get("contact"), self._get("events")
        self._sized("contact", contact(live, contact_panel.room[0]))
        self._paint_telemetry(shown)
        self._held("events", shown, events(shown, *events_panel.room))
        if self.query_one("#plots").display:
            for name, key in zip(_PLOTS, self._curves, strict=False):
                width = self._get(name).room[0]
                self._get(name).show_title(held_mark([plot_title(shown, key, width)], shown, width)[0])

    def _paint_telemetry(self, shown: View) -> None:
        """The view's packets and panels, and its bars."""
        page, panel = self._page, self._get("telemetry")
        width, height = panel.room
        if self._view == 0:
            total = sum(map(len, packet_blocks(shown, page, width)))
            self._offset = clamp_offset(self._offset, total, height - 1)
            self._held("telemetry", shown, telemetry(shown, page, width, height, self._offset))
            return
        rows, self._offset = columns(shown, page, width, height, self._offset)
        self._held("telemetry", shown, rows)
        if page.bars is not None:
            self._held("bars", shown, bars(shown, page, *self._get("bars").room))

    @property
    def _curves(self) -> list[Key]:
        """The parameters that the view plots."""
        return [(plot.packet, plot.name) for plot in self._page.plots][: len(_PLOTS)]

    def _keys(self, live: View) -> Sequence[tuple[str, str]]:
        """The keys for the footer: where there are several views, theirs with the name of the one that is shown."""
        keys = REPLAY_KEYS if live.model.replay else KEYS
        views = len(live.model.views)
        place = _KEYS_BEFORE if not live.model.replay else 2
        return [*keys[:place], (f"1-{views}", self._page.name), *keys[place:]] if views > 1 else keys

    def paint_plots(self) -> None:
        """The plots with their curves: dearer, for twice a second."""
        if not self._has_panels or not self.query_one("#plots").display:
            return
        view = self._shown()
        for name, key in zip_longest(_PLOTS, self._curves):
            panel = self._get(name)
            panel.display = key is not None
            self._held(name, view, [] if key is None else plot(view, key, *panel.room, name))

    def _held(self, name: str, view: View, rows: list[Row]) -> None:
        """Show rows of a view that may be held."""
        panel = self._get(name)
        panel.show(held_mark(rows, view, panel.room[0]))

    def _arrange(self) -> None:
        page = self._page
        self._arranged_for = self.size, self._zoomed, page
        layout = layout_for(*self.size, zoomed=self._zoomed)
        for name in ("header", "timeline", "banner", "body", "plots", "footer"):
            self.query_one(f"#{name}").display = layout.fits
        self._get("small").display = not layout.fits
        beside = self._view == 0
        self.query_one("#side").display = beside
        self._get("telemetry").styles.width = layout.telemetry if beside else "1fr"
        self._get("bars").display = layout.fits and page.bars is not None and not self._zoomed
        self._get("bars").styles.height = layout.bars
        plots = self.query_one("#plots")
        plots.set_class(layout.stacked, "stacked")
        plots.styles.height = "1fr" if self._zoomed else layout.plots
        if layout.fits:
            plots.display = bool(page.plots) and (self._zoomed or layout.plots > 0)
            self.query_one("#body").display = not (self._zoomed and page.plots)
        self._get("banner").display = self._get("replay").display = False

    def _sized(self, name: str, rows: list[Row]) -> None:
        """Show rows in a panel that is as high as they are many."""
        panel = self._get(name)
        if panel.display != bool(rows) or panel.styles.height != Scalar.from_number(len(rows)):
            panel.display = bool(rows)
            panel.styles.height = len(rows)
            self.call_after_refresh(self.paint)
        panel.show(rows)

    def _panel(self, name: str, edge: str = "", *, newest_last: bool = False) -> Panel:
        self._panels[name] = panel = Panel(self._styles, name=name, edge=edge, newest_last=newest_last)
        return panel

    def _get(self, name: str) -> Panel:
        return self._panels[name]

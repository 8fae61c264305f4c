"""What a viewer shows of a mission, as data: its views, each with a key, packets, plots and panels.

A viewer knows how a panel looks; the mission says which of them it shows, and where. So a mission gets screens of its
own without a line in a viewer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from protocols.declare.dictionary import Dictionary
from protocols.declare.references import check_known, check_parameter
from protocols.errors import DeclarationError

PLOTS_MAX = 2
"""Plots that a view has room for."""

VIEWS_MAX = 9
"""Views: one for each of the keys 1 to 9."""

CURVES_MAX = 32
"""Curves in the report of a flight."""

PanelName = Literal["contact", "events", "light times", "expected", "quality", "relays"]
"""What a view can show beside packets:

- ``contact``: port, channels, frames, bytes
- ``events``: the log
- ``light times``: those that the mission declares
- ``expected``: each channel with the time from which it is expected, and when its packets are due
- ``quality``: the share of usable values by phase and instrument, and the checks that found something wrong
- ``relays``: the spacecraft that could relay, with health, range and elevation, and each of a station's links
"""
PANELS: tuple[PanelName, ...] = get_args(PanelName)


@dataclass(frozen=True, slots=True)
class Plot:
    """A parameter with a curve, ``PACKET.parameter``; ``label`` names it where there is room for a few letters."""

    parameter: str
    label: str = ""

    @property
    def packet(self) -> str:
        """Name of the packet."""
        return self.parameter.partition(".")[0]

    @property
    def name(self) -> str:
        """Name of the parameter in its packet."""
        return self.parameter.partition(".")[2]

    @property
    def short(self) -> str:
        """The label, or the first letters of the name."""
        return self.label or self.name.rpartition(".")[2][:3].upper()


@dataclass(frozen=True, slots=True)
class DisplayView:
    """One view. Its key is its place: 1 for the first.

    Attributes:
        name: a word in small letters.
        packets: in their order.
        without: names of parameters that it leaves out, such as a counter that all packets begin with.
        plots: at most `PLOTS_MAX`.
        bars: a repeated number, ``PACKET.parameter``, drawn as a bar chart of its items. Empty: none.
        panels: what else it shows.
    """

    name: str
    packets: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    plots: tuple[Plot, ...] = ()
    bars: str = ""
    panels: tuple[PanelName, ...] = ()


@dataclass(frozen=True, slots=True)
class Display:
    """What a viewer shows.

    Attributes:
        packets: those of the telemetry panel, in their order. Empty: those of the first view; without views all, as
            declared.
        plots: at most `PLOTS_MAX`. Empty: those of the first view; without views the first numbers that have a unit.
        phase: the parameter that says where the spacecraft stands, ``PACKET.parameter``. Empty: none.
        zero: name of the milestone that mission elapsed time counts from. Empty: the first.
        views: at most `VIEWS_MAX`; the first is shown first. Empty: one, of `packets` and `plots`.
        curves: what the report of a flight draws over time, at most `CURVES_MAX`. Empty: the plots of all views.
    """

    packets: tuple[str, ...] = ()
    plots: tuple[Plot, ...] = ()
    phase: str = ""
    zero: str = ""
    views: tuple[DisplayView, ...] = ()
    curves: tuple[Plot, ...] = ()


def check_display(dictionary: Dictionary, display: Display) -> None:
    """See that all that a display names is declared.

    Raises:
        DeclarationError: something is not, or there is no room for it.
    """
    where = f"{dictionary.name}.display"
    _check_shown(dictionary, where, display.packets, display.plots)
    if display.phase:
        check_parameter(dictionary, where, display.phase)
    if display.zero:
        check_known(where, "milestone", display.zero, [milestone.name for milestone in dictionary.timeline])
    if len(display.curves) > CURVES_MAX:
        raise DeclarationError(where, f"{len(display.curves)} curves: a report draws {CURVES_MAX}")
    for curve in display.curves:
        check_parameter(dictionary, where, curve.parameter)
    if len(display.views) > VIEWS_MAX:
        raise DeclarationError(where, f"{len(display.views)} views: there are keys for {VIEWS_MAX}")
    names: set[str] = set()
    for view in display.views:
        if not view.name or view.name in names:
            raise DeclarationError(where, f"view {view.name!r}: each view has a name of its own")
        names.add(view.name)
        _check_view(dictionary, f"{where}.{view.name}", view)


def _check_view(dictionary: Dictionary, where: str, view: DisplayView) -> None:
    _check_shown(dictionary, where, view.packets, view.plots)
    shown = {each.name for name in view.packets or dictionary.by_name for each in dictionary.by_name[name].parameters}
    for name in view.without:
        check_known(where, "parameter", name, shown)
    for panel in view.panels:
        check_known(where, "panel", panel, PANELS)
    if view.bars:
        packet, _, name = view.bars.partition(".")
        check_known(where, "packet", packet, dictionary.by_name)
        items = [each for each in dictionary.by_name[packet].parameters if each.name.startswith(f"{name}[")]
        if not items or not all(each.is_number for each in items):
            raise DeclarationError(where, f"bars of {view.bars!r}: expected a repeated number, PACKET.parameter")


def _check_shown(dictionary: Dictionary, where: str, packets: Iterable[str], plots: tuple[Plot, ...]) -> None:
    if len(plots) > PLOTS_MAX:
        raise DeclarationError(where, f"{len(plots)} plots: a viewer has room for {PLOTS_MAX}")
    for packet in packets:
        check_known(where, "packet", packet, dictionary.by_name)
    for plot in plots:
        check_parameter(dictionary, where, plot.parameter)


def complete_display(dictionary: Dictionary, display: Display) -> Display:
    """The display with all that was left to the defaults."""
    first = display.views[0] if display.views else DisplayView("telemetry")
    packets = display.packets or first.packets
    plots = display.plots or first.plots
    if not display.views:
        packets = packets or tuple(packet.name for packet in dictionary.packets)
        plots = plots or tuple(_plottable(dictionary))
    zero = display.zero or next((m.name for m in sorted(dictionary.timeline, key=lambda m: m.scet)), "")
    first = replace(first, packets=first.packets or packets, plots=first.plots or plots)
    views = (first, *display.views[1:])
    curves = display.curves or tuple({plot.parameter: plot for view in views for plot in view.plots}.values())
    return Display(packets, plots, display.phase, zero, views, curves)


def _plottable(dictionary: Dictionary) -> list[Plot]:
    """The first numbers with a unit, else the first numbers at all."""
    numbers = [
        (parameter, bool(parameter.unit))
        for packet in dictionary.by_name.values()
        for parameter in packet.parameters
        if parameter.is_number and "[]" not in parameter.name
    ]
    chosen = [each for each, has_unit in numbers if has_unit] or [each for each, _ in numbers]
    return [Plot(f"{each.packet}.{each.name}") for each in chosen[:PLOTS_MAX]]

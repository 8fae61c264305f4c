"""What a mission declares, as the messages that viewers get."""

from __future__ import annotations

from collections.abc import Iterable

from groundstation.messages.commanding import ArgumentInfo, CommandInfo
from groundstation.messages.wire import (
    ChannelInfo,
    DisplayInfo,
    LightTimeInfo,
    LimitInfo,
    MilestoneInfo,
    ParameterInfo,
    PlotInfo,
    RelayInfo,
    ViewInfo,
)
from protocols.declare.commands import ArgumentDef
from protocols.declare.dictionary import Dictionary, ParameterDef
from protocols.declare.display import Display, Plot
from protocols.declare.mission import Mission

_REPORTS = (1, 5, 17)
"""PUS services that report verification, events and tests: not what panels show."""


def parameters_of(dictionary: Dictionary) -> list[ParameterInfo]:
    """All parameters that viewers may show, in the order of their declaration: reports of PUS services have none."""
    names: dict[str, list[str]] = {}
    for check in dictionary.checks:
        names.setdefault(check.parameter, []).append(check.name)
    return [
        _info(parameter, packet.definition.period_ms, names.get(f"{parameter.packet}.{parameter.name}", []))
        for packet in dictionary.by_name.values()
        if packet.definition.service not in _REPORTS
        for parameter in packet.parameters
    ]


def display_of(display: Display) -> DisplayInfo:
    """What a viewer shows."""
    return DisplayInfo(
        packets=list(display.packets),
        plots=_plots(display.plots),
        phase=_key(display.phase),
        zero=display.zero,
        views=[
            ViewInfo(
                name=view.name,
                packets=list(view.packets),
                without=list(view.without),
                plots=_plots(view.plots),
                bars=_key(view.bars),
                panels=list(view.panels),
            )
            for view in display.views
        ],
    )


def _plots(plots: Iterable[Plot]) -> list[PlotInfo]:
    return [PlotInfo(packet=plot.packet, name=plot.name, label=plot.short) for plot in plots]


def _key(parameter: str) -> tuple[str, str] | None:
    """Packet and name of ``PACKET.parameter``; None of an empty text."""
    packet, dot, name = parameter.partition(".")
    return (packet, name) if dot else None


def channels_of(dictionary: Dictionary) -> list[ChannelInfo]:
    """The declared channels."""
    return [
        ChannelInfo(
            vcid=channel.vcid,
            name=channel.name,
            source=channel.source,
            period_ms=channel.period_ms,
            expected_from=channel.expected_from,
            expected_until=channel.expected_until,
        )
        for channel in dictionary.channels
    ]


def light_times_of(mission: Mission) -> list[LightTimeInfo]:
    """The light times that the mission declares."""
    return [
        LightTimeInfo(
            name=time.path,
            seconds=None if time.seconds is None else time.seconds.value,
            mark="" if time.seconds is None else time.seconds.mark,
            parameter=_key(time.parameter),
        )
        for time in mission.light_times
    ]


def relays_of(mission: Mission) -> list[RelayInfo]:
    """Who could relay a mission's spacecraft."""
    return [
        RelayInfo(
            name=relay.name,
            description=relay.description,
            health=relay.health,
            health_text=relay.health_text,
            health_mark=relay.health_mark,
            range_km=None if relay.range is None else relay.range.value,
            range_mark="" if relay.range is None else relay.range.mark,
            elevation=(relay.packet, relay.parameter) if relay.elevation else None,
            mask=None if relay.mask is None else relay.mask.value,
            mask_mark="" if relay.mask is None else relay.mask.mark,
            margin_db=None if relay.margin is None else relay.margin.value,
            margin_mark="" if relay.margin is None else relay.margin.mark,
        )
        for relay in mission.relays
    ]


def mission_events_of(mission: Mission) -> list[MilestoneInfo]:
    """The moments of the whole mission."""
    return [
        MilestoneInfo(
            name=event.name,
            label=event.label,
            scet=event.scet,
            mark=event.mark,
            text=event.text,
            day_only=event.day_only,
        )
        for event in mission.events
    ]


def commands_of(dictionary: Dictionary) -> list[CommandInfo]:
    """All commands that can be ordered, in the order of their declaration."""
    return [
        CommandInfo(
            name=command.definition.name,
            description=command.definition.description,
            critical=command.definition.critical,
            arguments=[_argument_info(argument) for argument in command.arguments],
        )
        for command in dictionary.command_by_name.values()
    ]


def _argument_info(argument: ArgumentDef) -> ArgumentInfo:
    field = argument.field
    switch = field.kind == "flag"
    labels = ["on", "off"] if switch and not argument.labels else [label for _, label in argument.labels]
    scaled = field.quantity is not None and not field.quantity.identity
    return ArgumentInfo(
        name=argument.name,
        unit=argument.unit,
        description=argument.description,
        range_text=argument.range_text,
        low=None if labels else argument.low,
        high=None if labels else argument.high,
        whole=field.kind in ("uint", "sint") and not scaled,
        labels=labels,
        text=field.kind in ("bytes", "string"),
    )


def _info(parameter: ParameterDef, period_ms: int, checks: list[str]) -> ParameterInfo:
    limits = parameter.limits
    return ParameterInfo(
        packet=parameter.packet,
        name=parameter.name,
        unit=parameter.unit,
        decimals=parameter.decimals,
        description=parameter.description,
        period_ms=period_ms,
        checks=checks,
        limits=None
        if limits is None
        else LimitInfo(
            red_low=limits.red_low,
            yellow_low=limits.yellow_low,
            yellow_high=limits.yellow_high,
            red_high=limits.red_high,
            step_yellow=limits.step_yellow,
            step_red=limits.step_red,
            step_s=limits.step_s,
        ),
    )

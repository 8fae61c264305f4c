"""The commands ``groundstation missions`` and ``mission``: which are installed, all about one, and its story."""

from __future__ import annotations

import click

from groundstation.cli.options.mission import MissionType, mission_option
from groundstation.exit_codes import DONE, exit_codes
from groundstation.formats.json_output import echo_json
from groundstation.formats.output import echo
from groundstation.messages.text import utc, utc_day
from protocols.declare.dictionary import ANY_SCID, Dictionary, Packet
from protocols.declare.loading import installed, load_mission
from protocols.declare.mission import HEALTH_WORDS, LightTime, Mission, Relay
from protocols.errors import DeclarationError, ProtocolError
from protocols.profile import LinkProfile


@click.command(epilog=exit_codes(DONE, ProtocolError))
@click.argument("mission", type=MissionType(warn=False), required=False, metavar="[NAME]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object per mission.")
def missions(mission: Mission | None, as_json: bool) -> None:
    """List the installed missions, or tell all about NAME: an installed one, module:NAME, or a file.

    \b
    Examples:
      groundstation missions
      groundstation missions mars6
      groundstation missions ./sparrow.py
      groundstation missions ./jpss.xml
    """
    if mission is not None:
        if as_json:
            echo_json(_facts(mission))
        else:
            echo(*_lines(mission))
        return
    for name, source in installed().items():
        try:
            found = load_mission(name)
        except DeclarationError as error:
            echo_json({"name": name, "error": str(error)}) if as_json else echo(f"{name}  {source}  {error}")
            continue
        echo_json({"name": name} | _facts(found)) if as_json else echo(f"{name}  {source}  {_sum(found)}")


@click.command("mission", epilog=exit_codes(DONE, ProtocolError))
@mission_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object per moment.")
def mission_command(mission: Mission, as_json: bool) -> None:
    """Tell the story of a mission: each moment with its time in UTC and the mark of its source.

    Marks: S the project's source document, F found in public sources, R from memory of the literature, C computed,
    A assumed. An assumption is never history.

    \b
    Examples:
      groundstation mission
      groundstation mission --json | jq .text
    """
    moments = {event.name: event for event in mission.events}
    planned = [stone for stone in mission.timeline if stone.name not in moments]
    story = [(e.scet, _date(e.scet, day_only=e.day_only), e.name, e.mark, e.text) for e in mission.events]
    story += [(m.scet, _date(m.scet), m.name, m.mark, "") for m in planned]
    story.sort()
    for scet, date, name, mark, text in story:
        if as_json:
            echo_json({"scet": scet, "utc": date, "name": name, "mark": mark, "text": text})
        else:
            echo(f"{date:<21} [{mark}]  {name:<18} {text}".rstrip())
    if not story and not as_json:
        echo(f"{mission.name} declares no moments")
    if mission.light_times and not as_json:
        echo("", "Light time, one way:", *map(_light_line, mission.light_times))
    if mission.relays and not as_json:
        echo("", "Who could relay:", *[line for relay in mission.relays for line in _relay_lines(relay)])


def _date(scet: int, *, day_only: bool = False) -> str:
    return utc_day(scet) if day_only else f"{utc_day(scet)} {utc(scet, 0)}Z"


def _sum(mission: Mission) -> str:
    d = mission.dictionary
    return f"{d.name}, {_scid(d)}, {len(d.packets)} packets, {len(d.commands)} commands, hash {d.hash_text}"


def _scid(dictionary: Dictionary) -> str:
    return "no SCID" if dictionary.scid == ANY_SCID else f"SCID {dictionary.scid:#05x}"


def _facts(mission: Mission) -> dict[str, object]:
    d, display = mission.dictionary, mission.display
    return {
        "mission": d.name,
        "source": mission.source,
        "scid": None if d.scid == ANY_SCID else d.scid,
        "dictionary_hash": d.hash_text,
        "link_profile": _link(mission.link_profile),
        "channels": [{"vcid": c.vcid, "name": c.name, "period_ms": c.period_ms} for c in d.channels],
        "packets": {p.name: [each.name for each in d.by_name[p.name].parameters] for p in d.packets},
        "commands": [c.name for c in d.commands],
        "timeline": [{"name": m.name, "label": m.label, "scet": m.scet, "mark": m.mark} for m in mission.timeline],
        "display": {
            "packets": list(display.packets),
            "plots": [plot.parameter for plot in display.plots],
            "phase": display.phase or None,
            "zero": display.zero or None,
        },
        "ping": mission.ping or None,
        "light_times": [_light_facts(light) for light in mission.light_times],
        "relays": [_relay_facts(relay) for relay in mission.relays],
        "checks": [{"name": c.name, "parameter": c.parameter, "allows": c.text} for c in d.checks],
        "instruments": [
            {"name": each.name, "carrier": each.carrier, "mark": each.mark, "parameters": list(each.parameters)}
            for each in d.instruments
        ],
        "problems": list(mission.problems),
    }


def _link(profile: LinkProfile) -> str:
    asm = profile.asm.hex().upper() or "off"
    words = [f"{profile.kind} frames of {profile.frame_length} bytes", f"ASM {asm}"]
    words += ["OCF"] if profile.ocf else []
    words += ["FECF"] if profile.fecf else []
    words += [f"Reed-Solomon depth {profile.rs_depth}"] if profile.rs_depth else []
    words += ["randomised"] if profile.randomised else []
    return ", ".join(words)


def _told(packet: Packet) -> str:
    """What tells a packet from others of its APID."""
    d = packet.definition
    words = [f"PUS {d.service}.{d.subtype}"] if d.header.is_pus else []
    words += [f"{name} = {number}" for name, number in packet.told_by if name in d.when]
    return ", ".join(words)


def _relay_facts(relay: Relay) -> dict[str, object]:
    figures = {"range_km": relay.range, "mask_deg": relay.mask, "margin_db": relay.margin}
    return {
        "name": relay.name,
        "description": relay.description,
        "mark": relay.mark,
        "health": relay.health,
        "health_text": relay.health_text,
        "health_mark": relay.health_mark,
        "elevation": relay.elevation or None,
    } | {name: figure and {"value": figure.value, "mark": figure.mark} for name, figure in figures.items()}


def _light_line(light: LightTime) -> str:
    told = f"{light.seconds.value:g} s [{light.seconds.mark}]" if light.seconds is not None else light.parameter
    return f"light     {light.path:<16} {told}"


def _light_facts(light: LightTime) -> dict[str, object]:
    seconds = light.seconds and {"value": light.seconds.value, "mark": light.seconds.mark}
    return {"path": light.path, "seconds": seconds, "parameter": light.parameter or None}


def _relay_lines(relay: Relay) -> list[str]:
    figures = []
    if relay.range is not None:
        figures.append(f"{relay.range.value:,.0f} km [{relay.range.mark}]")
    if relay.margin is not None:
        figures.append(f"link margin {relay.margin.value:+.1f} dB [{relay.margin.mark}]")
    if relay.mask is not None:
        figures.append(f"relays above {relay.mask.value:g}° [{relay.mask.mark}]")
    if relay.elevation:
        figures.append(f"elevation: {relay.elevation}")
    health = f"{HEALTH_WORDS[relay.health]} [{relay.health_mark}]"
    lines = [f"relay     {relay.name:<16} {health:<17} {relay.description} [{relay.mark}]"]
    lines += [f"{'':<27}{relay.health_text}"] if relay.health_text else []
    return [*lines, f"{'':<27}{', '.join(figures)}"] if figures else lines


def _lines(mission: Mission) -> list[str]:
    d, display = mission.dictionary, mission.display
    lines = [f"{d.name}  {_scid(d)}, dictionary {d.hash_text}, from {mission.source}", ""]
    lines += [f"link      {_link(mission.link_profile)}"]
    lines += [f"channel   VC{c.vcid} {c.name}, a frame every {c.period_ms} ms" for c in d.channels]
    lines += [f"shown     {', '.join(display.packets)}"]
    lines += [f"plots     {', '.join(plot.parameter for plot in display.plots) or 'none'}"]
    lines += [f"phase     {display.phase or 'none'}"]
    lines += [f"T+ from   {display.zero or 'no milestone'}", ""]
    for p in d.packets:
        lines.append(
            f"packet    {p.name:<16} APID {p.apid:#05x}  {_told(d.by_name[p.name]):<9} {p.description}".rstrip()
        )
    lines += [f"command   {c.name:<16} {c.description}" for c in d.commands]
    lines += [_light_line(light) for light in mission.light_times]
    lines += [line for relay in mission.relays for line in _relay_lines(relay)]
    lines += [f"measures  {i.name} [{i.mark}], {i.carrier}: {', '.join(i.parameters)}" for i in d.instruments]
    lines += [f"check     {c.name:<16} {c.parameter}: {c.text}" for c in d.checks]
    lines += [f"milestone {m.name:<16} {utc(m.scet)} {m.label} [{m.mark}]" for m in mission.timeline]
    lines += [f"not read  {problem}" for problem in mission.problems]
    return lines

"""Options and checks that commands share."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from string import ascii_uppercase

import click

from groundstation.errors import CallerError
from groundstation.host.clock import host_clock
from groundstation.links import open_link
from groundstation.links.base import NamedLink
from groundstation.links.serial import SerialLink
from groundstation.recordings.paths import default_path
from groundstation.station.config import StationConfig
from protocols.declare.mission import Mission

_NAMED = re.compile(r"([A-Za-z0-9_-]+)=(.+)")

_output = [
    click.option("--plain", is_flag=True, help="Print lines of text; the default without a terminal."),
    click.option("--json", "as_json", is_flag=True, help="Print every message as one JSON object per line."),
    click.option("--ascii", "in_ascii", is_flag=True, help="Draw the TUI in ASCII only."),
]

_station = [
    click.option(
        "--link",
        "more",
        multiple=True,
        metavar="[NAME=]LINK",
        help="Another link that carries the same spacecraft; repeat it. The first good copy of each frame counts.",
    ),
    click.option(
        "--command-link", metavar="NAME", help="Send telecommands over this link. [default: the first of them]"
    ),
    click.option("--name", help="Name of the station. [default: from the link]"),
    click.option("--record", type=click.Path(path_type=Path), help="Path of the recording; a new file."),
    click.option("--wait", is_flag=True, help="Wait for a port that is absent or busy instead of giving up."),
    click.option(
        "--bind",
        metavar="tcp://ADDRESS:PORT",
        help="Serve remote clients, too: telemetry at this port, commands at the next one. Needs --key.",
    ),
    click.option("--key", metavar="NAME", help="The station's own key: `groundstation keys new NAME` makes it."),
]


def output_options(command: click.decorators.FC) -> click.decorators.FC:
    """The three options that say how to show a station."""
    for option in reversed(_output):
        command = option(command)
    return command


def station_options(command: click.decorators.FC) -> click.decorators.FC:
    """The options that say how a station is run."""
    for option in reversed(_station):
        command = option(command)
    return command


def check_links(links: Sequence[NamedLink], wait: bool, mission: Mission) -> None:
    """Refuse a URL that cannot be; without ``wait`` a port that cannot be opened too."""
    for _, url in links:
        link = open_link(url, host_clock, mission)
        if not wait and isinstance(link, SerialLink):
            link.probe()
        link.stop()


def named_links(link: str | None, more: Sequence[str]) -> tuple[NamedLink, ...]:
    """The links that the command line names, in its order; one without a name is called A, B, … by its place.

    Raises:
        click.UsageError: there is none.
    """
    given = [*([link] if link else []), *more]
    if not given:
        raise click.UsageError("no link: expected LINK, such as serial:/dev/ttyACM0?baud=115200")
    found = []
    for place, text in enumerate(given):
        named = _NAMED.fullmatch(text)
        found.append(NamedLink(*named.groups()) if named else NamedLink(ascii_uppercase[place % 26], text))
    return tuple(found)


def checked_text(text: str) -> str:
    """A name that other programs can read.

    Raises:
        CallerError: it is not UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise CallerError(f"{text!a} is not UTF-8: choose a name that other programs can read") from error
    return text


def station_config(
    links: Sequence[NamedLink],
    name: str | None,
    record: Path | None,
    mission: Mission,
    bind: str | None = None,
    key: str | None = None,
    commands: str | None = None,
) -> StationConfig:
    """What the options of `station_options` say.

    Raises:
        CallerError: a replay cannot be recorded, or a name is not text.
    """
    several = tuple(links) if len(links) > 1 else ()
    link = " + ".join(f"{each.name}={each.url}" for each in several) or links[0].url
    for text in (link, str(record or "")):
        checked_text(text)
    if commands and not several:
        raise CallerError(f"--command-link {commands}: there is one link, and commands go out over it")
    label = name or _label(links[0].url)
    if link.startswith("replay:"):
        if record is not None:
            raise CallerError("a replay is recorded already: --record makes no sense")
        return StationConfig(label, link, None, mission, bind, key)
    recording = (record or default_path(host_clock(), label, secrets.token_hex(2))).absolute()
    return StationConfig(label, link, recording, mission, bind, key, several, commands or "")


def _label(link: str) -> str:
    """A short name from a link: ``serial:/dev/ttyACM0?baud=9600`` is ``ttyACM0``."""
    place = link.partition("?")[0].rsplit("/", 1)[-1]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", place).strip("-._")[:24] or f"station-{os.getpid()}"

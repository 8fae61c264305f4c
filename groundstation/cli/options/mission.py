"""The option ``--mission``: what spacecraft it is, for commands that receive, read or command one."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from groundstation.analysis.recorded_mission import kept_mission, recorded_mission
from groundstation.formats.output import echo
from groundstation.recordings.reader import ArchiveReader
from protocols.declare.loading import DEFAULT, installed, load_mission
from protocols.declare.mission import Mission

VARIABLE = "GROUNDSTATION_MISSION"
RECORDING = ".sqlite"


class MissionType(click.ParamType[Mission]):
    """A mission by its name."""

    name = "mission"

    def __init__(self, *, warn: bool = True) -> None:
        """Begin.

        Args:
            warn: whether to say on standard error that a mission's file was read in part.
        """
        self._warn = warn

    def convert(self, value: Mission | str, param: click.Parameter | None, ctx: click.Context | None) -> Mission:
        """The mission.

        A recording (``.sqlite``) gives the mission that it keeps: by this a replay of one starts its station.

        Raises:
            DeclarationError: it cannot be loaded.
            CallerError: a recording that keeps none.
        """
        if isinstance(value, Mission):
            return value
        if value.endswith(RECORDING):
            with ArchiveReader(Path(value)) as reader:
                return kept_mission(reader)[0]
        mission = load_mission(value)
        if self._warn:
            warn_of_problems(mission)
        return mission

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The installed ones, and files."""
        names = [CompletionItem(name) for name in installed() if name.startswith(incomplete)]
        return names or [CompletionItem(incomplete, type="file")]


mission_option = click.option(
    "--mission",
    type=MissionType(),
    default=DEFAULT,
    show_default=True,
    envvar=VARIABLE,
    metavar="NAME",
    help=f"An installed mission, module:NAME, or a file such as ./sparrow.py or ./jpss.xml; or set {VARIABLE}.",
)
"""For commands that have no recording to know it from."""

recorded_mission_option = click.option(
    "--mission",
    type=MissionType(),
    envvar=VARIABLE,
    metavar="NAME",
    help=f"An installed mission, module:NAME, or a file; or set {VARIABLE}. [default: that of the recording]",
)


def warn_of_problems(mission: Mission) -> None:
    """Say on standard error that part of a mission's file could not be read."""
    count = len(mission.problems)
    if count:
        what = f"{count} problems, such as " if count > 1 else ""
        echo(f"{mission.name} was read in part: {what}{mission.problems[0]}", err=True)
        echo(f"see groundstation missions {mission.source}", err=True)


def mission_of(context: click.Context) -> Mission:
    """The mission of a command line that is being completed."""
    given = context.params.get("mission")
    if isinstance(given, Mission):
        return given
    return load_mission(str(given or DEFAULT))


def mission_for(reader: ArchiveReader, given: Mission | None) -> Mission:
    """The mission that decodes a recording. A warning about another dictionary goes to standard error.

    Raises:
        CallerError: the recording is of a mission that is not installed.
    """
    mission, warning = recorded_mission(reader, given)
    if warning:
        echo(warning, err=True)
    return mission

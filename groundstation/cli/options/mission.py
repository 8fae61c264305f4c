"""The option ``--mission``: what spacecraft it is, for commands that receive, read or command one."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from groundstation.errors import CallerError
from groundstation.formats.output import echo
from groundstation.recordings.mission_facts import DICTIONARY_HASH, MISSION, MISSION_SOURCE
from groundstation.recordings.reader import ArchiveReader
from protocols.declare.loading import DEFAULT, installed, load_mission
from protocols.declare.mission import Mission
from protocols.errors import DeclarationError

VARIABLE = "GROUNDSTATION_MISSION"


class MissionType(click.ParamType[Mission]):
    """A mission by its name."""

    name = "mission"

    def convert(self, value: Mission | str, param: click.Parameter | None, ctx: click.Context | None) -> Mission:
        """The mission.

        Raises:
            DeclarationError: it cannot be loaded.
        """
        return value if isinstance(value, Mission) else load_mission(value)

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
    help=f"An installed mission, module:NAME, or a file such as ./sparrow.py; or set {VARIABLE}.",
)
"""For commands that have no recording to know it from."""

recorded_mission_option = click.option(
    "--mission",
    type=MissionType(),
    envvar=VARIABLE,
    metavar="NAME",
    help=f"An installed mission, module:NAME, or a file; or set {VARIABLE}. [default: that of the recording]",
)


def mission_of(context: click.Context) -> Mission:
    """The mission of a command line that is being completed."""
    given = context.params.get("mission")
    if isinstance(given, Mission):
        return given
    return load_mission(str(given or DEFAULT))


def mission_for(reader: ArchiveReader, given: Mission | None) -> Mission:
    """The mission that decodes a recording: the one that is given, or an installed one that made it.

    A warning goes to standard error when it is not the one that the recording was made with.

    Raises:
        CallerError: the recording is of a mission that is not installed.
    """
    meta = reader.meta()
    default = load_mission()
    name, hash_text = meta.get(MISSION, default.name), meta.get(DICTIONARY_HASH, default.dictionary.hash_text)
    mission = given or installed_mission(name, hash_text)
    if mission is None:
        source = meta.get(MISSION_SOURCE, "")
        raise CallerError(f"{reader.path} was recorded with mission {name}: name it, --mission {source or 'NAME'}")
    if mission.dictionary.hash_text != hash_text:
        recorded = f"{reader.path} was recorded with dictionary {hash_text} of {name}"
        here = f"decoded with {mission.dictionary.hash_text} of {mission.name}"
        echo(f"{recorded}, {here}: values may be wrong", err=True)
    return mission


def installed_mission(name: str, hash_text: str) -> Mission | None:
    """The installed mission of that name, best with that hash. One that does not load is not it."""
    found: list[Mission] = []
    for each in installed():
        try:
            found.append(load_mission(each))
        except DeclarationError:
            continue
    same = [mission for mission in found if mission.name == name]
    return next((mission for mission in same if mission.dictionary.hash_text == hash_text), next(iter(same), None))

"""The options ``--mission`` and ``--command``: a mission of one's own, and a program that flies it."""

from __future__ import annotations

import click

from groundstation.errors import CallerError
from groundstation.formats.printable import shell_join
from hil.targets.program import PORT, PROGRAM, words_of

mission_option = click.option(
    "--mission",
    metavar="NAME",
    help="Mission of scenarios that name none: an installed one, module:NAME, or a file such as sparrow.py. Default: "
    "mars6, the only one with an oracle.",
)


def _words(context: click.Context, option: click.Parameter, value: str | None) -> tuple[str, ...]:
    if value is None:
        return ()
    try:
        return words_of(value)
    except CallerError as error:
        raise click.BadParameter(str(error), context, option) from error


command_option = click.option(
    "--command",
    "words",
    metavar="COMMAND",
    callback=_words,
    help=f"Command line of --target {PROGRAM}; {PORT} in it is the path of its serial line.",
)


def check_command(target: str, words: tuple[str, ...]) -> None:
    """See that a command line is given to the target that takes one, and to no other.

    Raises:
        click.UsageError: it is not.
    """
    if words and target != PROGRAM:
        raise click.UsageError(f"--command needs --target {PROGRAM}")
    if target == PROGRAM and not words:
        raise click.UsageError(f"--target {PROGRAM} needs --command: the program that flies, with {PORT} in it")


def mission_words(mission: str | None, words: tuple[str, ...]) -> list[str]:
    """The options again, for a command line that flies a run again."""
    named = [] if mission is None else ["--mission", mission]
    return [*named, *(["--command", shell_join(words)] if words else [])]

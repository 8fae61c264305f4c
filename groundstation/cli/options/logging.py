"""The options ``--verbose`` and ``--log-file`` of both programs: before a command, or after it."""

from __future__ import annotations

from pathlib import Path

import click

from groundstation.host.logs import start_logging

_META = "groundstation.log"


def add_log_options(command: click.Command) -> None:
    """Give a command, and those below it, the two options. Each command has them once."""
    if isinstance(command, click.Group):
        for each in command.commands.values():
            add_log_options(each)
    if not any(each.name == "log_file" for each in command.params):
        command.params += [_verbose(), _log_file()]


def _verbose() -> click.Option:
    return click.Option(
        ["-v", "--verbose"],
        count=True,
        expose_value=False,
        callback=_remember,
        help="Log to standard error. Twice: also each byte of the link, in hex.",
    )


def _log_file() -> click.Option:
    return click.Option(
        ["--log-file"],
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        expose_value=False,
        callback=_remember,
        help="Append the log to FILE instead.",
    )


def _remember(context: click.Context, option: click.Parameter, value: int | Path | None) -> None:
    """Take one of the two options; the latest word of both, at whatever place, decides."""
    if not value or context.resilient_parsing:
        return
    asked = context.find_root().meta.setdefault(_META, {})
    asked[option.name] = value
    start_logging(asked.get("verbose", 0), asked.get("log_file"))

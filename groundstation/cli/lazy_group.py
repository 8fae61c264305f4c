"""A group of commands whose modules are imported when one of them is asked for.

A program that only sends a command must not wait until the terminal interface has been imported, and ``--help`` of
the program must not wait for any of them. So the line that it shows of each command stands beside its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

import click
from click.shell_completion import CompletionItem

from groundstation.cli.options.logging import add_log_options
from groundstation.cli.options.named import NamedGroup


class Lazy(NamedTuple):
    """A command that is not imported yet.

    Attributes:
        place: ``module:attribute``.
        help: the line of it in the help of its group.
    """

    place: str
    help: str


class LazyGroup(NamedGroup):
    """Commands by name."""

    def __init__(self, *args: object, lazy: Mapping[str, Lazy], **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]  # click's own arguments, as they came
        self._lazy = dict(lazy)
        add_log_options(self)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, sorted; nothing is imported."""
        return sorted(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; None: there is no such command."""
        found = self._lazy.get(cmd_name)
        if found is None:
            return None
        module, _, attribute = found.place.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        add_log_options(command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands that begin so, with their lines; and the options. Nothing is imported."""
        found = [CompletionItem(name, help=self._lazy[name].help) for name in self.list_commands(ctx)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(each for each in found if each.value.startswith(incomplete)), *options]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in the help; nothing is imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._lazy[name].help) for name in self.list_commands(ctx)])

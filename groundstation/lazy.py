"""A group of commands whose modules are imported when one of them is asked for.

A program that only sends a command must not wait until the terminal interface has been imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click

from protocols.nearest import nearest


class LazyGroup(click.Group):
    """Commands by name, each as ``module:attribute``."""

    def __init__(self, *args: object, commands_at: Mapping[str, str], **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]  # click's own arguments, as they came
        self._commands_at = dict(commands_at)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, sorted; nothing is imported."""
        return sorted(self._commands_at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; None: there is no such command."""
        place = self._commands_at.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that ``args`` begin with.

        Raises:
            click.UsageError: there is none; the nearest name is told.
        """
        name = args[0]
        if name not in self._commands_at and not name.startswith("-"):
            ctx.fail(f"no command {name!r}{nearest(name, sorted(self._commands_at))}")
        return super().resolve_command(ctx, args)

"""Commands, options and values of a command line by name: an unknown one is answered with the nearest known one."""

from __future__ import annotations

from typing import Any

import click

from protocols.nearest import nearest


class NamedGroup(click.Group):
    """A group of commands whose error about an unknown command names the nearest."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that ``args`` begin with.

        Raises:
            click.UsageError: there is none; with the nearest name.
        """
        names = self.list_commands(ctx)
        if args[0] not in names and not args[0].startswith("-"):
            ctx.fail(f"no command {args[0]!r}{nearest(args[0], names)}")
        return super().resolve_command(ctx, args)


class Choice(click.Choice):  # type: ignore[type-arg]  # generic in newer versions of click alone
    """One of several words; the error about another word names the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The word itself.

        Raises:
            click.BadParameter: it is not one of them.
        """
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"no value {value!r}{nearest(str(value), map(str, self.choices))}", param, ctx)


def unknown_option(error: click.NoSuchOption) -> click.UsageError:
    """Click's error about an unknown option, with the nearest option of the command as all other hints name it."""
    context = error.ctx
    if context is None:
        return error
    shown = [each for each in context.command.get_params(context) if isinstance(each, click.Option) and not each.hidden]
    options = [name for each in shown for name in (*each.opts, *each.secondary_opts)]
    return click.UsageError(f"no option {error.option_name!r}{nearest(error.option_name, options)}", context)

"""What Tab offers in a shell for `hil`: scenarios and boards. docs/shell-completion.md says how to turn it on."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from hil.images.boards import known_boards
from hil.runs.find import ALL
from hil.scenario.scenario import SCENARIOS


def scenarios(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Scenarios that come with the package; where several can be named also ``all``; else files."""
    names = sorted(path.stem for path in SCENARIOS.glob("*.toml"))
    names += [ALL] if parameter.nargs == -1 else []
    found = [CompletionItem(name) for name in names if name.startswith(incomplete)]
    return [CompletionItem(incomplete, type="file"), *found]


def boards(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Boards that the firmware can be built for."""
    return [CompletionItem(name) for name in known_boards() if name.startswith(incomplete)]

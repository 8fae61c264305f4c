"""What Tab offers in a shell: lander commands, stations of this host, recordings. docs/shell-completion.md says how.

Tab must never show an error: where nothing can be found, nothing is offered.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from groundstation.cli.options.mission import mission_of
from groundstation.recordings.paths import passes_folder
from groundstation.security.keys import KeyStore
from groundstation.station.registry import Registry
from protocols.errors import Mars6Error

_SUFFIX = ".sqlite"
_OFFERED = 50
"""Recordings, the newest first; a passes folder can hold thousands."""


def lander_commands(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Commands of the lander, in whatever case they are begun."""
    start = incomplete.upper()
    found = mission_of(context).dictionary.command_by_name.items()
    return [CompletionItem(name, help=each.definition.description) for name, each in found if name.startswith(start)]


def command_arguments(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Arguments that are not given yet: ``KEY=WORD`` for each word that one takes, else ``KEY=``.

    bash takes ``KEY=WORD`` for three words and replaces the last alone: then that is offered.
    """
    command = mission_of(context).dictionary.command_by_name.get(str(context.params.get("name")).upper())
    if command is None:
        return []
    given = [str(word) for word in context.params.get("arguments") or ()]
    words = {each.name: [label for _, label in each.labels] for each in command.arguments}
    if not incomplete and given and given[-1] in words:  # "KEY=" and Tab: click takes the "=" away
        return _starting("", words[given[-1]])
    if given[1:] and given[-1] == "=":
        return _starting(incomplete, words.get(given[-2], []))
    missing = {name: labels for name, labels in words.items() if name not in {each.partition("=")[0] for each in given}}
    return _starting(incomplete, (f"{name}={label}" for name, labels in missing.items() for label in labels or [""]))


def stations(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Stations that run on this host."""
    with contextlib.suppress(Mars6Error, OSError):
        running = [each for each in Registry().running() if each.name.startswith(incomplete)]
        return [CompletionItem(each.name, help=each.link) for each in running]
    return []


def recordings(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Recordings of the folder that is begun and of this host's passes, the newest first; else files."""
    begun = Path(incomplete)
    folder = begun if incomplete.endswith("/") else begun.parent
    found = [*_recordings_in(passes_folder()), *_recordings_in(folder)]
    offered = [path for path in dict.fromkeys(map(str, found)) if path.startswith(incomplete) and path.isprintable()]
    return [CompletionItem(incomplete, type="file"), *map(CompletionItem, offered[:_OFFERED])]


def keys(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of this host's key pairs."""
    with contextlib.suppress(Mars6Error, OSError):
        return _starting(incomplete, KeyStore().names())
    return []


def _recordings_in(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(folder.glob(f"*{_SUFFIX}"), reverse=True)
    return []


def _starting(incomplete: str, words: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]

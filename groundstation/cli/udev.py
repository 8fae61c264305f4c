"""The commands ``groundstation udev install|check|remove``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from groundstation.cli.options.named import NamedGroup
from groundstation.errors import CallerError, RulesError, RulesForbidden
from groundstation.exit_codes import DONE, INTERRUPTED, exit_codes
from groundstation.formats.output import echo
from groundstation.formats.printable import shell_join
from groundstation.host.udev import (
    GROUP,
    NAME,
    RELOAD,
    PluggedBoard,
    delete_rules,
    destination,
    installed,
    may_write,
    membership,
    membership_fault,
    plugged_boards,
    port_faults,
    reload_rules,
    rules,
    user_name,
    write_rules,
)
from groundstation.ports.access import running_takers

SYSTEM = Path("/")
_RULER = "─" * 72

_EPILOG = exit_codes(DONE, CallerError, RulesError, RulesForbidden, INTERRUPTED)


def _root_option(*, exists: bool) -> Callable[[click.decorators.FC], click.decorators.FC]:
    return click.option(
        "--root",
        type=click.Path(exists=exists, file_okay=False, path_type=Path),
        default=SYSTEM,
        show_default=True,
        help="Root of another file system, for example of a package or an image.",
    )


_root = _root_option(exists=True)
_new_root = _root_option(exists=False)
_yes = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group(cls=NamedGroup, epilog=_EPILOG)
def udev() -> None:
    """Give boards a lasting name under /dev/lander, and the permission to use them.

    \b
    Examples:
      groundstation udev check              is every board plugged in as it should be
      groundstation udev install            show the rules, ask, write them
      groundstation udev install --yes --root build/package
    """


@udev.command(epilog=_EPILOG)
@_new_root
@_yes
def install(root: Path, yes: bool) -> None:
    """Write the rules, in folders made for them if need be, and have udev apply them. Shows first what and where."""
    path = destination(root)
    if path.is_file() and path.read_bytes() == rules().encode():
        echo(f"{path} is in place and of this version; to have udev apply it again: {_reload_text()}")
        return
    echo(f"{path} will {'be replaced by' if path.exists() else 'hold'}:", _RULER, *rules().splitlines(), _RULER)
    _print_reload(root)
    _need_permission(path, "install", root)
    _ask("Write it?", yes)
    write_rules(path)
    echo(f"wrote {path}")
    _reload(root)


@udev.command(epilog=_EPILOG)
@_root
@_yes
def remove(root: Path, yes: bool) -> None:
    """Take the rules away again and have udev forget them."""
    path = destination(root)
    if not path.is_file():
        elsewhere = installed(root)
        echo(f"{elsewhere} came with a package: remove that" if elsewhere else f"there is no {path}")
        return
    echo(f"{path} will be removed")
    _print_reload(root)
    _need_permission(path, "remove", root)
    _ask("Remove it?", yes)
    delete_rules(path)
    echo(f"removed {path}")
    _reload(root)


@udev.command(epilog=_EPILOG)
@_root
def check(root: Path) -> None:
    """Say for every board plugged in whether its name, group and permission are right, and for you whether you may."""
    boards = list(plugged_boards(root))
    faults = [
        _print_check("rules", _rules_fault(root), f"{installed(root)}"),
        _print_check("user", _user_fault(boards), user_name()),
        *(_print_check(*line) for board in boards for line in _board_lines(board)),
    ]
    if not boards:
        echo("board          none that the rules know is plugged in")
    if wrong := sum(faults):
        raise RulesError(f"{wrong} of {len(faults)} are not right")


def _board_lines(board: PluggedBoard) -> Iterator[tuple[str, str | None, str]]:
    """What to say of a board: a subject, what is wrong, and what it is."""
    about = f"{board.name} {board.usb_id} {board.serial or 'without serial number'}, USB {board.place}"
    if not board.ports:
        takers = [f"{taker} runs: {taker.advice}" for taker in running_takers() if taker.name == "brltty"]
        yield "board", "; ".join([f"no serial port: its driver is not loaded ({about})", *takers]), about
    for port in board.ports:
        links = " ".join(map(str, port.links))
        yield port.path.name, "; ".join(port_faults(port, GROUP)) or None, f"{about}, {links}"


def _user_fault(boards: Iterable[PluggedBoard]) -> str | None:
    """What keeps the user from the boards; nothing does if all can be opened, as at the seat of a desktop."""
    usable = [port.usable for board in boards for port in board.ports]
    if usable and all(usable):
        return None
    return membership_fault(membership(GROUP), GROUP, user_name())


def _rules_fault(root: Path) -> str | None:
    path = installed(root)
    if path is None:
        return f"no {NAME}: run `groundstation udev install`"
    if path.read_bytes() != rules().encode():
        return f"{path} is of another version: run `groundstation udev install`"
    return None


def _print_check(subject: str, fault: str | None, fine: str) -> bool:
    """One line of the check; whether it is a fault."""
    echo(f"{subject:<8} {'WRONG' if fault else 'ok':<5} {fault or fine}")
    return fault is not None


def _ask(question: str, yes: bool) -> None:
    if not yes:
        click.confirm(question, abort=True)


def _need_permission(path: Path, what: str, root: Path) -> None:
    if not may_write(path):
        options = [] if root == SYSTEM else ["--root", str(root)]
        again = ["sudo", sys.executable, "-m", "groundstation.cli", "udev", what, *options]
        raise RulesForbidden(f"root is needed for {path}; nothing was changed; run: {shell_join(again)}")


def _reload_text() -> str:
    return " && ".join(map(shlex.join, RELOAD))


def _print_reload(root: Path) -> None:
    if root == SYSTEM:
        echo(f"and then run: {_reload_text()}")


def _reload(root: Path) -> None:
    if root == SYSTEM:
        reload_rules()
        echo("udev applies it to what is plugged in")

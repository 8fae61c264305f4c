"""Exit codes: each command says with which it can end, and each code means one thing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from groundstation.cli import cli as ground
from groundstation.errors import PortBusy, StationGone, WorldError
from groundstation.exit_codes import DONE, INTERRUPTED, Outcome, errors_of, exit_codes
from hil.cli import cli as hil

_ROW = re.compile(r"^ +(\d+)  (\S.*)$", re.M)


def commands_of(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from commands_of(f"{name} {child}", found)


ALL = [*commands_of("groundstation", ground), *commands_of("hil", hil)]


@pytest.mark.parametrize(("path", "command"), ALL, ids=[path for path, _ in ALL])
def test_help_of_every_command_lists_its_exit_codes(path: str, command: click.Command) -> None:
    text = command.get_help(click.Context(command, info_name=path, terminal_width=100))
    codes = [int(code) for code, _ in _ROW.findall(text.split("Exit codes:")[1])]
    assert 0 in codes
    assert codes == sorted(set(codes))


def test_no_two_errors_share_a_code_of_their_own() -> None:
    codes = [each.exit_code for each in errors_of("protocols", "groundstation", "hil")]
    assert len(codes) == len(set(codes))


def test_help_of_groundstation_has_every_code_of_its_errors() -> None:
    told = {int(code) for code, _ in _ROW.findall(ground.epilog or "")}
    assert {each.exit_code for each in errors_of("groundstation", "protocols")} <= told


def test_an_epilog_is_sorted_and_the_first_of_a_code_counts() -> None:
    failed = Outcome(1, "a run failed")
    text = exit_codes(INTERRUPTED, PortBusy, failed, WorldError, StationGone, DONE)
    assert text.splitlines() == [
        "\b",
        "Exit codes:",
        "    0  success",
        "    1  a run failed",
        "   12  the port is in use",
        "   15  no station answers",
        "  130  interrupted (Ctrl-C)",
    ]

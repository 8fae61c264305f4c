"""Commands are imported when they are asked for, and no sooner."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from groundstation.cli import COMMANDS as GROUND
from groundstation.cli import cli as ground
from hil.cli import COMMANDS as HIL
from hil.cli import cli as hil


@pytest.mark.parametrize(("group", "places"), [(ground, GROUND), (hil, HIL)])
def test_every_command_is_where_it_is_said_to_be(group: click.Group, places: dict[str, str]) -> None:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        assert command.name == name
    assert group.list_commands(context) == sorted(places)


@pytest.mark.parametrize(
    ("wrong", "said"), [("sned", "did you mean 'send'?"), ("zzzz", "there are acknowledge, arm, bridge, commands")]
)
def test_an_unknown_command_is_told_the_nearest(wrong: str, said: str) -> None:
    result = CliRunner().invoke(ground, [wrong])
    assert result.exit_code == 2
    assert f"no command {wrong!r}" in result.output
    assert said in result.output


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("groundstation.cli", "zmq"),
        ("groundstation.station_cli", "textual"),
        ("groundstation.station_cli", "numpy"),
        ("groundstation.command_cli", "textual"),
        ("hil.lander_cli", "textual"),
        ("hil.fly_cli", "textual"),
        ("hil.run_cli", "textual"),
    ],
)
def test_a_command_does_not_wait_for_what_it_does_not_use(module: str, unwanted: str) -> None:
    program = f"import sys, {module}; sys.exit({unwanted!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

"""Commands are imported when they are asked for, and no sooner."""

import re
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from groundstation.cli import COMMANDS as GROUND
from groundstation.cli import cli as ground
from groundstation.cli.lazy_group import Lazy
from hil.cli import COMMANDS as HIL
from hil.cli import cli as hil


@pytest.mark.parametrize(("group", "places"), [(ground, GROUND), (hil, HIL)])
def test_every_command_is_where_it_is_said_to_be(group: click.Group, places: dict[str, Lazy]) -> None:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        assert command.name == name
    assert group.list_commands(context) == sorted(places)


@pytest.mark.parametrize(
    ("wrong", "said"), [("sned", "did you mean 'send'?"), ("zzzz", "known: acknowledge, arm, bridge, commands")]
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
        ("groundstation.cli.station", "textual"),
        ("groundstation.cli.station", "numpy"),
        ("groundstation.cli.commanding", "textual"),
        ("hil.cli.lander", "textual"),
        ("hil.cli.fly", "textual"),
        ("hil.cli.run", "textual"),
    ],
)
def test_a_command_does_not_wait_for_what_it_does_not_use(module: str, unwanted: str) -> None:
    program = f"import sys, {module}; sys.exit({unwanted!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("program", ["groundstation", "hil"])
def test_help_imports_no_station_and_no_library_of_one(program: str) -> None:
    script = f"""
import sys
from {program}.cli import cli
try:
    cli(["--help"])
except SystemExit:
    pass
heavy = {{"zmq", "serial", "textual", "numpy", "construct", "msgspec", "sqlite3", "asyncio"}} & set(sys.modules)
unwanted = ("groundstation.station", "groundstation.links", "hil.runs.run")
rooms = [name for name in sys.modules if name.startswith(unwanted)]
print(sorted(heavy), rooms, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "Usage:" in done.stdout
    assert done.stderr == "[] []\n"


@pytest.mark.parametrize(("group", "places"), [(ground, GROUND), (hil, HIL)])
def test_help_of_a_program_shows_each_line_whole(group: click.Group, places: dict[str, Lazy]) -> None:
    text = CliRunner().invoke(group, ["--help"], terminal_width=80).output
    for name, each in places.items():
        assert re.search(rf"^  {name} +{re.escape(each.help)}$", text, re.M), name

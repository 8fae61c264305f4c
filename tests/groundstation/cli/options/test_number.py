"""Numbers on both command lines: finite and within their range, or a usage error."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

import groundstation.cli
import hil.cli

COMMANDS = [
    ("groundstation", "replay", "none.sqlite", "--speed"),
    ("hil", "run", "los-091105", "--realtime", "--speed"),
    ("hil", "fly", "--speed"),
    ("hil", "fly", "--target", "board", "--board-wait"),
    ("hil", "lander", "--pty", "--speed"),
    ("hil", "run", "los-091105", "--seed"),
    ("hil", "run", "los-091105", "--repeat"),
    ("hil", "campaign", "los-091105", "--runs"),
    ("hil", "firmware", "flash", "uno", "--baud"),
    ("groundstation", "send", "PING", "--repeats"),
    ("groundstation", "send", "PING", "--timeout"),
]


@pytest.mark.parametrize("value", ["inf", "nan", "1e400", "9" * 5000, "-inf"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_number_that_is_not_finite_is_a_usage_error(command: tuple[str, ...], value: str) -> None:
    program, *words = command
    cli = {"groundstation": groundstation.cli.cli, "hil": hil.cli.cli}[program]
    done = CliRunner().invoke(cli, [*words[:-1], f"{words[-1]}={value}"])
    assert done.exit_code == 2, done.output
    assert words[-1] in done.output


@pytest.mark.parametrize("value", ["inf", "nan", "9" * 5000])
def test_seconds_to_arm_are_finite(value: str) -> None:
    done = CliRunner().invoke(groundstation.cli.cli, ["arm", value])
    assert done.exit_code == 2
    assert "SECONDS" in done.output


@pytest.mark.parametrize("baud", ["9" * 5000, "-1", "0", "1e3", "inf", "१२"])
def test_a_baud_rate_of_a_link_is_a_number_in_range(baud: str) -> None:
    done = CliRunner().invoke(groundstation.cli.cli, ["serve", f"serial:/dev/ttyS0?baud={baud}"])
    assert (done.exit_code, type(done.exception).__name__) in ((2, "SystemExit"), (1, "CallerError"))

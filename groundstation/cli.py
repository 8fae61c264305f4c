"""The command ``groundstation``."""

from __future__ import annotations

import click

from groundstation import __version__
from groundstation.lazy import LazyGroup
from groundstation.shell import run_cli

COMMANDS = {
    "acknowledge": "groundstation.command_cli:acknowledge",
    "arm": "groundstation.command_cli:arm",
    "bridge": "groundstation.bridge_cli:bridge",
    "commands": "groundstation.command_cli:commands",
    "cop": "groundstation.command_cli:cop",
    "copy": "groundstation.archive_cli:copy_command",
    "decode": "groundstation.decode_cli:decode",
    "export": "groundstation.archive_cli:export_command",
    "info": "groundstation.archive_cli:info",
    "keys": "groundstation.keys_cli:keys",
    "passes": "groundstation.archive_cli:passes",
    "ports": "groundstation.station_cli:ports",
    "replay": "groundstation.viewer_cli:replay",
    "run": "groundstation.viewer_cli:run",
    "salvage": "groundstation.archive_cli:salvage_command",
    "send": "groundstation.command_cli:send",
    "serve": "groundstation.station_cli:serve",
    "stop": "groundstation.station_cli:stop",
    "udev": "groundstation.udev_cli:udev",
    "watch": "groundstation.viewer_cli:watch",
}
"""Where each command is."""

_EXIT_CODES = """
\b
Exit codes: 0 fine, 1 a file or folder cannot be used, 2 wrong usage, 10 link cannot be opened, 11 port absent,
12 port busy, 13 port not permitted, 14 recording or table cannot be written or read, or a recording lacks data
at its end, 15 no station answers, 16 nothing decoded, 17 udev: something is not right, 18 root is needed,
19 a recording is damaged: what could be read was given, 22 order refused, 23 command failed,
24 no word of a command in time, 25 key not let in, 26 key file damaged or open to others,
70 the viewer crashed, 129 its terminal closed, 130 interrupted.
"""


@click.group(cls=LazyGroup, commands_at=COMMANDS, epilog=_EXIT_CODES)
@click.version_option(__version__)
def cli() -> None:
    """Receive, keep and show the telemetry of a Mars 6 lander.

    \b
    Examples:
      groundstation ports                                  what is plugged in, and may I use it
      groundstation run serial:/dev/ttyACM0?baud=115200    receive a board and watch it
      groundstation serve zmq:tcp://127.0.0.1:5570         receive only
      groundstation watch                                  watch the station that runs
      groundstation watch --json | jq .                    every message, for programs
      groundstation send PING --wait                       command the lander
      groundstation replay PASS.sqlite --speed 4           watch a recording again
      groundstation keys --help                            let others connect from elsewhere
    """


def main() -> None:
    """Entry point."""
    run_cli(cli, "groundstation")


if __name__ == "__main__":
    main()

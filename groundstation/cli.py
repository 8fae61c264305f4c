"""The command ``groundstation``."""

from __future__ import annotations

import click

from groundstation import __version__
from groundstation.exit_codes import DONE, HANGUP, INTERRUPTED, errors_of, exit_codes
from groundstation.lazy import Lazy, LazyGroup
from groundstation.shell import run_cli

COMMANDS = {
    "acknowledge": Lazy("groundstation.command_cli:acknowledge", "Clear the alarms of a station."),
    "arm": Lazy("groundstation.command_cli:arm", "Allow one critical command for a while."),
    "bridge": Lazy("groundstation.bridge_cli:bridge", "Relay a serial port to stations on other hosts."),
    "commands": Lazy("groundstation.command_cli:commands", "List the lander's commands, or describe one."),
    "cop": Lazy("groundstation.command_cli:cop", "Direct the sequence-controlled uplink (FOP-1)."),
    "copy": Lazy("groundstation.archive_cli:copy_command", "Copy a recording into a new file."),
    "decode": Lazy("groundstation.decode_cli:decode", "Decode a capture or a recording."),
    "export": Lazy("groundstation.archive_cli:export_command", "Write a recording's values as CSV or Parquet."),
    "info": Lazy("groundstation.archive_cli:info", "Describe a recording."),
    "keys": Lazy("groundstation.keys_cli:keys", "Make keys, and authorize clients on other hosts."),
    "passes": Lazy("groundstation.archive_cli:passes", "List the recordings in a folder."),
    "ports": Lazy("groundstation.station_cli:ports", "List the serial ports and whether you may use them."),
    "replay": Lazy("groundstation.viewer_cli:replay", "Watch a recording again."),
    "run": Lazy("groundstation.viewer_cli:run", "Receive a link and watch it."),
    "salvage": Lazy("groundstation.archive_cli:salvage_command", "Read what is left of a damaged recording."),
    "send": Lazy("groundstation.command_cli:send", "Send a command to the lander."),
    "serve": Lazy("groundstation.station_cli:serve", "Receive and record a link, without a viewer."),
    "stop": Lazy("groundstation.station_cli:stop", "Stop a station and close its recording."),
    "udev": Lazy("groundstation.udev_cli:udev", "Install, check or remove the udev rules for boards."),
    "watch": Lazy("groundstation.viewer_cli:watch", "Watch a station that runs."),
}
"""Where each command is, and its line in the help."""


@click.group(
    cls=LazyGroup, lazy=COMMANDS, epilog=exit_codes(DONE, *errors_of("groundstation", "protocols"), HANGUP, INTERRUPTED)
)
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

"""The command ``groundstation``."""

from __future__ import annotations

import click

from groundstation.cli.lazy_group import Lazy, LazyGroup
from groundstation.cli.runtime import run_cli
from groundstation.exit_codes import DONE, HANGUP, INTERRUPTED, errors_of, exit_codes
from protocols import __version__

COMMANDS = {
    "acknowledge": Lazy("groundstation.cli.commanding:acknowledge", "Clear the alarms of a station."),
    "arm": Lazy("groundstation.cli.commanding:arm", "Allow one critical command for a while."),
    "bridge": Lazy("groundstation.cli.bridge:bridge", "Relay a serial port to stations on other hosts."),
    "commands": Lazy("groundstation.cli.commanding:commands", "List the lander's commands, or describe one."),
    "cop": Lazy("groundstation.cli.commanding:cop", "Direct the sequence-controlled uplink (FOP-1)."),
    "copy": Lazy("groundstation.cli.recordings:copy_command", "Copy a recording into a new file."),
    "decode": Lazy("groundstation.cli.decode:decode", "Decode a capture or a recording."),
    "export": Lazy("groundstation.cli.recordings:export_command", "Write a recording's values as CSV or Parquet."),
    "info": Lazy("groundstation.cli.recordings:info", "Describe a recording."),
    "keys": Lazy("groundstation.cli.keys:keys", "Make keys, and authorize clients on other hosts."),
    "mission": Lazy("groundstation.cli.missions:mission_command", "Tell the story of a mission, with sources."),
    "missions": Lazy("groundstation.cli.missions:missions", "List the missions, or describe one."),
    "passes": Lazy("groundstation.cli.recordings:passes", "List the recordings in a folder."),
    "ports": Lazy("groundstation.cli.station:ports", "List the serial ports and whether you may use them."),
    "replay": Lazy("groundstation.cli.viewer:replay", "Watch a recording again."),
    "run": Lazy("groundstation.cli.viewer:run", "Receive a link and watch it."),
    "salvage": Lazy("groundstation.cli.recordings:salvage_command", "Read what is left of a damaged recording."),
    "send": Lazy("groundstation.cli.commanding:send", "Send a command to the lander."),
    "serve": Lazy("groundstation.cli.station:serve", "Receive and record a link, without a viewer."),
    "stop": Lazy("groundstation.cli.station:stop", "Stop a station and close its recording."),
    "udev": Lazy("groundstation.cli.udev:udev", "Install, check or remove the udev rules for boards."),
    "watch": Lazy("groundstation.cli.viewer:watch", "Watch a station that runs."),
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
      groundstation keys --help                            authorize clients on other hosts
    """


def main() -> None:
    """Entry point."""
    run_cli(cli, "groundstation")

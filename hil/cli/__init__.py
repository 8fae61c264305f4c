"""The command ``hil``."""

from __future__ import annotations

import sys

import click

from groundstation.cli.lazy_group import Lazy, LazyGroup
from groundstation.cli.runtime import run_cli
from groundstation.exit_codes import errors_of, exit_codes
from groundstation.host.service import hold_signals
from hil.exit_codes import LIVE
from protocols import __version__

COMMANDS = {
    "campaign": Lazy("hil.cli.run:campaign_command", "Fly a scenario many times, with values drawn at random."),
    "compare": Lazy("hil.cli.compare:compare_command", "Compare two runs or two folders of runs."),
    "firmware": Lazy("hil.cli.firmware:firmware_command", "Build, flash and identify the lander's firmware."),
    "fly": Lazy("hil.cli.fly:fly_command", "Fly one descent live, with a viewer."),
    "lander": Lazy("hil.cli.lander:lander_command", "Run the lander alone, as a serial device or a socket."),
    "list": Lazy("hil.cli.run:list_command", "List scenarios, faults and targets."),
    "replay": Lazy("hil.cli.run:replay_command", "Fly a run again, from its bundle."),
    "report": Lazy("hil.cli.report:report_command", "Write the report of a folder of runs again."),
    "run": Lazy("hil.cli.run:run_command", "Fly scenarios, judge them, and write a report."),
}
"""Where each command is, and its line in the help."""

_REPORTING = ("campaign", "replay", "run")
"""Commands that write a report of what was flown when a signal ends them, however early it comes."""


@click.group(cls=LazyGroup, lazy=COMMANDS, epilog=exit_codes(*LIVE, *errors_of("hil")))
@click.version_option(__version__)
def cli() -> None:
    """Fly the descent of Mars 6, 12 March 1974, and judge what the ground station made of it.

    \b
    Examples:
      hil fly                                  the descent, live in the TUI, in real time
      hil fly --speed 10                       the same in half a minute
      hil fly --lockstep                       the same in a second, without a clock
      hil fly --link-drop 09:11:05             the whole link falls silent, not the lander alone
      hil fly reacquisition                    a scenario, live
      hil fly --json --speed 50 | tail -1      the verdict, for programs
      hil fly --target qemu                    the firmware on an emulated STM32F4
      hil fly --target board                   the firmware on the board that is plugged in
      hil run los-091105 --report out          a scenario, judged, with a report
      hil compare yesterday today              what differs between two runs, or two folders of runs
      hil lander --pty                         only the lander, as a serial device
      hil lander --pty --ready                 the same, waiting for the command START
    """


def main() -> None:
    """Entry point."""
    if sys.argv[1:2] and sys.argv[1] in _REPORTING:
        hold_signals()
    run_cli(cli, "hil")

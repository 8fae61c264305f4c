"""The command ``hil``."""

from __future__ import annotations

import sys

import click

from groundstation.lazy import LazyGroup
from groundstation.service import hold_signals
from groundstation.shell import run_cli
from hil import __version__

COMMANDS = {
    "campaign": "hil.run_cli:campaign_command",
    "compare": "hil.compare_cli:compare_command",
    "firmware": "hil.firmware_cli:firmware_command",
    "fly": "hil.fly_cli:fly_command",
    "lander": "hil.lander_cli:lander_command",
    "list": "hil.run_cli:list_command",
    "replay": "hil.run_cli:replay_command",
    "report": "hil.report_cli:report_command",
    "run": "hil.run_cli:run_command",
}
"""Where each command is."""

_REPORTING = ("campaign", "replay", "run")
"""Commands that write a report of what was flown when a signal ends them, however early it comes."""

_EXIT_CODES = """
\b
Exit codes: 0 passed, 1 failed, 2 wrong usage, 20 the target died or did not end, 21 the viewer was closed before the
pass was over, 70 it crashed, 129 its terminal closed, 130 interrupted, 143 terminated; those of groundstation besides.
"""


@click.group(cls=LazyGroup, commands_at=COMMANDS, epilog=_EXIT_CODES)
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


if __name__ == "__main__":
    main()

"""The command ``hil``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from groundstation.archive.paths import default_path
from groundstation.cli import output_options
from groundstation.errors import CallerError
from groundstation.plain import utc
from groundstation.shell import choose_style, end_with_parent, host_clock, run_cli, write_line
from hil.firmware_cli import firmware_command
from hil.flight import FlightPlan, fly_real_time
from hil.lander.spacecraft import Spacecraft
from hil.lockstep import Direct, fly_lockstep
from hil.oracle import Burst, expect
from hil.pacing import fly_paced, fly_stepped
from hil.process import say
from hil.run_cli import campaign_command, list_command, replay_command, run_command
from hil.serve import ByteServer, PtyServer, TerminalServer, ZmqServer
from hil.targets import TARGETS, TargetOptions
from hil.verdict import Verdict, expected_cause, judge, verdict_lines
from protocols.dictionary import utc_ns

EXIT_FAIL = 1
EXIT_INCOMPLETE = 21

_EXIT_CODES = """
\b
Exit codes: 0 passed, 1 failed, 2 wrong usage, 20 the target died, 21 ended before the pass was over,
130 interrupted; those of groundstation besides.
"""


class MissionTime(click.ParamType[int]):
    """``09:11:05`` or ``09:11:05.250`` on 12 March 1974 UTC, as ns since 1970."""

    name = "UTC"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The time in ns."""
        text = str(value)
        try:
            return utc_ns(text if "T" in text else f"1974-03-12T{text}")
        except ValueError:
            self.fail(f"{text!r} is no time such as 09:11:05 or 1974-03-12T09:11:05.250", param, ctx)


@click.group(epilog=_EXIT_CODES)
@click.version_option(package_name="mars6-groundstation")
def cli() -> None:
    """Fly the descent of Mars 6, 12 March 1974, and judge what the ground station made of it.

    \b
    Examples:
      hil fly                                  the descent, live in the TUI, in real time
      hil fly --speed 10                       the same in half a minute
      hil fly --lockstep                       the same in a second, without a clock
      hil fly --link-drop 09:11:05             the whole link falls silent, not the lander alone
      hil fly --json --speed 50 | tail -1      the verdict, for programs
      hil fly --target qemu                    the firmware on an emulated STM32F4
      hil fly --target board                   the firmware on the board that is plugged in
      hil run los-091105 --report out          a scenario, judged, with a report
      hil lander --pty                         only the lander, as a serial device
      hil lander --pty --ready                 the same, waiting for the command START
    """


for _command in (run_command, list_command, replay_command, campaign_command, firmware_command):
    cli.add_command(_command)


@cli.command("fly")
@click.option("--target", type=click.Choice(sorted(TARGETS)), default="software", show_default=True)
@click.option(
    "--speed", type=click.FloatRange(0.1, 200), default=1.0, show_default=True, help="Mission seconds a second."
)
@click.option(
    "--link", type=click.Choice(["pty", "zmq"]), default="pty", show_default=True, help="How they are joined."
)
@click.option("--link-drop", type=MissionTime(), help="Silence the whole link from this mission time on.")
@click.option("--port", help="Of the target board, such as /dev/ttyACM0; the one board that is plugged in by default.")
@click.option("--lockstep", is_flag=True, help="No clock: step the lander and the station together.")
@click.option("--record", type=click.Path(path_type=Path), help="Path of the recording; a new file.")
@output_options
def fly_command(
    target: str,
    speed: float,
    link: str,
    link_drop: int | None,
    port: str | None,
    lockstep: bool,
    record: Path | None,
    plain: bool,
    as_json: bool,
    in_ascii: bool,
) -> None:
    """Fly the whole historical descent: lander, station and viewer together.

    The lander falls silent at 09:11:05 while its bus goes on, as on 12 March 1974. The last lines are the verdict.
    """
    style = choose_style(plain, as_json)
    if lockstep and target != "software":
        raise click.UsageError("--lockstep is for the target software alone: the others have a clock")
    if port is not None and target != "board":
        raise click.UsageError("--port is for the target board alone")
    now = host_clock()
    recording = (record or default_path(now, f"fly-{target}")).absolute()
    if lockstep:
        fly_lockstep(recording, Direct(), link_drop)
        verdict = judge(recording, expect(link_drop), expected_cause(link_drop), 0.0)
        sys.exit(_conclude(verdict, as_json))
    options = TargetOptions(speed, "pty" if link == "pty" else "zmq", link_drop, port)
    name = f"fly-{datetime.fromtimestamp(now // 10**9, UTC):%H%M%S}-{now % 10**9 // 10**6:03d}"
    result = fly_real_time(FlightPlan(TARGETS[target](options), recording, name, link_drop), style, in_ascii)
    code = _conclude(result.verdict, as_json)
    if not result.complete:
        click.echo("ended before the pass was over: the verdict is of what was received", err=True)
        code = result.code or EXIT_INCOMPLETE
    sys.exit(code)


def _conclude(verdict: Verdict, as_json: bool) -> int:
    """Say the verdict; the exit code that goes with it."""
    if as_json:
        write_line(msgspec.json.encode(verdict).decode())
    else:
        for line in verdict_lines(verdict):
            write_line(line)
    return 0 if verdict.passed else EXIT_FAIL


@cli.command("lander")
@click.option("--pty", is_flag=True, help="Serve as a serial device (a PTY).")
@click.option("--zmq", "endpoint", help="Serve on this ZeroMQ endpoint, such as tcp://127.0.0.1:5570.")
@click.option("--symlink", type=click.Path(path_type=Path), help="With --pty: a name that stays the same.")
@click.option(
    "--speed", type=click.FloatRange(0.1, 200), default=1.0, show_default=True, help="Mission seconds a second."
)
@click.option("--ready", is_flag=True, help="Wait for the command START instead of starting by itself.")
@click.option("--stepped", is_flag=True, help="Fly as many ticks of 100 ms as each line of standard input says.")
@click.option("--link-drop", type=MissionTime(), help="Silence the whole link from this mission time on.")
@click.option("--link-drop-ns", type=int, hidden=True)
@click.option("--terminal", type=click.Path(path_type=Path), hidden=True, help="Serve on a terminal that is there.")
@click.option("--announce", is_flag=True, hidden=True, help="Speak JSON on standard output.")
def lander_command(
    pty: bool,
    endpoint: str | None,
    symlink: Path | None,
    speed: float,
    ready: bool,
    stepped: bool,
    link_drop: int | None,
    link_drop_ns: int | None,
    terminal: Path | None,
    announce: bool,
) -> None:
    """Serve the software lander, so that any station can receive it.

    The descent begins when somebody opens the link. After the pass the link stays open until Ctrl-C, and the lander
    takes commands: RESET, then START, fly it again.
    """
    server = _lander_port(pty, endpoint, symlink, terminal)
    drop = link_drop if link_drop is not None else link_drop_ns
    try:
        _await_listener(server, announce)
        craft = Spacecraft()
        if not ready:
            craft.start()
        if stepped:
            _serve_stepped(server, craft, drop, announce)
        else:
            _serve_paced(server, craft, drop, speed, announce)
    finally:
        server.close()


def _lander_port(pty: bool, endpoint: str | None, symlink: Path | None, terminal: Path | None) -> ByteServer:
    if [pty, endpoint is not None, terminal is not None].count(True) != 1:
        raise click.UsageError("choose one of --pty and --zmq ENDPOINT")
    if terminal is not None:
        return TerminalServer(terminal)
    return ZmqServer(endpoint) if endpoint is not None else PtyServer(symlink)


def _await_listener(server: ByteServer, announce: bool) -> None:
    if announce:
        end_with_parent()
        say(state="waiting", url=server.url)
    else:
        click.echo(f"the lander waits for a listener: groundstation run {server.url}")
    server.wait_for_listener(None)


def _serve_paced(server: ByteServer, craft: Spacecraft, drop: int | None, speed: float, announce: bool) -> None:
    """Fly in real time, and go on taking commands after the pass."""
    told = False
    for burst in fly_paced(craft, server, speed, time.monotonic_ns, time.sleep, drop):
        if craft.finished and not told:
            _tell_end(burst, announce)
        told = craft.finished


def _serve_stepped(server: ByteServer, craft: Spacecraft, drop: int | None, announce: bool) -> None:
    burst = Burst(craft.scet, b"")
    for burst in _checked(fly_stepped(craft, server, iter(sys.stdin.readline, ""), drop)):
        click.echo(f"{utc(burst.scet)} {len(burst.data)} bytes")
    _tell_end(burst, announce)
    _wait_for_signal()


def _tell_end(last: Burst, announce: bool) -> None:
    if announce:
        say(state="finished")
    else:
        click.echo(f"the pass is over at {utc(last.scet)}; the link stays open, Ctrl-C ends it")


def _checked(bursts: Iterator[Burst]) -> Iterator[Burst]:
    try:
        yield from bursts
    except ValueError as error:
        raise CallerError(f"--stepped takes a number of ticks a line: {error}") from error


def _wait_for_signal(sleep: Callable[[float], None] = time.sleep) -> None:
    while True:
        sleep(3600)


def main() -> None:
    """Entry point."""
    run_cli(cli, "hil")


if __name__ == "__main__":
    main()

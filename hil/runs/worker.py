"""A process that flies plans for `hil.runs.batch`: ``python -m hil.runs.worker FD``, FD a socket for plans and results.

It says `READY` when a signal can no longer lose anything; then plans come, and the result of each goes back, until the
socket closes. SIGINT breaks off the flight that it is at, which is a result, too.
"""

from __future__ import annotations

import sys
from multiprocessing.connection import Connection

from groundstation.errors import StationError
from groundstation.host.clock import host_clock
from groundstation.host.service import Interrupts
from hil.runs.run import Plan, fly_plan, give_up

READY = "ready"


def main() -> None:
    """Fly what is asked for."""
    with Connection(int(sys.argv[1])) as line, Interrupts() as interrupts:
        line.send(READY)
        while True:
            try:
                plan: Plan = line.recv()
            except EOFError:
                return
            began = host_clock()
            try:
                result = fly_plan(plan, host_clock, lambda scet: None, breakable=interrupts.heeded)
            except StationError as error:
                result = give_up(plan, str(error), began, host_clock(), error.exit_code)
            line.send(result)


if __name__ == "__main__":
    main()

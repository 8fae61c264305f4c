"""A machine at the far end of a link, for a station that a test starts itself."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from hil.lander_io.servers import ByteServer
from hil.targets import MACHINES, Machine
from hil.targets.greeting import SIZE, read_greeting
from hil.targets.telecommands import start_script
from tests.targets.bench import PATIENCE_S, require

_LOOK_S = 0.004


@contextmanager
def served(name: str, server: ByteServer) -> Iterator[str]:
    """The URL of a machine that flies once a station listens. Its greetings stay here, as with a rig."""
    require(name)
    came: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    stop = threading.Event()
    with closing(server), closing(MACHINES[name](came.put)) as machine:
        machine.power_on()
        first = came.get(timeout=PATIENCE_S)
        relay = threading.Thread(target=_relay, args=(machine, server, came, first, stop))
        relay.start()
        try:
            yield server.url
        finally:
            stop.set()
            relay.join()


def _relay(
    machine: Machine, server: ByteServer, came: queue.SimpleQueue[bytes], rest: bytes, stop: threading.Event
) -> None:
    while not server.wait_for_listener(_LOOK_S):
        if stop.is_set():
            return
    server.receive()
    for _, data in start_script(1.0):
        machine.write(data)
    started = False
    while not stop.is_set():
        with suppress(queue.Empty):
            rest += came.get(timeout=_LOOK_S)
        while len(rest) >= SIZE:
            frame, rest = rest[:SIZE], rest[SIZE:]
            started = started or read_greeting(frame) is None
            if started:
                server.send(frame)
        if data := server.receive():
            machine.write(data)

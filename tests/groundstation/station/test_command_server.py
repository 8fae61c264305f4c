"""The desk with a real event loop and a real writer thread, and both orders in which their news may come."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

import pytest

from groundstation.downlink.receiver import Receiver
from groundstation.links.base import Chunk, TransportChange
from groundstation.messages.commanding import CommandRequest, CommandUpdate
from groundstation.messages.losses import LossBook
from groundstation.station.command_server import CommandServer, UplinkMessage
from groundstation.station.ingest_queue import DecodeLock
from groundstation.uplink.service import Uplink
from hil.lander.spacecraft import Spacecraft
from protocols.lander import MARS6
from protocols.profile import UART

S = 1_000_000_000


class Loop:
    """A station's way round: what the desk writes goes to a lander, whose answer goes to a receiver and the desk.

    ``hurried``: the answer has been followed before the write returns; otherwise it comes after all else.
    """

    def __init__(self, hurried: bool) -> None:
        self.told: list[UplinkMessage] = []
        self.done = threading.Event()
        self._hurried = hurried
        self._lander = Spacecraft()
        self._receiver = Receiver(MARS6, UART, "test:")
        self._turn = DecodeLock()
        self._late = b""
        self.desk = CommandServer(Uplink(MARS6), LossBook(), self._write, self._tell, lambda: S, lambda: S, self._turn)

    def _tell(self, news: UplinkMessage) -> None:
        self.told.append(news)
        if isinstance(news, CommandUpdate) and news.state == "COMPLETED":
            self.done.set()

    def _write(self, data: bytes) -> None:
        answer = self._lander.receive(data)
        if self._hurried:
            reader = threading.Thread(target=self._follow, args=(answer,))
            reader.start()
            reader.join()
        else:
            self._late += answer

    def _follow(self, answer: bytes) -> None:
        report = Chunk(S, answer)
        with self._turn:
            outcomes = self._receiver.process(report)
            self.desk.follow(report, self._receiver.ocfs, outcomes)

    async def order(self) -> list[CommandUpdate]:
        """Send PING past the sequence control; all that was told of it."""
        self.desk.follow(TransportChange(S, "CONNECTED", "open", peer=False), [], [])
        writer = asyncio.create_task(self.desk.transmit())
        request = CommandRequest(who="tester", token="0123456789", issued=S, name="PING", bypass=True)
        number = self.desk.answer(request).command
        for _ in range(200):
            await asyncio.sleep(0.01)
            states = [u.state for u in self.told if isinstance(u, CommandUpdate)]
            if self._late and "SENT" in states:
                late, self._late = self._late, b""
                self._follow(late)
            if self.done.is_set():
                break
        writer.cancel()
        with suppress(asyncio.CancelledError):
            await writer
        return [u for u in self.told if isinstance(u, CommandUpdate) and u.command == number]


@pytest.mark.parametrize("hurried", [False, True])
def test_a_report_before_the_writer_thread_changes_nothing(hurried: bool) -> None:
    updates = asyncio.run(Loop(hurried).order())
    states = [u.state for u in updates]
    assert list(dict.fromkeys(states)) == ["QUEUED", "SENT", "ACCEPTED", "COMPLETED"]
    assert all(u.request is not None for u in updates[1:])

"""Finds the ports on which a lander answers: all that may have one are asked, at the same time, in bounded time.

Rules:
1. A port is opened once, and DTR stays as it is when it is closed: a board is reset by the first open after it was
   plugged in, and by no other. It has the time to come through its boot loader.
2. First the port is listened to: a lander in flight or in READY sends a frame a second. Only if nothing comes it is
   asked, by the mission's ping, if it has one. A port whose bytes are not frames is not asked: it may be anything.
3. A port that another program has open, or whose board another program uses (`board_lock`), is left alone and named.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from groundstation.errors import BoardBusy, CallerError, LinkError, PortAbsent
from groundstation.host.udev import plugged_boards
from groundstation.ports.access import busy_text, holders, running_takers
from groundstation.ports.address import DEFAULT_BAUD
from groundstation.ports.board_lock import FOLDERS, lock_board
from groundstation.ports.devices import ROOT, Device, boards, lasting_name, usb_devices
from groundstation.ports.opening import closing_port, open_port, probe
from protocols.ccsds.cltu import encode_cltu
from protocols.ccsds.tc_frame import TcFrame, encode_frame
from protocols.declare.loading import load_mission
from protocols.declare.mission import Mission
from protocols.errors import DecodeError
from protocols.profile import LinkProfile
from protocols.sync.deframer import Deframer, Frame
from protocols.sync.frames import decode_frame

ASK_S = 4.0
"""How long a port is listened to: a boot loader takes up to two seconds, a lander greets once a second."""
ASK_AFTER_S = 1.3
_READ = 4096
_AT_ONCE = 32
_IDLE = b"\x55" * 16
"""Ends a CLTU that another program left open."""

State = Literal["lander", "held", "none"]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """How a spacecraft is known: its SCID on frames of this form. ``question`` makes it send one; may be empty."""

    scid: int
    profile: LinkProfile
    question: bytes


def inquiry_of(mission: Mission | None = None) -> Inquiry:
    """How the spacecraft of a mission, by default of the default one, is known."""
    mission = mission or load_mission()
    scid, question = mission.dictionary.scid, b""
    if mission.ping:
        packet = mission.dictionary.command(mission.ping).packet(0, {})
        question = _IDLE + encode_cltu(encode_frame(TcFrame(scid, 0, 0, packet, bypass=True)))
    return Inquiry(scid, mission.link_profile, question)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking a port.

    Attributes:
        device: that was asked.
        state: a lander answers; another program uses the board, so that it was not asked; neither.
        text: in words.
    """

    device: Device
    state: State
    text: str

    def __str__(self) -> str:
        return f"{self.device}: {self.text}"


def find_lander(
    baud: int = DEFAULT_BAUD, root: Path = ROOT, folders: Sequence[Path] = FOLDERS, mission: Mission | None = None
) -> Device:
    """The one board on which a lander answers.

    Args:
        baud: bits per second.
        root: of the file system.
        folders: for the locks of boards.
        mission: whose lander; the default one's by default.

    Raises:
        PortAbsent: there is none; says what every port answered.
        CallerError: there are several; says how to choose.
    """
    answers = ask(boards(root), baud, folders=folders, mission=mission)
    return the_lander(answers, [answer.device for answer in answers if answer.state == "lander"], baud, root)


def the_lander(answers: Sequence[Answer], landers: Sequence[Device], baud: int, root: Path = ROOT) -> Device:
    """The only one of these landers.

    Raises:
        PortAbsent: there is none; says what every port answered.
        CallerError: there are several; says how to choose.
    """
    if len(landers) == 1:
        return landers[0]
    if landers:
        ways = ", ".join(f"serial:{lasting_name(device, root)} ({device})" for device in landers)
        raise CallerError(f"{len(landers)} boards have a lander; choose one: {ways}")
    said = [*map(str, answers), *_not_asked(root)] or ["no serial port on USB"]
    raise PortAbsent(
        f"no lander answers at {baud} baud: {'; '.join(said)}. Plug a board in, or name its port: "
        "`groundstation ports` lists what there is"
    )


def ask(
    devices: Sequence[Device],
    baud: int = DEFAULT_BAUD,
    seconds: float = ASK_S,
    folders: Sequence[Path] = FOLDERS,
    mission: Mission | None = None,
) -> list[Answer]:
    """Ask ports, all at the same time, whether a lander is there.

    Args:
        devices: that may have one.
        baud: bits per second.
        seconds: for each port.
        folders: for the locks of boards.
        mission: whose lander; the default one's by default.
    """
    if not devices:
        return []
    inquiry = inquiry_of(mission)
    with ThreadPoolExecutor(min(_AT_ONCE, len(devices)), "ask a port") as pool:
        return list(pool.map(lambda device: _ask_one(device, baud, seconds, folders, inquiry), devices))


def _ask_one(device: Device, baud: int, seconds: float, folders: Sequence[Path], inquiry: Inquiry) -> Answer:
    try:
        probe(device.path)
        lock = lock_board([device], seconds, folders=folders)
    except BoardBusy as error:
        return Answer(device, "held", str(error))
    except LinkError as error:
        return Answer(device, "none", str(error))
    with lock:
        try:
            if who := [holder for holder in holders(device.path) if holder.pid != os.getpid()]:
                return Answer(device, "none", busy_text(device.path, who))
            return _listen(device, baud, seconds, inquiry)
        except LinkError as error:
            return Answer(device, "none", str(error))


def _listen(device: Device, baud: int, seconds: float, inquiry: Inquiry) -> Answer:
    """Open a port and wait for a good frame of this spacecraft.

    Raises:
        LinkError: it cannot be opened, or goes away.
    """
    with closing_port(open_port(device.path, baud)) as port:
        try:
            count, heard = await_frame(port.fileno(), seconds, time.monotonic, inquiry)
        except OSError as error:
            raise LinkError(f"{device.path} went away: {error.strerror}") from error
    if heard:
        return Answer(device, "lander", "a lander answers")
    said = f"{count} bytes came, and no frame of this mission" if count else "not a byte came"
    return Answer(device, "none", said)


def await_frame(fd: int, seconds: float, clock: Callable[[], float], inquiry: Inquiry) -> tuple[int, bool]:
    """Listen to an open port, and ask if nothing comes and there is a question.

    Returns:
        How many bytes came, and whether a good frame was among them.

    Raises:
        OSError: the port is gone.
    """
    deframer, count, began, asked = Deframer(inquiry.profile), 0, clock(), 0
    ready = select.poll()
    ready.register(fd, select.POLLIN)
    while (passed := clock() - began) < seconds:
        if inquiry.question and not count and passed >= ASK_AFTER_S * (asked + 1):
            asked += 1
            os.write(fd, inquiry.question)
        if ready.poll(20):
            data = os.read(fd, _READ)
            if not data:
                raise OSError(0, "end of file")
            count += len(data)
            if any(_is_of(inquiry, found.data) for found in deframer.feed(data) if isinstance(found, Frame)):
                return count, True
    return count, False


def _is_of(inquiry: Inquiry, data: bytes) -> bool:
    try:
        return decode_frame(data, inquiry.profile).scid == inquiry.scid
    except DecodeError:
        return False


def _not_asked(root: Path) -> list[str]:
    """Ports of devices that the rules do not know, and boards that have no port."""
    foreign = [
        f"{device}: not a board that the udev rules know"
        for device in usb_devices(root)
        if not (device.board or device.links)
    ]
    takers = "".join(f"; {taker} runs: {taker.advice}" for taker in running_takers() if taker.name == "brltty")
    bare = [board for board in plugged_boards(root) if not board.ports]
    return foreign + [f"{board.name} {board.usb_id} at USB {board.place}: no serial port{takers}" for board in bare]

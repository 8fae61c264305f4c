"""The receiving end of the uplink: bytes → CLTU → TC frame → FARM-1 → PUS TC → a command, or why it is refused.

Rules:
1. A frame whose FECF, SCID or VCID is not ours is dropped and counted; how its CLTU ended does not matter.
2. FARM-1 always has room: who sends more than can wait is told so by a refusal (BUSY), not by Wait.
3. What comes out is handed over one by one: FARM-1 has not seen the next frame yet when a command is answered.
4. Any bytes at all may come; nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from protocols.ccsds import pus
from protocols.ccsds.clcw import Clcw
from protocols.ccsds.cltu import INFO_SIZE, CltuReceiver
from protocols.ccsds.crc import crc16
from protocols.ccsds.space_packet import decode_header
from protocols.ccsds.tc_frame import decode_frame, split_frames
from protocols.cop1 import Farm1
from protocols.declare.commands import Command
from protocols.errors import DecodeError
from protocols.lander import COMMAND_APID, LANDER, MARS6, SCID

MAX_CLTU = 10 * INFO_SIZE
"""Information bytes of a CLTU: two of the longest telecommand fit, and little memory is needed [A]."""
FARM_WINDOW = 20
"""FARM-1's sliding window [A]."""
_MIN_PACKET = pus.TC_DATA_OFFSET + pus.CRC_SIZE
_REQUEST_SIZE = 4


class Failure(IntEnum):
    """Why a command was refused or failed; the numbers are on the wire."""

    BAD_CHECKSUM = 1
    BAD_LENGTH = 2
    UNKNOWN_APID = 3
    UNKNOWN_COMMAND = 4
    BAD_ARGUMENT = 5
    WRONG_STATE = 6
    BUSY = 7


@dataclass(frozen=True, slots=True)
class Order:
    """A command that passed all checks.

    Attributes:
        request: how its reports name it.
        name: as declared.
        arguments: raw values, in the order of the declaration.
        acknowledge: which reports it asks for, a sum of ``pus.ACK_…``.
    """

    request: int
    name: str
    arguments: tuple[int, ...]
    acknowledge: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command that did not pass."""

    request: int
    failure: Failure


class CommandReceiver:
    """The bus's command receiver for virtual channel 0.

    Attributes:
        dropped: frames that were damaged or not for us.
    """

    def __init__(self) -> None:
        self._cltus = CltuReceiver(MAX_CLTU)
        self._farm = Farm1(LANDER, FARM_WINDOW)
        self.dropped = 0

    def clcw(self) -> Clcw:
        """FARM-1's report as it stands."""
        return self._farm.clcw()

    def receive(self, data: bytes) -> Iterator[Order | Refusal]:
        """Take bytes; what the packets in them are, one by one. To be read to its end before more bytes are given."""
        if not data:
            return
        for cltu in self._cltus.feed(data):
            for frame in split_frames(cltu.data) or (cltu.data,):
                packet = self._frame(frame)
                if packet is not None:
                    yield check(packet)

    def _frame(self, data: bytes) -> bytes | None:
        """The packet that a frame delivers, if FARM-1 accepts it."""
        try:
            frame = decode_frame(data)
        except DecodeError:
            self.dropped += 1
            return None
        if frame.scid != SCID or frame.vcid != LANDER:
            self.dropped += 1
            return None
        return self._farm.frame(frame.bypass, frame.control, frame.sequence, frame.data).fdu


def check(packet: bytes) -> Order | Refusal:
    """The command in a packet, or the first thing that is wrong with it."""
    request = pus.request_id(packet.ljust(_REQUEST_SIZE, b"\0"))
    if crc16(packet):
        return Refusal(request, Failure.BAD_CHECKSUM)
    if len(packet) < _MIN_PACKET or decode_header(packet).size != len(packet):
        return Refusal(request, Failure.BAD_LENGTH)
    if decode_header(packet).apid != COMMAND_APID:
        return Refusal(request, Failure.UNKNOWN_APID)
    try:
        telecommand = pus.decode_tc(packet)
    except DecodeError:
        return Refusal(request, Failure.UNKNOWN_COMMAND)
    header, data = telecommand.header, telecommand.data
    command = MARS6.find_command(telecommand.apid, header.service, header.subtype, data)
    if command is None:
        return Refusal(request, Failure.UNKNOWN_COMMAND)
    return _check_arguments(command, request, header.acknowledge, data)


def _check_arguments(command: Command, request: int, acknowledge: int, data: bytes) -> Order | Refusal:
    function_size = 0 if command.definition.function is None else 1
    if len(data) != function_size + command.codec.size:
        return Refusal(request, Failure.BAD_LENGTH)
    try:
        command.decode(data)
    except DecodeError:
        return Refusal(request, Failure.BAD_ARGUMENT)
    arguments = tuple(int(raw) for raw in command.codec.decode_raw(data, function_size))
    return Order(request, command.definition.name, arguments, acknowledge)

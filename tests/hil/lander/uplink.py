"""Commands as the ground would send them, built by hand: packets, frames, CLTUs; and what comes back, decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hil.lander.spacecraft import Spacecraft
from protocols.ccsds.cltu import encode_cltu
from protocols.ccsds.crc import crc16
from protocols.ccsds.tc_frame import ControlCommand, TcFrame, encode_control, encode_frame
from protocols.ccsds.tm_frame import TmFrame, decode_frame
from protocols.declare.commands import Argument
from protocols.decode.packets import PacketExtractor, PacketFound
from protocols.decode.telemetry import decode_telemetry
from protocols.lander import MARS6, SCID
from protocols.profile import UART

SIZE = UART.cadu_length
BOTH, NONE = 9, 0
"""Acknowledgement flags: acceptance and completion, and neither."""


def packet(name: str, sequence: int = 0, acknowledge: int = BOTH, **values: Argument) -> bytes:
    return MARS6.command(name).packet(sequence, values, acknowledge=acknowledge)


def sealed(body: bytes) -> bytes:
    """With packet error control behind it."""
    return body + crc16(body).to_bytes(2, "big")


def bd(data: bytes, scid: int = SCID, vcid: int = 0) -> bytes:
    return encode_frame(TcFrame(scid, vcid, 0, data, bypass=True))


def ad(ns: int, data: bytes) -> bytes:
    return encode_frame(TcFrame(SCID, 0, ns, data))


def bc(command: ControlCommand) -> bytes:
    return encode_frame(TcFrame(SCID, 0, 0, encode_control(command), bypass=True, control=True))


def command(name: str, sequence: int = 0, acknowledge: int = BOTH, **values: Argument) -> bytes:
    """The CLTU of one command in a frame of type BD."""
    return encode_cltu(bd(packet(name, sequence, acknowledge, **values)))


@dataclass(frozen=True, slots=True)
class DecodedPacket:
    """One packet that came down. ``values`` calibrated."""

    vcid: int
    name: str
    values: dict[str, Any]


def frames(stream: bytes) -> list[TmFrame]:
    """Every frame of a stream without damage."""
    assert len(stream) % SIZE == 0
    assert all(cadu.startswith(UART.asm) and not crc16(cadu[4:]) for cadu in cadus(stream))
    return [decode_frame(cadu[4:], UART) for cadu in cadus(stream)]


def cadus(stream: bytes) -> list[bytes]:
    """Whole frames of an aligned stream."""
    return [stream[at : at + SIZE] for at in range(0, len(stream) // SIZE * SIZE, SIZE)]


def started(stream: bytes, start: bytes, last: bool = True) -> bytes:
    """From where START set the counters to zero: behind greetings and its own reports. Empty: not yet.

    Args:
        stream: aligned.
        start: how reports name the command.
        last: if other commands are named so too, whether the last of them is the START, else the first.
    """
    frames = cadus(stream)
    told = [n for n, cadu in enumerate(frames) if start in cadu]
    return b"".join(frames[told[-1 if last else 0] + 1 :]) if told else b""


class GroundDecoder:
    """Decodes a stream without damage or loss as it comes; all counters may restart, as START does it."""

    def __init__(self) -> None:
        self._mcfc = 0
        self._begin()

    def _begin(self) -> None:
        self._extractors = {vcid: PacketExtractor() for vcid in (0, 1, 2)}

    def hear(self, stream: bytes) -> list[DecodedPacket]:
        told = []
        for frame in frames(stream):
            if frame.mcfc != self._mcfc:
                assert frame.mcfc == frame.vcfc == 0
                self._begin()
            self._mcfc = (frame.mcfc + 1) & 0xFF
            for found in self._extractors[frame.vcid].push(frame):
                assert isinstance(found, PacketFound), found
                decoded = decode_telemetry(MARS6, found.data)
                told.append(DecodedPacket(frame.vcid, decoded.packet.definition.name, decoded.values))
        return told


def reports(told: list[DecodedPacket]) -> list[tuple[str, str | None]]:
    """Names of what the command handler said, with the failure if there is one."""
    return [
        (each.name.removeprefix("COMMAND_"), each.values.get("failure"))
        for each in told
        if each.name.startswith("COMMAND_") or each.name == "ALIVE"
    ]


DONE = [("ACCEPTED", None), ("COMPLETED", None)]
FAILED = [("ACCEPTED", None), ("FAILED", "WRONG_STATE")]


class Flight:
    """A spacecraft, who listens to it, and all that it sent."""

    def __init__(self, start: bool = True) -> None:
        self.craft = Spacecraft()
        self._ears = GroundDecoder()
        if start:
            self.craft.start()

    def hear(self, stream: bytes) -> list[DecodedPacket]:
        return self._ears.hear(stream)

    def step(self, ticks: int = 1) -> list[DecodedPacket]:
        return [told for _ in range(ticks) for told in self.hear(self.craft.step())]

    def to(self, tick: int) -> list[DecodedPacket]:
        return self.step(tick - self.craft.tick)

    def send(self, name: str, acknowledge: int = BOTH, **values: Argument) -> list[DecodedPacket]:
        """Send a command; what is answered at once."""
        return self.hear(self.craft.receive(command(name, 0, acknowledge, **values)))

    def do(self, name: str, **values: Argument) -> list[tuple[str, str | None]]:
        """The reports of a command: at once or with the next tick."""
        return reports(self.hear(self.craft.receive(command(name, 0, BOTH, **values))) or self.step())

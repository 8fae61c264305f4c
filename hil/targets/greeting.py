"""What a lander in READY says once a second: that it is there, why it started, and what it is."""

from __future__ import annotations

from dataclasses import dataclass

from hil.lander.bus import FaultTrace, ResetReason
from hil.lander.spacecraft import Spacecraft
from hil.verdict.first_field import first_field
from protocols.ccsds.clcw import Clcw, decode_clcw
from protocols.ccsds.crc import crc16
from protocols.decode.packets import PacketExtractor, PacketFound
from protocols.decode.telemetry import decode_telemetry
from protocols.errors import DecodeError
from protocols.lander import BUS, MARS6
from protocols.profile import UART
from protocols.structures.codec import Value
from protocols.sync.frames import TransferFrame, decode_frame

SIZE = UART.cadu_length
_BOOT = 34
_ARGUMENTS_AT = 6
"""In the body of BOOT, behind number and tick."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """One greeting.

    Attributes:
        reset_reason: why the machine runs.
        build_id: of what runs; 0 is the software lander.
        dictionary_hash: of the declaration that it was built with.
        clcw: FARM-1's report.
        fault: what ended the run before, if it was a fault of the machine.
    """

    reset_reason: ResetReason
    build_id: int
    dictionary_hash: int
    clcw: Clcw
    fault: FaultTrace | None = None


def read_greeting(cadu: bytes) -> Greeting | None:
    """The greeting in a frame, ASM first; None if it is something else, or damaged."""
    if len(cadu) != SIZE or not cadu.startswith(UART.asm) or crc16(cadu[len(UART.asm) :]):
        return None
    try:
        frame = decode_frame(cadu[len(UART.asm) :], UART)
        told = _packets(frame) if frame.vcid == BUS and frame.ocf is not None else {}
        clcw = decode_clcw(frame.ocf or bytes(4))
    except DecodeError:
        return None
    housekeeping, boot = told.get("BUS_HK"), told.get("BUS_EVENT")
    if housekeeping is None or boot is None or boot["number"] != _BOOT:
        return None
    known = int(boot["a"]) in list(ResetReason)
    reason = ResetReason(int(boot["a"])) if known else ResetReason.UNKNOWN
    return Greeting(reason, int(boot["b"]), int(housekeeping["dictionary_hash"]), clcw, _fault(told.get("FAULT_TRACE")))


def _fault(values: dict[str, Value] | None) -> FaultTrace | None:
    return None if values is None else FaultTrace(*(int(values[name]) for name in ("pc", "lr", "cfsr", "stack")))


def no_greeting(stream: bytes) -> str:
    """Why what a machine sent instead of a greeting is none, in words: empty if it sent nothing.

    The first whole frame is held against the greeting that it would be, with its own reset reason and build.
    """
    if not stream:
        return ""
    start = stream.find(UART.asm)
    frame = stream[start : start + SIZE]
    if start < 0 or len(frame) < SIZE:
        return f"{len(stream)} bytes came, no greeting"
    plain = Spacecraft().hello(ResetReason.UNKNOWN, 0)
    at = plain.index(_BOOT.to_bytes(2, "big") + bytes(4)) + _ARGUMENTS_AT
    reason, build = (int.from_bytes(frame[place : place + 4], "big") for place in (at, at + 4))
    known = ResetReason(reason) if reason in list(ResetReason) else ResetReason.UNKNOWN
    wanted = Spacecraft().hello(known, build)
    return f"{len(stream)} bytes came, no greeting: {first_field(wanted, frame)}"


def _packets(frame: TransferFrame) -> dict[str, dict[str, Value]]:
    """What is whole in one frame, by its name."""
    found = [each.data for each in PacketExtractor().push(frame) if isinstance(each, PacketFound)]
    samples = [decode_telemetry(MARS6, data) for data in found]
    return {sample.packet.definition.name: sample.values for sample in samples}


def find_greeting(stream: bytes) -> tuple[int, Greeting] | None:
    """The first greeting in a stream that may begin anywhere, with where it begins."""
    at = stream.find(UART.asm)
    while 0 <= at <= len(stream) - SIZE:
        greeting = read_greeting(stream[at : at + SIZE])
        if greeting is not None:
            return at, greeting
        at = stream.find(UART.asm, at + 1)
    return None

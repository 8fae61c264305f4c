"""The foreign packages, and the bytes that they judge: all packets of one historical descent."""

from __future__ import annotations

import importlib
import os
from functools import cache
from types import ModuleType

import pytest

from hil.lander.bus import FaultTrace, ResetReason
from hil.lander.spacecraft import Spacecraft
from protocols.ccsds.tm_frame import decode_frame
from protocols.declare.dictionary import PacketDef
from protocols.decode.packets import PacketExtractor, PacketFound
from protocols.profile import UART
from protocols.sync.deframer import Deframer, Frame
from tests import descent

REQUIRE_ALL = "MARS6_REQUIRE_ALL"
"""Set in CI: a judge that is missing fails instead of skipping."""


def judge(module: str, package: str) -> ModuleType:
    """A foreign module; without it the test is skipped with its reason, or fails where all are required."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        text = f"{package} is not installed: {error}"
        if os.environ.get(REQUIRE_ALL):
            pytest.fail(text)
        pytest.skip(text)


@cache
def frames() -> tuple[bytes, ...]:
    """All transfer frames of a descent, without ASM."""
    return tuple(f.data for f in Deframer(UART).feed(descent.stream()) if isinstance(f, Frame))


@cache
def packets() -> tuple[bytes, ...]:
    """All packets of a descent but idle ones, in the order in which they were completed; then those of a greeting."""
    extractors: dict[int, PacketExtractor] = {}
    found: list[bytes] = []
    for data in frames():
        frame = decode_frame(data, UART)
        extractor = extractors.setdefault(frame.vcid, PacketExtractor())
        found += [item.data for item in extractor.push(frame) if isinstance(item, PacketFound)]
    greeting = Spacecraft().hello(ResetReason.SOFTWARE, 0x12345678, FaultTrace(0x0800_1234, 0xFFFF_FFFF, 1 << 16, 812))
    items = PacketExtractor().push(decode_frame(greeting[len(UART.asm) :], UART))
    return (*found, *(item.data for item in items if isinstance(item, PacketFound)))


def of_type(definition: PacketDef) -> list[bytes]:
    """Those of one type: APID, PUS service and subtype."""
    wanted = (definition.apid, definition.service, definition.subtype)
    return [data for data in packets() if ((data[0] & 7) << 8 | data[1], data[7], data[8]) == wanted]

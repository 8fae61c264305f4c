"""What `salvage` finds, as values and as text."""

from __future__ import annotations

from typing import Literal

import msgspec

from groundstation.messages.base import Value
from groundstation.messages.text import number_text, utc
from protocols.words import Quality

Reason = Literal["CRC", "RS", "SYNC", "CUT"]
"""Why a frame was not good: what failed, or that it was cut off by the end of the recording."""
Checksum = Literal["fits", "does not fit", "cut off", "none"]


class SalvagedValue(msgspec.Struct, frozen=True):
    """One parameter. ``value`` is None if its bytes did not come, or if it means nothing."""

    name: str
    value: Value | None
    unit: str
    quality: Quality
    why: str


class SalvagedPacket(msgspec.Struct, frozen=True):
    """One packet in a frame. ``scet`` is None where its time cannot be believed."""

    packet: str
    apid: int
    scet: int | None
    checksum: Checksum
    values: list[SalvagedValue]


class SalvagedFrame(msgspec.Struct, frozen=True):
    """One frame that was not good.

    ``offset`` is its place in the received bytes, ``came`` how many of its ``size`` bytes came.
    ``trust`` says in words which bytes can be believed.
    """

    ert: int
    offset: int
    reason: Reason
    size: int
    came: int
    vcid: int | None
    vcfc: int | None
    trust: list[str]
    packets: list[SalvagedPacket]


def salvage_lines(frame: SalvagedFrame) -> list[str]:
    """A salvaged frame for people."""
    place = "?" if frame.vcid is None else f"VC{frame.vcid} count {frame.vcfc}"
    lines = [
        f"ERT {utc(frame.ert, 3)} byte {frame.offset}: {frame.reason}, {frame.came} of {frame.size} bytes, {place}"
    ]
    lines += [f"  {words}" for words in frame.trust]
    for packet in frame.packets:
        when = "" if packet.scet is None else f" at {utc(packet.scet, 3)} UTC"
        lines.append(f"  {packet.packet}{when}, checksum {packet.checksum}")
        width = max((len(value.name) for value in packet.values), default=0)
        lines += [
            f"    {value.name:<{width}}  {value.quality:<8}  {_value_text(value)}  ({value.why})"
            for value in packet.values
        ]
    return lines


def _value_text(value: SalvagedValue) -> str:
    if value.value is None:
        return "-"
    return f"{number_text(value.value)} {value.unit}".rstrip()

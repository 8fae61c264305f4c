"""What `salvage` finds, as values and as text."""

from __future__ import annotations

from typing import Literal

import msgspec

from groundstation.formats.counted import counted
from groundstation.messages.base import Value
from groundstation.messages.text import number_text, utc
from protocols.mending.results import Evidence, MendLevel
from protocols.words import SalvagedQuality

Reason = Literal["CRC", "RS", "SYNC", "CUT"]
"""Why a frame was not good: what failed, or that it was cut off by the end of the recording."""
Checksum = Literal["fits", "fits mended", "does not fit", "cut off", "none"]


_PLACES_SHOWN = 6


class SalvagedValue(msgspec.Struct, frozen=True):
    """One parameter.

    ``value`` is None if its bytes did not come, or if it means nothing. ``confidence`` is the probability that it is
    as it was sent, where its neighbours say so much; else None.
    """

    name: str
    value: Value | None
    unit: str
    quality: SalvagedQuality
    why: str
    confidence: float | None = None


class TurnedBit(msgspec.Struct, frozen=True):
    """A bit that was corrected: its place from the first of the ASM on, and by what evidence."""

    bit: int
    evidence: Evidence


class Mend(msgspec.Struct, frozen=True):
    """What mending made of a frame.

    ``risk`` is an upper bound of the probability that a MENDED frame is not what was sent; 1 for others. ``data`` is
    the frame with its ASM, corrected as far as possible.
    """

    level: MendLevel
    risk: float
    error_rate: float
    why: str
    turned: list[TurnedBit]
    data: bytes


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
    ``trust`` says in words which bytes can be believed. ``mend`` is None where mending was not tried.
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
    mend: Mend | None = None


class SalvageSummary(msgspec.Struct, frozen=True, tag="salvage_summary", tag_field="type"):
    """What was gained from the damaged frames of a recording.

    Attributes:
        damaged: frames that were rejected, passed over or cut off.
        mended: of these, those that are whole again.
        partial: those of which only packets or fields are had.
        hopeless: those of which nothing can be told from noise.
        untried: those that are cut off, or lie where no frame can be.
        bits: corrected in mended frames, by evidence.
        packets: declared packets gained, by name: in mended frames, or whole in others.
        risk: upper bound of how many mended frames are wrong.
        refused: why nothing was mended; empty if it was tried.
    """

    damaged: int
    mended: int
    partial: int
    hopeless: int
    untried: int
    bits: dict[str, int]
    packets: dict[str, int]
    risk: float
    refused: str = ""


def salvage_lines(frame: SalvagedFrame) -> list[str]:
    """A salvaged frame for people."""
    place = "?" if frame.vcid is None else f"VC{frame.vcid} count {frame.vcfc}"
    lines = [
        f"ERT {utc(frame.ert, 3)} byte {frame.offset}: {frame.reason}, {frame.came} of {frame.size} bytes, {place}"
    ]
    if frame.mend is not None:
        lines.append(f"  {mend_words(frame.mend)}")
    lines += [f"  {words}" for words in frame.trust]
    for packet in frame.packets:
        when = "" if packet.scet is None else f" at {utc(packet.scet, 3)} UTC"
        lines.append(f"  {packet.packet}{when}, checksum {packet.checksum}")
        width = max((len(value.name) for value in packet.values), default=0)
        lines += [
            f"    {value.name:<{width}}  {value.quality:<8}  {_value_text(value)}  ({value.why}{_confidence(value)})"
            for value in packet.values
        ]
    return lines


_EVIDENCE: dict[Evidence, str] = {
    "KNOWN": "known content",
    "WINDOW": "impossible values",
    "CHECKSUM": "the checksum",
}


def mend_words(mend: Mend) -> str:
    """What was mended, and by what evidence."""
    if mend.level != "MENDED":
        return f"{mend.level}: {mend.why}"
    tally = {name: sum(turned.evidence == name for turned in mend.turned) for name in _EVIDENCE}
    by = ", ".join(f"{count} by {_EVIDENCE[name]}" for name, count in tally.items() if count)
    places = ", ".join(f"byte {t.bit // 8} bit {7 - t.bit % 8}" for t in mend.turned[:_PLACES_SHOWN])
    more = ", …" if len(mend.turned) > _PLACES_SHOWN else ""
    changed = f"{counted(len(mend.turned), 'bit')} corrected ({by}: {places}{more})" if by else "no bit was wrong"
    return f"MENDED: {changed}; risk of a false mend at most {mend.risk:.1g}"


def summary_lines(summary: SalvageSummary) -> list[str]:
    """The table at the end of a salvage."""
    if not summary.damaged:
        return ["no frame was rejected, none is cut off"]
    lines = [f"{counted(summary.damaged, 'frame')} rejected or cut off"]
    if summary.refused:
        return [*lines, f"  not mended: {summary.refused}"]
    bits = sum(summary.bits.values())
    by = ", ".join(f"{count:,} by {_EVIDENCE[name]}" for name, count in summary.bits.items() if count)  # type: ignore[index]
    gained = ", ".join(f"{count:,} {name}" for name, count in summary.packets.items())
    lines += [
        f"  mended          {summary.mended:>7,}  {summary.mended / summary.damaged:.1%}",
        f"  partial         {summary.partial:>7,}  field by field",
        f"  hopeless        {summary.hopeless:>7,}",
        f"  not tried       {summary.untried:>7,}  cut off, or no frame",
        f"  bits corrected  {bits:>7,}  {by}".rstrip(),
        f"  packets gained  {sum(summary.packets.values()):>7,}  {gained}".rstrip(),
        f"  false mends     {'≤':>3} {summary.risk:.2g}  of {summary.mended:,}, by the sum of their risks",
    ]
    return lines


def _value_text(value: SalvagedValue) -> str:
    if value.value is None:
        return "-"
    return f"{number_text(value.value)} {value.unit}".rstrip()


def _confidence(value: SalvagedValue) -> str:
    return "" if value.confidence is None else f"; right with a probability of {value.confidence:.0%}"

"""A flight's streams beside the oracle's: where they first differ."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from groundstation.messages.text import utc
from hil.channel.frame_splitter import FrameSplitter
from hil.lander.spacecraft import Spacecraft
from hil.verdict.first_field import first_field
from hil.verdict.oracle import call, historical_bursts
from hil.verdict.result import Mismatch
from protocols.profile import UART

_AROUND = 32
"""Bytes that a mismatch shows before and behind its place."""
_BEFORE = 16 * UART.cadu_length
"""Frames in which a packet that is cut by the one that differs may have begun: the bus sends every tenth."""


class GoldenFlight(NamedTuple):
    """What the oracle sends, and by tick the bodies that the chip spoilt, as they were before.

    ``made`` has the frames of the stream as they were made, before a chip that fails had spoilt them; ``bodies`` has by
    tick the bodies of the lander's science in them. Without a script there are none: no chip fails.
    """

    stream: bytes
    meant: Mapping[int, bytes]
    made: bytes
    bodies: Mapping[int, bytes]


def golden_stream(script: tuple[tuple[int, bytes], ...], ready: bool, steps: int) -> bytes:
    """What the oracle sends: `golden_flight`'s stream."""
    return golden_flight(script, ready, steps).stream


def made_stream(script: tuple[tuple[int, bytes], ...], ready: bool, steps: int) -> bytes:
    """The oracle's frames before a chip had them: `golden_flight`'s."""
    return golden_flight(script, ready, steps).made


@lru_cache(maxsize=8)
def golden_flight(script: tuple[tuple[int, bytes], ...], ready: bool, steps: int) -> GoldenFlight:
    """The flight of the oracle that gets the same commands at the same ticks.

    Args:
        script: uplink bytes, each with how many steps came before them.
        ready: whether it waits for START.
        steps: how many steps it flies; 0: to the end of its pass.
    """
    if not script and not ready:
        flown = historical_bursts()
        stream = b"".join(flown[:steps] if steps else flown)
        return GoldenFlight(stream, {}, stream, {})
    made: list[bytes] = []
    craft, entries, sent, n = Spacecraft(made=made), list(script), bytearray(), 0
    meant: dict[int, bytes] = {}
    bodies: dict[int, bytes] = {}
    if not ready:
        craft.start()
    while n < steps or (not steps and (craft.flies or entries)):
        uplink = b""
        while entries and entries[0][0] <= n:
            uplink += entries.pop(0)[1]
        tick = craft.tick
        sent += call(craft, uplink).data
        if craft.meant is not None:
            meant[tick] = craft.meant
        if craft.science is not None:
            bodies[tick] = craft.science
        n += 1
    return GoldenFlight(bytes(sent), meant, b"".join(made), bodies)


@lru_cache(maxsize=8)
def until(stream: bytes, scet: int) -> bytes:
    """The frames before the first one of that time."""
    end = 0
    for cut in FrameSplitter(UART).feed(stream):
        if cut.scet is not None and cut.scet >= scet:
            break
        end = cut.offset + len(cut.data)
    return stream[:end]


def compare(stream: str, expected: bytes, found: bytes) -> Mismatch | None:
    """Where two streams first differ."""
    if expected == found:
        return None
    size = min(len(expected), len(found))
    low, high = 0, size  # the first difference, by halves: both are long
    while low < high:
        middle = (low + high + 1) // 2
        if expected[:middle] == found[:middle]:
            low = middle
        else:
            high = middle - 1
    start = max(0, low - _AROUND)
    frame = slice(low // UART.cadu_length * UART.cadu_length, (low // UART.cadu_length + 1) * UART.cadu_length)
    return Mismatch(
        stream=stream,
        offset=low,
        frame=low // UART.cadu_length,
        scet=_scet_at(expected, low) or _scet_at(found, low),
        start=start,
        expected=expected[start : low + _AROUND].hex(),
        found=found[start : low + _AROUND].hex(),
        field=first_field(expected[frame], found[frame], expected[max(0, frame.start - _BEFORE) : frame.start]),
    )


def _scet_at(stream: bytes, offset: int) -> int | None:
    """Mission time of the frame at an offset of an aligned stream."""
    start = offset // UART.cadu_length * UART.cadu_length
    cuts = FrameSplitter(UART).feed(stream[start : start + UART.cadu_length])
    return cuts[0].scet if cuts else None


def where(mismatch: Mismatch | None) -> str:
    """The place, in words."""
    if mismatch is None:
        return ""
    when = f", {utc(mismatch.scet, 3)}" if mismatch.scet is not None else ""
    what = mismatch.field or "it differs"
    return f"{mismatch.stream}: {what} (byte {mismatch.offset}, frame {mismatch.frame}{when})"

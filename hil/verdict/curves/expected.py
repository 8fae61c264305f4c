"""The descent as the oracle flies it: the curve that a report draws beside the flown one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from hil.lander.physics.dynamics import TICK_NS
from hil.verdict.flight_record import FlightRecord
from hil.verdict.result import Sample
from hil.verdict.stream_diff import golden_flight
from protocols.ccsds import pus, space_packet
from protocols.decode.telemetry import decode_telemetry
from protocols.errors import DecodeError
from protocols.lander import EPOCH, LANDER, MARS6
from protocols.profile import UART
from protocols.sync.frames import decode_frame

_EVERY = 10
"""Lander frames from one point to the next: a second."""


def expected_curve(record: FlightRecord) -> list[Sample]:
    """Altitude and speed once a second, of a lander that gets the same commands at the same ticks.

    Returns:
        Points in order; none if it is unknown at which ticks the commands came.
    """
    if record.script is None:
        return []
    steps = record.steps if record.script or record.ready else 0
    golden = golden_flight(tuple(record.script), record.ready, steps)
    return [_meant(point, golden.meant) for point in _curve(golden.stream)]


def _meant(point: Sample, meant: Mapping[int, bytes]) -> Sample:
    """The point as it was before the chip spoilt it."""
    body = meant.get((point.scet - EPOCH) // TICK_NS)
    if body is None:
        return point
    values = MARS6.by_name["DESCENT"].codec.decode(body, 0)
    return Sample(point.scet, float(values["altitude"]), float(values["speed"]))


@lru_cache(maxsize=4)
def _curve(stream: bytes) -> tuple[Sample, ...]:
    size = UART.cadu_length
    cadus = (stream[at : at + size] for at in range(0, len(stream) - size + 1, size))
    lander = [cadu for cadu in cadus if cadu[len(UART.asm) + 1] >> 1 & 7 == LANDER]
    points = (_point(cadu[len(UART.asm) :]) for cadu in lander[::_EVERY])
    return tuple(point for point in points if point is not None)


def _point(block: bytes) -> Sample | None:
    """The first DESCENT packet that begins in a frame and is whole in it."""
    try:
        frame = decode_frame(block, UART)
        at = frame.first_header_pointer
        while at + pus.BODY_OFFSET < len(frame.data):
            end = at + space_packet.decode_header(frame.data, at).size
            found = decode_telemetry(MARS6, frame.data[at:end])
            altitude, speed = found.values.get("altitude"), found.values.get("speed")
            time = found.header.time_ns
            if isinstance(altitude, (int, float)) and isinstance(speed, (int, float)) and time is not None:
                return Sample(time, altitude, speed)
            at = end
    except DecodeError:  # a packet that goes on in the next frame
        return None
    return None

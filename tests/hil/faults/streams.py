"""A descent's stream, and channels that carry it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from hil.channel.channel import Channel
from hil.faults import FAULTS, At, For, Spec
from hil.verdict.oracle import Burst
from protocols.lander import MARS6
from protocols.profile import UART
from tests import descent

SIZE = UART.cadu_length
PARAMETERS: dict[str, dict[str, Any]] = {
    "bit_flip": {"ber": 1e-3},
    "byte_drop": {"p": 2e-3, "burst": 3},
    "byte_dup": {"p": 2e-3, "burst": 2},
    "byte_insert": {"p": 2e-3, "burst": 2},
    "frame_drop": {"p": 0.1},
    "frame_dup": {"p": 0.1},
    "frame_reorder": {"p": 0.1, "gap": 2},
    "burst_loss": {"p": 0.05, "r": 0.3},
    "truncate": {"at_byte": 50},
    "garbage": {"n": 7},
    "stuck": {"value": 0},
    "wrong_baud": {"heard": 38400},
    "overrun": {"fifo": 400},
    "delay": {"mean": 30, "jitter": 20, "corr": 0.5},
    "rate": {"baud": 9600},
    "slice": {"avg_size": 10, "variation": 4, "gap": 1},
    "clock": {"ppm": 50, "step": 3},
}
OFF: dict[str, dict[str, Any]] = {
    "bit_flip": {"ber": 0},
    "byte_drop": {"p": 0},
    "byte_dup": {"p": 0},
    "byte_insert": {"p": 0},
    "frame_drop": {"p": 0},
    "frame_dup": {"p": 0},
    "frame_reorder": {"p": 0},
    "burst_loss": {"p": 0, "r": 1},
    "truncate": {"at_byte": 1000},
    "wrong_baud": {"heard": 115200},
    "overrun": {"fifo": 10**9},
    "delay": {"mean": 0},
    "slice": {"avg_size": 10},
    "stall": {},
    "clock": {},
}
STREAM = sorted(kind for kind, spec in FAULTS.items() if spec.family == "stream")


def hook(kind: type, value: Any) -> Any:
    return kind.parse(value)  # type: ignore[attr-defined]


def fault(kind: str, **keys: Any) -> Spec:
    """A fault as a scenario would declare it, with some parameters of its kind."""
    names = {"span": "for", "direction": "dir"}
    values = {names.get(key, key): value for key, value in {**PARAMETERS.get(kind, {}), **keys}.items()}
    for key, parse in (("at", At.parse), ("for", For.parse)):
        if key in values:
            values[key] = parse(values[key])
    return msgspec.convert(values | {"kind": kind}, FAULTS[kind])


@lru_cache
def bursts(first: int = 880, count: int = 300) -> tuple[Burst, ...]:
    """Some ticks of the descent."""
    return descent.bursts()[first : first + count]


def carry(*faults: Spec, seed: int = 6, events: bool = False, sent: tuple[Burst, ...] | None = None) -> Channel:
    """Ticks of the descent through a channel, to the end."""
    channel = Channel(faults, seed, UART, events_of=MARS6 if events else None)
    now = 0
    for burst in bursts() if sent is None else sent:
        now = burst.scet
        channel.feed_down(burst.data, now)
        channel.take_down(now)
    channel.close(now)
    channel.take_down(now + 3600 * 10**9)
    return channel


def came(channel: Channel) -> bytes:
    return b"".join(piece.data for piece in channel.delivered("down"))

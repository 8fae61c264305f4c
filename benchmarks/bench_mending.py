"""Mending: what is regained of a descent by bit error rate, whether it is right, and how long it takes.

    bit errors   damaged   mended     wrong  at most   damaged frames a second
    …

*wrong* are mended frames that differ from what was sent, *at most* the sum of the risks that the mender states.
"""

from __future__ import annotations

import math
import random
import time

from hil.verdict.oracle import fly
from protocols.lander import MARS6
from protocols.mending import MendedFrame, Mender
from protocols.profile import UART

RATES = (5e-5, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3)
SEEDS = 2
SIZE = UART.cadu_length
STREAM = b"".join(burst.data for burst in fly())


def noisy(rate: float, seed: int) -> bytes:
    """The descent with bits turned over independently."""
    chance, data, at = random.Random(seed), bytearray(STREAM), 0
    while True:
        at += int(math.log(1 - chance.random()) / math.log1p(-rate))
        if at >= 8 * len(data):
            return bytes(data)
        data[at // 8] ^= 0x80 >> at % 8
        at += 1


def bursty(share: float, length: int, seed: int) -> bytes:
    """The descent with a share of the frames hit by a burst of so many wrong bytes."""
    chance, data = random.Random(seed), bytearray(STREAM)
    for at in range(0, len(data), SIZE):
        if chance.random() < share:
            place = at + chance.randrange(SIZE - length)
            for n in range(length):
                data[place + n] ^= chance.randrange(1, 256)
    return bytes(data)


def mend(stream: bytes) -> list[MendedFrame]:
    """All damaged frames of a stream."""
    mender = Mender(MARS6, UART)
    found = [frame for at in range(0, len(stream), 4096) for frame in mender.feed(at, stream[at : at + 4096])]
    return found + mender.finish()


def row(name: str, streams: list[bytes]) -> None:
    """One line of the table."""
    damaged = right = wrong = 0
    risk = taken = 0.0
    for stream in streams:
        start = time.perf_counter()
        found = mend(stream)
        taken += time.perf_counter() - start
        mended = [frame for frame in found if frame.level == "MENDED"]
        same = sum(frame.data == STREAM[frame.offset : frame.offset + SIZE] for frame in mended)
        damaged, right, wrong = damaged + len(found), right + same, wrong + len(mended) - same
        risk += sum(frame.risk for frame in mended)
    print(f"{name:24}{damaged:8}{right / damaged:9.1%}{wrong:7}{risk:9.2f}{damaged / taken:9.0f}", flush=True)


def main() -> None:
    """Print the table."""
    start = time.perf_counter()
    assert not mend(STREAM)
    taken = time.perf_counter() - start
    print(f"a stream without damage: {len(STREAM) / SIZE / taken:,.0f} frames a second")
    print(f"{'':24}{'damaged':>8}{'mended':>9}{'wrong':>7}{'at most':>9}{'per s':>9}")
    for rate in RATES:
        row(f"bit errors {rate:g}", [noisy(rate, seed) for seed in range(SEEDS)])
    for length in (2, 8, 24):
        row(f"bursts of {length} bytes", [bursty(0.2, length, seed) for seed in range(SEEDS)])


if __name__ == "__main__":
    main()

"""Deframer throughput beside its floor, the CRC over the same bytes, in the same run. Ratios count, not seconds."""

from __future__ import annotations

import binascii
import time
from collections.abc import Callable

from hil.oracle import fly
from protocols.profile import ASM, UART
from protocols.sync import Deframer

STREAM = b"".join(b.data for b in fly()) * 10


def best(action: Callable[[], object], rounds: int = 7) -> float:
    """Fastest of several rounds, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def deframe(stream: bytes, size: int) -> None:
    """Feed a stream in reads of one size."""
    deframer = Deframer(UART)
    for at in range(0, len(stream), size):
        deframer.feed(stream[at : at + size])
    assert deframer.count().conserved


def checksum() -> None:
    """The floor: CRC of every frame, nothing else."""
    for at in range(0, len(STREAM), UART.cadu_length):
        binascii.crc_hqx(STREAM[at + 4 : at + UART.cadu_length], 0xFFFF)


def main() -> None:
    """Print the table."""
    floor = best(checksum)
    megabytes = len(STREAM) / 1e6
    print(f"{'':28}{'MB/s':>8}{'of floor':>10}")
    print(f"{'crc_hqx a frame (floor)':28}{megabytes / floor:8.1f}{1:10.2f}")
    for size in (16, 132, 4096):
        taken = best(lambda size=size: deframe(STREAM, size))
        print(f"{f'deframer, {size}-byte reads':28}{megabytes / taken:8.1f}{floor / taken:10.2f}")
    markers = ASM * (len(STREAM) // 16)
    taken = best(lambda: deframe(markers, 4096), 3)
    print(f"{'deframer, nothing but ASMs':28}{len(markers) / 1e6 / taken:8.1f}{'':>10}")


if __name__ == "__main__":
    main()

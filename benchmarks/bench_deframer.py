"""Deframer throughput beside its floor, the CRC over the same bytes, in the same run. Ratios count, not seconds."""

from __future__ import annotations

import binascii
import random
import time
from collections.abc import Callable

from hil.verdict.oracle import fly
from protocols.ccsds.tm_frame import TmFrame
from protocols.profile import ASM, UART, LinkProfile
from protocols.sync.bit_sync import BitDeframer
from protocols.sync.deframer import Deframer
from protocols.sync.frames import encode_cadu

STREAM = b"".join(b.data for b in fly()) * 10
READ = 4096


def best(action: Callable[[], object], rounds: int = 7) -> float:
    """Fastest of several rounds, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def deframe(deframer: Deframer, stream: bytes, size: int = READ) -> None:
    """Feed a stream in reads of one size."""
    for at in range(0, len(stream), size):
        deframer.feed(stream[at : at + size])
    assert deframer.count().conserved


def checksum(stream: bytes) -> None:
    """The floor: the CRC of every read, nothing else."""
    for at in range(0, len(stream), READ):
        binascii.crc_hqx(stream[at : at + READ], 0xFFFF)


def coded(profile: LinkProfile, wrong: int, frames: int = 500) -> bytes:
    """A stream of another profile with so many wrong bytes in every frame."""
    rng, stream = random.Random(1), b""
    for n in range(frames):
        data = rng.randbytes(profile.data_length)
        cadu = bytearray(encode_cadu(TmFrame(6, 0, n & 0xFF, n & 0xFF, 0, data, b"\1\0\0\0"), profile))
        for place in rng.sample(range(len(ASM), len(cadu)), wrong):
            cadu[place] ^= 0xFF
        stream += cadu
    return stream


def row(name: str, stream: bytes, make: Callable[[], Deframer], floor: float, size: int = READ) -> None:
    """One line: MB/s, and the ratio to the floor's."""
    taken = best(lambda: deframe(make(), stream, size), 7 if len(stream) > 1e6 else 3)
    speed = len(stream) / 1e6 / taken
    print(f"{name:36}{speed:8.1f}{speed / floor:10.2f}")


def main() -> None:
    """Print the table."""
    floor = len(STREAM) / 1e6 / best(lambda: checksum(STREAM))
    print(f"{'':36}{'MB/s':>8}{'of floor':>10}")
    print(f"{'crc_hqx a read (floor)':36}{floor:8.1f}{1:10.2f}")
    for size in (16, 132, READ):
        row(f"deframer, {size}-byte reads", STREAM, lambda: Deframer(UART), floor, size)
    row("nothing but ASMs", ASM * (len(STREAM) // 16), lambda: Deframer(UART), floor)
    bits = LinkProfile(alignment="bit")
    row("bits, packed", STREAM, lambda: BitDeframer(bits), floor)
    row("bits, packed, nothing but ASMs", ASM * 50_000, lambda: BitDeframer(bits), floor)
    profile = LinkProfile(frame_length=223, rs_depth=1)
    for wrong in (0, 4, 16):
        row(f"Reed–Solomon, {wrong} wrong of 255", coded(profile, wrong), lambda: Deframer(profile), floor)
    row("Reed–Solomon, nothing but ASMs", ASM * 2_000, lambda: Deframer(profile), floor)


if __name__ == "__main__":
    main()

"""Mutated streams through the receiver and the offline decoder: nothing raises, and every byte is accounted for.

    python -m tests.fuzz.fuzz_receiver --count 1000000 --seed 7

An input is a piece of a golden stream, mutated, and cut into reads; its number and the seed are all it takes to see
it again. An input that fails is kept in ``corpus/`` (target, cuts, bytes), which a test feeds again at every run.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from groundstation.captures.decoder import CaptureDecoder
from groundstation.downlink.receiver import Receiver
from groundstation.links.base import Chunk
from hil.verdict.oracle import fly
from protocols.lander import MARS6
from protocols.profile import ASM, UART, LinkProfile
from tests.protocols.links import PROFILES, packet_cadu

CORPUS = Path(__file__).parent / "corpus"
RECEIVER = "receiver"
RECEIVER_SHARE = 0.8
LONGEST = 1200


class Case(NamedTuple):
    """One input: which target, how it is cut, and its bytes."""

    target: str
    cuts: tuple[int, ...]
    data: bytes

    def to_text(self) -> str:
        return f"{self.target}\n{' '.join(map(str, self.cuts))}\n{self.data.hex()}\n"

    @staticmethod
    def from_text(text: str) -> Case:
        target, cuts, data = text.split("\n")[:3]
        return Case(target, tuple(map(int, cuts.split())), bytes.fromhex(data))


def golden(profile: LinkProfile) -> bytes:
    return b"".join(packet_cadu(profile, number) for number in range(40))


def streams() -> dict[str, bytes]:
    return {RECEIVER: b"".join(b.data for b in fly())} | {name: golden(p) for name, p in PROFILES.items()}


def flip(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 8, 40))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def drop(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.choice((1, 1, 3, 50, 200))]


def insert(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.randbytes(rng.choice((1, 1, 3, 50, 200)))


def plant_marker(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    data[at : at + rng.choice((0, 4))] = ASM[: rng.choice((1, 2, 3, 4, 4, 4))] * rng.choice((1, 1, 2, 20))


def repeat_piece(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    data[at:at] = data[at : at + rng.choice((1, 4, 132, 140))]


def fill(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    size = len(data[at : at + rng.choice((4, 32, 132, 300))])
    data[at : at + size] = bytes([rng.choice((0, 0x55, 0xE0, 0xFF))]) * size


def invert(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    data[at:] = bytes(byte ^ 0xFF for byte in data[at:])


def shift(data: bytearray, rng: random.Random) -> None:
    """All bits from a place on move on: a bit slip."""
    at, by = rng.randrange(len(data)), rng.randrange(1, 8)
    rest = int.from_bytes(data[at:], "big") << 8 - by
    data[at:] = rest.to_bytes(len(data) - at + 1, "big")


MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip,
    flip,
    drop,
    insert,
    plant_marker,
    repeat_piece,
    fill,
    invert,
    shift,
)


def make(number: int, seed: int, golden_streams: dict[str, bytes]) -> Case:
    """The input of that number."""
    rng = random.Random(seed << 40 | number)
    target = RECEIVER if rng.random() < RECEIVER_SHARE else rng.choice(list(PROFILES))
    stream = golden_streams[target]
    start = rng.randrange(len(stream) - LONGEST)
    data = bytearray(stream[start : start + rng.randrange(1, LONGEST)])
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        rng.choice(MUTATIONS)(data, rng)
        data = data or bytearray(1)
    cuts = tuple(rng.choice((1, 3, 131, 132, 133, 500, 4096)) for _ in range(rng.randrange(1, 4)))
    return Case(target, cuts if min(cuts) > 1 or rng.random() < 0.05 else (77,), bytes(data))


def pieces(case: Case) -> list[bytes]:
    found, at, turn = [], 0, 0
    while at < len(case.data):
        size = case.cuts[turn % len(case.cuts)]
        found.append(case.data[at : at + size])
        at, turn = at + size, turn + 1
    return found


def check(case: Case) -> None:
    """Feed one input.

    Raises:
        AssertionError: a byte is lost or counted twice.
    """
    if case.target == RECEIVER:
        receiver = Receiver(MARS6, UART, "fuzz:")
        for number, piece in enumerate(pieces(case)):
            receiver.process(Chunk(number * 1_000_000, piece))
        counters = receiver.counters()
        accounted = counters.good + counters.corrected + counters.rejected + counters.skipped + counters.pending
        assert counters.bytes_in == len(case.data) == accounted
        return
    decoder = CaptureDecoder(PROFILES[case.target], None)
    for piece in pieces(case):
        decoder.feed(piece)
    report = decoder.report()
    assert report.conserved
    assert report.total == len(case.data) * (8 if report.unit == "bits" else 1)


def keep(case: Case, number: int, seed: int) -> None:
    CORPUS.mkdir(exist_ok=True)
    (CORPUS / f"{seed}-{number}.txt").write_text(case.to_text())


def main() -> None:
    """Run the loop; the exit code is 1 if an input failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="how many inputs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    arguments = parser.parse_args()
    golden_streams, failures, done, begin = streams(), 0, 0, time.monotonic()
    while done < arguments.count and time.monotonic() - begin < arguments.seconds:
        case = make(done, arguments.seed, golden_streams)
        try:
            check(case)
        except Exception:
            failures += 1
            keep(case, done, arguments.seed)
            traceback.print_exc()
        done += 1
    taken = time.monotonic() - begin
    print(f"{done} inputs, {failures} failures, {taken:.0f} s, {done / max(taken, 1e-9):.0f} inputs/s")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()

"""The pseudo-random sequence."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from protocols.ccsds.randomizer import randomize


def bits(data: bytes) -> list[int]:
    return [byte >> shift & 1 for byte in data for shift in range(7, -1, -1)]


def test_the_first_forty_bits_are_those_of_the_standard() -> None:
    # 131.0-B §10: 1111 1111 0100 1000 0000 1110 1100 0000 1001 1010 …
    assert randomize(bytes(5)) == bytes.fromhex("FF480EC09A")


def test_the_sequence_follows_its_polynomial_and_repeats_after_255_bits() -> None:
    sequence = bits(randomize(bytes(2048)))
    for n in range(len(sequence) - 8):
        assert sequence[n + 8] == sequence[n + 7] ^ sequence[n + 5] ^ sequence[n + 3] ^ sequence[n]
    assert sequence[255:] == sequence[:-255]
    assert len({tuple(sequence[n : n + 8]) for n in range(255)}) == 255


@given(st.binary(max_size=3000))
def test_twice_is_nothing(data: bytes) -> None:
    assert len(randomize(data)) == len(data)
    assert randomize(randomize(memoryview(data))) == data
    assert all(a ^ b == c for a, b, c in zip(data, randomize(bytes(len(data))), randomize(data), strict=True))

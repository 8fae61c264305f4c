"""The chip's faults: against a second reading of the page that describes them, and on the wire."""

from __future__ import annotations

import pytest

from hil.lander.chip import WORDS, Bond, Chip, Fault, Flips, draw, flip
from hil.lander.spacecraft import Spacecraft
from protocols.ccsds.crc import crc16
from protocols.lander import CHIP_FAULTS, DESCENT
from protocols.profile import UART
from protocols.structures.layout import layout_of
from tests.hil.lander.uplink import NONE, command

SIZE = UART.cadu_length
BODY = bytes(range(29))


class Draws:
    """xorshift32 as the page writes it, apart from the lander's."""

    def __init__(self, seed: int) -> None:
        self.x = seed or 0x9E3779B9

    def __call__(self) -> int:
        x = self.x
        x = (x ^ (x << 13)) % 2**32
        x = x ^ (x >> 17)
        self.x = (x ^ (x << 5)) % 2**32
        return self.x

    def flips(self, data: bytes, below: int) -> bytes:
        bits = [byte >> (7 - n) & 1 for byte in data for n in range(8)]
        turned = [bit ^ (self() < below) for bit in bits]
        return bytes(sum(bit << (7 - n) for n, bit in enumerate(turned[at : at + 8])) for at in range(0, len(bits), 8))


def test_the_generator_is_the_published_one() -> None:
    """Marsaglia's triple 13, 17, 5, seed 1."""
    state, drawn = 1, []
    for _ in range(4):
        state = draw(state)
        drawn.append(state)
    assert drawn == [270369, 67634689, 2647435461, 307599695]


def test_numbers_are_those_of_the_declaration() -> None:
    assert {fault.name: int(fault) for fault in Fault if fault is not Fault.ALL} == CHIP_FAULTS
    assert layout_of(DESCENT.body, "DESCENT").min_size // 2 == WORDS


def test_without_faults_nothing_changes() -> None:
    assert Chip().spoil_body(BODY) == (BODY, Chip())
    assert Chip().spoil_frame(bytes(SIZE)) == (bytes(SIZE), Chip())


@pytest.mark.parametrize(("level", "words"), [(1, 1), (14, 1), (15, 2), (50, 4), (99, 7), (100, 7)])
def test_stuck_words(level: int, words: int) -> None:
    chip = Chip().inject(Fault.STUCK_WORDS, level, 12345)
    draws, want = Draws(12345), bytearray(BODY)
    for _ in range(words):
        index, value = draws() % 14, draws() & 0xFFF
        word = value << 4 | (want[2 * index + 1] & 15)
        want[2 * index : 2 * index + 2] = word.to_bytes(2, "big")
    assert chip.spoil_body(BODY) == (bytes(want), chip)


@pytest.mark.parametrize("seed", [0, 1, 0xFFFFFFFF])
def test_flips_before_the_crc(seed: int) -> None:
    chip, draws = Chip().inject(Fault.FLIPS_BEFORE_CRC, 100, seed), Draws(seed)
    for _ in range(20):
        body, chip = chip.spoil_body(BODY)
        assert body == draws.flips(BODY, 85_899_300)


def test_flips_after_the_crc() -> None:
    chip, draws, frame = Chip().inject(Fault.FLIPS_AFTER_CRC, 37, 9), Draws(9), bytes(SIZE)
    for _ in range(10):
        spoilt, chip = chip.spoil_frame(frame)
        assert spoilt == draws.flips(frame, 37 * 85_899)


def test_a_bond_breaks_and_heals() -> None:
    chip, draws, frame = Chip().inject(Fault.BOND, 100, 3), Draws(3), bytes(SIZE)
    broken, seen = False, []
    for _ in range(400):
        changes = draws() < (214_748_365 if broken else 171_798_700)
        broken = broken != changes
        want = draws.flips(frame, 858_993_459) if broken else frame
        spoilt, chip = chip.spoil_frame(frame)
        assert spoilt == want
        seen.append(broken)
    assert 0.2 < sum(seen) / len(seen) < 0.7


def test_shares_of_flipped_bits_are_those_of_the_model() -> None:
    data, state = bytes(4000), 1
    for below, share in ((85_899_300, 0.02), (8_589_900, 0.002), (858_993_459, 0.2)):
        flipped, state = flip(data, state, below)
        assert int.from_bytes(flipped, "big").bit_count() / 32_000 == pytest.approx(share, rel=0.3)


def test_injecting_again_restarts_and_clearing_ends_one_or_all() -> None:
    chip = Chip().inject(1, 50, 1).inject(2, 60, 2).inject(3, 70, 3).inject(4, 80, 0)
    assert (chip.before, chip.after, chip.bond) == (Flips(60, 2), Flips(70, 3), Bond(80, 0x9E3779B9))
    _, used = chip.spoil_frame(bytes(SIZE))
    assert used.inject(3, 70, 3).after == chip.after
    assert used.inject(4, 80, 0).bond == chip.bond
    for fault in (1, 2, 3, 4):
        cleared = chip.clear(fault)
        assert [bool(each) for each in (cleared.stuck, cleared.before, cleared.after, cleared.bond)] == [
            number != fault for number in (1, 2, 3, 4)
        ]
    assert chip.clear(0) == Chip()


def lander_frames(fault: str | None, clear_at: int = 10_000) -> list[bytes]:
    """VC0's frames, ASM included, of ticks 880 … 1079 with a fault from power on; None commands, but injects none."""
    craft, sent = Spacecraft(), []
    clear = command("CLEAR_FAULTS", 0, NONE, fault="ALL")
    craft.receive(clear if fault is None else command("INJECT_FAULT", 0, NONE, fault=fault, level=100, seed=1))
    craft.start()
    for tick in range(1080):
        craft.receive(clear if tick == clear_at else b"")
        sent.append(craft.step()[:SIZE])
    return sent[880:]


def bodies(frames: list[bytes]) -> list[bytes]:
    """DESCENT's bodies: each is the first packet that starts in its frame."""
    out = []
    for frame in frames:
        start = 10 + (int.from_bytes(frame[8:10], "big") & 0x7FF)
        assert crc16(frame[start : start + 50]) == 0
        out.append(frame[start + 19 : start + 48])
    return out


@pytest.fixture(scope="module")
def healthy() -> list[bytes]:
    return lander_frames(None)


@pytest.mark.parametrize("fault", ["STUCK_WORDS", "FLIPS_BEFORE_CRC"])
def test_faults_before_the_crc_pass_every_check(fault: str, healthy: list[bytes]) -> None:
    spoilt = lander_frames(fault)
    assert all(frame[:4] == UART.asm and not crc16(frame[4:]) for frame in spoilt)
    was, now = bodies(healthy), bodies(spoilt)
    assert sum(a != b for a, b in zip(was, now, strict=True)) > 150
    if fault == "STUCK_WORDS":
        stuck = [n for n in range(14) if len({body[2 * n : 2 * n + 2][0] for body in now}) == 1]
        assert len(stuck) >= 3


@pytest.mark.parametrize("fault", ["FLIPS_AFTER_CRC", "BOND"])
def test_faults_after_the_crc_are_seen_by_it(fault: str, healthy: list[bytes]) -> None:
    spoilt = lander_frames(fault)
    assert len(spoilt) == len(healthy)
    assert 40 < sum(a != b for a, b in zip(spoilt, healthy, strict=True)) < 200
    assert all(a == b for a, b in zip(spoilt, healthy, strict=True) if not crc16(a[4:]) and a[:4] == UART.asm)


@pytest.mark.parametrize("fault", list(CHIP_FAULTS))
def test_once_cleared_the_stream_is_as_if_nothing_had_been(fault: str) -> None:
    spoilt, plain = lander_frames(fault, clear_at=1000), lander_frames(None, clear_at=1000)
    assert spoilt[:120] != plain[:120]
    assert spoilt[120:] == plain[120:]

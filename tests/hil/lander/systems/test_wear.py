"""The chip that fails with time: how much of the data it takes, over a hundred seeds, and in which phases."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean, stdev

import pytest

from hil.lander.spacecraft import Spacecraft
from hil.lander.systems.wear import Wear
from protocols.profile import UART
from protocols.sync.frames import decode_frame

FIRST, LAST = 880, 3_119
PHASES = ((880, 1_590), (1_590, 2_130), (2_130, 3_120))
WORDS = 14
BODY_OFFSET, BODY_SIZE = 19, 29
FRAME = bytes(UART.cadu_length)


def bodies() -> list[bytes]:
    """The body of each DESCENT packet that the undamaged lander sends, in order."""
    craft, found = Spacecraft(), []
    craft.start()
    while not craft.finished:
        cadu = craft.step()[: UART.cadu_length]
        frame = decode_frame(cadu[len(UART.asm) :], UART) if cadu else None
        if frame is not None and frame.vcid == 0:
            at = frame.first_header_pointer + BODY_OFFSET
            found.append(frame.data[at : at + BODY_SIZE])
    return found


@pytest.fixture(scope="module")
def truth() -> list[bytes]:
    found = bodies()
    assert len(found) == LAST - FIRST + 1
    return found


@dataclass(frozen=True, slots=True)
class Damage:
    """Shares of one flight: frames lost, words unusable in all and by phase, and good frames with a wrong word."""

    lost: float
    unusable: float
    by_phase: tuple[float, ...]
    spoilt: float


def damage(seed: int, truth: list[bytes]) -> Damage:
    """Fly a failing chip. A frame is lost if a bit of it flips after its CRC; else its wrong words are counted.

    A stuck word that equals the truth is none.
    """
    wear, unusable, lost, spoilt = Wear(seed), [], 0, 0
    for tick, body in enumerate(truth, FIRST):
        wear.age(tick)
        sent = wear.spoil_body(body)
        if wear.spoil_frame(FRAME) != FRAME:
            lost += 1
            unusable.append(WORDS)
            continue
        unusable.append(sum(sent[at : at + 2] != body[at : at + 2] for at in range(0, 2 * WORDS, 2)))
        spoilt += unusable[-1] > 0
    by_phase = tuple(fmean(unusable[begin - FIRST : end - FIRST]) / WORDS for begin, end in PHASES)
    return Damage(lost / len(truth), fmean(unusable) / WORDS, by_phase, spoilt / (len(truth) - lost))


def test_a_seed_repeats_the_damage(truth: list[bytes]) -> None:
    def flown(seed: int) -> list[bytes]:
        wear, sent = Wear(seed), []
        for tick, body in enumerate(truth[:300], FIRST):
            wear.age(tick)
            sent += [wear.spoil_body(body), wear.spoil_frame(FRAME)]
        return sent

    assert flown(5) == flown(5)
    assert flown(5) != flown(6)
    assert flown(0) == flown(0x9E3779B9)


def test_words_stick_one_after_the_other() -> None:
    wear, counts = Wear(6), {}
    for tick in range(FIRST, LAST + 1):
        wear.age(tick)
        # Bits that neither a zero body nor one of ones leaves as they are: those of stuck words, and flips.
        if tick in (880, 1_589, 1_590, 2_129, 2_130, 3_119):
            stuck = [
                wear_word
                for wear_word in range(WORDS)
                if all(_is_stuck(wear, wear_word, fill) for fill in (b"\0", b"\xff"))
            ]
            counts[tick] = len(stuck)
    assert counts == {880: 1, 1_589: 1, 1_590: 2, 2_129: 3, 2_130: 4, 3_119: 7}


def _is_stuck(wear: Wear, word: int, fill: bytes) -> bool:
    """Whether a word's upper 12 bits come out far from what they were, three times: flips alone do not do that."""
    wrong = []
    for _ in range(3):
        sent = wear.spoil_body(fill * BODY_SIZE)[2 * word : 2 * word + 2]
        wrong.append(int.from_bytes(sent, "big") >> 4 ^ int.from_bytes(fill * 2, "big") >> 4)
    return all(each.bit_count() >= 3 for each in wrong)


def test_some_of_a_flight_is_lost(truth: list[bytes]) -> None:
    assert 0.4 < damage(0, truth).unusable < 0.6


@pytest.mark.long
@pytest.mark.timeout(600)
def test_half_of_the_words_are_unusable_over_100_seeds(truth: list[bytes]) -> None:
    flights = [damage(seed, truth) for seed in range(1, 101)]
    for name, values in (
        ("frames lost", [each.lost for each in flights]),
        ("words unusable", [each.unusable for each in flights]),
        *((f"of {PHASES[n]}", [each.by_phase[n] for each in flights]) for n in range(len(PHASES))),
        ("good frames with a wrong word", [each.spoilt for each in flights]),
    ):
        print(f"{name}: {fmean(values):.1%} ± {stdev(values):.1%}, {min(values):.1%} to {max(values):.1%}")
    assert all(0.4 <= each.unusable <= 0.6 for each in flights)

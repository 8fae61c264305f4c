"""The chip that fails with time, in the degraded profile: 2T312 transistors with aluminium in place of gold.

The model is the project's [A], because how bits were corrupted is not recorded; docs/lander.md shows what it gives.
It was made for frames of 512 bits with 24 words. Two of its figures are fitted to our frame of 1,024 bits with 14:

1. Stuck 12-bit words: 1, 3, 6 and 12 of 24 at 88, 159, 213 and 312 s are 1, 2, 4 and 7 of 14; between, evenly.
2. Flips before the packet's CRC, in DESCENT's body: 1e-3 · exp((t - 88 s) / 75 s) of the bits, as it is.
3. Flips after the CRC, in the whole frame: 2e-5 → 7e-4 of the bits, log-interpolated, in place of 5e-5 → 2e-3: our
   frame is twice as long. With these, as many words are unusable as in the model: 49 % (23, 41 and 73 % by phase).
4. The bond: good for 15 s in the mean at 88 s, 2.5 s at 312 s, bad for 2 s; a fifth of the bits flips while it is bad.

One generator draws for all of it, in the order of the calls: `age`, `spoil_body`, `spoil_frame`. A frame draws for
every bit, flipped or not; so a tick without a frame leaves the generator elsewhere than one with a frame.
"""

from __future__ import annotations

from hil.lander.chip import BROKEN_BELOW, HEALS_BELOW, WORDS, draw, flip, stick
from hil.lander.systems.noise import Generator, start

_BEGIN, _STEP = 880, 140
"""Tables are of ticks: the first entry, and from one to the next. Straight lines between."""
_SHARE = 1 << 32
"""Chances are of a draw of 32 bits: flips if the draw is below."""
_BITS_BEFORE = (
    4_294_967,
    5_176_404,
    6_238_733,
    7_519_081,
    9_062_188,
    10_921_980,
    13_163_448,
    15_864_923,
    19_120_810,
    23_044_887,
    27_774_285,
    33_474_276,
    40_344_050,
    48_623_677,
    58_602_495,
    70_629_220,
    85_124_135,
)
"""1e-3 · exp((t - 88 s) / 75 s), every 14 s."""
_BITS_AFTER = (
    85_899,
    107_273,
    133_967,
    167_302,
    208_932,
    260_922,
    325_848,
    406_929,
    508_187,
    634_641,
    792_560,
    989_775,
    1_236_063,
    1_543_636,
    1_927_744,
    2_407_429,
    3_006_477,
)
"""2e-5 → 7e-4, log-interpolated, every 14 s."""
_STUCK_SINCE = (880, 1590, 1860, 2130, 2460, 2790, 3110)
"""The ticks at which one more word is stuck."""
_GOOD_TICKS = 150
"""Mean of a good bond at first: 15 s; it falls by one tick in `_GOOD_LESS_TICKS`, to 2.5 s at 312 s."""
_GOOD_LESS_TICKS = 18


class Wear:
    """The failing chip from the lander's first frame on."""

    def __init__(self, seed: int) -> None:
        self._state = start(seed, Generator.CHIP)
        self._stuck: list[tuple[int, int]] = []
        self._before = 0
        self._after = 0
        self._broken = False

    def age(self, tick: int) -> None:
        """One tick older; in each tick in which the lander transmits, with a frame or without."""
        self._before = _between(_BITS_BEFORE, tick)
        self._after = _between(_BITS_AFTER, tick)
        while len(self._stuck) < len(_STUCK_SINCE) and tick >= _STUCK_SINCE[len(self._stuck)]:
            self._stick_another()
        self._state = draw(self._state)
        good_ticks = max(_GOOD_TICKS - (tick - _BEGIN) // _GOOD_LESS_TICKS, 1)
        changes = self._state < (HEALS_BELOW if self._broken else (_SHARE - 1) // good_ticks)
        self._broken = self._broken != changes

    def spoil_body(self, body: bytes) -> bytes:
        """DESCENT's body as it is packed, before the packet's CRC."""
        body, self._state = flip(stick(body, self._stuck), self._state, self._before)
        return body

    def spoil_frame(self, frame: bytes) -> bytes:
        """A finished frame, ASM included, as it is sent."""
        frame, self._state = flip(frame, self._state, self._after)
        if self._broken:
            frame, self._state = flip(frame, self._state, BROKEN_BELOW)
        return frame

    def _stick_another(self) -> None:
        """One of the words that are not stuck yet, at a value of its own."""
        place = self._state = draw(self._state)
        value = self._state = draw(self._state)
        taken = {index for index, _ in self._stuck}
        index = place % WORDS
        while index in taken:
            index = (index + 1) % WORDS
        self._stuck.append((index, value & 0xFFF))


def _between(table: tuple[int, ...], tick: int) -> int:
    """The table at a tick; after its end, its last entry."""
    past = tick - _BEGIN
    index = past // _STEP
    if index >= len(table) - 1:
        return table[-1]
    return table[index] + (table[index + 1] - table[index]) * (past % _STEP) // _STEP

"""The target's frames by number, as the rig knows them: which of them came, which are missing, which came twice.

Rules:
1. A target counts its frames on each channel without a hole, from 0 after each start. So the rig need not trust a
   counter that turns over: it numbers what was sent, in the order in which it was sent.
2. Where a chip damaged a frame before it was sent, the numbers on either side say how many there are between. A count
   that goes back, or on by more frames than were sent between, is another life of the target.
3. What a station may know is what lies between two frames of one life that came: it counts from the first it heard.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import NamedTuple

from hil.channel.channel import Delivered
from hil.channel.frame_splitter import SentFrame
from protocols.profile import LinkProfile


class Number(NamedTuple):
    """A frame that was sent: its channel, which life of the target it is from, and its number there, from 0."""

    vcid: int
    life: int
    number: int


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of a channel's frames: ``missing`` between those that came, ``repeated``, and in how many lives."""

    missing: int
    repeated: int
    lives: int


class SentFrames:
    """All frames of a flight, by number.

    Attributes:
        numbers: that of each piece of the target's stream; None for what is in no frame, or damaged.
    """

    def __init__(
        self,
        cuts: Sequence[SentFrame],
        delivered: Sequence[Delivered],
        profile: LinkProfile,
        relays: SentFrames | None = None,
    ) -> None:
        """Prepare.

        Args:
            cuts: what the target sent, or a relay.
            delivered: what the channel delivered of it.
            profile: how frames lie on the wire.
            relays: what the target sent, if this is a relay's: it has the target's numbers.
        """
        self._marker, self._size = len(profile.asm), profile.cadu_length
        self._cuts = cuts
        self._offsets = [cut.offset for cut in cuts]
        self.numbers = _numbered(cuts, profile.vcfc_modulus) if relays is None else relays.numbers_of(cuts)
        self._pieces = delivered
        self._positions = [0, *accumulate(len(piece.data) for piece in delivered)]
        self._stream = b"".join(piece.data for piece in delivered)

    def at(self, offset: int) -> Number | None:
        """Which frame was found at this place of the received stream; None if the rig cannot say.

        It is known by where its last byte came from, or its first behind the ASM: a fault may have added the other.
        """
        block = self._stream[offset + self._marker : offset + self._size]
        for place in (offset + self._size - 1, offset + self._marker):
            origin = self._origin(place)
            index = -1 if origin is None else bisect_right(self._offsets, origin) - 1
            if index >= 0 and self._cuts[index].data[self._marker :] == block:
                return self.numbers[index]
        return None

    def numbers_of(self, relayed: Iterable[SentFrame]) -> list[Number | None]:
        """The numbers of frames that a relay passed on, in their order: it leaves out those that it cannot read."""
        mine = zip(self._cuts, self.numbers, strict=True)
        return [next((number for cut, number in mine if _content(cut) == _content(each)), None) for each in relayed]

    def sent_at(self, offset: int) -> SentFrame | None:
        """The frame that was sent where these bytes of the received stream begin, however damaged they are.

        None where bytes were lost or added in it, or that lie in no frame of the target's.
        """
        first, last = self._origin(offset), self._origin(offset + self._size - 1)
        if first is None or last != first + self._size - 1:
            return None
        index = bisect_right(self._offsets, first) - 1
        is_whole = index >= 0 and self._cuts[index].offset == first and len(self._cuts[index].data) == self._size
        return self._cuts[index] if is_whole else None

    def _origin(self, place: int) -> int | None:
        """Where a byte of the received stream stood in the sent one; None for line noise."""
        index = bisect_right(self._positions, place) - 1
        if not 0 <= index < len(self._pieces):
            return None
        origin = self._pieces[index].origin
        return None if origin is None else origin + place - self._positions[index]


def _content(cut: SentFrame) -> tuple[int | None, int | None, int | None]:
    """What a relay leaves as it is."""
    return cut.vcid, cut.vcfc, cut.scet


def tally(numbers: Iterable[Number]) -> Tally:
    """What became of the frames of one channel, of which these came in this order."""
    came = list(numbers)
    missing = 0
    lives = [list(group) for _, group in groupby(sorted(came, key=lambda n: n.life), key=lambda n: n.life)]
    for life in lives:
        first = life[0].number
        heard = {each.number for each in life if each.number >= first}
        missing += max(heard) - first + 1 - len(heard)
    repeated = sum(count - 1 for count in Counter(came).values())
    return Tally(missing, repeated, len(lives))


def missing_since(numbers: Sequence[Number], before: int) -> int:
    """How many frames are missing behind the newest of the first ``before`` of these, up to the newest of all."""
    last, newest = max(numbers[:before]), max(numbers)
    if newest.life != last.life:
        return 0
    heard = {each.number for each in numbers if each.life == last.life and each.number > last.number}
    return newest.number - last.number - len(heard)


def _numbered(cuts: Sequence[SentFrame], modulus: int) -> list[Number | None]:
    """Each cut's number; None for what is in no frame, or damaged."""
    numbers: list[Number | None] = []
    last: dict[int, tuple[int, int, int]] = {}  # by channel: VCFC, number, and how many cuts there were
    life = 0
    for place, cut in enumerate(cuts):
        if cut.vcid is None or cut.vcfc is None:
            numbers.append(None)
            continue
        vcfc, number, then = last.get(cut.vcid, (cut.vcfc, 0, place))
        on = (cut.vcfc - vcfc) % modulus if cut.vcid in last else 0
        if cut.vcid in last and not 0 < on <= place - then:
            life += 1
            last.clear()
            on = number = 0
        last[cut.vcid] = (cut.vcfc, number + on, place)
        numbers.append(Number(cut.vcid, life, number + on))
    return numbers

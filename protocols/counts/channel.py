"""What a counter remembers: of each virtual channel, and of the master channel that all of them make."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from protocols.ccsds.space_packet import IDLE_APID
from protocols.ccsds.tm_frame import MAX_POINTER, MCFC_MODULUS
from protocols.counts.holes import Hole, Holes
from protocols.counts.pace import Pace
from protocols.counts.sequences import PacketSequence
from protocols.sync.frames import TransferFrame
from protocols.tuples import maker

MEMORY = 256
"""Recent frames of a channel that a duplicate is looked for in."""
EARLY = 8
"""Frames that may come after the first that was heard, and belong before it; and so many of before a restart."""
ROOM = 2 * EARLY
"""Places that are left free for these."""
SMALL_JUMP = 8
"""A loss of so few frames over the end of a count looks like a counter that begins again at a low number."""


class Seen(NamedTuple):
    """A frame and what is known of it besides.

    ``packet`` is APID and sequence count of the first packet that starts in it, if it is a space packet and not idle;
    ``content`` tells whether a frame comes again.
    """

    frame: TransferFrame
    time: int | None
    ert: int | None
    packet: tuple[int, int] | None
    content: int


_make_seen = maker(Seen)


class Recent(NamedTuple):
    """A frame that came: where it stands, and when it was received."""

    place: int
    ert: int | None


_make_recent = maker(Recent)


class Past(NamedTuple):
    """How a channel stood when it began again."""

    newest: int
    place: int
    time: int | None
    recent: dict[int, Recent]


@dataclass(slots=True)
class Channel:
    """One virtual channel. ``newest`` is the last VCFC in order, ``place`` where it stands, ``base`` the first's.

    ``time`` is that of the newest frame with a believable one; ``odd`` that of the last with another. ``stands``: its
    VCFC does not count. ``waits``: the source started again, and this channel was not heard since, but for frames of
    before, of which so many may come. ``past`` is how it stood when it began again. ``master_place``: where its newest
    frame stands on the master channel, and ``master_frames``: how many had come there.
    """

    pace: Pace
    arrivals: Pace
    newest: int = 0
    place: int = 0
    base: int = 0
    base_time: int | None = None
    time: int | None = None
    odd: int | None = None
    ert: int | None = None
    frames: int = 0
    stands: bool = False
    waits: int = 0
    past: Past | None = None
    master_place: int = 0
    master_frames: int = 0
    holes: Holes = field(default_factory=Holes)
    recent: dict[int, Recent] = field(default_factory=dict)
    sequences: dict[int, PacketSequence] = field(default_factory=dict)

    def begin(self, seen: Seen) -> None:
        """Counting starts with this frame."""
        if self.frames:
            self.past = Past(self.newest, self.place, self.time, self.recent)
        self.newest, self.frames, self.stands, self.waits = seen.frame.vcfc, 0, False, 0
        self.place += ROOM
        self.base, self.base_time, self.time, self.odd = self.place, seen.time, None, None
        self.recent = {}
        self.holes.clear()
        self.sequences.clear()
        self.pace.forget()
        self.arrivals.forget()

    def remember(self, seen: Seen, place: int) -> None:
        """It came: if it comes again, it is a duplicate."""
        self.frames += 1
        recent = self.recent
        recent[seen.content] = _make_recent((place, seen.ert))
        if len(recent) > MEMORY:
            del recent[next(iter(recent))]

    def tells(self, seen: Seen) -> bool:
        """Whether a frame differs from all others of the channel, by a time or a sequence count in it."""
        known = self.sequence(seen)
        return seen.time is not None or (known is not None and known[0].stands is not True)

    def sequence(self, seen: Seen) -> tuple[PacketSequence, int] | None:
        """What is known of the sequence count that this frame carries, and the count."""
        known = self.sequences.get(seen.packet[0]) if seen.packet is not None else None
        return (known, seen.packet[1]) if known is not None and seen.packet is not None else None


@dataclass(slots=True)
class Master:
    """The count of all frames of the spacecraft, where there is one.

    ``began`` is the hole in it in which a channel began again.
    """

    newest: int | None = None
    place: int = 0
    frames: int = 0
    stands: bool = False
    began: Hole | None = None
    holes: Holes = field(default_factory=Holes)

    def jump(self, mcfc: int) -> int:
        """How many frames are missing before this one, modulo 256."""
        return 0 if self.newest is None else (mcfc - self.newest - 1) % MCFC_MODULUS

    def begins_again(self, mcfc: int) -> bool:
        """It went back, and is not one that stands still or turned over."""
        if self.newest is None or self.stands:
            return False
        return begins_again(self.newest, mcfc, self.jump(mcfc))

    def begin(self, mcfc: int) -> None:
        """Counting starts with this frame."""
        self.newest, self.stands, self.began = mcfc, False, None
        self.place += 1
        self.holes.clear()


def begins_again(last: int, count: int, jump: int) -> bool:
    """Whether a counter went back to near its beginning, rather than on by ``jump``."""
    return count <= last and count < jump and (not count or jump > SMALL_JUMP)


def seen_of(frame: TransferFrame, time: int | None, ert: int | None) -> Seen:
    """A frame with what counting needs of it."""
    at, data, packet = frame.first_header_pointer, frame.data, None
    if at <= MAX_POINTER and at + 4 <= len(data) and not data[at] >> 5:
        apid = (data[at] & 7) << 8 | data[at + 1]
        packet = None if apid == IDLE_APID else (apid, (data[at + 2] & 0x3F) << 8 | data[at + 3])
    return _make_seen((frame, time, ert, packet, hash((frame.vcfc, frame.mcfc, at, data))))

"""What says that a source has started again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from protocols.counts.channel import Channel, Master, Seen, begins_again
from protocols.counts.pace import Pace
from protocols.sync.frames import TransferFrame
from protocols.units import NS_PER_S


class Sign(NamedTuple):
    """Something that speaks for a restart: in words, whether a counter says so, and whether it went down."""

    text: str
    counter: bool = True
    down: bool = True


STARTED = Sign("it reports that it has started", counter=False)


def restart_signs(
    channel: Channel, master: Master, jump: int, seen: Seen, starts: Callable[[TransferFrame], bool]
) -> list[Sign]:
    """What speaks for a restart of the source; nothing if a sequence count goes on.

    Args:
        channel: of the frame.
        master: of all frames.
        jump: how many frames are missing before this one, if its VCFC is taken at its word.
        seen: the frame.
        starts: whether a frame reports that its source has started.
    """
    known = channel.sequence(seen)
    if known is not None and known[0].goes_on(known[1]):
        return []
    frame, signs = seen.frame, _frame_counts(channel, master, jump, seen.frame)
    if known is not None and seen.packet is not None and known[0].begins_again(known[1]):
        last, count = known[0].count, known[1]
        signs.append(Sign(f"sequence of APID {seen.packet[0]:#05x} {last} → {count}", down=count < last))
    elif len(signs) == 2 and master.jump(frame.mcfc or 0) == jump and (frame.vcfc or frame.mcfc):
        del signs[1]  # where one channel sends alone, VCFC and MCFC are one counter, unless both are 0
    if seen.time is not None and channel.time is not None and _steps_back(channel.time, seen.time, channel.pace):
        signs.append(Sign(f"time {_clock(channel.time)} → {_clock(seen.time)}", counter=False))
    if (jump or signs) and starts(frame):
        signs.append(STARTED)
    return signs


def _frame_counts(channel: Channel, master: Master, jump: int, frame: TransferFrame) -> list[Sign]:
    """Which of VCFC and MCFC begin again."""
    signs, vcfc, mcfc, last = [], frame.vcfc, frame.mcfc, master.newest
    if jump and not channel.stands and begins_again(channel.newest, vcfc, jump):
        signs.append(Sign(f"VC{frame.vcid} count {channel.newest} → {vcfc}", down=vcfc < channel.newest))
    if mcfc is not None and last is not None and master.begins_again(mcfc):
        signs.append(Sign(f"master count {last} → {mcfc}", down=mcfc < last))
    return signs


def _steps_back(last: int, time: int, pace: Pace) -> bool:
    """By more than frames that were made at the same time differ."""
    return time < last - (pace.period or 0)


def prove_restart(signs: Sequence[Sign]) -> bool:
    """Two counters, or one with a time or a report (rule 2 of `frames`).

    That a counter stands where it was is a sign only beside others: it may be one that never counts.
    """
    counters = [sign.down for sign in signs if sign.counter]
    if STARTED in signs and counters:
        return True
    return any(counters) and len(signs) >= 2


def _clock(time: int) -> str:
    """A time of day for people, to the tenth of a second."""
    return f"{datetime.fromtimestamp(time // NS_PER_S, UTC):%H:%M:%S}.{time // 100_000_000 % 10}"

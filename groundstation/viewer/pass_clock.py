"""The time in which a viewer counts ages: its host's, or while a replay runs the recording's. Reads no clock."""

from __future__ import annotations

import msgspec

from groundstation.messages.wire import PlaybackStatus


class PassClock:
    """Turns host time into the time of what is shown.

    Attributes:
        playback: the replay's status as last reported; None: what comes is live.
    """

    def __init__(self) -> None:
        self.playback: PlaybackStatus | None = None
        self._told = 0

    def follow(self, playback: PlaybackStatus | None, now: int) -> bool:
        """Take what the station says at host time ``now``; True: the replay jumped, and what came before is over."""
        old, self.playback, self._told = self.playback, playback, now
        return old is not None and playback is not None and old.jumps != playback.jumps

    def obeyed(self, answer: PlaybackStatus | None, now: int) -> None:
        """Take the speed from the answer to an order. The place comes with what is published, in its order."""
        if self.playback is not None and answer is not None:
            changes = {"at": self.at(now), "speed": answer.speed, "paused": answer.paused, "ended": answer.ended}
            self.playback, self._told = msgspec.structs.replace(self.playback, **changes), now

    def at(self, now: int) -> int:
        """The time of what is shown at host time ``now``: a replay that is paused stands."""
        playback = self.playback
        if playback is None:
            return now
        if playback.paused or playback.ended:
            return playback.at
        ran = playback.at + round(max(0, now - self._told) * playback.speed)
        return min(ran, max(playback.last, playback.at))

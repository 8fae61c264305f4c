"""All clients' commands as a viewer knows them, and the uplink. Bounded; reads no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from groundstation.messages.commanding import CommandState, CommandUpdate, UplinkStatus

COMMANDS_KEPT = 200


@dataclass(frozen=True, slots=True)
class CommandTrack:
    """One command: its last news, and the states it was seen in, each with the time it came true (ERT)."""

    news: CommandUpdate
    states: tuple[tuple[CommandState, int], ...]


class CommandHistory:
    """Commands by number, and the uplink's last status.

    Attributes:
        uplink: as last reported; None: the station has no uplink, or has not reported it yet.
        dropped: commands that were forgotten for lack of room.
    """

    def __init__(self, kept: int = COMMANDS_KEPT) -> None:
        self.uplink: UplinkStatus | None = None
        self.dropped = 0
        self._kept = kept
        self._told = 0
        self._tracks: dict[int, CommandTrack] = {}

    @property
    def tracks(self) -> list[CommandTrack]:
        """All commands, by number."""
        return [self._tracks[number] for number in sorted(self._tracks)]

    def take(self, news: CommandUpdate) -> None:
        """A command changed."""
        known = self._tracks.get(news.command)
        if known is not None and known.news == news:
            return
        states = () if known is None else known.states
        if not states or states[-1][0] != news.state:
            states = (*states, (news.state, news.ert))
        self._tracks[news.command] = CommandTrack(news, states)
        while len(self._tracks) > self._kept:
            del self._tracks[min(self._tracks)]
            self.dropped += 1

    def adopt(self, commands: Iterable[CommandUpdate]) -> None:
        """Those of a snapshot."""
        for news in commands:
            self.take(news)

    def follow(self, uplink: UplinkStatus | None, now: int) -> None:
        """The uplink as the station reported it at host time ``now``."""
        self.uplink, self._told = uplink, now

    def clcw_age(self, now: int) -> int | None:
        """How long ago the last CLCW came, or None if none did."""
        if self.uplink is None or self.uplink.clcw_ert is None:
            return None
        return max(0, self.uplink.ert - self.uplink.clcw_ert + now - self._told)

    def armed_ns(self, now: int) -> int | None:
        """How long critical commands are still allowed, or None if they are not.

        Counted from the station's own clock: the viewer's may differ.
        """
        if self.uplink is None or self.uplink.armed_until is None:
            return None
        left = self.uplink.armed_until - self.uplink.ert - max(0, now - self._told)
        return left if left > 0 else None

"""When the status of the link is published: at once if anything but counts changed, else twice a second. Sans-I/O.

Counts change with every frame, and a status is twice as long as a frame's telemetry: ten a second made 60 % of what a
viewer behind a slow line has to carry. Nothing on the screen is wrong by it, only up to half a second old. A replay's
status says where it stands, which runs by fits and starts on a busy host: so it comes more often.
"""

from __future__ import annotations

from groundstation.messages.wire import LinkStatus, PlaybackStatus
from protocols.units import NS_PER_MS

STATUS_EVERY_NS = 500 * NS_PER_MS
REPLAYED_EVERY_NS = 100 * NS_PER_MS

_Notable = tuple[object, ...]


class StatusTiming:
    """Knows what was published last."""

    def __init__(self) -> None:
        """Nothing was published yet."""
        self._published: _Notable = ()
        self._at = 0

    def is_due(self, status: LinkStatus, now: int) -> bool:
        """Whether to publish this at ``now``, in ns."""
        every = STATUS_EVERY_NS if status.playback is None else REPLAYED_EVERY_NS
        return notable(status) != self._published or now - self._at >= every

    def published(self, status: LinkStatus, now: int) -> None:
        """It was published."""
        self._published, self._at = notable(status), now


def notable(status: LinkStatus) -> _Notable:
    """All of a status that does not change with every frame."""
    states = tuple((channel.vcid, channel.state) for channel in status.channels)
    transport = (status.transport, status.detail, status.url, *((link.transport, link.state) for link in status.links))
    return (*transport, status.state, states, status.recording, status.recording_ok, _played(status.playback))


def _played(playback: PlaybackStatus | None) -> _Notable:
    if playback is None:
        return ()
    return (playback.speed, playback.paused, playback.ended, playback.jumps)

"""The wire log: a link's bytes in hex, ``<`` received and ``>`` sent.

Rules:
1. Off costs nothing: a link is wrapped only if its logger is on when it is opened, so no read pays for a question.
2. Received bytes are logged before they are decoded: the log has them above what they lead to.
3. A line has at most `LINE_BYTES` bytes, so that a pipe takes it in one piece; longer reads are logged in several.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from groundstation.errors import LinkError
from groundstation.links.base import Chunk, Link, Report

LINE_BYTES = 1024

_LOG = logging.getLogger("groundstation.links")


class WireLog:
    """A link that logs the bytes that go through it, at level DEBUG."""

    def __init__(self, link: Link) -> None:
        self.url = link.url
        self._link = link

    def now(self) -> int:
        """The link's own time."""
        return self._link.now()

    def start(self, sink: Callable[[Report], None]) -> None:
        """Start the link; ``sink`` is given each report after it was logged."""
        _LOG.debug("open %s", self.url)

        def log_first(report: Report) -> None:
            if isinstance(report, Chunk):
                _log_bytes("<", report.data)
            sink(report)

        self._link.start(log_first)

    def write(self, data: bytes) -> None:
        """Send bytes up.

        Raises:
            LinkError: the link does not take them.
        """
        try:
            self._link.write(data)
        except LinkError as error:
            _LOG.warning("%d bytes not sent: %s", len(data), error)
            raise
        _log_bytes(">", data)

    def stop(self) -> None:
        """Stop the link."""
        self._link.stop()
        _LOG.debug("close %s", self.url)


def with_wire_log(link: Link) -> Link:
    """The link, or one that logs it if its logger is on."""
    return WireLog(link) if _LOG.isEnabledFor(logging.DEBUG) else link


def _log_bytes(direction: str, data: bytes) -> None:
    for at in range(0, len(data), LINE_BYTES):
        part = data[at : at + LINE_BYTES]
        _LOG.debug("%s %s [%d bytes]", direction, part.hex(" "), len(part))

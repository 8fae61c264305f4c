"""The log lines of what a station publishes: each by the logger of the room that it comes from."""

from __future__ import annotations

import logging
from typing import get_args

from groundstation.messages.commanding import CommandUpdate
from groundstation.messages.text import plain_line
from groundstation.messages.wire import Acknowledgement, AnyMessage, ContactChange, EventMessage, Transport

_STATION = logging.getLogger("groundstation.station")
_LINKS = logging.getLogger("groundstation.links")
_SECURITY = logging.getLogger("groundstation.security")
_DOWNLINK = logging.getLogger("groundstation.downlink")
_UPLINK = logging.getLogger("groundstation.uplink")

_TRANSPORTS = get_args(Transport)
_LEVELS = {
    "DIAGNOSTIC": logging.DEBUG,
    "WARNING_LO": logging.WARNING,
    "WARNING_HI": logging.WARNING,
    "FATAL": logging.ERROR,
}


def log_message(message: AnyMessage) -> None:
    """Log an event, a change of contact, a command's state or an acknowledgement; telemetry and status are not."""
    if not _STATION.isEnabledFor(logging.INFO):
        return
    if isinstance(message, EventMessage):
        _logger_of(message).log(_LEVELS.get(message.severity, logging.INFO), "%s", plain_line(message))
    elif isinstance(message, ContactChange):
        _DOWNLINK.info("%s", plain_line(message))
    elif isinstance(message, (CommandUpdate, Acknowledgement)):
        _UPLINK.info("%s", plain_line(message))


def _logger_of(event: EventMessage) -> logging.Logger:
    if event.source != "STATION":
        return _DOWNLINK
    if event.severity == "COMMAND":
        return _UPLINK
    if event.name.startswith("ACCESS"):
        return _SECURITY
    return _LINKS if event.name in _TRANSPORTS else _STATION

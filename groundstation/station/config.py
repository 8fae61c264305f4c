"""The configuration of a station."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from protocols.declare.dictionary import Dictionary
from protocols.profile import LinkProfile


@dataclass(frozen=True, slots=True)
class StationConfig:
    """The configuration of a station, given at its start.

    Attributes:
        recording: None to keep nothing: for replays.
        bind: where remote clients connect, besides the private endpoints: telemetry there, commands at the next port.
        key: the station's own, by name; needed for a ``bind`` that others can reach.
    """

    name: str
    link: str
    recording: Path | None
    dictionary: Dictionary
    profile: LinkProfile
    bind: str | None = None
    key: str | None = None

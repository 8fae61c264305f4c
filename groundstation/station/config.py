"""The configuration of a station."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from groundstation.errors import CallerError
from protocols.declare.dictionary import ANY_SCID, Dictionary
from protocols.declare.mission import Mission
from protocols.profile import LinkProfile


@dataclass(frozen=True, slots=True)
class StationConfig:
    """The configuration of a station, given at its start.

    Attributes:
        recording: None to keep nothing: for replays.
        mission: what the spacecraft is, and how its frames lie on the wire.
        bind: where remote clients connect, besides the private endpoints: telemetry there, commands at the next port.
        key: the station's own, by name; needed for a ``bind`` that others can reach.

    Raises:
        CallerError: the mission has no SCID, as one from XTCE: no frame could be its own.
    """

    name: str
    link: str
    recording: Path | None
    mission: Mission
    bind: str | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        if self.dictionary.scid == ANY_SCID:
            text = (
                f"mission {self.mission.name} has no SCID and no channels: give it both in Python, see own-mission.md"
            )
            raise CallerError(text)

    @property
    def dictionary(self) -> Dictionary:
        """The mission's."""
        return self.mission.dictionary

    @property
    def profile(self) -> LinkProfile:
        """The mission's link profile."""
        return self.mission.link_profile

"""The configuration of a station."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from groundstation.errors import CallerError
from groundstation.links.base import NamedLink
from protocols.declare.dictionary import ANY_SCID, Dictionary
from protocols.declare.mission import Mission
from protocols.nearest import nearest
from protocols.profile import LinkProfile


@dataclass(frozen=True, slots=True)
class StationConfig:
    """The configuration of a station, given at its start.

    Attributes:
        link: its URL; of several links, all their names and URLs, as text.
        recording: None to keep nothing: for replays.
        mission: what the spacecraft is, and how its frames lie on the wire.
        bind: where remote clients connect, besides the private endpoints: telemetry there, commands at the next port.
        key: the station's own, by name; needed for a ``bind`` that others can reach.
        links: if the station has several that carry the same spacecraft: all of them.
        commands: name of the link over which telecommands go out; empty: the first.

    Raises:
        CallerError: the mission has no SCID, as one from XTCE: no frame could be its own; or a name or URL stands
            twice among the links, or none has the name of that for commands.
    """

    name: str
    link: str
    recording: Path | None
    mission: Mission
    bind: str | None = None
    key: str | None = None
    links: tuple[NamedLink, ...] = ()
    commands: str = ""

    def __post_init__(self) -> None:
        if self.dictionary.scid == ANY_SCID:
            text = (
                f"mission {self.mission.name} has no SCID and no channels: give it both in Python, see own-mission.md"
            )
            raise CallerError(text)
        for what, given in (("name", [each.name for each in self.links]), ("URL", [each.url for each in self.links])):
            twice = next((each for each in given if given.count(each) > 1), None)
            if twice is not None:
                raise CallerError(f"two links have the {what} {twice!r}: each needs its own")
        names = [each.name for each in self.links]
        if self.commands and self.commands not in names:
            raise CallerError(f"no link is named {self.commands!r}{nearest(self.commands, names)}")

    @property
    def all_links(self) -> tuple[NamedLink, ...]:
        """The links, also if there is but one."""
        return self.links or (NamedLink("", self.link),)

    @property
    def command_link(self) -> int:
        """The place of the link over which telecommands go out."""
        return [each.name for each in self.links].index(self.commands) if self.commands else 0

    @property
    def dictionary(self) -> Dictionary:
        """The mission's."""
        return self.mission.dictionary

    @property
    def profile(self) -> LinkProfile:
        """The mission's link profile."""
        return self.mission.link_profile

"""Which mission decodes a recording: the one that is given, an installed one that made it, or what it keeps of it."""

from __future__ import annotations

from dataclasses import replace

from groundstation.errors import CallerError
from groundstation.recordings.mission_facts import (
    DICTIONARY_HASH,
    LINK_PROFILE,
    MISSION,
    MISSION_SOURCE,
    XTCE,
    kept_xtce,
)
from groundstation.recordings.reader import ArchiveReader
from protocols.declare.loading import installed, load_mission, mission_from_xtce
from protocols.declare.mission import Mission
from protocols.errors import DeclarationError
from protocols.profile_text import profile_from_toml


def recorded_mission(reader: ArchiveReader, given: Mission | None = None) -> tuple[Mission, str]:
    """The mission that decodes a recording.

    Args:
        reader: of the recording.
        given: the mission to take; None: an installed one of the name that the recording keeps, else the one that
            the recording's own XTCE describes.

    Returns:
        The mission, and a warning if its dictionary is not the one that the recording was made with; else "".

    Raises:
        CallerError: the recording is of a mission that is not installed, and keeps no XTCE that can be read.
    """
    meta = reader.meta()
    default = load_mission()
    name, hash_text = meta.get(MISSION, default.name), meta.get(DICTIONARY_HASH, default.dictionary.hash_text)
    mission = given or installed_mission(name, hash_text)
    if mission is None:
        return kept_mission(reader)
    if mission.dictionary.hash_text == hash_text:
        return mission, ""
    recorded = f"{reader.path} was recorded with dictionary {hash_text} of {name}"
    return mission, f"{recorded}, decoded with {mission.dictionary.hash_text} of {mission.name}: values may be wrong"


def kept_mission(reader: ArchiveReader) -> tuple[Mission, str]:
    """The mission as a recording itself describes it, and a warning that says so; its source is the recording.

    Raises:
        CallerError: the recording keeps no XTCE, or none that can be read.
    """
    meta = reader.meta()
    name = meta.get(MISSION, "")
    advice = f"{reader.path} was recorded with mission {name}: name it, --mission {meta.get(MISSION_SOURCE) or 'NAME'}"
    if XTCE not in meta:
        raise CallerError(advice)
    try:
        mission = mission_from_xtce(kept_xtce(meta[XTCE]), str(reader.path.absolute()))
        if LINK_PROFILE in meta:
            mission = replace(mission, link_profile=profile_from_toml(meta[LINK_PROFILE]))
    except DeclarationError as error:
        raise CallerError(f"{advice}; what the recording keeps of it cannot be read: {error}") from error
    lost = f"; not read: {mission.problems[0]}" if mission.problems else ""
    lost += f", and {len(mission.problems) - 1} more" if len(mission.problems) > 1 else ""
    return mission, f"mission {name} is not installed: {reader.path} is read by the XTCE that it keeps{lost}"


def installed_mission(name: str, hash_text: str) -> Mission | None:
    """The installed mission of that name, best with that hash. One that does not load is not it."""
    found: list[Mission] = []
    for each in installed():
        try:
            found.append(load_mission(each))
        except DeclarationError:
            continue
    same = [mission for mission in found if mission.name == name]
    return next((mission for mission in same if mission.dictionary.hash_text == hash_text), next(iter(same), None))

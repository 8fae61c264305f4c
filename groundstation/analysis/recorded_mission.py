"""Which mission decodes a recording: the one that is given, or an installed one that made it."""

from __future__ import annotations

from groundstation.errors import CallerError
from groundstation.recordings.mission_facts import DICTIONARY_HASH, MISSION, MISSION_SOURCE
from groundstation.recordings.reader import ArchiveReader
from protocols.declare.loading import installed, load_mission
from protocols.declare.mission import Mission
from protocols.errors import DeclarationError


def recorded_mission(reader: ArchiveReader, given: Mission | None = None) -> tuple[Mission, str]:
    """The mission that decodes a recording.

    Args:
        reader: of the recording.
        given: the mission to take; None: an installed one of the name that the recording keeps.

    Returns:
        The mission, and a warning if its dictionary is not the one that the recording was made with; else "".

    Raises:
        CallerError: the recording is of a mission that is not installed.
    """
    meta = reader.meta()
    default = load_mission()
    name, hash_text = meta.get(MISSION, default.name), meta.get(DICTIONARY_HASH, default.dictionary.hash_text)
    mission = given or installed_mission(name, hash_text)
    if mission is None:
        source = meta.get(MISSION_SOURCE, "")
        raise CallerError(f"{reader.path} was recorded with mission {name}: name it, --mission {source or 'NAME'}")
    if mission.dictionary.hash_text == hash_text:
        return mission, ""
    recorded = f"{reader.path} was recorded with dictionary {hash_text} of {name}"
    return mission, f"{recorded}, decoded with {mission.dictionary.hash_text} of {mission.name}: values may be wrong"


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

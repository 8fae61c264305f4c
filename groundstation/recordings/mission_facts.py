"""What a recording keeps of its mission, so that it can be opened later: name, hash, where it was loaded from, XTCE."""

from __future__ import annotations

from protocols.declare.mission import Mission
from protocols.export.xtce import render_xtce

MISSION, DICTIONARY_HASH, MISSION_SOURCE, XTCE = "mission", "dictionary_hash", "mission_source", "xtce"
"""Keys of the table ``meta``."""


def mission_facts(mission: Mission) -> dict[str, str]:
    """Rows for the table ``meta`` of a recording."""
    dictionary = mission.dictionary
    facts = {MISSION: dictionary.name, DICTIONARY_HASH: dictionary.hash_text, XTCE: render_xtce(dictionary)}
    return facts | ({MISSION_SOURCE: mission.source} if mission.source else {})

"""What a recording keeps of its mission, so that it can be opened later: name, hash, source, link profile, XTCE."""

from __future__ import annotations

from protocols.declare.mission import Mission
from protocols.export.xtce import render_xtce
from protocols.profile_text import profile_to_toml

MISSION, DICTIONARY_HASH, MISSION_SOURCE, XTCE = "mission", "dictionary_hash", "mission_source", "xtce"
LINK_PROFILE = "link_profile"
"""Keys of the table ``meta``."""


def mission_facts(mission: Mission) -> dict[str, str]:
    """Rows for the table ``meta`` of a recording."""
    dictionary = mission.dictionary
    facts = {MISSION: dictionary.name, DICTIONARY_HASH: dictionary.hash_text, XTCE: render_xtce(dictionary)}
    facts |= {LINK_PROFILE: profile_to_toml(mission.link_profile)}
    return facts | ({MISSION_SOURCE: mission.source} if mission.source else {})

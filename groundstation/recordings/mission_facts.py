"""What a recording keeps of its mission, so that it can be opened later: name, hash, source, link profile, XTCE."""

from __future__ import annotations

import binascii
import zlib
from base64 import b64decode, b64encode
from contextlib import suppress
from functools import lru_cache

from protocols.declare.dictionary import Dictionary
from protocols.declare.mission import Mission
from protocols.errors import DeclarationError
from protocols.export.xtce import render_xtce
from protocols.profile_text import profile_to_toml

MISSION, DICTIONARY_HASH, MISSION_SOURCE, XTCE = "mission", "dictionary_hash", "mission_source", "xtce"
LINK_PROFILE = "link_profile"
"""Keys of the table ``meta``."""

_XTCE_MAX = 32 << 20
"""Bytes of an XTCE document that is unpacked."""


def mission_facts(mission: Mission) -> dict[str, str]:
    """Rows for the table ``meta`` of a recording.

    There is no XTCE of a mission whose names fall together in it: its recordings are read with the mission at hand.
    """
    dictionary = mission.dictionary
    facts = {MISSION: dictionary.name, DICTIONARY_HASH: dictionary.hash_text}
    with suppress(DeclarationError):
        facts[XTCE] = _packed_xtce(_Same(dictionary))
    facts |= {LINK_PROFILE: profile_to_toml(mission.link_profile)}
    return facts | ({MISSION_SOURCE: mission.source} if mission.source else {})


def kept_xtce(packed: str) -> bytes:
    """The XTCE document that a recording keeps.

    Raises:
        DeclarationError: the text is damaged, or too long.
    """
    try:
        unpacking = zlib.decompressobj()
        document = unpacking.decompress(b64decode(packed, validate=True), _XTCE_MAX)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise DeclarationError(XTCE, f"damaged: {error}") from error
    if not unpacking.eof:
        raise DeclarationError(XTCE, f"damaged, or longer than {_XTCE_MAX:,} bytes")
    return document


class _Same:
    """A dictionary as a key: equal to itself alone. To compare all that is declared takes longer than to render it."""

    def __init__(self, dictionary: Dictionary) -> None:
        self.dictionary = dictionary

    def __hash__(self) -> int:
        return id(self.dictionary)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.dictionary is self.dictionary


@lru_cache(maxsize=4)
def _packed_xtce(same: _Same) -> str:
    """The XTCE by zlib in base64: a ninth of the document, so that the row is a small one.

    A campaign makes a recording every quarter of a second, all of one mission: it is rendered once.
    """
    return b64encode(zlib.compress(render_xtce(same.dictionary).encode())).decode()

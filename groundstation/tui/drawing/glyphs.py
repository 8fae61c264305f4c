"""The characters the screen draws with: Unicode, or ASCII for LANG=C and old terminals."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from groundstation.formats.printable import printable
from protocols.words import LimitState

_ASCII_TABLE = str.maketrans(
    {
        "°": "deg",
        "²": "2",
        "³": "3",
        "µ": "u",
        "μ": "u",
        "·": ".",
        "−": "-",
        "–": "-",
        "—": "-",
        "→": "->",
        "…": "..",
        "×": "x",
        "±": "+-",
        "≥": ">=",
        "≤": "<=",
        "‘": "'",
        "’": "'",
    }
)


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One alphabet. Limit symbols have the same width within an alphabet, so that columns hold."""

    unicode: bool
    nominal: str
    caution: str
    warning: str
    critical: str
    suspect: str
    unusable: str
    stale: str
    never: str
    rule: str
    edge: str
    tick: str
    passed: str
    ahead: str
    here: str
    lit: str
    half: str
    unlit: str
    yes: str
    no: str
    unknown: str
    absent: str
    arrow: str
    bar: str
    planned: str
    ellipsis: str
    more: str
    beat: str

    def text(self, text: str) -> str:
        """Foreign text in this alphabet: as it is, or spelled in ASCII."""
        shown = printable(text)
        if self.unicode:
            return shown
        return shown.translate(_ASCII_TABLE).encode("ascii", "replace").decode()

    def limit(self, state: LimitState) -> str:
        """The symbol of a limit state."""
        if state == "GREEN":
            return self.nominal
        return self.critical if state.startswith("RED") else self.caution


UNICODE = Glyphs(
    unicode=True, nominal="·", caution="▲", warning="◆", critical="■", suspect="≈", unusable="✗", stale="◷",
    never="?", rule="─", edge="│",
    tick="┿", passed="━", ahead="─", here="◆", lit="●", half="◐", unlit="○", yes="✓", no="✗", unknown="·",
    absent="—", arrow="→", bar="┃", planned="┊", ellipsis="…", more="▾", beat="⠋⠙⠸⠴⠦⠇",
)  # fmt: skip

ASCII = Glyphs(
    unicode=False, nominal=". ", caution="! ", warning="!!", critical="##", suspect="?!", unusable="XX", stale="~",
    never="? ", rule="-", edge="|", tick="+", passed="=", ahead="-", here="O", lit="*", half="o", unlit="-", yes="+",
    no="X",     unknown=".", absent="-", arrow=">", bar="|", planned=":", ellipsis="~", more="v", beat="|/-\\",
)  # fmt: skip


def ascii_wanted(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the locale cannot show more than ASCII."""
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    return "utf-8" not in locale.lower() and "utf8" not in locale.lower()

r"""Text that others wrote, as it can be shown: in a terminal, a log, a report, on the clipboard.

A recording, a file's name, a USB string, a board's console, a peer's message can hold what a terminal obeys (ESC and
the C1 controls), what moves later text (bidi overrides), what cannot be seen (zero width) or what no encoding takes
(lone surrogates). Each such character becomes its escape as Python writes it: ``\x1b``, ``\u202e``, ``\udcff``.

Rules:
1. All that is said to people goes through `printable`, at the outlet: `groundstation.formats.output` for the
   command lines, `Panel.show` for the screens, `markup.esc` for reports. Who composes text need not think of it.
2. JSON stays the same value: `printable_json` writes such characters as JSON's own escapes.
3. A command that is shown to be copied is put together by `shell_join`: pasted into a shell it is what was meant, and
   nothing else, whatever is in the names.
"""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Iterable

_KEPT_IN_LINES = frozenset("\n\t")
_SEEN_IN_JSON = re.compile(r"[\x20-\x7e\n]+")


def printable(text: object, *, lines: bool = False) -> str:
    r"""The text with everything that is not a visible character or space as its escape.

    Args:
        text: what is to be shown; of other things than text, what `str` says of them.
        lines: leave line ends and tabs as they are; ``\r\n`` is a line end.
    """
    said = str(text)
    if said.isprintable():
        return said
    if not lines:
        return "".join(map(_shown, said))
    return "".join(c if c in _KEPT_IN_LINES else _shown(c) for c in said.replace("\r\n", "\n"))


def printable_json(text: str) -> str:
    """JSON of the same value, without control characters or invisible ones.

    Outside of strings JSON is ASCII, so whatever else is in it is in a string, where an escape says the same.
    """
    if text.isprintable() or _SEEN_IN_JSON.fullmatch(text):
        return text
    return "".join(c if c == "\n" or _is_seen(c) else _json_escape(c) for c in text)


def encodable(text: object) -> str:
    """The text as JSON and any other UTF-8 take it: a file's name may be bytes that are none. Controls stay."""
    return str(text).encode(errors="backslashreplace").decode()


def shell_join(words: Iterable[str]) -> str:
    """A command line for a shell: as `shlex.join`, but one line of visible characters, whatever the words hold."""
    return " ".join(shlex.quote(word) if word.isprintable() else _ansi_quoted(word) for word in words)


def _shown(char: str) -> str:
    return char if _is_seen(char) else char.encode("unicode_escape").decode()


def _is_seen(char: str) -> bool:
    """Python's own word for it, and the spaces of typography; not the separators of lines, nor what has no glyph."""
    return char.isprintable() or unicodedata.category(char) == "Zs"


def _json_escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[n : n + 4]}" for n in range(0, len(units), 4))


def _ansi_quoted(word: str) -> str:
    """A word as bash, zsh and ksh read it: its bytes, those that are not visible ASCII in octal."""
    try:
        octets = word.encode("utf-8", "surrogateescape")  # the bytes of a file's name
    except UnicodeEncodeError:
        octets = word.encode("utf-8", "surrogatepass")
    text = "".join(chr(o) if 0x20 <= o < 0x7F and o not in b"'\\" else f"\\{o:03o}" for o in octets)
    return f"$'{text}'"

"""Elements of HTML and SVG as text. What is not `Markup` is escaped, so nothing from a run becomes markup."""

from __future__ import annotations

import html
import re

_VOID = {"meta", "br", "wbr"}
_EMPTY = {"path", "rect", "line", "use", "circle"}
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Attribute = str | int | float | None
"""None leaves the attribute out; a float is written with at most three decimals."""


def el(name: str, /, *children: str, **attributes: Attribute) -> Markup:
    """An element. Names of attributes: ``class_`` is class, ``data_x`` is data-x."""
    given = "".join(f' {_key(key)}="{_value(value)}"' for key, value in attributes.items() if value is not None)
    if name in _VOID:
        return Markup(f"<{name}{given}>")
    if name in _EMPTY and not children:
        return Markup(f"<{name}{given}/>")
    return Markup(f"<{name}{given}>{join(children)}</{name}>")


def join(parts: list[Markup] | tuple[str, ...] | list[str], between: str = "") -> Markup:
    """Parts in a row; those that are plain text are escaped."""
    return Markup(between.join(part if isinstance(part, Markup) else esc(part) for part in parts))


def esc(text: str) -> Markup:
    """Text as it shall be read, whatever is in it."""
    return Markup(html.escape(visible(text)))


def visible(text: str) -> str:
    """Text without control characters: what a console wrote must not act on a reader, or break XML.

    Line ends and tabs stay; other controls become their pictures, and what turns the direction of text, lone
    surrogates and the like become escapes.
    """
    return _UNSEEN.sub(_picture, text.replace("\r\n", "\n"))


def number(value: float) -> str:
    """A figure for an attribute: short, at most three decimals."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _key(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _value(value: str | float) -> str:
    return esc(value) if isinstance(value, str) else number(value)

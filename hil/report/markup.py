"""Elements of HTML and SVG as text. What is not `Markup` is escaped, so nothing from a run becomes markup."""

from __future__ import annotations

import html

from groundstation.formats.printable import printable

_VOID = {"meta", "br", "wbr", "input"}
_EMPTY = {"path", "rect", "line", "use", "circle"}


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
    """Text as it shall be read, whatever is in it; line ends and tabs stay."""
    return Markup(html.escape(printable(text, lines=True)))


def number(value: float) -> str:
    """A figure for an attribute: short, at most three decimals."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _key(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _value(value: str | float) -> str:
    return esc(value) if isinstance(value, str) else number(value)

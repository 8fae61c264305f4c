"""The first byte that differs, in hex, with those around it: what had to be there above what was found."""

from __future__ import annotations

from itertools import zip_longest

from hil.report.markup import Markup, el, esc, join
from hil.report.words import grouped, utc_ms
from hil.verdict.result import Mismatch
from protocols.profile import UART

_ROW = 16
_ABSENT = "··"


def hexdiff(found: Mismatch) -> Markup:
    """The place in words, then rows of bytes; those that differ are marked and underlined by carets."""
    expected, actual = _bytes(found.expected), _bytes(found.found)
    rows = [
        _rows(found.start + at, expected[at : at + _ROW], actual[at : at + _ROW])
        for at in range(0, max(len(expected), len(actual)), _ROW)
    ]
    differing = sum(a != b for a, b in zip_longest(expected, actual))
    within = found.offset - found.frame * UART.cadu_length
    place = f"byte {grouped(found.offset)}, in frame {grouped(found.frame)}"
    place += f" at its byte {within}" if 0 <= within < UART.cadu_length else ""
    place += f", mission time {utc_ms(found.scet)}" if found.scet is not None else ""
    field = [el("p", found.field, class_="field")] if found.field else []
    text = f"{found.stream}: the first difference is {place}. Of the bytes shown {grouped(differing)} differ."
    pre = el("pre", join(rows, "\n"), class_="hex", tabindex=0, role="group", aria_label="Bytes around it")
    return join([*field, el("p", text), pre, el("p", _key(expected, actual), class_="caption")])


def _key(expected: list[str], actual: list[str]) -> str:
    short = f" {_ABSENT} is after the end of a stream." if len(expected) != len(actual) else ""
    return f"E is expected, F is found; ^^ marks what differs.{short}"


def _bytes(text: str) -> list[str]:
    """Pairs of digits, whatever stands between them."""
    digits = "".join(text.split())
    return [digits[n : n + 2] for n in range(0, len(digits), 2)]


def _rows(offset: int, expected: list[str], actual: list[str]) -> Markup:
    pairs = list(zip_longest(expected, actual, fillvalue=_ABSENT))
    above = [_byte(a, a != b) for a, b in pairs]
    below = [_byte(b, a != b) for a, b in pairs]
    out = [join([esc(f"{offset:8d} E "), join(above, " ")]), join([esc(f"{'':8} F "), join(below, " ")])]
    if any(a != b for a, b in pairs):
        out.append(esc(f"{'':8}   " + " ".join("^^" if a != b else "  " for a, b in pairs).rstrip()))
    return join(out, "\n")


def _byte(digits: str, differs: bool) -> Markup:
    return el("mark", digits) if differs else esc(digits)

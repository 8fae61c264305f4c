"""Values as JSON, the same in every outlet: messages, files, command lines, reports. docs/data.md says it for users.

Rules:
1. JSON has no number for what is none: NaN and the infinities are the strings "NaN", "Infinity" and "-Infinity". null
   is a value that is absent, and nothing else. `restored` turns the strings into numbers again.
2. Many readers take integers beyond 2⁵³ for floats (jq 1.6, JavaScript) and round them. So beside every time, in ns
   since 1970, stands the same as ISO 8601 text, under its name with ``_utc``; `beyond_53_bits` has the text of other
   integers.
3. Text that UTF-8 does not take (a file's name may be any bytes) is escaped: it may look odd, but ends no program.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cache
from types import NoneType
from typing import Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from groundstation.formats.iso_time import iso_utc
from groundstation.formats.printable import encodable

T = TypeVar("T")

NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""The words of rule 1. No enum may use them (`protocols.structures.layout`): they read back as numbers."""

SAFE = 2**53
"""Integers up to here are exact in every language."""

_TIMES = frozenset({"ert", "scet", "started", "issued", "received", "onboard", "armed_until"})
_TIME_ENDS = ("_ert", "_scet")
_TIMES_OF = {
    "CurveData": ("first",),
    "FaultSummary": ("windows",),
    "History": ("loss_marks",),
    "Moment": ("time",),
    "OnboardSpan": ("first", "last"),
    "PlaybackStatus": ("at", "counted_from", "first", "last"),
    "RunResult": ("start", "planned_los", "observed_los"),
    "Snapshot": ("clock",),
}
"""Fields whose names say it only in their place."""
_WITHOUT_FLOATS = frozenset({int, bool, str, NoneType})
_encoder = msgspec.json.Encoder()


def encode_json(value: object, *, times: bool = False) -> bytes:
    """A value as JSON.

    Args:
        value: what msgspec encodes.
        times: whether times stand there as text, too: for outlets, not for what only this project reads.
    """
    named: tuple[str, ...] = ()
    if times and isinstance(value, msgspec.Struct) and not (plan := _plan(type(value))).nested:
        named = plan.times
    elif times:
        plain = msgspec.to_builtins(value)
        _add_times(value, plain)
        value = plain
    try:
        encoded = _encoder.encode(value)
        nulls = encoded.count(b"null")  # msgspec's word for NaN and the infinities, and for None
        if nulls and nulls != _absent(value) and not _finite(value):
            encoded = _encoder.encode(_worded(msgspec.to_builtins(value)))
    except UnicodeEncodeError:
        encoded = _encoder.encode(_encodable(msgspec.to_builtins(value)))
    return encoded[:-1] + _members(value, named) if named else encoded


def numbered(plain: Any) -> Any:
    """A decoded JSON value with the words of rule 1 as numbers again: of what has no text that could be such a word."""
    if isinstance(plain, dict):
        return {key: numbered(item) for key, item in plain.items()}
    if isinstance(plain, list):
        return [numbered(item) for item in plain]
    return NOT_FINITE.get(plain, plain) if isinstance(plain, str) else plain


def word_of(value: float) -> str | None:
    """The word for a number that is none; None for all others."""
    if math.isfinite(value):
        return None
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def restored(values: dict[str, T]) -> dict[str, T]:
    """Decoded values with the words of rule 1 as numbers again, in place."""
    for name, value in values.items():
        if isinstance(value, str) and value in NOT_FINITE:
            values[name] = NOT_FINITE[value]  # type: ignore[assignment]  # T has float among others
    return values


def beyond_53_bits(values: Mapping[str, object]) -> dict[str, str]:
    """The integers among these that a reader may round, as text."""
    return {name: str(v) for name, v in values.items() if isinstance(v, int) and not -SAFE <= v <= SAFE}


def _absent(value: object) -> int:
    """How many None are surely in a message, in its fields and in their dicts: in telemetry they are all."""
    if not isinstance(value, msgspec.Struct) or value.__struct_config__.omit_defaults:
        return 0
    fields = msgspec.structs.astuple(value)
    absent = fields.count(None)
    for field in fields:
        if field.__class__ is dict:
            absent += [*field.values()].count(None)
    return absent


def _finite(value: Any) -> bool:
    """Whether JSON has all the numbers in a value."""
    if isinstance(value, float):
        return math.isfinite(value)
    if value is None or isinstance(value, int | str):
        return True
    if isinstance(value, dict):
        value = value.values()
    elif isinstance(value, msgspec.Struct):
        value = msgspec.structs.astuple(value)
    elif not isinstance(value, list | tuple):
        plain = msgspec.to_builtins(value)
        return plain is value or _finite(plain)
    for item in value:  # a result has thousands of numbers: without a call for each
        kind = item.__class__
        if kind is float:
            if not math.isfinite(item):
                return False
        elif kind not in _WITHOUT_FLOATS and not _finite(item):
            return False
    return True


def _worded(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {key: _worded(item) for key, item in plain.items()}
    if isinstance(plain, list | tuple):
        return [_worded(item) for item in plain]
    return (word_of(plain) or plain) if isinstance(plain, float) else plain


def _encodable(plain: Any) -> Any:
    if isinstance(plain, str):
        return encodable(plain)
    if isinstance(plain, dict):
        return {_encodable(key): _encodable(item) for key, item in plain.items()}
    return [_encodable(item) for item in plain] if isinstance(plain, list | tuple) else _worded(plain)


class _Plan(NamedTuple):
    """What is to be done with the fields of a struct: which are times, and which may have times in them."""

    times: tuple[str, ...]
    nested: tuple[str, ...]


def _add_times(value: object, plain: Any) -> None:
    """Put the text beside every time in a value that is plain already."""
    if isinstance(value, msgspec.Struct):
        plan = _plan(type(value))
        for name in plan.nested:
            if name in plain:
                _add_times(getattr(value, name), plain[name])
        for name in plan.times:
            if name in plain:
                plain[f"{name}_utc"] = _text(getattr(value, name))
    elif isinstance(value, list | tuple):
        for item, its_plain in zip(value, plain, strict=True):
            _add_times(item, its_plain)
    elif isinstance(value, dict):
        for item, its_plain in zip(value.values(), plain.values(), strict=True):
            _add_times(item, its_plain)


def _members(value: object, names: tuple[str, ...]) -> bytes:
    """The text of a struct's times, and its closing brace."""
    text = ""
    for name in names:
        if (time := getattr(value, name)) is not None:
            text += f',"{name}_utc":"{iso_utc(time)}"'
    return (text + "}").encode()


def _text(time: object) -> object:
    if isinstance(time, list | tuple):
        return [_text(each) for each in time]
    return iso_utc(time) if isinstance(time, int) else None


@cache
def _plan(kind: type[msgspec.Struct]) -> _Plan:
    if kind.__struct_config__.array_like:  # there is no room beside anything
        return _Plan((), ())
    hints = get_type_hints(kind)
    times = times_of(kind)
    nested = [name for name in kind.__struct_fields__ if any(map(_has_times, _types_in(hints[name])))]
    nested += [name for name in times if any(get_origin(hint) in (list, tuple) for hint in _types_in(hints[name]))]
    return _Plan(times, tuple(nested))


def times_of(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields of a struct that are times, recognised by their names."""
    more = _TIMES_OF.get(kind.__name__, ())
    return tuple(name for name in kind.__struct_fields__ if name in _TIMES or name.endswith(_TIME_ENDS) or name in more)


def _types_in(hint: Any) -> Iterator[Any]:
    """A type and all that it is made of."""
    yield hint
    for part in get_args(hint):
        yield from _types_in(part)


def _has_times(hint: Any, within: frozenset[Any] = frozenset()) -> bool:
    """Whether a type is a struct with a time in it, or in a struct in it."""
    if not (isinstance(hint, type) and issubclass(hint, msgspec.Struct)) or hint in within:
        return False
    if hint.__struct_config__.array_like:
        return False
    parts = (part for each in get_type_hints(hint).values() for part in _types_in(each))
    return bool(times_of(hint)) or any(_has_times(part, within | {hint}) for part in parts)

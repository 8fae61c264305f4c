"""What a person types as an order: read, checked and completed before the station is asked. No Textual.

    STEP ticks=10             a command of the spacecraft; `STEP 10` will do
    FIRE_RETROS --bypass      past the sequence control of COP-1
    arm 30, acknowledge       requests to the station itself, in small letters
    unlock, cop-initiate, …   directives to FOP-1

The station checks again and has the last word; what is refused here was never sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

from groundstation.errors import CommandRefused
from groundstation.messages.commanding import ArgumentInfo, CommandInfo
from groundstation.uplink.arming import ARM_MAX_S
from groundstation.viewer.requests import AnyOrder, RequestFactory
from protocols.nearest import nearest

BYPASS = "--bypass"
_SWITCH = ("on", "off")
_SWITCH_TOO = ("true", "false", "1", "0")


def _own(name: str, description: str, *arguments: ArgumentInfo) -> CommandInfo:
    return CommandInfo(name=name, description=description, critical=False, arguments=list(arguments))


_SECONDS = ArgumentInfo(
    name="seconds", unit="s", description="until it expires by itself", range_text=f"0 … {ARM_MAX_S:g} s",
    low=0, high=ARM_MAX_S,
)  # fmt: skip

STATION_ORDERS = (
    _own("arm", "Allow critical commands for so many seconds.", _SECONDS),
    _own("disarm", "Forbid critical commands at once."),
    _own("acknowledge", "Acknowledge all losses of signal, for all viewers."),
    _own("unlock", "Leave lockout: initiate COP-1 with Unlock."),
    _own("cop-initiate", "Initiate COP-1 with a CLCW check."),
    _own("cop-terminate", "Terminate the service of COP-1; what waits is given up."),
    _own("cop-resume", "Resume COP-1 where it was suspended."),
)
"""What is ordered from the station and not from the spacecraft."""

_DIRECTIVES = {"cop-initiate": "initiate-with-clcw-check", "cop-terminate": "terminate", "cop-resume": "resume"}


@dataclass(frozen=True, slots=True)
class CommandDraft:
    """A command, ready to be ordered; arguments as text."""

    name: str
    arguments: dict[str, str]
    bypass: bool = False


@dataclass(frozen=True, slots=True)
class ArmDraft:
    """Arming for so many seconds; 0 disarms."""

    seconds: float


@dataclass(frozen=True, slots=True)
class AcknowledgeDraft:
    """Acknowledging all losses."""


@dataclass(frozen=True, slots=True)
class DirectiveDraft:
    """A directive to FOP-1."""

    name: str


Draft = CommandDraft | ArmDraft | AcknowledgeDraft | DirectiveDraft


def matching(text: str, known: Sequence[CommandInfo]) -> list[CommandInfo]:
    """What may be meant by the first word so far: those that begin with it, else those that contain it."""
    word, space, _ = text.lstrip().partition(" ")
    wanted = word.casefold()
    if space:
        return [info for info in known if info.name.casefold() == wanted]
    begin = [info for info in known if info.name.casefold().startswith(wanted)]
    return begin or [info for info in known if wanted in info.name.casefold()]


def read(text: str, known: Sequence[CommandInfo]) -> Draft:
    """The request that was typed.

    Raises:
        CommandRefused: no such command, or an argument is missing, unknown, of the wrong type or out of its range.
    """
    words = text.split()
    if not words:
        raise CommandRefused("type a command, or choose one with the arrow keys and Tab")
    bypass = BYPASS in words[1:]
    info = find(words[0], known)
    arguments = _arguments(info, [word for word in words[1:] if word != BYPASS])
    if info not in STATION_ORDERS:
        return CommandDraft(info.name, arguments, bypass)
    if info.name in ("arm", "disarm"):
        return ArmDraft(float(arguments.get("seconds", 0)))
    if info.name == "acknowledge":
        return AcknowledgeDraft()
    return DirectiveDraft(_DIRECTIVES.get(info.name, info.name))


def find(word: str, known: Sequence[CommandInfo]) -> CommandInfo:
    """The command of that name, in whatever case.

    Raises:
        CommandRefused: there is none; names the nearest.
    """
    for info in known:
        if info.name.casefold() == word.casefold():
            return info
    raise CommandRefused(f"there is no command {word!r}{nearest(word, (info.name for info in known))}")


def order_of(draft: Draft, orderer: RequestFactory) -> AnyOrder:
    """The request as it is sent to the station."""
    if isinstance(draft, CommandDraft):
        return orderer.command(draft.name, draft.arguments, bypass=draft.bypass)
    if isinstance(draft, ArmDraft):
        return orderer.arm(draft.seconds)
    return orderer.acknowledge() if isinstance(draft, AcknowledgeDraft) else orderer.directive(draft.name)


def complete(text: str, chosen: CommandInfo | None) -> str:
    """The text with its last word made whole, or with the next argument begun; ``chosen`` is the command meant."""
    words = text.split()
    if chosen is None:
        return text
    if not words or (len(words) == 1 and not text.endswith(" ")):
        return _begin_next(f"{chosen.name} ", chosen, [])
    if text.endswith(" "):
        return _begin_next(text, chosen, words[1:])
    *before, last = words
    name, equals, value = last.partition("=")
    head = " ".join(before)
    if not equals:
        named = _only(name, [argument.name for argument in chosen.arguments])
        return text if named is None else f"{head} {named}="
    label = _only(value, [label for a in chosen.arguments if a.name == name for label in a.labels])
    return text if label is None else f"{head} {name}={label} "


def hint(text: str, chosen: CommandInfo | None) -> str:
    """What may be typed for the argument that the text is about; empty where nothing is being typed for one."""
    last = text.rpartition(" ")[2]
    name, equals, _ = last.partition("=")
    if chosen is None or not equals:
        return ""
    found = [f"{a.name}: {a.range_text}. {a.description}" for a in chosen.arguments if a.name == name]
    return found[0] if found else ""


def _begin_next(text: str, info: CommandInfo, given: list[str]) -> str:
    names = [word.partition("=")[0] for word in given]
    missing = [argument.name for argument in info.arguments if argument.name not in names]
    return f"{text}{missing[0]}=" if missing else text


def _only(start: str, names: Iterable[str]) -> str | None:
    found = [name for name in names if name.casefold().startswith(start.casefold())]
    return found[0] if len(found) == 1 else None


def _arguments(info: CommandInfo, words: list[str]) -> dict[str, str]:
    """Arguments by name; a bare word is the next one that has not been given."""
    found: dict[str, str] = {}
    names = [argument.name for argument in info.arguments]
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            name, value = next((n for n in names if n not in found), ""), word
            if not name:
                raise CommandRefused(f"{info.name} takes no more: {word!r} is too much")
        if name not in names:
            raise CommandRefused(f"{info.name} has no argument {name!r}{nearest(name, names)}")
        if name in found:
            raise CommandRefused(f"{info.name}.{name} is given twice")
        found[name] = value
    for argument in info.arguments:
        if argument.name not in found:
            raise CommandRefused(f"{info.name}.{argument.name} is missing: {argument.range_text}")
        _check(f"{info.name}.{argument.name}", argument, found[argument.name])
    return found


def _check(path: str, argument: ArgumentInfo, text: str) -> None:
    if argument.labels:
        allowed = [*argument.labels, *(_SWITCH_TOO if tuple(argument.labels) == _SWITCH else ())]
        if text.casefold() not in [label.casefold() for label in allowed]:
            raise CommandRefused(f"{path} has no value {text!r}{nearest(text, argument.labels)}")
        return
    if argument.text:
        return  # how long it may be, and what characters it may have, the station knows
    number = _number(text)
    if number is None:
        raise CommandRefused(f"{path} is {text!r}: expected a number, {argument.range_text}")
    low, high = argument.low, argument.high
    if (low is not None and number < low) or (high is not None and number > high):
        raise CommandRefused(f"{path} is {text}: the range is {argument.range_text}")
    if argument.whole and number != int(number):
        raise CommandRefused(f"{path} is {text}: expected a whole number, {argument.range_text}")


def _number(text: str) -> float | None:
    try:
        return int(text, 0)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None

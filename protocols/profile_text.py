"""Profiles as TOML: read and written. `profile` and `capture_profile` say what the keys mean."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

from protocols.capture_profile import CaptureProfile, PacketsProfile, TcProfile
from protocols.errors import DeclarationError
from protocols.nearest import nearest
from protocols.profile import ChannelForm, LinkProfile, wrong_key
from protocols.toml_text import read_toml

_OFF = "off"
_KINDS: dict[str, type[CaptureProfile]] = {
    "TM": LinkProfile,
    "AOS": LinkProfile,
    "packets": PacketsProfile,
    "TC": TcProfile,
    "CLTU": TcProfile,
}
_CHANNELS = "vc"
"""The table of channels in TOML."""
_NAMES: dict[type, str] = {int: "a whole number", bool: "true or false", str: "a text", tuple: "a list of numbers"}


def read_profile(text: str) -> CaptureProfile:
    """The profile that a TOML text declares.

    Raises:
        DeclarationError: no TOML, an unknown key, a value of another type, or switches that contradict each other.
    """
    try:
        table = read_toml(text)
    except ValueError as error:
        raise DeclarationError("profile", str(error)) from error
    kind = table.get("kind", "TM")
    if not isinstance(kind, str):
        raise wrong_key("kind", f"{kind!r}{_place('kind', text)} is not a text")
    if kind not in _KINDS:
        raise wrong_key("kind", f"{kind!r}{_place('kind', text)} is not one of {', '.join(_KINDS)}")
    known = _defaults(_KINDS[kind])
    values = {_attribute(key): _value(key, value, known, text) for key, value in table.items()}
    return _KINDS[kind](**values)


def profile_from_toml(text: str) -> LinkProfile:
    """The profile of a link that a TOML text declares.

    Raises:
        DeclarationError: as for `read_profile`, or a profile of something else than TM or AOS frames.
    """
    profile = read_profile(text)
    if not isinstance(profile, LinkProfile):
        raise wrong_key("kind", f"{profile.kind!r} is a kind of file; a link carries 'TM' or 'AOS' frames")
    return profile


def profile_to_toml(profile: CaptureProfile) -> str:
    """A TOML text that declares the profile: its kind, and what is not the default."""
    lines = [f'kind = "{profile.kind}"']
    if isinstance(profile, LinkProfile):
        lines.append(f"frame_length = {profile.frame_length}")
    for name, default in _defaults(type(profile)).items():
        value = getattr(profile, _attribute(name))
        if value != default and name not in ("kind", "frame_length", _CHANNELS):
            lines.append(f"{name} = {toml_value(value)}")
    for form in profile.channels if isinstance(profile, LinkProfile) else ():
        lines.append(f"\n[{_CHANNELS}.{form.vcid}]")
        lines += [] if form.ocf is None else [f"ocf = {toml_value(form.ocf)}"]
        lines += [] if form.data_field is None else [f"data_field = {toml_value(form.data_field)}"]
    return "\n".join(lines) + "\n"


def toml_value(value: object) -> str:
    """A value of a profile as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return f'"{value.hex().upper() or _OFF}"'
    if isinstance(value, tuple):
        return str(list(value))
    return f'"{value}"' if isinstance(value, str) else str(value)


def _defaults(kind: type[CaptureProfile]) -> dict[str, Any]:
    """The keys of a kind of profile with their defaults."""
    return {_CHANNELS if f.name == "channels" else f.name: f.default for f in fields(kind) if f.init}


def _attribute(key: str) -> str:
    return "channels" if key == _CHANNELS else key


def _value(key: str, value: object, known: dict[str, Any], text: str) -> Any:
    """A value as the attribute wants it."""
    if key not in known:
        raise wrong_key(key, f"no such key{_place(key, text)}{nearest(key, known)}")
    if key == "asm":
        return _marker(value, text)
    if key == _CHANNELS:
        return _channels(value, text)
    expected = type(known[key])
    if expected is tuple and isinstance(value, list) and all(type(each) is int for each in value):
        return tuple(value)
    if type(value) is not expected:
        raise wrong_key(key, f"{value!r}{_place(key, text)} is not {_NAMES[expected]}")
    return value


def _channels(value: object, text: str) -> tuple[ChannelForm, ...]:
    if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
        raise wrong_key(_CHANNELS, f"{value!r}{_place(_CHANNELS, text)}: expected tables, as in [vc.3]")
    return tuple(_channel(vcid, table, text) for vcid, table in sorted(value.items()))


def _channel(vcid: str, table: dict[str, object], text: str) -> ChannelForm:
    known = {"ocf": True, "data_field": ""}
    if not re.fullmatch(r"\d{1,2}", vcid):
        raise wrong_key(_CHANNELS, f"{vcid!r} is not the number of a virtual channel")
    values: dict[str, Any] = {key: _value(key, value, known, text) for key, value in table.items()}
    return ChannelForm(int(vcid), **values)


def _marker(value: object, text: str) -> bytes:
    if isinstance(value, str):
        if value.lower() == _OFF:
            return b""
        if re.fullmatch(r"(\s*[0-9A-Fa-f]{2})+\s*", value):
            return bytes.fromhex(value)
    raise wrong_key("asm", f'{value!r}{_place("asm", text)} is neither bytes in hex, as in "1ACFFC1D", nor "off"')


def _place(key: str, text: str) -> str:
    """Where a key stands: the parser does not tell."""
    pattern = re.compile(rf"\s*\[*\s*[\"']?{re.escape(key)}[\"']?\s*[=.\]]")
    for number, line in enumerate(text.splitlines(), 1):
        if pattern.match(line):
            return f" (line {number})"
    return ""

"""A link profile: how frames lie on the wire. Data, so that another link is another value or another TOML file.

    kind = "TM"                    # or "AOS"
    frame_length = 128             # bytes of the transfer frame, without ASM and without Reed–Solomon check symbols
    asm = "1ACFFC1D"               # in hex; "off" for bare frames one after the other
    ocf = true
    fecf = true
    rs_depth = 0                   # interleaving depth of Reed–Solomon (255,223), 1 … 8; 0 is none
    randomised = false             # with the pseudo-random sequence of 131.0-B §10
    alignment = "byte"             # "bit": the ASM starts at any bit, in either polarity
    secondary_header = 0           # TM only: its length in bytes, its own first byte included
    insert_zone = 0                # AOS only: its length in bytes
    header_error_control = false   # AOS only

Every key may be left out; what stands here is the default.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from protocols.errors import DeclarationError
from protocols.nearest import nearest
from protocols.toml_text import read_toml
from protocols.words import FrameKind

ASM = bytes.fromhex("1ACFFC1D")
"""Attached sync marker, CCSDS 131.0-B §9.3.5."""

RS_MESSAGE = 223
RS_CHECK = 32
"""Symbols of a Reed–Solomon codeword: message and check (131.0-B §4.3)."""

MAX_FRAME = {"TM": 2048, "AOS": 65536}
"""Longest frame of a kind, in bytes."""

MAX_DEPTH = 8

Alignment = Literal["byte", "bit"]

_HEADER = 6
_HEADER_ERROR_CONTROL = 2
_M_PDU_HEADER = 2
_OCF = 4
_FECF = 2
_OFF = "off"


@dataclass(frozen=True, slots=True)
class LinkProfile:
    """Transfer frames of one fixed length. The module says what each switch means; ``asm`` is empty for off.

    Attributes:
        block_length: the frame with its Reed–Solomon check symbols, in bytes.
        cadu_length: ASM, frame and check symbols, in bytes.
        data_offset: where the frame's packets start: behind the headers and the insert zone.
        data_length: bytes of a frame that carry packets: TM data field, AOS packet zone.
        vcfc_modulus: the virtual channel frame count starts again after so many frames.
        idle_vcid: the virtual channel that carries nothing: by convention 7 in TM, by the standard 63 in AOS.

    Raises:
        DeclarationError: the switches contradict each other; names the key.
    """

    frame_length: int = 128
    asm: bytes = ASM
    ocf: bool = True
    kind: FrameKind = "TM"
    fecf: bool = True
    rs_depth: int = 0
    randomised: bool = False
    alignment: Alignment = "byte"
    secondary_header: int = 0
    insert_zone: int = 0
    header_error_control: bool = False

    # These follow from the switches. They are asked for with every frame, so they are calculated once.
    block_length: int = field(init=False, repr=False, compare=False)
    cadu_length: int = field(init=False, repr=False, compare=False)
    data_offset: int = field(init=False, repr=False, compare=False)
    data_length: int = field(init=False, repr=False, compare=False)
    vcfc_modulus: int = field(init=False, repr=False, compare=False)
    idle_vcid: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_switches(self)
        _check_kind(self)
        offset = _data_offset(self)
        trailer = (_OCF if self.ocf else 0) + (_FECF if self.fecf else 0)
        block = self.frame_length + RS_CHECK * self.rs_depth
        _set(self, "block_length", block)
        _set(self, "cadu_length", len(self.asm) + block)
        _set(self, "data_offset", offset)
        _set(self, "data_length", self.frame_length - offset - trailer)
        _set(self, "vcfc_modulus", 1 << 8 if self.kind == "TM" else 1 << 24)
        _set(self, "idle_vcid", 7 if self.kind == "TM" else 63)
        shortest, longest = self.frame_length - self.data_length + 1, MAX_FRAME[self.kind]
        if not shortest <= self.frame_length <= longest:
            raise _wrong("frame_length", f"{self.frame_length} is not {shortest} … {longest} bytes")
        _check_code(self)


_set = object.__setattr__
"""How a frozen value is completed while it is made."""


def _data_offset(profile: LinkProfile) -> int:
    if profile.kind == "TM":
        return _HEADER + profile.secondary_header
    control = _HEADER_ERROR_CONTROL if profile.header_error_control else 0
    return _HEADER + control + profile.insert_zone + _M_PDU_HEADER


def _check_switches(profile: LinkProfile) -> None:
    for key in ("frame_length", "rs_depth", "secondary_header", "insert_zone"):
        if getattr(profile, key) < 0:
            raise _wrong(key, f"{getattr(profile, key)} is negative")
    if profile.kind not in ("TM", "AOS"):
        raise _wrong("kind", f"{profile.kind!r} is neither 'TM' nor 'AOS'")
    if profile.alignment not in ("byte", "bit"):
        raise _wrong("alignment", f"{profile.alignment!r} is neither 'byte' nor 'bit'")
    if len(profile.asm) == 1:
        raise _wrong("asm", "a sync marker has at least two bytes")
    if profile.alignment == "bit" and not profile.asm:
        raise _wrong("alignment", "a stream of bits without an ASM cannot be aligned")


def _check_kind(profile: LinkProfile) -> None:
    if profile.kind == "TM":
        for key in ("insert_zone", "header_error_control"):
            if getattr(profile, key):
                raise _wrong(key, "only AOS frames have one")
        if profile.secondary_header and not 2 <= profile.secondary_header <= 64:
            raise _wrong("secondary_header", f"{profile.secondary_header} is not 0 or 2 … 64 bytes")
    elif profile.secondary_header:
        raise _wrong("secondary_header", "only TM frames have one")


def _check_code(profile: LinkProfile) -> None:
    """Codewords of equal length: the frame is dealt out to them evenly (131.0-B §4.3.6 and §4.3.7)."""
    depth = profile.rs_depth
    if depth > MAX_DEPTH:
        raise _wrong("rs_depth", f"{depth} is not 0 … {MAX_DEPTH}")
    if depth and (profile.frame_length % depth or profile.frame_length > RS_MESSAGE * depth):
        problem = f"with rs_depth {depth} a frame is a multiple of {depth} and at most {RS_MESSAGE * depth} bytes"
        raise _wrong("frame_length", f"{profile.frame_length}: {problem}")


def _wrong(key: str, problem: str) -> DeclarationError:
    return DeclarationError(f"profile.{key}", problem)


UART = LinkProfile()
"""This lander's UART: 128-byte frames with OCF and FECF."""

_DEFAULTS: dict[str, Any] = {f.name: f.default for f in fields(LinkProfile) if f.init}


def profile_from_toml(text: str) -> LinkProfile:
    """The profile that a TOML text declares.

    Raises:
        DeclarationError: no TOML, an unknown key, a value of another type, or switches that contradict each other.
    """
    try:
        table = read_toml(text)
    except ValueError as error:
        raise DeclarationError("profile", str(error)) from error
    return LinkProfile(**{key: _value(key, value, text) for key, value in table.items()})


def _value(key: str, value: object, text: str) -> Any:
    """A value as the attribute wants it."""
    if key not in _DEFAULTS:
        raise _wrong(key, f"no such key{_place(key, text)}{nearest(key, _DEFAULTS)}")
    if key == "asm":
        return _marker(value, text)
    wanted = type(_DEFAULTS[key])
    if type(value) is not wanted:
        names = {int: "a whole number", bool: "true or false", str: "a text"}
        raise _wrong(key, f"{value!r}{_place(key, text)} is not {names[wanted]}")
    return value


def _marker(value: object, text: str) -> bytes:
    if isinstance(value, str):
        if value.lower() == _OFF:
            return b""
        if re.fullmatch(r"(\s*[0-9A-Fa-f]{2})+\s*", value):
            return bytes.fromhex(value)
    raise _wrong("asm", f'{value!r}{_place("asm", text)} is neither bytes in hex, as in "1ACFFC1D", nor "off"')


def _place(key: str, text: str) -> str:
    """Where a key stands: the parser does not tell."""
    pattern = re.compile(rf"\s*\[*\s*[\"']?{re.escape(key)}[\"']?\s*[=.\]]")
    for number, line in enumerate(text.splitlines(), 1):
        if pattern.match(line):
            return f" (line {number})"
    return ""

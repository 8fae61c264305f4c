"""Why a capture gave no frame: what else it may be. Sans-I/O.

Every hint was tried on the capture's first bytes, so it is true: what it says makes frames of them. What is only known
by its first bytes (compressed files, network captures) is said to be just that.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise, product
from typing import Any

from protocols.errors import DeclarationError, DecodeError
from protocols.profile import ASM, MAX_DEPTH, RS_CHECK, UART, LinkProfile
from protocols.profile_text import toml_value
from protocols.sync.bit_sync import BitDeframer, BitForm
from protocols.sync.deframer import Deframer, Frame
from protocols.sync.frames import decode_frame

SAMPLE = 1 << 16
"""So many bytes of a capture are looked at."""

_FEW = 1 << 14
"""So many, where each try is expensive."""

_COMPRESSED = {
    b"\x28\xb5\x2f\xfd": ("zstd", "zstdcat FILE"),
    b"\xfd7zXZ\0": ("xz", "xzcat FILE"),
    b"BZh": ("bzip2", "bzcat FILE"),
    b"\x04\x22\x4d\x18": ("lz4", "lz4cat FILE"),
    b"PK\x03\x04": ("zip", "unzip -p FILE"),
}
_NETWORK = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\n\r\r\n")
_DECODE = "| groundstation decode -"

_DUMP_LINE = re.compile(rb"[0-9a-f]{6,8}((?:[ \t]+[0-9a-f]{3,8})+)[ \t]*\r?", re.IGNORECASE)
_DUMPS = (
    ("16-bit words in hex", 4, 16, 2),
    ("32-bit words in hex", 8, 16, 4),
    ("16-bit words in octal", 6, 8, 2),
    ("bytes in octal", 3, 8, 1),
)
"""What od and hexdump write: in words, digits of a number, their base, bytes of a number, the lowest first."""
_SWAPPED = (2, 4)
"""Bytes of groups in which the order of bytes may be turned round."""

_BASE64_TEXT = re.compile(rb"[A-Za-z0-9+/=\s]+")


def hint(sample: bytes, profile: LinkProfile, form: BitForm) -> str | None:
    """What may be done to find frames in a capture that gave none; None if nothing was found that helps.

    Args:
        sample: its first bytes.
        profile: what was looked for.
        form: how bits stand in bytes, for a profile of bits.
    """
    return (
        wrapping_hint(sample)
        or _as_dump(sample, profile)
        or _as_base64(sample, profile)
        or _as_swapped(sample, profile)
        or _as_bits(sample[:_FEW], profile, form)
        or _as_other_profile(sample, profile)
    )


def wrapping_hint(sample: bytes) -> str | None:
    """What the first bytes say of a file that has to be unpacked first; None if nothing."""
    for magic, (name, command) in _COMPRESSED.items():
        if sample.startswith(magic):
            return f"it is compressed with {name}: {command} {_DECODE}"
    if sample.startswith(_NETWORK):
        return "it is a network capture (pcap): take the payload out of its packets first, with tshark for one"
    return None


def header_hint(raw: bytes, profile: LinkProfile) -> str | None:
    """What a good frame's own header says of its kind and form, where the profile says something else; as TOML."""
    if raw[0] >> 6 == 1:
        changes: dict[str, Any] = {"kind": "AOS", "secondary_header": 0}
    elif raw[0] >> 6 == 0:
        secondary = (raw[6] & 0x3F) + 1 if raw[4] & 0x80 else 0
        changes = {"kind": "TM", "ocf": bool(raw[1] & 1), "secondary_header": secondary, "insert_zone": 0}
        changes["header_error_control"] = False
    else:
        return None
    other = _changed(profile, changes)
    return None if other is None or not _has_headers(other, [raw]) else _words(profile, other)


def _as_dump(sample: bytes, profile: LinkProfile) -> str | None:
    """A listing of od or hexdump that is not of bytes in hex, which are read as they are."""
    lines = [found for line in sample.split(b"\n") if (found := _DUMP_LINE.fullmatch(line)) is not None]
    numbers = b" ".join(line[1] for line in lines).split()
    for name, digits, base, size in _DUMPS:
        if any(len(number) != digits for number in numbers):
            continue
        with suppress(ValueError, OverflowError):  # digits of another base
            octets = b"".join(int(number, base).to_bytes(size, "little") for number in numbers)
            if _count(octets, profile):
                return f"it is a dump of {name}: dump the bytes again, one by one, with od -v -An -tx1"
    return None


def _as_swapped(sample: bytes, profile: LinkProfile) -> str | None:
    for size in _SWAPPED:
        octets = b"".join(sample[at : at + size][::-1] for at in range(0, len(sample), size))
        if frames := _count(octets, profile):
            return f"{frames} frames are in its first {len(sample)} bytes if each {size} bytes are turned round"
    return None


def _as_base64(sample: bytes, profile: LinkProfile) -> str | None:
    if not _BASE64_TEXT.fullmatch(sample):
        return None
    whole = b"".join(sample.split())
    try:
        octets = base64.b64decode(whole[: len(whole) // 4 * 4])
    except binascii.Error:
        return None
    return f"it is base64: base64 -d FILE {_DECODE}" if _count(octets, profile) else None


def _as_bits(sample: bytes, profile: LinkProfile, form: BitForm) -> str | None:
    forms: tuple[BitForm, ...] = ("packed", "one-per-byte")
    if not profile.asm:
        return None
    for other in forms:
        if profile.alignment == "bit" and other == form:
            continue
        found = BitDeframer(replace(profile, alignment="bit"), other).feed(sample)
        if frames := sum(isinstance(each, Frame) for each in found):
            return f"it is a stream of bits, with {frames} frames in its first {len(sample)} bytes: --bits {other}"
    return None


def _as_other_profile(sample: bytes, profile: LinkProfile) -> str | None:
    """The first other profile that makes frames of it: a switch that was forgotten, or another length."""
    if profile.alignment == "bit":
        return None
    for other in _others(sample, profile):
        frames = [each.data for each in Deframer(other).feed(sample[:_FEW]) if isinstance(each, Frame)]
        enough = 2 if len(sample) >= 2 * other.cadu_length or not other.asm else 1
        if len(frames) >= enough:
            shown = header_hint(frames[0], other)
            words = [_words(profile, other), *([shown] if shown else [])]
            size = min(len(sample), _FEW)
            return f"{len(frames)} frames are in its first {size} bytes with a profile that says {', '.join(words)}"
    return None


def _others(sample: bytes, profile: LinkProfile) -> Iterator[LinkProfile]:
    """Profiles that may be meant, the likeliest first."""
    markers = dict.fromkeys([profile.asm, ASM, b""])
    for asm in markers:
        sizes: list[tuple[int, int]] = [(profile.frame_length, profile.rs_depth), (profile.frame_length, 0)]
        sizes += _sizes(sample, asm) if asm else [(UART.frame_length, 0)]
        for length, depth in dict.fromkeys(sizes):
            # Without any check everything would be a frame; without FECF a randomised code may pass for a plain one.
            for fecf, randomised in product(
                (True, False)[: 1 + bool(depth)], (profile.randomised, not profile.randomised)
            ):
                changes = {"asm": asm, "frame_length": length, "rs_depth": depth, "randomised": randomised}
                other = _changed(profile, changes | {"fecf": fecf})
                if other is not None and other != profile:
                    yield other


def _sizes(sample: bytes, asm: bytes) -> list[tuple[int, int]]:
    """Frame lengths and Reed–Solomon depths that the distance of the ASMs allows."""
    places = [match.start() for match in re.finditer(re.escape(asm), sample)]
    common = Counter(b - a for a, b in pairwise(places)).most_common(1)
    if not common or (common[0][1] < 2 and len(places) > 2):
        return []
    block = common[0][0] - len(asm)
    return [(block - RS_CHECK * depth, depth) for depth in range(MAX_DEPTH + 1)]


def _changed(profile: LinkProfile, changes: dict[str, Any]) -> LinkProfile | None:
    """A profile with other switches; None if they contradict each other."""
    try:
        return replace(profile, **changes)
    except DeclarationError:
        return None


def _words(profile: LinkProfile, other: LinkProfile) -> str:
    """What another profile says otherwise, as TOML."""
    keys = (key for key in LinkProfile.__slots__ if key not in _DERIVED)
    changed = [(key, getattr(other, key)) for key in keys if getattr(other, key) != getattr(profile, key)]
    return ", ".join(f"{key} = {toml_value(value)}" for key, value in changed)


_DERIVED = {"block_length", "cadu_length", "data_offset", "data_length", "vcfc_modulus", "idle_vcid", "uniform"}


def _count(octets: bytes, profile: LinkProfile) -> int:
    deframer = Deframer(replace(profile, alignment="byte"))
    return sum(isinstance(each, Frame) for each in deframer.feed(octets))


def _has_headers(profile: LinkProfile, frames: list[bytes]) -> bool:
    try:
        for frame in frames:
            decode_frame(frame, profile)
    except DecodeError:
        return False
    return True

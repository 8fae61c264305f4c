"""Where frames lie in a sample and how they are coded: every hypothesis that has evidence, as a profile and its frames.

1. By an ASM, at bytes or at bits: the distance that most of them have. 2. By the FECF alone, at any distance: what
stands between the frames is an ASM if it is always the same, check symbols if it is not. 3. By the header alone, from
the start of the file on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from groundstation.captures.guessing.fecf_search import Spaced, find_spaced
from groundstation.captures.guessing.headers import header_of
from protocols.ccsds import reed_solomon
from protocols.ccsds.crc import crc16
from protocols.ccsds.randomizer import randomize
from protocols.errors import DeclarationError
from protocols.profile import ASM, MAX_DEPTH, MAX_FRAME, RS_CHECK, RS_MESSAGE, LinkProfile
from protocols.words import FrameKind

MARKERS = (ASM, bytes.fromhex("352EF853"), bytes.fromhex("034776C7272895B0"), bytes.fromhex("FAF320"))
"""Sync markers of 131.0-B (uncoded and turbo, ESA's second one, LDPC) and of 211.2-B."""
_BLOCKS = 160
_FEW = 8
"""Blocks that are corrected, where none is clean."""
_SHARE = 0.1
_LONGEST_MARKER = 8
_HEADERS = 8
"""Frames from the start of the file on whose headers must agree, where nothing else says their length."""
_LEAST_CONTINUOUS = 0.9
_LONGEST = 65536


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A profile of the coding alone, and frames that it gives, in stream order; ``checked``: by FECF or codewords."""

    profile: LinkProfile
    frames: list[bytes]
    checked: bool
    evidence: str


def hypotheses(data: bytes, *, at_start: bool) -> Iterator[Hypothesis | None]:
    """All that have evidence in a sample; None for each alternative that has none.

    Args:
        data: the sample.
        at_start: whether it is where the file starts.
    """
    marked = False
    for asm in MARKERS:
        for each in _by_marker(data, asm):
            marked = marked or each is not None
            yield each
        if marked:
            return
    for spaced in find_spaced(data):
        yield _by_fecf(data, spaced)
    if at_start:
        yield from _by_codewords(data)
        yield from _by_header(data)


def _by_marker(data: bytes, asm: bytes) -> Iterator[Hypothesis | None]:
    places = [match.start() * 8 for match in re.finditer(re.escape(asm), data)]
    aligned = _distance(places, 8)
    if aligned:
        block = aligned // 8 - len(asm)
        blocks = [data[at // 8 + len(asm) :][:block] for at in places]
        words = f"{len(places)} ASMs {asm.hex().upper()}, mostly {aligned // 8} bytes apart"
        yield from _codings([each for each in blocks if len(each) == block][:_BLOCKS], {"asm": asm}, words)
        if len(places) * aligned // 8 * 2 > len(data):
            return
    found = _bit_places(data, asm)
    distance = _distance([at for at, _ in found], 8)
    if not distance or all(not at % 8 and not inverted for at, inverted in found):
        yield None
        return
    block = distance // 8 - len(asm)
    blocks = [_bits(data, at + 8 * len(asm), block, inverted=inverted) for at, inverted in found[:_BLOCKS]]
    turned = sum(inverted for _, inverted in found)
    words = f"{len(found)} ASMs {asm.hex().upper()} at any bit ({turned} inverted), mostly {distance} bits apart"
    yield from _codings([each for each in blocks if each], {"asm": asm, "alignment": "bit"}, words)


def _distance(places: Sequence[int], unit: int) -> int:
    """The distance, in bits, that most neighbours have; 0 if there is none that says something."""
    common = Counter(b - a for a, b in pairwise(places)).most_common(1)
    if not common or common[0][0] % unit or (common[0][1] < 2 and len(places) > 2):
        return 0
    distance = common[0][0]
    return distance if 16 * 8 <= distance <= 8 * (_LONGEST + 8 * _LONGEST_MARKER + RS_CHECK * MAX_DEPTH) else 0


def _bit_places(data: bytes, asm: bytes) -> list[tuple[int, bool]]:
    """Where an ASM starts, in bits, and whether it is inverted."""
    octets = np.frombuffer(data, np.uint8)
    turned = bytes(byte ^ 0xFF for byte in asm)
    found: list[tuple[int, bool]] = []
    for shift in range(8):
        moved = octets[:-1] << shift | octets[1:] >> (8 - shift) if shift else octets
        stream = moved.astype(np.uint8).tobytes()
        for pattern, inverted in ((asm, False), (turned, True)):
            found += [(m.start() * 8 + shift, inverted) for m in re.finditer(re.escape(pattern), stream)]
    return sorted(found)


def _bits(data: bytes, at: int, size: int, *, inverted: bool) -> bytes:
    """So many bytes from a bit on; empty if they are not there."""
    piece = data[at // 8 : at // 8 + size + 1]
    if len(piece) <= size:
        return b""
    number = int.from_bytes(piece, "big") >> (8 - at % 8) & (1 << 8 * size) - 1
    return (number ^ ((1 << 8 * size) - 1 if inverted else 0)).to_bytes(size, "big")


def _codings(blocks: Sequence[bytes], changes: dict[str, Any], words: str) -> Iterator[Hypothesis | None]:
    """Every coding that blocks of one length pass; if none, without one."""
    if not blocks:
        yield None
        return
    passed = False
    for randomised in (False, True):
        plain = [randomize(each) for each in blocks] if randomised else blocks
        for depth in range(MAX_DEPTH + 1):
            said = changes | {"randomised": randomised}
            found = _coding(plain, depth, said, words)
            passed = passed or found is not None
            yield found
    if not passed:
        for randomised in (False, True):
            plain = [randomize(each) for each in blocks] if randomised else list(blocks)
            said = changes | {"randomised": randomised, "frame_length": len(blocks[0]), "fecf": False}
            profile = _profile(said)
            yield None if profile is None else Hypothesis(profile, list(plain), False, words)


def _coding(blocks: Sequence[bytes], depth: int, changes: dict[str, Any], words: str) -> Hypothesis | None:
    """Blocks whose frame ends ``depth`` codewords' check symbols before them."""
    length = len(blocks[0]) - RS_CHECK * depth
    if length < 9:
        return None
    frames = [each[:length] for each in blocks]
    good = [frame for frame in frames if not crc16(frame)]
    fecf = len(good) >= max(1, _SHARE * len(blocks))
    corrected = _corrected(blocks, depth) if depth else []
    if depth and not fecf and corrected:
        fecf = sum(not crc16(frame) for frame in corrected) * 2 > len(corrected)
    if not fecf and not corrected:
        return None
    changes = changes | {"frame_length": length, "fecf": fecf, "rs_depth": depth}
    profile = _profile(changes | {"rs_decode": bool(corrected) or not depth})
    if profile is None:
        return None
    if corrected:
        words += (
            f"; {len(corrected)} of {min(len(blocks), _BLOCKS)} are Reed–Solomon codewords, interleaved {depth} times"
        )
    if fecf:
        words += f"; {len(good)} of {len(blocks)} have a valid FECF at length {length}"
    return Hypothesis(profile, corrected or good, True, words)


def _corrected(blocks: Sequence[bytes], depth: int) -> list[bytes]:
    """The frames of those blocks that are codewords, or can be corrected to some; none if too few are."""
    length = len(blocks[0]) - RS_CHECK * depth
    if length % depth or length > RS_MESSAGE * depth or len(set(blocks[0])) < 3:
        return []
    clean = [d for each in blocks if (d := reed_solomon.decode(each, depth, correct=False))]
    if not clean:
        clean = [d for each in blocks[:_FEW] if (d := reed_solomon.decode(each, depth))]
        return [each.data for each in clean] if len(clean) * 2 > min(_FEW, len(blocks)) else []
    return [each.data for each in clean] if len(clean) >= _SHARE * len(blocks) else []


def _by_fecf(data: bytes, spaced: Spaced) -> Hypothesis | None:
    """Frames that the FECF alone has found."""
    length, between = spaced.length, spaced.distance - spaced.length
    starts = [spaced.start + n * spaced.distance for n in range(spaced.due)]
    frames = [data[at : at + length] for at in starts[:_BLOCKS]]
    gaps = [data[at + length : at + spaced.distance] for at in starts[:_BLOCKS]]
    gaps = [gap for gap in gaps if len(gap) == between]
    same = _common_end(gaps) if between else 0
    marker = next((n for n in range(same, 1, -1) if not (between - n) % RS_CHECK), 0)
    depth, rest = divmod(between - marker, RS_CHECK)
    if rest or depth > MAX_DEPTH:
        return None
    changes: dict[str, Any] = {"asm": gaps[0][between - marker :] if marker else b"", "frame_length": length}
    words = f"{spaced.count} of {spaced.due} frames have a valid FECF at length {length}, {spaced.distance} bytes apart"
    corrected = _corrected([f + g for f, g in zip(frames, gaps, strict=False) if g], depth) if depth and gaps else []
    profile = _profile(changes | {"rs_depth": depth, "rs_decode": bool(corrected) or not depth})
    good = [frame for frame in frames if not crc16(frame)]
    return None if profile is None else Hypothesis(profile, good, True, words)


def _common_end(gaps: Sequence[bytes]) -> int:
    """How many bytes at the end of all gaps are the same: an ASM has two to eight."""
    if len(gaps) < 2:
        return 0
    alike = 0
    while alike < min(_LONGEST_MARKER, len(gaps[0])) and len({gap[-alike - 1] for gap in gaps}) == 1:
        alike += 1
    return alike


def _by_codewords(data: bytes) -> Iterator[Hypothesis | None]:
    """Bare blocks of whole codewords from the start of the file on, and randomised frames with a FECF."""
    for depth in range(1, MAX_DEPTH + 1):
        size = depth * (RS_MESSAGE + RS_CHECK)
        blocks = [data[at : at + size] for at in range(0, min(len(data) - size + 1, size * _BLOCKS), size)]
        for randomised in (False, True) if len(blocks) > 1 else ():
            plain = [randomize(each) for each in blocks] if randomised else blocks
            words = f"{len(blocks)} blocks of {size} bytes"
            yield _coding(plain, depth, {"asm": b"", "randomised": randomised}, words)


def _by_header(data: bytes) -> Iterator[Hypothesis | None]:
    """Bare frames whose headers say the same spacecraft at one distance, and in which a frame count goes on."""
    if len(data) < 2 or data[0] >> 6 > 1:
        yield None
        return
    mask = 0xF0 if data[0] >> 6 == 0 else 0xC0
    octets = np.frombuffer(data, np.uint8)
    alike = np.flatnonzero((octets[:-1] == data[0]) & ((octets[1:] & mask) == data[1] & mask))
    known = set(alike.tolist())
    for length in alike[(alike >= 16) & (alike <= min(_LONGEST, len(data) // 3))].tolist():
        due = min(len(data) // length, _BLOCKS)
        if all(n * length in known for n in range(min(due, _HEADERS))):
            frames = [data[n * length : (n + 1) * length] for n in range(due)]
            if header_of(frames).continuous >= _LEAST_CONTINUOUS:
                words = f"the same version and spacecraft every {length} bytes"
                yield from _codings(frames, {"asm": b""}, words)


def _profile(changes: dict[str, Any]) -> LinkProfile | None:
    """A profile of frames whose kind is not known yet: as of TM, or AOS if they are too long."""
    kind: FrameKind = "TM" if changes["frame_length"] <= MAX_FRAME["TM"] else "AOS"
    try:
        return LinkProfile(kind=kind, ocf=False, **changes)
    except DeclarationError:
        return None

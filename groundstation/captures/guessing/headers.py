"""What the primary headers of frames say, whatever else is in them: kind, spacecraft, counts that go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from protocols.words import FrameKind

_KINDS: dict[int, FrameKind] = {0: "TM", 1: "AOS"}


@dataclass(frozen=True, slots=True)
class Headers:
    """What they say.

    Attributes:
        kind: of most frames; None if it is neither.
        scid: the spacecraft of most.
        same: the share of these.
        continuous: share of their VCFCs that follow the one before on their channel, of those that have one before.
        steps: how many have one before.
        frames: these, in order.
    """

    kind: FrameKind | None
    scid: int
    same: float
    continuous: float
    steps: int
    frames: list[bytes]


def header_of(frames: Sequence[bytes]) -> Headers:
    """What the headers of frames say, in stream order; there is at least one frame of eight bytes or more."""
    (version, scid), many = Counter(map(_identity, frames)).most_common(1)[0]
    kind = _KINDS.get(version)
    known = [frame for frame in frames if _identity(frame) == (version, scid)]
    good, steps = _continuity(known, kind) if kind else (0, 0)
    return Headers(kind, scid, many / len(frames), good / steps if steps else 0.0, steps, known)


def vcid_of(frame: bytes) -> int:
    """The virtual channel of a TM or AOS frame."""
    return frame[1] & 0x3F if frame[0] >> 6 else frame[1] >> 1 & 7


def _identity(frame: bytes) -> tuple[int, int]:
    word, version = frame[0] << 8 | frame[1], frame[0] >> 6
    return version, word >> 6 & 0xFF if version else word >> 4 & 0x3FF


def _continuity(frames: Sequence[bytes], kind: FrameKind) -> tuple[int, int]:
    last: dict[int, int] = {}
    good = steps = 0
    modulus = 1 << 8 if kind == "TM" else 1 << 24
    for frame in frames:
        vcid = vcid_of(frame)
        count = frame[3] if kind == "TM" else int.from_bytes(frame[2:5], "big")
        if vcid in last:
            steps += 1
            good += (count - last[vcid]) % modulus == 1
        last[vcid] = count
    return good, steps

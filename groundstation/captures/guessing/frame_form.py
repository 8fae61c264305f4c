"""What good frames say of themselves: their kind, and which fields stand between the header and the packets.

A TM frame tells most by its flags. An AOS frame does not, so each length of an insert zone, with and without an OCF, is
tried: with the right one packets follow each other to the frame's end.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from groundstation.captures.guessing.headers import Headers, vcid_of
from protocols.ccsds import fhec
from protocols.ccsds.aos_frame import ONLY_IDLE_VCID
from protocols.decode.packets import EncapsulationFound, PacketDropped, PacketExtractor, PacketFound
from protocols.errors import DeclarationError, DecodeError
from protocols.profile import ChannelForm, LinkProfile
from protocols.sync.frames import decode_frame

_TRIED = 120
"""Frames that each alternative is tried on."""
_LONGEST_ZONE = 64
_MOST = 0.9


@dataclass(frozen=True, slots=True)
class FrameForm:
    """What frames are.

    Attributes:
        profile: with all that was found out.
        tried: alternatives that were tried.
        packets: packets in the frames that the alternatives were tried on, idle ones included.
        dropped: pieces that were none.
    """

    profile: LinkProfile
    tried: int
    packets: int
    dropped: int


@dataclass(slots=True)
class _Score:
    """What came out of the frames of a channel."""

    packets: int = 0
    dropped: int = 0
    versions: int = 0
    """Drops that begin with packet version 4."""

    @property
    def value(self) -> int:
        return self.packets - 4 * self.dropped


def form_of(headers: Headers, profile: LinkProfile) -> FrameForm | None:
    """What frames are beside their primary headers; None if no alternative is a profile.

    Args:
        headers: what these say, and the good frames, coding taken off.
        profile: how they lie on the wire.
    """
    frames = headers.frames
    alternatives = _tm_alternatives(frames, profile) if headers.kind == "TM" else _aos_alternatives(frames, profile)
    tried, best, best_score = 0, None, dict[int, _Score]()
    for other in alternatives:
        tried += 1
        score = _score(frames[:_TRIED], other)
        if best is None or _sum(score).value > _sum(best_score).value:
            best, best_score = other, score
    if best is None:
        return None
    best, more = _by_channel(frames[:_TRIED], best, best_score)
    total = _sum(_score(frames[:_TRIED], best))
    return FrameForm(best, tried + more, total.packets, total.dropped)


def _tm_alternatives(frames: Sequence[bytes], profile: LinkProfile) -> Iterable[LinkProfile]:
    flags: dict[int, Counter[bool]] = defaultdict(Counter)
    for frame in frames:
        flags[vcid_of(frame)][bool(frame[1] & 1)] += 1
    by_channel = {vcid: count.most_common(1)[0][0] for vcid, count in flags.items()}
    ocf = Counter(by_channel.values()).most_common(1)[0][0]
    channels = tuple(ChannelForm(vcid, ocf=has) for vcid, has in sorted(by_channel.items()) if has != ocf)
    headers = Counter((frame[6] & 0x3F) + 1 if frame[4] & 0x80 else 0 for frame in frames)
    base: dict[str, Any] = {"kind": "TM", "ocf": ocf, "channels": channels, "insert_zone": 0}
    base["header_error_control"] = False
    secondary = headers.most_common(1)[0]
    if secondary[1] >= _MOST * len(frames) and secondary[0] != 1:
        yield from _changed(profile, base | {"secondary_header": secondary[0]})
        if secondary[0] == 0:
            return
    for length in range(1, _LONGEST_ZONE + 1):
        yield from _changed(profile, base | {"secondary_header": length, "secondary_header_id": False})


def _aos_alternatives(frames: Sequence[bytes], profile: LinkProfile) -> Iterable[LinkProfile]:
    busy = [frame for frame in frames if vcid_of(frame) != ONLY_IDLE_VCID] or list(frames)
    checks = [
        fhec.check_symbols(frame[0] << 16 | frame[1] << 8 | frame[5]) == int.from_bytes(frame[6:8], "big")
        for frame in busy
    ]
    control = sum(checks) >= _MOST * len(checks)
    for zone in range(_LONGEST_ZONE + 1):
        start = 6 + 2 * control + zone
        if start + 3 > profile.frame_length or sum(not frame[start] & 0xF8 for frame in busy) * 2 < len(busy):
            continue
        for ocf in (False, True):
            changes = {"kind": "AOS", "ocf": ocf, "insert_zone": zone, "header_error_control": control}
            yield from _changed(profile, changes | {"secondary_header": 0})
    yield from _changed(profile, {"kind": "AOS", "ocf": False, "header_error_control": control, "data_field": "VCA"})


def _by_channel(frames: Sequence[bytes], profile: LinkProfile, scores: dict[int, _Score]) -> tuple[LinkProfile, int]:
    """The profile with what differs from channel to channel, and how many alternatives were tried for it."""
    tried = 0
    if any(score.versions for score in scores.values()):
        tried += 1
        other = replace(profile, packet_versions=(0, 4))
        others = _score(frames, other)
        if _sum(others).value > _sum(scores).value:
            profile, scores = other, others
    for vcid, score in sorted(scores.items()):
        if score.packets and score.dropped * 10 <= score.packets:
            continue
        for form in _channel_forms(profile, vcid):
            tried += 1
            kept = [each for each in profile.channels if each.vcid != vcid]
            other = replace(profile, channels=tuple(sorted([*kept, form], key=lambda each: each.vcid)))
            if _score(frames, other).get(vcid, _Score()).value > score.value:
                profile = other
                break
    return profile, tried


def _channel_forms(profile: LinkProfile, vcid: int) -> list[ChannelForm]:
    """What a channel may be that gives no packets: with or without OCF, or without packets."""
    ocf = next((each.ocf for each in profile.channels if each.vcid == vcid), None)
    by_flag = [] if profile.kind == "TM" else [ChannelForm(vcid, ocf=not profile.ocf)]
    return [*by_flag, ChannelForm(vcid, ocf=ocf, data_field="VCA")]


def _score(frames: Sequence[bytes], profile: LinkProfile) -> dict[int, _Score]:
    """By channel, what packets come out of the frames."""
    scores: dict[int, _Score] = defaultdict(_Score)
    extractors: dict[int, PacketExtractor] = {}
    for raw in frames:
        try:
            frame = decode_frame(raw, profile)
        except DecodeError:
            continue
        extractor = extractors.get(frame.vcid)
        if extractor is None:
            versions = profile.packet_versions
            extractor = extractors[frame.vcid] = PacketExtractor(
                vcfc_modulus=profile.vcfc_modulus, packet_versions=versions
            )
        score = scores[frame.vcid]
        for item in extractor.push(frame):
            score.packets += isinstance(item, PacketFound | EncapsulationFound)
            if isinstance(item, PacketDropped) and "lost" not in item.reason:
                score.dropped += 1
                score.versions += item.data[:1] != b"" and item.data[0] >> 5 == 4
    for vcid, extractor in extractors.items():
        scores[vcid].packets += extractor.idle_packets
    return scores


def _sum(scores: dict[int, _Score]) -> _Score:
    every = list(scores.values())
    return _Score(sum(each.packets for each in every), sum(each.dropped for each in every))


def _changed(profile: LinkProfile, changes: dict[str, Any]) -> list[LinkProfile]:
    try:
        return [replace(profile, **changes)]
    except DeclarationError:
        return []

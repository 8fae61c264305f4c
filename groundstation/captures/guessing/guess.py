"""What kind of file a capture is: each hypothesis is tried by the decoder itself, on samples, and the best one is told.

Rules:
1. A hypothesis comes from the bytes: distances of ASMs, frames that a FECF finds at any place, headers that lead from
   one to the next. Its profile is then given to the decoder that `decode` uses, and what that finds is the evidence.
2. What a check proves (FECF, codewords, BCH) stands above what headers alone say. Headers alone are believed only if
   counts go on in them: constant bytes have constant headers.
3. Packets that fill a file to its last byte win over frames: packets of one length with a CRC each look like frames.
4. Random bytes are unknown. What is tried, and on how many bytes, is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from groundstation.captures.decoder import CaptureDecoder, DecodeReport
from groundstation.captures.decoders import make_decoder
from groundstation.captures.guessing.blocks import Hypothesis, hypotheses
from groundstation.captures.guessing.frame_form import FrameForm, form_of
from groundstation.captures.guessing.headers import Headers, header_of
from groundstation.captures.packets_decoder import PacketsReport
from groundstation.captures.tc_decoder import TcReport
from protocols.capture_profile import CaptureProfile, PacketsProfile, TcProfile
from protocols.ccsds import encapsulation
from protocols.ccsds.space_packet import HEADER_SIZE, IDLE_APID, SEQUENCE_MODULO
from protocols.profile import SPACE_PACKETS, LinkProfile
from protocols.sync.bit_sync import BitForm
from protocols.sync.packet_splitter import PacketSplitter

HEAD = 4 << 20
"""Bytes from the start of a file that are looked at."""
FURTHER = 3
"""Samples further on."""
FURTHER_SIZE = 128 << 10

_WINDOW = 128 << 10
"""Bytes that hypotheses come from; several such windows of the head are looked at until there is one."""
_WINDOWS = (0, 1 << 20, 2 << 20, 3 << 20)
_PROVED = 1 << 19
"""Bytes of the head that the decoder is given."""
_FIRST_LOOK = 1 << 15
_UPLINK_LOOK = 1 << 16
_LONGEST_SKIP = 256
_CHAIN = 8
_FEW_STEPS = 3
_LEAST_SHARE = 0.5
_SURE = 0.9

Confidence = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Sample:
    """Bytes of a capture, and where they start in it."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Guess:
    """What a capture is, as far as its samples say.

    Attributes:
        kind: in words; "unknown" if nothing fits.
        profile: that reads it; None if nothing does.
        bits: how bits stand in its bytes, if it is not what the profile says.
        evidence: in figures, the strongest first.
        confidence: high, if a check proves it on nearly all of the samples.
        tried: how many alternatives were tried.
    """

    kind: str
    profile: CaptureProfile | None
    evidence: tuple[str, ...]
    confidence: Confidence
    tried: int
    bits: BitForm | None = None


@dataclass(frozen=True, slots=True)
class _Proof:
    """What the decoder made of the samples with a profile: ``share`` of the bytes are in what it found."""

    profile: CaptureProfile
    kind: str
    share: float
    strength: float
    evidence: tuple[str, ...]
    confidence: Confidence

    @property
    def settles(self) -> bool:
        """Whether no other hypothesis can do better (rule 3)."""
        return self.confidence == "high" and self.share >= _SURE and self.strength >= 1


def guess(samples: Sequence[Sample]) -> Guess:
    """What kind of file these are samples of.

    Args:
        samples: up to `HEAD` bytes of its start, and some of up to `FURTHER_SIZE` further on.
    """
    head = samples[0].data if samples else b""
    if (len(head) > 64 and set(head[: 1 << 16]) <= {0, 1}) or set(head[: 1 << 16]) == {0x30, 0x31}:
        packed = [Sample(each.offset // 8, _packed(each.data)) for each in samples]
        found = guess(packed)
        if isinstance(found.profile, LinkProfile) and found.profile.asm:
            profile = replace(found.profile, alignment="bit")
            return replace(found, profile=profile, bits="one-per-byte", evidence=("one bit a byte", *found.evidence))
        return Guess("unknown", None, (), "low", found.tried)
    tried, proofs = 0, []
    for proof in _proofs(samples):
        tried += proof[0]
        proofs += [proof[1]] if proof[1] is not None else []
    if not proofs and head:  # packets, but the file begins within one, or with something else
        late = _packets_proof(PacketsProfile(), samples)
        tried += 1
        proofs += [late] if late is not None else []
    if not proofs:
        return Guess("unknown", None, (), "low", tried)
    best = max(proofs, key=lambda each: (round(each.share * each.strength, 2), _simplicity(each.profile)))
    return Guess(best.kind, best.profile, best.evidence, best.confidence, tried)


def _packed(data: bytes) -> bytes:
    text = bytes(0x30 + (byte & 1) for byte in data[: len(data) // 8 * 8])
    return int(b"1" + text, 2).to_bytes(len(text) // 8 + 1, "big")[1:] if text else b""


def _simplicity(profile: CaptureProfile) -> int:
    """Of profiles that do equally well the one that says less is taken."""
    if isinstance(profile, LinkProfile):
        return -(profile.randomised + (profile.alignment == "bit") + profile.rs_depth + len(profile.channels))
    return -profile.skip if isinstance(profile, PacketsProfile) else -profile.randomised


def _proofs(samples: Sequence[Sample]) -> Iterator[tuple[int, _Proof | None]]:
    """Each hypothesis that was tried: how many alternatives it stands for, and its proof."""
    if not samples or not samples[0].data:
        return
    for profile in _packet_profiles(samples[0].data):
        likely = profile is not None and _holds_packets(profile, samples[0].data[:_FIRST_LOOK])
        proof = _packets_proof(profile, samples) if profile is not None and likely else None
        yield 1, proof
        if proof is not None and proof.settles:
            return
    for kind in ("CLTU", "TC"):
        settled = False
        for each in _uplink_proofs(kind, samples):
            yield each
            settled = settled or (each[1] is not None and each[1].settles)
        if settled:
            return
    yield from _frame_proofs(samples)


def _frame_proofs(samples: Sequence[Sample]) -> Iterator[tuple[int, _Proof | None]]:
    """Frames: windows are looked at until there are some."""
    windows = [Sample(at, samples[0].data[at : at + _WINDOW]) for at in _WINDOWS if at < len(samples[0].data)]
    for window in [*windows, *samples[1:]]:
        found = False
        for hypothesis in hypotheses(window.data, at_start=window.offset == 0):
            headers = None if hypothesis is None else header_of(hypothesis.frames)
            form = proof = None
            if hypothesis is not None and headers is not None and _is_likely(hypothesis, headers):
                form = form_of(headers, hypothesis.profile)
                proof = None if form is None else _frames_proof(hypothesis, headers, form, samples)
            found = found or proof is not None
            yield 1 + (form.tried if form else 0), proof
        if found:
            return


def _is_likely(hypothesis: Hypothesis, headers: Headers) -> bool:
    """Whether headers agree with what the frames are said to be (rule 2)."""
    if headers.kind is None or headers.same < _LEAST_SHARE:
        return False
    if not hypothesis.checked:
        return headers.steps >= _FEW_STEPS and headers.continuous >= _SURE
    if not hypothesis.profile.asm or hypothesis.profile.rs_depth:
        return headers.continuous >= _LEAST_SHARE and headers.steps > 0
    return headers.continuous >= _LEAST_SHARE or headers.steps < _FEW_STEPS


def _frames_proof(
    hypothesis: Hypothesis, headers: Headers, form: FrameForm, samples: Sequence[Sample]
) -> _Proof | None:
    profile = form.profile
    reports = [report for each in samples if isinstance(report := _decoded(profile, each), DecodeReport)]
    frames = sum(report.frames - sum(report.foreign.values()) for report in reports)
    if not frames:
        return None
    unit = 8 if profile.alignment == "bit" else 1
    total = sum(report.total for report in reports) or 1
    # The ends of a sample are pieces of frames: so many bytes can be in none.
    ends = min(total - 1, 2 * len(reports) * profile.cadu_length * unit)
    good = sum(report.good + report.corrected for report in reports)
    share = min(1.0, good / (total - ends))
    due = frames + sum(sum(r.rejects.values()) + sum(r.foreign.values()) for r in reports)
    checks = [*["valid Reed–Solomon codewords"] * bool(profile.rs_depth and profile.rs_decode)]
    checks += ["a valid FECF"] * profile.fecf
    said = " and ".join(checks) or "the header of one spacecraft"
    evidence = [
        f"{frames:,} of {due:,} frames have {said} at length {profile.frame_length}",
        f"{min(1.0, good / total):.1%} of {total // unit:,} bytes looked at lie in them",
        f"{headers.continuous:.0%} of {headers.steps} virtual channel frame counts follow the one before",
        f"version and SCID are those of {headers.kind} frames of {headers.scid:#05x} in {headers.same:.0%}",
        f"{form.packets} packets and {form.dropped} pieces that are none in the first {len(hypothesis.frames)} frames",
        hypothesis.evidence,
    ]
    strength = 1.0 if hypothesis.checked else 0.8
    strength *= 1.0 if headers.continuous >= _LEAST_SHARE else 0.8
    packed = form.packets + form.dropped
    strength *= 0.9 + 0.1 * (form.packets / packed if packed else 0.5)
    sure = hypothesis.checked and frames >= _FEW_STEPS and share >= _LEAST_SHARE
    confidence: Confidence = "high" if sure and frames * 2 > due else "medium" if frames >= _FEW_STEPS else "low"
    return _Proof(profile, f"{profile.kind} frames", share, strength, tuple(evidence), confidence)


def _decoded(profile: CaptureProfile, sample: Sample) -> DecodeReport | PacketsReport | TcReport:
    decoder = make_decoder(profile, None)
    decoder.feed(sample.data[:_PROVED])
    if isinstance(decoder, CaptureDecoder) or len(sample.data) <= _PROVED:
        decoder.finish()
    return decoder.report()


def _packet_profiles(head: bytes) -> Iterator[PacketsProfile | None]:
    """Profiles with which headers follow each other at the start of the file."""
    for versions in (SPACE_PACKETS, (0, 4)):
        for skip in range(_LONGEST_SKIP + 1):
            profile = PacketsProfile(skip, versions)
            yield profile if _chains(head[: 1 << 17], profile) else None


def _chains(data: bytes, profile: PacketsProfile) -> bool:
    """Whether the file is packets from its first byte on: cheaper than the splitter, for nearly all are not."""
    at, links, skip = 0, 0, profile.skip
    reach = min(len(data), _FIRST_LOOK)
    while at + skip + HEADER_SIZE <= reach:
        start = at + skip
        version = data[start] >> 5
        if version == encapsulation.VERSION:
            size = encapsulation.size_of(data, start)
        elif version in profile.packet_versions and data[start : start + HEADER_SIZE] != bytes(HEADER_SIZE):
            size = HEADER_SIZE + 1 + (data[start + 4] << 8 | data[start + 5])
        else:
            size = 0
        if not size:
            return links >= _CHAIN and at * 2 > reach
        at, links = start + size, links + 1
    return links > 1


def _holds_packets(profile: PacketsProfile, look: bytes) -> bool:
    """Whether it is worth a proof: most of a first look lies in packets."""
    splitter = PacketSplitter(profile)
    splitter.feed(look)
    count = splitter.count()
    return count.good * 2 >= len(look) - count.pending


def _packets_proof(profile: PacketsProfile, samples: Sequence[Sample]) -> _Proof | None:
    splitter = PacketSplitter(profile)
    data = samples[0].data[:_PROVED]
    found = splitter.feed(data)
    found += splitter.finish() if len(samples[0].data) <= _PROVED else []
    count = splitter.count()
    last: dict[int, int] = {}
    good = shared = steps = 0
    before = 0
    for packet in found:
        if packet.apid is not None and packet.apid != IDLE_APID:
            steps += packet.apid in last
            good += packet.apid in last and (packet.sequence - last[packet.apid]) % SEQUENCE_MODULO == 1
            shared += packet.apid in last and (packet.sequence - before) % SEQUENCE_MODULO == 1
            last[packet.apid] = before = packet.sequence
    good = max(good, shared)  # some count all their packets together
    wrapped = [packet.data[0] >> 2 & 7 for packet in found if packet.apid is None]
    total = max(1, len(data) - count.pending)
    share = count.good / total
    encapsulated = len(wrapped) >= 2 * _CHAIN and len(wrapped) == len(found) and len(set(wrapped)) <= 2
    sizes = [len(packet.data) for packet in found]
    encapsulated = encapsulated and len(set(sizes)) > 1 and sum(sizes) > 2 * profile.skip * len(sizes)
    if not (encapsulated and share == 1) and not (steps >= _FEW_STEPS and good * 2 > steps):
        return None
    if profile.packet_versions != SPACE_PACKETS and not any(packet.data[0] >> 5 == 4 for packet in found):
        return None
    skipped = f", each after {profile.skip} bytes" if profile.skip else ""
    evidence = [
        f"{len(found):,} packets follow each other in {total:,} bytes{skipped}; {share:.1%} of these lie in packets",
        f"{good:,} of {steps:,} sequence counts follow the one before; {len(last)} APIDs",
    ]
    evidence += [f"{len(wrapped):,} of them are encapsulation packets"] if wrapped else []
    for each in samples[1:]:
        report = _decoded(profile, each)
        assert isinstance(report, PacketsReport)
        evidence.append(f"{report.packets + report.encapsulation_packets:,} packets at {each.offset:,}")
    kind = "encapsulation packets" if encapsulated else "space packets"
    continuous = good / steps if steps else 1.0
    confidence: Confidence = "high" if share >= _SURE and continuous >= _SURE and len(found) >= _CHAIN else "medium"
    strength = 1.2 if share > 0.95 and continuous >= _LEAST_SHARE else 0.7
    return _Proof(profile, kind, share, strength * (0.8 + 0.2 * continuous), tuple(evidence), confidence)


def _uplink_proofs(kind: str, samples: Sequence[Sample]) -> Iterator[tuple[int, _Proof | None]]:
    """TC frames: which of the alternatives gives packets."""
    whole = (TcProfile("TC"), TcProfile("TC", segmented=True))
    coded = [TcProfile("CLTU", segmented=s, randomised=r) for r in (False, True) for s in (False, True)]
    for profile in whole if kind == "TC" else coded:
        if kind == "CLTU" and b"\xeb\x90" not in samples[0].data[:_WINDOW]:
            yield 1, None
            continue
        report = _decoded(profile, Sample(0, samples[0].data[:_UPLINK_LOOK]))
        assert isinstance(report, TcReport)
        yield 1, _uplink_proof(profile, report)


def _uplink_proof(profile: TcProfile, report: TcReport) -> _Proof | None:
    rejected, dropped = sum(report.rejects.values()), sum(report.drops.values())
    packets = sum(each.packets + each.encapsulation_packets for each in report.channels)
    share = report.good / max(1, report.total - report.pending)
    alone = profile.kind == "TC" and share < _LEAST_SHARE
    if not report.frames or rejected > report.frames or len(report.channels) > 1 + report.frames // 2 or alone:
        return None
    if report.frames < _FEW_STEPS and (profile.kind == "TC" or share < _LEAST_SHARE):
        return None
    cltus = report.cltus.get("TAIL", 0)
    evidence = [f"{cltus:,} whole CLTUs of {sum(report.cltus.values()):,}"] if profile.kind == "CLTU" else []
    evidence += [
        f"{report.frames:,} of {report.frames + rejected:,} TC frames have a valid FECF",
        f"{share:.1%} of {report.total:,} bytes looked at lie in {'CLTUs' if cltus else 'frames'}",
        f"{packets:,} packets, {dropped:,} pieces that are none",
    ]
    kind = "TC frames in CLTUs" if profile.kind == "CLTU" else "TC frames"
    strength = 1.25 * (0.9 + 0.1 * (packets / (packets + dropped) if packets + dropped else 0.5))
    covered = max(share, 0.95) if profile.kind == "CLTU" else share
    return _Proof(profile, kind, covered, strength, tuple(evidence), "high" if report.frames > 2 else "medium")

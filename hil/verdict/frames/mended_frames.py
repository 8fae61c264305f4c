"""What salvage makes of a flight's damaged frames, against what was made aboard.

The truth of a frame is what the target sent; of one that a failing chip spoilt aboard it is what the oracle made at
that place before the chip had it, and unknown where no oracle flies along.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log

from hil.channel.sent_frames import SentFrames
from hil.verdict.flight_record import FlightRecord
from hil.verdict.stream_diff import made_stream
from protocols.mending import MendedFrame, Mender, refusal

_PIECE = 1 << 16
_UNLIKELY = 1e-3
"""A chance below which a wrong mend says that the stated risks are too low."""


@dataclass(frozen=True, slots=True)
class MendingTally:
    """What became of damaged frames.

    Attributes:
        damaged: those of which the rig knows what they were.
        mended: called mended by salvage.
        wrong: of these, not what was made aboard.
        unknown: mended frames of which the rig does not know what they were.
        risk: how many mended frames may be wrong at most, as salvage says.
        bits: that were corrected in mended frames.
    """

    damaged: int
    mended: int
    wrong: int
    unknown: int
    risk: float
    bits: int

    @property
    def share(self) -> float:
        """Rightly mended frames, in percent of the damaged ones."""
        return 100 * (self.mended - self.wrong) / self.damaged if self.damaged else 0.0

    @property
    def wrong_most(self) -> int:
        """As many wrong mends as their stated risks make likely: more has a chance below 1 in 1,000.

        Wrong mends of independent small risks are Poisson-distributed about the risks' sum.
        """
        most, covered = 0, exp(-self.risk)
        while 1 - covered >= _UNLIKELY:
            most += 1  # in logarithms: of many mends exp(-risk) alone would be 0
            covered += exp(most * log(self.risk) - self.risk - lgamma(most + 1))
        return most


def mend_flight(record: FlightRecord, stream: bytes) -> MendingTally | None:
    """Mend what a station received, and hold it against the truth.

    Args:
        record: the flight.
        stream: what the station received.

    Returns:
        None if frames of this link cannot be mended, or none was damaged.
    """
    profile = record.mission.link_profile
    if refusal(profile) is not None:
        return None
    mender, found = Mender(record.mission.dictionary, profile), list[MendedFrame]()
    for at in range(0, len(stream), _PIECE):
        found += mender.feed(0, stream[at : at + _PIECE])
    found += mender.finish()
    if not found:
        return None
    sent = SentFrames(record.channel.cuts, record.channel.delivered("down"), profile)
    made = _made(record)
    return _tally(found, [_truth(sent, made, frame.offset) for frame in found])


def _made(record: FlightRecord) -> bytes:
    """All frames as they were made aboard; empty if that is unknown."""
    if record.script is None or not record.scenario.head.has_oracle:
        return b""
    made = made_stream(tuple(record.script), record.ready, record.steps)
    return b"" if flew_otherwise(made, record) else made


def flew_otherwise(made: bytes, record: FlightRecord) -> bool:
    """Whether the target sent another good frame than the oracle made."""
    asm = len(record.mission.link_profile.asm)
    places = ((slice(cut.offset + asm, cut.offset + len(cut.data)), cut) for cut in record.channel.cuts)
    return any(cut.vcid is not None and made[place] != cut.data[asm:] for place, cut in places)


def _truth(sent: SentFrames, made: bytes, offset: int) -> bytes | None:
    """What the frame at this place of the received stream was when it was made."""
    cut = sent.sent_at(offset)
    if cut is None:
        return None
    if made:
        return made[cut.offset : cut.offset + len(cut.data)]
    return None if cut.vcid is None else cut.data


def _tally(found: list[MendedFrame], truth: list[bytes | None]) -> MendingTally:
    known = [(frame, true) for frame, true in zip(found, truth, strict=True) if true is not None]
    mended = [(frame, true) for frame, true in known if frame.level == "MENDED"]
    every = [frame for frame in found if frame.level == "MENDED"]
    return MendingTally(
        len(known),
        len(mended),
        sum(frame.data != true for frame, true in mended),
        len(every) - len(mended),
        sum(frame.risk for frame in every),
        sum(len(frame.corrections) for frame in every),
    )

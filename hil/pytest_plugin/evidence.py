"""What the bundle of a flight says of losses and silence: its recording and its capture, not its verdict."""

from __future__ import annotations

import json
from pathlib import Path

from groundstation.messages.wire import ContactChange, LosVerdict
from groundstation.recordings.event_bodies import body_of
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.records import GOOD_QUALITIES, FrameRecord
from hil.channel.frame_splitter import FrameSplitter, SentFrame
from hil.verdict.measure import Received
from protocols.declare.mission import Mission

_RECORDING = "recording.sqlite"


def losses(bundle: Path, mission: Mission) -> list[LosVerdict]:
    """Losses of the lander's signal, each with the cause that was found in the end."""
    with ArchiveReader(bundle / _RECORDING) as archive:
        changes = [body_of(event, ContactChange, archive.path) for event in archive.events("contact")]
    return Received(contacts=changes, vcid=_vcid(mission)).losses()


def late_frame(bundle: Path, scet: int) -> FrameRecord | None:
    """The first good frame, of whatever channel, that carries this mission time or a later one."""
    with ArchiveReader(bundle / _RECORDING) as archive:
        late = (f for f in archive.frames() if f.quality in GOOD_QUALITIES and f.scet is not None and f.scet >= scet)
        return min(late, key=lambda frame: frame.scet or 0, default=None)


def missing_frames(bundle: Path, before: int, mission: Mission) -> list[int]:
    """Mission times of lander frames of before that time that were sent and did not come, in ns."""
    vcid, cuts = _vcid(mission), _sent(bundle, mission)
    sent = [cut.scet for cut in cuts if cut.vcid == vcid and cut.scet is not None and cut.scet < before]
    with ArchiveReader(bundle / _RECORDING) as archive:
        came = {frame.scet for frame in archive.frames() if frame.quality in GOOD_QUALITIES and frame.vcid == vcid}
    return [scet for scet in sent if scet not in came]


def bytes_after(bundle: Path, scet: int, mission: Mission) -> int:
    """Bytes that came out of the channel behind the last one that was sent before that mission time."""
    cuts = _sent(bundle, mission)
    border = next((cut.offset for cut in cuts if cut.scet is not None and cut.scet >= scet), None)
    if border is None:
        return 0
    after = 0
    with open(bundle / "capture.jsonl", encoding="utf-8") as lines:
        for piece in map(json.loads, lines):
            if piece["direction"] == "down":
                early = piece["origin"] is not None and piece["origin"] < border
                after = 0 if early else after + len(piece["data"]) // 2
    return after


def _vcid(mission: Mission) -> int:
    """The channel whose signal is judged."""
    return mission.dictionary.channels[0].vcid


def _sent(bundle: Path, mission: Mission) -> list[SentFrame]:
    """What the target sent, before any fault."""
    return FrameSplitter(mission.link_profile, None, mission.dictionary).feed((bundle / "sent.bin").read_bytes())

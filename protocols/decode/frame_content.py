"""What a frame says beside its header, by a mission's dictionary: its time, and whether its source has started.

Both come from the packets in it, whose headers the dictionary declares. They are what `counts.FrameCounter` needs to
tell a restart from a loss, and a turn of a counter from none.
"""

from __future__ import annotations

from collections.abc import Iterator

from protocols.ccsds.space_packet import HEADER_SIZE
from protocols.ccsds.tm_frame import MAX_POINTER
from protocols.counts import FrameCounter
from protocols.declare.dictionary import Dictionary
from protocols.decode.telemetry import decode_telemetry
from protocols.errors import DecodeError
from protocols.profile import LinkProfile
from protocols.sync.frames import TransferFrame
from protocols.units import NS_PER_MS

_EVENTS = 5
"""The PUS service of event reports."""


def frame_time(frame: TransferFrame, dictionary: Dictionary) -> int | None:
    """The frame's SCET in ns: the time of the first packet that starts in it, if its header lies in the frame whole.

    None also if what stands there is no time, or the packet is not declared or has none.
    """
    pointer, data = frame.first_header_pointer, frame.data
    if pointer > MAX_POINTER or pointer + HEADER_SIZE > len(data) or data[pointer] & 0x08 == 0:
        return None
    header = dictionary.header_by_apid.get((data[pointer] & 7) << 8 | data[pointer + 1])
    return None if header is None else header.time_of(data, pointer)


def frame_counter(profile: LinkProfile, dictionary: Dictionary | None) -> FrameCounter:
    """A counter for one spacecraft's frames, with what the dictionary says of its channels and events."""
    if dictionary is None:
        return FrameCounter(profile.vcfc_modulus)
    mission, numbers = dictionary, {event.number for event in dictionary.events if event.starts}
    periods = {channel.vcid: channel.period_ms * NS_PER_MS for channel in dictionary.channels}
    return FrameCounter(
        profile.vcfc_modulus, periods, lambda frame: bool(numbers) and _reports(frame, mission, numbers)
    )


def _reports(frame: TransferFrame, dictionary: Dictionary, numbers: set[int]) -> bool:
    """Whether one of these events is whole in the frame."""
    for packet in _whole_packets(frame):
        try:
            sample = decode_telemetry(dictionary, packet)
        except DecodeError:
            continue
        if sample.header.service == _EVENTS and sample.values.get("number") in numbers:
            return True
    return False


def _whole_packets(frame: TransferFrame) -> Iterator[bytes]:
    at, data = frame.first_header_pointer, frame.data
    while at + HEADER_SIZE <= len(data) and not data[at] >> 5:
        end = at + HEADER_SIZE + 1 + (data[at + 4] << 8 | data[at + 5])
        if end <= len(data):
            yield data[at:end]
        at = end

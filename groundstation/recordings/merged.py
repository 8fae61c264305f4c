"""A recording of several links as one stream: each frame that any link brought, once, as if one link had brought it.

For what decodes recorded bytes offline and expects one stream. Frames are searched for in each link's own bytes and
merged as the station merges them (`protocols.counts.merger`); each then comes as a whole frame on the wire, under a
frame count of the merged stream's own. What is in no good frame is left out: that is a link's own affair.
"""

from __future__ import annotations

from collections.abc import Iterator

from groundstation.recordings.reader import ArchiveReader
from protocols.ccsds.tm_frame import MCFC_MODULUS, TmFrame
from protocols.counts.merger import Arrival, FrameMerger
from protocols.declare.dictionary import Dictionary
from protocols.errors import DecodeError
from protocols.profile import LinkProfile
from protocols.sync.deframer import Deframer, Frame
from protocols.sync.frames import decode_frame, encode_block, encode_cadu
from protocols.units import NS_PER_MS

_Found = Arrival[bytes]


def one_stream(
    reader: ArchiveReader, profile: LinkProfile, dictionary: Dictionary | None = None
) -> Iterator[tuple[int, bytes]]:
    """The bytes received in order, each piece with its Earth received time (ns); of several links the merged frames.

    Args:
        reader: the recording.
        profile: how frames lie on the wire.
        dictionary: says for how long a frame may be held for one of another link; None: for no time.

    Raises:
        ArchiveError: the recording cannot be read.
    """
    links = reader.named_links()
    if not links:
        for ert, _, data in reader.chunks():
            yield ert, data
        return
    channels = [] if dictionary is None else dictionary.channels
    periods = {c.vcid: c.period_ms * NS_PER_MS for c in channels if c.vcid != profile.idle_vcid}
    merger: FrameMerger[bytes] = FrameMerger(len(links), profile.vcfc_modulus, periods)
    deframers = [Deframer(profile) for _ in links]
    count = 0
    for ert, link, data in reader.chunks_by_link():
        ready = merger.advance(ert)
        for found in deframers[link].feed(data):
            if isinstance(found, Frame):
                ready += _merged(merger, link, found.data, ert, profile)
        for arrival in ready:
            yield arrival.at, _on_the_wire(arrival, profile, count)
            count += 1
    for arrival in merger.finish():
        yield arrival.at, _on_the_wire(arrival, profile, count)
        count += 1


def _merged(merger: FrameMerger[bytes], link: int, data: bytes, ert: int, profile: LinkProfile) -> list[_Found]:
    try:
        frame = decode_frame(data, profile)
    except DecodeError:
        return []
    return merger.push(link, frame, ert, data).released


def _on_the_wire(arrival: _Found, profile: LinkProfile, count: int) -> bytes:
    if isinstance(arrival.frame, TmFrame):
        return encode_cadu(arrival.frame._replace(mcfc=count % MCFC_MODULUS), profile)
    return encode_block(arrival.note, profile)

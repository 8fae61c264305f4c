"""Packets of damaged frames as columns: those that came whole in them, and those that `protocols.mending` made whole.

They are apart from the packets of good frames, in tables of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

import numpy as np

from groundstation.errors import CallerError
from groundstation.recordings.export.columns import PacketColumns, is_decodable, judged, void_of
from groundstation.recordings.reader import ArchiveReader
from protocols.declare.dictionary import Dictionary, Packet
from protocols.decode.bulk_packets import decode_batch, decode_times
from protocols.decode.judging.quality import QualityMonitor
from protocols.mending import MendedFrame, Mender, refusal
from protocols.profile import LinkProfile

QUALITIES = ("INTACT", "MENDED")
"""Of a packet in a damaged frame: it came whole, or it was mended."""
_BLOCK = 16_384
"""Packets of a type that are decoded in one go."""


class _Found(NamedTuple):
    """A whole packet of a damaged frame."""

    ert: int
    vcid: int
    sequence: int
    mended: bool
    data: bytes


def mended_columns(
    reader: ArchiveReader,
    dictionary: Dictionary,
    profile: LinkProfile,
    names: Collection[str] | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> Iterator[PacketColumns]:
    """The packets that damaged frames hold; the arguments are those of `columns.packet_columns`.

    Raises:
        ArchiveError: the recording cannot be read.
        CallerError: frames of this link cannot be mended, or it is a recording of several links.
    """
    if (why := refusal(profile)) is not None:
        raise CallerError(f"{reader.path}: nothing can be mended: {why}")
    if reader.named_links():
        raise CallerError(f"{reader.path}: of several links: what one damaged another may have brought")
    monitor, waiting = QualityMonitor(dictionary), dict[str, list[_Found]]()
    for frame in _frames(reader, Mender(dictionary, profile), advance):
        for name, found in _whole(dictionary, frame):
            if names is not None and name not in names:
                continue
            waiting.setdefault(name, []).append(found)
            if len(waiting[name]) >= _BLOCK:
                yield judged(monitor, _columns(dictionary.by_name[name], waiting.pop(name)))
    for name, rest in waiting.items():
        yield judged(monitor, _columns(dictionary.by_name[name], rest))


def _frames(reader: ArchiveReader, mender: Mender, advance: Callable[[int], None]) -> Iterator[MendedFrame]:
    for ert, _, data in reader.chunks():
        yield from mender.feed(ert, data)
        advance(len(data))
    yield from mender.finish()


def _whole(dictionary: Dictionary, frame: MendedFrame) -> Iterator[tuple[str, _Found]]:
    """The packets of a frame of which every byte is sure, by name."""
    for each in frame.packets:
        sure = each.state != "PARTIAL" and (each.packet.header.crc or frame.level == "MENDED")
        if sure and each.whole and frame.vcid is not None and is_decodable(dictionary, each.data):
            mended = each.state == "MENDED" or not each.packet.header.crc
            yield each.packet.definition.name, _Found(frame.ert, frame.vcid, each.sequence, mended, each.data)


def _columns(packet: Packet, found: list[_Found]) -> PacketColumns:
    packets = [each.data for each in found]
    block = packets if packet.size is None else b"".join(packets)
    values = decode_batch(block, packet)
    return PacketColumns(
        packet,
        np.array([each.ert for each in found], np.int64),
        decode_times(block, packet),
        np.array([each.vcid for each in found], np.int64),
        np.array([each.sequence for each in found], np.int64),
        np.array([each.mended for each in found], np.bool_),
        values,
        void_of(packet, values),
        qualities=QUALITIES,
    )

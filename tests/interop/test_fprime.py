"""F´ GDS finds our transfer frames (ASM off) and takes the space packets out of them."""

from __future__ import annotations

from collections.abc import Callable

from hil.lander.transmitter import ChannelAssembler
from protocols.ccsds.space_packet import IDLE_APID
from protocols.ccsds.tm_frame import TmFrame, encode_frame
from protocols.lander import LANDER, SCID
from protocols.profile import UART, LinkProfile
from tests.interop.external_decoders import frames, judge, packets

Deframe = Callable[[bytes], tuple[bytes | None, bytes, bytes]]


def deframe_all(deframe: Deframe, stream: bytes) -> list[bytes]:
    """Every element that their deframer finds; it must discard nothing."""
    found: list[bytes] = []
    while True:
        element, stream, discarded = deframe(stream)
        assert not discarded
        if element is None:
            return found
        found.append(element)


def test_the_aggregator_finds_every_frame() -> None:
    module = judge("fprime_gds.common.communication.ccsds.tm_frame_aggregator", "fprime-gds")
    theirs = module.TmFrameAggregatorFramerDeframer(frame_size=UART.frame_length, scid=SCID)
    part = frames()[:300]
    assert deframe_all(theirs.deframe, b"".join(part)) == list(part)


def test_the_data_link_gives_our_packets_back() -> None:
    """Their data link knows no OCF: the frames are made without."""
    module = judge("fprime_gds.common.communication.ccsds.space_data_link", "fprime-gds")
    profile = LinkProfile(frame_length=UART.frame_length, ocf=False)
    theirs = module.SpaceDataLinkFramerDeframer(frame_size=profile.frame_length, scid=SCID, vcid=LANDER)
    sent, assembler = packets()[:600], ChannelAssembler(profile.data_length)
    stream = b""
    for count, packet in enumerate(sent):
        pointer, data = assembler.assemble(packet)
        frame = TmFrame(SCID, LANDER, count & 0xFF, count & 0xFF, pointer, data, None)
        stream += encode_frame(frame, profile)[len(profile.asm) :]
    assert split(b"".join(deframe_all(theirs.deframe, stream))) == list(sent)


def split(stream: bytes) -> list[bytes]:
    """Concatenated space packets, idle ones left out."""
    found: list[bytes] = []
    while stream:
        size = 7 + int.from_bytes(stream[4:6], "big")
        if int.from_bytes(stream[:2], "big") & 0x7FF != IDLE_APID:
            found.append(stream[:size])
        stream = stream[size:]
    return found

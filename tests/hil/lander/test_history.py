"""The historical descent's science is what it was before the lander had its other systems and profiles."""

from __future__ import annotations

from hashlib import sha256

from hil.lander.spacecraft import Spacecraft
from protocols.ccsds.space_packet import decode_header
from protocols.decode.packets import PacketExtractor, PacketFound
from protocols.lander import LANDER, MARS6
from tests.hil.lander.uplink import frames

DIGESTS = {
    "DESCENT": (2_240, "480fea0244f6fd3a847fade038fd9330c0d8620f54d6633794490de35abbb3a8"),
    "LANDER_HK": (224, "956252d14bffa9efd09b8beeeb8df571bcdf47c2542526b3ab5b07abfce0170d"),
    "LANDER_EVENT": (8, "af7280bd601a67910b0ac8efb6afe2fa5b7265220ccc3908f1916f99f02c3f88"),
}
"""Packets and the SHA-256 of them all without their CRCs, with the dictionary's hash masked: as they were sent then."""


def test_packets_of_the_historical_descent_are_what_they_were() -> None:
    craft, extractor = Spacecraft(), PacketExtractor()
    craft.start()
    found: dict[str, list[bytes]] = {name: [] for name in DIGESTS}
    apids = {MARS6.by_name[name].definition.apid: name for name in DIGESTS}
    while not craft.finished:
        for frame in frames(craft.step()):
            if frame.vcid != LANDER:
                continue
            for packet in extractor.push(frame):
                assert isinstance(packet, PacketFound)
                name = apids.get(decode_header(packet.data).apid)
                if name is not None:
                    found[name].append(packet.data[:-2].replace(MARS6.hash.to_bytes(4, "big"), b"HASH"))
    digests = {name: (len(packets), sha256(b"".join(packets)).hexdigest()) for name, packets in found.items()}
    assert digests == DIGESTS

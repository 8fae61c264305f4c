"""Profiles of captures that hold no TM or AOS frames: bare packets, TC frames, CLTUs.

kind = "packets"               # space and encapsulation packets, one after the other
skip = 0                       # bytes before each packet that belong to none, as a recorder's time stamp
packet_versions = [0]          # version numbers of packets with the space packet's header; often 0 and 4

kind = "TC"                    # TC transfer frames one after the other; "CLTU": in CLTUs
fecf = true
segmented = false              # data frames have a segment header
randomised = false             # with the sequence of 231.0-B §6
packet_versions = [0]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from protocols.profile import SPACE_PACKETS, LinkProfile, check_versions, wrong_key

MAX_SKIP = 4096
"""Bytes before a packet, at most."""


@dataclass(frozen=True, slots=True)
class PacketsProfile:
    """A file of packets. The module says what each key means.

    Raises:
        DeclarationError: a number that cannot be; names the key.
    """

    skip: int = 0
    packet_versions: tuple[int, ...] = SPACE_PACKETS
    kind: Literal["packets"] = "packets"

    def __post_init__(self) -> None:
        if not 0 <= self.skip <= MAX_SKIP:
            raise wrong_key("skip", f"{self.skip} is not 0 … {MAX_SKIP} bytes")
        check_versions(self.packet_versions)


@dataclass(frozen=True, slots=True)
class TcProfile:
    """An uplink: TC frames, bare or in CLTUs. The module says what each key means.

    Raises:
        DeclarationError: a version number that cannot be.
    """

    kind: Literal["TC", "CLTU"] = "CLTU"
    fecf: bool = True
    segmented: bool = False
    randomised: bool = False
    packet_versions: tuple[int, ...] = SPACE_PACKETS

    def __post_init__(self) -> None:
        if self.randomised and self.kind == "TC":
            raise wrong_key("randomised", "only the frames in CLTUs are randomised")
        check_versions(self.packet_versions)


CaptureProfile = LinkProfile | PacketsProfile | TcProfile

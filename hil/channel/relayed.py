"""What a second relay makes of a spacecraft's stream: the frames that it hears, under its own frame count. Sans-I/O.

A relay passes the content of a frame on as it is, VCFC and CLCW included: these are the lander's. The MCFC counts what
the relay itself sends, and the FECF is made after that. Bytes that are in no good frame it cannot relay: there is
nothing that it could count.
"""

from __future__ import annotations

from collections.abc import Collection

from protocols.ccsds.tm_frame import MCFC_MODULUS, TmFrame
from protocols.errors import DecodeError
from protocols.profile import LinkProfile
from protocols.sync.deframer import Deframer, Frame
from protocols.sync.frames import decode_frame, encode_cadu


class RelayedFrames:
    """One relay's downlink."""

    def __init__(self, profile: LinkProfile, vcids: Collection[int], first: int = 0) -> None:
        """Begin.

        Args:
            profile: of the frames, of kind TM.
            vcids: the channels that it hears.
            first: its frame count at the beginning.
        """
        self._profile = profile
        self._vcids = frozenset(vcids)
        self._mcfc = first
        self._deframer = Deframer(profile)

    def relay(self, data: bytes) -> list[bytes]:
        """The frames that it sends for so many bytes of the spacecraft's stream, each as it goes on the wire."""
        sent = []
        for found in self._deframer.feed(data):
            cadu = self._relayed(found) if isinstance(found, Frame) else None
            if cadu is not None:
                sent.append(cadu)
        return sent

    def _relayed(self, found: Frame) -> bytes | None:
        try:
            frame = decode_frame(found.data, self._profile)
        except DecodeError:
            return None
        if not isinstance(frame, TmFrame) or frame.vcid not in self._vcids:
            return None
        own = frame._replace(mcfc=self._mcfc)
        self._mcfc = (self._mcfc + 1) % MCFC_MODULUS
        return encode_cadu(own, self._profile)

"""One way to the fields of a transfer frame, whatever its kind: the link profile says which standard it follows."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from protocols.ccsds import aos_frame, tm_frame
from protocols.ccsds.randomizer import randomize
from protocols.errors import EncodeError
from protocols.profile import LinkProfile


class TransferFrame(Protocol):
    """What TM and AOS frames have in common: all that packets and contact need to know."""

    @property
    def scid(self) -> int:
        """Spacecraft."""

    @property
    def vcid(self) -> int:
        """Virtual channel."""

    @property
    def mcfc(self) -> int | None:
        """Master channel frame count, modulo 256; None in frames that have none (AOS)."""

    @property
    def vcfc(self) -> int:
        """Virtual channel frame count, modulo the profile's ``vcfc_modulus``."""

    @property
    def first_header_pointer(self) -> int:
        """Where in ``data`` the first packet starts."""

    @property
    def data(self) -> bytes:
        """The bytes that carry packets."""

    @property
    def ocf(self) -> bytes | None:
        """Operational control field."""


def decode_frame(frame: bytes, profile: LinkProfile) -> TransferFrame:
    """The frame that `sync.deframer.Deframer` gave: ASM and check symbols are off, FECF is checked.

    Raises:
        DecodeError: it is not of the kind and form that the profile says.
    """
    if profile.kind == "TM":
        return tm_frame.decode_frame(frame, profile)
    return aos_frame.decode_frame(frame, _format_of(frame, profile))


def _format_of(frame: bytes, profile: LinkProfile) -> aos_frame.AosFormat:
    if profile.uniform:
        return aos_format(profile)
    return aos_format(profile, aos_frame.vcid_of(frame, aos_format(profile)))


def encode_cadu(frame: tm_frame.TmFrame | aos_frame.AosFrame, profile: LinkProfile) -> bytes:
    """The frame as it goes on the wire: ASM, then the frame with check symbols, randomised, as the profile has it.

    Raises:
        EncodeError: the frame is not of the profile's kind and form.
    """
    if isinstance(frame, tm_frame.TmFrame) != (profile.kind == "TM"):
        raise EncodeError(f"the profile wants {profile.kind} frames, this is a {type(frame).__name__}")
    if isinstance(frame, tm_frame.TmFrame):
        block = tm_frame.encode_frame(frame, profile)[len(profile.asm) :]
    else:
        block = aos_frame.encode_frame(frame, aos_format(profile, frame.vcid))
    return encode_block(block, profile)


def encode_block(frame: bytes, profile: LinkProfile) -> bytes:
    """ASM and coding around the bytes of a frame; the inverse of what `sync` takes off."""
    if profile.rs_depth and not profile.rs_decode:
        raise EncodeError("rs_decode = false: there are no check symbols to be made for an unknown code")
    if profile.rs_depth:
        from protocols.ccsds import reed_solomon  # noqa: PLC0415 - numpy: see `arbiter`

        frame = reed_solomon.encode(frame, profile.rs_depth)
    return profile.asm + (randomize(frame) if profile.randomised else frame)


@lru_cache
def aos_format(profile: LinkProfile, vcid: int | None = None) -> aos_frame.AosFormat:
    """What an AOS frame of this profile consists of; with ``vcid``, one of this virtual channel."""
    return aos_frame.AosFormat(
        profile.frame_length,
        profile.header_error_control,
        profile.insert_zone,
        profile.ocf if vcid is None else profile.has_ocf(vcid),
        profile.fecf,
        profile.data_field if vcid is None else profile.data_field_of(vcid),
    )

"""A link profile: how frames lie on the wire. Data, so that another link is another value or another TOML file.

`capture_profile` reads the TOML, also that of files that hold no TM or AOS frames.

    kind = "TM"                    # or "AOS"
    frame_length = 128             # bytes of the transfer frame, without ASM and without Reed–Solomon check symbols
    asm = "1ACFFC1D"               # in hex; "off" for bare frames one after the other
    ocf = true
    fecf = true
    rs_depth = 0                   # interleaving depth of Reed–Solomon (255,223), 1 … 8; 0 is none
    randomised = false             # with the pseudo-random sequence of 131.0-B §10
    alignment = "byte"             # "bit": the ASM starts at any bit, in either polarity
    rs_decode = true               # false: the check symbols are cut off, and nothing is checked by them
    secondary_header = 0           # TM only: its length in bytes, its own first byte included
    secondary_header_id = true     # TM only: its first byte has its version and length; false: any byte
    insert_zone = 0                # AOS only: its length in bytes
    header_error_control = false   # AOS only
    data_field = "packets"         # or "B_PDU" (AOS only), "VCA": no packets in it
    packet_versions = [0]          # version numbers of packets with the space packet's header; often 0 and 4

    [vc.3]                         # where a virtual channel differs:
    ocf = false
    data_field = "VCA"

Every key may be left out; what stands here is the default.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from protocols.errors import DeclarationError
from protocols.words import FrameKind

ASM = bytes.fromhex("1ACFFC1D")
"""Attached sync marker, CCSDS 131.0-B §9.3.5."""

RS_MESSAGE = 223
RS_CHECK = 32
"""Symbols of a Reed–Solomon codeword: message and check (131.0-B §4.3)."""

MAX_FRAME = {"TM": 2048, "AOS": 65536}
"""Longest frame of a kind, in bytes."""

MAX_DEPTH = 8

SPACE_PACKETS = (0,)
"""Version numbers of packets, by default. Those of encapsulation packets (7) are known everywhere."""

Alignment = Literal["byte", "bit"]
DataField = Literal["packets", "B_PDU", "VCA"]
"""What a frame's data field carries: packets (in AOS: M_PDUs), a bitstream, or what the mission alone knows."""

VCIDS = {"TM": 8, "AOS": 64}
"""Virtual channels of a kind."""

_HEADER = 6
_HEADER_ERROR_CONTROL = 2
_M_PDU_HEADER = 2
_OCF = 4
_FECF = 2
_ENCAPSULATION = 7


@dataclass(frozen=True, slots=True)
class ChannelForm:
    """How the frames of one virtual channel differ from the profile; None: not in this.

    Attributes:
        vcid: the channel.
        ocf: whether they end with an operational control field.
        data_field: what they carry.
    """

    vcid: int
    ocf: bool | None = None
    data_field: DataField | None = None


@dataclass(frozen=True, slots=True)
class LinkProfile:
    """Transfer frames of one fixed length. The module says what each switch means; ``asm`` is empty for off.

    Attributes:
        block_length: the frame with its Reed–Solomon check symbols, in bytes.
        cadu_length: ASM, frame and check symbols, in bytes.
        data_offset: where the frame's packets start: behind the headers and the insert zone.
        data_length: bytes of a frame that carry packets: TM data field, AOS packet zone; where ``channels`` say
            nothing else.
        vcfc_modulus: the virtual channel frame count starts again after so many frames.
        uniform: all channels have the same fields, and carry packets.
        idle_vcid: the virtual channel that carries nothing: by convention 7 in TM, by the standard 63 in AOS.

    Raises:
        DeclarationError: the switches contradict each other; names the key.
    """

    frame_length: int = 128
    asm: bytes = ASM
    ocf: bool = True
    kind: FrameKind = "TM"
    fecf: bool = True
    rs_depth: int = 0
    randomised: bool = False
    alignment: Alignment = "byte"
    secondary_header: int = 0
    insert_zone: int = 0
    header_error_control: bool = False
    rs_decode: bool = True
    secondary_header_id: bool = True
    data_field: DataField = "packets"
    packet_versions: tuple[int, ...] = SPACE_PACKETS
    channels: tuple[ChannelForm, ...] = ()

    # These follow from the switches. They are asked for with every frame, so they are calculated once.
    block_length: int = field(init=False, repr=False, compare=False)
    cadu_length: int = field(init=False, repr=False, compare=False)
    data_offset: int = field(init=False, repr=False, compare=False)
    data_length: int = field(init=False, repr=False, compare=False)
    vcfc_modulus: int = field(init=False, repr=False, compare=False)
    idle_vcid: int = field(init=False, repr=False, compare=False)
    uniform: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_switches(self)
        _check_kind(self)
        _check_data_fields(self)
        offset = _data_offset(self)
        trailer = (_OCF if self.ocf else 0) + (_FECF if self.fecf else 0)
        block = self.frame_length + RS_CHECK * self.rs_depth
        _set(self, "block_length", block)
        _set(self, "cadu_length", len(self.asm) + block)
        _set(self, "data_offset", offset)
        _set(self, "data_length", self.frame_length - offset - trailer)
        _set(self, "vcfc_modulus", 1 << 8 if self.kind == "TM" else 1 << 24)
        _set(self, "idle_vcid", 7 if self.kind == "TM" else 63)
        _set(self, "uniform", not self.channels and self.data_field == "packets")
        shortest, longest = self.frame_length - self.data_length + 1, MAX_FRAME[self.kind]
        if not shortest <= self.frame_length <= longest:
            raise wrong_key("frame_length", f"{self.frame_length} is not {shortest} … {longest} bytes")
        _check_code(self)

    def has_ocf(self, vcid: int) -> bool:
        """Whether the frames of a virtual channel end with an operational control field."""
        said = next((each.ocf for each in self.channels if each.vcid == vcid), None)
        return self.ocf if said is None else said

    def data_field_of(self, vcid: int) -> DataField:
        """What the data fields of a virtual channel carry."""
        said = next((each.data_field for each in self.channels if each.vcid == vcid), None)
        return said or self.data_field


_set = object.__setattr__
"""How a frozen value is completed while it is made."""


def _data_offset(profile: LinkProfile) -> int:
    if profile.kind == "TM":
        return _HEADER + profile.secondary_header
    control = _HEADER_ERROR_CONTROL if profile.header_error_control else 0
    return _HEADER + control + profile.insert_zone + (0 if profile.data_field == "VCA" else _M_PDU_HEADER)


def _check_switches(profile: LinkProfile) -> None:
    for key in ("frame_length", "rs_depth", "secondary_header", "insert_zone"):
        if getattr(profile, key) < 0:
            raise wrong_key(key, f"{getattr(profile, key)} is negative")
    if profile.kind not in ("TM", "AOS"):
        raise wrong_key("kind", f"{profile.kind!r} is neither 'TM' nor 'AOS'")
    if profile.alignment not in ("byte", "bit"):
        raise wrong_key("alignment", f"{profile.alignment!r} is neither 'byte' nor 'bit'")
    if len(profile.asm) == 1:
        raise wrong_key("asm", "a sync marker has at least two bytes")
    if profile.alignment == "bit" and not profile.asm:
        raise wrong_key("alignment", "a stream of bits without an ASM cannot be aligned")


def _check_kind(profile: LinkProfile) -> None:
    if profile.kind == "TM":
        for key in ("insert_zone", "header_error_control"):
            if getattr(profile, key):
                raise wrong_key(key, "only AOS frames have one")
        if profile.secondary_header_id and profile.secondary_header and not 2 <= profile.secondary_header <= 64:
            raise wrong_key("secondary_header", f"{profile.secondary_header} is not 0 or 2 … 64 bytes")
    elif profile.secondary_header:
        raise wrong_key("secondary_header", "only TM frames have one")


def _check_code(profile: LinkProfile) -> None:
    """Codewords of equal length: the frame is dealt out to them evenly (131.0-B §4.3.6 and §4.3.7)."""
    depth = profile.rs_depth
    if depth > MAX_DEPTH:
        raise wrong_key("rs_depth", f"{depth} is not 0 … {MAX_DEPTH}")
    divided = depth and profile.rs_decode and profile.frame_length % depth
    if divided or (depth and profile.rs_decode and profile.frame_length > RS_MESSAGE * depth):
        problem = f"with rs_depth {depth} a frame is a multiple of {depth} and at most {RS_MESSAGE * depth} bytes"
        raise wrong_key("frame_length", f"{profile.frame_length}: {problem}")


def _check_data_fields(profile: LinkProfile) -> None:
    said = [each.vcid for each in profile.channels]
    vcids = VCIDS[profile.kind]
    if len(set(said)) < len(said) or any(not 0 <= vcid < vcids for vcid in said):
        raise wrong_key("vc", f"channels {said} are not different numbers 0 … {vcids - 1}")
    fields = [profile.data_field, *(each.data_field for each in profile.channels)]
    if any(each not in (None, "packets", "B_PDU", "VCA") for each in fields):
        raise wrong_key("data_field", f"{fields} are not 'packets', 'B_PDU' or 'VCA'")
    if profile.kind == "TM" and "B_PDU" in fields:
        raise wrong_key("data_field", "only AOS frames carry a B_PDU")
    check_versions(profile.packet_versions)


def check_versions(versions: tuple[int, ...]) -> None:
    """Whether these may be version numbers of space packets.

    Raises:
        DeclarationError: they may not.
    """
    if not versions or any(not 0 <= each < _ENCAPSULATION for each in versions):
        raise wrong_key("packet_versions", f"{list(versions)}: expected numbers 0 … {_ENCAPSULATION - 1}")


def wrong_key(key: str, problem: str) -> DeclarationError:
    """What is wrong with a key of a profile."""
    return DeclarationError(f"profile.{key}", problem)


UART = LinkProfile()
"""This lander's UART: 128-byte frames with OCF and FECF."""

"""What stands around a packet's body: the secondary header with its onboard time, and packet error control.

Rules:
1. A header is part of the declaration. All packets of one APID have the same one, so that a packet's checksum and time
   can be read before it is known which packet it is.
2. PUS-C and PUS-A have service and subtype; an *own* header has the fields that it declares; *none* is the primary
   header alone.
3. The time code is the field ``time`` of an own header, in bytes; without such a field it comes first, as in CCSDS
   133.0-B §4.1.4.2. In PUS headers it comes last.
4. A packet without a time code has no onboard time: its SCET is None, and what shows it goes by the time of reception.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, get_args

import construct

from protocols.ccsds import pus
from protocols.ccsds.cds import CdsFormat, decode_cds
from protocols.ccsds.crc import crc16
from protocols.ccsds.cuc import CucFormat
from protocols.ccsds.space_packet import HEADER_SIZE, encode_packet
from protocols.errors import DeclarationError, DecodeError, EncodeError
from protocols.leap_seconds import tai_of, utc_of
from protocols.structures.codec import Codec, Value, codec_of
from protocols.structures.layout import Field, Layout, layout_of
from protocols.structures.parts import fixed
from protocols.tuples import maker

HeaderKind = Literal["none", "pus-a", "pus-c", "own"]

CRC_SIZE = pus.CRC_SIZE
PUS_A_VERSION = 1
TIME = "time"
"""The field of the time code."""

_LEAPS = ", leap seconds counted"
_PUS_KINDS = ("pus-a", "pus-c")
_LARGEST = 256


@dataclass(frozen=True, slots=True)
class TimeCode:
    """An onboard time in a packet.

    Attributes:
        format: CDS or CUC, its segments and epoch. CUC counts on the scale of its epoch.
        p_field: the P-field is sent, before the T-field. It is skipped: the declaration says what it would.
        leap_seconds: the count has leap seconds in it, as TAI's and GPS's have: they are taken out. The epoch is UTC.

    Raises:
        DeclarationError: leap seconds of CDS, which is UTC.
    """

    format: CdsFormat | CucFormat
    p_field: bool = False
    leap_seconds: bool = False

    def __post_init__(self) -> None:
        if self.leap_seconds and isinstance(self.format, CdsFormat):
            raise DeclarationError("time code", "CDS is UTC: it has no leap seconds to take out")

    @property
    def size(self) -> int:
        """Bytes, P-field included."""
        return self.format.size + self.p_size

    @property
    def p_size(self) -> int:
        """Bytes of the P-field, 0 if it is not sent."""
        return len(self.format.p_field) if self.p_field else 0

    def decode(self, data: bytes, offset: int = 0) -> int:
        """The time in ns since 1970.

        Raises:
            DecodeError: too short, or not a time.
        """
        time = self.format.decode(data, offset + self.p_size)
        if not self.leap_seconds:
            return time
        epoch = self.format.epoch_ns
        return utc_of(tai_of(epoch) + time - epoch)

    def encode(self, time_ns: int) -> bytes:
        """The bytes of a time in ns since 1970.

        Raises:
            EncodeError: it does not fit.
        """
        epoch = self.format.epoch_ns
        time = epoch + tai_of(time_ns) - tai_of(epoch) if self.leap_seconds else time_ns
        return (self.format.p_field if self.p_field else b"") + self.format.encode(time)

    def __str__(self) -> str:
        f = self.format
        name = f"CDS {f.size}" if isinstance(f, CdsFormat) else f"CUC {f.coarse}+{f.fine}"
        return (
            f"{name}{' with P-field' if self.p_field else ''} since {f.epoch_ns}{_LEAPS if self.leap_seconds else ''}"
        )


def cds_time(day_size: int = 2, fraction_size: int = 0, *, epoch_ns: int | None = None) -> TimeCode:
    """CDS without P-field: 6 bytes by default, 8 with ``fraction_size=2`` (microseconds)."""
    return TimeCode(CdsFormat(day_size, fraction_size, **({} if epoch_ns is None else {"epoch_ns": epoch_ns})))


def cuc_time(
    coarse: int = 4,
    fine: int = 2,
    *,
    epoch_ns: int | None = None,
    p_field: bool = False,
    leap_seconds: bool = False,
) -> TimeCode:
    """CUC: bytes of seconds and of fractions of a second since an epoch; see `TimeCode`."""
    given = {} if epoch_ns is None else {"epoch_ns": epoch_ns}
    return TimeCode(CucFormat(coarse, fine, **given), p_field, leap_seconds)


class Header(NamedTuple):
    """What a packet's secondary header says.

    ``time_ns`` is the onboard time (SCET), UTC in ns since 1970, None where there is none; ``fields`` has all others.
    """

    service: int | None
    subtype: int | None
    time_ns: int | None
    fields: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class PacketHeader:
    """What stands around a body.

    Attributes:
        kind: ``none``, ``pus-a``, ``pus-c`` or ``own``.
        time: the time code; None: the header has no time.
        crc: the packet ends with CRC-16 packet error control.
        fields: own fields, a construct Struct (or a `Layout`) of fixed size; in PUS-A the optional fields between
            subtype and time, such as a packet subcounter.
        layout: the whole secondary header.
        time_offset: where the time code begins, from the packet's start; None without a time.
        body_offset: where the body begins.

    Raises:
        DeclarationError: fields that cannot be read or do not belong to the kind, or a time field of another size.
    """

    kind: HeaderKind
    time: TimeCode | None = None
    crc: bool = False
    fields: Any = field(default=None, compare=False)
    layout: Layout = field(init=False, repr=False)
    time_offset: int | None = field(init=False, repr=False, compare=False)
    body_offset: int = field(init=False, repr=False, compare=False)
    _codec: Codec = field(init=False, repr=False, compare=False)
    _is_default: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.kind not in get_args(HeaderKind):
            raise DeclarationError("header", f"kind {self.kind!r} is none of {', '.join(get_args(HeaderKind))}")
        layout = fixed(_header_fields(self), f"{self.kind} header")
        if layout.size is None or layout.size > _LARGEST:
            raise DeclarationError(f"{self.kind} header", f"it has {layout.size} bytes: at most {_LARGEST} are known")
        time = next((leaf for leaf in layout.fields if leaf.name == TIME), None)
        put = object.__setattr__
        put(self, "layout", layout)
        put(self, "time_offset", None if time is None or self.time is None else HEADER_SIZE + time.offset // 8)
        put(self, "body_offset", HEADER_SIZE + layout.size)
        put(self, "_codec", codec_of(layout, f"{self.kind} header"))
        put(self, "_is_default", self.kind == "pus-c" and self.crc and self.time == cds_time())

    @property
    def is_pus(self) -> bool:
        """Whether it has a service and a subtype."""
        return self.kind in _PUS_KINDS

    @property
    def crc_size(self) -> int:
        """Bytes of packet error control."""
        return CRC_SIZE if self.crc else 0

    def decode(self, data: bytes) -> Header:
        """The header of a whole packet, its packet error control checked.

        Raises:
            DecodeError: too short, the CRC does not fit, another PUS version, or its time is none.
        """
        if self._is_default:
            return _decode_pus_c(data)
        if self.kind == "none" and not self.crc and len(data) >= HEADER_SIZE:
            return _BARE
        if len(data) < self.body_offset + self.crc_size:
            raise DecodeError(f"its headers have {self.body_offset + self.crc_size} bytes, not {len(data)}")
        if self.crc and crc16(data):
            raise DecodeError("packet error control does not fit")
        fields = self._codec.decode(data, HEADER_SIZE)
        time = None if self.time_offset is None or self.time is None else self.time.decode(data, self.time_offset)
        if time is not None:
            fields.pop(TIME, None)
        service, subtype = (fields.get("service"), fields.get("subtype")) if self.is_pus else (None, None)
        return Header(service, subtype, time, fields)  # type: ignore[arg-type]  # both are 8 bits

    def time_of(self, data: bytes, offset: int = 0) -> int | None:
        """The onboard time of a packet that begins at ``offset``, as far as it is there and is a time."""
        if self.time_offset is None or self.time is None or len(data) < offset + self.body_offset:
            return None
        at = offset + self.time_offset
        try:
            return decode_cds(data, at) if self._is_default else self.time.decode(data, at)
        except DecodeError:
            return None

    def wrap(
        self, apid: int, sequence: int, body: bytes, time_ns: int | None, fields: Mapping[str, int | float | bytes]
    ) -> bytes:
        """A whole packet around a body. Header fields that are not given are 0.

        Raises:
            EncodeError: a value does not fit, a field is unknown, or the time is missing.
        """
        if self._is_default and time_ns is not None and _PUS_C_USUAL.issuperset(fields):
            usual: Any = {**_ZEROS, **fields}
            return pus.encode_tm(apid, sequence, pus.TmHeader(time_ns=time_ns, **usual), body)
        own = [leaf for leaf in self.layout.named if leaf.const is None and (leaf.name != TIME or self.time is None)]
        values: dict[str, int | float | bytes] = {leaf.name: _zero(leaf) for leaf in own}
        if unknown := sorted(set(fields) - set(values)):
            raise EncodeError(f"the {self.kind} header has no field {', '.join(unknown)}")
        values |= fields
        if self.time is not None:
            if time_ns is None:
                raise EncodeError(f"the {self.kind} header needs a time")
            values[TIME] = self.time.encode(time_ns)
        secondary = self._codec.encode_names(values)
        data = secondary + body + bytes(self.crc_size)
        packet = encode_packet(apid, sequence, data, secondary=bool(secondary))
        return packet[:-CRC_SIZE] + crc16(packet[:-CRC_SIZE]).to_bytes(CRC_SIZE, "big") if self.crc else packet

    def signature(self) -> Iterator[str]:
        """Lines for the dictionary's hash."""
        yield f"  header {self.kind} {self.time} {'crc' if self.crc else 'no crc'}"
        yield from (f"  header {leaf.signature()}" for leaf in self.layout.fields)


_make_header = maker(Header)

_BARE = Header(None, None, None, MappingProxyType({}))
"""Of packets without a secondary header."""


def _zero(leaf: Field) -> int | bytes:
    return bytes(leaf.bits // 8) if leaf.kind in ("bytes", "string") else 0


def _decode_pus_c(data: bytes) -> Header:
    """What every packet of the default header goes through: as short as it can be."""
    service, subtype, counter, destination, time_ns = pus.decode_tm(data)
    return _make_header((service, subtype, time_ns, {"counter": counter, "destination": destination}))


def _header_fields(header: PacketHeader) -> list[Field]:
    """The leaves of the secondary header; `fixed` gives them their places."""
    own = [] if header.fields is None else _own_fields(header)
    time = [] if header.time is None else [Field(TIME, 0, 8 * header.time.size, "bytes", doc="onboard time")]
    if header.kind == "none":
        if own or time:
            raise DeclarationError("header", "kind none has neither fields nor a time: use kind own")
        return []
    if header.kind == "own":
        placed = [leaf for leaf in own if leaf.name == TIME]
        if header.time is None or not placed:
            return [*time, *own]
        if placed[0].kind != "bytes" or placed[0].bits != 8 * header.time.size:
            raise DeclarationError("own header.time", f"expected Bytes({header.time.size}), the size of its time code")
        return own
    if header.kind == "pus-a":
        return [*_PUS_A_FIELDS, *own, *time]
    if own:
        raise DeclarationError("pus-c header", "it has fields of its own: use kind own")
    return [*_PUS_C_FIELDS, *time]


def _own_fields(header: PacketHeader) -> list[Field]:
    layout = layout_of(header.fields, f"{header.kind} header")
    if layout.size is None:
        raise DeclarationError(f"{header.kind} header", "its size varies: expected fields of fixed size")
    return list(layout.fields)


_ZEROS: dict[str, int | float | bytes] = {"service": 0, "subtype": 0, "counter": 0, "destination": 0}
_PUS_C_USUAL = frozenset(_ZEROS)
"""What is usually given of the default header: `pus.encode_tm` takes it, in a fifth of the time."""

_PUS_C_FIELDS = tuple(
    replace(leaf, const=pus.PUS_C) if leaf.name == "version.pus" else leaf
    for leaf in layout_of(pus.TM_SECONDARY_HEADER).fields
    if not leaf.name.startswith("time.")
)
_PUS_A_FIELDS = layout_of(
    construct.Struct(
        "version"
        / construct.BitStruct(
            construct.Padding(1), "pus" / construct.Const(PUS_A_VERSION, construct.BitsInteger(3)), construct.Padding(4)
        ),
        "service" / construct.Int8ub,
        "subtype" / construct.Int8ub,
    )
).fields

NO_HEADER = PacketHeader("none")
"""The primary header alone: no secondary header, no time, no packet error control."""

PUS_C = PacketHeader("pus-c", cds_time(), crc=True)
"""ECSS-E-ST-70-41C §7.4.3 with CDS of 6 bytes since 1958, and packet error control."""

PUS_A = PacketHeader("pus-a", cuc_time(), crc=True)
"""ECSS-E-70-41A with CUC of 4+2 bytes since 1958, without the optional fields, and packet error control."""

"""CDS time code, CCSDS 301.0-B §3.3: day since an epoch, milliseconds of day and, if wanted, their fractions.

`encode_cds` and `decode_cds` are the code of this lander: its P-field is implicit (known from the declaration) and
says epoch 1958, 16-bit day, no fractions. Six bytes. `CdsFormat` is any CDS code, its P-field sent or not.

The scale is UTC (§3.3: leap second corrections are made). A day has the milliseconds 0 … 86 399 999; one that ends with
a leap second has 1000 more, which as nanoseconds since 1970 are the first second of the next day. Anything else is
refused: the field is wider than a day, and what stands there then is not a time. Leap seconds are listed as far as they
are announced; later ones are taken at the end of any June and December.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import construct

from protocols.errors import DeclarationError, DecodeError, EncodeError
from protocols.leap_seconds import ANNOUNCED_UNTIL, LEAP_DAYS
from protocols.structures.codec import Buffer, Codec, compile_codec
from protocols.units import MS_PER_DAY, NS_PER_DAY, NS_PER_MS

CDS = construct.Struct("day" / construct.Int16ub, "ms_of_day" / construct.Int32ub)
_codec = compile_codec(CDS, "CDS")
SIZE = _codec.size

P_FIELD = construct.BitStruct(
    "extended" / construct.Flag,
    "code" / construct.BitsInteger(3),
    "agency_epoch" / construct.Flag,
    "long_day" / construct.Flag,
    "fraction" / construct.BitsInteger(2),
)
_p_field = compile_codec(P_FIELD, "CDS P-field")

_DAYS_1958_TO_1970 = 4383
EPOCH_1958_NS = -_DAYS_1958_TO_1970 * NS_PER_DAY
"""1958-01-01, the standard's own epoch, in nanoseconds since 1970-01-01."""
_LEAP_MS = 1_000
_CODE = 4
_FRACTION_UNITS = {0: 1, 2: 1_000, 4: 1_000_000_000}
"""Units of a millisecond, by the bytes of the sub-millisecond segment: none, microseconds, picoseconds."""


def encode_cds(time_ns: int) -> bytes:
    """CDS bytes of a UTC time in nanoseconds since 1970; whole milliseconds only.

    Raises:
        EncodeError: before 1958, after 2137, or not a whole millisecond.
    """
    day, rest = divmod(time_ns, NS_PER_DAY)
    ms, remainder = divmod(rest, NS_PER_MS)
    if remainder:
        raise EncodeError(f"CDS carries whole milliseconds, not {rest} ns of day")
    return _codec.encode_raw(day + _DAYS_1958_TO_1970, ms)


def decode_cds(data: Buffer, offset: int = 0) -> int:
    """UTC time in nanoseconds since 1970.

    Raises:
        DecodeError: fewer than six bytes, or more milliseconds than the day has.
    """
    return utc_of(*_codec.decode_raw(data, offset))


def utc_of(day: int, ms_of_day: int) -> int:
    """UTC time in nanoseconds since 1970 of the two fields.

    Raises:
        DecodeError: more milliseconds than the day has.
    """
    start = (day - _DAYS_1958_TO_1970) * NS_PER_DAY
    if ms_of_day >= MS_PER_DAY:
        _check_leap_second(start, ms_of_day)
    return start + ms_of_day * NS_PER_MS


def _check_leap_second(start: int, ms_of_day: int) -> None:
    """See that milliseconds beyond 86 399 999 are those of a leap second at the end of the day that starts there."""
    if ms_of_day < MS_PER_DAY + _LEAP_MS and _ends_with_leap_second(start):
        return
    most = f"a day has {MS_PER_DAY} and with a leap second {_LEAP_MS} more"
    raise DecodeError(f"CDS: {ms_of_day} ms of day, where {most}")


def _ends_with_leap_second(start: int) -> bool:
    try:
        day = date(1970, 1, 1) + timedelta(days=start // NS_PER_DAY)
    except OverflowError:  # an agency's epoch and 24 bits of days: farther than the calendar
        return False
    return day in LEAP_DAYS or (day > ANNOUNCED_UNTIL and (day.month, day.day) in ((6, 30), (12, 31)))


@lru_cache(maxsize=6)
def _t_field(day_size: int, fraction_size: int) -> Codec:
    """Codec of a T-field with segments of these sizes, in bytes."""
    fields = ["day" / construct.BytesInteger(day_size), "ms_of_day" / construct.Int32ub]
    if fraction_size:
        fields.append("fraction" / construct.BytesInteger(fraction_size))
    return compile_codec(construct.Struct(*fields), "CDS")


@dataclass(frozen=True, slots=True)
class CdsFormat:
    """What a P-field says.

    Attributes:
        day_size: bytes of the day, 2 or 3.
        fraction_size: bytes of the sub-millisecond segment: 0, 2 (microseconds) or 4 (picoseconds).
        epoch_ns: the start of day 0, in nanoseconds since 1970-01-01.
    """

    day_size: int = 2
    fraction_size: int = 0
    epoch_ns: int = EPOCH_1958_NS

    def __post_init__(self) -> None:
        if self.day_size not in (2, 3):
            raise DeclarationError("cds.day_size", f"{self.day_size} bytes, not 2 or 3")
        if self.fraction_size not in _FRACTION_UNITS:
            raise DeclarationError("cds.fraction_size", f"{self.fraction_size} bytes, not 0, 2 or 4")

    @property
    def size(self) -> int:
        """Bytes of the T-field."""
        return _t_field(self.day_size, self.fraction_size).size

    @property
    def units(self) -> int:
        """Units of the sub-millisecond segment in a millisecond."""
        return _FRACTION_UNITS[self.fraction_size]

    @property
    def p_field(self) -> bytes:
        """One byte."""
        agency = self.epoch_ns != EPOCH_1958_NS
        return _p_field.encode_raw(False, _CODE, agency, self.day_size == 3, self.fraction_size // 2)

    def encode(self, time_ns: int) -> bytes:
        """The T-field of a time in nanoseconds since 1970, cut down to a whole unit.

        Raises:
            EncodeError: before the epoch, or more days than fit.
        """
        day, rest = divmod(time_ns - self.epoch_ns, NS_PER_DAY)
        ms, rest = divmod(rest, NS_PER_MS)
        fraction = [rest * _FRACTION_UNITS[self.fraction_size] // NS_PER_MS] if self.fraction_size else []
        return _t_field(self.day_size, self.fraction_size).encode_raw(day, ms, *fraction)

    def decode(self, data: Buffer, offset: int = 0) -> int:
        """The time in the T-field at ``offset`` in nanoseconds since 1970, cut down to a whole nanosecond.

        Raises:
            DecodeError: too short, or a segment beyond its range.
        """
        day, ms, *rest = _t_field(self.day_size, self.fraction_size).decode_raw(data, offset)
        units = _FRACTION_UNITS[self.fraction_size]
        fraction = rest[0] if rest else 0
        start = self.epoch_ns + day * NS_PER_DAY
        if ms >= MS_PER_DAY:
            _check_leap_second(start, ms)
        if fraction >= units:
            raise DecodeError(f"CDS: a fraction of {fraction}/{units} ms")
        return int(start + ms * NS_PER_MS + fraction * NS_PER_MS // units)


def decode_p_field(data: Buffer, offset: int = 0, *, agency_epoch_ns: int | None = None) -> CdsFormat:
    """The format that the P-field at ``offset`` announces; it has one byte.

    Args:
        data: bytes that hold the P-field.
        offset: where it is.
        agency_epoch_ns: the agency's epoch, in nanoseconds since 1970-01-01.

    Raises:
        DecodeError: too short, not CDS, extended, an agency's epoch that was not given, or a reserved fraction.
    """
    extended, code, agency, long_day, fraction = _p_field.decode_raw(data, offset)
    if code != _CODE or extended or fraction == 3:
        raise DecodeError(f"time code {code}, extended {extended}, fraction {fraction} is not a CDS P-field")
    if agency and agency_epoch_ns is None:
        raise DecodeError("the time code counts from an agency's epoch, which was not given")
    epoch = agency_epoch_ns if agency and agency_epoch_ns is not None else EPOCH_1958_NS
    return CdsFormat(3 if long_day else 2, 2 * fraction, epoch)

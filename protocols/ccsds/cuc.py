"""CUC time code, CCSDS 301.0-B §3.2: seconds and binary fractions of a second since an epoch, as one number.

Times are nanoseconds since 1970-01-01 on the time scale of the epoch, which the standard's own epoch counts in TAI:
no leap seconds are put in or taken out here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import construct

from protocols.errors import DeclarationError, DecodeError, EncodeError
from protocols.structures.codec import Buffer, Codec, compile_codec
from protocols.units import NS_PER_DAY, NS_PER_S

P_FIELD = construct.BitStruct(
    "extended" / construct.Flag,
    "code" / construct.BitsInteger(3),
    "coarse_less_one" / construct.BitsInteger(2),
    "fine" / construct.BitsInteger(2),
)
P_FIELD_EXTENSION = construct.BitStruct(
    "extended" / construct.Flag,
    "more_coarse" / construct.BitsInteger(2),
    "more_fine" / construct.BitsInteger(3),
    construct.Padding(2),
)
_p_field = compile_codec(P_FIELD, "CUC P-field")
_extension = compile_codec(P_FIELD_EXTENSION, "CUC P-field extension")

EPOCH_1958_NS = -4383 * NS_PER_DAY
"""1958-01-01, the standard's own epoch, in nanoseconds since 1970-01-01."""
MAX_COARSE = 7
MAX_FINE = 10
_CODE_1958 = 1
_CODE_AGENCY = 2


@lru_cache(maxsize=80)
def _t_field(coarse: int, fine: int) -> Codec:
    """Codec of a T-field with this many bytes of seconds and of fractions."""
    fields = ["coarse" / construct.BytesInteger(coarse)]
    if fine:
        fields.append("fine" / construct.BytesInteger(fine))
    return compile_codec(construct.Struct(*fields), "CUC")


@dataclass(frozen=True, slots=True)
class CucFormat:
    """What a P-field says.

    Attributes:
        coarse: bytes of seconds, 1 … 7.
        fine: bytes of fractions, 0 … 10; the unit is 256 ** -fine seconds.
        epoch_ns: when the count was 0, in nanoseconds since 1970-01-01.
    """

    coarse: int = 4
    fine: int = 2
    epoch_ns: int = EPOCH_1958_NS

    def __post_init__(self) -> None:
        if not 1 <= self.coarse <= MAX_COARSE:
            raise DeclarationError("cuc.coarse", f"{self.coarse} bytes: the range is 1 … {MAX_COARSE}")
        if not 0 <= self.fine <= MAX_FINE:
            raise DeclarationError("cuc.fine", f"{self.fine} bytes: the range is 0 … {MAX_FINE}")

    @property
    def size(self) -> int:
        """Bytes of the T-field."""
        return self.coarse + self.fine

    @property
    def p_field(self) -> bytes:
        """One byte, or two where more than four bytes of seconds or three of fractions need them."""
        code = _CODE_1958 if self.epoch_ns == EPOCH_1958_NS else _CODE_AGENCY
        coarse, fine = min(self.coarse, 4), min(self.fine, 3)
        extended = coarse < self.coarse or fine < self.fine
        first = _p_field.encode_raw(extended, code, coarse - 1, fine)
        return first + _extension.encode_raw(False, self.coarse - coarse, self.fine - fine) if extended else first

    def encode(self, time_ns: int) -> bytes:
        """The T-field of a time, rounded to the nearest unit.

        Raises:
            EncodeError: before the epoch, or more seconds than fit.
        """
        units = _rounded((time_ns - self.epoch_ns) << 8 * self.fine, NS_PER_S)
        if not 0 <= units < 1 << 8 * self.size:
            raise EncodeError(f"{time_ns} ns is not within {self.coarse} bytes of seconds since {self.epoch_ns} ns")
        return units.to_bytes(self.size, "big")

    def decode(self, data: Buffer, offset: int = 0) -> int:
        """The time in the T-field at ``offset``, rounded to the nearest nanosecond.

        Encoding it again gives the same bytes as long as ``fine`` is at most 3.

        Raises:
            DecodeError: too short.
        """
        units = 0
        for size, value in zip(
            (self.coarse, self.fine), _t_field(self.coarse, self.fine).decode_raw(data, offset), strict=False
        ):
            units = units << 8 * size | value
        return self.epoch_ns + _rounded(units * NS_PER_S, 1 << 8 * self.fine)


def _rounded(numerator: int, denominator: int) -> int:
    """Quotient, rounded to the nearest whole number, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)


def decode_p_field(data: Buffer, offset: int = 0, *, agency_epoch_ns: int | None = None) -> tuple[CucFormat, int]:
    """The format that the P-field at ``offset`` announces, and the P-field's size in bytes (1 or 2).

    Args:
        data: bytes that hold the P-field.
        offset: where it starts.
        agency_epoch_ns: the epoch of codes of level 2, in nanoseconds since 1970-01-01.

    Raises:
        DecodeError: too short, not CUC, an agency's epoch that was not given, or a third byte.
    """
    extended, code, coarse_less_one, fine = _p_field.decode_raw(data, offset)
    coarse, size = coarse_less_one + 1, _p_field.size
    if extended:
        further, more_coarse, more_fine = _extension.decode_raw(data, offset + size)
        if further:
            raise DecodeError("a CUC P-field has at most two bytes")
        coarse, fine, size = coarse + more_coarse, fine + more_fine, size + _extension.size
    return CucFormat(coarse, fine, _epoch(code, agency_epoch_ns)), size


def _epoch(code: int, agency_epoch_ns: int | None) -> int:
    if code == _CODE_1958:
        return EPOCH_1958_NS
    if code != _CODE_AGENCY:
        raise DecodeError(f"time code {code} is not CUC ({_CODE_1958} or {_CODE_AGENCY})")
    if agency_epoch_ns is None:
        raise DecodeError("the time code counts from an agency's epoch, which was not given")
    return agency_epoch_ns

"""CDS time code, CCSDS 301.0-B §3.3: 16-bit day since 1958-01-01 and 32-bit milliseconds of day.

The P-field is implicit (known from the declaration): epoch 1958, 16-bit day, no sub-milliseconds. Six bytes.
"""

from __future__ import annotations

import construct

from protocols.codec import Buffer, compile_codec
from protocols.errors import EncodeError

CDS = construct.Struct("day" / construct.Int16ub, "ms_of_day" / construct.Int32ub)
_codec = compile_codec(CDS, "CDS")
SIZE = _codec.size

_DAY_NS = 86_400_000_000_000
_DAYS_1958_TO_1970 = 4383


def encode_cds(time_ns: int) -> bytes:
    """CDS bytes of a UTC time in nanoseconds since 1970; whole milliseconds only.

    Raises:
        EncodeError: before 1958, after 2137, or not a whole millisecond.
    """
    day, rest = divmod(time_ns, _DAY_NS)
    ms, remainder = divmod(rest, 1_000_000)
    if remainder:
        raise EncodeError(f"CDS carries whole milliseconds, not {rest} ns of day")
    return _codec.encode_raw(day + _DAYS_1958_TO_1970, ms)


def decode_cds(data: Buffer, offset: int = 0) -> int:
    """UTC time in nanoseconds since 1970.

    Raises:
        DecodeError: fewer than six bytes.
    """
    day, ms = _codec.decode_raw(data, offset)
    return int((day - _DAYS_1958_TO_1970) * _DAY_NS + ms * 1_000_000)

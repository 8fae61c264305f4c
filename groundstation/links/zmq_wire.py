"""One message of a relay: a header of 16 bytes, and the bytes that one read at the far port returned.

``seq`` counts a sender's messages from 1. ``ert`` is the stamp made at the far port, in ns since 1970 UTC; 0
says that there was none, and the receiver stamps. No bytes after the header: a hello, or a sign of life.
"""

from __future__ import annotations

from dataclasses import dataclass

import construct

from protocols.codec import compile_codec
from protocols.errors import DecodeError

RELAY_HEADER = construct.Struct("seq" / construct.Int64ub, "ert" / construct.Int64sb)
_codec = compile_codec(RELAY_HEADER, "relay header")
HEADER_SIZE = _codec.size


@dataclass(frozen=True, slots=True)
class RelayMessage:
    """A message as it was sent."""

    seq: int
    ert: int
    data: bytes


def pack(seq: int, ert: int, data: bytes) -> bytes:
    """The message as bytes.

    Raises:
        EncodeError: a number does not fit its field.
    """
    return _codec.encode_raw(seq, ert) + data


def unpack(message: bytes) -> RelayMessage:
    """The message in the bytes.

    Raises:
        DecodeError: they are fewer than a header, or the sequence starts below 1.
    """
    seq, ert = _codec.decode_raw(message, 0)
    if seq < 1:
        raise DecodeError(f"relay header: seq counts from 1, not {seq}")
    return RelayMessage(seq, ert, message[HEADER_SIZE:])

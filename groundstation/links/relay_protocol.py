"""One message of a relay: a header of 16 bytes, and the bytes that one read at the far port returned.

``seq`` counts a sender's messages from 1. ``ert`` is the stamp made at the far port, in ns since 1970 UTC; 0
says that there was none, and the receiver stamps. No bytes after the header: a hello, or a sign of life.

A bridge, which keeps what it read until a station has it, says more: control, as JSON in a second part.

    station → bridge   hello                    whenever it has connected
    bridge → station   Welcome                  or Busy: then hello again, later
    station → bridge   Received                 what it has: the bridge goes on behind that
    bridge → station   PortState                what became of the port, counted like data
    station → bridge   Received                 again and again: the bridge may forget these
    bridge → station   a sign of life           while there is nothing else; ``seq`` is that of the message before it
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import construct
import msgspec

from groundstation.formats.json_encoding import encode_json
from groundstation.links.base import Disturbance
from groundstation.messages.wire import Transport
from protocols.errors import DecodeError
from protocols.structures.codec import compile_codec

RELAY_HEADER = construct.Struct("seq" / construct.Int64ub, "ert" / construct.Int64sb)
_codec = compile_codec(RELAY_HEADER, "relay header")
HEADER_SIZE = _codec.size


class Welcome(msgspec.Struct, frozen=True, tag="welcome", kw_only=True):
    """A bridge takes a station.

    Attributes:
        stream: one run of a bridge: sequences of another run are not to be compared with.
        acked: all messages up to this one were received by some station; what is missing behind it is lost.
        may_write: the station's key may command.
    """

    stream: str
    acked: int
    may_write: bool = True


class Busy(msgspec.Struct, frozen=True, tag="away", kw_only=True):
    """A bridge does not serve this station now, and why."""

    detail: str


class PortState(msgspec.Struct, frozen=True, tag="port", kw_only=True):
    """The far port changed or was disturbed, or, not counted and right after `Received`, this is how it stood there."""

    state: Transport
    detail: str
    disturbance: Disturbance = ""


class Received(msgspec.Struct, frozen=True, tag="received", kw_only=True):
    """The station has all messages of the stream up to this one."""

    stream: str
    seq: int


MESSAGE_MAX = 1 << 20
"""Bytes of a message; who sends a longer one is cut off."""

_ERT_MAX = 2**62
"""Nanoseconds from 1970: year 2116. With it, time can go on without leaving 64 bits."""

RelayControl = Welcome | Busy | PortState | Received
_decoder: msgspec.json.Decoder[RelayControl] = msgspec.json.Decoder(RelayControl)


@dataclass(frozen=True, slots=True)
class RelayMessage:
    """A message as it was sent. ``seq`` is 0 only where there is nothing to count: no data."""

    seq: int
    ert: int
    data: bytes
    control: RelayControl | None = None


def pack(seq: int, ert: int, data: bytes) -> bytes:
    """A message without control, as bytes.

    Raises:
        EncodeError: a number does not fit its field.
    """
    return _codec.encode_raw(seq, ert) + data


def pack_control(seq: int, ert: int, control: RelayControl) -> list[bytes]:
    """A message with control, as its parts.

    Raises:
        EncodeError: a number does not fit its field.
    """
    return [pack(seq, ert, b""), encode_json(control)]


def unpack(message: bytes) -> RelayMessage:
    """The message without control in the bytes.

    Raises:
        DecodeError: they are fewer than a header, the sequence starts below 1, or the time is none.
    """
    seq, ert = _header(message)
    if seq < 1:
        raise DecodeError(f"relay header: seq counts from 1, not {seq}")
    return RelayMessage(seq, ert, message[HEADER_SIZE:])


def unpack_parts(parts: Sequence[bytes]) -> RelayMessage:
    """The message in these parts, with its control part.

    Raises:
        DecodeError: fewer bytes than a header, data that is not counted, no time, or no control in the second part.
    """
    head, *more = parts
    seq, ert = _header(head)
    data = head[HEADER_SIZE:]
    if len(more) > 1 or (more and data):
        raise DecodeError(f"relay message: {len(parts)} parts with {len(data)} bytes of data")
    if data and seq < 1:
        raise DecodeError(f"relay header: seq counts from 1, not {seq}")
    try:
        return RelayMessage(seq, ert, data, _decoder.decode(more[0]) if more else None)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"relay message: {error}") from error


def _header(message: bytes) -> tuple[int, int]:
    seq, ert = _codec.decode_raw(message, 0)
    if abs(ert) > _ERT_MAX:
        raise DecodeError(f"relay header: invalid time of reception: {ert} ns")
    return seq, ert

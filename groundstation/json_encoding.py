"""Values as JSON, whatever text is in them: a file's name or a console may be bytes that are no UTF-8."""

from __future__ import annotations

import msgspec

from groundstation.printable import encodable

_encoder = msgspec.json.Encoder()


def encode_json(value: object) -> bytes:
    """A value as JSON. Text that UTF-8 does not take is escaped: a name may look odd, but ends no program."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return _encoder.encode(_encodable(msgspec.to_builtins(value)))


def _encodable(value: object) -> object:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, list | tuple) else value

"""What all messages have in common."""

from __future__ import annotations

import msgspec

Value = bool | int | float | str


class Message(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    """Base of all messages. ``seq`` is set by the publisher; 0 means not published yet."""

    seq: int = 0

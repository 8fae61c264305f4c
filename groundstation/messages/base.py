"""What all messages have in common."""

from __future__ import annotations

from typing import Annotated

import msgspec

Value = bool | int | float | str
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""What a client may say in a whole number: a longer one is refused where it is read."""

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A count that any language's JSON can hold exactly."""


PROTOCOL = 2
"""Version of the messages between a station and its clients; one that is not stated is 1."""


class Message(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    """Base of all messages. The publisher sets both; 0 means not published yet.

    Attributes:
        seq: counts the messages of a topic.
        sent: when it was published, in ns by the station's own steady clock: in a replay, too.
    """

    seq: Int64 = 0
    sent: Int64 = 0


class Request(Message, frozen=True, kw_only=True):
    """Base of all requests. ``protocol``: the version that the client speaks; None is taken for 1."""

    protocol: Count | None = None

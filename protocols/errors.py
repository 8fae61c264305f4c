"""The errors of `protocols`: one small tree that says whose fault it is.

    ProtocolError
    ├── DeclarationError   ours: a declaration that cannot be; names its path
    ├── EncodeError        our caller's: a value that does not fit its field
    └── DecodeError        their bytes: one item, asked for by itself, is not what it should be

Streams raise none of these: noise is counted by `sync.Deframer` and `packets.PacketExtractor`.
"""

from __future__ import annotations


class ProtocolError(Exception):
    """Base of all."""


class DeclarationError(ProtocolError):
    """A declaration that cannot be used. ``path`` names the place in it."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


class EncodeError(ProtocolError):
    """A value that does not fit the field it is meant for."""


class DecodeError(ProtocolError):
    """Bytes that are not the item they were said to be."""

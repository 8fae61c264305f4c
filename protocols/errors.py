"""The root of all errors of this distribution, and the errors of `protocols`: a small tree that says whose fault it is.

    Mars6Error                 catch this one to catch all
    └── ProtocolError
        ├── DeclarationError   ours: a declaration that cannot be; names its path
        ├── EncodeError        our caller's: a value that does not fit its field
        └── DecodeError        their bytes: one item, asked for by itself, is not what it should be

`groundstation.errors` and `hil.errors` draw the rest of the tree; a test compares the drawings with the classes.

Streams raise none of these: noise is counted by `sync.deframer.Deframer` and `packets.PacketExtractor`.
"""

from __future__ import annotations


class Mars6Error(Exception):
    """Base of every error that `protocols`, `groundstation` and `hil` raise for their callers.

    Attributes:
        exit_code: what a program that ends with this error exits with.
        exit_meaning: what that code means, for ``--help`` and ``docs/exit-codes.md``. A class that has a code of
            its own has a meaning of its own.
    """

    exit_code = 1
    exit_meaning = "a file, folder or address cannot be used"


class ProtocolError(Mars6Error):
    """Base of the errors of `protocols`."""

    exit_code = 3
    exit_meaning = "invalid profile, dictionary or declaration"


class DeclarationError(ProtocolError):
    """A declaration that cannot be used. ``path`` names the place in it."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


class EncodeError(ProtocolError):
    """A value that does not fit the field it is meant for."""


class DecodeError(ProtocolError):
    """Bytes that are not the item they were said to be."""

"""Text files that a user names: declarations and scenarios."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path

from groundstation.errors import CallerError
from groundstation.formats.byte_source import STDIN

SIZE_MAX = 1 << 20


def read_text(path: Path, limit: int = SIZE_MAX) -> str:
    """The text in a file, a pipe, or standard input as ``-``.

    Raises:
        CallerError: it cannot be read, is longer than ``limit`` bytes, or is not UTF-8; says where.
    """
    try:
        with nullcontext(sys.stdin.buffer) if path == STDIN else path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise CallerError(f"{path}: {error.strerror}") from error
    if len(data) > limit:
        raise CallerError(f"{path}: longer than {limit:,} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CallerError(f"{path}: not UTF-8: byte {data[error.start]:#04x} in line {line}") from error

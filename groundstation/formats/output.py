"""Lines of output of both command lines. The only place that writes to standard output and standard error.

Nothing that others wrote reaches a terminal as something that it obeys (`groundstation.formats.printable`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import sys
import traceback

from groundstation.errors import OutputFailed
from groundstation.formats.printable import printable, printable_json

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says of a disk, or a user's share of it, that is full."""


def echo(*lines: str, err: bool = False) -> None:
    """Print lines for people and flush, so that a pipe's reader is live. Unprintable characters are escaped."""
    _write("".join(f"{printable(line)}\n" for line in lines), err=err)


def write_json(text: str, *, err: bool = False) -> None:
    """A line of JSON that is text already, at once."""
    _write(printable_json(text) + "\n", err=err)


def _write(text: str, *, err: bool) -> None:
    stream = sys.stderr if err else sys.stdout
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise OutputFailed(f"standard {'error' if err else 'output'} cannot be written: {error.strerror}") from error


def paint(text: str) -> None:
    """A line of progress on the terminal's standard error, in place of the one before; without text, none."""
    sys.stderr.write(f"\r{printable(text)}\x1b[K")
    sys.stderr.flush()


def write_line(text: str) -> None:
    """One line for people, at once."""
    echo(text)


def show_fault(error: BaseException) -> None:
    """The traceback of a fault of this program; it quotes what others sent."""
    sys.stderr.write(printable("".join(traceback.format_exception(error)), lines=True))


def tell(text: str, *, err: bool = False) -> None:
    """One line to the terminal that started a service; does not block if it is gone or stopped (Ctrl-S)."""
    with contextlib.suppress(OSError):
        number = (sys.stderr if err else sys.stdout).fileno()
        ready = select.poll()
        ready.register(number, select.POLLOUT)
        if ready.poll(0):
            os.write(number, f"{printable(text)}\n".encode(errors="backslashreplace"))

"""Opens serial ports for one process alone, and says beforehand whether that could be done.

Rules:
1. A port is ours alone: flock keeps out those who ask, TIOCEXCL the others. Not on a pseudo-terminal: there
   the flag outlives a killed station, as long as the master end is open, and would lock out the next one.
2. DTR stays when the port is closed (HUPCL is cleared): on an Arduino its rise is a reset, and a station that is
   restarted would end the flight. The first open after plugging in still resets it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import termios
from collections.abc import Iterator

import serial

from groundstation.errors import LinkError
from groundstation.ports.access import holders, is_pty, refusal

_OTHER_DEVICES = frozenset({1, 5, 7, 10})
"""Major numbers that no serial port has: memory (/dev/null), /dev/tty and /dev/ptmx, screens, miscellaneous."""
_CONSOLES, _CONSOLES_MAX = 4, 63
"""The major number of /dev/tty0 and its like, which serial ports share, and the last minor number of these consoles."""


def open_port(path: str, baud: int) -> serial.Serial:
    """Open and configure a port for this process alone.

    Raises:
        PortAbsent: it is not there.
        PortBusy: another process has it.
        PortForbidden: this user may not.
        LinkError: it is not a serial port, or does not know the baud rate.
    """
    try:
        port = serial.Serial(path, baud, timeout=0, exclusive=True)
    except OSError as error:  # SerialException is one
        raise refusal(path, error) from error
    except (ValueError, OverflowError, termios.error) as error:
        raise LinkError(f"{path} cannot be set to {baud} baud: {error}") from error
    try:
        if not is_pty(os.fstat(port.fileno())):
            fcntl.ioctl(port.fileno(), termios.TIOCEXCL)
        _keep_lines_at_close(port.fileno())
    except OSError as error:
        port.close()
        raise refusal(path, error) from error
    return port


def _keep_lines_at_close(fd: int) -> None:
    """Clear HUPCL: DTR stays as it is when the port is closed, and does not rise when it is opened the next time."""
    with contextlib.suppress(termios.error):  # it has gone: the reader finds that out
        attributes = termios.tcgetattr(fd)
        attributes[2] &= ~termios.HUPCL
        termios.tcsetattr(fd, termios.TCSANOW, attributes)


def close_port(port: serial.Serial) -> None:
    """Give a port back, even if its device is gone."""
    with contextlib.suppress(OSError, termios.error):
        fcntl.ioctl(port.fileno(), termios.TIOCNXCL)
    with contextlib.suppress(OSError, termios.error):
        port.close()


@contextlib.contextmanager
def closing_port(port: serial.Serial) -> Iterator[serial.Serial]:
    """A port that is given back at the end."""
    try:
        yield port
    finally:
        close_port(port)


def probe(path: str) -> None:
    """Say now whether the port could be opened.

    A port that no process holds is only looked at: to open it would reset many a board.

    Raises:
        PortAbsent: it is not there.
        PortBusy: another process has it for itself.
        PortForbidden: this user may not.
        LinkError: it is not a serial port.
    """
    require_port(path)
    if not os.access(path, os.R_OK | os.W_OK):
        denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        raise refusal(path, denied)
    if holders(path):
        _try_lock(path)


def require_port(path: str) -> None:
    """Reject what cannot be a serial port: a file, or a device such as /dev/null or /dev/tty. Nothing is opened.

    Raises:
        PortAbsent: it is not there.
        LinkError: it is not a serial port.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        raise refusal(path, error) from error
    major, minor = os.major(status.st_rdev), os.minor(status.st_rdev)
    is_console = major == _CONSOLES and minor <= _CONSOLES_MAX
    if not stat.S_ISCHR(status.st_mode) or major in _OTHER_DEVICES or is_console:
        raise LinkError(f"{path} is not a serial port: `groundstation ports` lists them")


def _try_lock(path: str) -> None:
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(fd)
    except OSError as error:
        raise refusal(path, error) from error

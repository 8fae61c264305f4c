"""The log of a program: ``logging`` with one logger per room, written to standard error or appended to a file.

Rules:
1. A module logs through its room's logger: ``logging.getLogger("groundstation.links")``. Cores that take bytes and time
   do not log; the shell around them does.
2. Nothing is written unless ``--verbose`` or ``--log-file`` asks for it: until then all loggers are silent.
3. Text that others sent is escaped as everywhere (`groundstation.formats.printable`): a log is read in a terminal.
4. A log never holds up the station. A line is one write; if the terminal or pipe takes none (Ctrl-S) or the disk is
   full, it is dropped, counted, and the count is written before the next line that goes through.
5. A file is only appended to, so the processes of one run can share it; each line has its process's number.
"""

from __future__ import annotations

import logging
import os
import select
import time
from collections.abc import Iterable
from pathlib import Path

from groundstation.errors import WorldError
from groundstation.formats.printable import printable

PROGRAMS = ("groundstation", "hil")
"""The loggers above those of the rooms."""
ROOMS = (
    *(f"groundstation.{room}" for room in ("station", "bridge", "viewer", "downlink", "uplink", "links")),
    *(f"groundstation.{room}" for room in ("recordings", "security")),
    *(f"hil.{room}" for room in ("runs", "targets", "firmware_tools")),
)
"""Every logger that is used; a test compares."""


class LogFormatter(logging.Formatter):
    """``2026-11-28T18:12:01.123Z 4711 INFO groundstation.links: text``, with everything invisible escaped."""

    def __init__(self) -> None:
        line = "%(asctime)s.%(msecs)03dZ %(process)d %(levelname)s %(name)s: %(message)s"
        super().__init__(line, "%Y-%m-%dT%H:%M:%S")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - a name of logging
        """UTC, whatever the host's time zone."""
        return time.strftime(datefmt or "", time.gmtime(record.created))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - a name of logging
        """The line, without a line end in it."""
        return printable(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802 - a name of logging
        """The traceback, in lines."""
        return printable(super().formatException(ei), lines=True)  # type: ignore[arg-type]  # as it came


class LogHandler(logging.Handler):
    """Writes lines to a file descriptor that takes them, and counts those that it does not take.

    Attributes:
        dropped: lines that were not written since the last one that was.
    """

    def __init__(self, number: int, path: Path | None = None) -> None:
        """Args: an open file descriptor, and the path of its file; None: it is standard error, and is not closed."""
        super().__init__()
        self.setFormatter(LogFormatter())
        self.path = path
        self.dropped = 0
        self._number = number
        self._ready = select.poll()
        self._ready.register(number, select.POLLOUT)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, or count it."""
        try:
            before = f"... {self.dropped} lines of this log are missing here\n" if self.dropped else ""
            line = f"{before}{self.format(record)}\n".encode(errors="backslashreplace")
            taken = bool(self._ready.poll(0)) and os.write(self._number, line) == len(line)
        except OSError:
            taken = False
        except Exception:  # a log call that cannot be formatted: a fault of ours, and none that ends a station
            self.handleError(record)
            return
        self.dropped = 0 if taken else self.dropped + 1

    def close(self) -> None:
        """Close the file."""
        if self.path is not None and self._number >= 0:
            os.close(self._number)
            self._number = -1
        super().close()


def start_logging(verbose: int, path: Path | None, err: int = 2) -> None:
    """Write the log from now on. Called again, it replaces what was asked for before.

    Args:
        verbose: 0: to a file alone; 1: what happens; 2 and more: also what is of use to the developer, and the bytes of
            links.
        path: of the file to append to; None: standard error.
        err: the file descriptor of standard error.

    Raises:
        WorldError: the file cannot be opened.
    """
    stop_logging()
    if not verbose and path is None:
        return
    number = err
    if path is not None:
        try:
            number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise WorldError(f"cannot write the log {path}: {error.strerror}") from error
    handler = LogHandler(number, None if path is None else path.absolute())
    for name in PROGRAMS:
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)


def stop_logging() -> None:
    """Write no log from now on."""
    for handler in dict.fromkeys(_handlers(PROGRAMS)):
        for name in PROGRAMS:
            logging.getLogger(name).removeHandler(handler)
            logging.getLogger(name).setLevel(logging.NOTSET)
        handler.close()


def logs_to_terminal() -> bool:
    """Whether the log goes to standard error, where a terminal interface draws."""
    return any(handler.path is None for handler in _handlers(PROGRAMS))


def options_of_child() -> list[str]:
    """The options that let a process which this one starts write to the same file; none without a file."""
    for handler in _handlers(PROGRAMS[:1]):
        if handler.path is not None:
            deep = logging.getLogger(PROGRAMS[0]).getEffectiveLevel() <= logging.DEBUG
            return ["--log-file", str(handler.path), *(["-vv"] if deep else [])]
    return []


def _handlers(names: Iterable[str]) -> list[LogHandler]:
    return [each for name in names for each in logging.getLogger(name).handlers if isinstance(each, LogHandler)]

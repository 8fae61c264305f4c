"""The far end of a link, for a lander that is a program: a pseudo-terminal or a ZeroMQ socket.

Rules:
1. While a station listens nothing is lost: a send waits for room, up to a time-out, and counts what it drops.
2. While no station listens, bytes are discarded, as by a UART, and counted.
3. A pseudo-terminal's listener is there when it has opened *and* flushed the port, as pyserial does: bytes
   sent between the two would vanish. Packet mode tells of the flush; who never flushes is heard later.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import struct
import termios
import time
import tty
from pathlib import Path
from typing import Protocol

import zmq
from zmq.utils.monitor import recv_monitor_message

from groundstation.errors import CallerError, LinkError
from groundstation.links.relay_protocol import pack, unpack
from groundstation.links.zmq import configure
from protocols.errors import DecodeError

SEND_TIMEOUT_S = 2.0
_SETTLE_S = 0.1
_POLL_S = 0.005
_DRAIN_S = 0.5
_EMPTY_LOOKS = 5
"""The kernel hands bytes on a moment later: empty once may mean that they are still on their way."""

_PRIVATE = re.compile(r"tcp://(127\.\d+\.\d+\.\d+|localhost|\[::1\]):(\d+|\*)|ipc://\S+")


class ByteServer(Protocol):
    """Where a lander's bytes leave. ``url`` is what the station opens."""

    url: str
    discarded: int
    """Bytes sent while no station listened."""
    dropped: int
    """Bytes that a listener did not take in time."""

    def wait_for_listener(self, timeout: float | None) -> bool:
        """Wait until a station listens; None waits for ever. False: timed out."""

    def send(self, data: bytes) -> None:
        """Send bytes down."""

    def receive(self) -> bytes:
        """The uplink's bytes so far, without waiting."""

    def close(self) -> None:
        """Let the listener take what was sent, then end. Idempotent."""


class PtyServer:
    """The master end of a raw pseudo-terminal."""

    def __init__(self, link: Path | None = None, send_timeout: float = SEND_TIMEOUT_S) -> None:
        """Args: a symlink to make to the port, as udev would, and how long a send may wait for room.

        Raises:
            CallerError: something is where the symlink should be.
            LinkError: no pseudo-terminal, or the symlink cannot be made.
        """
        self.discarded = 0
        self.dropped = 0
        self._timeout = send_timeout
        self._link = link
        self._opened: float | None = None
        self._flushed = False
        self._uplink = bytearray()
        if link is not None:
            _make_room(link)
        try:
            self._master, self.path = _open_pty()
        except OSError as error:
            raise LinkError(f"no pseudo-terminal: {error}") from error
        if link is not None:
            self._name(link)
        self.url = f"serial:{link or self.path}"
        self._poll = select.poll()
        self._poll.register(self._master, select.POLLOUT)

    def wait_for_listener(self, timeout: float | None) -> bool:
        """Wait until a station listens; None waits for ever. False: timed out."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._listening():
            if deadline is not None and time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def send(self, data: bytes) -> None:
        """Send bytes down, waiting for room while a station listens."""
        rest = memoryview(data)
        deadline = time.monotonic() + self._timeout
        while rest:
            if not self._listening():
                self.discarded += len(rest)
                return
            with contextlib.suppress(BlockingIOError):
                rest = rest[os.write(self._master, rest) :]
                continue
            left = deadline - time.monotonic()
            if left <= 0:
                self.dropped += len(rest)
                return
            self._poll.poll(left * 1000)

    def receive(self) -> bytes:
        """The uplink's bytes so far, without waiting."""
        if self._master >= 0:
            self._read()
        data = bytes(self._uplink)
        self._uplink.clear()
        return data

    def hang_up(self) -> None:
        """Pull the cable: the port goes away under its listener, with what it has not read."""
        if self._master < 0:
            return
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        """Let the listener take what was sent, then end. Idempotent."""
        if self._master >= 0 and self._listening():
            self._drain()
        self.hang_up()

    def _name(self, link: Path) -> None:
        try:
            link.symlink_to(self.path)
        except OSError as error:
            os.close(self._master)
            raise LinkError(f"{link} cannot be made: {error.strerror}") from error

    def _listening(self) -> bool:
        if self._master < 0 or self._hung_up():
            self._opened, self._flushed = None, False
            return False
        now = time.monotonic()
        if self._opened is None:
            self._opened = now
        if not self._flushed:
            self._read()
        return self._flushed or now - self._opened >= _SETTLE_S

    def _hung_up(self) -> bool:
        return any(events & select.POLLHUP for _, events in self._poll.poll(0))

    def _read(self) -> None:
        """Take what the slave wrote; in packet mode the first byte of a read says what it is."""
        with contextlib.suppress(OSError):  # nothing to read, or no station
            while packet := os.read(self._master, 4096):
                if packet[0] == 0:
                    self._uplink += packet[1:]
                elif packet[0] & termios.TIOCPKT_FLUSHREAD:
                    self._flushed = True

    def _drain(self) -> None:
        """Wait until the listener has read everything: closing the master takes it away."""
        deadline = time.monotonic() + _DRAIN_S
        with contextlib.suppress(OSError):
            slave = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                empty = 0
                while empty < _EMPTY_LOOKS and time.monotonic() < deadline:
                    empty = 0 if _unread(slave) else empty + 1
                    time.sleep(_POLL_S)
            finally:
                os.close(slave)


class TerminalServer:
    """A terminal that another process made and reads: nothing is dropped, a reader that stalls holds the lander."""

    def __init__(self, path: Path) -> None:
        """Args: the terminal.

        Raises:
            LinkError: it cannot be opened.
        """
        self.url = f"serial:{path}"
        self.discarded = 0
        self.dropped = 0
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(self._fd)
        except (OSError, termios.error) as error:
            raise LinkError(f"{path} is not a terminal: {error}") from error
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)

    def wait_for_listener(self, timeout: float | None) -> bool:
        """It is there."""
        return True

    def send(self, data: bytes) -> None:
        """Send bytes down."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def receive(self) -> bytes:
        """The uplink's bytes so far, without waiting."""
        return os.read(self._fd, 4096) if self._poll.poll(0) else b""

    def close(self) -> None:
        """Let go of it. Idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class ZmqServer:
    """A DEALER that binds; one station connects."""

    def __init__(self, endpoint: str, send_timeout: float = SEND_TIMEOUT_S) -> None:
        """Args: where to bind (``tcp://127.0.0.1:*`` takes a free port), and how long a send may wait.

        Raises:
            CallerError: an endpoint that others could reach.
            LinkError: it cannot be bound.
        """
        if not _PRIVATE.fullmatch(endpoint):
            raise CallerError(f"{endpoint}: only tcp://127.0.0.1:PORT and ipc://PATH stay private")
        self.discarded = 0
        self.dropped = 0
        self._timeout = send_timeout
        self._seq = 0
        self._greeted = False
        self._departed = False
        self._closed = False
        self._uplink = bytearray()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._monitor = self._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        configure(self._socket)
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError as error:
            self._shut(linger=0)
            raise LinkError(f"{endpoint} cannot be bound: {error.strerror}") from error
        self.url = f"zmq:{self._socket.getsockopt_string(zmq.LAST_ENDPOINT)}"

    def wait_for_listener(self, timeout: float | None) -> bool:
        """Wait until a station has said hello; None waits for ever. False: timed out."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._listening():
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            self._socket.poll(None if left is None else round(left * 1000), zmq.POLLIN)
        return True

    def send(self, data: bytes, ert: int = 0) -> None:
        """Send bytes down as one message, waiting for room while a station listens.

        Args:
            data: the bytes; none are a sign of life.
            ert: when they were read, in ns, if that was elsewhere.
        """
        self._seq += 1
        message = pack(self._seq, ert, data)
        deadline = time.monotonic() + self._timeout
        while self._listening():
            with contextlib.suppress(zmq.Again):
                self._socket.send(message, zmq.NOBLOCK)
                return
            if time.monotonic() >= deadline:
                self.dropped += len(data)
                return
            self._socket.poll(round(_POLL_S * 1000), zmq.POLLOUT)
        self.discarded += len(data)

    def receive(self) -> bytes:
        """The uplink's bytes so far, without waiting."""
        if not self._closed:
            self._read()
        data = bytes(self._uplink)
        self._uplink.clear()
        return data

    def close(self) -> None:
        """Let the station take what was sent, then end. Idempotent."""
        if not self._closed:
            self._shut(linger=int(_DRAIN_S * 1000))

    def _listening(self) -> bool:
        """A station said hello, and did not leave since. A full queue alone does not mean that it left."""
        if self._closed:
            return False
        while self._monitor.poll(0):
            recv_monitor_message(self._monitor)
            self._departed = True
        self._read()
        if self._departed and not self._socket.poll(0, zmq.POLLOUT):
            self._greeted = self._departed = False
        return self._greeted

    def _read(self) -> None:
        while self._socket.poll(0, zmq.POLLIN):
            with contextlib.suppress(DecodeError):
                data = unpack(b"".join(self._socket.recv_multipart(zmq.NOBLOCK))).data
                self._uplink += data
                if not data:
                    self._greeted, self._departed = True, False

    def _shut(self, linger: int) -> None:
        self._closed = True
        self._socket.disable_monitor()
        self._monitor.close()
        self._socket.close(linger)
        self._context.term()


def _make_room(link: Path) -> None:
    """Take away the symlink of a lander that was killed: its terminal is gone.

    To be called before a terminal is made, which may get the number of the one that is gone.

    Raises:
        CallerError: something else is there.
        LinkError: it cannot be taken away.
    """
    try:
        if link.exists():
            raise CallerError(f"{link} exists: remove it, or choose another --symlink")
        link.unlink(missing_ok=True)
    except OSError as error:
        raise LinkError(f"{link} cannot be made: {error.strerror}") from error


def _open_pty() -> tuple[int, str]:
    """A master end that does not block, and the path of its slave end, raw and closed once."""
    master, slave = os.openpty()
    try:
        path = os.ttyname(slave)
        tty.setraw(slave)
        os.set_blocking(master, False)
        fcntl.ioctl(master, termios.TIOCPKT, struct.pack("i", 1))
    except OSError:
        os.close(master)
        raise
    finally:
        os.close(slave)
    return master, path


def _unread(fd: int) -> int:
    """Bytes that wait at a terminal for its reader."""
    return int(struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, bytes(4)))[0])

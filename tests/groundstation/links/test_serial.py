from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundstation.errors import LinkError, PortAbsent, PortBusy, PortForbidden
from groundstation.links.base import Chunk
from groundstation.links.serial import SerialLink, close_port, open_port, probe
from groundstation.ports.access import Holder, busy_text, forbidden_advice, holders, refusal, running_takers
from groundstation.ports.listing import port_state
from hil.lander_io.servers import PtyServer
from tests.groundstation.links.collect import Sink, started

HOLD = """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
if sys.argv[2] == "locked":
    fcntl.flock(fd, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""
TAKE = """
import ctypes, fcntl, os, sys
ctypes.CDLL(None).prctl(15, sys.argv[2].encode())  # PR_SET_NAME
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
fcntl.flock(fd, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""
UNPRIVILEGED = """
import os, sys
from groundstation.errors import StationError
from groundstation.links.serial import open_port, probe
os.setgroups([]); os.setgid(65534); os.setuid(65534)
for ask in (lambda: probe(sys.argv[1]), lambda: open_port(sys.argv[1], 115200)):
    try:
        ask()
    except StationError as error:
        print(type(error).__name__, error)
"""


@pytest.fixture
def pty(tmp_path: Path) -> Iterator[PtyServer]:
    server = PtyServer(tmp_path / "ttyLander")
    yield server
    server.close()


@pytest.fixture(params=["locked", "open"])
def holder(request: pytest.FixtureRequest, pty: PtyServer) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    arguments = [sys.executable, "-c", HOLD, pty.path, request.param]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield request.param, process
        if process.stdin is not None and not process.stdin.closed:
            process.stdin.close()


def test_a_port_in_use_names_who_has_it_and_is_taken_when_free(
    pty: PtyServer, holder: tuple[str, subprocess.Popen[str]]
) -> None:
    how, process = holder
    who = f"(pid {process.pid})"
    path = pty.url.removeprefix("serial:")
    if how == "open":
        probe(path)
        with started(pty.url) as (_, sink):
            assert f"{who} has it open too" in sink.wait_for("CONNECTED").detail
        return
    with pytest.raises(PortBusy) as caught:
        probe(path)
    assert who in str(caught.value)
    with started(pty.url) as (_, sink):
        detail = sink.wait_for("ATTEMPTING").detail
        assert f"{who}: end it" in detail
        assert process.stdin is not None
        process.stdin.close()
        sink.wait_for("CONNECTED")


def test_two_links_do_not_share_a_port(pty: PtyServer) -> None:
    with started(pty.url) as (_, first), started(pty.url) as (_, second):
        first_or_second = [first, second]
        second.wait(lambda: all(sink.reports for sink in first_or_second), "report")
        states = [sink.reports[0].state for sink in first_or_second]  # type: ignore[union-attr]
        assert sorted(states) == ["ATTEMPTING", "CONNECTED"]


def test_absent(tmp_path: Path) -> None:
    missing = str(tmp_path / "ttyNone")
    with pytest.raises(PortAbsent, match="plug the board in"):
        probe(missing)
    with pytest.raises(PortAbsent):
        open_port(missing, 115200)


def test_no_serial_port_at_all(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(LinkError, match="cannot be used as a serial port"):
        open_port(str(file), 115200)
    with pytest.raises(LinkError, match="cannot be used as a serial port"):
        open_port(str(tmp_path), 115200)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOENT, PortAbsent),
        (errno.ENODEV, PortAbsent),
        (errno.EIO, PortAbsent),
        (errno.EBUSY, PortBusy),
        (errno.EAGAIN, PortBusy),
        (errno.EACCES, PortForbidden),
        (errno.EPERM, PortForbidden),
        (errno.EINVAL, LinkError),
    ],
)
def test_every_refusal_has_its_own_error(number: int, kind: type[LinkError], tmp_path: Path) -> None:
    error = refusal(str(tmp_path / "ttyX"), OSError(number, os.strerror(number)))
    assert type(error) is kind
    assert "\n" not in str(error)


def test_forbidden_says_which_group_and_how_to_join_it() -> None:
    mode = stat.S_IFCHR | 0o660
    advice = forbidden_advice("/dev/ttyACM0", mode, "dialout", "ada", ["bob"])
    assert "group dialout; run `sudo usermod -aG dialout ada`" in advice
    assert "log out and in" in forbidden_advice("/dev/ttyACM0", mode, "dialout", "ada", ["ada"])
    assert "udev" in forbidden_advice("/dev/ttyACM0", mode, "root", "ada", [])
    assert "udev" in forbidden_advice("/dev/ttyACM0", stat.S_IFCHR | 0o600, "dialout", "ada", [])


def test_busy_by_an_invisible_process() -> None:
    assert "another user" in busy_text("/dev/ttyACM0", [])
    told = busy_text("/dev/ttyACM0", [], [Holder(812, "ModemManager")])
    assert "another user" in told
    assert "ModemManager (pid 812) runs: it takes every new port for a modem" in told


@pytest.mark.parametrize(
    ("name", "what"), [("ModemManager", "udev install"), ("brltty", "systemctl mask --now brltty")]
)
def test_services_that_take_ports_are_named_with_what_to_do(pty: PtyServer, name: str, what: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TAKE, pty.path, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        assert Holder(process.pid, name) in running_takers()
        with pytest.raises(PortBusy) as caught:
            open_port(pty.path, 115200)
        state = port_state(pty.path)
        process.communicate()
    assert f"is in use by {name} (pid {process.pid}): it takes" in str(caught.value)
    assert what in str(caught.value)
    assert state == f"busy: {name} (pid {process.pid})"


@pytest.mark.skipif(os.getuid() != 0, reason="becomes another user, which only root can")
def test_another_users_program_that_has_locked_the_port_is_named(pty: PtyServer) -> None:
    os.chmod(pty.path, 0o666)
    with subprocess.Popen(
        [sys.executable, "-c", TAKE, pty.path, "minicom"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        assert f"PortBusy {pty.path} is in use by minicom (pid {process.pid}): end it" in as_unprivileged(pty.path)
        process.communicate()


@pytest.mark.skipif(os.getuid() != 0, reason="becomes another user, which only root can")
def test_forbidden_for_real(pty: PtyServer) -> None:
    os.chmod(pty.path, 0o600)
    result = as_unprivileged(pty.path)
    assert result.count("PortForbidden") == 2
    assert pty.path in result


@pytest.mark.skipif(os.getuid() != 0, reason="becomes another user, which only root can")
def test_a_pseudo_terminal_can_be_opened_again_after_a_killed_station(pty: PtyServer) -> None:
    os.chmod(pty.path, 0o666)
    port = open_port(pty.path, 115200)
    fd, port.fd = port.fd, None  # a killed process closes without tidying up
    assert fd is not None
    os.close(fd)
    assert as_unprivileged(pty.path) == ""


def as_unprivileged(path: str) -> str:
    return subprocess.check_output([sys.executable, "-c", UNPRIVILEGED, path], text=True, timeout=20)


def test_holders_are_found_by_their_open_files(pty: PtyServer) -> None:
    assert holders(pty.path) == []
    port = open_port(pty.path, 115200)
    assert [holder.pid for holder in holders(pty.path)] == [os.getpid()]
    close_port(port)
    close_port(port)
    assert holders(pty.path) == []


def test_unplugged_is_told_from_hung_up(pty: PtyServer, tmp_path: Path) -> None:
    with started(pty.url) as (_, sink):
        assert pty.wait_for_listener(5)
        pty.hang_up()
        assert "was unplugged" in sink.wait_for("DISCONNECTED").detail
        assert "is not there" in sink.wait_for("ATTEMPTING").detail


def test_a_port_that_takes_nothing_is_a_time_out(pty: PtyServer) -> None:
    with started(pty.url) as (link, sink):
        sink.wait_for("CONNECTED")
        start = time.monotonic()
        with pytest.raises(LinkError, match="takes no more"):
            link.write(bytes(10_000_000))
        assert time.monotonic() - start < 1.5


def test_a_clock_that_is_set_back_does_not_turn_reports_around(pty: PtyServer) -> None:
    times = iter([100, 50, 40, *range(30, 10_000)])
    link, sink = SerialLink(pty.path, lambda: next(times)), Sink()
    link.start(sink)
    assert pty.wait_for_listener(5)
    pty.send(b"x")
    sink.wait_bytes(1)
    link.stop()
    assert [chunk.ert for chunk in sink.of(Chunk)] == [100]


def test_closing_leaves_dtr_so_that_no_arduino_is_reset() -> None:
    master, slave = os.openpty()
    attributes = termios.tcgetattr(slave)
    attributes[2] |= termios.HUPCL  # as every port has it after it was plugged in
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    for _ in range(2):
        close_port(open_port(os.ttyname(slave), 115_200))
        assert termios.tcgetattr(slave)[2] & termios.HUPCL == 0
    for fd in (master, slave):
        os.close(fd)

"""Bytes come from files, pipes, FIFOs, sockets and standard input, each of them once and whole."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from groundstation.formats.byte_source import ByteSource
from groundstation.recordings.writer import ArchiveWriter
from tests import descent

DATA = descent.stream()[:20_000]
COMMAND = [sys.executable, "-m", "groundstation.cli"]


def read(path: Path, peek: int = 16) -> bytes:
    with ByteSource(path) as source:
        head = source.peek(peek)
        data = b"".join(source.pieces())
    assert data[: len(head)] == head
    return data


@contextmanager
def pipe(*pieces: bytes) -> Iterator[int]:
    """The end of a pipe to read from; another thread writes, a piece at a time."""
    out, into = os.pipe()

    def write() -> None:
        with os.fdopen(into, "wb", buffering=0) as file:
            for piece in pieces:
                file.write(piece)
                time.sleep(0.01)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield out
    finally:
        os.close(out)
        writer.join()


@pytest.mark.parametrize("form", ["/dev/fd/{}", "/proc/self/fd/{}"])
@pytest.mark.parametrize("pieces", [(DATA,), (DATA[:1], DATA[1:7], DATA[7:]), (b"ab",), ()])
def test_pipe_gives_every_byte_once(form: str, pieces: tuple[bytes, ...]) -> None:
    with pipe(*pieces) as fd:
        assert read(Path(form.format(fd))) == b"".join(pieces)


def test_pipe_that_was_left_non_blocking_has_no_early_end() -> None:
    with pipe(b"", b"", DATA) as fd:
        os.set_blocking(fd, False)
        assert read(Path(f"/dev/fd/{fd}")) == DATA


def test_fifo_gives_every_byte_once(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_bytes(DATA))
    writer.start()
    assert read(fifo) == DATA
    writer.join()


def test_socket_gives_every_byte_once(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            stream, _ = server.accept()
            with stream:
                stream.sendall(DATA)

        thread = threading.Thread(target=serve)
        thread.start()
        assert read(path) == DATA
        thread.join()


def test_socket_descriptor_is_read_by_its_number() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"over a socket")
        ours.shutdown(socket.SHUT_WR)
        assert read(Path(f"/dev/fd/{theirs.fileno()}")) == b"over a socket"


def test_descriptor_is_read_on_from_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"headerbody")
    with (tmp_path / "file").open("rb", buffering=0) as file:
        file.read(6)
        with ByteSource(Path(f"/dev/fd/{file.fileno()}")) as source:
            assert source.size == 4
            assert b"".join(source.pieces()) == b"body"


def decode(path: str, data: bytes, *more: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, "decode", path, "--json", *more], input=data, capture_output=True, check=False)


@pytest.mark.parametrize("path", ["-", "/dev/stdin", "/dev/fd/0"])
def test_decode_counts_standard_input_like_a_file(path: str, tmp_path: Path) -> None:
    (tmp_path / "capture").write_bytes(DATA)
    piped, file = decode(path, DATA), decode(str(tmp_path / "capture"), b"")
    assert (piped.returncode, file.returncode) == (0, 0)
    assert msgspec.json.decode(piped.stdout) == msgspec.json.decode(file.stdout)
    assert msgspec.json.decode(piped.stdout)["total"] == len(DATA)


def test_profile_may_come_from_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "capture").write_bytes(DATA)
    done = decode(str(tmp_path / "capture"), b"frame_length = 128", "--profile", "-")
    assert done.returncode == 0, done.stderr
    with pipe(b"frame_length = 128") as fd:
        arguments = [*COMMAND, "decode", str(tmp_path / "capture"), "--profile", f"/dev/fd/{fd}"]
        assert subprocess.run(arguments, pass_fds=[fd], capture_output=True, check=False).returncode == 0


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as archive:
        archive.chunk(1_000_000_000, "test", DATA)
    return path


def test_recording_redirected_from_a_file_is_decoded(recording: Path) -> None:
    with recording.open("rb") as file:
        done = subprocess.run([*COMMAND, "decode", "-", "--json"], stdin=file, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert msgspec.json.decode(done.stdout)["total"] == len(DATA)


def test_recording_in_a_pipe_is_refused_with_the_way_out(recording: Path) -> None:
    done = decode("-", recording.read_bytes())
    assert done.returncode == 14
    assert b"recording in a pipe" in done.stderr and b"save it as a file first" in done.stderr


@pytest.mark.parametrize("command", [["info"], ["export", "--to", "csv"], ["salvage"], ["replay", "--plain"]])
def test_commands_that_need_a_file_say_so(recording: Path, command: list[str]) -> None:
    with pipe(recording.read_bytes()) as fd:
        arguments = [*COMMAND, *command, f"/dev/fd/{fd}"]
        done = subprocess.run(arguments, pass_fds=[fd], capture_output=True, check=False)
        assert done.returncode == 14
        assert b"a recording has to be a file" in done.stderr
        os.read(fd, 1 << 20)


def test_terminal_is_not_a_capture() -> None:
    ours, theirs = os.openpty()
    try:
        done = subprocess.run([*COMMAND, "decode", "-"], stdin=theirs, capture_output=True, check=False)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 2
    assert b"standard input is the terminal" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_live_pipe_ends_with_its_counts_and_whole_rows(tmp_path: Path, number: signal.Signals) -> None:
    rows = tmp_path / "rows.jsonl"
    command = [*COMMAND, "decode", "-", "--json", "--jsonl", "-"]
    with (
        rows.open("wb") as out,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE) as process,
    ):
        assert process.stdin is not None and process.stderr is not None
        process.stdin.write(DATA)
        process.stdin.flush()
        while not rows.read_bytes().endswith(b"\n"):
            time.sleep(0.01)
        process.send_signal(number)
        counts = msgspec.json.decode(process.stderr.read().splitlines()[0])
        assert process.wait(10) == 130
    assert counts["total"] == len(DATA)
    assert len(rows.read_bytes().splitlines()) == sum(each["packets"] for each in counts["apids"])


@pytest.mark.long
def test_memory_does_not_grow_with_a_pipe() -> None:
    def peak(copies: int) -> int:
        code = "import resource, sys; from groundstation.cli import main\n"
        code += "try: main()\nfinally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
        command = [sys.executable, "-c", code, "decode", "-", "--jsonl", "-"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            assert process.stdin is not None and process.stderr is not None
            for _ in range(copies):
                process.stdin.write(descent.stream())
            process.stdin.close()
            return int(process.stderr.read().split()[-1])

    few, many = peak(2), peak(14)
    assert many - few < 3072  # of 4.1 MB more of input, which would be 12 MB as rows

"""``hil lander`` as a process: however it is asked to end, nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def lander(link: Path, *options: str, by: Sequence[str] = ()) -> Iterator[subprocess.Popen[str]]:
    """One that waits for a listener at a symlink."""
    arguments = [*by, sys.executable, "-m", "hil.cli", "lander", "--pty", "--symlink", str(link), *options]
    process = subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stdout is not None
            assert f"serial:{link}" in process.stdout.readline()
            assert link.is_char_device()
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, 130)], ids=str)
def test_its_symlink_goes_with_it(number: signal.Signals, code: int, tmp_path: Path) -> None:
    link = tmp_path / "ttyLander"
    with lander(link) as process:
        process.send_signal(number)
        assert process.wait(10) == code
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert not link.is_symlink()


@pytest.mark.parametrize("options", [(), ("--ready",), ("--stepped",)], ids=str)
def test_one_that_is_heard_ends_as_well(options: tuple[str, ...], tmp_path: Path) -> None:
    link = tmp_path / "ttyLander"
    with lander(link, *options) as process:
        port = os.open(link, os.O_RDWR | os.O_NOCTTY)
        try:
            if "--stepped" not in options:  # that one flies nothing by itself
                assert os.read(port, 1)
            process.terminate()
            assert process.wait(10) == 0
        finally:
            os.close(port)
    assert not link.is_symlink()


def test_in_a_scripts_background_it_hears_ctrl_c(tmp_path: Path) -> None:
    link = tmp_path / "ttyLander"
    with lander(link, by=["sh", "-c", 'trap "" INT; exec "$@"', "sh"]) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    assert not link.is_symlink()


def test_under_nohup_it_goes_on(tmp_path: Path) -> None:
    link = tmp_path / "ttyLander"
    with lander(link, by=["nohup"]) as process:
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.2)
        assert link.is_char_device()


def test_after_one_that_was_killed_the_next_takes_the_name(tmp_path: Path) -> None:
    link = tmp_path / "ttyLander"
    with lander(link) as process:
        process.kill()
        process.wait(10)
        assert link.is_symlink()
    link.unlink()
    link.symlink_to("/dev/pts/99999")  # the number of the one that was killed may be another terminal's by now
    with lander(link) as process:
        process.terminate()
        assert process.wait(10) == 0
    assert not link.is_symlink()

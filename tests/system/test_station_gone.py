"""A station that stops, is killed and is started again, as real screens of all sizes show it."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from groundstation.messages.commanding import RequestAccepted
from tests.stress.kill_station import Feeder
from tests.system.remote import arm, ask, local, until
from tests.system.test_joining import station
from tests.system.test_terminal import Terminal

SIZES = ((20, 5), (60, 18), (80, 24), (120, 40), (200, 60))

pytestmark = pytest.mark.long


@pytest.fixture
def feeder() -> Iterator[Feeder]:
    each = Feeder(period_s=0.02)
    yield each
    each.close()


def shows_badge(screen: Terminal) -> bool | None:
    """Whether its first line says that commands are armed."""
    return "ARM" in screen.screen().splitlines()[0].replace("MARS", "") or None


def says_nothing_of_now(screen: str) -> None:
    """What must not be said of a station that is gone; the log is of what was."""
    header = screen.splitlines()[0].replace("MARS", "")
    assert not any(word in header for word in ("LIVE", "LOCK", "ARM")), screen
    assert "●" not in screen
    assert not re.search(r"Sync +LOCK", screen)
    recording = re.search(r"Record +(\S+)", screen)
    assert recording is None or recording[1].startswith("UNKN")


def test_all_screens_say_that_it_is_gone_and_that_it_was_started_again(home: Path, feeder: Feeder) -> None:
    with ExitStack() as stages:
        first = stages.enter_context(station(feeder, home / "first.sqlite"))
        feeder.start()
        screens = []
        for width, height in SIZES:
            folder = home / f"{width}"
            folder.mkdir()
            screens.append(Terminal(folder, width, height, f"{sys.executable} -m groundstation.cli watch bench"))
            stages.callback(screens[-1].close)
        assert isinstance(ask(local(), arm(300))[0], RequestAccepted)
        for screen in screens:
            screen.wait_for("LOCK")
            until(partial(shows_badge, screen), "badge")
        first.send_signal(signal.SIGSTOP)
        for screen in screens:
            says_nothing_of_now(screen.wait_for("GONE"))
        first.send_signal(signal.SIGCONT)
        for screen in screens:
            assert "GONE" not in screen.wait_for("LOCK")
            assert "RESTARTED" not in screen.screen()
        first.kill()
        for screen in screens:
            says_nothing_of_now(screen.wait_for("GONE"))
        stages.enter_context(station(feeder, home / "second.sqlite"))
        for (width, _), screen in zip(SIZES, screens, strict=True):
            assert "GONE" not in screen.wait_for("LOCK")
            if width >= 60:
                screen.wait_for("RESTARTED")

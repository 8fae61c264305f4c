"""What all tests share."""

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.forked_commands import ForkedCommands, forked_commands

settings.register_profile("busy", deadline=None)  # other tests run beside it: a single example may have to wait
settings.load_profile("busy")


@pytest.fixture(autouse=True, scope="session")
def children_hear_signals() -> None:
    """Also where ``nohup`` or a script's ``&`` has them ignored: that goes through ``exec``, a handler does not."""
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@pytest.fixture(scope="session")
def commands(children_hear_signals: None) -> Iterator[ForkedCommands]:
    """Where command lines are run."""
    with forked_commands() as running:
        yield running


def pytest_xdist_auto_num_workers() -> int:
    """Three for each core: most tests wait for a clock."""
    return min(12, 3 * (os.cpu_count() or 1))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs in simavr is long: it emulates every instruction, and takes ten times what QEMU takes."""
    for item in items:
        if "simavr" in item.nodeid:
            item.add_marker("long")

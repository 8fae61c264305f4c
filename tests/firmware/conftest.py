"""The core, built once for all tests, and once more as a small board has it."""

from __future__ import annotations

import pytest

from tests.firmware.core import Core


@pytest.fixture(scope="session")
def core(tmp_path_factory: pytest.TempPathFactory) -> Core:
    return Core(tmp_path_factory.mktemp("core"))


@pytest.fixture(scope="session")
def small_core(tmp_path_factory: pytest.TempPathFactory) -> Core:
    """As on a board that flies the descent alone."""
    return Core(tmp_path_factory.mktemp("small"), ("-DLANDER_DESCENT_ONLY",))

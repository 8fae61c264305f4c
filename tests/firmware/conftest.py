"""The core, built once for all tests."""

from __future__ import annotations

import pytest

from tests.firmware.core import Core


@pytest.fixture(scope="session")
def core(tmp_path_factory: pytest.TempPathFactory) -> Core:
    return Core(tmp_path_factory.mktemp("core"))

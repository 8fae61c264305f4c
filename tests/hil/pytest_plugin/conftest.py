"""A project of tests of its own, as a user has one."""

from __future__ import annotations

from pathlib import Path

import pytest

import hil.pytest_plugin.flight  # noqa: F401 - a session within a session forgets what it loads, and numpy loads once

INI = """
[pytest]
addopts = --strict-markers --strict-config -p no:fprime_test_api -p no:hypothesispytest -p no:labgrid
filterwarnings = error
hil_scenarios = scenarios/*.toml
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project. Bundles go into its folder ``tmp``; nothing is required."""
    pytester.makefile(".ini", pytest=INI)
    temporary = pytester.mkdir("tmp")
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.delenv("MARS6_REQUIRE_ALL", raising=False)
    return pytester


@pytest.fixture
def kept(project: pytest.Pytester) -> Path:
    """Where bundles of what failed are looked for."""
    return project.path / "tmp"

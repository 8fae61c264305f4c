"""A plugin that is not used is not noticed."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]


def test_a_session_that_does_not_fly_loads_nothing(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys

        def test_plain(request):
            manager = request.config.pluginmanager
            assert manager.has_plugin("mars6-hil")
            assert not manager.has_plugin("mars6-hil-session")
            loaded = [name for name in sys.modules if name.partition(".")[0] in ("hil", "groundstation", "protocols")]
            assert sorted(loaded) == ["hil", "hil.pytest_plugin"]
            assert "msgspec" not in sys.modules and "construct" not in sys.modules
        """
    )
    done = project.runpytest_subprocess("-W", "error")
    done.assert_outcomes(passed=1)
    assert "hil" not in done.stdout.str()


def test_it_can_be_switched_off(project: pytest.Pytester) -> None:
    (project.path / "pytest.ini").write_text("[pytest]\naddopts = -p no:fprime_test_api\n")
    project.makepyfile("def test_plain(hil_flight): ...")
    project.runpytest("-p", "no:mars6-hil").stdout.fnmatch_lines(["*fixture 'hil_flight' not found*"])


def test_its_import_needs_nothing_that_pytest_has_not_loaded() -> None:
    code = (
        "import sys, pathlib, re, pytest; before = set(sys.modules); import hil.pytest_plugin;"
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "['hil', 'hil.pytest_plugin']"


def test_options_and_settings_are_told(project: pytest.Pytester) -> None:
    project.runpytest("--help").stdout.fnmatch_lines(["*--hil-target=NAME*", "*--hil-report=DIR*"])
    project.runpytest("--fixtures").stdout.fnmatch_lines_random(["hil_target *", "hil_flight *", "hil_seed *"])

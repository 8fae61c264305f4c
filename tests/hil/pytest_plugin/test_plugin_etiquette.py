"""A plugin that is not used is not noticed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hil.report.export.json import read
from tests.hil.pytest_plugin.conftest import INI
from tests.hil.pytest_plugin.scenarios import PLAIN, put

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
            assert sorted(loaded) == ["hil", "hil.pytest_plugin", "hil.pytest_plugin.option_types"]
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
    assert done.stdout.strip() == "['hil', 'hil.pytest_plugin', 'hil.pytest_plugin.option_types']"


def test_options_and_settings_are_told(project: pytest.Pytester) -> None:
    project.runpytest("--help").stdout.fnmatch_lines(["*--hil-target=NAME*", "*--hil-report=DIR*"])
    project.runpytest("--fixtures").stdout.fnmatch_lines_random(["hil_target *", "hil_flight *", "hil_seed *"])


@pytest.mark.long
def test_a_timeout_ends_the_flight_and_not_the_session(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import threading
        import pytest
        from hil.rigs import stepped_target as stepped

        @pytest.mark.timeout(4, method="signal")
        def test_stands(hil_flight, monkeypatch):
            class Standing(stepped.SteppedSoftware):
                def advance(self, ticks, uplink):
                    threading.Event().wait(60)
            monkeypatch.setitem(stepped.STEPPED, "software", Standing)
            hil_flight.fly()

        def test_next_in_another_folder(hil_flight, monkeypatch, tmp_path):
            monkeypatch.chdir(tmp_path)
            hil_flight.fly()
            hil_flight.assert_passed()
        """
    )
    done = project.runpytest("-W", "error", "--hil-report", "out")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*Timeout*", "report: out/report.html"])
    stands, following = read((project.path / "out" / "report.json").read_bytes()).results
    assert stands.error.startswith("cut off: Timeout")
    assert (stands.state, following.state) == ("FAIL", "PASS")


def test_plugins_may_look_for_their_fixtures_in_every_item(project: pytest.Pytester) -> None:
    """As labgrid does, in a hook of its own."""
    put(project, plain=PLAIN)
    project.makeconftest("def pytest_runtest_setup(item): assert 'strategy' not in item.fixturenames")
    project.runpytest().assert_outcomes(passed=1)


def test_beside_labgrid(project: pytest.Pytester) -> None:
    pytest.importorskip("labgrid", reason="labgrid is not installed: pip install labgrid")
    put(project, plain=PLAIN)
    (project.path / "pytest.ini").write_text(INI.replace("-p no:labgrid", ""))
    (project.path / "lg.yaml").write_text("targets:\n  main:\n    drivers: {}\n")
    project.makepyfile(
        """
        def test_both(target, hil_flight):
            hil_flight.drop_link(at="09:11:05")
            hil_flight.fly()
            hil_flight.assert_passed()
        """
    )
    project.runpytest_subprocess("--lg-env", "lg.yaml").assert_outcomes(passed=2)
    project.runpytest_subprocess().assert_outcomes(passed=1, skipped=1)
    project.runpytest_subprocess("-p", "no:labgrid", "scenarios").assert_outcomes(passed=1)

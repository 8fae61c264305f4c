"""``--hil-image``: which image the tests of a session fly."""

from __future__ import annotations

import pytest

from tests.firmware.tools import PREBUILT, record
from tests.hil.pytest_plugin.scenarios import PLAIN, put
from tests.targets.bench import require

pytest_plugins = ["pytester"]

STM32 = PREBUILT / "stm32f4.elf"


@pytest.mark.long
def test_the_image_that_was_given_flies_and_is_reported(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("qemu")
    monkeypatch.setattr("tempfile.tempdir", None)  # QEMU's socket wants a short path
    put(project, plain=PLAIN)
    image = project.path / "lander.elf"
    image.write_bytes(STM32.read_bytes())
    done = project.runpytest("--hil-target", "qemu", "--hil-image", "lander.elf", "--hil-report", "out")
    done.assert_outcomes(passed=1)
    junit = (project.path / "out" / "junit.xml").read_text(encoding="utf-8")
    assert f"given: {image}" in junit
    assert record(PREBUILT / "stm32f4.json")["image"] in junit
    (kept,) = (project.path / "out" / "runs").glob("*/image.elf")
    assert kept.read_bytes() == STM32.read_bytes()


@pytest.mark.parametrize(
    ("target", "image", "words"),
    [
        ("posix", str(STM32), "*--hil-image: *stm32f4.elf is an image of stm32f4, not of posix*"),
        ("qemu", "none.elf", "*--hil-image: *none.elf cannot be read*"),
        ("software", str(STM32), "*--hil-image: the target software runs no image*"),
    ],
)
def test_an_image_that_cannot_fly_ends_the_session(
    project: pytest.Pytester, target: str, image: str, words: str
) -> None:
    put(project, plain=PLAIN)
    done = project.runpytest("--hil-target", target, f"--hil-image={image}")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([words])


def test_an_image_that_pytest_takes_for_a_folder_of_tests_is_told(project: pytest.Pytester) -> None:
    """In two words, and elsewhere: pytest would look for its settings there."""
    put(project, plain=PLAIN)
    done = project.runpytest("--hil-target", "qemu", "--hil-image", str(STM32))
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([f"*write --hil-image={STM32}, in one word*"])

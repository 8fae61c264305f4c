"""The analysers of GCC and clang, and cppcheck: nothing to say about the firmware."""

from __future__ import annotations

import pytest

from tests.firmware.tools import make, need


@pytest.mark.long
def test_the_analysers_have_nothing_to_say() -> None:
    need("make", "gcc", "cppcheck", "clang-tidy", packages="make gcc cppcheck clang-tidy")
    done = make("analyse", check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")

"""Every input that the fuzzer kept, once more, under ASan and UBSan; without libFuzzer."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.firmware.core import CORE, FIRMWARE, WARNINGS
from tests.firmware.fuzz.corpus import CORPUS, TARGET, unpack
from tests.firmware.tools import need


@pytest.mark.long
def test_the_corpus_finds_nothing(tmp_path: Path) -> None:
    need("gcc", packages="gcc libc6-dev")
    program = tmp_path / "replay"
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-DREPLAY"]
    sources = [str(TARGET), *map(str, sorted(CORE.glob("*.c")))]
    command = ["gcc", "-std=c11", "-g", "-O1", *WARNINGS, *sanitizers, "-I", str(FIRMWARE), "-o", str(program)]
    subprocess.run([*command, *sources], check=True)
    inputs = unpack(tmp_path / "corpus")
    assert len(inputs) > 100
    told = subprocess.run([str(program), *map(str, inputs)], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout, told.stderr) == (0, f"{len(inputs)} inputs\n", "")


def test_the_corpus_is_small() -> None:
    assert CORPUS.stat().st_size <= 200_000

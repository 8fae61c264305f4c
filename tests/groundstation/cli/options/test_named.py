"""An unknown command, option or value is answered with the nearest known one, in one wording."""

from __future__ import annotations

import subprocess
import sys

import pytest

import protocols


@pytest.mark.parametrize(
    ("program", "words", "said"),
    [
        ("groundstation", "sned PING", "no command 'sned'; did you mean 'send'?"),
        ("groundstation", "keys revok x", "no command 'revok'; did you mean 'revoke'?"),
        ("groundstation", "udev chekc", "no command 'chekc'; did you mean 'check'?"),
        ("groundstation", "watch --jsno", "no option '--jsno'; did you mean '--json'?"),
        (
            "groundstation",
            "serve zmq:x --anounce",
            "no option '--anounce'; known: --mission",
        ),  # not hidden ones
        ("groundstation", "export x.sqlite --to parqet", "no value 'parqet'; did you mean 'parquet'?"),
        ("groundstation", "serve seriel:/dev/x", "unknown link 'seriel'; did you mean 'serial'?"),
        ("groundstation", "serve serial:/dev/x?buad=9", "unknown link option 'buad'; did you mean 'baud'?"),
        ("hil", "campain", "no command 'campain'; did you mean 'campaign'?"),
        ("hil", "firmware biuld uno", "no command 'biuld'; did you mean 'build'?"),
        ("hil", "firmware build unoo", "unknown board 'unoo'; did you mean 'uno'?"),
        ("hil", "run all --target qmeu", "no value 'qmeu'; did you mean 'qemu'?"),
        ("hil", "run los-91105", "unknown scenario 'los-91105'; did you mean 'los-091105'?"),
    ],
)
def test_an_unknown_word_is_answered_with_the_nearest(program: str, words: str, said: str) -> None:
    command = [sys.executable, "-m", f"{program}.cli", *words.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said in done.stderr
    assert done.returncode == 2


def test_one_module_alone_looks_for_near_names() -> None:
    from pathlib import Path

    root = Path(protocols.__file__).parents[1]
    sources = [path for name in ("protocols", "groundstation", "hil") for path in (root / name).rglob("*.py")]
    using = [path.name for path in sources if "difflib" in path.read_text(encoding="utf-8")]
    assert using == ["nearest.py"]

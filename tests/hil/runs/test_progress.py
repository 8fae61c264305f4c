"""Progress: painted over on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import pytest

from hil.runs.progress import Progress


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_without_a_terminal_a_line_every_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    progress = Progress(clock, terminal=False)
    for second in range(26):
        clock.now = 100.0 + second
        progress.show(lambda: f"[{second}/26]")  # noqa: B023 - it is called at once
        progress.clear()
    assert capsys.readouterr().err == "[5/26]\n[15/26]\n[25/26]\n"


def test_on_a_terminal_the_line_is_painted_over(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    progress = Progress(clock, terminal=True)
    for tenths in range(4):
        clock.now = 100.0 + tenths / 10
        progress.show(lambda: f"at {tenths}")  # noqa: B023 - it is called at once
    progress.clear()
    said = capsys.readouterr().err
    assert [part for part in said.split("\r") if part] == ["at 0\x1b[K", "at 2\x1b[K", "\x1b[K"]

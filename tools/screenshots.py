"""Take the pictures of the documents again: the terminal interface at the loss of signal, in both sizes.

Flies the historical descent on the software lander in tmux, ten times faster than it was, and presses `s` as soon as
the loss of signal is shown.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURES = {"descent.svg": (120, 40), "descent-80x24.svg": (80, 24)}
"""File in docs/img: columns and lines."""

SPEED = 10
PATIENCE_S = 120.0


def main() -> int:
    """Take them all; the exit status."""
    parser = argparse.ArgumentParser(description="Take the pictures of the documents.")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "img", help="where to write them")
    pictures = parser.parse_args().folder
    if shutil.which("tmux") is None:
        print("tmux is needed: apt-get install tmux", file=sys.stderr)
        return 1
    for name, size in PICTURES.items():
        with tempfile.TemporaryDirectory() as folder:
            picture = fly(Path(folder), *size)
            (pictures / name).write_text(without_random_names(picture), encoding="utf-8")
        print(pictures / name)
    return 0


def fly(folder: Path, columns: int, lines: int) -> str:
    """Fly in a terminal of that size; the screen at the loss of signal, as SVG."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    environment = inherited | {
        "XDG_RUNTIME_DIR": str(folder),
        "XDG_DATA_HOME": str(folder / "data"),
        "COLORTERM": "truecolor",
        "LC_ALL": "C.UTF-8",
    }
    (folder / "tmux.conf").write_text("set -g status off\n", encoding="utf-8")
    tmux = ["tmux", "-S", str(folder / "tmux"), "-f", str(folder / "tmux.conf")]
    program = f"{Path(sys.executable).parent / 'hil'} fly --speed {SPEED} --record pass.sqlite"
    start = [*tmux, "new-session", "-d", "-x", str(columns), "-y", str(lines), "-c", str(folder), program]
    subprocess.run(start, env=environment, check=True)
    try:
        wait(lambda: "LOSS OF SIGNAL" in screen(tmux))
        subprocess.run([*tmux, "send-keys", "s"], check=True)
        wait(lambda: any(folder.glob("*.svg")))
        (picture,) = folder.glob("*.svg")
        return picture.read_text(encoding="utf-8")
    finally:
        subprocess.run([*tmux, "send-keys", "q"], check=False)
        subprocess.run([*tmux, "kill-server"], check=False)


def screen(tmux: list[str]) -> str:
    """What is shown now."""
    return subprocess.run([*tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True).stdout


def wait(condition: Callable[[], bool]) -> None:
    """Until it holds.

    Raises:
        TimeoutError: it does not.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the loss of signal was not shown")
        time.sleep(0.05)


def without_random_names(svg: str) -> str:
    """The picture without the random names that Textual gives to its styles, so that only what changed differs."""
    return re.sub(r"terminal-\d+", "terminal-mars6", svg)


if __name__ == "__main__":
    sys.exit(main())

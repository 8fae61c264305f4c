"""The scripted descent on a real terminal: ``python -m tests.groundstation.tui.demo [from_s] [speed] [--ascii]``."""

from __future__ import annotations

import sys

from groundstation.tui.app import run_tui
from tests.groundstation.tui.scripted import HOST, FakeClock, ScriptedSource, script, snapshot


def main() -> int:
    """Fly from ``from_s`` seconds after entry on, at ``speed`` times real time."""
    numbers = [float(argument) for argument in sys.argv[1:] if not argument.startswith("-")]
    start, speed = (numbers + [80.0, 1.0][len(numbers) :])[:2]
    source = ScriptedSource(script(start=start), FakeClock(HOST), first=snapshot(start), speed=speed)
    return run_tui(source, ascii="--ascii" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())

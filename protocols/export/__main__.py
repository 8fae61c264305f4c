"""``python -m protocols.export all`` writes every export; ``check`` compares them with the declaration.

The shell of this package: the only place in `protocols` that touches files.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from protocols.errors import ProtocolError
from protocols.export import EXPORTS
from protocols.loading import DEFAULT, load_dictionary


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 is done, 1 is a difference, 2 is an error of the caller."""
    parser = argparse.ArgumentParser(prog="python -m protocols.export", description=__doc__)
    parser.add_argument("command", choices=("all", "check"), help="write the files, or compare them")
    parser.add_argument("--dictionary", default=DEFAULT, metavar="MODULE:NAME", help="default: %(default)s")
    parser.add_argument("--root", type=Path, default=Path(), help="where the files lie; default: the current folder")
    options = parser.parse_args(arguments)
    try:
        dictionary = load_dictionary(options.dictionary)
        texts = {options.root / path: render(dictionary) for path, render in EXPORTS.items()}
        return _write(texts) if options.command == "all" else _check(texts)
    except (ProtocolError, OSError) as error:
        print(error, file=sys.stderr)
        return 2


def _write(texts: dict[Path, str]) -> int:
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path)
    return 0


def _check(texts: dict[Path, str]) -> int:
    stale = 0
    for path, text in texts.items():
        if not path.is_file():
            print(f"{path}: missing", file=sys.stderr)
        elif (there := path.read_text(encoding="utf-8")) != text:
            print(f"{path}:{_first_difference(there, text)}: differs from the declaration", file=sys.stderr)
        else:
            continue
        stale += 1
    if stale:
        print("run `python -m protocols.export all`", file=sys.stderr)
    return 1 if stale else 0


def _first_difference(left: str, right: str) -> int:
    """The first line, from 1, in which two different texts differ."""
    pairs = zip(left.splitlines(), right.splitlines(), strict=False)
    shorter = min(len(left.splitlines()), len(right.splitlines()))
    return next((number for number, (a, b) in enumerate(pairs, 1) if a != b), shorter + 1)


if __name__ == "__main__":
    sys.exit(main())

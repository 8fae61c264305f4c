"""The corpus as one file of the repository: an input a line, in base64, sorted."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

HERE = Path(__file__).parent
TARGET = HERE / "commands.c"
CORPUS = HERE / "corpus.txt"


def unpack(folder: Path) -> list[Path]:
    """A file for each input, under the name that libFuzzer would give it."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for line in CORPUS.read_text(encoding="ascii").split():
        data = base64.b64decode(line)
        path = folder / hashlib.sha1(data).hexdigest()
        path.write_bytes(data)
        paths.append(path)
    return paths


def pack(folder: Path) -> None:
    """What is in the folder becomes the corpus."""
    lines = sorted(base64.b64encode(path.read_bytes()).decode() for path in folder.iterdir())
    CORPUS.write_text("\n".join(lines) + "\n", encoding="ascii")

"""The walk and the map in the README: each file that they name is there, and defines the names that stand behind it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.shell import ROOT

FILE = r"`((?:protocols|groundstation|hil)/[\w./…-]+\.(?:py|c))`"
NAMES = r"((?: · )?(?:,? ?(?:the generated )?`[A-Za-z_][\w.]*`)*)"
PLACE = re.compile(FILE + " · " + NAMES)
GENERATED = {"decode"}
"""Names that are not written down: `protocols/structures/codec.py` makes the function."""


def file_of(name: str) -> Path:
    if "…" in name:
        before, _, after = name.partition("…")
        return next(iter(sorted((ROOT / before).rglob(after.lstrip("/")))))
    return ROOT / name


def places(document: str) -> Iterator[tuple[Path, str]]:
    """The files that a document names, with the names behind ``·``."""
    text = (ROOT / document).read_text(encoding="utf-8").replace("\n", " ")
    for name, names in PLACE.findall(text):
        for symbol in re.findall(r"`([^`]+)`", names):
            yield file_of(name), symbol


def is_defined(path: Path, symbol: str) -> bool:
    """Whether a function, class, method or assignment of that name is in the file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".c":
        return re.search(rf"^[a-z].*\b{symbol}\(", text, re.M) is not None
    scope: list[ast.stmt] = ast.parse(text).body
    for part in symbol.split("."):
        found = [node for node in scope if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)]
        found = [node for node in found if node.name == part]
        if not found:
            return False
        scope = found[0].body
    return True


def test_walk_names_what_is_there() -> None:
    found = list(places("docs/walk.md"))
    assert len(found) > 30
    wrong = [
        (str(path), symbol)
        for path, symbol in found
        if symbol not in GENERATED and not (path.is_file() and is_defined(path, symbol))
    ]
    assert wrong == []


@pytest.mark.parametrize(("document", "least"), [("README.md", 12), ("docs/walk.md", 40)])
def test_every_file_that_is_named_exists(document: str, least: int) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    names = re.findall(r"`([\w./…-]+\.(?:py|c))`", text)
    assert len(names) >= least
    assert [name for name in names if not file_of(name).is_file()] == []


def test_walk_names_no_method_that_its_class_lost() -> None:
    """``Class.method`` and ``ReplaySession.is_new`` in running text, without a file before them."""
    text = (ROOT / "docs/walk.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Z]\w+\.[a-z_]\w*)`", text))
    classes: dict[str, set[str]] = {}
    for path in (each for package in ("protocols", "groundstation", "hil") for each in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                methods = {each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
                classes.setdefault(node.name, set()).update(methods)
    missing = [name for name in sorted(named) if name.split(".")[1] not in classes.get(name.split(".")[0], set())]
    assert len(named) > 20
    assert missing == []

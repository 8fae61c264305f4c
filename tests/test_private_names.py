"""Tests, tools, benchmarks and examples use what is public: what they need beyond that, a user needs too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("tests", "tools", "benchmarks", "examples")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
DOCUMENTED = {
    "_",  # of construct: the enclosing structure
    "_replace",  # of a named tuple
    "_exit",  # of os
    "_compositor",  # Textual has no public way to read the screen
}
PACKAGES = ("protocols.", "groundstation.", "hil.")
BY_NAME = ("setattr", "delattr", "getattr", "hasattr")


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in DOCUMENTED


def private_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The line and the name of each, but for those of ``self`` and ``cls``."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                pass
            case ast.Attribute(attr=name) if is_private(name):
                yield node.lineno, name
            case ast.ImportFrom(names=names):
                yield from ((node.lineno, each.name) for each in names if is_private(each.name))
            case ast.Call(func=ast.Attribute(attr=function) | ast.Name(id=function), args=args) if function in BY_NAME:
                words = [each.value for each in args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
                yield from ((node.lineno, word) for word in words if is_private_path(word))


def is_private_path(word: str) -> bool:
    """Whether it names something private: of an object, or of a module of this project by its whole path."""
    own = "." not in word or word.startswith(PACKAGES)
    return own and any(is_private(part) for part in word.split("."))


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("self._a + cls._b", []),
        ("self.part._a", ["_a"]),
        ("station._stop.set()", ["_stop"]),
        ("module.__name__, frame._replace(at=1), os._exit(1)", []),
        ("from hil.runs import _a, b", ["_a"]),
        ("monkeypatch.setattr(station, '_take', take)", ["_take"]),
        ("monkeypatch.setattr('hil.runs.run._A', 1)", ["hil.runs.run._A"]),
        ("monkeypatch.setattr('textual._parser.get_time', clock)", []),
        ("getattr(station, '_stop')", ["_stop"]),
    ],
)
def test_private_names_are_found(code: str, found: list[str]) -> None:
    assert [name for _, name in private_names(ast.parse(code))] == found


def test_only_the_packages_use_their_private_names() -> None:
    used = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in FILES
        for line, name in private_names(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert used == []

"""Names under which a mission's module imported this package before its modules were put in rooms.

A declaration is somebody's file, written once: it has to load in every later version. While one is imported, the names
of before find the modules of today. Nothing else may use them.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    "protocols.commands": "protocols.declare.commands",
    "protocols.dictionary": "protocols.declare.dictionary",
    "protocols.fields": "protocols.structures.fields",
    "protocols.layout": "protocols.structures.layout",
    "protocols.codec": "protocols.structures.codec",
    "protocols.loading": "protocols.declare.loading",
    "protocols.frames": "protocols.sync.frames",
    "protocols.packets": "protocols.decode.packets",
    "protocols.telemetry": "protocols.decode.telemetry",
}
"""The name of before, and the module of today."""


@contextmanager
def earlier_names() -> Iterator[None]:
    """Let imports find the names of before, after all that is really there."""
    finder = _Finder()
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder(MetaPathFinder, Loader):
    """Finds a name of before, and fills its module with what the module of today has."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        today = importlib.import_module(MOVED[module.__name__])
        vars(module).update({name: value for name, value in vars(today).items() if not name.startswith("__")})

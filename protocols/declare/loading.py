"""A mission by its name: an installed one, ``module:NAME`` from anywhere on the Python path, or a file.

Installed missions are entry points of the group ``groundstation.missions``; the one of this project is always there.
Loading runs the mission's module: it is as trusted as any program of yours. An XTCE file is data: nothing of it runs.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from traceback import walk_tb
from types import ModuleType
from typing import Any

from protocols.declare.dictionary import Dictionary
from protocols.declare.earlier_names import earlier_names
from protocols.declare.mission import Mission
from protocols.errors import DeclarationError
from protocols.nearest import nearest

DEFAULT = "mars6"
GROUP = "groundstation.missions"
_OWN = {DEFAULT: "protocols.lander:MISSION"}
_EXAMPLE = "protocols.lander:MISSION"
_WAYS = f"name an installed mission, module:NAME such as {_EXAMPLE}, or a file such as ./sparrow.py or ./jpss.xml"
_XTCE = ".xml"
_XTCE_READER = "protocols.xtce_reader"
"""Imported when it is wanted: it is above this room, and few missions come as a file of XTCE."""

_IMPORTING = (Path(__file__), Path(importlib.__file__))
"""Files that stand in a traceback before the mission's own."""


def load_mission(name: str | Path = DEFAULT) -> Mission:
    """The mission of that name; its module is imported, so it runs.

    Args:
        name: of an installed mission (``mars6``), ``module:NAME``, or a Python file, ``sparrow.py`` or
            ``folder/sparrow.py:NAME``. NAME is a `Mission`, or a `Dictionary`, which gets the defaults; it may be left
            out where the file has one of them only. Or an XTCE file, ``jpss.xml``: `Mission.problems` says what of it
            could not be read.

    Raises:
        DeclarationError: no such mission, module, file or name; something else than a mission; or the module's own
            error, named with its place.
    """
    name = str(name)
    target = installed().get(name, name)
    if target.endswith(_XTCE):
        return _from_xtce(name, Path(target))
    where, colon, attribute = target.partition(":")
    if where.endswith(".py"):
        path = Path(where).absolute()
        return _mission(target, _import_file(name, path), attribute, f"{path}{colon}{attribute}")
    if not colon or not where or not attribute:
        raise DeclarationError(name, f"no such mission{nearest(name, installed())}: {_WAYS}")
    return _mission(target, _import(name, where), attribute, name)


def load_dictionary(name: str | Path = DEFAULT) -> Dictionary:
    """The dictionary of a mission, by the mission's name.

    Raises:
        DeclarationError: as `load_mission`.
    """
    return load_mission(name).dictionary


def installed() -> Mapping[str, str]:
    """The installed missions: name to ``module:NAME``."""
    found: dict[str, EntryPoint] = {each.name: each for each in entry_points(group=GROUP)}
    return {name: each.value for name, each in sorted(found.items())} | _OWN


def _mission(name: str, module: ModuleType, attribute: str, source: str) -> Mission:
    if not attribute:
        attribute = _only(name, module)
    found = getattr(module, attribute, None)
    try:
        if isinstance(found, Dictionary):
            return Mission(found, source=source)
        if isinstance(found, Mission):
            return replace(found, source=source)
    except DeclarationError as error:
        raise DeclarationError(name, f"its declaration is wrong: {error}") from error
    if found is not None:
        raise DeclarationError(name, f"{attribute} is of type {type(found).__name__}: expected a Mission or Dictionary")
    raise DeclarationError(name, f"{module.__name__} has no {attribute!r}{_hint(module, attribute)}")


def _only(name: str, module: ModuleType) -> str:
    """The one mission of a file; a mission wins over the dictionary that it is made of."""
    for kind in (Mission, Dictionary):
        names = [key for key, value in vars(module).items() if isinstance(value, kind)]
        if len(names) == 1:
            return names[0]
        if names:
            raise DeclarationError(name, f"it has {', '.join(names)}: choose one, such as {name}:{names[0]}")
    raise DeclarationError(name, "it has no Mission and no Dictionary")


def _import(name: str, module_name: str) -> ModuleType:
    try:
        with earlier_names():
            return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise DeclarationError(name, _no_module(error.name)) from error
        raise _failed(name, error) from error
    except (Exception, SystemExit) as error:  # a module may fail in any way; the caller gave only its name
        raise _failed(name, error) from error


def _no_module(module_name: str) -> str:
    text = f"no module {module_name!r}"
    if Path(f"{module_name}.py").exists():
        return f"{text} on the Python path: name the file, ./{module_name}.py"
    return f"{text}: is it installed, or is its folder in PYTHONPATH?"


def _import_file(name: str, path: Path) -> ModuleType:
    """The module of a file, under the file's own name; its folder is on the path while it is imported."""
    known = sys.modules.get(path.stem)
    if known is not None and getattr(known, "__file__", None) == str(path):
        return known
    spec = importlib.util.spec_from_file_location(path.stem if known is None else f"{path.stem} of {path}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise DeclarationError(name, f"no file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.parent))
    try:
        with earlier_names():
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # as above
        del sys.modules[spec.name]
        raise _failed(name, error) from error
    finally:
        sys.path.remove(str(path.parent))
    return module


def _from_xtce(name: str, path: Path) -> Mission:
    reader: Any = importlib.import_module(_XTCE_READER)
    bounds = reader.Bounds()
    try:
        with path.open("rb") as file:
            data = file.read(bounds.octets + 1)
    except OSError as error:
        raise DeclarationError(name, f"cannot be read: {error.strerror}") from error
    try:
        return mission_from_xtce(data, str(path.absolute()))
    except DeclarationError as error:
        raise DeclarationError(name, str(error)) from error


def mission_from_xtce(data: bytes, source: str) -> Mission:
    """The mission that an XTCE document describes, with the default link profile.

    Raises:
        DeclarationError: it cannot be read.
    """
    document: Any = importlib.import_module(_XTCE_READER).read_xtce(data)
    return Mission(document.dictionary, source=source, problems=document.problems)


def _failed(name: str, error: BaseException) -> DeclarationError:
    place = _place(error)
    if isinstance(error, DeclarationError):
        return DeclarationError(name, f"its declaration is wrong: {error}{place}")
    if isinstance(error, ImportError):
        return DeclarationError(name, f"importing it failed: {error}{place}")
    return DeclarationError(name, f"importing it failed: {type(error).__name__}: {error}{place}")


def _place(error: BaseException) -> str:
    """The line of the mission's file, or of one beside it, at which an error came; a SyntaxError says it itself."""
    if isinstance(error, SyntaxError):
        return ""
    frames = [(Path(frame.f_code.co_filename), line) for frame, line in walk_tb(error.__traceback__)]
    frames = [(path, line) for path, line in frames if path not in _IMPORTING and not path.name.startswith("<")]
    beside = [f" ({path.name}, line {line})" for path, line in frames if path.parent == frames[0][0].parent]
    return beside[-1] if beside else ""


def _hint(module: ModuleType, attribute: str) -> str:
    names = [key for key, value in vars(module).items() if isinstance(value, Mission | Dictionary)]
    return nearest(attribute, names, none="it has no missions and no dictionaries")

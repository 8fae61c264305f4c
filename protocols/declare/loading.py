"""A mission's dictionary by its name, ``module:NAME``: from this project or from anywhere on the Python path."""

from __future__ import annotations

import importlib
from types import ModuleType

from protocols.declare.dictionary import Dictionary
from protocols.errors import DeclarationError
from protocols.nearest import nearest

DEFAULT = "protocols.lander:MARS6"


def load_dictionary(name: str) -> Dictionary:
    """The dictionary of that name; its module is imported, so it runs.

    Args:
        name: ``module:NAME``, such as ``protocols.lander:MARS6``.

    Raises:
        DeclarationError: not such a name, no such module, nothing of that name in it, or something else than a
            dictionary; or the module's own error, named with its place.
    """
    module_name, colon, attribute = name.partition(":")
    if not colon or not module_name or not attribute:
        raise DeclarationError(name, f"a dictionary is named module:NAME, such as {DEFAULT}")
    module = _import(name, module_name)
    found = getattr(module, attribute, None)
    if isinstance(found, Dictionary):
        return found
    if found is not None:
        raise DeclarationError(name, f"{attribute} is a {type(found).__name__}, not a Dictionary")
    raise DeclarationError(name, f"{module_name} has no {attribute!r}{_hint(module, attribute)}")


def _import(name: str, module_name: str) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except DeclarationError as error:
        raise DeclarationError(name, f"its declaration is wrong: {error}") from error
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            text = f"no module {error.name!r}: is it installed, or is its folder in PYTHONPATH?"
            raise DeclarationError(name, text) from error
        raise DeclarationError(name, f"importing it failed: {error}") from error
    except Exception as error:  # a module may fail in any way; the caller gave only its name
        raise DeclarationError(name, f"importing it failed: {type(error).__name__}: {error}") from error


def _hint(module: ModuleType, attribute: str) -> str:
    names = [key for key, value in vars(module).items() if isinstance(value, Dictionary)]
    return nearest(attribute, names, none="it has no dictionaries")

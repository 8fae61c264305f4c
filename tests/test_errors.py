"""One tree of errors for all three packages, and the drawings of it."""

from __future__ import annotations

import importlib
import pkgutil
import re
from types import ModuleType

import pytest

import groundstation
import groundstation.errors
import hil
import hil.errors
import protocols
import protocols.errors

_ROW = re.compile(r"^ {4}([│ ]*(?:[├└]── )?)([A-Z]\w+)(?:\s|$)")
_SCRIPTS = ("__main__", "hil.firmware.")


def load_all(package: ModuleType) -> None:
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not any(script in module.name for script in _SCRIPTS):
            importlib.import_module(module.name)


def below(kind: type[BaseException]) -> set[type[BaseException]]:
    return {kind}.union(*(below(each) for each in kind.__subclasses__()))


def drawn(text: str) -> dict[str, str]:
    """Each class that the tree in ``text`` draws with its base there; roots have none."""
    above: list[str] = []
    bases = {}
    for line in text.splitlines():
        if row := _ROW.match(line):
            depth = len(row[1]) // 4
            above[depth:] = [row[2]]
            bases[row[2]] = above[depth - 1] if depth else ""
    return bases


@pytest.mark.parametrize("package", [protocols, groundstation, hil])
def test_every_error_is_drawn_under_its_base(package: ModuleType) -> None:
    load_all(package)
    name = package.__name__
    errors = importlib.import_module(f"{name}.errors")
    own = {each for each in below(protocols.errors.Mars6Error) if each.__module__.split(".")[0] == name}
    assert errors.__doc__ is not None
    tree = {child: base for child, base in drawn(errors.__doc__).items() if base}
    of_class = {each.__name__: each.__bases__[0].__name__ for each in own}
    of_class.pop("Mars6Error", None)
    assert tree == of_class


@pytest.mark.parametrize("package", [protocols, groundstation, hil])
def test_every_error_of_a_package_stands_in_its_errors(package: ModuleType) -> None:
    load_all(package)
    name = package.__name__
    own = {each for each in below(protocols.errors.Mars6Error) if each.__module__.split(".")[0] == name}
    assert {each.__module__ for each in own} == {f"{name}.errors"}


def test_an_exit_code_has_a_meaning_beside_it() -> None:
    for package in (protocols, groundstation, hil):
        load_all(package)
    for each in below(protocols.errors.Mars6Error):
        if each.__module__.split(".")[0] in ("protocols", "groundstation", "hil"):
            assert ("exit_code" in vars(each)) == ("exit_meaning" in vars(each)), each


def test_one_except_catches_the_errors_of_all_packages() -> None:
    with pytest.raises(protocols.errors.Mars6Error):
        raise hil.errors.ScenarioError("hil")
    with pytest.raises(protocols.errors.Mars6Error):
        raise groundstation.errors.PortBusy("groundstation")
    with pytest.raises(protocols.errors.Mars6Error):
        raise protocols.errors.DeclarationError("path", "protocols")

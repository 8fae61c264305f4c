"""Requirement ids and tags of tests: ``@pytest.mark.hil_requirements("LOS-3")``, ``@pytest.mark.hil_tags("smoke")``.

A test carries them as properties, which JUnit shows and pytest-xdist hands on; a flight of it carries them too. Those
of a scenario's file are the same to pytest: `pytest -k smoke` chooses by a tag or an id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from hil.pytest_plugin import REQUIREMENTS, TAGS
from hil.scenario.scenario import check_labels

_PROPERTIES = {REQUIREMENTS: "hil_requirement", TAGS: "hil_tag"}


def labels_of(item: pytest.Item, marker: str) -> list[str]:
    """What a test and its class and module say, the outermost first, each once.

    Raises:
        pytest.UsageError: a label is not a word.
    """
    markers = reversed(list(item.iter_markers(marker)))
    found = list(dict.fromkeys(label for each in markers for label in each.args))
    try:
        check_labels(f"{item.nodeid}: {marker}", [str(label) for label in found])
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error
    return [str(label) for label in found]


def put_labels(item: pytest.Item, requirements: Sequence[str], tags: Sequence[str]) -> None:
    """Let a test be found by its labels, and told of with them."""
    for marker, labels in ((REQUIREMENTS, requirements), (TAGS, tags)):
        item.extra_keyword_matches.update(labels)
        item.user_properties += [(_PROPERTIES[marker], label) for label in labels]


def requirements_in(properties: Iterable[tuple[str, object]]) -> list[str]:
    """The requirements among the properties of a test's report."""
    return list(dict.fromkeys(str(value) for name, value in properties if name == _PROPERTIES[REQUIREMENTS]))

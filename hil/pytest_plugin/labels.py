"""What markers say: requirement ids, ``@pytest.mark.hil_requirements("LOS-3")``, tags,
``@pytest.mark.hil_tags("smoke")``, and expectations on telemetry,
``@pytest.mark.hil_expect("DESCENT.deceleration", max=12)``.

A test carries them as properties, which JUnit shows and pytest-xdist hands on; a flight of it carries them too. Those
of a scenario's file are the same to pytest: `pytest -k smoke` chooses by a tag or an id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from hil.pytest_plugin import EXPECT, REQUIREMENTS, TAGS
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


def expectations_of(item: pytest.Item) -> list[dict[str, Any]]:
    """Tables [[expect]] of a test's markers and of those of its class and module, the outermost first.

    Raises:
        pytest.UsageError: a marker names no parameter.
    """
    tables = []
    for marker in reversed(list(item.iter_markers(EXPECT))):
        if len(marker.args) != 1 or "parameter" in marker.kwargs:
            raise pytest.UsageError(f'{item.nodeid}: {EXPECT}: one parameter, as {EXPECT}("PACKET.name", max=12)')
        tables.append({"parameter": marker.args[0], **marker.kwargs})
    return tables


def put_labels(item: pytest.Item, requirements: Sequence[str], tags: Sequence[str]) -> None:
    """Let a test be found by its labels, and told of with them."""
    for marker, labels in ((REQUIREMENTS, requirements), (TAGS, tags)):
        item.extra_keyword_matches.update(labels)
        item.user_properties += [(_PROPERTIES[marker], label) for label in labels]


def requirements_in(properties: Iterable[tuple[str, object]]) -> list[str]:
    """The requirements among the properties of a test's report."""
    return list(dict.fromkeys(str(value) for name, value in properties if name == _PROPERTIES[REQUIREMENTS]))

"""Finds bundles: in a folder that is one, in the folder of a report, in a folder of bundles."""

from __future__ import annotations

from pathlib import Path

from hil.errors import ScenarioError

RESULT = "result.json"
RUNS = "runs"


def is_bundle(folder: Path) -> bool:
    """Whether it is the bundle of a run."""
    return (folder / RESULT).is_file()


def find_bundles(folder: Path) -> list[Path]:
    """The bundles of a folder, in the order in which their runs ended; of a bundle, itself.

    Raises:
        ScenarioError: there is none.
    """
    found = bundles_of(folder)
    if not found:
        raise ScenarioError(f"{folder}: no bundle of a run in it, nor in {folder / RUNS}: expected a {RESULT}")
    return found


def bundles_of(folder: Path) -> list[Path]:
    """The same; none if there is none."""
    if is_bundle(folder):
        return [folder]
    found = [path for place in (folder / RUNS, folder) for path in place.glob("*") if is_bundle(path)]
    return sorted(found, key=lambda path: ((path / RESULT).stat().st_mtime_ns, path.name))

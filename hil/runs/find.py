"""Finds what is flown: scenarios by name, file or folder, the mode in which a target flies one, and its image."""

from __future__ import annotations

from pathlib import Path

from hil.errors import ImageRefused, ScenarioError
from hil.images.image import BOARD_OF, Image, choose_image, read_any_image
from hil.runs.run import TARGETS_OF
from hil.scenario.scenario import SCENARIOS, Mode, Scenario
from hil.targets import MACHINES, PROGRAM
from hil.targets.board_ports import no_board_here
from hil.verdict.flight_record import BOARD
from protocols.nearest import nearest

ALL = "all"
"""Names all scenarios that come with the package."""


def find_scenarios(name: str) -> list[tuple[Path, bool]]:
    """Files of a name, path or folder, or of ``all``; and whether each was named itself.

    Raises:
        ScenarioError: there is none; with the nearest name.
    """
    path = Path(name)
    if path.is_dir():
        files = sorted(path.glob("*.toml"))
        if not files:
            raise ScenarioError(f"{name}: no scenario (*.toml) in this folder")
        return [(file, False) for file in files]
    if path.is_file():
        return [(path, True)]
    if path.exists():
        raise ScenarioError(f"{name} is a pipe or device: a scenario is a file, NAME.toml, whose name is its id")
    if name == ALL:
        return [(file, False) for file in sorted(SCENARIOS.glob("*.toml"), key=lambda path: path.stem)]
    known = {file.stem: file for file in sorted(SCENARIOS.glob("*.toml"), key=lambda path: path.stem)}
    if name not in known:
        raise ScenarioError(f"unknown scenario {name!r}{nearest(name, [*known, ALL])}")
    return [(known[name], True)]


def find_scenario(name: str) -> Path:
    """The file of one scenario.

    Raises:
        ScenarioError: there is none, or there are several.
    """
    (path, named), *_ = find_scenarios(name)
    if not named:
        raise ScenarioError(f"{name}: name one scenario, not several")
    return path


def lack_of(target: str) -> str | None:
    """Why a target cannot fly here, and what to do about it; None: it can. Nothing is opened for that."""
    if target == PROGRAM:
        return None
    return MACHINES[target].missing() if target in MACHINES else no_board_here()


def default_mode(scenario: Scenario, target: str) -> Mode:
    """The scenario's first mode in which the target can be flown."""
    return next((mode for mode in scenario.head.modes if target in TARGETS_OF[mode]), scenario.head.modes[0])


def find_image(target: str, given: Path | None = None) -> Image | None:
    """The image that a target flies, by the rule of `hil.images.image`; of a board: what it should be running.

    Args:
        target: its name.
        given: the file that was asked for.

    Returns:
        None for the software lander, for a board of which nothing was said, and for a target that cannot fly here: the
        flight says why.

    Raises:
        ImageRefused: there is no image that may fly, or not this one on this target.
        BuildFailed: the program of the target posix cannot be built.
    """
    if target == BOARD:
        return None if given is None else read_any_image(given)
    board = BOARD_OF.get(target)
    if board is None:
        if given is not None:
            raise ImageRefused(f"the target {target} runs no image: leave out --image, or choose another --target")
        return None
    if given is None and MACHINES[target].missing() is not None:
        return None
    return choose_image(board, given)

"""Which boards hold the encounter. Its tables and ticks do not fit on a small one, whose file then has a flag."""

from __future__ import annotations

from hil.errors import NotForTarget
from hil.images.boards import find_board, known_boards
from hil.images.image import BOARD_OF, image_with_id
from hil.lander.flight_profile import FlightSpan


def check_span(span: FlightSpan, board: str, place: str) -> None:
    """Whether a board can fly a span.

    Args:
        span: of the scenario.
        board: by the name of its file.
        place: of the scenario, for the error.

    Raises:
        NotForTarget: it holds the descent alone; with those that hold the encounter.
    """
    if span == "descent" or not find_board(board).descent_only:
        return
    holders = [name for name in known_boards() if not find_board(name).descent_only]
    targets = sorted({"software", *(target for target, name in BOARD_OF.items() if name in holders)})
    raise NotForTarget(
        f'{place}: span = "{span}": the board {board} holds the descent alone; the {span} flies on the boards '
        f"{', '.join(holders)} and on the targets {', '.join(targets)} (docs/boards.md)"
    )


def check_build(span: FlightSpan, build: int, place: str) -> None:
    """The same of a machine that has said which build it runs, if that is one of the images here.

    Raises:
        NotForTarget: its board holds the descent alone.
    """
    image = image_with_id(build) if span != "descent" and build else None
    if image is not None:
        check_span(span, image.board, place)

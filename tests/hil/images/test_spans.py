"""Which boards hold the encounter, and what is said of those that do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.errors import NotForTarget
from hil.images.boards import FIRMWARE, find_board, known_boards
from hil.images.image import choose_image
from hil.images.spans import check_build, check_span
from hil.runs.run import Plan, check_plan
from hil.scenario.scenario import parse_scenario

DESCENT_ONLY = [name for name in known_boards() if find_board(name).descent_only]


def test_the_uno_holds_the_descent_alone() -> None:
    assert DESCENT_ONLY == ["uno"]


@pytest.mark.parametrize("board", known_boards())
def test_every_board_holds_the_descent(board: str) -> None:
    check_span("descent", board, "x")


def test_a_board_without_room_is_refused_with_those_that_have_it() -> None:
    with pytest.raises(NotForTarget) as refused:
        check_span("encounter", "uno", "fly-by")
    text = str(refused.value)
    assert text.startswith('fly-by: span = "encounter": the board uno holds the descent alone')
    assert "boards posix, stm32f4 and on the targets posix, qemu, software" in text
    assert refused.value.exit_code == 2


def test_a_board_is_known_by_the_build_in_its_greeting() -> None:
    uno, unknown = choose_image("uno").id, 0x12345678
    with pytest.raises(NotForTarget, match="the board uno holds the descent alone"):
        check_build("encounter", uno, "x")
    check_build("descent", uno, "x")
    check_build("encounter", unknown, "x")
    check_build("encounter", choose_image("stm32f4").id, "x")


@pytest.mark.parametrize("mode", ["lockstep", "realtime"])
def test_a_plan_is_refused_before_anything_flies(mode: str, tmp_path: Path) -> None:
    scenario = parse_scenario('[scenario]\nid = "x"\nspan = "encounter"\n')
    plan = Plan(scenario, "simavr", "lockstep" if mode == "lockstep" else "realtime", tmp_path / "x", "")
    with pytest.raises(NotForTarget, match="the board uno holds the descent alone"):
        check_plan(plan)
    assert not (tmp_path / "x").exists()


def test_the_flag_is_that_of_the_boards_file() -> None:
    for name in known_boards():
        text = (FIRMWARE / "boards" / f"{name}.mk").read_text(encoding="utf-8")
        assert ("-DLANDER_DESCENT_ONLY" in text) == find_board(name).descent_only

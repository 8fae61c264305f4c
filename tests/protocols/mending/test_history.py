"""What good packets predict of the one between them."""

from __future__ import annotations

import pytest

from protocols.mending.history import KEPT, TRIALS, History, Neighbour, Window, neighbour
from protocols.mending.shapes import Shape, shapes_of
from tests.protocols.mending.streams import mission, packets

MOLE = mission()
(SHAPE,) = [shape for shape in shapes_of(MOLE) if shape.packet.definition.name == "STATE"]
STATES = [found[0] for found in packets(MOLE, 120)]


def learned(first: int, end: int) -> History:
    history = History(SHAPE)
    for number in range(first, end):
        history.add(number, STATES[number])
    return history


def windows(history: History, sequence: int, after: Neighbour | None) -> dict[str, Window | None]:
    return {leaf.name: window for leaf, window in history.windows(sequence, after)}


def near(number: int) -> Neighbour:
    return neighbour(SHAPE, number, STATES[number])


def test_counters_times_and_constants_are_exact() -> None:
    found = windows(learned(0, 40), 40, near(41))
    assert found["step"] == found["counter"] == Window(40, 40)
    assert found["hash"] == Window(0xDEADBEEF, 0xDEADBEEF)
    assert found["open"] == Window(0, 0)
    assert found["destination"] == Window(0, 0)


def test_a_curve_has_a_window_around_the_line() -> None:
    window = windows(learned(0, 40), 40, near(41))["height"]
    true = 1_000_000 - 40 * 40 // 3
    assert window is not None
    assert window.low <= true <= window.high
    assert window.high - window.low < 20


def test_a_window_grows_with_the_distance_of_the_neighbours() -> None:
    close, far = (windows(learned(0, 40), 45, near(n))["height"] for n in (46, 60))
    assert close is not None
    assert far is not None
    assert far.high - far.low > close.high - close.low


def test_a_flag_that_differs_may_be_either() -> None:
    assert windows(learned(30, 60), 60, near(62))["open"] == Window(0, 1)


def test_behind_the_last_good_packet_a_constant_may_have_begun_to_count() -> None:
    found = windows(learned(0, 40), 42, None)
    assert found["step"] == Window(42, 42)
    assert found["hash"] == Window(0xDEADBEEF - 1, 0xDEADBEEF + 3)


@pytest.mark.parametrize("few", [0, 1, TRIALS])
def test_few_packets_predict_nothing(few: int) -> None:
    assert set(windows(learned(0, few), few, near(few + 1)).values()) == {None}


def test_far_away_a_counter_is_still_exact_and_a_curve_unknown() -> None:
    found = windows(learned(0, 40), 5000, None)
    assert found["step"] == Window(5000, 5000)
    assert found["height"] is None


def test_a_count_of_which_it_is_untold_where_it_is_predicts_no_counter() -> None:
    assert windows(learned(0, 40), 39 + 8192, None)["step"] is None


def test_only_the_last_packets_count() -> None:
    history = learned(0, 20)
    for number in range(20, 20 + KEPT):
        history.add(number, STATES[number])
    assert history.last == near(19 + KEPT)


def test_the_shape_has_the_constant_bits_of_all_its_packets() -> None:
    for data in STATES:
        assert int.from_bytes(data, "big") & SHAPE.mask == SHAPE.value


def test_the_leaves_are_what_the_packet_decodes_to() -> None:
    number = int.from_bytes(STATES[77], "big")
    values = {
        leaf.name: leaf.number(number >> SHAPE.bits - leaf.start - leaf.bits & (1 << leaf.bits) - 1)
        for leaf in SHAPE.leaves
    }
    assert values["step"] == 77
    assert values["warmth"] == -100 + 77 // 5
    assert isinstance(SHAPE, Shape)

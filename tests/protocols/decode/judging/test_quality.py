"""Values are judged beside their own history and beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from construct import Flag, Float64b, Struct
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.declare.checks import (
    Check,
    FlatLine,
    Integral,
    OnlyWhile,
    Order,
    Proportional,
    Range,
    Rate,
)
from protocols.declare.dictionary import Dictionary, PacketDef
from protocols.decode.judging.quality import QualityMonitor
from protocols.decode.judging.verdicts import Verdict, Verdicts
from protocols.lander import EPOCH, MARS6
from protocols.structures.codec import Value
from protocols.structures.fields import Quantity

TICK_NS = 100_000_000
TM = PacketDef(
    "TM",
    0x21,
    3,
    25,
    Struct(
        "on" / Flag,
        "height" / Quantity(Float64b, "m"),
        "sink" / Quantity(Float64b, "m/s"),
        "air" / Quantity(Float64b, "hPa"),
        "radar" / Quantity(Float64b, "m", valid_if="on"),
    ),
)
HEIGHT = Rate("TM.height", window=2, per_second=50, bend=5)
SINK = Rate("TM.sink", window=1, per_second=5, bend=5)
AIR = Rate("TM.air", window=1, per_second=5, bend=1)
RADAR = Rate("TM.radar", window=2, per_second=50, bend=5)
FALLS = Integral("TM.height", "TM.sink", factor=-1, drift=0.5)
AIR_BY_HEIGHT = Proportional("TM.air", "TM.height", within=5, scale=-0.1, offset=1000)
RADAR_BY_HEIGHT = Proportional("TM.radar", "TM.height", within=5)
ALL = (HEIGHT, SINK, AIR, RADAR, FALLS, AIR_BY_HEIGHT, RADAR_BY_HEIGHT)

Values = dict[str, Value]
Spoil = Callable[[int, Values], Values]


def fall(tick: int) -> Values:
    """The truth: from 5,000 m down by 20 m/s."""
    height = 5000.0 - 2.0 * tick
    return {"on": True, "height": height, "sink": 20.0, "air": 1000 - 0.1 * height, "radar": height}


def judged(checks: tuple[Check, ...], ticks: int, spoil: Spoil = lambda tick, values: values) -> Iterator[Verdicts]:
    """The verdicts of each packet, ten a second."""
    dictionary = Dictionary("BIRD", 1, (TM,), (), (), (), checks=checks)
    monitor, packet = QualityMonitor(dictionary), dictionary.by_name["TM"]
    for tick in range(ticks):
        verdicts = monitor.judge(packet, spoil(tick, fall(tick)), tick * TICK_NS)
        assert verdicts is not None
        yield verdicts


def marked(checks: tuple[Check, ...], ticks: int, spoil: Spoil, name: str) -> list[int]:
    """The ticks at which a parameter is not good."""
    return [tick for tick, verdicts in enumerate(judged(checks, ticks, spoil)) if name in verdicts]


def between(first: int, last: int, **other: Value) -> Spoil:
    """Other values in some ticks."""
    return lambda tick, values: values | other if first <= tick <= last else values


def test_the_truth_is_good() -> None:
    assert [verdicts for verdicts in judged(ALL, 300) if verdicts] == []


def test_one_wrong_value_is_marked_and_poisons_none_after_it() -> None:
    assert marked((HEIGHT,), 60, between(30, 30, height=4990.0), "height") == [30]


def test_far_off_is_unusable_and_a_little_off_suspect() -> None:
    for off, quality in ((4.0, "suspect"), (400.0, "unusable")):
        spoil = between(30, 30, height=4940.0 + off)
        assert list(judged((HEIGHT,), 31, spoil))[-1] == {"height": Verdict(quality, "rate")}  # type: ignore[arg-type]


def test_a_true_jump_is_believed_after_its_time() -> None:
    def jump(tick: int, values: Values) -> Values:
        return values | {"height": 9000.0 - 2 * tick} if tick >= 30 else values

    found = marked((HEIGHT,), 100, jump, "height")
    assert found[0] == 30 and found == list(range(30, found[-1] + 1))
    assert 10 <= len(found) <= 15


def test_flips_in_the_middle_of_a_jump_do_not_stop_it() -> None:
    def jump(tick: int, values: Values) -> Values:
        flipped = 1e5 if tick % 4 == 0 else 0.0
        return values | {"height": 9000.0 - 2 * tick + flipped} if tick >= 30 else values

    found = marked((HEIGHT,), 100, jump, "height")
    assert [tick for tick in found if tick > 50] == [tick for tick in range(51, 100) if tick % 4 == 0]


def test_a_stuck_value_is_marked_to_the_end_by_its_relations() -> None:
    found = marked(ALL, 300, between(50, 299, height=4321.0), "height")
    assert found == list(range(50, 300))


def test_a_stuck_value_far_from_where_others_lead_is_unusable() -> None:
    for name, value in (("height", 4321.0), ("air", 700.0)):
        *_, last = judged(ALL, 200, between(50, 199, **{name: value}))
        assert last[name].quality == "unusable"


def test_a_value_that_freezes_is_found_and_its_partners_are_not_blamed() -> None:
    verdicts = list(judged(ALL, 300, between(100, 299, height=fall(100)["height"])))
    late = [each for each in verdicts if each][10:]
    assert late and all(set(each) == {"height"} for each in late)
    assert min(tick for tick, each in enumerate(verdicts) if each) < 100 + 30


def test_a_slow_drift_is_blamed_on_the_one_with_most_against_it() -> None:
    def drift(tick: int, values: Values) -> Values:
        return values | {"air": float(values["air"]) + 0.05 * max(0, tick - 50)}

    checks = (HEIGHT, SINK, AIR, RADAR, FALLS, AIR_BY_HEIGHT, RADAR_BY_HEIGHT)
    names = {name for verdicts in judged(checks, 400, drift) for name in verdicts}
    assert names == {"air"}


def test_a_stuck_word_that_is_the_truth_is_not_wrong_then() -> None:
    height = 4400.0  # where the descent is at tick 300
    found = marked(ALL, 400, between(50, 399, air=1000 - 0.1 * height), "air")
    assert set(range(50, 280)) <= set(found) and not {*range(297, 303)} & set(found)


def test_a_flat_line_is_found_only_while_the_other_moves() -> None:
    flat = FlatLine("TM.air", within=0.5, seconds=3, follows="TM.height", moved=40)
    found = marked((AIR, HEIGHT, flat), 100, between(20, 99, air=fall(20)["air"]), "air")
    assert found and 50 <= min(found) <= 55
    assert marked((AIR, HEIGHT, flat), 100, between(0, 99, height=4000.0, air=507.0), "air") == []


def test_what_a_flag_depends_on_is_marked_with_its_flag() -> None:
    condition = OnlyWhile("TM.on", "TM.height", 0, 1000)
    last = list(judged((HEIGHT, RADAR, condition), 3))[-1]
    assert last == {"on": Verdict("unusable", "condition"), "radar": Verdict("unusable", "condition")}


def test_a_flag_where_it_cannot_be_is_unusable_in_its_first_packet() -> None:
    """It would be suspect by its order alone, and what depends on it would raise a limit."""
    checks = (HEIGHT, RADAR, Order("TM.on"), OnlyWhile("TM.on", "TM.height", 0, 1000), Range("TM.radar", 0, 7000))
    found = list(judged(checks, 30, lambda tick, values: values | {"on": tick == 20}))
    assert found[20] == {"on": Verdict("unusable", "condition"), "radar": Verdict("unusable", "condition")}


def test_a_value_out_of_its_range_is_not_better_than_its_flag() -> None:
    checks = (HEIGHT, RADAR, Order("TM.on"), Range("TM.radar", 0, 7000))
    assert list(judged(checks, 30, lambda tick, values: values | {"on": tick == 20, "radar": 1e6}))[20] == {
        "on": Verdict("suspect", "order"),
        "radar": Verdict("unusable", "range"),
    }


def test_a_value_that_means_nothing_is_not_judged() -> None:
    spoil = between(0, 9, on=False, radar=1e9)
    assert [v for v in judged((RADAR, Range("TM.radar", 0, 10)), 10, spoil) if v] == []


def test_a_flag_that_changes_once_is_marked_and_one_that_stays_so_is_not() -> None:
    assert marked((Order("TM.on"),), 50, between(20, 20, on=False), "on") == [20]
    assert marked((Order("TM.on"),), 50, between(20, 49, on=False), "on") == [20, 21]


def test_a_late_packet_is_judged_alone_and_teaches_nothing() -> None:
    dictionary = Dictionary("BIRD", 1, (TM,), (), (), (), checks=(HEIGHT, Range("TM.sink", 0, 50)))
    monitor, packet = QualityMonitor(dictionary), dictionary.by_name["TM"]
    for tick in range(30):
        monitor.judge(packet, fall(tick), tick * TICK_NS)
    odd = fall(10) | {"height": 1.0, "sink": 99.0}
    assert monitor.judge(packet, odd, 10 * TICK_NS) == {"sink": Verdict("unusable", "range")}
    assert monitor.judge(packet, fall(30), 30 * TICK_NS) == {}


def test_a_spacecraft_that_starts_again_is_judged_from_scratch() -> None:
    dictionary = Dictionary("BIRD", 1, (TM,), (), (), (), checks=ALL)
    monitor, packet = QualityMonitor(dictionary), dictionary.by_name["TM"]
    for tick in range(100, 300):
        monitor.judge(packet, fall(tick), tick * TICK_NS)
    again = [monitor.judge(packet, fall(tick), tick * TICK_NS) for tick in range(50)]
    assert again == [{}] * 50


def test_a_packet_without_time_is_judged_alone() -> None:
    dictionary = Dictionary("BIRD", 1, (TM,), (), (), (), checks=(HEIGHT, Range("TM.height", 0, 9000)))
    monitor, packet = QualityMonitor(dictionary), dictionary.by_name["TM"]
    assert monitor.judge(packet, fall(0) | {"height": -1.0}, None) == {"height": Verdict("unusable", "range")}


def test_a_packet_without_checks_is_not_judged() -> None:
    dictionary = Dictionary("BIRD", 1, (TM,), (), (), ())
    assert QualityMonitor(dictionary).judge(dictionary.by_name["TM"], fall(0), 0) is None


@given(st.lists(st.tuples(st.binary(min_size=29, max_size=29), st.integers(-(10**12), 10**12)), max_size=30))
@settings(max_examples=60, deadline=None)
def test_no_bytes_and_no_time_make_it_fail(packets: list[tuple[bytes, int]]) -> None:
    monitor, packet = QualityMonitor(MARS6), MARS6.by_name["DESCENT"]
    for body, since in packets:
        verdicts = monitor.judge(packet, packet.codec.decode(body, 0), EPOCH + since)
        assert verdicts is not None and set(verdicts) <= set(monitor.checked(packet))


def test_nan_is_never_good() -> None:
    for value in (float("nan"), float("inf"), float("-inf")):
        for tick in (0, 5, 40):
            assert marked((HEIGHT,), 60, between(tick, tick, height=value), "height") == [tick]
        assert marked((HEIGHT, Range("TM.height", 0, 9000)), 10, between(5, 5, height=value), "height") == [5]

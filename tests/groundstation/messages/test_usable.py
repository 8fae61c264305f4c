"""How many values were usable, by phase and parameter, at the station and at a viewer that joins late."""

from __future__ import annotations

from groundstation.messages.usable import OTHER, PHASES_MAX, UsableTally, usable_total
from groundstation.messages.wire import Telemetry, UsableShare, ValueQuality

SUSPECT, UNUSABLE = ValueQuality("suspect", "rate"), ValueQuality("unusable", "range")


def said(
    phase: str, bad: dict[str, ValueQuality] | None, packet: str = "TM", invalid: list[str] | None = None
) -> Telemetry:
    values: dict[str, bool | int | float | str | None] = {"phase": phase, "height": 1.0, "radar": 2.0}
    void = invalid or []
    return Telemetry(packet="TM", apid=1, vcid=0, scet=0, ert=0, values=values, invalid=void, bad=bad)


def counts(tally: UsableTally) -> dict[tuple[str, str], tuple[int, int, int]]:
    return {(row.phase, row.parameter): (row.good, row.suspect, row.unusable) for row in tally.rows()}


def test_values_are_counted_by_phase_and_parameter() -> None:
    tally = UsableTally(("TM", "phase"))
    for message in (
        said("UP", {}),
        said("UP", {"height": SUSPECT}),
        said("DOWN", {"height": UNUSABLE, "radar": SUSPECT}),
        said("DOWN", {}, invalid=["radar"]),
    ):
        tally.take(message)
    assert counts(tally) == {
        ("UP", "phase"): (2, 0, 0),
        ("UP", "height"): (1, 1, 0),
        ("UP", "radar"): (2, 0, 0),
        ("DOWN", "phase"): (2, 0, 0),
        ("DOWN", "height"): (1, 0, 1),
        ("DOWN", "radar"): (0, 1, 0),
    }
    total = usable_total(tally.rows())
    assert (total.good, total.suspect, total.unusable) == (8, 2, 1)


def test_a_phase_that_is_not_good_is_not_believed() -> None:
    tally = UsableTally(("TM", "phase"))
    tally.take(said("UP", {}))
    tally.take(said("177", {"phase": UNUSABLE}))
    assert counts(tally) == {("UP", "phase"): (1, 0, 1), ("UP", "height"): (2, 0, 0), ("UP", "radar"): (2, 0, 0)}


def test_packets_that_were_not_judged_are_not_counted() -> None:
    tally = UsableTally()
    tally.take(said("UP", None))
    assert tally.rows() == []


def test_who_joins_goes_on_from_what_the_station_counted() -> None:
    tally = UsableTally(("TM", "phase"))
    tally.adopt([UsableShare(phase="UP", packet="TM", parameter="height", good=5, suspect=2, unusable=1)])
    tally.take(said("UP", {"height": SUSPECT}))
    assert counts(tally)["UP", "height"] == (5, 3, 1)


def test_phases_beyond_the_bound_are_counted_together() -> None:
    tally = UsableTally(("TM", "phase"))
    for number in range(PHASES_MAX + 5):
        tally.take(said(f"P{number}", {}))
    assert len({row.phase for row in tally.rows()}) == PHASES_MAX + 1
    assert counts(tally)[OTHER, "height"] == (5, 0, 0)

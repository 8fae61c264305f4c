"""What differs between two runs: verdicts, measurements with their change, and the first byte, by the field's name.

The first run is what is expected, the second what was found. What they were flown with (seed, image, versions) is told
where it differs, and is not a difference between the runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from groundstation.errors import ArchiveError
from groundstation.recordings.reader import ArchiveReader
from hil.report.words import grouped, shown
from hil.runs.campaign import Case, Summary
from hil.runs.run import RECORDING, SENT, read_bundle
from hil.scenario.scenario import State
from hil.verdict.result import Measurement, Mismatch, RunResult, Shown
from hil.verdict.stream_diff import compare, where

SENT_BY_TARGET = "sent by the target"
_RUN_ONLY = ("sent sha256", "received sha256", "target")
"""Facts that are told in other words."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """What two runs were flown with, where it differs; empty: one has no such thing."""

    name: str
    a: str
    b: str


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A measurement whose value or state differs.

    Attributes:
        a: value of the first run; None: nothing was measured.
        b: of the second.
        a_state: its state; None: it has no such row.
        change: second minus first, if both are numbers.
    """

    name: str
    unit: str
    a: Shown
    b: Shown
    a_state: State | None
    b_state: State | None
    change: float | None


class Comparison(msgspec.Struct, frozen=True, kw_only=True, tag="comparison", tag_field="type"):
    """Two runs beside each other.

    Attributes:
        run: name of the second, or of the only one.
        a: folder of the first bundle; empty: the run is in the second folder alone.
        b: of the second.
        a_state: verdict of the first; None: there is none.
        facts: what they were flown with.
        measurements: those that differ.
        first_bytes: where their streams first differ.
        as_expected: each target sent what the oracle expects of it: they differ in how they were started and commanded,
            not in how they fly.
        unread: streams that cannot be compared, and why.
        took_s: of both.
    """

    run: str
    a: str
    b: str
    a_state: State | None
    b_state: State | None
    facts: list[Fact] = []
    measurements: list[Change] = []
    first_bytes: list[Mismatch] = []
    as_expected: bool = False
    unread: list[str] = []
    took_s: list[float] = []

    @property
    def same(self) -> bool:
        """Nothing differs, as far as it can be known."""
        return self.a_state == self.b_state and not (self.measurements or self.first_bytes or self.unread)


def compare_folders(a: Sequence[Path], b: Sequence[Path]) -> Iterator[Comparison]:
    """Compare runs of two folders by their names, else by their scenarios; two bundles whatever they are.

    Args:
        a: bundles of the first folder.
        b: of the second.

    Yields:
        A comparison for each run, in the order of the first folder; last those of the second alone.

    Raises:
        ScenarioError: a bundle cannot be read.
    """
    if len(a) == len(b) == 1:
        yield compare_runs(a[0], b[0])
        return
    pairs, left = _pairs(a, b)
    for folder in a:
        yield compare_runs(folder, pairs[folder]) if folder in pairs else _alone(folder, first=True)
    for folder in left:
        yield _alone(folder, first=False)


def _pairs(a: Sequence[Path], b: Sequence[Path]) -> tuple[dict[Path, Path], list[Path]]:
    """Which runs belong together: those of one name; of the rest, the first of a scenario, the second and so on.

    Returns:
        The second run of each first one, and what is left of the second ones.
    """
    named = {path.name: path for path in b}
    pairs = {path: named[path.name] for path in a if path.name in named}
    taken = set(pairs.values())
    left = {path: read_bundle(path).scenario for path in sorted(b) if path not in taken}
    for path in sorted(a):
        if path not in pairs:
            scenario = read_bundle(path).scenario
            other = next((folder for folder, its in left.items() if its == scenario), None)
            if other is not None:
                pairs[path] = other
                del left[other]
    return pairs, list(left)


def compare_campaigns(a: Summary, b: Summary) -> Iterator[Comparison]:
    """Compare the runs of two campaigns by their numbers: verdicts, lost and rejected frames, and what was drawn."""
    theirs = {case.number: case for case in b.cases}
    for case in a.cases:
        yield _compare_cases(case, theirs.pop(case.number, None))
    for case in theirs.values():
        yield _compare_cases(None, case)


def _compare_cases(a: Case | None, b: Case | None) -> Comparison:
    one = b or a
    assert one is not None  # there is one of them
    comparison = Comparison(
        run=one.run,
        a="" if a is None else a.run,
        b="" if b is None else b.run,
        a_state=None if a is None else a.state,
        b_state=None if b is None else b.state,
    )
    if a is None or b is None:
        return comparison
    facts = [
        Fact(name=name, a=str(a.drawn.get(name, "")), b=str(b.drawn.get(name, "")))
        for name in dict.fromkeys([*a.drawn, *b.drawn])
        if a.drawn.get(name) != b.drawn.get(name)
    ]
    rows = [
        Change(name=name, unit="frame", a=x, b=y, a_state=a.state, b_state=b.state, change=y - x)
        for name, x, y in (("frames lost", a.lost, b.lost), ("frames rejected", a.rejects, b.rejects))
        if x != y
    ]
    return msgspec.structs.replace(comparison, facts=facts, measurements=rows, took_s=[a.took_s, b.took_s])


def _alone(folder: Path, *, first: bool) -> Comparison:
    state = read_bundle(folder).state
    return Comparison(
        run=folder.name,
        a=str(folder) if first else "",
        b="" if first else str(folder),
        a_state=state if first else None,
        b_state=None if first else state,
    )


def compare_runs(a: Path, b: Path) -> Comparison:
    """Compare two bundles.

    Raises:
        ScenarioError: one of them cannot be read.
    """
    before, after = read_bundle(a), read_bundle(b)
    found: list[Mismatch] = []
    unread: list[str] = []
    for key, stream, read in (
        ("sent sha256", SENT_BY_TARGET, _sent),
        ("received sha256", "received by the station", _received),
    ):
        hashes = [result.provenance.get(key) for result in (before, after)]
        if hashes[0] == hashes[1]:
            continue
        try:
            mismatch = compare(stream, read(a), read(b))
        except (ArchiveError, OSError) as error:
            unread.append(f"{stream}: other bytes; where they differ cannot be told: {error}")
        else:
            found += [] if mismatch is None else [mismatch]
    return Comparison(
        run=b.name if a.name == b.name else f"{a.name}, {b.name}",
        a=str(a),
        b=str(b),
        a_state=before.state,
        b_state=after.state,
        facts=list(_facts(before, after)),
        measurements=list(_changes(before.measurements, after.measurements)),
        first_bytes=found,
        as_expected=_is_golden(before) and _is_golden(after),
        unread=unread,
        took_s=[before.took_s, after.took_s],
    )


def _is_golden(result: RunResult) -> bool:
    return any(row.name == "stream_equal" and row.value is True for row in result.measurements)


def _sent(bundle: Path) -> bytes:
    return (bundle / SENT).read_bytes()


def _received(bundle: Path) -> bytes:
    with ArchiveReader(bundle / RECORDING) as archive:
        return b"".join(data for _, link, data in archive.chunks_by_link() if not link)


def _facts(before: RunResult, after: RunResult) -> Iterator[Fact]:
    sides = [_flown_with(result) for result in (before, after)]
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        a, b = (side.get(name, "") for side in sides)
        if a != b:
            yield Fact(name=name, a=a, b=b)
    if before.toml != after.toml:
        yield Fact(name="scenario", a=before.scenario, b=f"{after.scenario}, other text")


def _flown_with(result: RunResult) -> dict[str, str]:
    about = {"target": result.target, "mode": result.mode, "seed": str(result.seed), "error": result.error}
    about |= {"speed": f"{result.speed:g}"} if result.mode == "realtime" else {}
    return about | {key: value for key, value in result.provenance.items() if key not in _RUN_ONLY}


def _changes(before: Sequence[Measurement], after: Sequence[Measurement]) -> Iterator[Change]:
    """Rows that differ in value or state, or that only one run has."""
    first, second = ({row.name: row for row in rows} for rows in (before, after))
    for name in dict.fromkeys([*first, *second]):
        a, b = first.get(name), second.get(name)
        values = [None if row is None else row.value for row in (a, b)]
        states = [None if row is None else row.state for row in (a, b)]
        if values[0] == values[1] and states[0] == states[1]:
            continue
        unit = next(row.unit for row in (b, a) if row is not None)
        yield Change(
            name=name, unit=unit, a=values[0], b=values[1], a_state=states[0], b_state=states[1], change=_minus(*values)
        )


def _minus(a: Shown, b: Shown) -> float | None:
    numbers = [value for value in (a, b) if isinstance(value, (int, float)) and not isinstance(value, bool)]
    return round(numbers[1] - numbers[0], 9) if len(numbers) == 2 else None


def comparison_lines(found: Comparison) -> list[str]:
    """For people: the run, then a line for each difference."""
    if not found.a or not found.b:
        return [f"{found.run}: only in {'A' if found.a else 'B'}, {found.a_state or found.b_state}"]
    verdict = f"{found.a_state}" if found.a_state == found.b_state else f"{found.a_state} → {found.b_state}"
    took = " → ".join(f"{seconds:.2f} s" for seconds in found.took_s)
    lines = [f"{found.run}: {verdict}{', no difference' if found.same else ''}; took {took}"]
    lines += [f"  {fact.name}: {fact.a or '–'} → {fact.b or '–'}" for fact in found.facts]
    lines += [f"  {_change_text(change)}" for change in found.measurements]
    lines += [f"  {where(mismatch)}" for mismatch in found.first_bytes]
    if found.as_expected and any(mismatch.stream == SENT_BY_TARGET for mismatch in found.first_bytes):
        lines.append("  each target sent what the oracle expects of it: they were started or commanded differently")
    return lines + [f"  {text}" for text in found.unread]


def _change_text(change: Change) -> str:
    sides = []
    for value, state in ((change.a, change.a_state), (change.b, change.b_state)):
        text = "no such row" if state is None else f"{shown(value)} {change.unit}".rstrip()
        told = state is not None and change.a_state != change.b_state
        sides.append(f"{text} {state}" if told else text)
    by = "" if change.change is None else f" ({_by(change)})"
    return f"{change.name}: {' → '.join(sides)}{by}"


def _by(change: Change) -> str:
    """The change with its sign, and as a share of what it was."""
    number = change.change or 0
    size = grouped(abs(number)) if isinstance(number, int) else f"{abs(number):.6g}"
    share = f", {100 * number / abs(change.a):+.3g} %" if isinstance(change.a, (int, float)) and change.a else ""
    return f"{'−' if number < 0 else '+'}{size}{share}"

"""The flight of a test: say what is to be done, fly, and assert what has to hold.

    hil_flight.drop_link(at="09:10:00")
    hil_flight.fly()
    hil_flight.assert_los_at("09:10:00", cause="SILENCE")

What is said becomes a scenario, the same as a file of TOML: it is checked at the verb that says it, and flown, judged
and kept like any other. ``for_`` is the scenario's ``for``, and ``dir_`` its ``dir``.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec
import pytest

from groundstation.analysis.packet_table import PacketTable, read_packets
from groundstation.errors import CallerError
from groundstation.formats.file_names import file_name
from groundstation.messages.wire import LosVerdict
from groundstation.recordings.reader import ArchiveReader
from hil.errors import ScenarioError
from hil.faults import mission_time, span_ns
from hil.pytest_plugin import REQUIREMENTS, TAGS, evidence
from hil.pytest_plugin.items import story
from hil.pytest_plugin.labels import expectations_of, labels_of
from hil.pytest_plugin.own_rows import own_row
from hil.report import lines
from hil.report.words import utc_ms
from hil.runs.find import find_scenario
from hil.runs.run import ATTACHMENTS, RECORDING, write_result
from hil.scenario.missions import mission_of
from hil.scenario.scenario import Scenario, load_scenario
from hil.verdict.expected_losses import with_losses
from hil.verdict.result import Measurement, RunResult, with_row
from hil.verdict.stream_diff import where
from protocols.declare.mission import Mission
from protocols.nearest import nearest

if TYPE_CHECKING:
    from hil.pytest_plugin.session import HilSession

At = str | dict[str, int] | dict[str, str]
"""A mission time, or ``{"frame": 100}``, ``{"byte": 13200}``, ``{"event": "DROGUE"}``."""
When = dict[str, Any]
"""A condition on a parameter: ``{"parameter": "DESCENT.altitude", "below": 5000}``, ``above`` or ``equals``."""
For = str | dict[str, int]
"""``"2.5 s"``, ``{"frames": 3}`` or ``{"bytes": 40}``."""


_LIMITS = ("min", "max", "equals", "marginal_min", "marginal_max")


class Flight:
    """One descent of a test. All times are mission UTC: ``09:11:05``, ``09:11:05.250``."""

    def __init__(self, item: pytest.Item, session: HilSession, target: str, seed: int) -> None:
        """Args: the test, what its session shares, and what flies."""
        self._item = item
        self._session = session
        self.target = target
        name = getattr(item, "originalname", None) or item.name
        self._id = re.sub(r"[^a-z0-9]+", "-", name.lower())[:100].strip("-") or "flight"
        head = {"id": self._id, "title": item.nodeid, "seed": seed}
        self._tables: dict[str, Any] = {"scenario": head | ({"mission": session.mission} if session.mission else {})}
        self._told = False
        self._own_seed = False
        self._result: RunResult | None = None
        self._bundle: Path | None = None

    @property
    def waits(self) -> bool:
        """It was told what to do, and has not flown."""
        return self._told and self._result is None

    @property
    def scenario(self) -> Scenario:
        """What was said so far, as a scenario."""
        return self._parse(self._tables)

    @property
    def result(self) -> RunResult:
        """All that the flight came to."""
        if self._result is None:
            raise CallerError("nothing has flown yet: call fly() first")
        return self._result

    @property
    def bundle(self) -> Path:
        """The folder with recording, capture and logs; there until the test is over, and longer if it fails."""
        if self._bundle is None:
            raise CallerError("nothing has flown yet: call fly() first")
        return self._bundle

    # -- before the flight ------------------------------------------------------------------------------------------

    def use(self, scenario: str | Path) -> None:
        """Begin with a scenario: the name of one that comes with the package (`hil list`), or a file."""
        __tracebackhide__ = True
        mission = self._tables["scenario"].get("mission")
        tables = tomllib.loads(load_scenario(find_scenario(str(scenario)), mission).text)
        tables["scenario"] = {"seed": self._tables["scenario"]["seed"], **tables.get("scenario", {}), "id": self._id}
        self._put({**tables, **{key: value for key, value in self._tables.items() if key != "scenario"}})

    def configure(self, **keys: Any) -> None:
        """Keys of the table [scenario]: ``speed=20``, ``link="zmq"``, ``targets=["qemu"]``. A ``seed`` wins over
        ``--hil-seed``.
        """
        __tracebackhide__ = True
        self._put({**self._tables, "scenario": {**self._tables["scenario"], **_given(keys)}})
        self._own_seed = self._own_seed or keys.get("seed") is not None

    def part(self, from_: str | None = None, until: str | None = None) -> None:
        """Fly flat out to ``from_``, with the station listening from then on, and end the flight at ``until``."""
        __tracebackhide__ = True
        self.configure(**{"from": from_, "until": until})

    def fault(
        self, kind: str, at: At | None = None, for_: For | None = None, dir_: str | None = None, **keys: Any
    ) -> None:
        """Any fault of the vocabulary (`hil list`), with its keys. In place of ``at`` it may wait for a parameter:
        ``when={"parameter": "DESCENT.altitude", "below": 5000}``, as every verb here that takes a time.
        """
        __tracebackhide__ = True
        self._add("fault", {"kind": kind, "at": at, "for": for_, "dir": dir_, **keys})

    def drop_link(
        self, at: At | None = None, for_: For | None = None, dir_: str | None = None, *, when: When | None = None
    ) -> None:
        """Silence: the port stays open, and nothing comes. Without ``for_`` to the end."""
        __tracebackhide__ = True
        self.fault("silence", at, for_, dir_, when=when)

    def corrupt(self, at: At | None = None, for_: For | None = None, dir_: str | None = None, **keys: Any) -> None:
        """Turn bits over: ``ber=1e-4``, or ``bits=3`` of each frame, or ``offset=60, mask=0xFF``."""
        __tracebackhide__ = True
        self.fault("bit_flip", at, for_, dir_, **keys)

    def lose_frames(
        self, p: float = 1.0, at: At | None = None, for_: For | None = None, dir_: str | None = None
    ) -> None:
        """Lose each frame with the probability ``p``."""
        __tracebackhide__ = True
        self.fault("frame_drop", at, for_, dir_, p=p)

    def unplug(
        self, at: At | None = None, for_: For | None = None, new_name: bool = False, *, when: When | None = None
    ) -> None:
        """The port goes, and comes back after ``for_``."""
        __tracebackhide__ = True
        self.fault("unplug", at, for_, new_name=new_name, when=when)

    def reset(self, at: At | None = None, *, when: When | None = None) -> None:
        """Pull the target's reset pin."""
        __tracebackhide__ = True
        self.fault("reset", at, when=when)

    def hang(self, at: At | None = None, for_: For | None = None, *, when: When | None = None) -> None:
        """Let the target stand still, for some time or for good."""
        __tracebackhide__ = True
        self.fault("hang", at, for_, when=when)

    def power_off(self, at: At | None = None, for_: For | None = None, *, when: When | None = None) -> None:
        """Take the target's power, for some time or for good."""
        __tracebackhide__ = True
        self.fault("power_off", at, for_, when=when)

    def send(
        self,
        name: str,
        at: str | None = None,
        *,
        when: When | None = None,
        expect: str = "COMPLETED",
        bypass: bool = False,
        **args: Any,
    ) -> None:
        """Give the station a command, with its arguments; ``expect`` is the state in which it has to end."""
        __tracebackhide__ = True
        entry = {"at": at, "when": when, "name": name, "expect": expect, "bypass": bypass, "args": _given(args) or None}
        self._add("command", entry)

    def expect(self, parameter: str, **keys: Any) -> None:
        """What a parameter has to do, as ``[[expect]]`` of a scenario: ``expect("DESCENT.deceleration", max="12 g")``.

        The keys are ``between=["09:08:00", {"event": "MAIN"}]``, ``min``, ``max``, ``equals``, ``monotonic``,
        ``within={"of": "DESCENT.altitude", "by": 50}`` and ``at_least_once``. Each is a row of the verdict.
        """
        __tracebackhide__ = True
        self._add("expect", {"parameter": parameter, **keys})

    def expect_los(self, at: str, cause: str | Sequence[str]) -> None:
        """A loss of the lander's signal that has to happen. Once said, it replaces those that the faults lead to."""
        __tracebackhide__ = True
        self._add("loss", {"at": at, "cause": cause if isinstance(cause, str) else list(cause)})

    def limit(self, name: str, **keys: Any) -> None:
        """Another limit for a measurement: ``min``, ``max``, ``equals``, ``marginal_min``, ``marginal_max``."""
        __tracebackhide__ = True
        self._add("limit", {"name": name, **keys})

    # -- the flight -------------------------------------------------------------------------------------------------

    def fly(self) -> RunResult:
        """Fly, judge and keep a bundle. The verdict is not asserted yet; a target that dies fails the test here."""
        __tracebackhide__ = True
        if self._result is not None:
            raise CallerError("this flight is over: the fixture hil_flights makes others")
        scenario = self.scenario
        self._told = False  # what the target cannot fly is a skip, and nothing is left to be flown
        self._result, self._bundle = self._session.fly(self._item, scenario, self.target, own_seed=self._own_seed)
        told = story(self._result, self._session.shown(self._bundle))
        if self._own_seed and self._session.seed not in (None, self._result.seed):
            told.append(f"seed {self._result.seed} is the test's own: --hil-seed {self._session.seed} was not used")
        self._item.add_report_section("call", "hil", "\n".join(told))
        if self._result.error:
            _fail(f"the flight broke: {self._result.error}")
        return self._result

    # -- what has to hold -------------------------------------------------------------------------------------------

    def assert_passed(self) -> None:
        """Every measurement is within its limits."""
        __tracebackhide__ = True
        if not self.result.passed:
            _fail("\n".join(lines(self.result)))

    def assert_los_at(self, at: str, cause: str | None = None, within: str = "0 ms") -> None:
        """The lander's signal was lost then: after the last good frame, and before the next one was due.

        ``within`` is for what is done to a target in real time, which is never exact: a hang, a reset.
        """
        __tracebackhide__ = True
        time, room, found = mission_time(at), span_ns(within), self.losses()
        for loss in found:
            if loss.interval_scet is not None and loss.interval_scet[0] - room < time <= loss.interval_scet[1] + room:
                if cause is not None and loss.cause != cause:
                    _fail(f"the loss at {at} is {loss.cause}, not {cause}: {loss.evidence}")
                return
        _fail(f"no loss of signal at {at}; {_told(found)}")

    def assert_no_loss_before(self, at: str) -> None:
        """The lander's signal was not lost earlier."""
        __tracebackhide__ = True
        time, found = mission_time(at), self.losses()
        early = [loss for loss in found if loss.interval_scet is None or loss.interval_scet[1] < time]
        if early:
            _fail(f"a loss of signal before {at}; {_told(early)}")

    def assert_silence_after(self, at: str) -> None:
        """Nothing that was sent from then on came, neither a frame nor a byte, on no channel."""
        __tracebackhide__ = True
        time = mission_time(at)
        frame = evidence.late_frame(self.bundle, time)
        if frame is not None:
            _fail(f"no silence after {at}: a frame of VC{frame.vcid}, stamped {utc_ms(frame.scet or 0)}, came")
        count = evidence.bytes_after(self.bundle, time, self._mission)
        if count:
            _fail(f"no silence after {at}: {count} bytes came, though no good frame")

    def assert_no_frame_missing(self, before: str = "09:11:05") -> None:
        """Every lander frame that was sent before that time came, undamaged."""
        __tracebackhide__ = True
        missing = evidence.missing_frames(self.bundle, mission_time(before), self._mission)
        if missing:
            _fail(f"{len(missing)} lander frames before {before} did not come, the first stamped {utc_ms(missing[0])}")

    def assert_stream_golden(self) -> None:
        """The target sent what the oracle says, and up to the last planned loss all of it came, byte for byte."""
        __tracebackhide__ = True
        for name in ("stream_equal", "golden_to_los"):
            row = self.measurement(name)
            if row.value is not True:
                _fail(f"{name} does not hold: {row.note or _difference(self.result)}")

    def measurement(self, name: str) -> Measurement:
        """A row of the judgement, with value, unit, limit and state."""
        rows = {row.name: row for row in self.result.measurements}
        if name not in rows:
            raise CallerError(f"this flight has no measurement {name!r}{nearest(name, rows)}")
        return rows[name]

    def telemetry(self, packet: str, since: str | None = None, until: str | None = None) -> PacketTable:
        """Telemetry that the station received, as columns: ``flight.telemetry("DESCENT")["altitude"].max()``.

        Args:
            packet: its name in the dictionary.
            since: mission time; those with this onboard time or a later one.
            until: those with an earlier one.
        """
        __tracebackhide__ = True
        with ArchiveReader(self.bundle / RECORDING) as reader:
            found = read_packets(reader, self._mission, packet)
        first, last = (None if time is None else mission_time(time) for time in (since, until))
        return found.between(first, last)

    def measure(self, name: str, value: Any, unit: str = "", **limits: Any) -> Measurement:
        """A row of your own in the verdict: ``flight.measure("max_g", peak, unit="g", max=12)``.

        The limits are ``min``, ``max``, ``equals``, ``marginal_min`` and ``marginal_max``; without any the value is
        recorded. The test goes on if it is outside of them, and fails at its end.
        """
        __tracebackhide__ = True
        unknown = next((key for key in limits if key not in _LIMITS), None)
        if unknown is not None:
            raise CallerError(f"measure: {name}: unknown limit {unknown!r}{nearest(unknown, _LIMITS)}")
        row = own_row(name, value, unit, limits, [each.name for each in self.result.measurements])
        self._result = with_row(self.result, row)
        write_result(self.bundle, self._result)
        self._session.own_row(self._item, row)
        return row

    def attach(self, name: str, content: bytes | str | Path) -> Path:
        """Keep a file of the test's in the bundle, linked from the report: its bytes, its text, or a file to copy.

        Returns:
            The file in the bundle.
        """
        __tracebackhide__ = True
        result, place = self.result, self.bundle / ATTACHMENTS / file_name(name, "attach")
        if place.exists():
            raise CallerError(f"attach: {name} is there already: choose another name")
        place.parent.mkdir(exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, place)
        else:
            place.write_bytes(content.encode() if isinstance(content, str) else content)
        artefacts = {**result.artefacts, f"attachment {name}": f"{ATTACHMENTS}/{name}"}
        self._result = msgspec.structs.replace(result, artefacts=artefacts)
        write_result(self.bundle, self._result)
        return place

    def losses(self) -> list[LosVerdict]:
        """The losses of the lander's signal that the station declared, in order, each with its evidence."""
        return evidence.losses(self.bundle, self._mission)

    @property
    def _mission(self) -> Mission:
        """The mission that flew."""
        return mission_of(self.scenario.head.mission)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _add(self, table: str, entry: dict[str, Any]) -> None:
        __tracebackhide__ = True
        self._put({**self._tables, table: [*self._tables.get(table, []), _given(entry)]})

    def _put(self, tables: dict[str, Any]) -> None:
        """Take what was said, if it can be flown at all."""
        __tracebackhide__ = True
        if self._result is not None:
            raise CallerError("this flight is over: the fixture hil_flights makes others")
        try:
            self._parse(tables)
        except ScenarioError as error:
            raise ScenarioError(str(error)) from None  # the place is in the text: how it was found is of no use here
        self._tables, self._told = tables, True

    def _parse(self, tables: dict[str, Any]) -> Scenario:
        """The scenario with what the test's markers say, and the losses that its faults lead to if it lists none."""
        __tracebackhide__ = True
        expected = [*map(_given, expectations_of(self._item)), *tables.get("expect", [])]
        marked = {"scenario": self._labelled(tables["scenario"]), **({"expect": expected} if expected else {})}
        return with_losses({**tables, **marked}, self._id)

    def _labelled(self, head: dict[str, Any]) -> dict[str, Any]:
        """The table [scenario] with the labels of the test's markers."""
        more = {"requirements": labels_of(self._item, REQUIREMENTS), "tags": labels_of(self._item, TAGS)}
        joined = {key: list(dict.fromkeys([*head.get(key, []), *labels])) for key, labels in more.items()}
        return {**head, **{key: labels for key, labels in joined.items() if labels}}


def _given(keys: dict[str, Any]) -> dict[str, Any]:
    """What was said; None is nothing."""
    return {key: value for key, value in keys.items() if value is not None}


def _fail(text: str) -> NoReturn:
    __tracebackhide__ = True
    raise AssertionError(text)


def _told(losses: Sequence[LosVerdict]) -> str:
    """Losses in words."""
    if not losses:
        return "no loss was declared"
    times = [utc_ms(loss.interval_scet[1]) if loss.interval_scet is not None else "?" for loss in losses]
    return "lost: " + ", ".join(f"{loss.cause} at {time}" for loss, time in zip(losses, times, strict=True))


def _difference(result: RunResult) -> str:
    """Where the stream differs, as far as the result knows."""
    mismatch = result.mismatch
    if mismatch is None:
        return "the station has other bytes than the oracle"
    return where(mismatch)

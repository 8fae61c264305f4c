"""The link-drop test and the historical descent in lockstep: exact, over no link, a PTY, and ZeroMQ."""

from __future__ import annotations

import csv
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from groundstation.archive.reader import ArchiveReader
from groundstation.messages import ContactChange, LosVerdict, Telemetry
from groundstation.receiver import Outcome
from hil import lockstep
from hil.lockstep import Carrier, Direct, fly_lockstep
from hil.oracle import expect, fly
from hil.serve import ByteServer, PtyServer, ZmqServer
from hil.verdict import Verdict, expected_cause, judge
from protocols.dictionary import utc_ns
from protocols.lander import EPOCH

HERE = Path(__file__).parent
LOS = utc_ns("1974-03-12T09:11:05")
MS = 1_000_000

Servers = dict[str, Callable[[], ByteServer]]
SERVERS: Servers = {"pty": PtyServer, "zmq": lambda: ZmqServer("tcp://127.0.0.1:*")}


@contextmanager
def carrier(kind: str) -> Iterator[Carrier]:
    if kind == "direct":
        yield Direct()
        return
    with closing(SERVERS[kind]()) as server, lockstep.over(server, time.time_ns) as way:
        yield way


def flown(path: Path, kind: str, drop: int | None) -> tuple[list[Outcome], Verdict]:
    with carrier(kind) as way:
        outcomes = fly_lockstep(path, way, drop)
    return outcomes, judge(path, expect(drop), expected_cause(drop), 0.0)


def states(verdict: Verdict) -> dict[str, str]:
    return {check.name: check.state for check in verdict.checks}


def loss(outcomes: list[Outcome], vcid: int | None) -> LosVerdict:
    (change,) = [o for o in outcomes if isinstance(o, ContactChange) and o.vcid == vcid and o.state == "LOS"]
    assert change.verdict is not None
    return change.verdict


def test_the_stream_is_the_golden_one() -> None:
    golden = (HERE.parent / "golden" / "historical.sha256").read_text().strip()
    assert expect().sha256 == golden
    assert hashlib.sha256(b"".join(b.data for b in fly())).hexdigest() == golden


@pytest.mark.parametrize("kind", ["direct", "pty", "zmq"])
def test_the_historical_descent(tmp_path: Path, kind: str) -> None:
    outcomes, verdict = flown(tmp_path / "pass.sqlite", kind, None)
    assert verdict.passed, states(verdict)
    assert (verdict.frames, verdict.cause, verdict.los_error_ms) == (2240, "LANDER_ONLY", 0)
    lost = loss(outcomes, 0)
    assert lost.last_scet == LOS - 100 * MS
    assert lost.declared_ert == LOS + 200 * MS
    assert not [o for o in outcomes if isinstance(o, ContactChange) and o.vcid is None and o.state == "LOS"]


@pytest.mark.parametrize("kind", ["direct", "pty", "zmq"])
def test_link_drop(tmp_path: Path, kind: str) -> None:
    """The centre-piece: at 09:11:05 the link falls silent, and the station says so, and why."""
    outcomes, verdict = flown(tmp_path / "pass.sqlite", kind, LOS)
    assert verdict.passed, states(verdict)
    lost = loss(outcomes, 0)
    assert (lost.cause, lost.evidence) == ("SILENCE", "the port is open, not one byte since")
    assert (lost.last_vcfc, lost.last_scet) == (2239 & 0xFF, LOS - 100 * MS)
    assert lost.interval_scet == (LOS - 100 * MS, LOS)
    assert (lost.planned_scet, lost.planned_error_ms) == (LOS, 0)
    assert lost.declared_ert == LOS + 200 * MS
    assert (lost.frames, lost.trailing_bytes) == (2240, 0)
    # The bus was last heard at 09:11:04.0; three of its periods later the whole link is lost.
    assert loss(outcomes, None).declared_ert == LOS + 2000 * MS


def test_every_second_follows_the_truth(tmp_path: Path) -> None:
    outcomes, _ = flown(tmp_path / "pass.sqlite", "direct", None)
    science = {o.scet: o.values for o in outcomes if isinstance(o, Telemetry) and o.packet == "DESCENT"}
    seconds = 0
    with (HERE.parent / "data" / "descent_1hz.csv").open() as file:
        for row in csv.DictReader(file):
            values = science.get(EPOCH + int(row["t_s"]) * 1000 * MS)
            if values is None:
                continue
            seconds += 1
            altitude, speed = float(row["alt_m"]), float(row["speed_mps"])
            assert abs(float(values["altitude"]) - altitude) <= max(0.01 * altitude, 50)
            assert abs(float(values["speed"]) - speed) <= 0.01 * speed
            assert abs(float(values["pressure"]) - float(row["pressure_hPa"])) <= 0.006
            assert abs(float(values["temperature"]) - float(row["temperature_K"])) <= 0.1
            assert abs(float(values["deceleration"]) - float(row["axial_decel_g"])) <= 0.02
    assert seconds == 224


def test_the_recording_holds_everything(tmp_path: Path) -> None:
    outcomes, _ = flown(tmp_path / "pass.sqlite", "direct", None)
    with ArchiveReader(tmp_path / "pass.sqlite") as archive:
        assert archive.sha256() == expect().sha256
        kept = [msgspec.json.decode(e.body, type=ContactChange) for e in archive.events("contact")]
    assert kept == [o for o in outcomes if isinstance(o, ContactChange)]


class Broken(Direct):
    """A carrier that does one thing wrong, at the tick with a given stream offset."""

    def __init__(self, spoil: Callable[[int, bytes], bytes]) -> None:
        self._spoil = spoil
        self._tick = 0

    def carry(self, data: bytes) -> bytes:
        self._tick += 1
        return self._spoil(self._tick - 1, data)


@pytest.mark.parametrize(
    ("spoil", "failing"),
    [
        (
            lambda tick, data: data[:-1] + bytes([data[-1] ^ 1]) if tick == 2000 else data,
            {"lander_frames", "frames_lost", "frames_rejected", "stream_sha256"},
        ),
        (lambda tick, data: b"" if tick == 2001 else data, {"lander_frames", "frames_lost", "bytes", "stream_sha256"}),
        (lambda tick, data: data + b"\0" if tick == 3000 else data, {"bytes", "stream_sha256", "frames_rejected"}),
        (
            lambda tick, data: b"" if 1000 <= tick < 1010 else data,
            {"lander_frames", "frames_lost", "bytes", "stream_sha256", "los_time_error", "false_los", "los_cause"},
        ),
    ],
    ids=["byte flipped", "frame lost", "byte added", "outage"],
)
def test_a_spoilt_descent_fails_for_that_reason(
    tmp_path: Path, spoil: Callable[[int, bytes], bytes], failing: set[str]
) -> None:
    fly_lockstep(tmp_path / "pass.sqlite", Broken(spoil))
    verdict = judge(tmp_path / "pass.sqlite", expect(), "LANDER_ONLY", 0.0)
    assert not verdict.passed
    failed = {name for name, state in states(verdict).items() if state != "PASS"}
    assert failed <= failing
    assert failed & {"lander_frames", "stream_sha256"}


def test_a_drop_100_ms_late_fails_on_time(tmp_path: Path) -> None:
    fly_lockstep(tmp_path / "pass.sqlite", Direct(), LOS - 100 * MS)
    verdict = judge(tmp_path / "pass.sqlite", expect(LOS), "SILENCE", 0.0)
    assert not verdict.passed
    assert verdict.los_error_ms == -100
    assert states(verdict)["los_time_error"] == "FAIL"


def test_no_loss_at_all_is_unset_and_fails(tmp_path: Path) -> None:
    fly_lockstep(tmp_path / "pass.sqlite", Broken(lambda tick, data: b""))
    verdict = judge(tmp_path / "pass.sqlite", expect(), "LANDER_ONLY", 0.0)
    assert not verdict.passed
    assert verdict.event == "NONE"
    assert states(verdict)["los_cause"] == "UNSET"

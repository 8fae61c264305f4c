"""The historical descent and a link that drops, in lockstep over a real PTY or ZeroMQ link, or over none: exact."""

from __future__ import annotations

import csv
import hashlib
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from groundstation.downlink.receiver import Receiver, ReceiverEvent
from groundstation.links import open_link
from groundstation.links.base import Chunk, Idle, Report, TransportChange
from groundstation.messages.wire import ContactChange, LosVerdict, Telemetry
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.writer import ArchiveWriter
from groundstation.station.recorder import ArchivingReceiver
from hil.lander_io.servers import ByteServer, PtyServer, ZmqServer
from hil.verdict.oracle import expect, fly
from protocols.declare.dictionary import utc_ns
from protocols.lander import EPOCH, MARS6
from protocols.profile import UART

HERE = Path(__file__).parent
LOS = utc_ns("1974-03-12T09:11:05")
MS = 1_000_000
PATIENCE_S = 5.0

Carry = Callable[[bytes], bytes]
SERVERS: dict[str, Callable[[], ByteServer]] = {"pty": PtyServer, "zmq": lambda: ZmqServer("tcp://127.0.0.1:*")}


@contextmanager
def carrier(kind: str) -> Iterator[Carry]:
    """How the bytes of a tick reach the station: at once, or through a real server and the station's real link."""
    if kind == "direct":
        yield lambda data: data
        return
    reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
    with closing(SERVERS[kind]()) as server:
        link = open_link(server.url, time.time_ns)
        link.start(reports.put)

        def carry(data: bytes) -> bytes:
            server.send(data)
            came = b""
            while len(came) < len(data):
                report = reports.get(timeout=PATIENCE_S)
                came += report.data if isinstance(report, Chunk) else b""
            return came

        try:
            assert server.wait_for_listener(PATIENCE_S)
            yield carry
        finally:
            link.stop()


def flown(path: Path, kind: str, drop: int | None = None) -> list[ReceiverEvent]:
    """A whole pass into a new recording: each tick's bytes at mission time."""
    meta = {"station": "lockstep", "link": kind, "mission": MARS6.name, "dictionary_hash": MARS6.hash_text}
    with carrier(kind) as carry, ArchiveWriter(path, meta) as archive:
        recorder = ArchivingReceiver(Receiver(MARS6, UART, kind), archive, str(path))

        def take(report: Report) -> list[ReceiverEvent]:
            return recorder.decode(recorder.keep(report))

        outcomes = take(TransportChange(EPOCH, "CONNECTED", kind))
        for burst in fly(drop):
            outcomes += take(Chunk(burst.scet, carry(burst.data)) if burst.data else Idle(burst.scet))
    return outcomes


def loss(outcomes: list[ReceiverEvent], vcid: int | None) -> LosVerdict:
    (change,) = [o for o in outcomes if isinstance(o, ContactChange) and o.vcid == vcid and o.state == "LOS"]
    assert change.verdict is not None
    return change.verdict


def test_the_stream_is_the_golden_one() -> None:
    golden = (HERE.parent / "golden" / "historical.sha256").read_text().strip()
    assert expect().sha256 == golden
    assert hashlib.sha256(b"".join(b.data for b in fly())).hexdigest() == golden


@pytest.mark.parametrize("kind", ["direct", "pty", "zmq"])
def test_the_historical_descent(tmp_path: Path, kind: str) -> None:
    outcomes = flown(tmp_path / "pass.sqlite", kind)
    lost = loss(outcomes, 0)
    assert (lost.cause, lost.frames, lost.planned_error_ms) == ("LANDER_ONLY", 2240, 0)
    assert lost.last_scet == LOS - 100 * MS
    assert lost.declared_ert == LOS + 200 * MS
    assert not [o for o in outcomes if isinstance(o, ContactChange) and o.vcid is None and o.state == "LOS"]
    with ArchiveReader(tmp_path / "pass.sqlite") as archive:
        assert archive.sha256() == expect().sha256


@pytest.mark.parametrize("kind", ["direct", "pty", "zmq"])
def test_link_drop(tmp_path: Path, kind: str) -> None:
    """The centre-piece: at 09:11:05 the link falls silent, and the station says so, and why."""
    outcomes = flown(tmp_path / "pass.sqlite", kind, LOS)
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
    outcomes = flown(tmp_path / "pass.sqlite", "direct")
    science = {o.scet: o.values for o in outcomes if isinstance(o, Telemetry) and o.packet == "DESCENT"}
    seconds = 0
    with (HERE.parent / "data" / "descent_1hz.csv").open() as file:
        for row in csv.DictReader(file):
            values = science.get(EPOCH + int(row["t_s"]) * 1000 * MS)
            if values is None:
                continue
            seconds += 1
            told = {name: value for name, value in values.items() if isinstance(value, float)}
            altitude, speed = float(row["alt_m"]), float(row["speed_mps"])
            assert abs(told["altitude"] - altitude) <= max(0.01 * altitude, 50)
            assert abs(told["speed"] - speed) <= 0.01 * speed
            assert abs(told["pressure"] - float(row["pressure_hPa"])) <= 0.006
            assert abs(told["temperature"] - float(row["temperature_K"])) <= 0.1
            assert abs(told["deceleration"] - float(row["axial_decel_g"])) <= 0.02
    assert seconds == 224


def test_the_recording_holds_everything(tmp_path: Path) -> None:
    outcomes = flown(tmp_path / "pass.sqlite", "direct")
    with ArchiveReader(tmp_path / "pass.sqlite") as archive:
        assert archive.sha256() == expect().sha256
        kept = [msgspec.json.decode(e.body, type=ContactChange) for e in archive.events("contact")]
    assert kept == [o for o in outcomes if isinstance(o, ContactChange)]

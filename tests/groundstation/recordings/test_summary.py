"""What a recording holds, in short."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from groundstation.messages.wire import ContactChange, LosVerdict
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.summary import info_lines, pass_lines, summarise
from groundstation.recordings.writer import ArchiveWriter
from protocols.lander import EPOCH
from tests.groundstation.made_recordings import damage, record

S = 1_000_000_000


def lost(vcid: int, channel: str, after: int, planned: bool = False, cause: str = "SILENCE") -> ContactChange:
    at = EPOCH + after * S
    verdict = LosVerdict(
        vcid=vcid,
        channel=channel,
        cause=cause,  # type: ignore[arg-type]
        evidence="nothing came",
        last_vcfc=1,
        last_scet=at,
        last_ert=at,
        interval_scet=None,
        interval_ert=(at, at),
        declared_ert=at,
        timeout_ms=300,
        trailing_bytes=0,
        frames=1,
        planned_scet=at if planned else None,
        planned_error_ms=0 if planned else None,
    )
    return ContactChange(vcid=vcid, channel=channel, state="LOS", previous="LOCKED", ert=at, verdict=verdict)


def listed(path: Path, *changes: ContactChange) -> str:
    with ArchiveWriter(path, {}) as archive:
        archive.chunk(EPOCH, "test:", b"\0")
        for change in changes:
            archive.event(change.ert, None, "contact", msgspec.json.encode(change))
    with ArchiveReader(path) as reader:
        return pass_lines([summarise(reader)])[1]


def test_the_loss_of_a_pass_is_the_one_the_plan_speaks_of(tmp_path: Path) -> None:
    line = listed(
        tmp_path / "pass.sqlite",
        lost(0, "lander", 100, planned=True),
        lost(0, "lander", 312, planned=True, cause="LANDER_ONLY"),
        lost(2, "bus", 320, cause="PORT"),
    )
    assert "LANDER_ONLY after 09:11:05.0, +0 ms off the plan" in line
    assert "PORT" not in line


def test_without_a_plan_it_is_the_last_one(tmp_path: Path) -> None:
    assert "PORT after" in listed(tmp_path / "pass.sqlite", lost(0, "lander", 312), lost(2, "bus", 320, cause="PORT"))
    assert " none " in listed(tmp_path / "other.sqlite")


def test_a_link_is_listed_without_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    link = f"zmq:tcp://bench:5580?key=anna&server_key={'0' * 64}"
    ArchiveWriter(path, {"link": link}).close()
    with ArchiveReader(path) as reader:
        summary = summarise(reader)
    line = pass_lines([summary])[1]
    assert " zmq:tcp://bench:5580 " in line
    assert "key" not in line
    assert link in info_lines(summary, "")[1]


@pytest.mark.parametrize("body", ["{", "[]", '{"vcid": "x"}', '{"records": 1}'])
@pytest.mark.parametrize("kind", ["contact", "gap"])
def test_a_damaged_event_is_counted_and_told(tmp_path: Path, kind: str, body: str) -> None:
    path = tmp_path / "pass.sqlite"
    gap = json.dumps({"records": 1, "bytes": 2, "first_ert": EPOCH, "last_ert": EPOCH}).encode()
    record(path, bursts=20, more=lambda number, ert, archive: archive.event(ert, None, "gap", gap))
    with ArchiveReader(path) as reader:
        assert len(summarise(reader).gaps) == 20
    number = damage(path, kind, body=body)
    with ArchiveReader(path) as reader:
        summary = summarise(reader)
    assert len(summary.gaps) == 20 - (kind == "gap")
    assert summary.damage is not None
    assert f"record {number}, kind {kind!r}: " in summary.damage.places[0]
    assert "1 record cannot be read" in summary.lack

"""Packets of damaged frames in tables of their own, beside those of good frames."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from groundstation.cli import cli
from groundstation.errors import CallerError
from groundstation.recordings.export.mended import mended_columns
from groundstation.recordings.export.tables import export
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.writer import ArchiveWriter
from protocols.profile import UART, LinkProfile
from tests.groundstation.made_recordings import record
from tests.protocols.mending.streams import cadus, flipped, mission, noisy

MOLE = mission()
CADUS = cadus(MOLE)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[ArchiveReader]:
    damaged = {40: flipped(CADUS[40], [300]), 60: flipped(CADUS[60], [8 * 112])}
    with ArchiveWriter(tmp_path / "mole.sqlite", {}) as archive:
        for number, cadu in enumerate(CADUS):
            archive.chunk(number, "test:", damaged.get(number, cadu))
    with ArchiveReader(tmp_path / "mole.sqlite") as opened:
        yield opened


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_mended_packets_have_a_table_of_their_own(reader: ArchiveReader, tmp_path: Path) -> None:
    made = export(reader, MOLE, UART, "csv", tmp_path / "out", mended=True)
    assert {path.name: count for path, count in made.items()} == {
        "mole-STATE.csv": 118,
        "mole-SAMPLES.csv": 39,
        "mole-mended-STATE.csv": 2,
        "mole-mended-SAMPLES.csv": 1,
    }
    found = rows(tmp_path / "out" / "mole-mended-STATE.csv")
    assert [(row["step"], row["quality"]) for row in found] == [("40", "MENDED"), ("60", "INTACT")]
    good = rows(tmp_path / "out" / "mole-STATE.csv")
    assert {row["quality"] for row in good} == {"GOOD"}
    assert not {"40", "60"} & {row["step"] for row in good}


def test_without_asking_no_mended_packet_is_exported(reader: ArchiveReader, tmp_path: Path) -> None:
    made = export(reader, MOLE, UART, "jsonl", tmp_path / "out")
    assert {path.name for path in made} == {"mole-STATE.jsonl", "mole-SAMPLES.jsonl"}


def test_a_link_that_cannot_be_mended_is_refused(reader: ArchiveReader) -> None:
    with pytest.raises(CallerError, match="no FECF"):
        list(mended_columns(reader, MOLE, LinkProfile(fecf=False)))


def test_info_counts_what_can_be_mended(tmp_path: Path) -> None:
    path = tmp_path / "noisy.sqlite"
    record(path, lambda n, data: noisy(data, 1e-3, n) if n > 1500 else data, bursts=1530)
    plain = CliRunner().invoke(cli, ["info", str(path)]).output
    told = CliRunner().invoke(cli, ["info", str(path), "--mended"]).output
    assert told.startswith(plain)
    assert "  mended " in told.removeprefix(plain)
    lines = CliRunner().invoke(cli, ["info", str(path), "--mended", "--json"]).output.splitlines()
    assert json.loads(lines[-1])["type"] == "salvage_summary"

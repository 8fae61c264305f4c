"""Columns and exports hold what the live receiver said."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from groundstation.archive.reader import ArchiveReader
from groundstation.cli import cli
from groundstation.columns import packet_columns
from groundstation.messages import Telemetry
from groundstation.receiver import Outcome
from protocols.bulk import labels
from protocols.lander import MARS6
from protocols.profile import UART
from tests.groundstation.recordings import make_old, record

pyarrow_parquet = pytest.importorskip("pyarrow.parquet")


def spoil(number: int, data: bytes) -> bytes:
    if number % 97 == 0:
        return data[:40] + b"\xff" + data[41:]
    return data[:50] if number % 131 == 0 else data


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Outcome]]:
    path = tmp_path_factory.mktemp("pass") / "pass.sqlite"
    return path, record(path, spoil)


def said(outcomes: list[Outcome], packet: str) -> list[Telemetry]:
    return [o for o in outcomes if isinstance(o, Telemetry) and o.packet == packet]


@pytest.mark.parametrize("packet", ["DESCENT", "LANDER_HK", "BUS_HK"])
def test_columns_are_what_was_said_live(flown: tuple[Path, list[Outcome]], packet: str) -> None:
    path, outcomes = flown
    live = said(outcomes, packet)
    with ArchiveReader(path) as reader:
        (columns,) = packet_columns(reader, MARS6, UART, [packet])
    words = labels(columns.packet)
    assert columns.ert.tolist() == [t.ert for t in live]
    assert columns.scet.tolist() == [t.scet for t in live]
    for name, column in columns.values.items():
        values = [words[name][v] for v in column.tolist()] if name in words else column.tolist()
        assert values == [t.values[name] for t in live], name
        absent = columns.absent(name)
        assert absent is None or absent.tolist() == [name in t.invalid for t in live]


def test_small_blocks_change_nothing(flown: tuple[Path, list[Outcome]], monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = flown
    with ArchiveReader(path) as reader:
        (whole,) = packet_columns(reader, MARS6, UART, ["DESCENT"])
        monkeypatch.setattr("groundstation.columns._BLOCK", 1000)
        monkeypatch.setattr("groundstation.columns._CHUNKS_A_READ", 7)
        parts = list(packet_columns(reader, MARS6, UART, ["DESCENT"]))
    assert len(parts) > 100
    assert np.concatenate([p.ert for p in parts]).tolist() == whole.ert.tolist()
    assert np.concatenate([p.values["altitude"] for p in parts]).tolist() == whole.values["altitude"].tolist()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_export(flown: tuple[Path, list[Outcome]], tmp_path: Path, form: str) -> None:
    path, outcomes = flown
    live = said(outcomes, "DESCENT")
    done = CliRunner().invoke(cli, ["export", str(path), "--to", form, "--output", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert {f"pass-DESCENT.{form}", f"pass-BUS_HK.{form}", f"pass-LANDER_EVENT.{form}"} <= names
    file = tmp_path / "out" / f"pass-DESCENT.{form}"
    if form == "parquet":
        table = pyarrow_parquet.read_table(file)
        rows = table.drop(["ert", "scet"]).to_pylist()
        assert table["scet"].cast("int64").to_pylist() == [t.scet for t in live]
        assert table["ert"].cast("int64").to_pylist() == [t.ert for t in live]
        assert [row["radio_altitude"] is None for row in rows] == ["radio_altitude" in t.invalid for t in live]
    else:
        rows = list(csv.DictReader(file.read_text().splitlines()))
        assert rows[0]["scet"] == "1974-03-12T09:07:21.000000000Z"
        assert [row["radio_altitude"] == "" for row in rows] == ["radio_altitude" in t.invalid for t in live]
    assert [float(row["altitude"]) for row in rows] == [t.values["altitude"] for t in live]
    assert [row["phase"] for row in rows] == [t.values["phase"] for t in live]
    assert {row["quality"] for row in rows} == {"GOOD"}


def test_packets_are_chosen_by_name(flown: tuple[Path, list[Outcome]], tmp_path: Path) -> None:
    path, _ = flown
    call = ["export", str(path), "--to", "csv", "--output", str(tmp_path)]
    assert CliRunner().invoke(cli, [*call, "--packets", "bus_hk"]).exit_code == 0
    assert [file.name for file in tmp_path.iterdir()] == ["pass-BUS_HK.csv"]
    wrong = CliRunner().invoke(cli, [*call, "--packets", "DECENT"])
    assert "did you mean 'DESCENT'?" in str(wrong.exception)


def test_a_folder_that_cannot_be_made(flown: tuple[Path, list[Outcome]], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = CliRunner().invoke(cli, ["export", str(flown[0]), "--to", "csv", "--output", str(tmp_path / "file" / "x")])
    assert "cannot export to" in str(done.exception)


def test_passes_and_info(flown: tuple[Path, list[Outcome]], tmp_path: Path) -> None:
    path, _ = flown
    old = tmp_path / "old.sqlite"
    record(old, bursts=60)
    make_old(old)
    (tmp_path / "foreign.sqlite").write_text("not a recording")
    listed = CliRunner().invoke(cli, ["passes", str(tmp_path)]).output
    assert "test:" in listed
    assert "foreign.sqlite is not a recording of this station" in listed
    told = CliRunner().invoke(cli, ["info", str(path)]).output
    assert "loss of signal, lander: LANDER_ONLY after 09:11:04" in told
    assert "closed by its station" in told
    assert "CRC" in told
    summary = json.loads(CliRunner().invoke(cli, ["info", str(path), "--json"]).output)
    assert summary["frames_good"] + summary["frames_rejected"] == sum(summary["frames"].values())
    assert json.loads(CliRunner().invoke(cli, ["info", str(old), "--json"]).output)["frames_good"] is None


def test_an_older_recording_is_exported(tmp_path: Path) -> None:
    old = tmp_path / "old.sqlite"
    record(old, bursts=200)
    make_old(old)
    done = CliRunner().invoke(cli, ["export", str(old), "--to", "csv"])
    assert "old-DESCENT.csv" in done.output

"""Columns and exports hold what the live receiver said."""

from __future__ import annotations

import csv
import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from groundstation.cli import cli
from groundstation.downlink.receiver import Receiver, ReceiverEvent
from groundstation.errors import ArchiveError, CallerError, WorldError
from groundstation.links.base import Chunk
from groundstation.messages.wire import Telemetry
from groundstation.recordings.export.columns import packet_columns
from groundstation.recordings.export.tables import Format, export
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.writer import ArchiveWriter
from groundstation.station.recorder import ArchivingReceiver
from protocols.decode.bulk_packets import labels
from protocols.lander import EPOCH, MARS6
from protocols.profile import UART, LinkProfile
from protocols.sync.deframer import Deframer, Frame
from protocols.sync.frames import decode_frame, encode_block
from tests import descent
from tests.groundstation.made_recordings import make_old, record

pyarrow_parquet = pytest.importorskip("pyarrow.parquet")
REED_SOLOMON = LinkProfile(rs_depth=1)


def spoil(number: int, data: bytes) -> bytes:
    if number % 97 == 0:
        return data[:40] + b"\xff" + data[41:]
    return data[:50] if number % 131 == 0 else data


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[ReceiverEvent]]:
    path = tmp_path_factory.mktemp("pass") / "pass.sqlite"
    return path, record(path, spoil)


DECIMALS = {
    "altitude": 1, "speed": 2, "vertical_speed": 2, "deceleration": 2, "temperature": 2, "pressure": 3,
    "radio_altitude_low": 1, "pump_current": 2, "relay_silence": 1, "slant_range": 0, "elevation": 2,
}  # fmt: skip
"""As the lander's interface document has them."""


def said(outcomes: list[ReceiverEvent], packet: str) -> list[Telemetry]:
    return [o for o in outcomes if isinstance(o, Telemetry) and o.packet == packet]


@pytest.mark.parametrize("packet", ["DESCENT", "LANDER_HK", "BUS_HK"])
def test_columns_are_what_was_said_live(flown: tuple[Path, list[ReceiverEvent]], packet: str) -> None:
    path, outcomes = flown
    live = said(outcomes, packet)
    with ArchiveReader(path) as reader:
        (columns,) = packet_columns(reader, MARS6, UART, [packet])
    words = labels(columns.packet)
    assert columns.ert.tolist() == [t.ert for t in live]
    assert columns.scet.tolist() == [t.scet for t in live]
    for name, column in columns.values.items():
        values: list[Any] = [words[name][v] for v in column.tolist()] if name in words else column.tolist()
        if (places := DECIMALS.get(name)) is not None:
            values = [round(v, places) for v in values]
        void = columns.void[name].tolist() if name in columns.void else [False] * len(values)
        assert [None if gone else v for v, gone in zip(values, void, strict=True)] == [t.values[name] for t in live]
        assert void == [name in t.invalid for t in live]


def test_small_blocks_change_nothing(flown: tuple[Path, list[ReceiverEvent]], monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = flown
    with ArchiveReader(path) as reader:
        (whole,) = packet_columns(reader, MARS6, UART, ["DESCENT"])
        monkeypatch.setattr("groundstation.recordings.export.columns.BLOCK", 1000)
        monkeypatch.setattr("groundstation.recordings.export.columns.CHUNKS_A_READ", 7)
        parts = list(packet_columns(reader, MARS6, UART, ["DESCENT"]))
    assert len(parts) > 100
    assert np.concatenate([p.ert for p in parts]).tolist() == whole.ert.tolist()
    assert np.concatenate([p.values["altitude"] for p in parts]).tolist() == whole.values["altitude"].tolist()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_export(flown: tuple[Path, list[ReceiverEvent]], tmp_path: Path, form: str) -> None:
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
        assert all(len(row["altitude"].partition(".")[2]) <= 1 for row in rows)
    assert [round(float(row["altitude"]), 1) for row in rows] == [t.values["altitude"] for t in live]
    assert [row["phase"] for row in rows] == [t.values["phase"] for t in live]
    assert {row["quality"] for row in rows} == {"GOOD"}


def record_reed_solomon(path: Path) -> int:
    """The descent over a link with Reed–Solomon; every third frame has wrong bytes. How many DESCENT those carried."""
    frames = [frame.data for frame in Deframer(UART).feed(descent.stream()[: 132 * 400]) if isinstance(frame, Frame)]
    with ArchiveWriter(path, {}) as archive:
        recorder = ArchivingReceiver(Receiver(MARS6, REED_SOLOMON, "test:"), archive, str(path))
        for number, frame in enumerate(frames):
            cadu = bytearray(encode_block(frame, REED_SOLOMON))
            for at in (20, 50, 150) if number % 3 == 0 else ():
                cadu[at] ^= 0x55
            recorder.decode(recorder.keep(Chunk(EPOCH + number * 1000, bytes(cadu))))
    return sum(decode_frame(frame, UART).vcid == 0 for frame in frames[::3])


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_packet_says_that_its_frame_was_mended(tmp_path: Path, form: Format) -> None:
    path = tmp_path / "pass.sqlite"
    mended = record_reed_solomon(path)
    with ArchiveReader(path) as reader:
        (file,) = export(reader, MARS6, REED_SOLOMON, form, tmp_path, ["DESCENT"])
        (columns,) = packet_columns(reader, MARS6, REED_SOLOMON, ["DESCENT"])
        live = [frame.quality for frame in reader.frames() if frame.vcid == 0]
    if form == "parquet":
        rows = pyarrow_parquet.read_table(file).to_pylist()
    else:
        rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [row["quality"] for row in rows] == live
    assert columns.corrected.tolist() == [quality == "CORRECTED" for quality in live]
    assert live.count("CORRECTED") == mended > 50
    assert live.count("GOOD") > 100


def test_packets_are_chosen_by_name(flown: tuple[Path, list[ReceiverEvent]], tmp_path: Path) -> None:
    path, _ = flown
    call = ["export", str(path), "--to", "csv", "--output", str(tmp_path)]
    assert CliRunner().invoke(cli, [*call, "--packets", "bus_hk"]).exit_code == 0
    assert [file.name for file in tmp_path.iterdir()] == ["pass-BUS_HK.csv"]
    wrong = CliRunner().invoke(cli, [*call, "--packets", "DECENT"])
    assert "did you mean 'DESCENT'?" in str(wrong.exception)


def test_a_folder_that_cannot_be_made(flown: tuple[Path, list[ReceiverEvent]], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (str(tmp_path / "file" / "x"), "/proc/foo"):
        done = CliRunner().invoke(cli, ["export", str(flown[0]), "--to", "csv", "--output", folder])
        assert isinstance(done.exception, ArchiveError)
        assert f"cannot export to {folder}: " in str(done.exception)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_earlier_export_is_overwritten_only_by_force(
    flown: tuple[Path, list[ReceiverEvent]], tmp_path: Path, form: Format
) -> None:
    old = tmp_path / f"pass-DESCENT.{form}"
    old.write_text("an older good export")
    call = ["export", str(flown[0]), "--to", form, "--output", str(tmp_path)]
    refused = CliRunner().invoke(cli, call)
    assert isinstance(refused.exception, CallerError)
    assert str(refused.exception) == f"{old} exists: --force overwrites it, or choose another place"
    assert [file.name for file in tmp_path.iterdir()] == [old.name]
    assert old.read_text() == "an older good export"
    assert CliRunner().invoke(cli, [*call, "--packets", "BUS_HK"]).exit_code == 0  # what is not there is no obstacle
    assert CliRunner().invoke(cli, [*call, "--force"]).exit_code == 0
    assert old.stat().st_size > 1000


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_file_name_that_is_no_utf8_is_exported(tmp_path: Path, form: Format) -> None:
    path = tmp_path / os.fsdecode(b"\xff.sqlite")
    record(path, bursts=200)
    done = CliRunner().invoke(cli, ["export", str(path), "--to", form, "--packets", "DESCENT"])
    assert done.exit_code == 0
    assert f"\\udcff-DESCENT.{form}: " in done.output
    assert path.with_name(os.fsdecode(b"\xff-DESCENT.") + form).stat().st_size > 1000


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_failed_export_leaves_what_was_there(
    flown: tuple[Path, list[ReceiverEvent]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Format
) -> None:
    old = tmp_path / f"pass-DESCENT.{form}"
    old.write_text("an older good export")
    blocks = 0

    def fail(count: int) -> None:
        nonlocal blocks
        blocks += 1
        assert len(list(tmp_path.glob(f"{old.name}.*.part"))) == 1
        if blocks == 3:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("groundstation.recordings.export.columns.BLOCK", 1000)
    monkeypatch.setattr("groundstation.recordings.export.columns.CHUNKS_A_READ", 100)
    with ArchiveReader(flown[0]) as reader, pytest.raises(WorldError, match="No space left"):
        export(reader, MARS6, UART, form, tmp_path, ["DESCENT"], fail, force=True)
    assert blocks == 3
    assert [file.name for file in tmp_path.iterdir()] == [old.name]
    assert old.read_text() == "an older good export"
    with ArchiveReader(flown[0]) as reader:
        assert list(export(reader, MARS6, UART, form, tmp_path, ["DESCENT"], force=True)) == [old]
    assert [file.name for file in tmp_path.iterdir()] == [old.name]
    assert old.stat().st_size > 1000


def test_an_export_writes_through_no_link(flown: tuple[Path, list[ReceiverEvent]], tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    folder = tmp_path / "out"
    folder.mkdir()
    for name in ("pass-DESCENT.csv", "pass-DESCENT.csv.part"):
        (folder / name).symlink_to(precious)
    call = ["export", str(flown[0]), "--to", "csv", "--output", str(folder), "--packets", "DESCENT"]
    assert "exists: --force" in str(CliRunner().invoke(cli, call).exception)
    assert CliRunner().invoke(cli, [*call, "--force"]).exit_code == 0
    assert precious.read_text() == "precious"
    assert not (folder / "pass-DESCENT.csv").is_symlink()


def test_an_interrupted_export_leaves_nothing(flown: tuple[Path, list[ReceiverEvent]], tmp_path: Path) -> None:
    def interrupt(count: int) -> None:
        raise KeyboardInterrupt

    with ArchiveReader(flown[0]) as reader, pytest.raises(KeyboardInterrupt):
        export(reader, MARS6, UART, "csv", tmp_path, None, interrupt)
    assert list(tmp_path.iterdir()) == []


def test_passes_and_info(flown: tuple[Path, list[ReceiverEvent]], tmp_path: Path) -> None:
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

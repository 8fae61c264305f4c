"""What was said live of the quality of values is in columns, tables and files, too."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from groundstation import open_recording
from groundstation.downlink.receiver import Receiver
from groundstation.links.base import Chunk
from groundstation.messages.wire import Telemetry
from groundstation.recordings.export.tables import Format, export
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.writer import ArchiveWriter
from groundstation.station.recorder import ArchivingReceiver
from protocols.lander import EPOCH, MARS6
from protocols.profile import UART
from tests.bad_values import Descent, frames, true_descent


def spoilt(packet: Descent) -> Descent:
    if packet.tick % 50 == 0:
        return packet.spoilt(altitude=200_000_000)
    return packet.spoilt(pressure=9, phase=77) if packet.tick % 70 == 0 else packet


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Telemetry]]:
    path = tmp_path_factory.mktemp("pass") / "pass.sqlite"
    meta = {"station": "bench", "link": "test:", "mission": MARS6.name, "dictionary_hash": MARS6.hash_text}
    data = frames([spoilt(packet) for packet in true_descent()[1200:1700]])
    with ArchiveWriter(path, meta) as archive:
        recorder = ArchivingReceiver(Receiver(MARS6, UART, "test:"), archive, str(path))
        outcomes = recorder.decode(recorder.keep(Chunk(EPOCH, data)))
    return path, [each for each in outcomes if isinstance(each, Telemetry)]


def live(telemetry: list[Telemetry], name: str) -> list[str | None]:
    return [
        None if name in each.invalid else each.bad[name].quality if each.bad and name in each.bad else "good"
        for each in telemetry
    ]


def reasons(telemetry: list[Telemetry]) -> list[str]:
    return ["; ".join(f"{name}: {bad.reason}" for name, bad in (each.bad or {}).items()) for each in telemetry]


def test_a_table_has_the_quality_that_was_said_live(flown: tuple[Path, list[Telemetry]]) -> None:
    path, telemetry = flown
    assert {"suspect", "unusable"} <= {bad.quality for each in telemetry for bad in (each.bad or {}).values()}
    with open_recording(path) as recording:
        table = recording.packets("DESCENT")
    assert "altitude_quality" in table and "reasons" in table
    for name in ("altitude", "pressure", "phase", "speed"):
        assert table[f"{name}_quality"].tolist() == live(telemetry, name)
    assert table["reasons"].tolist() == reasons(telemetry)
    middle = int(table.scet[100])
    later = table.between(middle, None)
    assert later["altitude_quality"].tolist() == live(telemetry, "altitude")[100:]


def test_good_values_are_chosen_by_their_quality(flown: tuple[Path, list[Telemetry]]) -> None:
    path, _ = flown
    with open_recording(path) as recording:
        table = recording.packets("DESCENT")
    good = table["altitude"][table["altitude_quality"] == "good"]
    assert 0 < len(good) < table.rows and np.max(good) < 12_000


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_file_has_the_quality_that_was_said_live(
    flown: tuple[Path, list[Telemetry]], form: Format, tmp_path: Path
) -> None:
    path, telemetry = flown
    with ArchiveReader(path) as reader:
        (file,) = export(reader, MARS6, UART, form, tmp_path, ["DESCENT"])
    found: list[str | None]
    if form == "csv":
        rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
        found, why = [row["radio_altitude_quality"] or None for row in rows], [row["reasons"] for row in rows]
    elif form == "jsonl":
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        assert [each["bad"] for each in lines] == [
            {name: {"quality": b.quality, "reason": b.reason} for name, b in (t.bad or {}).items()} for t in telemetry
        ]
        return
    else:
        parquet = pytest.importorskip("pyarrow.parquet").read_table(file)
        found = parquet["radio_altitude_quality"].to_pylist()
        why = parquet["reasons"].to_pylist()
    assert found == live(telemetry, "radio_altitude") and why == reasons(telemetry)

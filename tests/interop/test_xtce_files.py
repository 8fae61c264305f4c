"""Public XTCE files with their packets: `groundstation decode` gives every value that space_packet_parser gives.

The files are in the source distribution of that package, and in IMAP's; pip fetches them, they are not part of this
project.
"""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import sys
import tarfile
import warnings
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from groundstation.cli import cli
from protocols.ccsds.space_packet import HEADER_SIZE, encode_packet
from protocols.decode.telemetry import decode_telemetry
from protocols.xtce_reader import read_xtce
from tests.interop.external_decoders import REQUIRE_ALL, judge

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

PACKAGE = "space_packet_parser"
IMAP = "imap-processing==1.0.40"
HEADER = ("VERSION", "TYPE", "SEC_HDR_FLG", "PKT_APID", "SEQ_FLGS", "SRC_SEQ_CTR", "PKT_LEN")
"""The primary header: the same numbers in each row as APID, sequence and the packet's own bytes."""

JPSS = "jpss/J01_G011_LZ_2021-04-09T00-00-00Z_V01.DAT1"
CASES = [
    ("jpss/jpss1_geolocation_xtce_v1.xml", JPSS, 0, "CCSDSPacket", 194_400),
    ("jpss/contrived_inheritance_structure.xml", JPSS, 0, "CCSDSPacket", 194_400),
    ("suda/suda_combined_science_definition.xml", "suda/sciData_2022_130_17_41_53.spl", 4, "CCSDSPacket", 443),
    ("idex/idex_combined_science_definition.xml", "idex/sciData_2023_052_14_45_05", 0, "CCSDSPacket", 2658),
    ("ctim/ctim_xtce_v1.xml", "ctim/ccsds_2021_155_14_39_51", 0, "CCSDSTelemetryPacket", 1_295_993),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's files."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(fetched(folder, f"{PACKAGE}=={version(PACKAGE)}", "--no-binary", ":all:")) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.glob(f"{PACKAGE}-*/tests/test_data"))


def fetched(folder: Path, name: str, *options: str) -> Path:
    """A package from the index; the test is skipped without one, or fails where all are required."""
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", *options, name, "-d", str(folder)]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=300, check=False)
    found = [*folder.glob("*.tar.gz"), *folder.glob("*.whl")]
    if not found:
        text = f"pip cannot fetch {name}: {done.stderr.strip()[-200:]}"
        if os.environ.get(REQUIRE_ALL):
            pytest.fail(text)
        pytest.skip(text)
    return found[0]


def theirs(definition: Path, data: Path, skip: int, root: str) -> Iterator[dict[str, Any]]:
    """The packets as space_packet_parser decodes them."""
    definitions = judge(f"{PACKAGE}.xtce.definitions", PACKAGE)
    generators = judge(f"{PACKAGE}.generators", PACKAGE)
    known = definitions.XtcePacketDefinition.from_xtce(definition)
    with data.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # containers that do not cover a whole packet
        for raw in generators.ccsds_generator(file, skip_header_bytes=skip):
            yield known.parse_bytes(raw, root_container_name=root)


def ours(row: dict[str, Any]) -> dict[str, Any]:
    """The values of a row, those of the primary header from APID, sequence and bytes."""
    data = bytes.fromhex(row["data"])
    first, flags = int.from_bytes(data[:2], "big"), data[2] >> 6
    header = (
        first >> 13,
        first >> 12 & 1,
        first >> 11 & 1,
        row["apid"],
        flags,
        row["sequence"],
        len(data) - HEADER_SIZE - 1,
    )
    names = dict(zip(HEADER, header, strict=True))
    exact = {name: int(text) for name, text in row.get("exact", {}).items()}
    return {**names, "SEC_HDR_FLAG": names["SEC_HDR_FLG"], "SEQ_CTR": names["SRC_SEQ_CTR"], **row["values"], **exact}


def last(values: dict[str, Any], name: str) -> Any:
    """A value; of a parameter that a packet has several times the last one, as theirs have no other."""
    number = 2
    while f"{name}_{number}" in values:
        number += 1
    return values[name if number == 2 else f"{name}_{number - 1}"]


@pytest.mark.parametrize(("definition", "data", "skip", "root", "count"), CASES)
def test_every_value_of_a_public_file(
    definition: str, data: str, skip: int, root: str, count: int, files: Path, tmp_path: Path
) -> None:
    rows, profile = tmp_path / "rows.jsonl", tmp_path / "packets.toml"
    profile.write_text(f'kind = "packets"\nskip = {skip}\n', encoding="utf-8")
    options = ["--mission", str(files / definition), "--link-profile", str(profile) if skip else "packets"]
    done = CliRunner().invoke(cli, ["decode", str(files / data), *options, "--jsonl", str(rows)])
    assert done.exit_code == 0, done.output
    equal = 0
    with rows.open(encoding="utf-8") as lines:
        for line, packet in zip(lines, theirs(files / definition, files / data, skip, root), strict=True):
            row = json.loads(line)
            assert "error" not in row, row["error"]
            values = ours(row)
            for name, value in packet.items():
                expected = value.hex() if isinstance(value, bytes) else value
                assert last(values, name) == expected, f"{name} of packet {row['offset']}"
                equal += 1
    assert equal == count


@pytest.mark.filterwarnings("ignore::UserWarning:space_packet_parser")
def test_every_definition_of_imap(tmp_path: Path) -> None:
    """IMAP publishes definitions without packets: random ones are decoded by both."""
    definitions = judge(f"{PACKAGE}.xtce.definitions", PACKAGE)
    raw_packet = judge(f"{PACKAGE}.generators.ccsds", PACKAGE).CCSDSPacketBytes
    chance = random.Random(13)
    read = equal = 0
    with zipfile.ZipFile(fetched(tmp_path, IMAP)) as archive:
        texts = {name: archive.read(name) for name in archive.namelist() if name.endswith(".xml")}
    for name, text in texts.items():
        document = read_xtce(text)
        assert [each for each in document.problems if "depend on a context" not in each] == []
        uncertain = {each.partition(" ")[0].rpartition("/")[2].rstrip(":") for each in document.problems}
        known = definitions.XtcePacketDefinition.from_xtce(io.BytesIO(text))
        read += 1
        for packet in document.dictionary.by_name.values():
            body = chance.randbytes(packet.min_size + 300)  # enough for what the packet's length tells the size of
            data = encode_packet(packet.definition.apid, 0, body, secondary=True)
            try:
                expected = known.parse_bytes(raw_packet(data), root_container_name="CCSDSPacket")
            except Exception:  # a number without a label, and whatever else random bytes do to it
                continue
            values = decode_telemetry(document.dictionary, data).values
            for parameter, value in list(expected.items())[len(HEADER) :]:
                if parameter not in uncertain:
                    same = last(values, parameter)
                    assert same == value or (same != same and value != value), f"{name}: {parameter}"
                    equal += 1
    assert read >= 20
    assert equal > 2000

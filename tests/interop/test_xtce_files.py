"""Public XTCE files with their packets: `groundstation decode` gives every value that space_packet_parser gives.

The files are in the source distribution of that package, which pip fetches; they are not part of this project.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from groundstation.cli import cli
from protocols.ccsds.space_packet import HEADER_SIZE
from tests.interop.external_decoders import REQUIRE_ALL, judge

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

PACKAGE = "space_packet_parser"
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
    name = f"{PACKAGE}=={version(PACKAGE)}"
    pip = [sys.executable, "-m", "pip", "download", "--no-binary", ":all:", "--no-deps", name]
    done = subprocess.run([*pip, "-d", folder], capture_output=True, text=True, timeout=300, check=False)
    archives = list(folder.glob("*.tar.gz"))
    if not archives:
        text = f"pip cannot fetch the source distribution of {name}: {done.stderr.strip()[-200:]}"
        if os.environ.get(REQUIRE_ALL):
            pytest.fail(text)
        pytest.skip(text)
    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.glob(f"{PACKAGE}-*/tests/test_data"))


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

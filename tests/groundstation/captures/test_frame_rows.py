"""`decode --frames`: all that frames say besides packets, and why packets did not come out of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from groundstation.cli import cli
from groundstation.errors import NothingDecoded
from protocols.ccsds.aos_frame import AosFrame
from protocols.ccsds.clcw import Clcw
from protocols.ccsds.encapsulation import encode_packet as wrap
from protocols.ccsds.pus import TmHeader, encode_tm
from protocols.ccsds.space_packet import encode_packet, idle_packet
from protocols.ccsds.tm_frame import NO_PACKET_START, ONLY_IDLE, TmFrame
from protocols.lander import EPOCH
from protocols.profile import UART, LinkProfile
from protocols.sync.frames import encode_cadu

LENGTH = UART.data_length
CLCW = b"\1\0\0\0"


def decode(path: Path, data: bytes, *arguments: str | Path) -> Result:
    path.write_bytes(data)
    return CliRunner().invoke(cli, ["decode", str(path), *map(str, arguments)])


def rows_of(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def tm(number: int, data: bytes = b"", pointer: int = 0, ocf: bytes = CLCW, scid: int = 6, mcfc: int = -1) -> bytes:
    data += idle_packet(LENGTH - len(data)) if len(data) < LENGTH else b""
    frame = TmFrame(scid, 0, (number if mcfc < 0 else mcfc) & 0xFF, number & 0xFF, pointer, data, ocf)
    return encode_cadu(frame, UART)


def test_clcw_flags_and_counts_are_given_out(tmp_path: Path) -> None:
    word = Clcw(vcid=5, lockout=True, retransmit=True, farm_b=2, report=0xA5)
    data = tm(254, encode_packet(0x101, 7, b"x" * 20), ocf=word.encode(), mcfc=3) + tm(255, ocf=b"\x80\1\2\3", mcfc=7)
    first, second = rows_of(decode(tmp_path / "c", data, "--frames", "-"))
    assert first["clcw"] == {
        "vcid": 5, "report": 0xA5, "farm_b": 2, "lockout": True, "wait": False, "retransmit": True, "no_rf": False,
        "no_bit_lock": False,
    }  # fmt: skip
    assert first["ocf"] == word.encode().hex()
    assert (second["ocf"], second["type_2"], "clcw" in second) == ("80010203", True, False)
    assert (first["kind"], first["scid"], first["vcid"], first["mcfc"], first["vcfc"]) == ("TM", 6, 0, 3, 254)
    assert (second["mcfc"], second["vcfc"], second["mcfc_lost"], "mcfc_lost" in first) == (7, 255, 3, False)
    assert first["packets"] == [{"apid": 0x101, "sequence": 7, "size": 26}]
    flags = ["has_ocf", "has_secondary_header", "sync", "packet_order", "segment_length"]
    assert [first[flag] for flag in flags] == [True, False, False, False, 3]
    assert (first["offset"], second["offset"], first["quality"]) == (0, 132, "GOOD")
    assert first["data"] == data[4:132].hex()


def test_insert_zone_and_aos_signalling_are_given_out(tmp_path: Path) -> None:
    profile = LinkProfile(kind="AOS", frame_length=128, insert_zone=4)
    frame = AosFrame(9, 2, 70_000, 0, idle_packet(profile.data_length), b"\1\0\0\0", True, 5, b"\xde\xad\xbe\xef")
    toml = tmp_path / "p.toml"
    toml.write_text('kind = "AOS"\ninsert_zone = 4\n')
    (row,) = rows_of(decode(tmp_path / "c", encode_cadu(frame, profile), "--profile", toml, "--frames", "-"))
    assert (row["kind"], row["insert_zone"], row["replay"], row["cycle"], row["vcfc"]) == (
        "AOS",
        "deadbeef",
        True,
        5,
        70_000,
    )
    assert "mcfc" not in row


def test_secondary_header_is_given_out(tmp_path: Path) -> None:
    profile = LinkProfile(secondary_header=4)
    frame = TmFrame(6, 0, 0, 0, 0, idle_packet(profile.data_length), b"\1\0\0\0", b"\x03abc")
    toml = tmp_path / "p.toml"
    toml.write_text("secondary_header = 4\n")
    (row,) = rows_of(decode(tmp_path / "c", encode_cadu(frame, profile), "--profile", toml, "--frames", "-"))
    assert (row["has_secondary_header"], row["secondary_header"]) == (True, "03616263")


def test_encapsulation_packets_are_given_out(tmp_path: Path) -> None:
    data = wrap(2, b"inside") + wrap(6, b"more", extension=3)
    (row,) = rows_of(decode(tmp_path / "c", tm(0, data), "--frames", "-"))
    assert row["encapsulation"] == [
        {"protocol": 2, "extension": 0, "size": 8, "data": b"inside".hex()},
        {"protocol": 6, "extension": 3, "size": 8, "data": b"more".hex()},
    ]


def test_spoilt_and_foreign_frames_have_their_reason(tmp_path: Path) -> None:
    spoilt = bytearray(tm(1))
    spoilt[60] ^= 1
    result = decode(tmp_path / "c", tm(0) + bytes(spoilt) + tm(2) + tm(3, scid=99), "--frames", "-")
    rows = rows_of(result)
    assert [row["quality"] for row in rows] == ["GOOD", "CRC", "GOOD", "GOOD"]
    assert rows[1]["data"] == bytes(spoilt).hex() and "vcid" not in rows[1]
    assert rows[3]["foreign"] == "SCID 0x063, the dictionary's is 0x006"
    assert result.exit_code == 0


def test_recordings_give_each_frame_its_time(tmp_path: Path) -> None:
    from groundstation.recordings.writer import ArchiveWriter

    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as archive:
        archive.chunk(EPOCH, "test:", tm(0))
    (row,) = rows_of(CliRunner().invoke(cli, ["decode", str(path), "--frames", "-"]))
    assert (row["ert"], row["ert_utc"]) == (EPOCH, "1974-03-12T09:05:53.000000000Z")


@pytest.mark.parametrize("arguments", [["--frames"], ["--frames", "-"]])
def test_frames_go_to_standard_output_counts_beside_it(tmp_path: Path, arguments: list[str]) -> None:
    result = decode(tmp_path / "c", tm(0) + tm(1), *arguments)
    assert len(rows_of(result)) == 2
    assert "frames: 2 good" in result.stderr


def test_frames_before_the_file_are_meant_for_standard_output(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(tm(0))
    assert len(rows_of(CliRunner().invoke(cli, ["decode", "--frames", str(tmp_path / "c")]))) == 1
    assert CliRunner().invoke(cli, ["decode", "--frames", str(tmp_path / "no")]).exit_code == 2
    assert CliRunner().invoke(cli, ["decode"]).exit_code == 2


def test_frames_and_packets_go_to_files_together(tmp_path: Path) -> None:
    frames, packets = tmp_path / "f.jsonl", tmp_path / "p.jsonl"
    packet = encode_tm(0x101, 0, TmHeader(3, 25, 0, 0, EPOCH), bytes(29))
    result = decode(tmp_path / "c", tm(0, packet), "--frames", frames, "--jsonl", packets)
    assert result.exit_code == 0
    assert (len(frames.read_text().splitlines()), len(packets.read_text().splitlines())) == (1, 1)
    assert decode(tmp_path / "c", tm(0, packet), "--frames", "-", "--jsonl", "-").exit_code == 2
    assert decode(tmp_path / "c", tm(0, packet), "--frames", frames).exit_code != 0
    assert len(frames.read_text().splitlines()) == 1


BAD = encode_tm(0x101, 0, TmHeader(3, 25, 0, 0, EPOCH), bytes(28))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"".join(tm(n, bytes(LENGTH), ONLY_IDLE) for n in range(9)), "no packet in them: 9 carry idle data alone"),
        (b"".join(tm(n, bytes(LENGTH), NO_PACKET_START) for n in range(9)), "9 carry the continuation of a packet"),
        (b"".join(tm(n, bytes(LENGTH), 1500) for n in range(9)), "9 have a first header pointer that leads out"),
        (b"".join(tm(n, b"\x7f" * LENGTH) for n in range(9)), "9 × not a packet"),
        (b"".join(tm(n, BAD) for n in range(9)), "9 packets found, and none of them decodes: 9 × DESCENT: "),
        (
            b"".join(tm(n, scid=99) for n in range(9)),
            "SCID 0x063, the dictionary's is 0x006; with --profile and without",
        ),
    ],
)
def test_nothing_usable_is_an_error_that_says_why(tmp_path: Path, data: bytes, words: str) -> None:
    result = decode(tmp_path / "c", data)
    assert isinstance(result.exception, NothingDecoded)
    assert result.exception.exit_code == 16
    assert words in str(result.exception)


def test_drops_and_bad_packets_are_counted_by_reason(tmp_path: Path) -> None:
    long = encode_packet(0x101, 0, bytes(2 * LENGTH))
    data = tm(0, long[:LENGTH]) + tm(2, long[:LENGTH]) + tm(3, BAD + b"\x7f" * 40)
    result = decode(tmp_path / "c", data, "--json", "--frames", tmp_path / "f")
    counts = json.loads(result.stdout)
    assert counts["drops"] == {
        "frames lost in the middle of it": 1,
        "its end is not where the next packet starts": 1,
        "not a packet": 1,
    }
    assert counts["bad"] == {"DESCENT: 49 bytes, 50 are declared": 1}
    rows = [json.loads(line) for line in (tmp_path / "f").read_text().splitlines()]
    assert [[drop["reason"] for drop in row.get("dropped", [])] for row in rows] == [
        [],
        ["frames lost in the middle of it"],
        ["its end is not where the next packet starts", "not a packet"],
    ]
    said = decode(tmp_path / "c", data).output
    assert "packets dropped: 3 (" in said and "packets that do not decode: 1 (1 × DESCENT: 49 bytes" in said

"""Offline decoding: counts, packets out, and clear words where there is nothing to decode."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from groundstation.captures.decoder import CaptureDecoder
from groundstation.captures.packet_rows import CapturedPacket
from groundstation.cli import cli
from groundstation.errors import CallerError, NothingDecoded, StationError
from groundstation.recordings.writer import ArchiveWriter
from protocols.ccsds.pus import TmHeader, encode_tm
from protocols.ccsds.space_packet import encode_packet, idle_packet
from protocols.errors import DeclarationError
from protocols.lander import EPOCH, MARS6
from protocols.profile import UART, LinkProfile
from tests import descent
from tests.protocols.links import PROFILES, cadu, packet_cadu

DESCENT = descent.stream()


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "descent.bin"
    path.write_bytes(DESCENT)
    return path


def decode(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["decode", *map(str, arguments)])


def rows_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def whole(profile: LinkProfile, stream: bytes) -> tuple[list[CapturedPacket], CaptureDecoder]:
    decoder = CaptureDecoder(profile, None)
    rows = decoder.feed(stream)
    assert decoder.report().conserved
    return rows, decoder


def test_the_whole_descent() -> None:
    decoder = CaptureDecoder(UART, MARS6)
    rows = [row for n in range(0, len(DESCENT), 4096) for row in decoder.feed(DESCENT[n : n + 4096])]
    report = decoder.report()
    assert (report.frames, report.good, report.total) == (2562, len(DESCENT), len(DESCENT))
    assert {(c.vcid, c.frames, c.lost) for c in report.channels} == {(0, 2240, 0), (2, 322, 0)}
    assert {a.name: (a.packets, a.bad, a.missing) for a in report.apids}["DESCENT"] == (2240, 0, 0)
    assert decoder.trouble() is None
    assert len(rows) == sum(a.packets for a in report.apids)
    assert all(row.sample is not None for row in rows)


@pytest.mark.parametrize("name", PROFILES)
def test_packets_come_out_of_every_profile(name: str) -> None:
    profile = PROFILES[name]
    rows, decoder = whole(profile, b"".join(packet_cadu(profile, n) for n in range(300)))
    assert [(r.apid, r.sequence, r.vcfc) for r in rows] == [(0x123, n, n % profile.vcfc_modulus) for n in range(300)]
    (channel,) = decoder.report().channels
    assert (channel.packets, channel.idle_packets, channel.lost) == (300, 300, 0)


def test_gaps_are_counted_by_channel_and_apid() -> None:
    stream = b"".join(packet_cadu(UART, n) for n in range(40) if n not in (7, 20, 21))
    _, decoder = whole(UART, stream)
    (channel,), (apid,) = decoder.report().channels, decoder.report().apids
    assert (channel.gaps, channel.lost) == (2, 3)
    assert (apid.gaps, apid.missing) == (2, 3)


SIZE = UART.cadu_length


@pytest.mark.parametrize("name", [n for n, p in PROFILES.items() if p.alignment == "byte"])
def test_a_doubled_frame_is_counted_apart_and_decoded_once(name: str) -> None:
    profile = PROFILES[name]
    frames = [packet_cadu(profile, n) for n in range(40)]
    rows, decoder = whole(profile, b"".join([*frames[:30], frames[29], frames[29], frames[12], *frames[30:]]))
    (channel,), (apid,) = decoder.report().channels, decoder.report().apids
    assert [row.sequence for row in rows] == list(range(40))
    assert (channel.frames, channel.duplicates, channel.gaps, channel.lost) == (43, 3, 0, 0)
    assert (apid.packets, apid.gaps, apid.missing) == (40, 0, 0)


def test_a_late_frame_takes_its_loss_back_and_gives_its_packets() -> None:
    frames = [packet_cadu(UART, n) for n in range(40)]
    frames[20:23] = frames[21], frames[22], frames[20]
    rows, decoder = whole(UART, b"".join(frames))
    (channel,), (apid,) = decoder.report().channels, decoder.report().apids
    assert sorted(row.sequence or 0 for row in rows) == list(range(40))
    assert (channel.late, channel.gaps, channel.lost, channel.dropped) == (1, 0, 0, 0)
    assert (apid.gaps, apid.missing) == (0, 0)


def test_a_source_that_starts_again_is_a_restart_and_no_loss(tmp_path: Path) -> None:
    path = tmp_path / "twice.bin"
    path.write_bytes(DESCENT[: 1500 * SIZE] + DESCENT[: 700 * SIZE])
    result = decode(path, "--json")
    report = json.loads(result.output)
    assert report["restarts"] == 1
    assert [(c["lost"], c["duplicates"], c["gaps"]) for c in report["channels"]] == [(0, 0, 0), (0, 0, 0)]
    assert all(a["missing"] == 0 for a in report["apids"])
    assert "counters: 0 lost, 0 duplicate, 0 late, 0 stepped back, 1 restart\n" in decode(path).output


def test_a_sequence_count_that_stands_or_begins_again_is_no_loss() -> None:
    sequences = [5, 5, 5, 6, 7, 0, 1, 2, 12000, 0, 1]
    frames = []
    for n, sequence in enumerate(sequences):
        packet = encode_packet(0x123, sequence, bytes([n]) * 50)
        frames.append(cadu(UART, n, 0, packet + idle_packet(UART.data_length - len(packet))))
    _, decoder = whole(UART, b"".join(frames))
    (channel,), (apid,) = decoder.report().channels, decoder.report().apids
    assert (channel.lost, apid.packets, apid.missing) == (0, len(sequences), 0)
    assert apid.steps_back == 5


def test_a_turn_of_the_count_is_told_without_a_dictionary() -> None:
    stream = b"".join(packet_cadu(UART, n) for n in range(700) if not 100 <= n < 356)
    _, decoder = whole(UART, stream)
    (channel,), (apid,) = decoder.report().channels, decoder.report().apids
    assert (channel.lost, channel.lost_certainty, apid.missing) == (256, "EXACT", 256)


def test_a_packet_that_does_not_decode_is_kept_raw() -> None:
    packet = encode_tm(0x101, 0, TmHeader(3, 25, 0, 0, EPOCH), bytes(5))
    stream = cadu(UART, 0, 0, packet + idle_packet(UART.data_length - len(packet)))
    decoder = CaptureDecoder(UART, MARS6)
    (row,) = decoder.feed(stream)
    assert (row.name, row.sample, row.data) == ("DESCENT", None, packet)
    assert row.error == f"{len(packet)} bytes, 50 are declared"
    assert decoder.report().apids[0].bad == 1


@settings(max_examples=100)
@given(st.binary(max_size=2000), st.sampled_from(list(PROFILES)))
def test_any_bytes_in_any_profile(data: bytes, name: str) -> None:
    _, decoder = whole(PROFILES[name], data)
    decoder.trouble()
    assert decoder.report().total == len(data) * (8 if decoder.unit == "bits" else 1)


def test_the_command_counts(capture: Path) -> None:
    result = decode(capture)
    assert result.exit_code == 0
    assert "338184 good + 0 corrected + 0 rejected + 0 skipped + 0 pending: conserved" in result.output
    assert "DESCENT" in result.output


def test_json_lines_and_parquet_say_the_same(capture: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert decode(capture, "--jsonl", tmp_path / "p.jsonl").exit_code == 0
    assert decode(capture, "--parquet", tmp_path / "p.parquet").exit_code == 0
    lines = rows_of(tmp_path / "p.jsonl")
    table = parquet.read_table(tmp_path / "p.parquet").to_pydict()
    assert len(lines) > 2240
    assert table["apid"] == [line["apid"] for line in lines]
    assert table["data"] == [bytes.fromhex(str(line["data"])) for line in lines]
    assert [json.loads(text) for text in table["values"]] == [line["values"] for line in lines]


@pytest.mark.parametrize("option", ["--jsonl", "--parquet"])
def test_packets_replace_no_file_but_by_force(capture: Path, tmp_path: Path, option: str) -> None:
    mine, link = tmp_path / "mine", tmp_path / "link"
    mine.write_text("precious")
    link.symlink_to(mine)
    for place in (mine, link, tmp_path):
        refused = decode(capture, option, place)
        assert isinstance(refused.exception, CallerError)
        assert refused.output == ""  # before any work
    assert mine.read_text() == "precious"
    assert decode(capture, option, link, "--force").exit_code == 0
    assert not link.is_symlink() and link.stat().st_size > 1000
    assert mine.read_text() == "precious"
    assert isinstance(decode(capture, option, capture, "--force").exception, CallerError)
    assert capture.read_bytes() == DESCENT


@pytest.mark.parametrize("option", ["--jsonl", "--parquet"])
def test_nothing_decoded_leaves_no_file(tmp_path: Path, option: str) -> None:
    (tmp_path / "noise").write_bytes(bytes(5000))
    assert isinstance(decode(tmp_path / "noise", option, tmp_path / "out").exception, NothingDecoded)
    assert [path.name for path in tmp_path.iterdir()] == ["noise"]


def test_packets_may_go_to_standard_output(capture: Path) -> None:
    result = decode(capture, "--jsonl", "-", "--json")
    counts = json.loads(result.stderr)
    assert counts["frames"] == 2562
    assert len(result.stdout.splitlines()) == sum(apid["packets"] for apid in counts["apids"])


def test_a_recording_is_decoded_with_its_times(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, {}) as writer:
        for n in range(0, 13200, 132):
            writer.chunk(n, "test:", DESCENT[n : n + 132])
    assert decode(path, "--jsonl", tmp_path / "p.jsonl").exit_code == 0
    assert list(dict.fromkeys(row["ert"] for row in rows_of(tmp_path / "p.jsonl")))[:3] == [0, 132, 264]


def test_bits_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "bits"
    path.write_text("101" + "".join(f"{byte ^ 0xFF:08b}" for byte in DESCENT[:1320]))
    result = decode(path, "--bits", "one-per-byte")
    assert result.exit_code == 0
    assert "10 inverted" in result.output


def test_a_profile_and_a_dictionary_by_name(tmp_path: Path) -> None:
    profile = tmp_path / "profile.toml"
    profile.write_text('kind = "AOS"\nframe_length = 256\n')
    path = tmp_path / "capture"
    path.write_bytes(b"".join(packet_cadu(PROFILES["aos"], n) for n in range(5)))
    assert "0x" not in decode(path, "--profile", profile).output
    result = decode(path, "--profile", profile, "--dictionary", "protocols.lander:MARS6")
    assert result.exit_code == 0


def test_a_truncated_file_says_what_is_left(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(DESCENT[: 132 * 3 + 70])
    result = decode(path)
    assert result.exit_code == 0
    assert "the last 70 bytes are not a complete good frame" in result.output


@pytest.mark.parametrize(
    ("data", "profile", "words"),
    [
        (b"", "", "there is not one byte"),
        (bytes(1000), "", "the ASM 1acffc1d does not occur in 1000 bytes"),
        (DESCENT[:100], "", "less than one frame"),
        (DESCENT[:13200], "frame_length = 256", "mostly 132 bytes apart, the profile says 260"),
        (DESCENT[:13200], "randomised = true", "a block of 128 bytes that passes FECF"),
        (DESCENT[:13200], 'kind = "AOS"', "none for this profile and dictionary: transfer frame version 0, not 1"),
        (DESCENT[:13200], "ocf = false", "OCF flag"),
    ],
)
def test_nothing_decoded_is_told_in_words(tmp_path: Path, data: bytes, profile: str, words: str) -> None:
    path, toml = tmp_path / "capture", tmp_path / "profile.toml"
    path.write_bytes(data)
    toml.write_text(profile)
    result = decode(path, "--profile", toml)
    assert isinstance(result.exception, StationError)
    assert result.exception.exit_code == 16
    assert words in str(result.exception)


def test_a_foreign_spacecraft_is_told(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(DESCENT[:1320])
    result = decode(path, "--dictionary", "tests.groundstation.captures.test_decoder:OTHER")
    assert "SCID 0x006, the dictionary's is 0x155" in str(result.exception)


OTHER = type(MARS6)("other", 0x155, (), (), (), ())


def test_wrong_files_and_options(capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml = tmp_path / "profile.toml"
    toml.write_text("frame_lenth = 3")
    assert isinstance(decode(capture, "--profile", toml).exception, DeclarationError)
    toml.write_bytes(b"\xff\xfe")
    assert isinstance(decode(capture, "--profile", toml).exception, CallerError)
    assert isinstance(decode(capture, "--dictionary", "nowhere:X").exception, DeclarationError)
    assert isinstance(decode(capture, "--jsonl", capture).exception, CallerError)
    assert isinstance(decode(capture, "--jsonl", tmp_path / "no" / "p").exception, StationError)
    assert decode(capture, "--jsonl", "a", "--parquet", "b").exit_code == 2
    assert decode(tmp_path / "absent").exit_code == 2
    (tmp_path / "other.sqlite").write_bytes(b"SQLite format 3\0" + bytes(100))
    assert isinstance(decode(tmp_path / "other.sqlite").exception, StationError)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = decode(capture, "--parquet", tmp_path / "p")
    assert "mars6-groundstation[parquet]" in str(result.exception)

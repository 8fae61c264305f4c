"""Files that are not frames with M_PDUs: bare packets, TC frames, CLTUs, other data fields, fields on some channels."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from groundstation.captures.decoders import make_decoder
from groundstation.captures.packet_rows import CapturedPacket
from groundstation.cli import cli
from groundstation.errors import CallerError, NothingDecoded
from protocols.capture_profile import CaptureProfile, PacketsProfile, TcProfile
from protocols.ccsds import encapsulation
from protocols.ccsds.aos_frame import AosFrame
from protocols.ccsds.cltu import encode_cltu
from protocols.ccsds.randomizer import randomize_tc
from protocols.ccsds.space_packet import encode_packet, idle_packet
from protocols.ccsds.tc_frame import FIRST, LAST, Segment, TcFrame, Unlock, encode_control, encode_frame
from protocols.ccsds.tm_frame import NO_PACKETS, TmFrame
from protocols.lander import MARS6
from protocols.profile import ChannelForm, LinkProfile
from protocols.profile_text import profile_to_toml
from protocols.sync.frames import encode_cadu
from tests.interop.external_decoders import judge, packets

RNG = random.Random(13)
PACKETS = [encode_packet(RNG.choice((3, 77, 1200)), n, RNG.randbytes(RNG.randint(1, 300))) for n in range(400)]
OCF = b"\1\0\0\0"


WREN = """
from construct import Int8ub, Struct
from protocols import NO_HEADER, Dictionary, PacketDef

BODY = Struct("kind" / Int8ub, "a" / Int8ub)
PACKETS = tuple(PacketDef(f"P{n}", 5, header=NO_HEADER, body=BODY, when={"kind": n}) for n in range(4))
D = Dictionary("WREN", 1, PACKETS, (), (), ())
"""


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def run(tmp_path: Path, profile: CaptureProfile, data: bytes, *arguments: str) -> Result:
    toml, path = tmp_path / "profile.toml", tmp_path / "capture"
    toml.write_text(profile_to_toml(profile))
    path.write_bytes(data)
    return CliRunner().invoke(cli, ["decode", str(path), "--link-profile", str(toml), *arguments])


def rows_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def whole(profile: CaptureProfile, data: bytes, size: int = 65536) -> tuple[list[CapturedPacket], Any]:
    decoder = make_decoder(profile, None)
    found = [packet for n in range(0, len(data), size) for packet in decoder.feed(data[n : n + size])]
    found += decoder.finish()
    report = decoder.report()
    assert report.conserved
    decoder.trouble()
    return found, report


def test_bare_packets_come_out_with_offset_apid_and_sequence(tmp_path: Path) -> None:
    result = run(tmp_path, PacketsProfile(), b"".join(PACKETS), "--jsonl", "-")
    rows = rows_of(result.stdout)
    assert [bytes.fromhex(row["data"]) for row in rows] == PACKETS
    assert rows[1] == {
        "offset": len(PACKETS[0]),
        "apid": (PACKETS[1][0] & 7) << 8 | PACKETS[1][1],
        "sequence": 1,
        "data": PACKETS[1].hex(),
    }
    assert f"packets: {len(PACKETS)} space, 0 encapsulation, 0 idle" in result.stderr


@pytest.mark.parametrize("skip", [1, 4, 9, 100])
def test_bytes_before_each_packet_are_skipped(skip: int) -> None:
    found, report = whole(
        PacketsProfile(skip=skip), b"".join(noise(skip + n)[:skip] + each for n, each in enumerate(PACKETS))
    )
    assert [each.data for each in found] == PACKETS
    assert (report.skipped, report.pending) == (0, 0)


@pytest.mark.parametrize("size", [1, 7, 300])
def test_bare_packets_do_not_depend_on_the_reads(size: int) -> None:
    data = b"".join(PACKETS[:60]) + noise(200) + b"".join(PACKETS[60:99]) + PACKETS[99][:-3]
    assert whole(PacketsProfile(), data, size) == whole(PacketsProfile(), data)


def test_packets_of_other_encoders_are_found_whole(tmp_path: Path) -> None:
    tm = judge("spacepackets.ecss.tm", "spacepackets")
    theirs = list(packets()[:50])
    judged = [bytes(tm.PusTm.unpack(each, 6).pack()) for each in theirs]
    found, _ = whole(PacketsProfile(), b"".join(judged))
    assert [each.data for each in found] == theirs


def test_packets_are_split_as_other_readers_split_them(tmp_path: Path) -> None:
    generators = judge("space_packet_parser.generators", "space_packet_parser")
    ccsdspy = judge("ccsdspy.utils", "ccsdspy")
    path = tmp_path / "packets"
    path.write_bytes(b"".join(PACKETS))
    with path.open("rb") as file:
        theirs = [bytes(each) for each in generators.ccsds_generator(file)]
    found, _ = whole(PacketsProfile(), path.read_bytes())
    assert [each.data for each in found] == theirs == [bytes(each) for each in ccsdspy.split_packet_bytes(str(path))]


def test_noise_between_packets_is_skipped_and_the_rest_found() -> None:
    data = noise(500) + b"".join(PACKETS[:100]) + noise(3000) + bytes(999) + b"".join(PACKETS[100:])
    found, report = whole(PacketsProfile(), data)
    expected = [*PACKETS[:99], *PACKETS[100:]]  # nothing says that the one before the noise is whole
    assert [each.data for each in found] == expected
    assert report.skipped == 500 + 3000 + 999 + len(PACKETS[99])


def test_file_cut_at_both_ends_gives_what_is_whole() -> None:
    found, report = whole(PacketsProfile(), b"".join(PACKETS)[5:-5])
    assert [each.data for each in found] == PACKETS[1:-1]
    assert (report.skipped, report.pending) == (len(PACKETS[0]) - 5, len(PACKETS[-1]) - 5)


def test_damaged_length_costs_no_more_than_its_neighbours() -> None:
    stream = bytearray(b"".join(PACKETS))
    at = sum(map(len, PACKETS[:50]))
    stream[at + 4] ^= 0x40
    found, _ = whole(PacketsProfile(), bytes(stream))
    assert len({each.data for each in found} & set(PACKETS)) >= len(PACKETS) - 2


def test_version_4_and_encapsulation_packets_are_read(tmp_path: Path) -> None:
    four = [bytes([0x80 | each[0]]) + each[1:] for each in PACKETS[:30]]
    wrapped = encapsulation.encode_packet(2, b"ipv4, say")
    data = b"".join([*four, wrapped, idle_packet(20), *PACKETS[30:60]])
    found, report = whole(PacketsProfile(packet_versions=(0, 4)), data)
    assert [each.data for each in found] == [*four, wrapped, *PACKETS[30:60]]
    assert (report.packets, report.encapsulation_packets, report.idle_packets) == (60, 1, 1)
    (row,) = [row for row in rows_of(run(tmp_path, PacketsProfile(packet_versions=(0, 4)), data, "--jsonl", "-").stdout)
              if "protocol" in row]  # fmt: skip
    assert (row["protocol"], "apid" in row) == (2, False)


def test_packets_are_decoded_by_a_dictionary(tmp_path: Path) -> None:
    result = run(
        tmp_path, PacketsProfile(), b"".join(packets()[:200]), "--jsonl", "-", "--mission", "protocols.lander:MARS6"
    )
    rows = rows_of(result.stdout)
    assert len(rows) == 200 and all("values" in row for row in rows)


def test_an_apid_of_several_packets_has_all_their_names(tmp_path: Path) -> None:
    (tmp_path / "wren.py").write_text(WREN, encoding="utf-8")
    numbers = [3, 0, 1, 1, 9, 2, 0, 3]  # 9 is none of them
    data = b"".join(encode_packet(5, n, bytes([kind, 7]), secondary=False) for n, kind in enumerate(numbers))
    result = run(tmp_path, PacketsProfile(), data, "--mission", str(tmp_path / "wren.py"), "--json")
    (apid,) = json.loads(result.stdout)["apids"]
    assert (apid["name"], apid["packets"], apid["bad"]) == ("P3, P0, P1, …", 8, 1)


@pytest.mark.parametrize("data", [b"", bytes(5000), idle_packet(200), noise(4000)])
def test_file_without_packets_is_told_with_exit_16(tmp_path: Path, data: bytes) -> None:
    result = run(tmp_path, PacketsProfile(), data)
    assert isinstance(result.exception, NothingDecoded) and "no packet found" in str(result.exception)


def test_frames_of_a_file_of_packets_are_refused(tmp_path: Path) -> None:
    result = run(tmp_path, PacketsProfile(), b"".join(PACKETS), "--frames", "-")
    assert isinstance(result.exception, CallerError)


def frame_of(profile: LinkProfile, number: int, vcid: int, data: bytes, pointer: int = 0, header: bytes = b"") -> bytes:
    has_ocf = profile.has_ocf(vcid)
    if profile.kind == "AOS":
        return encode_cadu(AosFrame(6, vcid, number, pointer, data, OCF if has_ocf else None), profile)
    return encode_cadu(
        TmFrame(6, vcid, number & 255, number & 255, pointer, data, OCF if has_ocf else None, header), profile
    )


def filled(packet: bytes, length: int) -> bytes:
    return packet + idle_packet(length - len(packet))


def test_version_4_packets_in_frames(tmp_path: Path) -> None:
    profile = LinkProfile(packet_versions=(0, 4), frame_length=400)
    four = [bytes([0x80 | each[0]]) + each[1:] for each in PACKETS[:60]]
    data = b"".join(frame_of(profile, n, 0, filled(each, profile.data_length)) for n, each in enumerate(four))
    found, _ = whole(profile, data)
    assert [each.data for each in found] == four
    assert isinstance(run(tmp_path, LinkProfile(frame_length=400), data).exception, NothingDecoded)


@pytest.mark.parametrize("kind", ["TM", "AOS"])
def test_channels_with_and_without_ocf_are_both_read(tmp_path: Path, kind: Any) -> None:
    profile = LinkProfile(kind=kind, frame_length=400, channels=(ChannelForm(2, ocf=False),))
    frames, sent = b"", []
    for n, packet in enumerate(PACKETS[:80]):
        vcid = 2 if n % 3 == 0 else 1
        length = profile.data_length + (4 if vcid == 2 else 0)
        frames += frame_of(profile, n // 3 if vcid == 2 else n - n // 3 - 1, vcid, filled(packet, length))
        sent.append(packet)
    result = run(tmp_path, profile, frames, "--jsonl", "-", "--json")
    assert [bytes.fromhex(row["data"]) for row in rows_of(result.stdout)] == sent
    counts = json.loads(result.stderr)
    assert [(c["vcid"], c["dropped"], c["lost"]) for c in counts["channels"]] == [(1, 0, 0), (2, 0, 0)]


@pytest.mark.parametrize(("kind", "field"), [("TM", "VCA"), ("AOS", "VCA"), ("AOS", "B_PDU")])
def test_data_fields_without_packets_are_given_as_they_are(tmp_path: Path, kind: Any, field: Any) -> None:
    profile = LinkProfile(kind=kind, frame_length=200, channels=(ChannelForm(3, data_field=field),))
    length = profile.data_length + (2 if (kind, field) == ("AOS", "VCA") else 0)
    picture = [noise(length + n)[:length] for n in range(10)]
    frames = b"".join(frame_of(profile, n, 3, data, NO_PACKETS) for n, data in enumerate(picture))
    rows = rows_of(run(tmp_path, profile, frames, "--frames", "-").stdout)
    assert [bytes.fromhex(row["field"]) for row in rows] == picture
    assert {row["contains"] for row in rows} == {"data"} and not any("dropped" in row for row in rows)


def test_tm_frame_that_says_vca_is_not_taken_for_packets(tmp_path: Path) -> None:
    profile = LinkProfile(frame_length=200)
    frames = b"".join(frame_of(profile, n, 1, noise(profile.data_length), NO_PACKETS) for n in range(9))
    counts = json.loads(run(tmp_path, profile, frames, "--frames", str(tmp_path / "f"), "--json").output)
    assert (counts["frames"], counts["drops"]) == (9, {})


def test_check_symbols_are_stripped_undecoded(tmp_path: Path) -> None:
    profile = LinkProfile(frame_length=223, rs_depth=1, rs_decode=False)
    bare = LinkProfile(frame_length=223)
    sent = PACKETS[:40]
    frames = [
        frame_of(bare, n, 0, filled(encode_packet(9, n, each[:150]), bare.data_length)) for n, each in enumerate(sent)
    ]
    found, report = whole(profile, b"".join(frame + noise(32) for frame in frames))
    assert (report.frames, report.skipped, len(found)) == (40, 0, 40)


def test_secondary_header_is_cut_off_by_length(tmp_path: Path) -> None:
    profile = LinkProfile(frame_length=400, secondary_header=5, secondary_header_id=False)
    frames = b"".join(
        frame_of(profile, n, 0, filled(each, profile.data_length), header=b"\xff\xee" + bytes([n]) * 3)
        for n, each in enumerate(PACKETS[:50])
    )
    result = run(tmp_path, profile, frames, "--jsonl", str(tmp_path / "p"), "--frames", "-")
    assert rows_of(result.stdout)[7]["secondary_header"] == "ffee070707"
    assert [bytes.fromhex(row["data"]) for row in rows_of((tmp_path / "p").read_text())] == PACKETS[:50]


COMMANDS = [MARS6.command("PING").packet(n) for n in range(40)]


def tc_frames(segmented: bool) -> list[bytes]:
    """Forty commands, and an UNLOCK; every fourth command in two segments if there are any."""
    frames = [encode_frame(TcFrame(6, 0, 0, encode_control(Unlock()), bypass=True, control=True))]
    number = 0
    for n, packet in enumerate(COMMANDS):
        pieces = [(packet[:5], FIRST), (packet[5:], LAST)] if segmented and n % 4 == 0 else [(packet, 3)]
        for data, flags in pieces:
            segment = Segment(2, flags) if segmented else None
            frames.append(encode_frame(TcFrame(6, 0, number & 255, data, segment=segment)))
            number += 1
    return frames


@pytest.mark.parametrize("segmented", [False, True])
@pytest.mark.parametrize("form", ["TC", "CLTU", "randomised"])
def test_commands_come_out_of_an_uplink_capture(tmp_path: Path, form: str, segmented: bool) -> None:
    profile = TcProfile("TC" if form == "TC" else "CLTU", segmented=segmented, randomised=form == "randomised")
    coded = {
        "TC": lambda frame: frame,
        "CLTU": lambda frame: b"\x55" * 11 + encode_cltu(frame),
        "randomised": lambda frame: encode_cltu(randomize_tc(frame + b"\x55" * (-len(frame) % 7))),
    }[form]
    data = b"".join(map(coded, tc_frames(segmented)))
    result = run(tmp_path, profile, data, "--jsonl", str(tmp_path / "p"), "--frames", "-", "--json")
    assert [bytes.fromhex(row["data"]) for row in rows_of((tmp_path / "p").read_text())] == COMMANDS
    rows, counts = rows_of(result.stdout), json.loads(result.stderr)
    assert (rows[0]["type"], rows[0]["command"], rows[1]["type"]) == ("BC", "UNLOCK", "AD")
    assert (counts["channels"][0]["bc"], counts["rejects"], counts["drops"]) == (1, {}, {})
    assert "CLTUs: 41" in run(tmp_path, profile, data).output or form == "TC" or segmented


def test_tc_frames_are_those_of_another_encoder() -> None:
    """The PING of spacepackets in a frame made by hand after 232.0-B §4.1."""
    tc = judge("spacepackets.ecss.tc", "spacepackets")
    crc = judge("fastcrc.crc16", "fastcrc")
    packet = bytes(tc.PusTc(service=17, message_subtype=1, apid=0x100, seq_count=5, ack_flags=9).pack())
    frames = b""
    for n in range(5):
        body = bytes([0, 6, 0, 5 + len(packet) + 2 - 1, n]) + packet
        frames += body + crc.ibm_3740(body).to_bytes(2, "big")
    found, report = whole(TcProfile("TC"), frames)
    assert [each.data for each in found] == [packet] * 5 and report.frames == 5


@pytest.mark.parametrize("kind", ["TC", "CLTU"])
def test_noise_in_an_uplink_capture_costs_no_other_frame(kind: Any) -> None:
    frames = [each if kind == "TC" else encode_cltu(each) for each in tc_frames(False)]
    noisy = b"".join(noise(7 * n % 90) + frame for n, frame in enumerate(frames))
    found, report = whole(TcProfile(kind), noisy)
    assert [each.data for each in found] == COMMANDS
    assert report.total == len(noisy)
    bad = bytearray(b"".join(frames))
    for n in range(20, len(bad), 900):
        bad[n] ^= 0x18
    found, _ = whole(TcProfile(kind), bytes(bad))
    assert len(found) >= len(COMMANDS) - len(bad) // 900 - 1


def test_cut_uplink_capture_says_what_is_left() -> None:
    data = b"".join(tc_frames(False))
    found, report = whole(TcProfile("TC"), data[:-4])
    assert [each.data for each in found] == COMMANDS[:-1]
    assert report.pending == len(tc_frames(False)[-1]) - 4


@pytest.mark.parametrize("kind", ["TC", "CLTU"])
def test_file_without_tc_frames_is_told(tmp_path: Path, kind: Any) -> None:
    result = run(tmp_path, TcProfile(kind), bytes(3000))
    assert isinstance(result.exception, NothingDecoded)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=1500),
    st.sampled_from(
        [PacketsProfile(), PacketsProfile(skip=3, packet_versions=(0, 4)), TcProfile("TC"), TcProfile("TC", fecf=False),
         TcProfile("CLTU", segmented=True)]
    ),
    st.integers(1, 400),
)  # fmt: skip
def test_any_bytes_are_accounted_for_in_any_cut(data: bytes, profile: CaptureProfile, size: int) -> None:
    found, report = whole(profile, data, size)
    assert report.total == len(data)
    assert (found, report) == whole(profile, data)

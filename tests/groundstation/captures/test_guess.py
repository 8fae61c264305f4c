"""`decode --guess`: the kind that is told, and its profile, are right for every kind; noise is unknown."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from groundstation.captures.guessing.guess import Sample, guess
from groundstation.cli import cli
from groundstation.errors import NothingDecoded
from protocols.capture_profile import PacketsProfile, TcProfile
from protocols.ccsds import encapsulation
from protocols.ccsds.cltu import encode_cltu
from protocols.ccsds.randomizer import randomize_tc
from protocols.ccsds.space_packet import encode_packet, idle_packet
from protocols.profile import ChannelForm, LinkProfile
from protocols.profile_text import profile_to_toml, read_profile
from tests import descent
from tests.groundstation.captures.test_kinds import PACKETS, filled, frame_of, noise, tc_frames
from tests.interop.external_decoders import packets
from tests.protocols.links import PROFILES, cadu, packet_cadu

DESCENT = descent.stream()[: 132 * 100]
FRAMES = {name: b"".join(packet_cadu(profile, n) for n in range(60)) for name, profile in PROFILES.items()}
LONG = LinkProfile(frame_length=300)


def bits_of(data: bytes, *, inverted: bool) -> str:
    return "".join(f"{byte ^ (0xFF if inverted else 0):08b}" for byte in data)


def packed(bits: str) -> bytes:
    bits += "0" * (-len(bits) % 8)
    return int("1" * 8 + bits, 2).to_bytes(len(bits) // 8 + 1, "big")[1:]


def channels_without_ocf(profile: LinkProfile) -> bytes:
    frames = []
    for n, packet in enumerate(PACKETS[:90]):
        vcid = 2 if n % 3 == 0 else 1
        number = n // 3 if vcid == 2 else n - n // 3 - 1
        length = profile.data_length + (4 if vcid == 2 else 0)
        frames.append(frame_of(profile, number, vcid, filled(packet, length)))
    return b"".join(frames)


def stripped(length: int) -> bytes:
    plain = LinkProfile(frame_length=length, asm=b"")
    frames = [filled(encode_packet(9, n, noise(40 + n)), plain.data_length) for n in range(40)]
    asm = LinkProfile().asm
    return b"".join(asm + frame_of(plain, n, 0, data) + noise(32 + n)[:32] for n, data in enumerate(frames))


def headed(profile: LinkProfile) -> bytes:
    """A secondary header that begins with anything."""
    length = profile.secondary_header
    return b"".join(
        frame_of(profile, n, 0, filled(packet, profile.data_length), header=noise(n + 9)[:length])
        for n, packet in enumerate(PACKETS[:60])
    )


WITHOUT_OCF = LinkProfile(kind="AOS", frame_length=400, channels=(ChannelForm(2, ocf=False),))
WITHOUT_ID = LinkProfile(frame_length=400, secondary_header=7, secondary_header_id=False)
VERSION_4 = LinkProfile(frame_length=400, packet_versions=(0, 4))
KINDS: dict[str, tuple[Any, Callable[[], bytes]]] = {
    **{
        name: (replace(profile, alignment="byte"), lambda name=name: FRAMES[name])  # type: ignore[misc]
        for name, profile in PROFILES.items()
    },
    "packets": (PacketsProfile(), lambda: b"".join(PACKETS)),
    "packets with a CRC each": (PacketsProfile(), lambda: b"".join(packets()[:300])),
    "packets, skip": (PacketsProfile(9), lambda: b"".join(noise(9 + n)[:9] + p for n, p in enumerate(PACKETS))),
    "packets of version 4": (
        PacketsProfile(packet_versions=(0, 4)),
        lambda: b"".join(bytes([0x80 | packet[0]]) + packet[1:] for packet in PACKETS),
    ),
    "encapsulation": (
        PacketsProfile(),
        lambda: b"".join(encapsulation.encode_packet(2, noise(n + 1)) for n in range(50)),
    ),
    "TC": (TcProfile("TC"), lambda: b"".join(tc_frames(False))),
    "TC, segmented": (TcProfile("TC", segmented=True), lambda: b"".join(tc_frames(True))),
    "CLTU": (TcProfile("CLTU"), lambda: b"".join(b"\x55" * 11 + encode_cltu(each) for each in tc_frames(False))),
    "CLTU, segmented": (TcProfile("CLTU", segmented=True), lambda: b"".join(map(encode_cltu, tc_frames(True)))),
    "CLTU, randomised": (
        TcProfile("CLTU", randomised=True),
        lambda: b"".join(encode_cltu(randomize_tc(each + b"\x55" * (-len(each) % 7))) for each in tc_frames(False)),
    ),
    "channels without OCF": (WITHOUT_OCF, lambda: channels_without_ocf(WITHOUT_OCF)),
    "check symbols of another code": (
        LinkProfile(frame_length=223, rs_depth=1, rs_decode=False),
        lambda: stripped(223),
    ),
    "secondary header without id": (WITHOUT_ID, lambda: headed(WITHOUT_ID)),
    "version 4 in frames": (
        VERSION_4,
        lambda: b"".join(
            frame_of(VERSION_4, n, 0, filled(bytes([0x80 | packet[0]]) + packet[1:], VERSION_4.data_length))
            for n, packet in enumerate(PACKETS[:60])
        ),
    ),
    "gzip": (LinkProfile(), lambda: gzip.compress(DESCENT)),
    "hex": (LinkProfile(), lambda: DESCENT.hex(" ").encode()),
    "bits, packed": (LinkProfile(alignment="bit"), lambda: packed("101" + bits_of(DESCENT, inverted=False))),
    "bits, inverted": (LinkProfile(alignment="bit"), lambda: packed("10110" + bits_of(DESCENT, inverted=True))),
    "bits as text": (LinkProfile(alignment="bit"), ("1" + bits_of(DESCENT[:6600], inverted=True)).encode),
}


def decode(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["decode", *map(str, arguments)])


@pytest.mark.parametrize("kind", KINDS)
def test_guessed_profile_is_right_and_decodes_the_file(tmp_path: Path, kind: str) -> None:
    profile, make = KINDS[kind]
    path, toml = tmp_path / "capture", tmp_path / "profile.toml"
    path.write_bytes(make())
    told = decode("--guess", path)
    assert told.exit_code == 0, told.exception
    toml.write_text(told.output)
    assert read_profile(told.output) == profile, told.output
    bits = ["--bits", "one-per-byte"] if "--bits one-per-byte" in told.output else []
    result = decode(path, "--link-profile", toml, "--json", *bits)
    counts = json.loads(result.stdout)
    assert result.exit_code == 0, result.exception
    packets_found = counts.get("packets", sum(each["packets"] for each in counts.get("channels", ())))
    assert packets_found + counts.get("encapsulation_packets", 0) >= 40
    assert not counts.get("drops") and (kind == "CLTU" or counts["skipped"] * 20 <= counts["total"])


def test_evidence_is_in_figures_and_says_what_was_tried(tmp_path: Path) -> None:
    (tmp_path / "capture").write_bytes(FRAMES["aos"])
    told = json.loads(decode("--guess", "--json", tmp_path / "capture").stdout)
    assert (told["kind"], told["confidence"]) == ("AOS frames", "high")
    assert told["evidence"][0] == "60 of 60 frames have a valid FECF at length 256"
    assert told["tried"] > 100 and told["profile"] == profile_to_toml(PROFILES["aos"])


@pytest.mark.parametrize("name", ["uart", "bare", "aos", "rs", "rs only", "randomised"])
def test_cut_and_noisy_files_are_guessed_alike(name: str) -> None:
    chance, profile = random.Random(name), PROFILES[name]
    data = bytearray(b"".join(packet_cadu(profile, n) for n in range(200))[77:-50])
    for _ in range(40):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    found = guess([Sample(0, chance.randbytes(300) + bytes(data))])
    assert found.profile == profile, found


@pytest.mark.parametrize("size", [0, 77, 1500])
def test_packets_of_a_file_that_begins_within_one_are_guessed(size: int) -> None:
    found = guess([Sample(0, noise(size) + b"".join(PACKETS)[3:])])
    assert (found.kind, found.profile, found.confidence) == ("space packets", PacketsProfile(), "high")


def test_unknown_sync_marker_is_found_by_the_frames_between() -> None:
    profile = LinkProfile(asm=b"\xde\xad\xbe\xef", frame_length=200)
    found = guess([Sample(0, b"".join(packet_cadu(profile, n) for n in range(60)))])
    assert found.profile == profile


def test_frames_that_begin_late_are_found_by_later_samples() -> None:
    frames = b"".join(packet_cadu(LONG, n) for n in range(300))
    found = guess([Sample(0, noise(200_000)), Sample(1 << 22, frames)])
    assert found.profile == LONG


@pytest.mark.parametrize(
    "data", [b"", b"\0", bytes(50_000), b"\x55" * 50_000, b"hello world\n" * 5000, bytes(range(256)) * 200,
             b"".join(map(idle_packet, range(7, 60))), LinkProfile().asm * 900]
)  # fmt: skip
def test_regular_bytes_are_not_taken_for_anything(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "capture").write_bytes(data)
    result = decode("--guess", tmp_path / "capture")
    assert isinstance(result.exception, NothingDecoded) and result.exception.exit_code == 16
    assert "unknown: none of" in str(result.exception)


def test_compressed_file_is_told_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "capture").write_bytes(b"\xfd7zXZ\0" + noise(999))
    assert "compressed with xz" in str(decode("--guess", tmp_path / "capture").exception)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 20_000))
def test_random_bytes_are_unknown(seed: int, size: int) -> None:
    found = guess([Sample(0, random.Random(seed).randbytes(size))])
    assert (found.kind, found.profile) == ("unknown", None)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=3000))
def test_any_bytes_may_be_guessed_at(data: bytes) -> None:
    guess([Sample(0, data), Sample(1 << 23, data)])


def test_guess_takes_no_other_option(tmp_path: Path) -> None:
    (tmp_path / "capture").write_bytes(FRAMES["aos"])
    assert decode("--guess", tmp_path / "capture", "--bits", "packed").exit_code == 2


@pytest.mark.parametrize("asm", [b"", LinkProfile().asm])
def test_wrong_length_is_told_before_a_large_file_is_decoded(tmp_path: Path, asm: bytes) -> None:
    profile = LinkProfile(kind="AOS", frame_length=1115, asm=asm)
    path, toml = tmp_path / "capture", tmp_path / "profile.toml"
    path.write_bytes(b"".join(cadu(profile, n) for n in range(6000)))
    toml.write_text(profile_to_toml(replace(profile, frame_length=1000)))
    result = decode(path, "--link-profile", toml)
    assert isinstance(result.exception, NothingDecoded)
    said = str(result.exception)
    assert "no block of 1000 bytes fits" in said and "frame_length = 1115" in said
    assert "samples further on" in said and "have a valid FECF at length 1115" in said


def test_noise_before_the_frames_of_a_large_file_is_no_wrong_profile(tmp_path: Path) -> None:
    path, toml = tmp_path / "capture", tmp_path / "profile.toml"
    other = LinkProfile(frame_length=200)
    path.write_bytes(noise(300_000) + b"".join(packet_cadu(other, n) for n in range(1500)))
    toml.write_text(profile_to_toml(other))
    assert json.loads(decode(path, "--link-profile", toml, "--json").stdout)["frames"] == 1500

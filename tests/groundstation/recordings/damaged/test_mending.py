"""Salvage with mending: damaged frames that are whole again, apart from the good ones, and what was gained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from groundstation.cli import cli
from groundstation.recordings.damaged.mending import MendingSalvager
from groundstation.recordings.damaged.salvage import Salvager
from groundstation.recordings.damaged.salvage_records import SalvagedFrame, SalvagedPacket, summary_lines
from protocols.profile import UART, LinkProfile
from tests.groundstation.made_recordings import record
from tests.protocols.mending.streams import cadus, flipped, mission, noisy

SIZE = UART.cadu_length
MOLE = mission()
CADUS = cadus(MOLE)
STATE_AT = 4 + 6
HEIGHT_AT = STATE_AT + 19 + 4


def salvaged(stream: bytes, profile: LinkProfile = UART) -> tuple[list[SalvagedFrame], MendingSalvager]:
    salvager = MendingSalvager(MOLE, profile)
    found = []
    for at in range(0, len(stream), 400):
        found += salvager.feed(at, stream[at : at + 400])
    return found + salvager.finish(), salvager


def with_damaged(number: int, damaged: bytes) -> bytes:
    return b"".join([*CADUS[:number], damaged, *CADUS[number + 1 :]])


def the_packet(frame: SalvagedFrame, name: str) -> SalvagedPacket:
    (packet,) = [packet for packet in frame.packets if packet.packet == name]
    return packet


def test_values_of_a_mended_packet_are_mended_never_good() -> None:
    (frame,), salvager = salvaged(with_damaged(40, flipped(CADUS[40], [8 * HEIGHT_AT + 1])))
    assert frame.mend is not None
    assert (frame.mend.level, frame.mend.data) == ("MENDED", CADUS[40])
    packet = the_packet(frame, "STATE")
    assert packet.checksum == "fits mended"
    assert {value.name: value.value for value in packet.values} == {
        "step": 40,
        "height": pytest.approx(10000 - 40 * 40 // 3 / 100),
        "warmth": pytest.approx(-9.2),
        "open": False,
        "hash": 0xDEADBEEF,
    }
    assert {value.quality for value in packet.values} == {"mended"}
    assert salvager.summary.bits == {"WINDOW": 1}


def test_a_packet_that_came_whole_in_a_mended_frame_is_good() -> None:
    (frame,), _ = salvaged(with_damaged(40, flipped(CADUS[40], [8 * 112])))
    packet = the_packet(frame, "STATE")
    assert packet.checksum == "fits"
    assert {value.quality for value in packet.values} == {"good"}


def test_fields_of_a_packet_that_cannot_be_mended_have_a_confidence() -> None:
    wrong = [8 * HEIGHT_AT + bit for bit in (0, 3, 25, 28, 40, 63)]
    (frame,), salvager = salvaged(with_damaged(40, flipped(CADUS[40], wrong)))
    assert frame.mend is not None
    assert frame.mend.level == "PARTIAL"
    values = {value.name: value for value in the_packet(frame, "STATE").values}
    assert (values["step"].value, values["step"].quality, values["step"].confidence) == (40, "suspect", 0.99)
    assert values["height"].quality == "unusable"
    assert "do not allow" in values["height"].why
    assert salvager.summary.packets == {}


def test_packets_of_variable_size_are_mended() -> None:
    (frame,), _ = salvaged(with_damaged(42, flipped(CADUS[42], [8 * (STATE_AT + 36 + 28)])))
    packet = the_packet(frame, "SAMPLES")
    assert packet.checksum == "fits mended"
    assert packet.values[0].value == 42
    assert {value.quality for value in packet.values} == {"mended"}


def test_packets_of_variable_size_that_came_whole_are_good_without_mending() -> None:
    stream = with_damaged(42, flipped(CADUS[42], [8 * 112]))
    salvager = Salvager(MOLE, UART)
    (frame,) = [*salvager.feed(0, stream), *salvager.finish()]
    packet = the_packet(frame, "SAMPLES")
    assert packet.checksum == "fits"
    assert {value.quality for value in packet.values} == {"good"}


def test_frames_that_the_deframer_passed_over_are_listed() -> None:
    damaged = [flipped(cadu, [5, 600]) for cadu in CADUS[40:46]]
    found, salvager = salvaged(b"".join([*CADUS[:40], *damaged, *CADUS[46:]]))
    assert [frame.offset for frame in found] == [n * SIZE for n in range(40, 46)]
    assert salvager.summary.mended == 6


def test_a_whole_frame_at_the_end_is_not_called_cut_off() -> None:
    found, _ = salvaged(b"".join([*CADUS[:40], flipped(CADUS[40], [700])]))
    (frame,) = found
    assert (frame.reason, frame.came) == ("CRC", SIZE)
    assert frame.mend is not None
    assert frame.mend.data == CADUS[40]


def test_a_whole_frame_with_a_damaged_asm_at_the_end_has_no_sync() -> None:
    (frame,), _ = salvaged(b"".join([*CADUS[:40], flipped(CADUS[40], [2, 700])]))
    assert frame.reason == "SYNC"


def test_a_cut_frame_is_counted_as_not_tried() -> None:
    found, salvager = salvaged(b"".join([*CADUS[:40], CADUS[40][:70], *CADUS[41:]]))
    assert [frame.mend for frame in found] == [None]
    assert (salvager.summary.damaged, salvager.summary.untried) == (1, 1)


def test_a_link_that_cannot_be_mended_is_salvaged_and_told() -> None:
    profile = LinkProfile(rs_depth=1)
    salvager = MendingSalvager(MOLE, profile)
    assert [*salvager.feed(0, bytes(500)), *salvager.finish()] == []
    assert "Reed–Solomon" in salvager.summary.refused


def test_the_summary_counts_what_was_gained() -> None:
    _, salvager = salvaged(noisy(b"".join(CADUS), 5e-4, 5))
    summary = salvager.summary
    assert summary.damaged == summary.mended + summary.partial + summary.hopeless + summary.untried
    assert summary.mended > 20
    assert sum(summary.bits.values()) >= summary.mended
    assert 0 < summary.risk < 0.5
    assert set(summary.packets) == {"STATE", "SAMPLES"}


def test_an_empty_summary_says_that_nothing_was_rejected() -> None:
    _, salvager = salvaged(b"".join(CADUS))
    assert summary_lines(salvager.summary) == ["no frame was rejected, none is cut off"]


def test_the_command_prints_a_table(tmp_path: Path) -> None:
    path = tmp_path / "noisy.sqlite"
    record(path, lambda n, data: flipped(data, [700, 300]) if n in (1500, 1520) else data, bursts=1560)
    whole = CliRunner().invoke(cli, ["salvage", str(path)])
    assert whole.exit_code == 0, whole.output
    assert "MENDED: 2 bits corrected" in whole.output
    table = CliRunner().invoke(cli, ["salvage", str(path), "--summary"]).output.splitlines()
    assert table[0] == "2 frames rejected or cut off"
    assert table[1].split()[:3] == ["mended", "2", "100.0%"]
    assert whole.output.endswith("\n".join(table) + "\n")
    told = json.loads(CliRunner().invoke(cli, ["salvage", str(path), "--summary", "--json"]).output)
    assert (told["type"], told["damaged"], told["mended"]) == ("salvage_summary", 2, 2)

"""Salvage: which values can be had from bad frames, how good they are, and why."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from groundstation.cli import cli
from groundstation.recordings.damaged.salvage import Salvager
from groundstation.recordings.damaged.salvage_records import SalvagedFrame, SalvagedValue, salvage_lines
from protocols.ccsds.crc import crc16
from protocols.lander import EPOCH, MARS6
from protocols.profile import UART
from tests import descent
from tests.groundstation.made_recordings import record

Change = Callable[[bytearray], bytearray]
SIZE = UART.cadu_length
BURSTS = [b for b in descent.bursts() if b.data][1500:1600]
ALTITUDE = 10 + 19 + 5  # ASM and frame header, packet headers, tick and phase
PRESSURE = ALTITUDE + 4 + 4 + 4 + 2 + 2
PACKET = range(10, 10 + MARS6.by_name["DESCENT"].min_size)


def descent_frame(data: bytes) -> int:
    """Where the lander's frame starts in a burst."""
    return next(at for at in range(0, len(data), SIZE) if data[at + 5] >> 1 & 7 == 0)


def salvaged(*changes: Change, after: int = 20) -> list[SalvagedFrame]:
    """What is found if the lander's frame of one burst is changed, and with more changes those of the next ones."""
    salvager = Salvager(MARS6, UART)
    found = []
    for number, burst in enumerate(BURSTS[:40]):
        data = bytearray(burst.data)
        if after <= number < after + len(changes):
            at = descent_frame(burst.data)
            data[at : at + SIZE] = changes[number - after](data[at : at + SIZE])
        found += salvager.feed(burst.scet, bytes(data))
    return found + salvager.finish()


def values(frame: SalvagedFrame) -> dict[str, SalvagedValue]:
    (packet,) = [p for p in frame.packets if p.packet == "DESCENT"]
    return {value.name: value for value in packet.values}


def put(at: int, new: bytes) -> Change:
    def change(frame: bytearray) -> bytearray:
        frame[at : at + len(new)] = new
        return frame

    return change


def test_nothing_to_salvage() -> None:
    assert salvaged(lambda frame: frame) == []


def test_damage_outside_the_packet_leaves_its_values_good() -> None:
    (frame,) = salvaged(lambda f: put(120, bytes(b ^ 0xFF for b in f[120:124]))(f))
    assert frame.reason == "CRC"
    assert {v.quality for v in values(frame).values() if v.name != "radio_altitude_low"} <= {"good", "unusable"}
    assert values(frame)["altitude"].quality == "good"
    assert values(frame)["altitude"].why == "the packet's own checksum fits"
    assert any("the checksum of DESCENT fits" in words for words in frame.trust)


def test_one_flipped_bit_is_turned_back_and_proves_nothing() -> None:
    (right,) = salvaged(put(120, b"\0\0\0\0"))
    (frame,) = salvaged(lambda f: put(ALTITUDE + 2, bytes([f[ALTITUDE + 2] ^ 0x08]))(f))
    altitude, speed = values(frame)["altitude"], values(frame)["speed"]
    assert (altitude.quality, altitude.value) == ("suspect", values(right)["altitude"].value)
    assert "that bit turned back" in altitude.why
    assert (speed.quality, speed.value) == ("suspect", values(right)["speed"].value)
    assert "one flipped bit would explain both, but they are one check" in speed.why
    assert any(f"byte {ALTITUDE + 2}" in words for words in frame.trust)


def flip(frame: bytearray, bits: list[int]) -> bytearray:
    damaged = bytearray(frame)
    for bit in bits:
        damaged[bit // 8] ^= 0x80 >> bit % 8
    return damaged


def posing_as_one(count: int, seed: int) -> Iterator[list[int]]:
    """So many wrong bits in the packet that to its checksum look like one other wrong bit in it."""
    chance = random.Random(seed)
    nothing = bytearray(PACKET.stop)
    bits = range(PACKET.start * 8, PACKET.stop * 8)
    right = crc16(nothing)
    single = {crc16(flip(nothing, [bit])) ^ right for bit in bits}
    while True:
        wrong = chance.sample(bits, count)
        if crc16(flip(nothing, wrong)) ^ right in single:
            yield wrong


@pytest.mark.parametrize("count", [3, 5])
def test_more_wrong_bits_that_look_like_one_are_never_good(count: int) -> None:
    """Frame and packet have the same CRC-16: about one in 80 such frames fits both with one bit turned back."""
    explained = []
    for _, wrong in zip(range(40), posing_as_one(count, 1), strict=False):
        (frame,) = salvaged(partial(flip, bits=wrong))
        found = [value for packet in frame.packets if packet.packet == "DESCENT" for value in packet.values]
        assert not [value for value in found if value.quality == "good"], wrong
        explained += [value for value in found if "one flipped bit would explain both" in value.why]
    assert {"suspect", "unusable"} == {value.quality for value in explained}
    assert any("impossible jump" in value.why for value in explained)


def test_an_impossible_jump_is_unusable_and_the_rest_suspect() -> None:
    (frame,) = salvaged(put(ALTITUDE, b"\x7f\xff\xff\xff"))
    assert values(frame)["altitude"].quality == "unusable"
    assert "impossible jump" in values(frame)["altitude"].why
    assert values(frame)["speed"].quality == "suspect"
    assert "checksums failed" in values(frame)["speed"].why


def test_no_word_of_an_enum_is_unusable() -> None:
    (frame,) = salvaged(put(ALTITUDE - 1, b"\xee\0\0"))
    assert values(frame)["phase"].quality == "unusable"
    assert "none of its words" in values(frame)["phase"].why


def test_a_value_out_of_limits_says_so() -> None:
    (frame,) = salvaged(put(PRESSURE, round(7 / 0.003).to_bytes(2, "big")), after=5)  # before a jump can be told
    pressure = values(frame)["pressure"]
    assert pressure.value == pytest.approx(7, abs=0.003)
    assert pressure.quality == "suspect"
    assert pressure.why == "frame's and packet's checksums failed; out of limits: YELLOW_HIGH"
    assert "out of limits" not in values(frame)["speed"].why


@pytest.mark.parametrize("came", [45, 60, 100])
def test_a_frame_that_is_cut_off_by_the_next(came: int) -> None:
    (frame,) = salvaged(lambda f: f[:came])
    assert_cut(frame, came)


@pytest.mark.parametrize("came", [45, 60, 100])
def test_a_frame_that_is_cut_off_by_a_damaged_one(came: int) -> None:
    cut, damaged = salvaged(lambda f: f[:came], put(ALTITUDE, b"\x7f\xff\xff\xff"))
    assert_cut(cut, came)
    assert (damaged.reason, damaged.came, damaged.offset) == ("CRC", SIZE, cut.offset + came)


@pytest.mark.parametrize("came", [45, 60])
def test_a_frame_that_is_cut_off_by_one_that_the_recording_ends_in(came: int) -> None:
    salvager = Salvager(MARS6, UART)
    for burst in BURSTS[:20]:
        salvager.feed(burst.scet, burst.data)
    frames = [burst.data[descent_frame(burst.data) :][:SIZE] for burst in BURSTS[20:22]]
    assert salvager.feed(BURSTS[20].scet, frames[0][:came] + frames[1][:70]) == []
    cut, last = salvager.finish()
    assert_cut(cut, came)
    assert (last.reason, last.came, last.offset) == ("CUT", 70, cut.offset + came)


def test_a_rejected_frame_ends_where_the_last_piece_begins() -> None:
    salvager = Salvager(MARS6, UART)
    for burst in BURSTS[:20]:
        salvager.feed(burst.scet, burst.data)
    frames = [burst.data[descent_frame(burst.data) :][:SIZE] for burst in BURSTS[20:22]]
    assert salvager.feed(BURSTS[20].scet, frames[0][:60] + frames[1][:100]) == []
    cut, last = salvager.finish()
    assert_cut(cut, 60)
    assert (cut.reason, last.reason, last.came) == ("CRC", "CUT", 100)


def assert_cut(frame: SalvagedFrame, came: int) -> None:
    """Only what came is said of a frame that was cut off; its packet is whole from byte 60 on."""
    assert frame.came == came
    assert f"{came} of {SIZE} bytes came" in frame.trust
    found = values(frame)
    if came >= 60:
        assert found["altitude"].quality == "good"
    else:
        assert found["tick"].quality == "suspect"
        assert found["pump_current"].value is None
        assert "cut off" in found["pump_current"].why


def test_the_last_frame_of_a_recording_that_ends_in_it() -> None:
    salvager = Salvager(MARS6, UART)
    for burst in BURSTS[:20]:
        assert salvager.feed(burst.scet, burst.data) == []
    at = descent_frame(BURSTS[20].data)
    assert salvager.feed(BURSTS[20].scet, BURSTS[20].data[at : at + 50]) == []
    (frame,) = salvager.finish()
    assert (frame.reason, frame.came, frame.vcid) == ("CUT", 50, 0)
    assert values(frame)["altitude"].quality == "suspect"
    assert salvage_lines(frame)


def test_a_damaged_packet_header_is_taken_for_what_was_there_before() -> None:
    (frame,) = salvaged(put(10, b"\xff\xff\xff\xff\xff\xff"))
    assert values(frame)["altitude"].quality == "suspect"
    assert "header is damaged" in values(frame)["altitude"].why


def test_rubbish_is_not_decoded() -> None:
    salvager = Salvager(MARS6, UART)
    assert salvager.feed(EPOCH, b"\x55" * 5000) == []
    found = salvager.feed(EPOCH, UART.asm + bytes(200) + UART.asm + b"\xff" * 300)
    assert [p for frame in [*found, *salvager.finish()] for p in frame.packets] == []


def test_the_command(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    record(path, lambda number, data: data[:60] if number == 1500 else data, bursts=1600)
    text = CliRunner().invoke(cli, ["salvage", str(path)])
    assert text.exit_code == 0, text.output
    assert "1 frame rejected or cut off" in text.output
    (line,) = CliRunner().invoke(cli, ["salvage", str(path), "--json"]).output.splitlines()
    assert json.loads(line)["came"] == 60

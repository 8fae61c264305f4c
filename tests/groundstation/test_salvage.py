"""Salvage: which values can be had from bad frames, how good they are, and why."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from groundstation.cli import cli
from groundstation.salvage import Salvager
from groundstation.salvaged import SalvagedFrame, SalvagedValue, salvage_lines
from protocols.lander import EPOCH, MARS6
from protocols.profile import UART
from tests import descent
from tests.groundstation.recordings import record

SIZE = UART.cadu_length
BURSTS = [b for b in descent.bursts() if b.data][1500:1600]
ALTITUDE = 10 + 19 + 5  # ASM and frame header, packet headers, tick and phase
ALTIMETER = range(ALTITUDE, ALTITUDE + 4)


def descent_frame(data: bytes) -> int:
    """Where the lander's frame starts in a burst."""
    return next(at for at in range(0, len(data), SIZE) if data[at + 5] >> 1 & 7 == 0)


def salvaged(change: object, after: int = 20) -> list[SalvagedFrame]:
    """What is found if the lander's frame of one burst is changed."""
    salvager = Salvager(MARS6, UART)
    found = []
    for number, burst in enumerate(BURSTS[:40]):
        data = bytearray(burst.data)
        if number == after:
            at = descent_frame(burst.data)
            data[at : at + SIZE] = change(data[at : at + SIZE])
        found += salvager.feed(burst.scet, bytes(data))
    return found + salvager.finish()


def values(frame: SalvagedFrame) -> dict[str, SalvagedValue]:
    (packet,) = [p for p in frame.packets if p.packet == "DESCENT"]
    return {value.name: value for value in packet.values}


def put(at: int, new: bytes):
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


def test_one_flipped_bit_is_found_and_the_others_are_good() -> None:
    (right,) = salvaged(put(120, b"\0\0\0\0"))
    (frame,) = salvaged(lambda f: put(ALTITUDE + 2, bytes([f[ALTITUDE + 2] ^ 0x08]))(f))
    altitude, speed = values(frame)["altitude"], values(frame)["speed"]
    assert (altitude.quality, altitude.value) == ("suspect", values(right)["altitude"].value)
    assert "that bit turned back" in altitude.why
    assert speed.quality == "good"
    assert any(f"byte {ALTITUDE + 2}" in words for words in frame.trust)


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
    (right,) = salvaged(put(120, b"\0\0\0\0"))
    pressure = ALTITUDE + 4 + 4 + 4 + 2 + 2
    raw = round(values(right)["pressure"].value / 0.003)
    high = (raw + 3000).to_bytes(2, "big")
    found = salvaged(lambda f: put(pressure, high)(put(ALTITUDE, b"\x7f\xff\xff\xff")(f)))
    pressure_value = values(found[0])["pressure"]
    assert pressure_value.quality in ("suspect", "unusable")
    assert "out of limits" in pressure_value.why or "impossible jump" in pressure_value.why


@pytest.mark.parametrize("came", [45, 60, 100])
def test_a_frame_that_is_cut_off_by_the_next(came: int) -> None:
    (frame,) = salvaged(lambda f: f[:came])
    assert frame.came == came
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


def test_the_command(tmp_path) -> None:
    path = tmp_path / "pass.sqlite"
    record(path, lambda number, data: data[:60] if number == 1500 else data, bursts=1600)
    text = CliRunner().invoke(cli, ["salvage", str(path)])
    assert text.exit_code == 0, text.output
    assert "1 frames rejected or cut off" in text.output
    (line,) = CliRunner().invoke(cli, ["salvage", str(path), "--json"]).output.splitlines()
    assert json.loads(line)["came"] == 60

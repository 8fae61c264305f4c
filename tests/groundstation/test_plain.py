"""Lines for people and for machines."""

from __future__ import annotations

import json

import msgspec

from groundstation.messages import EventMessage, Heartbeat
from groundstation.orders import CommandUpdate
from groundstation.plain import PlainLines, json_line, plain_line, utc
from tests.groundstation.tui.scripted import ENTRY, HOST, LOS, S, contact, descent, event, verdict


def test_utc_truncates() -> None:
    assert utc(ENTRY + 312 * S - 1) == "09:11:04.9"
    assert utc(ENTRY, 0) == "09:05:53"


def test_telemetry_marks_limits_and_absent_values() -> None:
    line = plain_line(descent(98.0)) or ""
    assert line.startswith("09:07:31.0 TM DESCENT tick=980 phase=AEROBRAKING altitude=")
    assert "!YELLOW_HIGH" in line
    assert "radio_altitude=- " in line


def test_one_line_of_telemetry_a_second_and_all_events() -> None:
    lines = PlainLines()
    telemetry = [lines.line(descent(100 + tick / 10)) for tick in range(20)]
    assert sum(line is not None for line in telemetry) == 2
    assert all(lines.line(event(100.0, "DROGUE", "out")) for _ in range(3))


def test_loss_of_signal_says_why_and_whether_it_was_planned() -> None:
    line = plain_line(contact(LOS + 0.2, "LOS", "LOCKED", verdict())) or ""
    assert "LANDER LOCKED > LOS cause LANDER_ONLY" in line
    assert line.endswith("last frame 191 at 09:11:04.9; planned 09:11:05.0, +0 ms off")


def test_a_command_says_who_wanted_what_and_how_far_it_is() -> None:
    sent = CommandUpdate(
        command=3,
        name="STEP",
        arguments={"ticks": 5},
        who="ada@bench",
        state="SENT",
        previous="QUEUED",
        ert=ENTRY + 312 * S,
        delivered=True,
    )
    assert plain_line(sent) == "ERT 09:11:05.0 COMMAND 3 STEP ticks=5 by ada@bench: SENT (arrived)"
    failed = msgspec.structs.replace(sent, state="FAILED", tick=7, attempt=2, detail="the spacecraft says BUSY")
    assert (plain_line(failed) or "").endswith("FAILED attempt 2 at tick 7: the spacecraft says BUSY")


def test_lines_are_ascii_and_single() -> None:
    odd = EventMessage(severity="FATAL", source="BUS", name="X", text="−12 °C\nsecond", ert=HOST, replay=True)
    line = plain_line(odd) or ""
    assert line.isascii() and "\n" not in line and line.startswith("REPLAY ")


def test_json_holds_what_plain_leaves_out() -> None:
    beat = Heartbeat(seq=7, ert=HOST, sequences={"link": 3})
    assert plain_line(beat) is None
    assert json.loads(json_line(beat)) == {
        "type": "heartbeat",
        "seq": 7,
        "ert": HOST,
        "sequences": {"link": 3},
        "missed": 0,
    }

"""Lines for people and for machines."""

from __future__ import annotations

import json

import msgspec

from groundstation.formats.iso_time import iso_utc
from groundstation.messages.commanding import CommandUpdate
from groundstation.messages.text import PlainLines, alarm_lines, json_line, plain_line, utc
from groundstation.messages.wire import (
    Acknowledgement,
    EventMessage,
    Heartbeat,
    Lag,
    LinkStatus,
    LossStatus,
    Snapshot,
    Transport,
)
from tests.groundstation.tui.scripted import ENTRY, HOST, LOS, S, contact, descent, event, link, snapshot, verdict


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


def test_a_switch_is_written_as_it_is_typed() -> None:
    update = CommandUpdate(
        command=1, name="TRANSMITTER", arguments={"on": True}, who="ada", state="QUEUED", previous=None, ert=HOST
    )
    assert "TRANSMITTER on=on by ada" in (plain_line(update) or "")
    assert "on=off" in (plain_line(msgspec.structs.replace(update, arguments={"on": False})) or "")


def status(transport: Transport, detail: str, *, replay: bool = False) -> LinkStatus:
    return msgspec.structs.replace(link(100, "LOCKED"), transport=transport, detail=detail, replay=replay)


def joined(transport: Transport, detail: str, *, replay: bool = False) -> Snapshot:
    return msgspec.structs.replace(snapshot(100), link=status(transport, detail, replay=replay))


def test_a_new_viewer_reports_once_why_no_data_comes() -> None:
    lines = PlainLines()
    line = lines.line(joined("ATTEMPTING", "it wants a key")) or ""
    assert line.endswith("ATTEMPTING: it wants a key")
    assert lines.line(status("ATTEMPTING", "it wants a key")) is None
    assert (lines.line(status("ATTEMPTING", "no answer")) or "").endswith(" LINK ATTEMPTING: no answer")
    assert lines.line(event(101, "CONNECTED", "it answers", source="STATION"))
    assert lines.line(status("CONNECTED", "it answers")) is None


def test_a_link_as_it_should_be_is_no_news_and_neither_is_that_of_a_replay() -> None:
    lines = PlainLines()
    assert lines.line(status("CONNECTED", "")) is None
    lines = PlainLines()
    assert "CONNECTED" not in (lines.line(joined("CONNECTED", "")) or "")
    assert lines.line(joined("DISCONNECTED", "paused at 1x", replay=True)) == lines.line(
        joined("CONNECTED", "4x", replay=True)
    )
    assert lines.line(status("CONNECTED", "paused at 4x", replay=True)) is None


def test_who_joins_is_told_what_is_open() -> None:
    over = contact(LOS + 9, "LOCKED", "ACQUIRING")
    seen = Acknowledgement(ert=HOST, who="ada", losses=[])
    losses = [
        LossStatus(vcid=0, channel="LANDER", verdict=verdict()),
        LossStatus(vcid=1, channel="SURFACE", verdict=verdict(), regained=over),
        LossStatus(vcid=2, channel="BUS", verdict=verdict(), regained=over, acknowledged=seen),
        LossStatus(vcid=3, channel="AUX", verdict=verdict(), acknowledged=seen),
    ]
    joined = msgspec.structs.replace(snapshot(100), losses=losses, telemetry=[descent(LOS - 0.1)])
    lines = alarm_lines(joined)
    assert [line.split(" OPEN ")[1].split(": ")[0] for line in lines] == [
        "LANDER LOS, lasts, not acknowledged",
        "SURFACE LOS, ended ERT 08:05:21.0, not acknowledged",
        "AUX LOS, lasts, acknowledged by ada",
        "DESCENT.radio_altitude RED_LOW",
    ]
    assert "cause LANDER_ONLY" in lines[0]
    assert alarm_lines(msgspec.structs.replace(joined, replay=True)) == []


def test_lines_say_how_late_they_are() -> None:
    assert plain_line(Lag(behind_ms=22_340, missed=0)) == "VIEWER what follows is 22.3 s behind the station"
    assert plain_line(Lag(behind_ms=80, missed=12)) == "VIEWER live again, 12 messages missed so far"
    assert json.loads(json_line(Lag(behind_ms=1500, missed=2)))["behind_ms"] == 1500


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
        "sent": 0,
        "ert": HOST,
        "ert_utc": iso_utc(HOST),
        "sequences": {"link": 3},
        "missed": 0,
    }

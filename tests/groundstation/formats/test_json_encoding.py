"""JSON of every outlet: numbers that are none, times as text, integers that other readers round."""

from __future__ import annotations

import inspect
import json
import math
import shutil
import subprocess
from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import groundstation.messages.commanding
import groundstation.messages.wire
from groundstation.formats.json_encoding import beyond_53_bits, encode_json, numbered, times_of
from groundstation.messages.base import Message
from groundstation.messages.wire import (
    ChannelStatus,
    ContactChange,
    Counters,
    LinkStatus,
    LosVerdict,
    PlaybackStatus,
    Snapshot,
    Telemetry,
    decode,
    encode,
)
from groundstation.recordings.records import OnboardSpan
from protocols.times import utc_ns

LOS = utc_ns("1974-03-12T09:11:05")
ODD = {"nan": math.nan, "inf": math.inf, "minus": -math.inf, "void": None, "text": "NaN?", "whole": 5, "flag": True}


def telemetry(values: dict[str, bool | int | float | str | None]) -> Telemetry:
    return Telemetry(packet="P", apid=1, vcid=0, scet=LOS + 1, ert=LOS, values=values, invalid=["void"])


def snapshot(*news: Telemetry) -> Snapshot:
    channel = ChannelStatus(vcid=0, name="lander", state="LOCKED", last_scet=LOS, last_ert=LOS + 7)
    playback = PlaybackStatus(
        recording="x", at=LOS, first=LOS - 1, last=LOS + 1, speed=1.0, paused=False, ended=False, jumps=0
    )
    link = LinkStatus(
        ert=LOS, url="x", transport="CONNECTED", detail="", state="LOCKED", channels=[channel], counters=Counters(),
        recording=None, playback=playback,
    )  # fmt: skip
    return Snapshot(
        station="s", pid=1, started=LOS, mission="m", dictionary_hash="0", parameters=[], timeline=[], link=link,
        telemetry=list(news), contacts=[], events=[], sequences={},
    )  # fmt: skip


def same(ours: Mapping[str, object], theirs: Mapping[str, object]) -> bool:
    return repr(ours) == repr(theirs)  # nan is not equal to itself


def test_numbers_that_are_none_are_told_apart_in_valid_json() -> None:
    text = encode_json(ODD).decode()

    def refuse(word: str) -> None:
        pytest.fail(f"{word} is not JSON")

    assert json.loads(text, parse_constant=refuse) == {
        "nan": "NaN", "inf": "Infinity", "minus": "-Infinity", "void": None, "text": "NaN?", "whole": 5, "flag": True,
    }  # fmt: skip


def test_messages_come_back_with_their_numbers() -> None:
    news = telemetry(dict(ODD))
    back = decode(encode(news))
    assert isinstance(back, Telemetry) and same(back.values, ODD)
    joined = decode(encode(snapshot(news, telemetry({"x": -math.inf}))))
    assert isinstance(joined, Snapshot)
    assert same(joined.telemetry[0].values, ODD) and joined.telemetry[1].values == {"x": -math.inf}


@given(st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats()))
def test_any_values_come_back(values: dict[str, bool | int | float | str | None]) -> None:
    back = decode(encode(telemetry(values)))
    assert isinstance(back, Telemetry) and same(back.values, values)


def test_results_with_numbers_that_are_none_read_back() -> None:
    class Row(msgspec.Struct):
        value: float
        more: list[float | str]

    row = msgspec.convert(numbered(msgspec.json.decode(encode_json(Row(math.inf, ["x", -math.inf])))), Row)
    assert (row.value, row.more) == (math.inf, ["x", -math.inf])


def test_every_time_stands_there_as_text() -> None:
    verdict = LosVerdict(
        vcid=0, channel="lander", cause="SILENCE", evidence="", last_vcfc=1, last_scet=None, last_ert=LOS,
        interval_scet=None, interval_ert=(LOS, LOS + 1), declared_ert=LOS + 2, timeout_ms=300, trailing_bytes=0,
        frames=1,
    )  # fmt: skip
    change = ContactChange(vcid=0, channel="lander", state="LOS", previous="LOCKED", ert=LOS, verdict=verdict)
    plain = json.loads(encode_json(change, times=True))
    assert plain["ert_utc"] == "1974-03-12T09:11:05.000000000Z"
    said = plain["verdict"]
    assert said["interval_ert_utc"] == ["1974-03-12T09:11:05.000000000Z", "1974-03-12T09:11:05.000000001Z"]
    assert said["declared_ert_utc"] == "1974-03-12T09:11:05.000000002Z"
    assert said["last_scet_utc"] is said["interval_scet_utc"] is None
    link = json.loads(encode_json(snapshot(), times=True))["link"]
    assert link["channels"][0]["last_ert_utc"] == "1974-03-12T09:11:05.000000007Z"
    assert [link["playback"][f"{name}_utc"][-5:] for name in ("at", "first", "last")] == ["0000Z", "9999Z", "0001Z"]


def test_parameters_named_like_times_are_none() -> None:
    plain = json.loads(encode_json(telemetry({"ert": 5, "scet": 6}), times=True))
    assert plain["values"] == {"ert": 5, "scet": 6}
    assert plain["scet_utc"] == "1974-03-12T09:11:05.000000001Z"


def test_integers_that_may_be_rounded_have_their_text() -> None:
    values = {"at": 2**53, "beyond": 2**53 + 1, "below": -(2**63), "float": 1e300, "text": "9" * 20, "flag": True}
    assert beyond_53_bits(values) == {"beyond": "9007199254740993", "below": "-9223372036854775808"}


def test_arrays_and_values_alone_are_encoded_as_ever() -> None:
    class Pair(msgspec.Struct, array_like=True):
        ert: int
        x: float

    assert encode_json([Pair(1, math.nan)], times=True) == b'[[1,"NaN"]]'
    assert encode_json(Pair(1, 2.0), times=True) == b"[1,2.0]"
    assert encode_json("\udcff", times=True) == b'"\\\\udcff"'


def test_spans_of_onboard_times_have_text() -> None:
    plain = json.loads(encode_json(OnboardSpan(LOS, LOS + 1, 2), times=True))
    assert plain["last_utc"] == "1974-03-12T09:11:05.000000001Z"


def test_no_time_of_a_message_is_forgotten() -> None:
    """What is an integer of nanoseconds since 1970 is called so in the docstrings, or is known by its name."""
    modules = (groundstation.messages.wire, groundstation.messages.commanding)
    kinds = {kind for module in modules for _, kind in inspect.getmembers(module, inspect.isclass)}
    named = {
        f"{k.__name__}.{n}" for k in kinds if issubclass(k, msgspec.Struct) and k is not Message for n in times_of(k)
    }
    assert {
        "Telemetry.scet", "Telemetry.ert", "LinkStatus.ert", "ChannelStatus.last_scet", "ChannelStatus.last_ert",
        "PlaybackStatus.at", "PlaybackStatus.first", "PlaybackStatus.last", "LosVerdict.last_scet",
        "LosVerdict.interval_scet", "LosVerdict.interval_ert", "LosVerdict.declared_ert", "LosVerdict.planned_scet",
        "ContactChange.ert", "EventMessage.ert", "EventMessage.scet", "Heartbeat.ert", "MilestoneInfo.scet",
        "Snapshot.started", "CommandUpdate.ert", "UplinkStatus.ert", "UplinkStatus.clcw_ert",
        "UplinkStatus.armed_until", "CommandRequest.issued", "Snapshot.clock", "PlaybackStatus.counted_from",
        "History.loss_marks", "CurveData.first",
    } <= named  # fmt: skip


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_jq_reads_times_and_wide_integers_exactly() -> None:
    wide = 2**64 - 1
    line = encode_json(
        Telemetry(
            packet="P", apid=1, vcid=0, scet=LOS + 1, ert=LOS, values={"u": wide}, exact=beyond_53_bits({"u": wide})
        ),
        times=True,
    )
    out = subprocess.run(["jq", "-r", ".scet_utc, .exact.u"], input=line, capture_output=True, check=True).stdout
    assert out.decode().split() == ["1974-03-12T09:11:05.000000001Z", "18446744073709551615"]

"""One packet with what goes wrong elsewhere, in every outlet: void values, NaN and infinities, integers of 64 bits.

The packet is put together by hand here, field by field, so that the expected values are not the decoder's.
"""

from __future__ import annotations

import csv
import json
import math
import struct
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from construct import Bytes, Enum, Flag, Float32b, Float64b, Int8ub, Int16ub, Int32ub, Int64ub, Struct

from groundstation.cli import cli
from groundstation.downlink.receiver import Receiver
from groundstation.links.base import Chunk
from groundstation.messages.text import json_line, plain_line
from groundstation.messages.wire import Telemetry, decode, encode
from groundstation.recordings.damaged.salvage import Salvager, salvage
from groundstation.recordings.damaged.salvage_records import SalvagedFrame, salvage_lines
from groundstation.recordings.export.tables import Format, export
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.writer import ArchiveWriter
from groundstation.station.recorder import ArchivingReceiver
from protocols.ccsds.pus import TmHeader, encode_tm
from protocols.ccsds.space_packet import idle_packet
from protocols.ccsds.tm_frame import TmFrame, encode_frame
from protocols.declare.dictionary import ChannelDef, Dictionary, PacketDef
from protocols.errors import DeclarationError
from protocols.profile import UART
from protocols.structures.fields import Limits, Quantity
from protocols.times import utc_ns

START = utc_ns("2030-03-17T17:46:40")
RECEIVED = utc_ns("2031-01-01T00:00:00.000000001")
HK = PacketDef(
    "HK",
    0x21,
    3,
    25,
    Struct(
        "f32" / Quantity(Float32b, "V", limits=Limits(0, 1, 8, 9)),
        "f64" / Float64b,
        "u64" / Int64ub,
        "cents" / Quantity(Int16ub, "g", scale=0.01, decimals=2),
        "coarse" / Quantity(Int32ub, "m", scale=0.001, decimals=1),
        "plain" / Quantity(Int16ub, "V", scale=0.1),
        "third" / Quantity(Int8ub, "V", scale=1 / 3),
        "lock" / Flag,
        "range" / Quantity(Int16ub, "m", scale=0.1, valid_if="lock"),
        "power" / Enum(Int8ub, OFF=0, ON=1),
        "current" / Quantity(Float32b, "A", valid_if="power"),
        "tag" / Bytes(2),
        "big" / Enum(Int64ub, LOW=1, HIGH=2**64 - 1),
    ),
    1000,
    "What goes wrong elsewhere.",
)
ODD = Dictionary("ODD", 0x2A, (HK,), (), (ChannelDef(0, "satellite", "ODD", 1000),), ())
RAW: list[tuple[Any, ...]] = [
    (7.5, 1e300, 2**64 - 1, 39, 829_999, 3, 1, 1, 65535, 1, 0.5, b"\x00\xff", 1),
    (math.nan, math.inf, 2**53 + 1, 0, 1, 0, 2, 0, 12345, 0, 4.0, b"ab", 2**64 - 1),
    (-math.inf, math.nan, 0, 65535, 4_294_967_295, 65535, 255, 1, 0, 2, -math.inf, b"\r\n", 2**63),
]
VALUES: list[dict[str, Any]] = [
    {"f32": 7.5, "f64": 1e300, "u64": 2**64 - 1, "cents": 0.39, "coarse": 830.0, "plain": 0.3, "third": 1 / 3,
     "lock": True, "range": 6553.5, "power": "ON", "current": 0.5, "tag": "00ff", "big": "LOW"},
    {"f32": "NaN", "f64": "Infinity", "u64": 2**53 + 1, "cents": 0.0, "coarse": 0.0, "plain": 0.0, "third": 2 / 3,
     "lock": False, "range": None, "power": "OFF", "current": None, "tag": "6162", "big": "HIGH"},
    {"f32": "-Infinity", "f64": "NaN", "u64": 0, "cents": 655.35, "coarse": 4294967.3, "plain": 6553.5, "third": 85.0,
     "lock": True, "range": 0.0, "power": 2, "current": "-Infinity", "tag": "0d0a", "big": 2**63},
]  # fmt: skip
EXACT = [{"u64": "18446744073709551615"}, {"u64": "9007199254740993"}, {"big": "9223372036854775808"}]
VOID = [[], ["range", "current"], []]
_BODY = struct.Struct(">fdQHIHBBHBf2sQ")


def frame(number: int, *, spoilt: bool = False) -> bytes:
    header = TmHeader(3, 25, number, 0, START + number * 1_000_000_000)
    packet = encode_tm(0x21, number, header, _BODY.pack(*RAW[number]))
    data = packet + idle_packet(UART.data_length - len(packet))
    cadu = bytearray(encode_frame(TmFrame(0x2A, 0, number, number, 0, data, b"\1\0\0\0"), UART))
    if spoilt:
        cadu[-3] ^= 1  # in the idle packet: the packet's own checksum still fits
    return bytes(cadu)


STREAM = b"".join(map(frame, range(3)))


def live() -> list[Telemetry]:
    outcomes = Receiver(ODD, UART, "test:").process(Chunk(RECEIVED, STREAM))
    return [outcome for outcome in outcomes if isinstance(outcome, Telemetry)]


def plain_json(text: str) -> Any:
    return json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "odd.sqlite"
    with ArchiveWriter(path, {}) as archive:
        recorder = ArchivingReceiver(Receiver(ODD, UART, "test:"), archive, str(path))
        recorder.decode(recorder.keep(Chunk(RECEIVED, STREAM)))
    return path


def test_messages_say_it_in_json_and_come_back() -> None:
    for number, news in enumerate(live()):
        for text in (json_line(news), encode(news).partition(b" ")[2].decode()):
            plain = plain_json(text)
            assert plain["values"] == pytest.approx(VALUES[number], abs=0)
            assert (plain["invalid"], plain["exact"]) == (VOID[number], EXACT[number])
            assert plain["ert_utc"] == "2031-01-01T00:00:00.000000001Z"
            assert plain["scet_utc"] == f"2030-03-17T17:46:4{number}.000000000Z"
        back = decode(encode(news))
        assert isinstance(back, Telemetry)
        floats = {name: value for name, value in back.values.items() if name in ("f32", "f64", "current")}
        void = [None] if number == 1 else [RAW[number][10]]
        assert [repr(value) for value in floats.values()] == [repr(v) for v in (*RAW[number][:2], *void)]


def test_limits_are_judged_before_rounding_and_on_no_void_value() -> None:
    assert [news.limits for news in live()] == [{}, {"f32": "RED_HIGH"}, {"f32": "RED_LOW"}]


def test_lines_say_it() -> None:
    lines = [plain_line(news) or "" for news in live()]
    assert " cents=0.39 coarse=830 plain=0.3 " in lines[0] and " u64=18446744073709551615 " in lines[0]
    assert " f32=NaN!RED_HIGH f64=Infinity " in lines[1] and " lock=False range=- power=OFF current=- " in lines[1]
    assert " f32=-Infinity!RED_LOW f64=NaN " in lines[2] and " coarse=4294967.3 " in lines[2]


def test_decode_says_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    capture, rows = tmp_path / "odd.bin", tmp_path / "rows.jsonl"
    capture.write_bytes(STREAM)
    name = f"{__name__}:ODD"
    assert CliRunner().invoke(cli, ["decode", str(capture), "--dictionary", name, "--jsonl", str(rows)]).exit_code == 0
    for number, line in enumerate(rows.read_text().splitlines()):
        row = plain_json(line)
        assert row["values"] == pytest.approx(VALUES[number], abs=0)
        assert (row.get("invalid", []), row.get("exact", {})) == (VOID[number], EXACT[number])
        assert row["scet_utc"] == f"2030-03-17T17:46:4{number}.000000000Z"
    pyarrow = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "rows.parquet"
    assert CliRunner().invoke(cli, ["decode", str(capture), "--dictionary", name, "--parquet", str(out)]).exit_code == 0
    table = pyarrow.read_table(out).to_pylist()
    assert [plain_json(row["values"]) for row in table] == [pytest.approx(values, abs=0) for values in VALUES]


def exported(recording: Path, form: Format) -> Path:
    with ArchiveReader(recording) as reader:
        (path,) = export(reader, ODD, UART, form, recording.parent / "out")
    return path


def test_csv_says_it(recording: Path) -> None:
    rows = list(csv.DictReader(exported(recording, "csv").read_text(encoding="utf-8").splitlines()))
    for row, values in zip(rows, VALUES, strict=True):
        expected = {
            name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()
        }
        expected |= {name: "" for name, value in values.items() if value is None}
        assert {name: row[name] for name in values} == expected
    assert [row["ert"] for row in rows] == ["2031-01-01T00:00:00.000000001Z"] * 3


def test_json_lines_say_it(recording: Path) -> None:
    for number, line in enumerate(exported(recording, "jsonl").read_text().splitlines()):
        row = plain_json(line)
        assert row["values"] == pytest.approx(VALUES[number], abs=0)
        assert (row["invalid"], row["exact"], row["quality"]) == (VOID[number], EXACT[number], "GOOD")
        assert (row["sequence"], row["ert_utc"]) == (number, "2031-01-01T00:00:00.000000001Z")


def test_parquet_says_it_unrounded(recording: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow.parquet")
    rows = pyarrow.read_table(exported(recording, "parquet")).drop(["ert", "scet"]).to_pylist()
    assert [row["u64"] for row in rows] == [raw[2] for raw in RAW]
    assert [repr(row["f32"]) for row in rows] == ["7.5", "nan", "-inf"]
    assert [repr(row["f64"]) for row in rows] == ["1e+300", "inf", "nan"]
    assert [row["range"] is None for row in rows] == [row["current"] is None for row in rows] == [False, True, False]
    assert [row["big"] for row in rows] == ["LOW", "HIGH", str(2**63)]
    assert rows[0]["coarse"] == pytest.approx(829.999, abs=1e-9)


def test_salvage_says_it(tmp_path: Path) -> None:
    path = tmp_path / "spoilt.sqlite"
    with ArchiveWriter(path, {}) as archive:
        archive.chunk(RECEIVED, "test:", b"".join(frame(n, spoilt=True) for n in range(3)))
    with ArchiveReader(path) as reader:
        frames: list[SalvagedFrame] = list(salvage(reader, [Salvager(ODD, UART)]))
    for number, found in enumerate(frames):
        (packet,) = found.packets
        got = {value.name: value for value in packet.values}
        assert {n: v.quality for n, v in got.items()} == {
            n: "unusable" if n in VOID[number] else "good" for n in VALUES[number]
        }
        words = {name: value.value for name, value in got.items()}
        assert repr(words) == repr({n: _number(value) for n, value in VALUES[number].items()})
    assert any(" range  " in line and " -  (means nothing: lock is off)" in line for line in salvage_lines(frames[1]))


def _number(value: Any) -> Any:
    return {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}.get(value, value)


@pytest.mark.parametrize("label", ["NaN", "Infinity", "-Infinity"])
def test_label_that_json_needs_is_refused(label: str) -> None:
    packet = PacketDef("P", 1, 3, 25, Struct("x" / Enum(Int8ub, **{label: 1})), 0, "")
    with pytest.raises(DeclarationError, match=r"P\.x: .* cannot be a label"):
        Dictionary("D", 1, (packet,), (), (), ())


def test_flag_of_bytes_is_refused() -> None:
    body = Struct("flag" / Bytes(1), "x" / Quantity(Int8ub, valid_if="flag"))
    with pytest.raises(DeclarationError, match="is of kind bytes"):
        Dictionary("D", 1, (PacketDef("P", 1, 3, 25, body, 0, ""),), (), (), ())

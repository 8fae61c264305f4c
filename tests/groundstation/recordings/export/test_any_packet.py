"""Packets of any header and size, from frames through reception and recording to columns and exports."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import construct as c
import pytest

from groundstation import open_recording
from groundstation.downlink.receiver import Receiver
from groundstation.links.base import Chunk, Idle
from groundstation.messages.text import plain_line
from groundstation.messages.wire import ContactChange, Telemetry
from groundstation.recordings.damaged.salvage import Salvager, salvage
from groundstation.recordings.export.columns import PacketColumns, packet_columns
from groundstation.recordings.export.tables import Format, export
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.writer import ArchiveWriter
from groundstation.station.recorder import ArchivingReceiver
from groundstation.viewer.flight import Flight
from protocols.ccsds.space_packet import idle_packet
from protocols.declare.dictionary import ChannelDef, Dictionary, PacketDef, utc_ns
from protocols.declare.headers import NO_HEADER, PacketHeader, cuc_time
from protocols.declare.mission import Mission
from protocols.decode.bulk_packets import NO_TIME
from protocols.errors import DeclarationError
from protocols.profile import UART
from protocols.structures.calibration import Polynomial
from protocols.structures.fields import EnumRanges, Limits, Quantity
from tests.protocols.links import cadu

OWN = PacketHeader("own", cuc_time(), crc=True, fields=c.Struct("sid" / c.Int8ub))
BODY = c.Struct(
    "n" / c.Int8ub,
    "volt" / Quantity(c.Int16ul, "V", calibration=Polynomial((0, 0.5)), limits=Limits(yellow_high=100.0), decimals=1),
    "zone" / EnumRanges(c.Int8ub, COLD=(0, 99), HOT=200),
    "list" / c.Array(c.this.n, c.Struct("x" / Quantity(c.Int8ub, scale=0.1), "raw" / c.Bytes(1))),
    "extra" / c.If(c.this.n > 1, c.Enum(c.Int8ub, A=1)),
    "text" / c.PascalString(c.Int8ub, "utf8"),
)
HERON = Dictionary(
    "HERON",
    6,
    (
        PacketDef("VAR", 0x30, body=BODY, header=OWN, when={"sid": 2}),
        PacketDef("FIX", 0x30, body=c.Struct("a" / c.Int16ul), header=OWN, when={"sid": 3}),
        PacketDef("BARE", 0x31, body=c.Struct("a" / c.Int16ul, "rest" / c.GreedyBytes), header=NO_HEADER),
        PacketDef("PLAIN", 0x32, body=c.Struct("a" / c.Int16ul), header=NO_HEADER),
    ),
    (),
    (ChannelDef(0, "bird", "HERON", 1000),),
    (),
)
START = utc_ns("2031-05-01T12:00:00")
SECOND = 1_000_000_000
FRAMES = 6


def packets(number: int) -> list[bytes]:
    """One of each type; VAR has ``number`` modulo 3 items."""
    count, time, by_name = number % 3, START + number * SECOND, HERON.by_name
    values: dict[str, Any] = {"n": count, "volt": 100 + number, "zone": 50 * number % 250, "text": "grün"[:number]}
    for i in range(count):
        values |= {f"list[{i}].x": 10 * i + number, f"list[{i}].raw": bytes([i])}
    values |= {"extra": number} if count > 1 else {}
    return [
        by_name["VAR"].encode(values, number, time),
        by_name["FIX"].encode({"a": number}, number, time),
        by_name["BARE"].encode({"a": number, "rest": bytes(number)}, number),
        by_name["PLAIN"].encode({"a": number}, number),
    ]


def frame(number: int) -> bytes:
    data = b"".join(packets(number))
    return cadu(UART, number, 0, data + idle_packet(UART.data_length - len(data)))


def received() -> list[Telemetry]:
    receiver = Receiver(HERON, UART, "test:")
    chunks = [receiver.process(Chunk((50 + number) * SECOND, frame(number))) for number in range(FRAMES)]
    return [event for chunk in chunks for event in chunk if isinstance(event, Telemetry)]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("pass") / "pass.sqlite"
    meta = {"station": "bench", "link": "test:", "mission": HERON.name, "dictionary_hash": HERON.hash_text}
    with ArchiveWriter(found, meta) as archive:
        recorder = ArchivingReceiver(Receiver(HERON, UART, "test:"), archive, str(found))
        for number in range(FRAMES):
            recorder.decode(recorder.keep(Chunk((50 + number) * SECOND, frame(number))))
        spoilt = bytearray(frame(FRAMES))
        spoilt[20] ^= 0xFF
        recorder.decode(recorder.keep(Chunk((50 + FRAMES) * SECOND, bytes(spoilt) + frame(FRAMES + 1))))
    return found


def columns(path: Path) -> dict[str, PacketColumns]:
    with ArchiveReader(path) as reader:
        return {found.packet.definition.name: found for found in packet_columns(reader, HERON, UART)}


def test_the_receiver_gives_values_limits_and_times() -> None:
    found = received()
    assert [message.packet for message in found] == ["VAR", "FIX", "BARE", "PLAIN"] * FRAMES
    var, _, bare, _ = found[16:20]
    assert var.values == {
        "n": 1,
        "volt": 52.0,
        "zone": "HOT",
        "list[0].x": 0.4,
        "list[0].raw": "00",
        "text": "grün",
    }
    assert (var.scet, var.untimed) == (START + 4 * SECOND, False)
    assert (bare.scet, bare.ert, bare.untimed) == (54 * SECOND, 54 * SECOND, True)
    assert bare.values == {"a": 4, "rest": "00000000"}
    assert plain_line(bare) == "ERT 00:00:54.0 TM BARE a=4 rest=00000000"


def test_packets_without_a_time_do_not_move_the_mission_clock() -> None:
    flight = Flight()
    for message in received():
        flight.add(message, {})
    assert flight.clock == START + (FRAMES - 1) * SECOND
    bare = Flight()
    for message in received():
        if message.untimed:
            bare.add(message, {})
    assert bare.clock == (50 + FRAMES - 1) * SECOND


def test_columns_hold_every_packet(path: Path) -> None:
    found = columns(path)
    var, numbers = found["VAR"], [*range(FRAMES), FRAMES + 1]
    assert var.scet.tolist() == [START + n * SECOND for n in numbers]
    assert var.values["volt"].tolist() == [50 + n / 2 for n in numbers]
    assert var.values["list[].x"].tolist()[:3] == [[], [0.1], [0.2, 12 * 0.1]]
    assert var.values["extra"].tolist()[:3] == [None, None, 2]
    assert found["BARE"].scet.tolist() == [NO_TIME] * len(numbers)
    assert found["BARE"].values["rest"].tolist()[2] == b"\0\0"
    assert found["FIX"].values["a"].tolist() == found["PLAIN"].values["a"].tolist() == numbers
    assert found["PLAIN"].sequence.tolist() == numbers


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_exports_hold_them_too(path: Path, form: Format, tmp_path: Path) -> None:
    with ArchiveReader(path) as reader:
        files = {each.stem.partition("-")[2]: each for each in export(reader, HERON, UART, form, tmp_path)}
    assert set(files) == {"VAR", "FIX", "BARE", "PLAIN"}
    if form == "csv":
        rows = list(csv.DictReader(files["VAR"].read_text(encoding="utf-8").splitlines()))
        assert rows[2] | {"ert": ""} == {
            "ert": "",
            "scet": "2031-05-01T12:00:02.000000000Z",
            "quality": "GOOD",
            "vcid": "0",
            "sequence": "2",
            "n": "2",
            "volt": "51.0",
            "zone": "100",
            "list[].x": "[0.2,1.2]",
            "list[].raw": '["00","01"]',
            "extra": "2",
            "text": "gr",
        }
        assert (rows[1]["extra"], rows[4]["zone"]) == ("", "HOT")
        assert next(csv.DictReader(files["BARE"].read_text(encoding="utf-8").splitlines()))["scet"] == ""
    elif form == "jsonl":
        row = json.loads(files["VAR"].read_text(encoding="utf-8").splitlines()[2])
        assert row["values"]["list[].x"] == [0.2, 1.2]
        assert row["values"]["extra"] == 2
        assert json.loads(files["BARE"].read_text(encoding="utf-8").splitlines()[0])["scet"] is None
    else:
        parquet = pytest.importorskip("pyarrow.parquet")
        table = parquet.read_table(files["VAR"]).to_pydict()
        assert table["list[].x"][2] == [10 * i * 0.1 + 0.2 if i == 0 else 12 * 0.1 for i in range(2)]
        assert table["zone"][:2] == ["COLD", "COLD"]
        assert table["extra"][:3] == [None, None, "2"]
        assert parquet.read_table(files["BARE"]).to_pydict()["scet"] == [None] * 7


def test_tables_of_any_packet_are_arrow_and_pandas(path: Path) -> None:
    pytest.importorskip("pyarrow")
    with open_recording(path, Mission(HERON)) as recording:
        var, fix = (recording.packets(name) for name in ("VAR", "FIX"))
        arrow = var.to_arrow()
        for name in var:
            found = arrow[name].to_pylist()
            if name not in ("scet", "ert"):
                assert found == var[name].tolist(), name
        assert arrow["list[].x"].to_pylist() == [list(cell) for cell in var["list[].x"]]
        assert len(var.to_pandas()) == len(arrow) == len(fix.to_arrow())


def recorded(folder: Path, mission: Dictionary, data: bytes) -> Path:
    """A recording of one frame with these packets."""
    path = folder / "wide.sqlite"
    with ArchiveWriter(path, {"mission": "M"}) as archive:
        recorder = ArchivingReceiver(Receiver(mission, UART, "test:"), archive, "wide")
        sent = cadu(UART, 0, 0, data + idle_packet(UART.data_length - len(data)))
        recorder.decode(recorder.keep(Chunk(SECOND, sent)))
    return path


def test_wide_numbers_and_bytes_are_arrow_columns(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    wide = c.Struct("n" / c.Int8ub, "wide" / c.Array(c.this.n, c.Int64ub), "one" / c.If(c.this.n > 0, c.Int64ub))
    plain = c.Struct("raw" / c.Bytes(3), "wide" / c.Int64ub)
    packets = (PacketDef("WIDE", 5, body=wide, header=NO_HEADER), PacketDef("PLAIN", 6, body=plain, header=NO_HEADER))
    mission = Dictionary("M", 6, packets, (), HERON.channels, ())
    bodies = (5, b"\x00"), (5, b"\x01" + b"\xff" * 16), (6, b"abc" + b"\xff" * 8)
    names = {5: "WIDE", 6: "PLAIN"}
    data = b"".join(mission.by_name[names[apid]].wrap(body) for apid, body in bodies)
    path = recorded(tmp_path, mission, data)
    with open_recording(path, Mission(mission)) as recording:
        found, plain_found = recording.packets("WIDE").to_arrow(), recording.packets("PLAIN").to_arrow()
    assert found["wide[]"].to_pylist() == [[], [2**64 - 1]]
    assert (found["one"].to_pylist(), found["one"].type) == ([None, 2**64 - 1], arrow.uint64())
    assert (plain_found["raw"].to_pylist(), plain_found["wide"].to_pylist()) == ([b"abc"], [2**64 - 1])


@pytest.mark.parametrize("cases", [{1: c.Int8ub, 2: c.Int64ub}, {1: c.Int64ub, 2: c.Int8ub}])
def test_a_name_that_is_wide_in_some_case_is_a_wide_column(cases: dict[int, Any], tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    body = c.Struct("kind" / c.Int8ub, "v" / c.Switch(c.this.kind, cases))
    mission = Dictionary("M", 6, (PacketDef("V", 5, body=body, header=NO_HEADER),), (), HERON.channels, ())
    most = {1: 2**8 - 1, 2: 2**64 - 1} if cases[1] is c.Int8ub else {1: 2**64 - 1, 2: 2**8 - 1}
    packet = mission.by_name["V"]
    data = b"".join(packet.wrap(bytes([kind]) + cases[kind].build(value)) for kind, value in most.items())
    path = recorded(tmp_path, mission, data)
    with open_recording(path, Mission(mission)) as recording:
        found = recording.packets("V").to_arrow()["v"]
    assert (found.to_pylist(), found.type) == (list(most.values()), arrow.uint64())
    assert list(packet.wide_in({"kind": 1, "v": 1})) == ["v"]


@pytest.mark.parametrize(
    ("value", "body"),
    [
        (c.Array(1, c.BytesInteger(12)), b"\1" + b"\xff" * 12),
        (c.Switch(c.this.kind, {1: c.Int64ub, 2: c.Int64sb}), b"\2" + b"\xff" * 8),
    ],
)
def test_integers_too_wide_for_arrow_are_refused_by_name(value: Any, body: bytes, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    layout = c.Struct("kind" / c.Int8ub, "v" / value, "rest" / c.GreedyBytes)
    mission = Dictionary("M", 6, (PacketDef("V", 5, body=layout, header=NO_HEADER),), (), HERON.channels, ())
    data = mission.by_name["V"].wrap(body)
    path = recorded(tmp_path, mission, data)
    message = r"^v(\[0\])?: its integers are too wide .* as csv or jsonl$"
    with ArchiveReader(path) as reader, pytest.raises(DeclarationError, match=message):
        export(reader, mission, UART, "parquet", tmp_path)
    with open_recording(path, Mission(mission)) as recording, pytest.raises(DeclarationError, match=message):
        recording.packets("V").to_arrow()


def test_salvage_takes_apart_what_has_a_fixed_size(path: Path) -> None:
    with ArchiveReader(path) as reader:
        (spoilt,) = salvage(reader, [Salvager(HERON, UART)])
    found = {packet.packet: packet for packet in spoilt.packets}
    assert found["FIX"].checksum == "fits"
    assert [(v.name, v.value, v.quality) for v in found["FIX"].values] == [("a", FRAMES, "good")]
    assert found["PLAIN"].checksum == "none"
    assert [(v.value, v.quality) for v in found["PLAIN"].values] == [(FRAMES, "suspect")]
    assert "the packet has none" in found["PLAIN"].values[0].why


def test_a_mission_without_onboard_time_is_lost_and_found() -> None:
    bare = Dictionary(
        "BARE", 6, (PacketDef("B", 0x31, body=c.Struct("a" / c.Int8ub), header=NO_HEADER),), (), HERON.channels, ()
    )
    receiver, out = Receiver(bare, UART, "test:"), []
    for number in range(30):
        packet = bare.by_name["B"].encode({"a": number}, number)
        data = cadu(UART, number, 0, packet + idle_packet(UART.data_length - len(packet)))
        out += receiver.process(Chunk(number * SECOND, data) if not 10 <= number < 25 else Idle(number * SECOND))
    changes = [(event.state, event.previous) for event in out if isinstance(event, ContactChange) and event.vcid == 0]
    assert ("LOS", "LOCKED") in changes and changes[-1][0] == "LOCKED"
    assert [message.untimed for message in out if isinstance(message, Telemetry)] == [True] * 15
    assert all(note.scet is None for note in receiver.frames)

"""A recording of two links, read offline: every outlet has each frame once."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import numpy as np
import pytest

from groundstation.analysis.recording import open_recording
from groundstation.captures.files import Capture
from groundstation.links.base import Chunk
from groundstation.messages.wire import Telemetry
from groundstation.recordings.export.columns import packet_columns
from groundstation.recordings.merged import one_stream
from groundstation.recordings.mission_facts import mission_facts
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.schema import LINKS
from groundstation.recordings.summary import info_lines, summarise
from groundstation.recordings.writer import ArchiveWriter
from groundstation.station.recorder import ArchivingReceiver
from protocols.ccsds.crc import crc16
from protocols.lander import EPOCH, MARS6, MISSION
from protocols.profile import UART
from protocols.units import NS_PER_S
from tests.groundstation.two_links import BUS, MARS5, TWO, decode, receiver, reports


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Telemetry]]:
    """Each link loses a fifth of its frames; what the station said of what was left."""
    path = tmp_path_factory.mktemp("two") / "pass.sqlite"
    random_ = random.Random(6)
    _, events = decode(lambda link, scet, frame: random_.random() > 0.2, 60, path)
    return path, [event for event in events if isinstance(event, Telemetry)]


def test_columns_are_what_was_said_live(recorded: tuple[Path, list[Telemetry]]) -> None:
    path, live = recorded
    with ArchiveReader(path) as reader:
        (columns,) = packet_columns(reader, MARS6, UART, ["DESCENT"])
    said = [message for message in live if message.packet == "DESCENT"]
    assert columns.scet.tolist() == [message.scet for message in said]
    assert columns.ert.tolist() == [message.ert for message in said]
    altitudes = [message.values["altitude"] for message in said]
    assert np.allclose(columns.values["altitude"].astype(float), np.array(altitudes, float), atol=0.06)


def test_the_merged_stream_has_each_frame_once(recorded: tuple[Path, list[Telemetry]]) -> None:
    with ArchiveReader(recorded[0]) as reader:
        good = [frame for frame in reader.frames() if frame.quality == "GOOD"]
        pieces = [data for _, data in one_stream(reader, UART, MARS6)]
    assert len(pieces) == len(good) and all(len(data) == UART.cadu_length for data in pieces)


def test_a_capture_of_it_is_one_stream(recorded: tuple[Path, list[Telemetry]]) -> None:
    capture = Capture(recorded[0])
    try:
        frames = b"".join(data for _, data in capture.pieces())
        assert [link.name for link in capture.links] == ["bus", "mars5"]
    finally:
        capture.close()
    with ArchiveReader(recorded[0]) as reader:
        assert len(frames) == UART.cadu_length * sum(frame.quality == "GOOD" for frame in reader.frames())


def test_info_says_what_each_link_brought(recorded: tuple[Path, list[Telemetry]]) -> None:
    with ArchiveReader(recorded[0]) as reader:
        summary = summarise(reader)
        good = sum(frame.quality == "GOOD" for frame in reader.frames())
    bus, mars5 = summary.links
    assert bus.first + mars5.first == good and mars5.copies > 1000 and min(bus.first, mars5.first) > 300
    lines = info_lines(summary, MARS6.hash_text)
    assert f"link mars5, test:mars5: {mars5.bytes:,} bytes, {mars5.first:,} frames first" in "\n".join(lines)


def of_spacecraft(scid: int, chunk: Chunk) -> Chunk:
    """Its frames with another SCID."""
    frames, changed, asm = chunk.data, b"", len(UART.asm)
    for at in range(0, len(frames), UART.cadu_length):
        frame = bytearray(frames[at + asm : at + UART.cadu_length - 2])
        head = int.from_bytes(frame[:2], "big") & ~(0x3FF << 4) | scid << 4
        frame[:2] = head.to_bytes(2, "big")
        changed += UART.asm + frame + crc16(bytes(frame)).to_bytes(2, "big")
    return chunk._replace(data=changed)


def test_info_counts_frames_of_another_spacecraft_apart(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    meta = {"link": "both"} | mission_facts(MISSION) | {LINKS: msgspec.json.encode(TWO).decode()}
    with ArchiveWriter(path, meta) as archive:
        recorder = ArchivingReceiver(receiver(), archive, str(path))
        for report in reports(until=EPOCH + 95 * NS_PER_S):
            if isinstance(report, Chunk) and report.link == MARS5:
                recorder.decode(recorder.keep(of_spacecraft(0x007, report)))
            else:
                recorder.decode(recorder.keep(report))
    with ArchiveReader(path) as reader:
        summary = summarise(reader)
    bus, mars5 = summary.links
    assert (bus.foreign, mars5.first, mars5.copies, mars5.foreign) == (0, 0, 0, mars5.bytes // UART.cadu_length)
    told = f"0 frames first, 0 later copies, 0 rejected, {mars5.foreign} of another spacecraft or channel"
    assert mars5.foreign > 60 and told in "\n".join(info_lines(summary, MARS6.hash_text))


@pytest.mark.long
def test_frames_are_read_from_their_own_link(recorded: tuple[Path, list[Telemetry]]) -> None:
    with ArchiveReader(recorded[0]) as reader:
        links = {reader.link_of_chunk(frame.chunk) for frame in reader.frames()}
        frames = [reader.frame_bytes(frame) for frame in reader.frames()][:300]
    assert links == {BUS, MARS5}
    assert all(data.startswith(UART.asm) and len(data) == UART.cadu_length for data in frames)


def test_a_recording_opens_for_scripts(recorded: tuple[Path, list[Telemetry]]) -> None:
    path, live = recorded
    with open_recording(path) as recording:
        count = sum(message.packet == "DESCENT" for message in live)
        assert f"DESCENT: {count} packets" in repr(recording.packets("DESCENT"))


def test_a_damaged_one_is_read_as_far_as_it_goes(recorded: tuple[Path, list[Telemetry]], tmp_path: Path) -> None:
    """Copies are not taken for frames of the index; each link's bytes stay its own."""
    path = tmp_path / "bad.sqlite"
    data = bytearray(recorded[0].read_bytes())
    with ArchiveReader(recorded[0]) as reader:
        chunks = [chunk for _, _, chunk in reader.chunks()]
    page = data.find(chunks[len(chunks) // 2]) // 4096 * 4096  # a leaf; what else lies there depends on the commits
    data[page : page + 4096] = random.Random(1).randbytes(4096)
    path.write_bytes(data)
    with ArchiveReader(path) as reader:
        reader.check()
        good = sum(frame.quality == "GOOD" for frame in reader.frames())
        merged = sum(1 for _ in one_stream(reader, UART, MARS6))
        damage = reader.damage
        assert [link.name for link in reader.named_links()] == ["bus", "mars5"]
    with ArchiveReader(recorded[0]) as reader:
        whole = sum(frame.quality == "GOOD" for frame in reader.frames())
    assert damage is not None and damage.refused == 0 and damage.pages == 1
    assert whole - 100 < merged <= whole and whole - 200 < good <= whole

"""Times are found in recordings whose onboard clock was not set, and in passes over several days."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from groundstation.cli import cli
from groundstation.errors import CallerError
from groundstation.links.replay_source import ReplaySource
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.records import FrameEntry
from groundstation.recordings.summary import summarise
from groundstation.recordings.writer import ArchiveWriter
from protocols.times import utc_ns
from protocols.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_S

DAY = "1974-03-12"
START = utc_ns(f"{DAY}T09:07:21")
NOT_SET = utc_ns("1958-01-01T00:00:00")
RECEIVED = utc_ns("2026-11-28T12:00:00")


def record(path: Path, scets: Sequence[int | None], every: int = NS_PER_S) -> Path:
    """Frames of these onboard times, one every so many ns of reception; their bytes do not matter here."""
    with ArchiveWriter(path, {}) as archive:
        for n, scet in enumerate(scets):
            ert = RECEIVED + n * every
            chunk = archive.chunk(ert, "test:", bytes(132))
            archive.frames([FrameEntry(ert, scet, 0, n % 256, "GOOD", chunk, 0, 132)])
    return path


@contextmanager
def playback(path: Path) -> Iterator[ReplaySource]:
    with closing(ReplaySource(ArchiveReader(path))) as found:
        yield found


def descent(start: int = START, seconds: int = 224) -> list[int | None]:
    return [start + n * NS_PER_S for n in range(seconds)]


ODD: dict[str, list[int | None]] = {
    "first": [NOT_SET, *descent()],
    "last": [*descent(), NOT_SET],
    "between": [*descent()[:100], NOT_SET, *descent()[100:]],
    "the same day": [utc_ns(f"{DAY}T00:00:00"), *descent()],
    "a clock that runs until it is set": [*descent(NOT_SET, 60), *descent()],
    "far ahead": [*descent(), utc_ns("2137-06-06T09:10:54")],
    "noise": [*descent(), *(NOT_SET + n * 7_000 * NS_PER_S for n in range(300))],
    "no time at all": [None, *descent(), None],
}


@pytest.mark.parametrize("scets", ODD.values(), ids=ODD)
@pytest.mark.parametrize(
    "text", ["09:10:55", f"{DAY}T09:10:55Z", "12:10:55+03:00", f"{DAY}T04:10:55-0500", "09:10:55 UTC"]
)
def test_odd_onboard_times_do_not_move_a_seek(tmp_path: Path, scets: list[int | None], text: str) -> None:
    wanted = scets.index(utc_ns(f"{DAY}T09:10:55"))
    with playback(record(tmp_path / "pass.sqlite", scets)) as found:
        assert found.find(text) == RECEIVED + wanted * NS_PER_S


@pytest.mark.parametrize("text", ["05:00:00", f"{DAY}T05:00:00", "1966-01-01T00:00:00", "09:06:00"])
def test_time_between_the_odd_and_the_true_ones_is_not_there(tmp_path: Path, text: str) -> None:
    path = record(tmp_path / "pass.sqlite", [NOT_SET, utc_ns(f"{DAY}T00:00:00"), *descent()])
    with (
        playback(path) as found,
        pytest.raises(CallerError, match="not in the recording: on board 1958-01-01T00:00:00"),
    ):
        found.find(text)


def test_pass_over_midnight_has_each_time_of_day_once(tmp_path: Path) -> None:
    scets = descent(utc_ns(f"{DAY}T23:58:00"), 240)
    with playback(record(tmp_path / "pass.sqlite", scets)) as found:
        assert found.find("23:59:00") == RECEIVED + 60 * NS_PER_S
        assert found.find("00:01:00") == RECEIVED + 180 * NS_PER_S


@pytest.mark.parametrize("hole", [False, True], ids=["one stretch", "two passes"])
def test_time_of_day_on_several_days_asks_which(tmp_path: Path, hole: bool) -> None:
    step = 600 * NS_PER_S
    scets = [START + n * step for n in range(300) if not hole or not 20 <= n < 140]
    with playback(record(tmp_path / "pass.sqlite", scets)) as found:
        with pytest.raises(CallerError, match=r"several days.*1974-03-12T09:10:55Z or 1974-03-13T09:10:55Z"):
            found.find("09:10:55")
        with pytest.raises(CallerError, match=r"1974-03-12T09:10:55Z or 1974-03-13T09:10:55Z"):
            found.find("11:10:55+02:00")
        for choice in ("1974-03-12T09:10:55Z", "1974-03-13T09:10:55Z"):
            ert = found.find(choice)
            assert scets[(ert - RECEIVED) // NS_PER_S] - utc_ns(choice) in range(step)


def test_time_of_reception_on_several_days_asks_which(tmp_path: Path) -> None:
    path = record(tmp_path / "pass.sqlite", descent(seconds=60), every=NS_PER_HOUR)
    with playback(path) as found:
        with pytest.raises(CallerError, match=r"2026-11-28T13:30:00Z or 2026-11-29T13:30:00Z"):
            found.find("13:30:00")
        assert found.find("2026-11-29T13:30:00") == RECEIVED + NS_PER_DAY + 5400 * NS_PER_S


def test_info_says_what_most_frames_say_and_what_others_do(tmp_path: Path) -> None:
    path = record(tmp_path / "pass.sqlite", ODD["first"])
    with ArchiveReader(path) as reader:
        summary = summarise(reader)
    assert summary.onboard == (START, START + 223 * NS_PER_S)
    assert [span.frames for span in summary.onboard_spans] == [1, 224]
    said = CliRunner().invoke(cli, ["info", str(path)]).output
    assert "on board 1974-03-12 09:07:21 to 1974-03-12 09:11:04\n" in said
    assert "on board, apart from these: 1 frame says 1958-01-01 00:00:00\n" in said


def test_noise_as_a_clock_is_bounded(tmp_path: Path) -> None:
    path = record(tmp_path / "pass.sqlite", [n * 7_000 * NS_PER_S for n in range(500)])
    with ArchiveReader(path) as reader:
        spans = reader.onboard_spans()
    assert len(spans) == 100


def test_onboard_times_at_the_ends_of_64_bits_are_spans(tmp_path: Path) -> None:
    path = record(tmp_path / "pass.sqlite", [2**63 - 1, 5, 1 - 2**63])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE frame SET scet = ? WHERE scet = ?", (-(2**63) + 1, 1 - 2**63))
    with ArchiveReader(path) as reader:
        assert [span.first for span in reader.onboard_spans()] == [1 - 2**63, 5, 2**63 - 1]

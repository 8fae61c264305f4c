"""Flights of a part of the pass: the same bytes as in the whole flight, and nothing judged that was not flown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from groundstation.host.clock import host_clock
from groundstation.recordings.reader import ArchiveReader
from hil.channel.frame_splitter import FrameSplitter
from hil.cli import cli
from hil.errors import NotForTarget, ScenarioError
from hil.faults import mission_time
from hil.rigs.deadline import planned_seconds
from hil.runs.run import Plan, check_plan, fly_plan, read_bundle
from hil.scenario.scenario import load_scenario, parse_scenario
from hil.targets import MACHINES
from hil.verdict.result import RunResult
from protocols.lander import LANDER
from protocols.profile import UART

NOISE = """
[[fault]]
kind = "bit_flip"
ber = 1e-4
[[fault]]
kind = "frame_drop"
p = 0.05
at = "09:08:00"
for = "180 s"
"""
UNPLUGGED = '[[fault]]\nkind = "unplug"\nat = "09:09:00"\nfor = "20 s"\n'
OF_THE_LOSS = {
    "golden_to_los",
    "last_good_frame",
    "los_time_error",
    "los_declared_late",
    "los_cause",
    "frames_after_los",
}
BUSY_HOST = {"interarrival_p99", "byte_to_published_p99", "los_declared_late"}


def text(more: str = "", begin: str | None = None, end: str | None = None) -> str:
    keys = [f'{key} = "{time}"\n' for key, time in (("from", begin), ("until", end)) if time is not None]
    return f'[scenario]\nid = "x"\n{"".join(keys)}{more}'


def fly(toml: str, folder: Path, target: str = "software", mode: str = "lockstep") -> tuple[RunResult, bytes]:
    plan = Plan(parse_scenario(toml), target, mode, folder, "", 20.0)  # type: ignore[arg-type]
    check_plan(plan)
    result = fly_plan(plan, host_clock, lambda scet: None)
    with ArchiveReader(folder / "recording.sqlite") as archive:
        return result, b"".join(data for _, _, data in archive.chunks())


def states(result: RunResult, *but: str) -> dict[str, str]:
    return {row.name: row.state for row in result.measurements if row.state not in ("PASS", *but)}


def not_applicable(result: RunResult) -> set[str]:
    return {row.name for row in result.measurements if row.state == "NA"}


def frames(stream: bytes) -> list[tuple[int | None, int | None]]:
    return [(cut.vcid, cut.scet) for cut in FrameSplitter(UART).feed(stream) if cut.vcid is not None]


@pytest.mark.parametrize("target", ["software", pytest.param("posix", marks=pytest.mark.long)])
def test_a_part_has_the_bytes_of_the_whole_flight(target: str, tmp_path: Path) -> None:
    if target in MACHINES and (lack := MACHINES[target].missing()) is not None:
        pytest.skip(lack)
    _, whole = fly(text(NOISE), tmp_path / "whole", target)
    last, end = fly(text(NOISE, "09:10:55"), tmp_path / "end", target)
    first, begin = fly(text(NOISE, None, "09:08:30"), tmp_path / "begin", target)
    middle, inside = fly(text(NOISE, "09:08:30", "09:10:55"), tmp_path / "middle", target)
    assert begin + inside + end == whole
    assert [last.state, first.state, middle.state] == ["PASS"] * 3
    assert not_applicable(last) == set()
    assert not_applicable(first) == not_applicable(middle) == OF_THE_LOSS


def test_the_part_begins_with_and_ends_before_its_times(tmp_path: Path) -> None:
    result, stream = fly(text("", "09:10:55", "09:10:56"), tmp_path / "part")
    found = [scet for vcid, scet in frames(stream) if vcid == LANDER]
    assert (found[0], found[-1], len(found)) == (mission_time("09:10:55"), mission_time("09:10:55.9"), 10)
    assert result.planned_los is None
    assert result.verdict.losses == []  # the end of the flight is no loss
    assert "flown from 09:10:55.000 until 09:10:56.000, 6 not applicable" in result.line


def test_rows_say_why_they_do_not_apply(tmp_path: Path) -> None:
    ping = '[[command]]\nat = "09:11:00"\nname = "PING"\n'
    limit = '[[limit]]\nname = "outage_lost"\nmax = 3\n'
    result, _ = fly(text(UNPLUGGED + ping + limit, "09:07:30", "09:08:00"), tmp_path / "part")
    notes = {row.name: row.note for row in result.measurements if row.state == "NA"}
    assert set(notes) == OF_THE_LOSS | {"fault[0] unplug", "command[1] PING", "outage_lost"}
    assert notes["los_cause"] == "not applicable: the flight ended at 09:08:00.000: 09:11:05.000 was not flown"
    assert notes["fault[0] unplug"] == "not applicable: the flight ended at 09:08:00.000: 09:09:00.000 was not flown"
    assert result.state == "PASS"


def test_a_loss_at_the_edges_of_a_part_does_not_apply(tmp_path: Path) -> None:
    early, _ = fly(text("", "09:11:04.8"), tmp_path / "early")
    late, _ = fly(text("", None, "09:11:05.2"), tmp_path / "late")
    seen, _ = fly(text("", "09:11:04.5", "09:11:05.5"), tmp_path / "seen")
    assert not_applicable(early) == not_applicable(late) == OF_THE_LOSS
    assert [early.state, late.state, seen.state] == ["PASS"] * 3
    assert {row.name: row.value for row in seen.measurements}["los_time_error"] == 0


def test_a_loss_that_is_declared_as_the_part_ends_is_judged(tmp_path: Path) -> None:
    result, _ = fly(text("", None, "09:11:05.3"), tmp_path / "part")
    rows = {row.name: row for row in result.measurements}
    assert (result.state, rows["los_time_error"].value, rows["los_cause"].value) == ("PASS", 0, "LANDER_ONLY")
    assert not_applicable(result) == {"golden_to_los", "frames_after_los"}


def test_a_cause_that_the_bus_has_yet_to_tell_does_not_apply(tmp_path: Path) -> None:
    crash = 'profile = "retros-never"\n[[loss]]\nat = "09:11:05.6"\ncause = "LANDER_ONLY"\n'
    result, _ = fly(text(crash, None, "09:11:06"), tmp_path / "part")  # declared at 05.9, the bus's frame comes at 06.0
    assert (result.state, "los_cause" in not_applicable(result)) == ("PASS", True)
    assert "LOS of a cause not known yet, error 0 ms" in result.line


@pytest.mark.parametrize(
    ("end", "state"), [("09:26:20", {"los_cause[surface]": "NA"}), ("09:26:30", {})], ids=["too early", "declared"]
)
def test_a_loss_of_a_slow_channel_has_its_own_time_out(end: str, state: dict[str, str], tmp_path: Path) -> None:
    loss = '[[loss]]\nchannel = "surface"\nat = "09:26:08"\ncause = "RELAY_SET"\n'
    result, _ = fly(text(f'profile = "soft-landing"\n{loss}', "09:25:20", end), tmp_path / "part")
    assert result.state == "PASS"
    assert {name: each for name, each in states(result).items() if "surface" in name} == state


SURFACE = '[[expect]]\nparameter = "SURFACE.temperature"\nmin = 228\n'
RISING = '[[expect]]\nparameter = "DESCENT.altitude"\nmonotonic = "decreasing"\n'
IMPACT = '[[expect]]\nparameter = "DESCENT.phase"\nbetween = [{ event = "IMPACT" }, "09:10:11"]\nequals = "CRASHED"\n'


@pytest.mark.parametrize(
    ("more", "begin", "end", "why"),
    [
        (f'profile = "soft-landing"\n{SURFACE}', None, "09:12:33", "no value of it was sent"),
        (f'profile = "soft-landing"\n{SURFACE}', "09:26:20", None, "no value of it was sent"),
        (
            f'profile = "parachute-fails"\n{IMPACT}',
            "09:10:02",
            None,
            "the window never opened: no onboard event IMPACT",
        ),
        (RISING, "09:09:00", "09:09:00.100", "one value of it was sent, with nothing before it"),
    ],
    ids=["between landing and surface", "after the bus has set", "after the impact", "one value"],
)
def test_what_the_target_does_not_send_in_a_part_is_not_expected(
    more: str, begin: str | None, end: str | None, why: str, tmp_path: Path
) -> None:
    result, _ = fly(text(more, begin, end), tmp_path / "part")
    (row,) = [row for row in result.measurements if row.name.startswith("expect")]
    assert (result.state, row.state) == ("PASS", "NA")
    assert row.note.startswith("not applicable: flown") and why in row.note


def test_what_was_sent_in_a_part_and_lost_fails(tmp_path: Path) -> None:
    silent = '[[fault]]\nkind = "silence"\nat = "09:13:20"\n'
    result, _ = fly(text(f'profile = "soft-landing"\n{SURFACE}{silent}', "09:12:33", "09:14:00"), tmp_path / "part")
    assert {name: state for name, state in states(result).items() if "expect" in name} == {
        "expect[0] SURFACE.temperature": "FAIL"
    }


def test_a_part_in_which_the_lander_is_silent_measures_no_latency_of_it(tmp_path: Path) -> None:
    result, _ = fly(text("", None, "09:06:03"), tmp_path / "part", mode="realtime")
    notes = {row.name: row.note for row in result.measurements if row.state == "NA"}
    assert notes["byte_to_published_p99"] == "not applicable: the lander sent nothing until 09:06:03.000"
    assert "UNSET" not in states(result, "NA").values()


def test_a_link_that_is_gone_when_the_part_begins_comes_back_in_it(tmp_path: Path) -> None:
    result, stream = fly(text(UNPLUGGED, "09:09:10", "09:10:00"), tmp_path / "part")
    assert frames(stream)[0][1] == mission_time("09:09:20")
    assert states(result, "NA") == {}
    assert {row.name: row.value for row in result.measurements}["fault[0] unplug"] == 1


@pytest.mark.parametrize(
    ("at", "end"), [("09:06:00", None), ("09:11:08", None), ("09:09:00", "09:09:30")], ids=["blackout", "lost", "heard"]
)
def test_no_signal_has_to_come_back_of_a_silent_lander(at: str, end: str | None, tmp_path: Path) -> None:
    unplugged = f'[[fault]]\nkind = "unplug"\nat = "{at}"\nfor = "3 s"\n'
    result, _ = fly(text(unplugged, None, end), tmp_path / "pass")
    (row,) = [row for row in result.measurements if row.name == "reacquisition"]
    if end is None:
        assert (result.state, row.state) == ("PASS", "NA")
        assert row.note == "not applicable: the lander sent nothing in the 2 s that it has for that"
    else:
        assert (row.state, row.value) == ("PASS", 0.2)


def test_a_wrong_stream_in_the_part_still_fails(tmp_path: Path) -> None:
    limited = '[[limit]]\nname = "frames_missing"\nequals = 0\n'
    result, _ = fly(text(NOISE + limited, "09:09:00", "09:10:00"), tmp_path / "part")
    assert states(result, "NA") == {"frames_missing": "FAIL"}


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        (text("", "09:10:00", "09:10:00"), r"scenario\.from: 09:10:00\.000 is not before the flight's end, 09:10:00"),
        (text("", "09:12:00"), r"scenario\.from: 09:12:00\.000 is not before the flight's end, 09:11:15"),
        (text("", None, "09:05:53"), r"scenario\.until: nothing is flown before 09:05:53"),
        (text("", "09:04:00"), r"scenario\.from: a mission time is between"),
        ('[scenario]\nid = "x"\nfrom = { frame = 3 }\n', r"scenario\.from: a mission time, as"),
        (
            text('[[command]]\nat = "09:08:00"\nname = "PING"\n', "09:09:00"),
            r"command\[0\]\.at: 09:08:00\.000 is before scenario\.from, 09:09:00\.000",
        ),
    ],
)
def test_a_part_that_cannot_be_flown_is_refused(toml: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        parse_scenario(toml)


@pytest.mark.parametrize(
    ("more", "place"),
    [
        (UNPLUGGED, "x.toml:6: fault[0].at"),
        ('[[command]]\nat = "09:09:00"\nname = "PING"\n', "x.toml:5: command[0].at"),
        ('[[loss]]\nat = "09:09:00"\ncause = "PORT"\n', "x.toml:5: loss[0].at"),
        (
            '[[expect]]\nparameter = "DESCENT.speed"\nbetween = ["09:09:00", "09:10:00"]\nmin = 1\n',
            "x.toml:6: expect[0].between",
        ),
    ],
)
def test_a_file_that_ends_before_what_it_asks_is_refused(more: str, place: str, tmp_path: Path) -> None:
    (file := tmp_path / "x.toml").write_text(text("", None, "09:08:00") + more, encoding="utf-8")
    with pytest.raises(ScenarioError, match=f"{re.escape(place)}: 09:09:00.000 is not before scenario.until, 09:08:00"):
        load_scenario(file)
    file.write_text(text(more), encoding="utf-8")
    load_scenario(file)  # with --until it is left to the flight: a row that does not apply


def test_in_real_time_no_link_is_unplugged_before_the_part(tmp_path: Path) -> None:
    plan = Plan(parse_scenario(text(UNPLUGGED, "09:09:10")), "software", "realtime", tmp_path / "part", "")
    with pytest.raises(NotForTarget, match=r"fault\[0\]\.kind: unplug: it has to act at a mission time from 09:09:10"):
        check_plan(plan)


def test_the_planned_end_of_a_part_counts_the_part_alone() -> None:
    assert planned_seconds(parse_scenario(text("", "09:10:53", "09:11:03")), 2) == pytest.approx(5)
    assert planned_seconds(parse_scenario(text("", "09:10:53")), 2) == pytest.approx(11)
    assert planned_seconds(parse_scenario(text(UNPLUGGED, None, "09:09:10")), 1) == pytest.approx(197)


def test_options_choose_the_part_and_replay_keeps_it(tmp_path: Path) -> None:
    words = ["run", "los-091105", "--from", "09:10:55", "--until", "09:11:10", "--report", str(tmp_path / "out")]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    bundle = tmp_path / "out" / "runs" / "los-091105-software"
    assert read_bundle(bundle).replay.endswith("--from 09:10:55 --until 09:11:10")
    again = CliRunner().invoke(cli, ["replay", str(bundle)])
    assert "the same bytes, sent and received" in again.output


@pytest.mark.alone
@pytest.mark.parametrize(
    "target",
    [
        "software",
        pytest.param("qemu", marks=pytest.mark.long),
        pytest.param("simavr", marks=pytest.mark.long),
    ],
)
def test_a_part_in_real_time_has_the_frames_of_lockstep(target: str, tmp_path: Path) -> None:
    if target in MACHINES and (lack := MACHINES[target].missing()) is not None:
        pytest.skip(lack)
    toml = text(NOISE, "09:10:40", "09:11:00")
    _, stepped = fly(toml, tmp_path / "lockstep")
    result, stream = fly(toml, tmp_path / "realtime", target, "realtime")
    rows = {row.name: row.value for row in result.measurements}
    assert not result.error
    assert frames(stream) == frames(stepped)  # with the same ones lost and damaged
    assert len(stream) == len(stepped)
    assert (rows["stream_equal"], rows["received_equal"], rows["bytes_accounted"]) == (True, True, True)
    assert {name: state for name, state in states(result, "NA").items() if name not in BUSY_HOST} == {}

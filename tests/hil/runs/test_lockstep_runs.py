"""Scenarios flown in lockstep: every shipped one passes, and one that is broken fails for just that reason."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from groundstation.recordings.reader import ArchiveReader
from hil.channel.frame_splitter import FrameSplitter
from hil.errors import ScenarioError
from hil.runs.run import Plan, check_plan, fly_plan, read_bundle
from hil.scenario.scenario import SCENARIOS, Scenario, load_scenario, parse_scenario
from hil.verdict.result import RunResult
from protocols.declare.dictionary import utc_ns
from protocols.profile import UART

LOS = utc_ns("1974-03-12T09:11:05")
GOLDEN = Path(__file__).parents[2] / "golden" / "historical.sha256"
BASE = (SCENARIOS / "los-091105.toml").read_text(encoding="utf-8")


def fly(scenario: Scenario, folder: Path, target: str = "software", name: str = "run") -> RunResult:
    plan = Plan(scenario, target, "lockstep", folder / name, "hil run")
    check_plan(plan)
    return fly_plan(plan, lambda: 0, lambda scet: None)


def failed(result: RunResult) -> dict[str, object]:
    return {row.name: row.value for row in result.measurements if row.state != "PASS"}


QUICK = {"los-091105", "commands-during-descent", "noisy-descent", "reacquisition"}
"""One of each kind; `make scenarios` flies all."""


def _shipped(path: Path) -> object:
    return pytest.param(path, id=path.stem, marks=() if path.stem in QUICK else pytest.mark.long)


@pytest.mark.parametrize("path", [_shipped(path) for path in sorted(SCENARIOS.glob("*.toml"))])
def test_shipped(path: Path, tmp_path: Path) -> None:
    result = fly(load_scenario(path), tmp_path)
    assert result.state == "PASS", failed(result)
    assert result.passed


def test_the_centre_piece(tmp_path: Path) -> None:
    result = fly(parse_scenario(BASE), tmp_path)
    values = {row.name: row.value for row in result.measurements}
    assert result.provenance["sent sha256"] == GOLDEN.read_text().strip()
    assert values["los_time_error"] == 0
    assert values["los_declared_late"] == 0
    assert values["golden_to_los"] is True
    assert values["los_cause"] == "SILENCE"
    assert (result.planned_los, result.observed_los) == (LOS, LOS)
    assert result.counters.frames_lost == result.counters.frames_rejected == 0


def test_a_drop_that_comes_100_ms_late(tmp_path: Path) -> None:
    """The bus still says one frame, stamped 09:11:05.000: so it is no silence, and there is a frame too many."""
    result = fly(parse_scenario(BASE.replace('at = "09:11:05"', 'at = "09:11:05.1"', 1)), tmp_path)
    assert failed(result) == {"golden_to_los": False, "los_cause": "LANDER_ONLY", "frames_after_los": 1}
    assert result.mismatch is not None
    assert result.mismatch.scet == LOS
    assert result.mismatch.found.endswith(result.mismatch.found[64:])
    assert len(result.mismatch.found) > len(result.mismatch.expected)


def test_one_flipped_byte(tmp_path: Path) -> None:
    flip = '[[fault]]\nkind = "bit_flip"\noffset = 60\nmask = 0xFF\nat = "09:10:00"\nfor = { frames = 1 }\n'
    result = fly(parse_scenario(BASE + flip), tmp_path)
    assert failed(result) == {"golden_to_los": False, "frames_missing": 1}
    mismatch = result.mismatch
    assert mismatch is not None
    assert mismatch.scet == utc_ns("1974-03-12T09:10:00")
    assert mismatch.offset % 132 == 60
    at = 2 * (mismatch.offset - mismatch.start)
    assert int(mismatch.expected[at : at + 2], 16) ^ int(mismatch.found[at : at + 2], 16) == 0xFF
    assert mismatch.expected[at + 2 :] == mismatch.found[at + 2 :]


def test_one_lost_frame(tmp_path: Path) -> None:
    lost = '[[fault]]\nkind = "frame_drop"\nat = "09:10:00"\nfor = { frames = 1 }\n'
    result = fly(parse_scenario(BASE + lost), tmp_path)
    assert failed(result) == {"golden_to_los": False, "frames_missing": 1}
    assert result.mismatch is not None
    assert result.mismatch.scet == utc_ns("1974-03-12T09:10:00")


def test_an_unplanned_loss(tmp_path: Path) -> None:
    gap = '[[fault]]\nkind = "frame_drop"\nat = "09:10:00"\nfor = "1 s"\n'
    loss = '[[loss]]\nat = "09:11:05"\ncause = "LANDER_ONLY"\n'
    assert fly(parse_scenario('[scenario]\nid = "x"\n' + gap), tmp_path, name="unlisted").state == "PASS"
    result = fly(parse_scenario('[scenario]\nid = "x"\n' + gap + loss), tmp_path)
    assert failed(result) == {"false_los": 1}


def test_a_false_loss_is_told_by_its_own_row_alone(tmp_path: Path) -> None:
    """Noise between a cable that is pulled and the end: one loss too many is no loss too few."""
    text = '[scenario]\nid = "x"\n[[fault]]\nkind = "unplug"\nat = "09:09:00"\nfor = "4 s"\n'
    text += '[[fault]]\nkind = "frame_drop"\nat = "09:10:00"\nfor = "1 s"\n'
    text += '[[loss]]\nat = "09:09:00"\ncause = "PORT"\n[[loss]]\nat = "09:11:05"\ncause = "LANDER_ONLY"\n'
    result = fly(parse_scenario(text), tmp_path, name="strict")
    assert failed(result) == {"false_los": 1}
    result = fly(parse_scenario(text + '[[limit]]\nname = "false_los"\nmax = 20\n'), tmp_path, name="allowed")
    assert failed(result) == {}
    assert {row.name: row.value for row in result.measurements}["losses"] == 3


def test_a_planned_loss_that_does_not_come(tmp_path: Path) -> None:
    text = '[scenario]\nid = "x"\n[[loss]]\nat = "09:09:00"\ncause = "SILENCE"\n'
    text += '[[loss]]\nat = "09:11:05"\ncause = "LANDER_ONLY"\n'
    result = fly(parse_scenario(text), tmp_path)
    assert result.state == "FAIL"
    assert failed(result)["los_cause[2]"] is None
    (row,) = [row for row in result.measurements if row.name == "losses"]
    assert (row.value, row.limit, row.note) == (1, "≥ 2", "2 are planned")
    assert {row.state for row in result.measurements if row.name == "los_cause[2]"} == {"UNSET"}


def test_a_target_that_dies_is_a_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hil.rigs import stepped_target as stepped
    from hil.targets import MachineFailed

    class Mortal(stepped.SteppedSoftware):
        console = "HardFault at 0x08000123"

        def advance(self, ticks: int, uplink: object) -> list[bytes]:
            if self.steps >= 1500:
                raise MachineFailed("software ended: HardFault at 0x08000123")
            return super().advance(ticks, [])

    monkeypatch.setitem(stepped.STEPPED, "software", Mortal)
    result = fly(parse_scenario(BASE), tmp_path)
    assert not result.passed
    assert "HardFault" in result.error
    assert "HardFault" in result.line
    assert (tmp_path / "run" / "console.txt").read_text() == "HardFault at 0x08000123"
    assert result.counters.frames_good > 500
    with ArchiveReader(tmp_path / "run" / "recording.sqlite") as archive:
        assert archive.closed


@pytest.mark.parametrize(
    ("hangs", "told"),
    [
        (True, "software does not answer: 0 of 264 bytes came at tick 1000: it says nothing"),
        (False, "software sent less than the reference: 0 of 132 bytes came at tick 1099; it answers a PING"),
    ],
)
def test_a_target_that_falls_short_is_told_with_its_tick_and_start(
    hangs: bool, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lander's 121st frame, that of tick 1,000, does not come; nor does any behind it from a target that hangs."""
    from hil.rigs import stepped_target as stepped
    from hil.targets.base import Sink
    from hil.targets.software import SoftwareMachine
    from hil.targets.stepping import SteppedMachine

    def hanging(sink: Sink) -> SoftwareMachine:
        splitter, hung = FrameSplitter(UART), False

        def some(data: bytes) -> None:
            nonlocal hung
            for frame in splitter.feed(data):
                missing = (frame.vcid, frame.vcfc) == (0, 120)
                hung = hung or (missing and hangs)
                if not (hung or missing):
                    sink(frame.data)

        return SoftwareMachine(some)

    monkeypatch.setattr("hil.targets.stepping.ANSWER_TIMEOUT_S", 2.0)
    monkeypatch.setitem(stepped.STEPPED, "software", lambda: SteppedMachine(hanging))
    result = fly(parse_scenario(BASE), tmp_path)
    rows = {row.name: row for row in result.measurements}
    assert rows["stream_equal"].value is False
    assert ("no frame, expected a frame of VC0" if hangs else "frame VCID 2, expected 0") in rows["stream_equal"].note
    assert result.error == told
    assert result.verdict.exit_code == 20
    assert result.provenance["reset reason"] == "POWER_ON"


@pytest.mark.parametrize(("ticks", "ends", "left_out"), [(2, True, 1), (2, False, 2), (5, False, 2)])
def test_a_commanded_frame_rate_is_not_a_failure(tmp_path: Path, ticks: int, ends: bool, left_out: int) -> None:
    """The oracle sends as few frames; with 5 ticks the signal is lost at the command, and found again at that pace."""
    rate = '[[command]]\nat = "09:0{}:00"\nname = "FRAME_RATE"\nargs.period = {}\n'
    result = fly(parse_scenario('[scenario]\nid = "x"\n' + rate.format(8, ticks) + rate.format(9, 1) * ends), tmp_path)
    assert result.state == "PASS"
    assert {row.name: row.value for row in result.measurements}["los_time_error"] == 0
    assert [row.state for row in result.measurements].count("NA") == left_out


def test_the_bundle_has_it_all(tmp_path: Path) -> None:
    flip = '[[fault]]\nkind = "bit_flip"\nber = 1e-4\n[[command]]\nat = "09:08:00"\nname = "PING"\n'
    result = fly(parse_scenario(BASE + flip), tmp_path)
    bundle = tmp_path / "run"
    assert read_bundle(bundle) == result
    assert {path.name for path in bundle.iterdir()} == {*result.artefacts.values(), "result.json"}
    capture = [json.loads(line) for line in (bundle / "capture.jsonl").read_text().splitlines()]
    down = b"".join(bytes.fromhex(piece["data"]) for piece in capture if piece["direction"] == "down")
    with ArchiveReader(bundle / "recording.sqlite") as archive:
        assert b"".join(data for _, _, data in archive.chunks()) == down
    assert any(piece["direction"] == "up" for piece in capture)
    faults = [json.loads(line) for line in (bundle / "faults.jsonl").read_text().splitlines()]
    assert len(faults) == sum(summary.occurrences for summary in result.faults)
    with pytest.raises(ScenarioError, match="not a run bundle"):
        read_bundle(tmp_path)


def test_what_cannot_be_flown_is_refused_before() -> None:
    def plan(text: str, target: str = "software") -> Plan:
        return Plan(parse_scenario('[scenario]\nid = "x"\n' + text), target, "lockstep", Path("nowhere"), "")

    with pytest.raises(ScenarioError, match="for realtime, not for lockstep"):
        check_plan(plan('modes = ["realtime"]\n'))
    with pytest.raises(ScenarioError, match=r"for board, not for software \(scenario\.targets\)"):
        check_plan(plan('targets = ["board"]\n'))
    flip = '[[fault]]\nkind = "memory_flip"\nat = "09:08:00"\naddress = 0x20000000\n'
    with pytest.raises(ScenarioError, match=r"fault\[0\]\.kind: memory_flip: the target software cannot do that"):
        check_plan(plan(flip))
    check_plan(plan(flip, "qemu"))


@pytest.mark.parametrize("kind", ["power_off", "hang", "peer_stopped", "unplug", "hangup", "peer_killed"])
def test_what_is_undone(kind: str, tmp_path: Path) -> None:
    text = f'[scenario]\nid = "x"\n[[fault]]\nkind = "{kind}"\nat = "09:09:00"\nfor = "3 s"\n'
    cause = {"unplug": "PORT", "hangup": "PORT", "peer_killed": "RELAY"}.get(kind, "SILENCE")
    text += f'[[loss]]\nat = "09:09:00"\ncause = "{cause}"\n'
    if kind not in ("power_off", "hang"):
        text += '[[loss]]\nat = "09:11:05"\ncause = "LANDER_ONLY"\n'
    if kind == "hang":  # it goes on three seconds late by its own clock, which is what its frames carry
        text += '[[loss]]\nat = "09:11:05"\ncause = "LANDER_ONLY"\n'
    result = fly(parse_scenario(text), tmp_path)
    assert result.state == "PASS", failed(result)


@pytest.mark.parametrize("target", ["posix", pytest.param("qemu", marks=pytest.mark.long), "simavr"])
@pytest.mark.target
def test_machines(target: str, tmp_path: Path) -> None:
    from tests.targets.bench import require

    require(target)
    result = fly(parse_scenario(BASE), tmp_path, target)
    assert result.state == "PASS", failed(result)
    again = fly(parse_scenario(BASE), tmp_path, target, "again")
    assert again.provenance["sent sha256"] == result.provenance["sent sha256"]
    noisy = load_scenario(SCENARIOS / "commands-during-descent.toml")
    result = fly(noisy, tmp_path, target, "commanded")
    assert result.state == "PASS", failed(result)


def values(result: RunResult) -> dict[str, object]:
    return {row.name: row.value for row in result.measurements}


def test_frames_that_come_twice_are_no_loss_and_degrade_nothing(tmp_path: Path) -> None:
    dup = '[[fault]]\nkind = "frame_dup"\np = 0.05\nat = "09:08:00"\nfor = "60 s"\n'
    result = fly(parse_scenario('[scenario]\nid = "x"\n' + dup), tmp_path)
    added = len(result.applied)
    assert added > 10
    assert (result.state, result.counters.frames_lost, result.counters.frames_duplicate) == ("PASS", 0, added)
    with ArchiveReader(tmp_path / "run" / "recording.sqlite") as archive:
        states = [json.loads(event.body)["state"] for event in archive.events("contact")]
    assert "DEGRADED" not in states


@pytest.mark.parametrize("seconds", [0.2, 25.6, 25.7, 51.2, 77])
def test_the_verdict_knows_what_an_outage_lost(seconds: float, tmp_path: Path) -> None:
    fault = f'[[fault]]\nkind = "silence"\nat = "09:08:40"\nfor = "{seconds} s"\n'
    result = fly(parse_scenario('[scenario]\nid = "x"\n' + fault), tmp_path)
    lost = round(seconds * 10)
    assert (result.state, values(result)["frames_missing"]) == ("PASS", lost)
    assert values(result)["outage_lost"] == lost
    assert result.counters.frames_lost == lost + math.ceil(seconds)  # the bus sends one a second


@pytest.mark.long
@pytest.mark.parametrize("fault", ["BOND", "FLIPS_AFTER_CRC", "FLIPS_BEFORE_CRC", "STUCK_WORDS"])
@pytest.mark.parametrize("level", [1, 40, 100])
def test_a_chip_that_fails_fails_no_run(fault: str, level: int, tmp_path: Path) -> None:
    inject = '[[command]]\nat = "09:08:00"\nname = "INJECT_FAULT"\n'
    inject += f'args = {{ fault = "{fault}", level = {level}, seed = 3 }}\n'
    clear = '[[command]]\nat = "09:08:40"\nname = "CLEAR_FAULTS"\nargs = { fault = "ALL" }\n'
    result = fly(parse_scenario('[scenario]\nid = "x"\n' + inject + clear), tmp_path)
    assert result.state == "PASS", failed(result)


@pytest.mark.parametrize("kind", ["byte_dup", "byte_insert"])
@pytest.mark.parametrize("value", [0x1A, 0xCF, 0x1D])
def test_asm_bytes_that_a_fault_adds_fail_no_run(kind: str, value: int, tmp_path: Path) -> None:
    more = f"value = {value}\n" if kind == "byte_insert" else ""
    text = f'[[fault]]\nkind = "{kind}"\np = 0.01\nburst = {value % 5 + 1}\n{more}at = "09:08:00"\nfor = "60 s"\n'
    result = fly(parse_scenario('[scenario]\nid = "x"\n' + text), tmp_path)
    assert result.state == "PASS", failed(result)


@pytest.mark.parametrize("loud", [False, True])
def test_a_station_that_drops_a_frame_is_found_out(loud: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check still bites: one good frame in a descent is not given out, or given out as a reject."""
    from groundstation.downlink import receiver
    from protocols.sync.deframer import Deframer, Frame, Reject

    class Careless(Deframer):
        seen = 0

        def feed(self, data: bytes) -> list[Frame | Reject]:
            found: list[Frame | Reject] = []
            for item in super().feed(data):
                self.seen += isinstance(item, Frame)
                if isinstance(item, Frame) and self.seen == 1500:
                    found += [Reject(item.offset, UART.asm + item.data, "CRC")] if loud else []
                else:
                    found.append(item)
            return found

    monkeypatch.setattr(receiver, "Deframer", Careless)
    fault = '[[fault]]\nkind = "byte_insert"\np = 0.005\nvalue = 0x1A\nat = "09:08:00"\nfor = "60 s"\n'
    result = fly(parse_scenario('[scenario]\nid = "x"\n' + fault), tmp_path)
    wrong = failed(result)
    assert wrong["frames_lost"] == 1
    assert ("crc_rejects_unpredicted" in wrong) == loud


def test_a_station_that_miscounts_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from protocols.counts import FrameStep, FrameTotals, Lost

    def add(self: FrameTotals, step: FrameStep) -> None:
        self.frames += 1
        self.lost += Lost(255) if step.kind == "DUPLICATE" else step.lost

    monkeypatch.setattr(FrameTotals, "add", add)
    dup = '[[fault]]\nkind = "frame_dup"\np = 0.01\nat = "09:08:00"\nfor = "60 s"\n'
    result = fly(parse_scenario('[scenario]\nid = "x"\n' + dup), tmp_path)
    assert failed(result).keys() == {"lost_miscounted", "duplicates_miscounted"}

"""What cannot happen is refused before the flight; what did not happen, although it could, does not pass."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from hil.channel.frame_splitter import FrameSplitter
from hil.cli import cli
from hil.errors import NeverHappens, NotForTarget
from hil.lander.flight_profile import PASSES, FlightPlan, FlightProfile
from hil.lander.physics.dynamics import TICK_NS
from hil.runs.run import Plan, check_plan, fly_plan
from hil.scenario.feasibility import EVENTS, FIRST_LANDER, check_feasible
from hil.scenario.scenario import SCENARIOS, load_scenario, parse_scenario
from hil.targets.telecommands import start_script
from hil.verdict.oracle import fly as oracle
from hil.verdict.result import RunResult
from protocols.lander import BUS, EPOCH, LANDER, MARS6, SURFACE
from protocols.profile import UART

HEAD = '[scenario]\nid = "x"\n'
SILENCE = '[[fault]]\nkind = "silence"\n'
PING = '[[command]]\nat = "09:08:00"\nname = "PING"\n'
LANDING = '[[command]]\nat = "09:06:00"\nname = "SELECT_PROFILE"\nargs = { profile = "SOFT_LANDING" }\n'
FAILED = 'profile = "parachute-fails"\n'
CUTS = FrameSplitter(UART, MARS6).feed(b"".join(burst.data for burst in oracle()))
DEPLOY = '[[command]]\nat = "09:07:30"\nname = "DEPLOY_PARACHUTE"\n'
LANDED = 'profile = "soft-landing"\n'


def check(text: str, target: str = "software", mode: str = "lockstep") -> None:
    check_plan(Plan(parse_scenario(HEAD + text), target, mode, Path("nowhere"), ""))  # type: ignore[arg-type]


def flown(text: str, folder: Path) -> RunResult:
    plan = Plan(parse_scenario(HEAD + text), "software", "lockstep", folder / "run", "")
    check_plan(plan)
    return fly_plan(plan, lambda: 0, lambda scet: None)


def rows(result: RunResult) -> dict[str, tuple[object, str]]:
    return {row.name: (row.value, row.state) for row in result.measurements if row.name.startswith("fault")}


@pytest.mark.parametrize("profile", get_args(FlightProfile))
def test_what_is_foreseen_is_what_the_oracle_sends(profile: FlightProfile) -> None:
    cuts = FrameSplitter(UART, MARS6).feed(
        b"".join(burst.data for burst in oracle(script=start_script(1, FlightPlan(profile)), ready=True))
    )
    plan, lander = PASSES[profile], [cut.scet for cut in cuts if cut.vcid == LANDER and cut.scet is not None]
    if profile != "degraded":  # whose chip damages frames: what is left of the events is left to chance
        assert len(cuts) == plan.frames
        assert {event for cut in cuts for event in cut.events} == EVENTS[profile]
        assert (lander[0], lander[-1]) == (FIRST_LANDER, plan.loss - TICK_NS)
    surface = [(cut.scet - EPOCH) // TICK_NS for cut in cuts if cut.vcid == SURFACE and cut.scet is not None]
    assert surface == plan.surface_ticks
    assert max(cut.scet for cut in cuts if cut.vcid == BUS and cut.scet is not None) == plan.last_frame


@given(st.integers(0, 3_210_000), st.integers(1, 1500))
def test_a_window_is_refused_if_and_only_if_no_frame_is_in_it(begin_ms: int, length_ms: int) -> None:
    begin = EPOCH + begin_ms * 10**6 // 10
    seconds, ms = divmod(begin_ms // 10, 1000)
    begin = EPOCH + (seconds * 1000 + ms) * 10**6
    at = 9 * 3600 + 5 * 60 + 53 + seconds
    clock = f"{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}.{ms:03}"
    scenario = parse_scenario(f'{HEAD}{SILENCE}at = "{clock}"\nfor = "{length_ms} ms"\n')
    inside = [cut for cut in CUTS if cut.scet is not None and begin <= cut.scet < begin + length_ms * 10**6]
    try:
        check_feasible(scenario)
    except NeverHappens:
        assert not inside
    else:
        assert inside


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            SILENCE + "at = { frame = 999999 }\n",
            r"fault\[0\]\.at: there is no frame 999,999: the pass has 2,562 frames",
        ),
        (SILENCE + "at = { frame = 2562 }\n", r"fault\[0\]\.at: there is no frame 2,562"),
        (SILENCE + "at = { byte = 338184 }\n", r"fault\[0\]\.at: there is no byte 338,184: the pass has 338,184 bytes"),
        (PING + SILENCE + "at = { frame = 999999 }\n", r"there is no frame 999,999: the pass has no more than 2,662"),
        (SILENCE + 'at = "09:11:14.001"\n', r"fault\[0\]\.at: the pass sends its last frame at 09:11:14\.0"),
        (SILENCE + 'at = "09:06:00.5"\nfor = "300 ms"\n', r"fault\[0\]\.for: no frame is stamped from 09:06:00\.500"),
        (SILENCE + 'at = { event = "BOOT" }\n', r"fault\[0\]\.at: this pass has no event BOOT; it has ALTIMETER_LOCK"),
        (SILENCE + 'dir = "up"\n', r"fault\[0\]\.dir: \"up\" has nothing to act on: .* no \[\[command\]\]"),
        (
            PING + SILENCE + 'dir = "up"\nat = "09:07:00"\nfor = "60 s"\n',
            r"fault\[0\]\.for: over at 09:08:00\.000, before",
        ),
        ('[[fault]]\nkind = "unplug"\nat = { frame = 2562 }\n', r"fault\[0\]\.at: there is no frame 2,562"),
        ('[[fault]]\nkind = "reset"\nat = "09:12:00"\n', r"fault\[0\]\.at: the pass sends its last frame"),
        ('[[command]]\nat = "09:11:14.1"\nname = "PING"\n', r"command\[0\]\.at: .* it would never be given"),
        ('[[loss]]\nat = "09:07:21.2"\ncause = "SILENCE"\n', r"loss\[0\]\.at: .* can be lost after 09:07:21\.2"),
        ('[[loss]]\nat = "09:11:05.1"\ncause = "SILENCE"\n', r"loss\[0\]\.at: .* and not after 09:11:05\.0"),
        ('[[limit]]\nname = "reacquisition"\nmax = 1\n', r"limit\[0\]: no fault takes the link away and gives it back"),
        ('[[limit]]\nname = "byte_to_published_p99"\nmax = 1\n', r'limit\[0\]: in lockstep .*: add mode = "realtime"'),
        (PING + '[[limit]]\nname = "command[2]"\nequals = "FAILED"\n', r"limit\[0\]\.name: there is no command\[2\]"),
        (
            '[[limit]]\nname = "frames_lost[2]"\nmax = 1\n',
            r"limit\[0\]\.name: there is no frames_lost\[2\]: .* one row",
        ),
        ('[[limit]]\nname = "fault[0]"\nmin = 1\n', r"limit\[0\]\.name: there is no fault\[0\]"),
        (LANDED + SILENCE + "at = { frame = 3597 }\n", r"there is no frame 3,597: the pass has 3,597 frames"),
        (LANDED + SILENCE + 'at = { event = "IMPACT" }\n', r"this pass has no event IMPACT"),
        (LANDED + '[[loss]]\nat = "09:11:05.9"\ncause = "SILENCE"\n', r"loss\[0\]\.at: .* not after 09:11:05\.8"),
        (FAILED + SILENCE + 'at = { event = "DROGUE" }\n', r"this pass has no event DROGUE; it has BLACKOUT_END"),
        (FAILED + SILENCE + 'at = "09:10:12"\n', r"fault\[0\]\.at: the pass sends its last frame at 09:10:11\.0:"),
    ],
)
def test_what_cannot_happen_is_refused(text: str, told: str) -> None:
    with pytest.raises(NeverHappens, match=told):
        check(text)


@pytest.mark.parametrize(
    "text",
    [
        SILENCE + "at = { frame = 2561 }\n",
        SILENCE + "at = { byte = 338183 }\n",
        SILENCE + 'at = "09:11:14"\n',
        SILENCE + 'at = "09:06:00"\nfor = "1 ms"\n',
        PING + SILENCE + 'at = "09:06:00.5"\nfor = "300 ms"\n',  # an answer may be in it
        PING + SILENCE + 'dir = "up"\nat = "09:07:00"\nfor = "60.1 s"\n',
        LANDING + SILENCE + 'at = "09:12:00"\n',
        LANDED + SILENCE + 'at = "09:13:28"\nfor = "100 ms"\n',
        LANDED + '[[loss]]\nat = "09:11:05.8"\ncause = "SILENCE"\n',
        LANDED + DEPLOY + '[[loss]]\nat = "09:14:00"\ncause = "LANDER_ONLY"\n',  # it falls for longer
        '[[limit]]\nname = "byte_to_published_p99"\nmax = 1\nmode = "realtime"\n',
    ],
)
def test_what_can_happen_is_not_refused(text: str) -> None:
    check(text)


def test_a_machine_in_lockstep_sends_one_frame_before_the_pass() -> None:
    check(SILENCE + "at = { frame = 2562 }\n", "posix")
    with pytest.raises(NeverHappens, match="2,563 frames"):
        check(SILENCE + "at = { frame = 2563 }\n", "posix")
    with pytest.raises(NeverHappens, match="2,562 frames"):
        check(SILENCE + "at = { frame = 2562 }\n", "posix", "realtime")
    with pytest.raises(NotForTarget, match="HOLD is for real time"):
        check(PING.replace("PING", "HOLD"), "posix")


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_ones_can_happen(path: Path) -> None:
    check_feasible(load_scenario(path))


def test_what_cannot_happen_ends_a_command_with_2(tmp_path: Path) -> None:
    for name, text in (("plain", ""), ("never", SILENCE + "at = { frame = 999999 }\n")):
        (tmp_path / f"{name}.toml").write_text(HEAD.replace('"x"', f'"{name}"') + text)
    vary = '[[fault]]\nkind = "silence"\n[[vary]]\nfault = 0\nkey = "at"\nlow = "09:08:00"\nhigh = "09:13:00"\n'
    (tmp_path / "vary.toml").write_text(HEAD.replace('"x"', '"vary"') + vary)
    for words in (["run", "never.toml"], ["run", "."], ["fly", "never.toml"], ["campaign", "never.toml"]):
        done = CliRunner().invoke(cli, [words[0], str(tmp_path / words[1])])
        assert getattr(done.exception, "exit_code", 0) == 2, done.output
        assert "there is no frame 999,999" in str(done.exception)
    done = CliRunner().invoke(cli, ["campaign", str(tmp_path / "vary.toml"), "--runs", "1"])
    assert "vary[0]: vary: fault[0].at: the pass sends its last frame" in str(done.exception)


def test_each_fault_is_a_row_with_what_it_did(tmp_path: Path) -> None:
    text = '[[fault]]\nkind = "frame_drop"\nat = "09:09:00"\nfor = { frames = 3 }\n'
    text += '[[fault]]\nkind = "byte_drop"\np = 1e-9\n'  # may do nothing: chance has its say
    text += '[[fault]]\nkind = "unplug"\nat = "09:10:00"\nfor = "200 ms"\n'
    result = flown(text, tmp_path)
    assert rows(result) == {
        "fault[0] frame_drop": (3, "PASS"),
        "fault[1] byte_drop": (0, "PASS"),
        "fault[2] unplug": (1, "PASS"),
    }
    notes = [row.note for row in result.measurements if row.name.startswith("fault")]
    assert notes[0] == "planned at 09:09:00.000; acted 3 times on 396 bytes in its window: 396 bytes lost"
    assert notes[1].startswith("planned from the start; acted 0 times on 337,")
    assert notes[2].startswith("planned at 09:10:00.000; acted 1 time: 3")


def test_a_fault_that_never_acted_does_not_pass(tmp_path: Path) -> None:
    """The first one leaves the others nothing."""
    text = SILENCE + 'at = "09:08:00"\n[[fault]]\nkind = "byte_drop"\np = 0.5\nat = "09:09:00"\n'
    text += '[[fault]]\nkind = "frame_drop"\nat = "09:09:00"\n[[loss]]\nat = "09:08:00"\ncause = "SILENCE"\n'
    result = flown(text, tmp_path)
    assert rows(result) == {
        "fault[0] silence": (1850 + 195, "PASS"),
        "fault[1] byte_drop": (0, "FAIL"),
        "fault[2] frame_drop": (0, "FAIL"),
    }
    assert result.state == "FAIL"


def test_a_fault_that_may_do_nothing_has_a_limit_of_its_own(tmp_path: Path) -> None:
    """A rate that is 2.1 % off is heard as it was sent."""
    text = '[[fault]]\nkind = "wrong_baud"\nheard = 117600\nat = "09:08:00"\nfor = "2 s"\n'
    assert rows(flown(text, tmp_path / "a")) == {"fault[0] wrong_baud": (0, "FAIL")}
    text += '[[limit]]\nname = "fault[0]"\nequals = 0\n'
    result = flown(text, tmp_path / "b")
    assert rows(result) == {"fault[0] wrong_baud": (0, "PASS")}
    assert result.state == "PASS"


def test_a_limit_that_was_never_applied_does_not_pass(tmp_path: Path) -> None:
    text = '[[fault]]\nkind = "stall"\nat = "09:08:00"\nfor = "200 ms"\n'
    result = flown(text + '[[limit]]\nname = "interarrival_p99"\nmax = 1000\n', tmp_path)
    (row,) = [row for row in result.measurements if row.name == "interarrival_p99"]
    assert (row.value, row.state, result.state) == (None, "UNSET", "UNSET")
    assert row.note == "this flight has no such measurement, so that the limit was never applied"

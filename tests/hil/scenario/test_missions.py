"""Scenarios of missions without an oracle: their times, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.errors import ScenarioError
from hil.faults import At
from hil.scenario.scenario import anchored, load_scenario, parse_scenario
from protocols.declare.dictionary import utc_ns
from protocols.lander import EPOCH

SPARROW = Path(__file__).parents[3] / "examples/sparrow/sparrow.py"
HEAD = f'[scenario]\nid = "x"\nmission = "{SPARROW}"\n'
OPEN = f'{HEAD}until = "+9 s"\n'
FIRST = utc_ns("2031-05-01T12:00:00")


def test_times_count_from_the_first_packet() -> None:
    text = (
        OPEN + '[[fault]]\nkind = "silence"\nat = "+1.5 s"\n[[command]]\nname = "PING"\nat = "2031-05-01T12:00:03Z"\n'
    )
    text += '[[expect]]\nparameter = "HK.battery"\nmin = 7\nbetween = ["+1 s", "+2 s"]\n'
    scenario = anchored(parse_scenario(text), FIRST)
    second = 10**9
    assert scenario.faults[0].at == At("scet", FIRST + 3 * second // 2)
    assert scenario.commands[0].at == At("scet", FIRST + 3 * second)
    assert scenario.expectations[0].between == (At("scet", FIRST + second), At("scet", FIRST + 2 * second))
    assert (scenario.head.part.start, scenario.head.part.end) == (FIRST, FIRST + 9 * second)


def test_of_mars_6_they_count_from_entry() -> None:
    text = '[scenario]\nid = "x"\n[[fault]]\nkind = "silence"\nat = "+10 s"\n'
    assert parse_scenario(text).faults[0].at == At("scet", EPOCH + 10**10)
    with pytest.raises(ScenarioError, match=r"fault\[0\]\.at: a mission time is between"):
        parse_scenario(text.replace("+10 s", "+22 min"))


def test_no_loss_is_planned_and_real_time_is_the_only_mode() -> None:
    scenario = parse_scenario(OPEN)
    assert (scenario.losses, scenario.head.modes, scenario.head.has_oracle) == ([], ["realtime"], False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD, r"scenario\.until: SPARROW has no planned end: say when the flight ends, as \"\+30 s\""),
        (OPEN + "speed = 2\n", r"scenario\.speed: not of SPARROW, which has no oracle"),
        (OPEN + 'from = "+1 s"\n', r"scenario\.from: not of SPARROW"),
        (OPEN + 'modes = ["lockstep"]\n', r"scenario\.modes: SPARROW has no oracle and flies in real time"),
        (
            OPEN + '[[fault]]\nkind = "silence"\nat = "12:00:01"\n',
            r"fault\[0\]\.at: a time of this mission has its date",
        ),
        (
            OPEN + '[[loss]]\ncause = "SILENCE"\nat = {frame = 3}\n',
            r"loss\[0\]\.at: a time of this mission .*; not a frame",
        ),
        (
            OPEN + '[[command]]\nname = "CAMRA"\nat = "+1 s"\n',
            r"command\[0\]: no command 'CAMRA'; did you mean 'CAMERA'",
        ),
        (
            OPEN + '[[expect]]\nparameter = "HK.batery"\nmin = 7\n',
            r"HK has no parameter 'batery'; did you mean 'battery'",
        ),
        (OPEN + '[[expect]]\nparameter = "DESCENT.altitude"\nmin = 7\n', r"unknown packet 'DESCENT'; known: HK"),
        (
            OPEN + '[[expect]]\nparameter = "HK.battery"\nmin = 7\nbetween = ["+1 s", "+10 s"]\n',
            r"expect\[0\]\.between: it ends after the flight",
        ),
        (OPEN.replace("sparrow.py", "sparow.py"), r"scenario\.mission: .*no file"),
        (OPEN.replace("9 s", "9 h"), r"scenario\.until: invalid time span"),
    ],
)
def test_refused_with_its_place(text: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        parse_scenario(text)


def test_a_file_names_its_mission_from_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_bytes(SPARROW.read_bytes())
    path = tmp_path / "x.toml"
    path.write_text('[scenario]\nid = "x"\nmission = "m.py"\nuntil = "+1 s"\n')
    scenario = load_scenario(path)
    assert scenario.head.mission.startswith(str(tmp_path / "m.py"))
    assert parse_scenario(scenario.text).head.mission == scenario.head.mission


def test_a_mission_without_a_channel_is_refused(tmp_path: Path) -> None:
    text = SPARROW.read_text(encoding="utf-8").replace('(ChannelDef(0, "satellite", "SPARROW", 500),)', "()")
    (tmp_path / "silent.py").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"scenario\.mission: SPARROW declares no channel"):
        parse_scenario(OPEN.replace(str(SPARROW), str(tmp_path / "silent.py")))


def test_the_mission_that_is_asked_for_stays_in_the_text(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('# with a comment\n[scenario] # here\nid = "x"\nuntil = "+1 s"\n')
    scenario = load_scenario(path, str(SPARROW))
    assert parse_scenario(scenario.text).head.mission == scenario.head.mission
    path.write_text('[scenario]\nid = "x"\nmission = "mars6"\n')
    with pytest.raises(ScenarioError, match=r"scenario\.mission: 'mars6', but .* was asked for"):
        load_scenario(path, str(SPARROW))

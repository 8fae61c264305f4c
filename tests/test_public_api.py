"""The public API: each name is there, is loaded only when asked for, and does what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import groundstation
import hil
import protocols
from groundstation.errors import CallerError
from tests.groundstation.made_recordings import record


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a part of the descent."""
    made = tmp_path_factory.mktemp("api") / "pass.sqlite"
    record(made, bursts=400)
    return made


@pytest.mark.parametrize("package", [groundstation, hil, protocols])
def test_every_public_name_is_there(package: object) -> None:
    names = package.__all__  # type: ignore[attr-defined]
    assert len(set(names)) == len(names)  # ruff keeps them in order
    for name in names:
        assert getattr(package, name) is not None
        assert name in dir(package)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        package.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_importing_the_packages_loads_no_room_of_theirs() -> None:
    program = (
        "import sys, groundstation, hil, protocols\n"
        "ours = ('groundstation.', 'hil.', 'protocols.')\n"
        "print([n for n in sys.modules if n.startswith(ours)], 'zmq' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[] False False\n"


def test_packets_are_numpy_columns(path: Path) -> None:
    with groundstation.open_recording(path) as recording:
        descent = recording.packets("DESCENT")
        assert descent.rows > 300 and recording.mission.name == "MARS-6" and not recording.warning
        altitude = descent["altitude"]
        assert altitude.dtype == np.float64 and altitude[0] > altitude[-1] > 0
        assert set(descent["phase"]) <= {"AEROBRAKING", "BLACKOUT", "DROGUE"}
        assert str(descent.time[0]).startswith("1974-03-12T09:0")
        assert np.ma.is_masked(descent["radio_altitude"])  # no lock up there
        assert recording.losses() == [] or recording.losses()[0].channel == "lander"
        assert len(recording.frames()["id"]) >= descent.rows
        assert [event.name for event in recording.events()]


def test_an_unknown_packet_or_parameter_names_the_nearest(path: Path) -> None:
    with groundstation.open_recording(path) as recording:
        with pytest.raises(CallerError, match="unknown packet 'DECSENT'; did you mean 'DESCENT'"):
            recording.packets("DECSENT")
        with pytest.raises(KeyError, match="did you mean 'altitude'"):
            recording.packets("DESCENT")["altitud"]


def test_pandas_and_arrow_say_the_same_as_numpy(path: Path) -> None:
    with groundstation.open_recording(path, "mars6") as recording:
        table = recording.packets("DESCENT")
    frame, arrow = table.to_pandas(), table.to_arrow()
    assert list(frame.index.asi8) == list(table.scet) and str(frame.index.tz) == "UTC"
    assert frame["altitude"].tolist() == arrow["altitude"].to_pylist() == table["altitude"].tolist()
    voids = np.ma.getmaskarray(table["radio_altitude"])
    assert frame["radio_altitude"].isna().tolist() == voids.tolist()
    assert [value is None for value in arrow["radio_altitude"].to_pylist()] == voids.tolist()


def test_a_part_of_a_table_by_onboard_time(path: Path) -> None:
    with groundstation.open_recording(path) as recording:
        table = recording.packets("DESCENT")
    since = int(table.scet[100])
    assert table.between(since, None).rows == table.rows - 100
    assert table.between(None, since).rows == 100


def test_a_recording_without_such_packets_has_empty_columns(path: Path) -> None:
    with groundstation.open_recording(path) as recording:
        table = recording.packets("FAULT_TRACE")
    assert table.rows == 0 and "number" in table and len(table.to_arrow()) == 0


def test_a_scenario_is_flown_by_a_call(tmp_path: Path) -> None:
    result = hil.run_scenario("los-091105", bundle=tmp_path / "run")
    assert isinstance(result, hil.RunResult) and result.passed
    assert (tmp_path / "run" / "result.json").exists()
    again = hil.run_scenario("los-091105", seed=7)
    assert again.seed == 7 and again.passed


def test_paths_may_be_text_or_paths(path: Path, tmp_path: Path) -> None:
    scenario, mission = tmp_path / "x.toml", tmp_path / "wren.py"
    scenario.write_text('[scenario]\nid = "x"\n', encoding="utf-8")
    mission.write_text("from protocols.lander import MARS6 as WREN\n", encoding="utf-8")
    assert hil.load_scenario(scenario) == hil.load_scenario(str(scenario))
    for name in (mission, str(mission)):
        assert groundstation.load_mission(name).name == "MARS-6"
        with groundstation.open_recording(str(path), name) as recording:
            assert recording.mission.source == str(mission)


def test_the_guides_block_runs_and_its_tables_are_whole(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[1] / "docs/python-api.md").read_text(encoding="utf-8")
    record(tmp_path / "pass.sqlite")
    block = guide.split("```python\n")[1].split("```")[0]
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith("2240 packets, ")
    for package in (groundstation, hil, protocols):
        missing = [
            name
            for name in package.__all__
            if f"{name}`" not in guide and f"`{name}(" not in guide and not name.startswith("__")
        ]
        assert missing == []

"""``hil compare``: what differs between two runs, two folders of runs, two campaigns."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from groundstation.errors import CallerError
from hil.cli import cli
from protocols.profile import UART

pytestmark = pytest.mark.long

LOSING = """
[scenario]
id = "losing"

[[fault]]
kind = "frame_drop"
p = 1
at = "09:08:00"
for = { frames = COUNT }

[[limit]]
name = "frames_missing"
max = 1
"""


def hil(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Reports of one run of which other frames are lost, and of one that is the same."""
    made = []
    for count in (1, 3):
        place = tmp_path_factory.mktemp(f"lost-{count}")
        (place / "losing.toml").write_text(LOSING.replace("COUNT", str(count)))
        words = ["los-lander-only", place / "losing.toml"] + (["los-091105"] if count == 3 else [])
        hil("run", *words, "--report", place / "out")
        made.append(place / "out")
    return made[0], made[1]


def test_folders_differ_by_verdict_measurement_and_field(folders: tuple[Path, Path]) -> None:
    done = hil("compare", *folders)
    assert done.exit_code == 1
    lines = done.output.splitlines()
    assert lines[0].startswith("los-lander-only-software: PASS, no difference; took ")
    assert lines[1].startswith("losing-software: PASS → FAIL; took ")
    assert "  frames_missing: 1 frame PASS → 2 frame FAIL (+1, +100 %)" in lines  # the third is one of the bus
    (first,) = [line for line in lines if line.startswith("  received by the station: ")]
    assert "sent by the target" not in done.output
    assert "09:08:00" in first
    assert lines[-2] == "los-091105-software: only in B, PASS"
    assert lines[-1] == "3 runs: 1 the same, 2 differ"


def test_same_folder_has_no_difference(folders: tuple[Path, Path]) -> None:
    done = hil("compare", folders[0], folders[0])
    assert done.exit_code == 0, done.output
    assert "2 runs: 2 the same, 0 differ" in done.output


def test_first_byte_that_differs_is_told_by_its_field(folders: tuple[Path, Path], tmp_path: Path) -> None:
    bundle, other = folders[0] / "runs" / "los-lander-only-software", tmp_path / "other"
    shutil.copytree(bundle, other)
    sent = bytearray((bundle / "sent.bin").read_bytes())
    at = 700 * UART.cadu_length + 7  # after the ASM (4), identifiers (2) and MCFC (1)
    was = sent[at]
    sent[at] = (was + 5) % 256
    (other / "sent.bin").write_bytes(sent)
    result = json.loads((other / "result.json").read_text())
    result["provenance"]["sent sha256"] = hashlib.sha256(sent).hexdigest()
    (other / "result.json").write_text(json.dumps(result))
    done = hil("compare", bundle, other)
    assert done.exit_code == 1
    told = f"  sent by the target: frame VCFC {(was + 5) % 256}, expected {was} (byte {at}, frame 700"
    assert told in done.output
    (found,) = [json.loads(line) for line in hil("compare", bundle, other, "--json").output.splitlines()]
    assert (found["type"], found["a_state"], found["b_state"]) == ("comparison", "PASS", "PASS")
    assert found["first_bytes"][0]["offset"] == at
    (other / "sent.bin").unlink()
    lost = hil("compare", bundle, other)
    assert lost.exit_code == 1
    assert "sent by the target: other bytes; where they differ cannot be told" in lost.output


def test_runs_of_other_names_are_matched_by_scenario(folders: tuple[Path, Path], tmp_path: Path) -> None:
    renamed = tmp_path / "renamed"
    shutil.copytree(folders[0] / "runs", renamed)
    (renamed / "losing-software").rename(renamed / "losing-software-s6")
    done = hil("compare", folders[0], renamed)
    assert done.exit_code == 0, done.output
    assert "losing-software, losing-software-s6: PASS, no difference" in done.output


def test_campaigns_are_compared_run_by_run(tmp_path: Path) -> None:
    scenario = tmp_path / "drawn.toml"
    text = LOSING.replace("losing", "drawn").replace("{ frames = COUNT }", '"1 s"')
    text += '[[vary]]\nfault = 0\nkey = "p"\nlow = 0.1\nhigh = HIGH\n'
    for high in ("0.11", "0.9"):
        scenario.write_text(text.replace("HIGH", high))
        hil("campaign", scenario, "--runs", "2", "--report", tmp_path / high)
    same = hil("compare", tmp_path / "0.9", tmp_path / "0.9")
    assert same.exit_code == 0, same.output
    done = hil("compare", tmp_path / "0.11", tmp_path / "0.9")
    assert done.exit_code == 1
    assert "  fault[0].p: 0.1" in done.output
    assert "A: " in done.output and " of 2 runs passed" in done.output


def test_folder_without_a_run_is_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    done = hil("compare", folders[0], tmp_path)
    assert isinstance(done.exception, CallerError)
    assert f"{tmp_path}: no bundle of a run in it" in str(done.exception)

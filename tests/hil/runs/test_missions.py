"""A mission without an oracle, flown: SPARROW of examples/sparrow, as a program and on a port."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from hil.cli import cli

EXAMPLE = Path(__file__).parents[3] / "examples/sparrow"
LANDER = f"{sys.executable} {EXAMPLE / 'sparrow_lander.py'} {{port}}"
NO_ORACLE = "no oracle: judged by conservation, losses, commands and expectations"


def run(folder: Path, *arguments: str, verb: str = "run") -> subprocess.CompletedProcess[str]:
    """`hil run` in a folder of its own."""
    environment = os.environ | {"XDG_RUNTIME_DIR": str(folder), "XDG_DATA_HOME": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "hil.cli", verb, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def scenario(folder: Path, text: str, until: str = "+2 s") -> Path:
    path = folder / "x.toml"
    path.write_text(f'[scenario]\nid = "x"\nmission = "{EXAMPLE / "sparrow.py"}"\nuntil = "{until}"\n{text}')
    return path


@pytest.mark.long
def test_example_flies_as_a_process_and_is_reported(tmp_path: Path) -> None:
    done = run(
        tmp_path, str(EXAMPLE / "sparrow.toml"), "--target", "process", "--command", LANDER, "--json", "--report", "out"
    )
    verdict = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, verdict["state"]) == (0, "PASS"), done.stderr + done.stdout
    assert verdict["line"].endswith(NO_ORACLE)
    rows = {row["name"]: row for row in verdict["measurements"]}
    assert rows["stream_equal"]["state"] == "NA"
    assert rows["command[1] CAMERA"]["value"] == "COMPLETED"
    assert rows["command[1] CAMERA"]["note"].startswith("when HK.battery < 8.18 V: 8.175 V at 12:00:0")
    assert rows["expect[2] HK.switches.camera"]["value"] is True
    assert rows["fault[0] frame_drop"]["value"] == rows["frames_missing"]["value"] == 2
    assert not {"build_id_equal", "interarrival_p99", "last_good_frame"} & set(rows)
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert NO_ORACLE in page
    assert "SPARROW" in page
    assert 'class="curve altitude"' not in page
    assert 'data-name="HK.battery"' in page
    assert "Inter-arrival of SPARROW frames" in page
    assert "T 500 ms" in page
    assert (tmp_path / "out/junit.xml").read_text(encoding="utf-8").count("hil.process") >= 2
    toml = next((tmp_path / "out/runs").glob("*/scenario.toml")).read_text(encoding="utf-8")
    assert str(EXAMPLE / "sparrow.py") in toml


@pytest.mark.long
def test_example_flies_on_a_port(tmp_path: Path) -> None:
    port = tmp_path / "port"
    with subprocess.Popen([sys.executable, str(EXAMPLE / "sparrow_lander.py"), str(port)]) as lander:
        try:
            deadline = time.monotonic() + 20
            while not port.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            text = '[[command]]\nname = "PING"\nat = "+100 ms"\n[[expect]]\nparameter = "HK.mode"\nequals = "NOMINAL"\n'
            done = run(tmp_path, str(scenario(tmp_path, text, "+4 s")), "--target", "board", "--port", str(port))
        finally:
            lander.kill()
    assert done.returncode == 0, done.stdout + done.stderr
    assert NO_ORACLE in done.stdout


@pytest.mark.long
def test_it_is_flown_live_with_a_viewer(tmp_path: Path) -> None:
    path = scenario(tmp_path, '[[expect]]\nparameter = "HK.battery"\nmin = 7\n')
    words = ("--target", "process", "--command", LANDER, "--plain", "--record", "pass.sqlite")
    done = run(tmp_path, str(path), *words, verb="fly")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "HK" in done.stdout
    assert NO_ORACLE in done.stdout
    assert (tmp_path / "pass.sqlite").is_file()


def test_what_does_not_hold_fails_with_its_value(tmp_path: Path) -> None:
    text = '[[expect]]\nparameter = "HK.battery"\nmin = "8.2 V"\n[[command]]\nname = "PING"\nwhen = '
    text += '{ parameter = "HK.battery", below = 3 }\n'
    done = run(tmp_path, str(scenario(tmp_path, text)), "--target", "process", "--command", LANDER)
    assert done.returncode == 1, done.stderr
    assert "expect[0] HK.battery: 8.1" in done.stdout
    assert "when HK.battery < 3 V: never, the least of " in done.stdout
    assert NO_ORACLE in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--target", "process"), "--target process needs --command: the program that flies"),
        (("--target", "process", "--command", "sleep 3"), "'sleep 3' has no {port}"),
        (("--command", LANDER), "--command needs --target process"),
        (("--target", "software"), "the target software flies MARS-6"),
        (("--target", "process", "--command", LANDER, "--lockstep"), "it is for realtime, not for lockstep"),
        (("--target", "process", "--command", LANDER, "--speed", "2", "--realtime"), "flies at its own pace"),
    ],
)
def test_what_cannot_fly_is_refused(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    done = CliRunner().invoke(cli, ["run", str(scenario(tmp_path, "")), *arguments])
    assert told in done.output + str(done.exception)
    assert getattr(done.exception, "exit_code", done.exit_code) == 2


@pytest.mark.parametrize(
    ("program", "told"),
    [("no-such-program {port}", "process does not run: "), (f"{sys.executable} -c 1/0 {{port}}", "ZeroDivisionError")],
)
def test_a_program_that_does_not_start_is_told(tmp_path: Path, program: str, told: str) -> None:
    done = run(tmp_path, str(scenario(tmp_path, "")), "--target", "process", "--command", program)
    assert told in done.stdout + done.stderr
    assert done.returncode == 20


def test_a_lander_of_another_mission_is_told(tmp_path: Path) -> None:
    (tmp_path / "noise.py").write_text(
        "import os, sys, time\nport = os.open(sys.argv[1], os.O_RDWR)\n"
        "os.write(port, b'hello')\ntime.sleep(0.6)\nos._exit(3)\n"
    )
    command = f"{sys.executable} {tmp_path / 'noise.py'} {{port}}"
    done = run(tmp_path, str(scenario(tmp_path, "")), "--target", "process", "--command", command)
    assert done.returncode == 20
    assert "process" in done.stdout
    assert "ended" in done.stdout


UNTIMED = """
from construct import Int8ub, Struct
from protocols import ChannelDef, Dictionary, PacketDef
from protocols.declare.headers import PacketHeader

BODY = Struct("count" / Int8ub)
MUTE = Dictionary(
    name="MUTE",
    scid=0x2A,
    packets=(PacketDef("COUNT", 0x30, None, None, BODY, 100, "Counts.", header=PacketHeader("none")),),
    events=(),
    channels=(ChannelDef(0, "one", "MUTE", 100),),
    timeline=(),
)
"""
COUNTS = """
import os, sys, time
from mute import MUTE
from protocols.ccsds.space_packet import idle_packet
from protocols.ccsds.tm_frame import TmFrame, encode_frame
from protocols.profile import UART

port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
for n in range(1000):
    data = MUTE.by_name["COUNT"].encode({"count": min(n, 200)}, n)
    data += idle_packet(UART.data_length - len(data))
    os.write(port, encode_frame(TmFrame(0x2A, 0, n & 255, n & 255, 0, data, bytes(4)), UART))
    time.sleep(0.1)
"""


@pytest.mark.long
def test_packets_without_a_time_go_by_the_clock_of_the_host(tmp_path: Path) -> None:
    (tmp_path / "mute.py").write_text(UNTIMED)
    (tmp_path / "counts.py").write_text(COUNTS)
    (tmp_path / "x.toml").write_text(
        '[scenario]\nid = "x"\nmission = "mute.py"\nuntil = "+3 s"\n'
        '[[fault]]\nkind = "frame_drop"\nat = "+1 s"\nfor = { frames = 2 }\n'
        '[[expect]]\nparameter = "COUNT.count"\nbetween = ["+1 s", "+3 s"]\nmonotonic = "increasing"\n'
        '[[expect]]\nparameter = "COUNT.count"\nbetween = ["+2 s", "+3 s"]\nmin = 10\n'
    )
    command = f"{sys.executable} counts.py {{port}}"
    done = run(tmp_path, "x.toml", "--target", "process", "--command", command, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {row["name"]: row for row in json.loads(done.stdout.splitlines()[-1])["measurements"]}
    assert rows["fault[0] frame_drop"]["value"] == 2
    assert int(rows["expect[0] COUNT.count"]["note"].split("; ")[1].split()[0]) >= 10

"""Scenarios: what is refused, and how it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.errors import ScenarioError
from hil.faults import FAULTS
from hil.scenario.scenario import HISTORICAL, SCENARIOS, TARGETS, load_scenario, parse_scenario
from hil.targets import TARGETS as FLOWN
from hil.verdict.limits import MEASUREMENTS

HEAD = '[scenario]\nid = "x"\n'
COMMAND = HEAD + '[[command]]\nat = "09:08:00"\n'
HANG = HEAD + '[[fault]]\nkind = "hang"\nat = "09:08:00"\n'
FLIP = HEAD + '[[fault]]\nkind = "bit_flip"\nber = 1e-3\nat = "09:08:00"\nfor = "2 s"\n'
LIMIT = HEAD + '[[limit]]\nname = "resync"\n'
VARY = '[[vary]]\nfault = 0\nkey = "ber"\nlow = 0.1\nhigh = 0.2\n'


def test_shipped_ones_are_read_and_are_all_there() -> None:
    names = {path.stem for path in SCENARIOS.glob("*.toml")}
    assert names >= {
        *("los-091105", "los-unplug", "los-reset", "los-hang", "los-crc-storm", "los-lander-only"),
        *("los-zmq-peer-killed", "noisy-descent", "burst-loss", "wrong-baud", "stale-backlog", "reacquisition"),
        "commands-during-descent",
    }
    for path in SCENARIOS.glob("*.toml"):
        scenario = load_scenario(path)
        assert scenario.head.title
        assert all(limit.name in MEASUREMENTS for limit in scenario.limits)


def test_without_a_loss_the_historical_one_is_expected() -> None:
    assert parse_scenario(HEAD).losses == [HISTORICAL]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[scenario]\nid = "x"\nsed = 3\n', r"scenario\.sed: unknown key; did you mean 'seed'"),
        (FLIP + "bir = 3\n", r"fault\[0\]\.bir: unknown key; did you mean"),
        (
            FLIP.replace("bit_flip", "bitflip"),
            r"fault\[0\]\.kind: unknown fault 'bitflip'; did you mean 'bit_flip'",
        ),
        (FLIP.replace("09:08:00", "9 Uhr"), r"fault\[0\]\.at: invalid time '9 Uhr': expected a time such as 09:11:05"),
        (FLIP.replace("09:08:00", "10:08:00"), r"fault\[0\]\.at: a mission time is between"),
        (FLIP.replace("2 s", "2 h"), r"fault\[0\]\.for: invalid time span '2 h': expected a span such as"),
        (FLIP.replace("1e-3", "2.0"), r"fault\[0\]\.ber: Expected `float` <= 1\.0"),
        (FLIP + "bits = 3\n", r"fault\[0\]: bit_flip has one of"),
        (FLIP.replace("ber = 1e-3\n", ""), r"fault\[0\]: bit_flip has one of"),
        (HEAD + '[[limit]]\nname = "resync"\nmx = 3\n', r"limit\[0\]\.mx: unknown key; did you mean 'max'"),
        (HEAD + '[[limit]]\nname = "rsync"\nmax = 3\n', r"limit\[0\]\.name: unknown measurement 'rsync'; did you"),
        (LIMIT, r"limit\[0\]: nothing can fail it; give min, max or equals"),
        (LIMIT + "marginal_max = 1\n", r"limit\[0\]: nothing can fail it"),
        (LIMIT + "min = 0\n", r"limit\[0\]: nothing can fail it: resync is never less than min 0; give max or equals"),
        (
            LIMIT.replace("resync", "good_marked") + "max = 100\n",
            r"limit\[0\]: nothing can fail it: good_marked is never more than max 100; it is in percent",
        ),
        (LIMIT + "min = 3\nmax = 2\n", r"limit\[0\]: min 3 is above max 2"),
        (LIMIT + "max = 2\nmarginal_max = 3\n", r"limit\[0\]: marginal_max 3 is above max 2"),
        (LIMIT + "max = -1\n", r"limit\[0\]\.max: -1 is never reached: resync is not less than 0"),
        (LIMIT + "equals = 1.5\n", r"limit\[0\]\.equals: 1\.5 is never reached: resync is a whole number"),
        (LIMIT + "equals = true\n", r"limit\[0\]\.equals: True is never reached: resync is a number"),
        (LIMIT.replace("resync", "stream_equal") + "max = 1\n", r"limit\[0\]: stream_equal is true or false: give"),
        (LIMIT.replace("resync", "los_cause") + "max = 1\n", r"limit\[0\]: los_cause is a word: give equals, one of"),
        (
            LIMIT.replace("resync", "los_cause") + 'equals = "SILENC"\n',
            r"limit\[0\]\.equals: unknown value 'SILENC'; did you mean 'SILENCE'",
        ),
        (LIMIT + "max = nan\n", r"limit\[0\]\.max: nan is not a finite number"),
        (LIMIT + "min = -inf\n", r"limit\[0\]\.min: -inf is not a finite number"),
        (LIMIT + "max = 2\nequals = 2\n", r"limit\[0\]: equals is the one value that passes; leave out max"),
        (
            LIMIT + 'max = 2\non = ["softwear"]\n',
            r"limit\[0\]\.on\[0\]: unknown target 'softwear'; did you mean 'soft",
        ),
        (LIMIT + "max = 2\non = []\n", r"limit\[0\]\.on: expected at least one; leave it out for all of them"),
        (
            LIMIT + "max = 2\n" + LIMIT.removeprefix(HEAD) + "max = 3\n",
            r"limit\[1\]: never applied: another limit of resync",
        ),
        (
            LIMIT.replace('"x"\n', '"x"\nmodes = ["lockstep"]\n') + 'max = 2\nmode = "realtime"\n',
            r"limit\[0\]\.mode: .*alone",
        ),
        (
            LIMIT.replace('"x"\n', '"x"\ntargets = ["qemu"]\n') + 'max = 2\non = ["posix"]\n',
            r"limit\[0\]\.on: .* qemu alone",
        ),
        (
            '[scenario]\nid = "x"\ntargets = ["qemuu"]\n',
            r"scenario\.targets\[0\]: unknown target 'qemuu'; did you mean",
        ),
        ('[scenario]\nid = "x"\ntargets = []\n', r"scenario\.targets: expected at least one"),
        (FLIP.replace("1e-3", "0"), r"fault\[0\]: ber is 0: no bit would ever turn over"),
        (FLIP.replace("ber = 1e-3", "offset = 132"), r"fault\[0\]: offset is 132: a frame has 132 bytes"),
        (FLIP.replace("2 s", "0 s"), r"fault\[0\]\.for: '0 s' is over at once"),
        (HEAD + '[[fault]]\nkind = "truncate"\nat_byte = 132\n', r"fault\[0\]: at_byte is 132: a frame has 132 bytes"),
        (HEAD + '[[fault]]\nkind = "frame_drop"\np = 0\n', r"fault\[0\]: p is 0: no frame would ever be lost"),
        (HEAD + '[[fault]]\nkind = "delay"\nmean = 0\n', r"fault\[0\]: mean and jitter are 0"),
        (HEAD + '[[fault]]\nkind = "clock"\n', r"fault\[0\]: ppm and step are 0"),
        (HEAD + '[[fault]]\nkind = "wrong_baud"\nheard = 115200\n', r"fault\[0\]: sent and heard are both 115200"),
        (HEAD + '[[fault]]\nkind = "burst_loss"\np = 0.1\nr = 1\n1-h = 0\n', r"fault\[0\]: with this p, 1-h and 1-k"),
        (LIMIT + 'max = 2\nmode = "realtme"\n', r"limit\[0\]\.mode: unknown value 'realtme'; did you mean 'realtime'"),
        (HEAD + 'modes = ["lokstep"]\n', r"scenario\.modes\[0\]: unknown value 'lokstep'; did you mean 'lockstep'"),
        (FLIP + 'dir = "dwn"\n', r"fault\[0\]\.dir: unknown value 'dwn'; did you mean 'down'"),
        (HEAD + '[[loss]]\nat = "09:08:00"\ncause = "SILENCED"\n', r"loss\[0\]\.cause: .*did you mean 'SILENCE'"),
        (HEAD + '[[loss]]\nat = "09:08:00"\ncause = []\n', r"loss\[0\]\.cause: expected at least one"),
        (FLIP + VARY + VARY, r"vary\[0\]: never applied: another one of fault 0, ber, comes after it"),
        ("[[fualt]]\n", r"unknown table \[fualt\]; did you mean 'fault'"),
        ("[[fault]]\nkind = 'silence'\n", r"it begins with a table \[scenario\]"),
        ("[scenario\n", "not TOML"),
        ('[scenario]\nid = "X Y"\n', r"scenario\.id: 'X Y' is not of up to 100 small letters"),
        (COMMAND + 'name = "PNG"\n', r"command\[0\]: no command 'PNG'; did you mean 'PING'"),
        (
            HEAD + '[[command]]\nat = "09:08:00"\nname = "SCALE"\nargs = {factor = 1000}\n',
            r"command\[0\]: .*the range is",
        ),
        (HEAD + '[[fault]]\nkind = "reset"\n', r"fault\[0\]: reset needs 'at'"),
        (HEAD + '[[fault]]\nkind = "reset"\nat = "09:08:00"\nfor = "1 s"\n', r"fault\[0\]: reset happens at once"),
        (
            HEAD + '[[fault]]\nkind = "hang"\nat = "09:08:00"\nfor = {frames = 2}\n',
            r"fault\[0\]: hang lasts for a time",
        ),
        (HANG + 'dir = "up"\n', r"fault\[0\]\.dir: hang has no direction"),
        (
            HEAD + '[[fault]]\nkind = "silence"\nat = {event = "DROGE"}\n',
            r"fault\[0\]\.at: unknown onboard event 'DROGE'",
        ),
        (HEAD + '[[vary]]\nfault = 0\nkey = "ber"\nlow = 0.1\nhigh = 0.2\n', r"vary\[0\]\.fault: unknown fault 0"),
        (HEAD + '[[loss]]\nat = "09:08:00"\ncause = "SUN"\n', r"loss\[0\]\.cause"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        parse_scenario(text)


def test_the_targets_that_a_scenario_may_name_are_those_there_are() -> None:
    assert TARGETS == FLOWN


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    with pytest.raises(ScenarioError, match="No such file"):
        load_scenario(path)
    path.write_text(HEAD)
    with pytest.raises(ScenarioError, match=r"scenario\.id is 'x', the file's name says 'other'"):
        load_scenario(path)
    path.write_bytes(b"\xff")
    with pytest.raises(ScenarioError, match="not UTF-8: byte 0xff in line 1"):
        load_scenario(path)


def test_every_fault_can_be_declared() -> None:
    needed = {
        "bit_flip": "ber = 0.1",
        "byte_drop": "p = 0.1",
        "byte_dup": "p = 0.1",
        "byte_insert": "p = 0.1",
        "burst_loss": "p = 0.1\nr = 0.5\n1-h = 0.9\n1-k = 0.1",
        "truncate": "at_byte = 3",
        "garbage": "n = 3",
        "stuck": "value = 0",
        "wrong_baud": "heard = 9600",
        "overrun": 'fifo = 16\ndrop = "old"',
        "delay": "mean = 3",
        "rate": "baud = 9600",
        "clock": "ppm = 50",
        "slice": "avg_size = 8",
        "memory_flip": "address = 0x20000000",
    }
    for kind in FAULTS:
        text = f'{HEAD}[[fault]]\nkind = "{kind}"\nat = "09:08:00"\n{needed.get(kind, "")}\n'
        (fault,) = parse_scenario(text).faults
        assert type(fault) is FAULTS[kind]

"""Words of others reach every outlet, and act on none: the bytes are looked at, as a terminal would get them."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
import unicodedata
from contextlib import closing
from pathlib import Path

import pytest
import zmq

from groundstation.formats.output import echo, tell
from groundstation.links.relay_protocol import Busy, pack_control
from groundstation.ports.listing import PortInfo, format_ports
from groundstation.station.registry import Registry
from tests.groundstation.made_recordings import record

NASTY = "\x1b]0;owned\x07\x1b[2J\x9b31m\x7f\u202egnp.exe\u200b\u2066\r\nFORGED LINE\tend"
NASTY_NAME = os.fsdecode(NASTY.encode() + b"\xff")
SHOWN = r"\x1b]0;owned\x07\x1b[2J\x9b31m\x7f\u202egnp.exe\u200b\u2066"
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def harmless(out: bytes, shows: str = SHOWN) -> str:
    """Only visible characters and line ends; the nasty ones are there as escapes, and forge no line."""
    text = out.decode()
    assert not {char for char in text if unicodedata.category(char) in UNSEEN} - {"\n"}, text
    assert not any(line.startswith("FORGED") for line in text.splitlines()), text
    assert shows in text, text
    return text


def texts(value: object) -> list[str]:
    """All that is text in a value of JSON."""
    if isinstance(value, dict):
        return texts(list(value.values()))
    return [text for item in value for text in texts(item)] if isinstance(value, list) else [str(value)]


def said(program: str, *arguments: str | Path) -> bytes:
    """Standard output and error together, as on a terminal."""
    words = [sys.executable, "-m", f"{program}.cli", *map(str, arguments)]
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False).stdout


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a station, a link and a mission whose names act on terminals; its file, events and verdicts, too."""
    path = tmp_path_factory.mktemp("nasty") / f"{NASTY_NAME}.sqlite"
    record(path, lambda number, data: data[:40] + b"\xff" + data[41:] if number == 50 else data)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE meta SET value = ? WHERE key IN ('station', 'link', 'mission', 'dictionary_hash')", (NASTY,))
        for number, kind, body in db.execute("SELECT id, kind, body FROM event").fetchall():
            fields = json.loads(body)
            if kind == "event":
                fields |= {"source": NASTY, "name": NASTY, "text": NASTY}
            elif fields.get("verdict"):
                fields["verdict"]["evidence"] = NASTY
            db.execute("UPDATE event SET body = ? WHERE id = ?", (json.dumps(fields), number))
    return path


@pytest.mark.parametrize(
    "command",
    [
        ["info"],
        ["salvage"],
        ["export", "--to", "csv", "--packets", "BUS_HK"],
        ["replay", "--plain", "--speed", "1000", "--from", "09:11:00"],
    ],
)
def test_a_recording_does_not_act_on_the_terminal(home: Path, recording: Path, command: list[str]) -> None:
    name, *options = command
    harmless(said("groundstation", name, recording, *options))


def test_a_list_of_recordings_does_not_either(recording: Path) -> None:
    harmless(said("groundstation", "passes", recording.parent))


@pytest.mark.parametrize(
    "command", [["info", "--json"], ["replay", "--json", "--mission", "mars6", "--speed", "1000", "--from", "09:11:00"]]
)
def test_json_says_the_same_in_escapes(home: Path, recording: Path, command: list[str]) -> None:
    name, *options = command
    out = said("groundstation", name, recording, *options)
    lines = harmless(out, r"\u001b]0;owned\u0007\u001b[2J\u009b31m\u007f\u202egnp.exe\u200b\u2066").splitlines()
    messages = [json.loads(line) for line in lines if line.startswith("{")]  # beside a warning
    assert any(NASTY in texts(message) for message in messages)


@pytest.mark.parametrize(
    "command",
    [
        ["groundstation", NASTY],
        ["groundstation", f"--{NASTY}"],
        ["groundstation", "info", NASTY_NAME],
        ["groundstation", "decode", NASTY_NAME],
        ["groundstation", "serve", f"zmq:{NASTY}"],
        ["groundstation", "serve", f"serial:/dev/{NASTY_NAME}"],
        ["groundstation", "run", f"serial:/dev/{NASTY_NAME}", "--plain"],
        ["groundstation", "commands", NASTY],
        ["groundstation", "keys", "new", NASTY],
        ["groundstation", "export", "x", "--to", NASTY],
        ["groundstation", "replay", "x", "--speed", NASTY],
        ["hil", "run", NASTY_NAME],
        ["hil", "run", "los-091105", "--seed", NASTY],
        ["hil", "replay", NASTY_NAME],
        ["hil", "fly", "--link-drop", NASTY],
        ["hil", "firmware", "flash", NASTY],
    ],
    ids=lambda command: "-".join(word for word in command if word.isidentifier()),
)
def test_an_error_quotes_what_was_typed_in_escapes(home: Path, command: list[str]) -> None:
    harmless(said(*command), r"\x1b[2J")


def test_a_scenario_does_not_act_on_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "evil.toml"
    path.write_text(f'[scenario]\nid = "evil"\n[[fault]]\nkind = {json.dumps(NASTY)}\n')
    harmless(said("hil", "run", path))


def test_a_peer_does_not_act_on_the_terminal(home: Path) -> None:
    """A relay sends a station away with its own words, which are shown as the link's state."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as relay:
        relay.setsockopt(zmq.LINGER, 0)
        relay.setsockopt(zmq.RCVTIMEO, 20_000)
        relay.bind("tcp://127.0.0.1:*")
        link = f"zmq:{relay.getsockopt_string(zmq.LAST_ENDPOINT)}"
        words = [sys.executable, "-m", "groundstation.cli", "run", link, "--plain", "--name", "nasty-peer"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as viewer:
            relay.recv()
            relay.send_multipart(pack_control(0, 0, Busy(detail=NASTY)))
            until = time.monotonic() + 20
            assert viewer.stdout is not None
            out = b""
            while b"gnp.exe" not in out and time.monotonic() < until:
                out += viewer.stdout.readline()
            viewer.terminate()
            out += viewer.stdout.read()
    harmless(out)
    assert not Registry().running()


def test_usb_strings_do_not_act_on_the_terminal(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    echo(*format_ports([PortInfo("/dev/ttyACM0", NASTY, "0483:374b", NASTY, NASTY_NAME, "free")]))
    table = harmless(capfdbinary.readouterr().out).splitlines()
    assert len(table) == 2
    assert table[0].index("DESCRIPTION") == table[1].index(SHOWN, table[1].index(SHOWN) + 1)


def test_a_service_says_it_in_escapes(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    tell(NASTY_NAME)
    harmless(capfdbinary.readouterr().out)

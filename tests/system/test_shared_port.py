"""A station whose port another program uses: the loss of signal that follows says so, live and in the recording."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from groundstation.recordings.reader import ArchiveReader
from hil.lander_io.servers import PtyServer
from protocols.lander import LANDER
from tests import descent
from tests.system.conftest import Run
from tests.system.remote import GROUND, PATIENCE_S, event, snapshot, until

READER = """
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
sys.stdin.read()
"""
LANDER_FRAMES = [burst.data for burst in descent.bursts() if burst.data][-200:-150]


@pytest.fixture
def wire() -> Iterator[PtyServer]:
    server = PtyServer()
    yield server
    server.close()


@contextmanager
def station(wire: PtyServer, path: Path) -> Iterator[None]:
    serve = [*GROUND, "serve", wire.url, "--name", "bench", "--record", str(path), "--announce"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline(), "the station did not start"
            assert wire.wait_for_listener(PATIENCE_S)
            until(lambda: snapshot().link.transport == "CONNECTED" or None, "open port")
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def causes(lines: Iterable[bytes | str]) -> list[tuple[str, str]]:
    """Cause and evidence of each loss of the lander's signal."""
    told = [json.loads(line) for line in lines]
    found = [each["verdict"] for each in told if each["vcid"] == LANDER and each["verdict"] is not None]
    return [(verdict["cause"], verdict["evidence"]) for verdict in found]


@pytest.mark.long
def test_a_loss_beside_another_reader_names_it_and_so_does_its_replay(home: Path, wire: PtyServer, run: Run) -> None:
    path = home / "pass.sqlite"
    with (
        station(wire, path),
        subprocess.Popen([sys.executable, "-c", READER, wire.path], stdin=subprocess.PIPE) as other,
    ):
        name = f"(pid {other.pid}) has it open too and may take bytes"
        event("PORT_DISTURBED", name)
        wire.send(b"".join(LANDER_FRAMES))
        until(lambda: snapshot().link.channels[0].state == "LOS" or None, "loss")
        other.kill()
        until(lambda: "left it" in snapshot().link.detail or None, "going")
    with ArchiveReader(path) as archive:
        ((cause, evidence),) = causes(change.body for change in archive.events("contact"))
    assert (cause, name in evidence) == ("PORT", True)
    replay = run("groundstation", "replay", str(path), "--json").stdout.splitlines()
    again = causes(line for line in replay if json.loads(line)["type"] == "contact")
    assert again == [(cause, evidence)]


def test_a_loss_while_another_program_sets_the_port_says_so(home: Path, wire: PtyServer) -> None:
    path = home / "pass.sqlite"
    fight = ["sh", "-c", f"while :; do stty -F {wire.path} 9600; sleep 0.1; done"]
    with station(wire, path), subprocess.Popen(fight, stderr=subprocess.DEVNULL) as other:
        told = event("PORT_DISTURBED", "another program sets it to 9600 baud again and again").text
        wire.send(b"".join(LANDER_FRAMES))
        until(lambda: snapshot().link.channels[0].state == "LOS" or None, "loss")
        other.kill()
    with ArchiveReader(path) as archive:
        assert causes(change.body for change in archive.events("contact")) == [("PORT", told)]

"""Programs that start in the same second do not get into each other's way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from groundstation.recordings.reader import ArchiveReader

pytestmark = pytest.mark.long


def test_flights_that_start_together_all_have_their_recording(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hil.cli", "fly", "--lockstep"]
    environment = os.environ | {"XDG_DATA_HOME": str(tmp_path)}
    flights = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [flight.wait(60) for flight in flights] == [0] * 4
    recordings = list(tmp_path.glob("groundstation/passes/*-fly-software-*.sqlite"))
    assert len(recordings) == 4
    for path in recordings:
        with ArchiveReader(path) as reader:
            assert reader.closed

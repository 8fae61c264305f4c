"""A recording keeps enough of its mission to be opened later."""

from __future__ import annotations

from pathlib import Path

import lxml.etree as et

from groundstation.recordings.mission_facts import kept_xtce, mission_facts
from groundstation.recordings.reader import ArchiveReader
from groundstation.recordings.writer import ArchiveWriter
from protocols.declare.mission import Mission
from protocols.lander import MARS6, MISSION


def test_a_recording_names_its_mission_and_holds_its_xtce(tmp_path: Path) -> None:
    path = tmp_path / "pass.sqlite"
    with ArchiveWriter(path, mission_facts(MISSION)):
        pass
    with ArchiveReader(path) as reader:
        meta = reader.meta()
    assert (meta["mission"], meta["dictionary_hash"], meta["mission_source"]) == ("MARS-6", MARS6.hash_text, "mars6")
    root = et.fromstring(kept_xtce(meta["xtce"]))
    assert root.get("name") == "MARS_6"


def test_a_mission_without_a_source_names_none() -> None:
    assert "mission_source" not in mission_facts(Mission(MARS6))

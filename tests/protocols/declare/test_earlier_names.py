"""Declarations that were written before the modules were put in rooms still load."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from protocols.declare.earlier_names import MOVED

OLD = """
from construct import Int16ub, Struct
from protocols.commands import CommandDef
from protocols.dictionary import ChannelDef, Dictionary, EventDef, PacketDef
from protocols.fields import Limits, Quantity

BODY = Struct("v" / Quantity(Int16ub, "V", limits=Limits(0, 1, 8, 9)))
HK = PacketDef("HK", apid=0x21, service=3, subtype=25, body=BODY)
UP = EventDef(1, "BOOT", "ACTIVITY_HI", "up")
OLD = Dictionary("OLD", 0x21, (HK,), (UP,), (ChannelDef(0, "vc", "OLD", 1000),), ())
"""
LOADED = "from protocols.declare.loading import load_mission; print(load_mission({name!r}).name)"


@pytest.mark.parametrize("name", ["old.py", "old:OLD", "./old.py:OLD"])
def test_a_declaration_of_before_loads(tmp_path: Path, name: str) -> None:
    (tmp_path / "old.py").write_text(OLD, encoding="utf-8")
    code = LOADED.format(name=name)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("OLD\n", "")


@pytest.mark.parametrize("name", MOVED)
def test_the_names_of_before_are_for_declarations_alone(name: str) -> None:
    assert importlib.import_module(MOVED[name]) is not None
    done = subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True, text=True, check=False)
    assert f"No module named '{name}'" in done.stderr

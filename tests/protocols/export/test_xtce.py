"""The XTCE document's structure; the official schema and a foreign decoder judge it in `tests.interop`."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import construct as c
import pytest

from protocols.declare.dictionary import Dictionary, PacketDef
from protocols.errors import DeclarationError
from protocols.export.xtce import render_xtce
from protocols.lander import MARS6

SPACE = {"x": "http://www.omg.org/spec/XTCE/20180204"}
ROOT = ET.fromstring(render_xtce(MARS6))


def test_every_reference_has_its_definition() -> None:
    for use, reference, definition in (
        ("Parameter", "parameterTypeRef", "ParameterTypeSet"),
        ("Argument", "argumentTypeRef", "ArgumentTypeSet"),
    ):
        types = {each.get("name") for each in ROOT.find(f".//x:{definition}", SPACE) or ()}
        assert {each.get(reference) for each in ROOT.iterfind(f".//x:{use}", SPACE)} == types
    parameters = {each.get("name") for each in ROOT.iterfind(".//x:Parameter", SPACE)}
    assert {each.get("parameterRef") for each in ROOT.iterfind(".//x:ParameterRefEntry", SPACE)} == parameters


def test_every_packet_is_told_by_apid_service_and_subtype() -> None:
    for packet in MARS6.by_name.values():
        d = packet.definition
        found = ROOT.findall(f".//x:SequenceContainer[@name='{d.name}']//x:Comparison", SPACE)
        assert {each.get("parameterRef"): each.get("value") for each in found} == {
            "PKT_APID": str(d.apid),
            "PUS_service": str(d.service),
            "PUS_subtype": str(d.subtype),
        }


def test_calibration_and_limits_are_those_of_the_declaration() -> None:
    kind = ROOT.find(".//x:FloatParameterType[@name='DESCENT_temperature_Type']", SPACE)
    assert kind is not None
    assert [t.get("coefficient") for t in kind.iterfind(".//x:Term", SPACE)] == ["120.0", "0.05"]
    warning, critical = kind.find(".//x:WarningRange", SPACE), kind.find(".//x:CriticalRange", SPACE)
    assert warning is not None
    assert critical is not None
    assert warning.attrib == {"minInclusive": "145.0", "maxInclusive": "250.0"}
    assert critical.attrib == {"minInclusive": "130.0", "maxInclusive": "300.0"}


def test_commands_carry_length_function_range_and_significance() -> None:
    step = ROOT.find(".//x:MetaCommand[@name='STEP']", SPACE)
    assert step is not None
    assigned = {a.get("argumentName"): a.get("argumentValue") for a in step.iterfind(".//x:ArgumentAssignment", SPACE)}
    packet = MARS6.command("STEP").packet(0, {"ticks": 1})
    assert assigned == {"apid": "256", "length": str(len(packet) - 7), "service": "8", "subtype": "1"}
    limits = ROOT.find(".//x:IntegerArgumentType[@name='STEP_ticks_Type']//x:ValidRange", SPACE)
    assert limits is not None
    assert limits.attrib == {"minInclusive": "1", "maxInclusive": "10000"}
    critical = {
        command.get("name")
        for command in ROOT.iterfind(".//x:MetaCommand", SPACE)
        if command.find("x:DefaultSignificance", SPACE) is not None
    }
    assert critical == {c.name for c in MARS6.commands if c.critical}


def test_names_that_fall_together_are_refused() -> None:
    packets = (
        PacketDef("A", 1, 3, 25, c.Struct("B_c" / c.Int8ub), 0, ""),
        PacketDef("A_B", 2, 3, 25, c.Struct("c" / c.Int8ub), 0, ""),
    )
    with pytest.raises(DeclarationError, match=r"A\.B_c.*A_B\.c"):
        render_xtce(Dictionary("M", 1, packets, (), (), ()))

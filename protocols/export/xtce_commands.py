"""The commands of an XTCE document: one abstract command with the headers, and one that extends it for each command.

What a sender fills in (sequence count, packet error control) is an argument or zero in the command containers.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement

from protocols.ccsds import pus, space_packet
from protocols.declare.commands import ArgumentDef, Command
from protocols.declare.dictionary import Dictionary
from protocols.export.names import check_distinct, identifier
from protocols.export.xtce_types import data_type
from protocols.structures.layout import Field

_COMMAND_HEADER = (("apid", 11), ("sequence", 14), ("length", 16), ("service", 8), ("subtype", 8))


def render_commands(parent: Element, dictionary: Dictionary) -> None:
    """Fill a CommandMetaData element.

    Raises:
        DeclarationError: two names fall together.
    """
    types = SubElement(parent, "ArgumentTypeSet")
    for name, bits in _COMMAND_HEADER:
        data_type(types, f"PusCommand_{name}_Type", Field(name, 0, bits, "uint"), "Argument")
    commands = SubElement(parent, "MetaCommandSet")
    _command_header(commands)
    names: list[str] = []
    for command in dictionary.command_by_name.values():
        names += [f"{command.definition.name}.{argument.name}" for argument in command.arguments]
        _command(types, commands, command)
    check_distinct(dictionary.name, names)


def _command_header(commands: Element) -> None:
    """The abstract command that all others extend: headers of space packet and PUS-C."""
    description = "PUS-C telecommand, ECSS-E-ST-70-41C §7.4.4; packet error control is added by the sender."
    attributes = {"name": "PusCommand", "abstract": "true", "shortDescription": description}
    command = SubElement(commands, "MetaCommand", attributes)
    arguments = SubElement(command, "ArgumentList")
    for name, _ in _COMMAND_HEADER:
        SubElement(arguments, "Argument", {"name": name, "argumentTypeRef": f"PusCommand_{name}_Type"})
    container = SubElement(command, "CommandContainer", {"name": "PusCommand_Container"})
    entries = SubElement(container, "EntryList")
    _fixed(entries, "packet_type", 0b00011, 5)
    _reference(entries, "apid")
    _fixed(entries, "unsegmented", space_packet.UNSEGMENTED, 2)
    for name in ("sequence", "length"):
        _reference(entries, name)
    _fixed(entries, "pus_and_acknowledge", pus.PUS_C << 4 | pus.ACK_ACCEPTANCE | pus.ACK_COMPLETION, 8)
    for name in ("service", "subtype"):
        _reference(entries, name)
    _fixed(entries, "source", 0, 16)


def _command(types: Element, commands: Element, command: Command) -> None:
    d, layout = command.definition, command.codec.layout
    name = identifier(d.name)
    size = pus.TC_DATA_OFFSET + command.codec.size + (d.function is not None) + pus.CRC_SIZE
    element = SubElement(commands, "MetaCommand", {"name": name, "shortDescription": d.description})
    base = SubElement(element, "BaseMetaCommand", {"metaCommandRef": "PusCommand"})
    assigned = {
        "apid": d.apid,
        "length": size - space_packet.HEADER_SIZE - 1,
        "service": d.service,
        "subtype": d.subtype,
    }
    assignments = SubElement(base, "ArgumentAssignmentList")
    for key, value in assigned.items():
        SubElement(assignments, "ArgumentAssignment", {"argumentName": key, "argumentValue": str(value)})
    if command.arguments:
        arguments = SubElement(element, "ArgumentList")
        for argument in command.arguments:
            _argument(types, arguments, name, argument)
    container = SubElement(element, "CommandContainer", {"name": f"{name}_Container"})
    entries = SubElement(container, "EntryList")
    if d.function is not None:
        _fixed(entries, "function", d.function, 8)
    _entries(entries, layout.fields)
    _fixed(entries, "packet_error_control", 0, 8 * pus.CRC_SIZE)
    SubElement(container, "BaseContainer", {"containerRef": "PusCommand_Container"})
    if d.critical:
        SubElement(element, "DefaultSignificance", {"consequenceLevel": "critical"})


def _argument(types: Element, arguments: Element, command: str, argument: ArgumentDef) -> None:
    name = identifier(argument.name)
    type_name = f"{command}_{name}_Type"
    attributes = {"name": name, "argumentTypeRef": type_name}
    if argument.description:
        attributes["shortDescription"] = argument.description
    SubElement(arguments, "Argument", attributes)
    kind = data_type(types, type_name, argument.field, "Argument")
    if kind.tag in ("IntegerArgumentType", "FloatArgumentType") and argument.raw_range is not None:
        assert argument.low is not None
        assert argument.high is not None
        number = int if kind.tag == "IntegerArgumentType" else float
        ends = {"minInclusive": repr(number(argument.low)), "maxInclusive": repr(number(argument.high))}
        SubElement(SubElement(kind, "ValidRangeSet"), "ValidRange", ends)


def _entries(entries: Element, fields: Iterable[Field]) -> None:
    for field in fields:
        if field.kind == "padding":
            _fixed(entries, "padding", 0, field.bits)
        elif isinstance(field.const, bytes):
            _fixed(entries, identifier(field.name), int.from_bytes(field.const, "big"), field.bits)
        elif field.const is not None:
            _fixed(entries, identifier(field.name), field.const & ((1 << field.bits) - 1), field.bits)
        else:
            _reference(entries, identifier(field.name))


def _fixed(entries: Element, name: str, value: int, bits: int) -> None:
    digits = (bits + 7) // 8 * 2
    attributes = {"name": name, "binaryValue": f"{value:0{digits}X}", "sizeInBits": str(bits)}
    SubElement(entries, "FixedValueEntry", attributes)


def _reference(entries: Element, name: str) -> None:
    SubElement(entries, "ArgumentRefEntry", {"argumentRef": name})

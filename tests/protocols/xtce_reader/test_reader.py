"""What XTCE says is what a packet is decoded to; what cannot be read is named by its path."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from protocols.decode.telemetry import decode_telemetry
from protocols.errors import DeclarationError, DecodeError
from protocols.xtce_reader import read_xtce
from tests.protocols.xtce_reader.documents import compare, container, document, entry, integer, packet

U8 = integer("U8", 8)
U16 = integer("U16", 16)
U4 = integer("U4", 4)
ONE = compare("APID", 1)


def decoded(data: bytes, body: bytes, apid: int = 1) -> tuple[str, dict[str, Any]]:
    """Name and values of a packet."""
    sample = decode_telemetry(read_xtce(data).dictionary, packet(apid, body))
    return sample.packet.definition.name, sample.values


def one(types: str, names: dict[str, str], body: bytes, entries: str = "") -> dict[str, Any]:
    """The values of a document with one packet, of all parameters in their order."""
    found = container("P", entries or "".join(map(entry, names)), criteria=ONE)
    return decoded(document(types, names, found), body)[1]


def test_integers_of_any_width_sign_and_byte_order() -> None:
    types = (
        U4
        + integer("S4", 4, encoding="twosComplement")
        + integer("S16L", 16, encoding="twosComplement", more='byteOrder="leastSignificantByteFirst"')
        + integer("U64", 64)
    )
    values = one(types, {"a": "U4", "b": "S4", "c": "S16L", "d": "U64"}, bytes.fromhex("1f feff 8000000000000001"))
    assert values == {"a": 1, "b": -1, "c": -2, "d": 0x8000000000000001}


def test_floats_strings_and_bytes() -> None:
    types = (
        '<FloatParameterType name="F"><FloatDataEncoding sizeInBits="32"/></FloatParameterType>'
        '<FloatParameterType name="D"><FloatDataEncoding sizeInBits="64" encoding="IEEE754_1985" '
        'byteOrder="leastSignificantByteFirst"/></FloatParameterType>'
        '<StringParameterType name="S"><StringDataEncoding encoding="UTF-8"><SizeInBits><Fixed><FixedValue>32'
        "</FixedValue></Fixed></SizeInBits></StringDataEncoding></StringParameterType>"
        '<StringParameterType name="Z"><StringDataEncoding encoding="UTF-8"><SizeInBits><Fixed><FixedValue>32'
        "</FixedValue></Fixed><TerminationChar>00</TerminationChar></SizeInBits></StringDataEncoding>"
        '</StringParameterType><BinaryParameterType name="B"><BinaryDataEncoding><SizeInBits><FixedValue>24'
        "</FixedValue></SizeInBits></BinaryDataEncoding></BinaryParameterType>"
    )
    body = struct.pack(">f", 1.5) + struct.pack("<d", -2.25) + b"ab\0\0" + b"cd\0x" + b"\x01\x02\x03"
    values = one(types, {name: name for name in "FDSZB"}, body)
    assert values == {"F": 1.5, "D": -2.25, "S": "ab\0\0", "Z": "cd", "B": b"\x01\x02\x03"}


def test_calibrators_enumerations_and_booleans() -> None:
    poly = '<DefaultCalibrator><PolynomialCalibrator><Term coefficient="0.5" exponent="1"/><Term coefficient="3" '
    poly += 'exponent="0"/></PolynomialCalibrator></DefaultCalibrator>'
    spline = '<DefaultCalibrator><SplineCalibrator><SplinePoint raw="10" calibrated="100"/><SplinePoint raw="0" '
    spline += 'calibrated="0"/></SplineCalibrator></DefaultCalibrator>'
    types = (
        integer("P", 8, poly)
        + integer("S", 8, spline)
        + '<EnumeratedParameterType name="E"><IntegerDataEncoding sizeInBits="7"/><EnumerationList>'
        '<Enumeration value="1" label="ON"/><Enumeration value="2" maxValue="9" label="MANY"/></EnumerationList>'
        '</EnumeratedParameterType><BooleanParameterType name="B"><IntegerDataEncoding sizeInBits="1"/>'
        "</BooleanParameterType>"
    )
    names = {"p": "P", "s": "S", "e": "E", "b": "B"}
    assert one(types, names, bytes([4, 5, 1 << 1 | 1])) == {"p": 5.0, "s": 50.0, "e": "ON", "b": True}
    assert one(types, names, bytes([0, 10, 7 << 1]))["e"] == "MANY"
    assert one(types, names, bytes([0, 10, 100 << 1]))["e"] == 100


def test_units_limits_and_descriptions_are_kept() -> None:
    types = (
        '<IntegerParameterType name="T"><UnitSet><Unit>K</Unit></UnitSet><IntegerDataEncoding sizeInBits="8"/>'
        '<DefaultAlarm><StaticAlarmRanges><WarningRange minInclusive="5" maxInclusive="50"/>'
        '<CriticalRange minExclusive="1"/></StaticAlarmRanges></DefaultAlarm></IntegerParameterType>'
    )
    data = document(types, {"t": "T"}, container("P", entry("t"), criteria=ONE))
    (parameter,) = read_xtce(data).dictionary.by_name["P"].parameters
    assert parameter.unit == "K" and parameter.limits is not None
    states = [parameter.limits.state(value) for value in (1, 1.5, 5, 50, 51)]
    assert states == ["RED_LOW", "YELLOW_LOW", "GREEN", "GREEN", "YELLOW_HIGH"]


def test_types_based_on_others_aggregates_and_arrays() -> None:
    types = (
        U8 + '<IntegerParameterType name="V" baseType="U8"><UnitSet><Unit>V</Unit></UnitSet></IntegerParameterType>'
        '<AggregateParameterType name="A"><MemberList><Member name="x" typeRef="U8"/><Member name="y" typeRef="V"/>'
        '</MemberList></AggregateParameterType><ArrayParameterType name="R" arrayTypeRef="A"><DimensionList><Dimension>'
        "<StartingIndex><FixedValue>0</FixedValue></StartingIndex><EndingIndex><FixedValue>1</FixedValue></EndingIndex>"
        "</Dimension></DimensionList></ArrayParameterType>"
    )
    values = one(types, {"a": "A", "r": "R"}, bytes(range(6)))
    assert values == {"a.x": 0, "a.y": 1, "r[0].x": 2, "r[0].y": 3, "r[1].x": 4, "r[1].y": 5}


def test_containers_that_equal_fields_tell_become_packets() -> None:
    entries = entry("kind")
    containers = (
        container("BASE", entries, criteria=ONE, more='abstract="true"')
        + container("RED", entry("a"), "BASE", compare("kind", 1))
        + container("BLUE", entry("b"), "BASE", compare("kind", 2))
        + container("OTHER", entry("a"), criteria=compare("APID", 2))
    )
    data = document(U8 + U16, {"kind": "U8", "a": "U8", "b": "U16"}, containers)
    assert decoded(data, b"\x01\x09") == ("RED", {"kind": 1, "a": 9})
    assert decoded(data, b"\x02\x00\x09") == ("BLUE", {"kind": 2, "b": 9})
    assert decoded(data, b"\x07", 2) == ("OTHER", {"a": 7})
    with pytest.raises(DecodeError, match="not declared"):
        decoded(data, b"\x03\x00\x09")


@pytest.mark.parametrize(
    ("criteria", "kinds"),
    [
        (compare("kind", 3, "!="), {0, 1, 2, 4}),
        (compare("kind", 2, "<"), {0, 1}),
        (compare("kind", 2, "<="), {0, 1, 2}),
        (compare("kind", 2, ">"), {3, 4}),
        (compare("kind", 2, ">="), {2, 3, 4}),
        (f"<ComparisonList>{compare('kind', 0, '>')}{compare('kind', 3, '<')}</ComparisonList>", {1, 2}),
        (
            "<BooleanExpression><ORedConditions><Condition><ParameterInstanceRef parameterRef='kind'/>"
            "<ComparisonOperator>==</ComparisonOperator><Value>1</Value></Condition><Condition>"
            "<ParameterInstanceRef parameterRef='kind'/><ComparisonOperator>==</ComparisonOperator><Value>4</Value>"
            "</Condition></ORedConditions></BooleanExpression>",
            {1, 4},
        ),
    ],
)
def test_other_criteria_become_cases_of_one_packet(criteria: str, kinds: set[int]) -> None:
    containers = container("BASE", entry("kind"), criteria=ONE) + container("MORE", entry("a"), "BASE", criteria)
    data = document(U8, {"kind": "U8", "a": "U8"}, containers)
    assert {kind for kind in range(5) if "a" in decoded(data, bytes([kind, 9]))[1]} == kinds


def test_criteria_by_labels_and_members() -> None:
    types = (
        '<EnumeratedParameterType name="E"><IntegerDataEncoding sizeInBits="8"/><EnumerationList>'
        '<Enumeration value="5" label="FIVE"/></EnumerationList></EnumeratedParameterType>'
        '<AggregateParameterType name="A"><MemberList><Member name="k" typeRef="E"/></MemberList>'
        "</AggregateParameterType>"
    )
    containers = container("BASE", entry("a"), criteria=ONE, more='abstract="true"') + container(
        "FIVE", entry("b"), "BASE", compare("a/k", "FIVE")
    )
    data = document(types + U8, {"a": "A", "b": "U8"}, containers)
    assert decoded(data, b"\x05\x01") == ("FIVE", {"a.k": "FIVE", "b": 1})


def test_sizes_by_a_parameter_by_the_length_and_by_look_up() -> None:
    def sized(name: str, reference: str, slope: int, intercept: int) -> str:
        return (
            f'<BinaryParameterType name="{name}"><BinaryDataEncoding><SizeInBits><DynamicValue><ParameterInstanceRef '
            f'parameterRef="{reference}"/><LinearAdjustment slope="{slope}" intercept="{intercept}"/></DynamicValue>'
            "</SizeInBits></BinaryDataEncoding></BinaryParameterType>"
        )

    looked = (
        '<BinaryParameterType name="L"><BinaryDataEncoding><SizeInBits><DiscreteLookupList>'
        f'<DiscreteLookup value="8">{compare("n", 1)}</DiscreteLookup>'
        f'<DiscreteLookup value="16">{compare("n", 2)}</DiscreteLookup></DiscreteLookupList></SizeInBits>'
        "</BinaryDataEncoding></BinaryParameterType>"
    )
    types = U8 + sized("N", "n", 8, 8) + sized("R", "LENGTH", 8, -16) + looked
    assert one(types, {"n": "U8", "d": "N", "e": "U8"}, b"\x01abc") == {"n": 1, "d": b"ab", "e": 99}
    assert one(types + U16, {"n": "U8", "r": "R", "e": "U16"}, b"\x01abc\x00\x02") == {"n": 1, "r": b"abc", "e": 2}
    assert one(types, {"n": "U8", "l": "L"}, b"\x02ab") == {"n": 2, "l": b"ab"}


def test_conditions_and_repetitions_of_entries() -> None:
    condition = f"<IncludeCondition>{compare('n', 1, '>')}</IncludeCondition>"
    fixed = "<RepeatEntry><Count><FixedValue>2</FixedValue></Count></RepeatEntry>"
    dynamic = '<RepeatEntry><Count><DynamicValue><ParameterInstanceRef parameterRef="n"/></DynamicValue></Count>'
    dynamic += "</RepeatEntry>"
    names = {"n": "U8", "a": "U8", "b": "U8", "c": "U8"}
    entries = entry("n") + entry("a", condition) + entry("b", fixed) + entry("c", dynamic)
    assert one(U8, names, bytes([1, 7, 8, 9]), entries) == {"n": 1, "b[0]": 7, "b[1]": 8, "c[0]": 9}
    many = one(U8, names, bytes([2, 6, 7, 8, 9, 10]), entries)
    assert many == {"n": 2, "a": 6, "b[0]": 7, "b[1]": 8, "c[0]": 9, "c[1]": 10}


def test_repeated_containers_number_their_fields() -> None:
    repeat = '<RepeatEntry><Count><DynamicValue><ParameterInstanceRef parameterRef="n"/></DynamicValue></Count>'
    item = f'<SequenceContainer name="ITEM"><EntryList>{entry("a")}{entry("b")}</EntryList></SequenceContainer>'
    entries = entry("n") + f'<ContainerRefEntry containerRef="ITEM">{repeat}</RepeatEntry></ContainerRefEntry>'
    data = document(U8, {"n": "U8", "a": "U8", "b": "U8"}, item + container("P", entries, criteria=ONE))
    assert decoded(data, bytes([2, 1, 2, 3, 4]))[1] == {
        "n": 2, "ITEM[0].a": 1, "ITEM[0].b": 2, "ITEM[1].a": 3, "ITEM[1].b": 4,
    }  # fmt: skip
    assert not read_xtce(data).problems


def test_places_of_entries_are_kept() -> None:
    def at(bits: int, origin: str) -> str:
        inner = f'<LocationInContainerInBits referenceLocation="{origin}"><FixedValue>{bits}</FixedValue>'
        return f"{inner}</LocationInContainerInBits>"

    names = {"a": "U8", "b": "U8", "c": "U8", "d": "U8"}
    entries = entry("a", at(56, "containerStart")) + entry("b", at(8, "previousEntry"))
    entries += entry("c", at(60, "containerStart")) + entry("d", at(80, "containerStart"))
    data = document(U8, names, container("P", entries, criteria=ONE))
    assert decoded(data, bytes(range(5)))[1] == {"a": 1, "b": 3, "d": 4}
    (problem,) = read_xtce(data).problems
    assert problem.startswith("TEST/c (line 1): it lies over others")


def test_a_string_after_its_size() -> None:
    types = (
        '<StringParameterType name="S"><StringDataEncoding encoding="UTF-8"><SizeInBits><Fixed><FixedValue>40'
        '</FixedValue></Fixed><LeadingSize sizeInBitsOfSizeTag="8"/></SizeInBits></StringDataEncoding>'
        "</StringParameterType>"
    )
    assert one(types + U8, {"s": "S", "e": "U8"}, b"\x10abcd\x07") == {"s.size": 16, "s": "ab", "e": 7}


@pytest.mark.parametrize(
    ("end", "body", "found"),
    [
        ("<TerminationChar>00</TerminationChar>", b"ab\0\x07", {"s": "ab", "e": 7}),
        ('<LeadingSize sizeInBitsOfSizeTag="16"/>', b"\0\x02ab\x07", {"s.size": 2, "s": "ab", "e": 7}),
    ],
)
def test_a_string_of_a_file_for_yamcs_needs_no_parameter(end: str, body: bytes, found: dict[str, object]) -> None:
    nothing = '<DynamicValue><ParameterInstanceRef parameterRef="_yamcs_ignore"/></DynamicValue>'
    types = (
        '<StringParameterType name="S"><StringDataEncoding encoding="UTF-8">'
        f'<Variable maxSizeInBits="800">{nothing}{end}</Variable></StringDataEncoding></StringParameterType>'
    )
    assert one(types + U8, {"s": "S", "e": "U8"}, body) == found


def test_a_parameter_that_comes_again_gets_a_number() -> None:
    entries = entry("a") * 3
    assert one(U8, {"a": "U8"}, b"\x01\x02\x03", entries) == {"a": 1, "a_2": 2, "a_3": 3}


def test_bytes_after_a_container_are_not_looked_at() -> None:
    assert one(U8, {"a": "U8"}, b"\x01\xff\xff") == {"a": 1}
    with pytest.raises(DecodeError, match="at least 8 are declared"):
        one(U16, {"a": "U16"}, b"\x01")


def test_references_go_through_space_systems() -> None:
    inner = (
        '<SpaceSystem name="SUB"><TelemetryMetaData><ParameterTypeSet>'
        f'{integer("T", 8)}</ParameterTypeSet><ParameterSet><Parameter name="x" parameterTypeRef="T"/>'
        '<Parameter name="y" parameterTypeRef="/TEST/U8"/></ParameterSet><ContainerSet>'
        f"{container('P', entry('x') + entry('y') + entry('/z'), '/HEAD', compare('/TEST/APID', 3))}"
        "</ContainerSet></TelemetryMetaData></SpaceSystem>"
    )
    data = document(U8, {"z": "U8"}, "", inner)
    assert decoded(data, b"\x01\x02\x03", 3) == ("P", {"x": 1, "y": 2, "z": 3})


def test_a_type_that_cannot_be_read_leaves_its_raw_number() -> None:
    odd = integer("M", 8, "<DefaultCalibrator><MathOperationCalibrator/></DefaultCalibrator>")
    odd += integer("B", 8, encoding="BCD")
    context = "<ContextCalibratorList/><DefaultCalibrator><PolynomialCalibrator><Term coefficient='2' exponent='1'/>"
    odd += integer("C", 8, f"{context}</PolynomialCalibrator></DefaultCalibrator>")
    odd += '<FloatParameterType name="F"><FloatDataEncoding sizeInBits="32" encoding="MILSTD_1750A"/>'
    odd += '</FloatParameterType><EnumeratedParameterType name="E"><IntegerDataEncoding sizeInBits="8"/>'
    odd += '<EnumerationList><Enumeration value="1" label="A"/><Enumeration value="1" label="B"/></EnumerationList>'
    odd += "</EnumeratedParameterType>"
    names = {"m": "M", "b": "B", "f": "F", "e": "E", "c": "C"}
    data = document(odd, names, container("P", "".join(map(entry, names)), criteria=ONE))
    assert decoded(data, bytes([1, 0x12, 0, 0, 0, 5, 1, 3]))[1] == {"m": 1, "b": 0x12, "f": 5, "e": 1, "c": 3}
    problems = "\n".join(read_xtce(data).problems)
    for words in (
        "TEST/M: its raw number",
        "MathOperationCalibrator",
        "TEST/B (line 1)",
        "BCD",
        "MILSTD",
        "overlaps",
        "context",
    ):
        assert words in problems


@pytest.mark.parametrize(
    ("broken", "path", "words"),
    [
        (container("BAD", entry("nothing"), criteria=compare("APID", 2)), "TEST/BAD", "no parameter 'nothing'"),
        (container("BAD", entry("lost"), criteria=compare("APID", 2)), "TEST/lost", "no type 'GONE'"),
        (container("BAD", entry("lost"), criteria=compare("APID", 2)), "TEST/BAD", "left out: TEST/lost (line 1)"),
        (container("BAD", "", "GONE"), "TEST/BAD", "no container 'GONE'"),
        (container("BAD", "", criteria=compare("gone", 2)), "TEST/BAD", "no parameter 'gone'"),
        (container("BAD", "", criteria=compare("a", 2)), "TEST/BAD", "not a field that comes before"),
        (container("BAD", "", criteria=compare("APID", "WHAT")), "TEST/BAD", "not a whole number or label"),
        (container("BAD", "", "BAD", compare("APID", 2)), "TEST/BAD", "extends itself"),
        (container("X", "", "Y") + container("Y", "", "X"), "TEST/Y", "extends itself"),
        (container("BAD", "<StreamSegmentEntry/>", criteria=compare("APID", 2)), "TEST/BAD", "StreamSegmentEntry"),
        (
            container("BAD", '<ContainerRefEntry containerRef="BAD"/>', criteria=compare("APID", 2)),
            "TEST/BAD",
            "containers within each other",
        ),
        (container("BAD", "", criteria=compare("FLAGS", 3) + compare("APID", 2)), "TEST/BAD", "in the primary header"),
        (container("BAD", "", criteria=compare("APID", 2047)), "TEST/BAD", "idle"),
        (container("BAD", entry("a")), "TEST/BAD", "not told by an APID"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_and_the_rest_goes_on(broken: str, path: str, words: str) -> None:
    good = container("P", entry("a"), criteria=ONE)
    data = document(U8, {"a": "U8", "lost": "GONE"}, broken + good)
    assert decoded(data, b"\x05") == ("P", {"a": 5})
    assert any(problem.startswith(path) and words in problem for problem in read_xtce(data).problems)


def test_a_file_without_any_packet_says_why() -> None:
    with pytest.raises(DeclarationError, match=r"no packet in it can be read: .*no parameter 'x'"):
        read_xtce(document("", {}, container("P", entry("x"), criteria=ONE)))


def test_another_document_is_refused() -> None:
    with pytest.raises(DeclarationError, match="'html': expected SpaceSystem"):
        read_xtce(b"<html/>")
    with pytest.raises(DeclarationError, match="not XML"):
        read_xtce(b"\x00\x01")


def test_a_primary_header_of_aggregates_told_by_words() -> None:
    """As in the quick start of Yamcs: booleans with words, criteria on members, places in the header that overlap."""

    def boolean(name: str, zero: str, one: str) -> str:
        words = f'zeroStringValue="{zero}" oneStringValue="{one}"'
        return (
            f'<BooleanParameterType name="{name}" {words}><IntegerDataEncoding sizeInBits="1"/></BooleanParameterType>'
        )

    def aggregate(name: str, **members: str) -> str:
        listed = "".join(f'<Member name="{member}" typeRef="{kind}"/>' for member, kind in members.items())
        return f'<AggregateParameterType name="{name}"><MemberList>{listed}</MemberList></AggregateParameterType>'

    types = (
        aggregate("Id", Version="U3", Type="T", Flag="S", APID="U11")
        + aggregate("Seq", Flags="U2", Count="U14")
        + "".join(integer(f"U{bits}", bits) for bits in (2, 3, 8, 11, 14, 16))
        + boolean("T", "TM", "TC")
        + boolean("S", "NotPresent", "Present")
    )
    names = {"id": "Id", "seq": "Seq", "length": "U16", "a": "U8", "over": "U3"}
    listed = "".join(f'<Parameter name="{name}" parameterTypeRef="{kind}"/>' for name, kind in names.items())
    place = '<LocationInContainerInBits referenceLocation="containerStart"><FixedValue>29</FixedValue>'
    told = compare("id/Flag", "NotPresent") + compare("id/APID", 100)
    containers = (
        f'<SequenceContainer name="CCSDS" abstract="true"><EntryList>{entry("id") + entry("seq") + entry("length")}'
        "</EntryList></SequenceContainer>"
        + container("TM", "", "CCSDS", compare("id/Version", 0) + compare("id/Type", "TM"))
        + container("CRAFT", entry("a") + entry("over", f"{place}</LocationInContainerInBits>"), "TM", told)
    )  # fmt: skip
    data = (
        f'<SpaceSystem name="Y"><TelemetryMetaData><ParameterTypeSet>{types}</ParameterTypeSet><ParameterSet>{listed}'
        f"</ParameterSet><ContainerSet>{containers}</ContainerSet></TelemetryMetaData></SpaceSystem>"
    ).encode()
    assert decoded(data, b"\x2a", 100) == ("CRAFT", {"a": 42})
    problems = read_xtce(data).problems
    assert any("Y/over" in problem and "lies over others" in problem for problem in problems)

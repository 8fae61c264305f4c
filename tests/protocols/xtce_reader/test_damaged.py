"""A damaged document, or any bytes at all, give a dictionary or a `DeclarationError`, and nothing else."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols.declare.dictionary import ChannelDef, Dictionary, EventDef, PacketDef
from protocols.decode.telemetry import decode_telemetry
from protocols.errors import DeclarationError, DecodeError
from protocols.export.xtce import render_xtce
from protocols.xtce_reader import Bounds, read_xtce
from tests.protocols.export.test_round_trip import BODY
from tests.protocols.export.test_round_trip import OWN as OWN_HEADER
from tests.protocols.xtce_reader.documents import compare, container, document, entry, integer, packet

BOUNDS = Bounds(fields=5000)
_DYNAMIC = (
    '<DynamicValue><ParameterInstanceRef parameterRef="n"/><LinearAdjustment slope="8" intercept="8"/></DynamicValue>'
)
TYPES = (
    integer("U8", 8)
    + integer("S12", 12, encoding="twosComplement")
    + integer("U4", 4)
    + integer("P", 16, '<DefaultCalibrator><PolynomialCalibrator><Term coefficient="2" exponent="1"/><Term '
    'coefficient="1" exponent="0"/></PolynomialCalibrator></DefaultCalibrator>')
    + integer("Q", 16, '<DefaultCalibrator><SplineCalibrator><SplinePoint raw="0" calibrated="0"/><SplinePoint raw="9" '
    'calibrated="3"/></SplineCalibrator></DefaultCalibrator>')
    + '<FloatParameterType name="F"><UnitSet><Unit>V</Unit></UnitSet><FloatDataEncoding sizeInBits="32"/><DefaultAlarm>'
    '<StaticAlarmRanges><WarningRange minInclusive="1"/></StaticAlarmRanges></DefaultAlarm></FloatParameterType>'
    '<EnumeratedParameterType name="E"><IntegerDataEncoding sizeInBits="8"/><EnumerationList><Enumeration value="1" '
    'label="ON"/><Enumeration value="2" maxValue="5" label="OFF"/></EnumerationList></EnumeratedParameterType>'
    '<BooleanParameterType name="B"><IntegerDataEncoding sizeInBits="8"/></BooleanParameterType>'
    f'<BinaryParameterType name="X"><BinaryDataEncoding><SizeInBits>{_DYNAMIC}</SizeInBits></BinaryDataEncoding>'
    '</BinaryParameterType><StringParameterType name="S"><StringDataEncoding encoding="UTF-8"><SizeInBits><Fixed>'
    '<FixedValue>32</FixedValue></Fixed><LeadingSize sizeInBitsOfSizeTag="8"/></SizeInBits></StringDataEncoding>'
    '</StringParameterType><AggregateParameterType name="G"><MemberList><Member name="x" typeRef="U8"/>'
    '<Member name="y" typeRef="F"/></MemberList></AggregateParameterType>'
)  # fmt: skip
NAMES = {
    "n": "U8", "s": "S12", "u": "U4", "v": "U8", "p": "P", "q": "Q", "f": "F", "e": "E", "b": "B", "x": "X", "t": "S",
    "g": "G",
}  # fmt: skip
_REPEAT = (
    '<RepeatEntry><Count><DynamicValue><ParameterInstanceRef parameterRef="n"/></DynamicValue></Count></RepeatEntry>'
)
DOCUMENT = document(
    TYPES,
    NAMES,
    '<SequenceContainer name="ITEM"><EntryList>' + entry("p") + entry("q") + "</EntryList></SequenceContainer>"
    + container("BASE", entry("n") + entry("s") + entry("u"), criteria=compare("APID", 1), more='abstract="true"')
    + container("A", entry("f") + entry("e"), "BASE", compare("n", 1))
    + container("B", entry("x") + entry("t") + entry("g"), "BASE", compare("n", 2, ">="))
    + container(
        "C",
        entry("n", "<LocationInContainerInBits><FixedValue>8</FixedValue></LocationInContainerInBits>")
        + f'<ContainerRefEntry containerRef="ITEM">{_REPEAT}</ContainerRefEntry>'
        + entry("b", f"<IncludeCondition>{compare('n', 0, '!=')}</IncludeCondition>")
        + entry("v"),
        criteria=compare("APID", 3),
    ),
)  # fmt: skip
OWN = render_xtce(
    Dictionary(
        "OWN",
        1,
        (
            PacketDef("A", 1, 3, 25, BODY, 100, "words", optional=True),
            PacketDef("B", 2, body=BODY, header=OWN_HEADER, when={"source": 9}),
        ),
        (EventDef(1, "BOOT", "ACTIVITY_HI", "started {a:02x}"),),
        (ChannelDef(0, "vc", "A1", 1000),),
        (),
    )
)
_JSON = re.compile(r'[:,\[{]("[^"<>]*"|-?[\d.]+|null|true|false)')
_JSON_WORDS = ["0", "-1", "1e300", "null", "true", '""', '"x"', "[]", "{}", "[" * 500, '"own"', '"cuc"', "9" * 40]
_ATTRIBUTE = re.compile(r'"([^"]*)"')
_WORDS = [
    "",
    "0",
    "-1",
    "1",
    "7",
    "8",
    "65536",
    "9999999999999",
    "1e400",
    "nan",
    "n",
    "U8",
    "A",
    "BASE",
    "HEAD",
    "APID",
    ">",
    "é",
]


def read(data: bytes) -> None:
    """Read, and decode with what was read."""
    try:
        found = read_xtce(data, BOUNDS)
    except DeclarationError:
        return
    for apid in (1, 2, 3):
        try:
            decode_telemetry(found.dictionary, packet(apid, bytes(range(1, 60))))
        except DecodeError:
            continue


def test_the_document_itself_is_read_whole() -> None:
    found = read_xtce(DOCUMENT, BOUNDS)
    assert not found.problems
    assert set(found.dictionary.by_name) == {"BASE", "C"}


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    read(data)


@given(st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_bytes_cut_changed_or_put_in(data: st.DataObject) -> None:
    octets = bytearray(DOCUMENT)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(octets) - 1))
        if data.draw(st.booleans()):
            del octets[at : at + data.draw(st.integers(1, 40))]
        else:
            octets[at : at + 1] = data.draw(st.binary(max_size=4))
    read(bytes(octets))


@given(st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_damaged_attributes(data: st.DataObject) -> None:
    damage(DOCUMENT.decode(), data)


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_damaged_attributes_of_our_own_document(data: st.DataObject) -> None:
    damage(OWN, data)


@given(st.data())
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_damaged_marks_of_our_own_document(data: st.DataObject) -> None:
    text = OWN
    for _ in range(data.draw(st.integers(1, 3))):
        places = list(_JSON.finditer(text))
        place = places[data.draw(st.integers(0, len(places) - 1))]
        value = data.draw(st.sampled_from([*_JSON_WORDS, *(each[1] for each in places[::7])]))
        text = text[: place.start(1)] + value + text[place.end(1) :]
    read(text.encode())


def damage(text: str, data: st.DataObject) -> None:
    """Read a document with other values in some attributes."""
    for _ in range(data.draw(st.integers(1, 4))):
        places = list(_ATTRIBUTE.finditer(text))
        place = places[data.draw(st.integers(0, len(places) - 1))]
        value = data.draw(st.one_of(st.sampled_from(_WORDS), st.sampled_from([each[1] for each in places])))
        text = text[: place.start(1)] + value.replace(">", "&gt;") + text[place.end(1) :]
    read(text.encode())


@given(st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_elements_swapped_repeated_or_taken_out(data: st.DataObject) -> None:
    root = ET.fromstring(DOCUMENT)
    for _ in range(data.draw(st.integers(1, 4))):
        elements = [each for each in root.iter() if len(each)]
        if not elements:
            break
        one = elements[data.draw(st.integers(0, len(elements) - 1))]
        two = elements[data.draw(st.integers(0, len(elements) - 1))]
        at, other = data.draw(st.integers(0, len(one) - 1)), data.draw(st.integers(0, len(two) - 1))
        what = data.draw(st.sampled_from(["swap", "repeat", "take out", "move"]))
        if what == "take out":
            del one[at]
        elif what == "repeat":
            one.insert(at, one[at])
        elif one is not two and one[at] is not two and two[other] is not one:
            one[at], two[other] = two[other], one[at]
        if sum(1 for _ in zip(root.iter(), range(5000), strict=False)) >= 5000:
            return
    try:
        text = ET.tostring(root)
    except RecursionError:
        return
    read(text)

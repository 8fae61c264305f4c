"""A stranger's file costs no more than what was allowed, and the refusal says which bound and what was found."""

from __future__ import annotations

import pytest

from protocols.errors import DeclarationError
from protocols.xtce_reader import Bounds, read_xtce
from tests.protocols.xtce_reader.documents import compare, container, document, entry, integer

U8 = integer("U8", 8)
FEW = Bounds(fields=9000)
ONE = compare("APID", 1)
PLAIN = document(U8, {"a": "U8"}, container("P", entry("a"), criteria=ONE))


def refused(data: bytes, bounds: Bounds | None = None) -> str:
    """Why a document is not read."""
    with pytest.raises(DeclarationError) as caught:
        read_xtce(data, bounds)
    return str(caught.value)


def test_a_doctype_is_refused_with_all_that_it_could_name() -> None:
    for inside in (
        '<!ENTITY a "b">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % a SYSTEM "http://example.org/a"> %a;',
        "",
    ):
        data = f"<!DOCTYPE SpaceSystem [{inside}]><SpaceSystem name='&a;'/>".encode()
        assert "it has a DOCTYPE" in refused(data)
    assert "it has a DOCTYPE" in refused(b'<!DOCTYPE SpaceSystem SYSTEM "x.dtd"><SpaceSystem/>')
    assert "undefined entity" in refused(b"<SpaceSystem name='&a;'/>")


def test_an_include_is_not_followed() -> None:
    more = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'
    assert not read_xtce(document(U8, {"a": "U8"}, container("P", entry("a"), criteria=ONE), more)).problems


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        (Bounds(octets=100), "bytes: at most 100 are read"),
        (Bounds(depth=3), "4 elements within each other: at most 3"),
        (Bounds(elements=10), "11 elements: at most 10"),
        (Bounds(characters=5), "characters of an attribute: at most 5"),
        (Bounds(types=2), "3 types: at most 2"),
        (Bounds(parameters=2), "3 parameters: at most 2"),
        (Bounds(containers=1), "2 containers: at most 1"),
    ],
)
def test_each_bound_says_which_it_is_and_what_was_found(bounds: Bounds, words: str) -> None:
    assert words in refused(PLAIN, bounds)


def test_containers_that_include_each_other_end_at_a_bound() -> None:
    """Ten includes on ten levels: a file of a few lines, and 10¹⁰ fields."""
    levels = "".join(
        f'<SequenceContainer name="L{n}"><EntryList>'
        + f'<ContainerRefEntry containerRef="L{n + 1}"/>' * 10
        + "</EntryList></SequenceContainer>"
        for n in range(10)
    )
    levels += f'<SequenceContainer name="L10"><EntryList>{entry("a")}</EntryList></SequenceContainer>'
    include = '<ContainerRefEntry containerRef="L0"/>'
    data = document(U8, {"a": "U8"}, levels + container("BOMB", include, criteria=ONE))
    assert "fields, labels and calibration points in all packets: at most 9,000" in refused(data, FEW)


def test_many_labels_in_many_fields_end_at_a_bound() -> None:
    labels = "".join(f'<Enumeration value="{n}" label="L{n}"/>' for n in range(2000))
    kind = f'<EnumeratedParameterType name="E"><IntegerDataEncoding sizeInBits="16"/><EnumerationList>{labels}'
    kind += "</EnumerationList></EnumeratedParameterType>"
    data = document(kind, {"e": "E"}, container("BOMB", entry("e") * 1000, criteria=ONE))
    assert "fields, labels and calibration points" in refused(data, FEW)


def test_arrays_of_arrays_end_at_a_bound() -> None:
    dims = (
        "<Dimension><StartingIndex><FixedValue>0</FixedValue></StartingIndex><EndingIndex><FixedValue>999</FixedValue>"
    )
    dims = f"<DimensionList>{dims}</EndingIndex></Dimension></DimensionList>"
    kinds = f'<ArrayParameterType name="A" arrayTypeRef="U8">{dims}</ArrayParameterType>'
    kinds += f'<ArrayParameterType name="B" arrayTypeRef="A">{dims}</ArrayParameterType>'
    kinds += f'<ArrayParameterType name="C" arrayTypeRef="B">{dims}</ArrayParameterType>'
    data = document(U8 + kinds, {"c": "C"}, container("BOMB", entry("c"), criteria=ONE))
    assert "fields, labels and calibration points" in refused(data, FEW)


def test_a_long_chain_of_containers_ends_at_a_bound() -> None:
    chain = container("C0", "", criteria=ONE)
    chain += "".join(container(f"C{n}", "", f"C{n - 1}") for n in range(1, 200))
    data = document(U8, {"a": "U8"}, chain + container("P", entry("a"), criteria=compare("APID", 2)))
    problems = read_xtce(data).problems
    assert any("bases of a container: at most 64" in problem for problem in problems)


def test_a_long_chain_of_types_ends_at_a_bound() -> None:
    kinds = U8 + '<IntegerParameterType name="T0" baseType="U8"/>'
    kinds += "".join(f'<IntegerParameterType name="T{n}" baseType="T{n - 1}"/>' for n in range(1, 200))
    kinds += '<IntegerParameterType name="R" baseType="R"/>'
    kinds += '<AggregateParameterType name="G"><MemberList><Member name="g" typeRef="G"/></MemberList>'
    kinds += "</AggregateParameterType>"
    broken = "".join(
        container(name, entry(name), criteria=compare("APID", apid)) for apid, name in enumerate("trg", start=2)
    )
    names = {"a": "U8", "t": "T199", "r": "R", "g": "G"}
    problems = "\n".join(read_xtce(document(kinds, names, broken + container("P", entry("a"), criteria=ONE))).problems)
    for words in ("types based on each other: at most 64", "TEST/R (line 1): is based on itself", "part of itself"):
        assert words in problems


def test_numbers_that_are_too_large_are_refused() -> None:
    big = "9" * 30
    for kind in (
        integer("X", 8).replace('"8"', f'"{big}"'),
        f'<BinaryParameterType name="X"><BinaryDataEncoding><SizeInBits><FixedValue>{big}</FixedValue></SizeInBits>'
        "</BinaryDataEncoding></BinaryParameterType>",
    ):
        assert "bits" in refused(document(kind, {"x": "X"}, container("P", entry("x"), criteria=ONE)))
    repeat = f"<RepeatEntry><Count><FixedValue>{big}</FixedValue></Count></RepeatEntry>"
    data = document(U8, {"a": "U8"}, container("P", entry("a", repeat), criteria=ONE))
    assert "is not a count of 0 … 65536" in refused(data)


def test_many_problems_are_counted_beyond_the_first() -> None:
    broken = "".join(container(f"B{n}", entry("gone"), criteria=ONE) for n in range(20))
    data = document(U8, {"a": "U8"}, broken + container("P", entry("a"), criteria=ONE))
    assert read_xtce(data, Bounds(problems=5)).problems[-1] == "and 15 more"


def test_a_name_that_is_not_one_is_refused() -> None:
    data = document(U8, {"a": "U8", "b\x85\u202ec": "U8"}, container("P", entry("a"), criteria=ONE))
    (problem,) = read_xtce(data).problems
    assert "is not a name" in problem and problem.isprintable()


def test_a_criterion_of_many_comparisons_is_refused() -> None:
    many = f"<ComparisonList>{compare('a', 1, '>') * 3000}</ComparisonList>"
    containers = container("P", entry("a"), criteria=ONE) + container("Q", entry("a"), "P", many)
    containers += container("R", entry("a"), criteria=compare("APID", 2))
    problems = read_xtce(document(U8, {"a": "U8"}, containers)).problems
    assert any("an expression may be 64 deep" in problem for problem in problems)


def test_a_long_reference_means_nothing() -> None:
    data = document(U8, {"a": "U8"}, container("P", entry("a"), criteria=compare("a." * 2000, 1)))
    assert "no parameter" in refused(data)

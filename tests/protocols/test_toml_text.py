"""TOML within limits: what nothing can use is refused, with the line or the path of keys."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.toml_text import DEPTH_MAX, read_toml


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[a]\nx = inf", r"^a\.x: inf is not a finite number"),
        ("[a]\nx = -inf", r"^a\.x: -inf is not"),
        ("[[f]]\n[[f]]\nx = nan", r"^f\[1\]\.x: nan is not a finite number"),
        ("x = [1, [2.0, 1e308]]", r"^x\[1\]\[1\]: 1e\+308 is larger than 1e\+15"),
        ("x = 1e99999", r"^x: inf is not a finite number"),
        ("x = 9223372036854775808", r"^x: an integer of more than 64 bits"),
        ("x = -9223372036854775809", r"^x: an integer of more than 64 bits"),
        ("a = 1\n\nx = " + "9" * 5000, r"^an integer of more than 64 bits \(line 3\)"),
        ("x = 0x" + "f" * 5000, r"an integer of more than 64 bits"),
        ("a = 1\nx = " + "[" * 5000 + "]" * 5000, r"^nested more than 16 deep \(line 2\)"),
        ("x = " + "[\n" * 5000 + "]\n" * 5000, r"nested more than 16 deep"),
        ("x = " + "{a=" * 5000 + "1" + "}" * 5000, r"nested more than 16 deep \(line 1\)"),
        ("x = " + "[" * 17 + "]" * 17, r"nested more than 16 deep"),
        ("y = 1\n" + "a." * 500_000 + "a = 1", r"^a dotted key of more than 16 parts \(line 2\)"),
        ("[" + '"#" . ' * 100_000 + "a]", r"a dotted key of more than 16 parts \(line 1\)"),
        ("x = " + '"' + "y" * (1 << 20) + '"', r"characters: expected at most 1,048,576"),
        ("a = 1\nb c", r"^not TOML: .*line 2"),
    ],
    ids=range(17),
)
def test_what_nothing_can_use_is_refused_with_its_place(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_toml(text)


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("x = 9223372036854775807\ny = -1e15", {"x": 2**63 - 1, "y": -1e15}),
        ('x = "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p"', {"x": "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p"}),
        ("x = [" + "1.5, " * 1000 + "]", {"x": [1.5] * 1000}),
        ("x = " + "[" * (DEPTH_MAX - 1) + "]" * (DEPTH_MAX - 1), None),
    ],
    ids=["widest", "dots in text", "many numbers", "deepest"],
)
def test_what_is_within_the_limits_is_read(text: str, tables: dict[str, Any] | None) -> None:
    found = read_toml(text)
    assert tables is None or found == tables


@given(st.text(alphabet="a1.=[]{}\"'\n#e-_+ ,", max_size=200))
def test_any_text_is_tables_or_a_value_error(text: str) -> None:
    try:
        assert isinstance(read_toml(text), dict)
    except ValueError as error:
        assert not isinstance(error, UnicodeError)

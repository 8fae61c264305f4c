"""What others wrote is seen, and obeyed by no terminal, no shell and no reader of JSON."""

from __future__ import annotations

import json
import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundstation.formats.printable import encodable, printable, printable_json, shell_join

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("\x9b2J\x7f\x00", r"\x9b2J\x7f\x00"),
        ("one\ntwo\r\tthree", r"one\ntwo\r\tthree"),
        ("safe\u202etxt.exe", r"safe\u202etxt.exe"),
        ("a\u200bb\ufeff\u2066", r"a\u200bb\ufeff\u2066"),
        ("\u2028\u2029\x85", r"\u2028\u2029\x85"),
        ("\udcff\ud800", r"\udcff\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("−47 °C → höhe 🚀 1\u202f000", "−47 °C → höhe 🚀 1\u202f000"),
    ],
)
def test_what_cannot_be_seen_is_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_lines_and_tabs_stay_where_they_are_wanted() -> None:
    assert printable("a\r\nb\tc\rd\x1b", lines=True) == "a\nb\tc\\rd\\x1b"


@given(ANY_TEXT)
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    for shown in (printable(text), printable(text, lines=True).replace("\n", "").replace("\t", "")):
        assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        shown.encode()


@given(ANY_TEXT)
def test_json_is_the_same_value(text: str) -> None:
    value = {"text": text, "more": [text]}
    shown = printable_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(shown) == json.loads(json.dumps(value))
    assert printable(shown) == shown


@given(ANY_TEXT)
def test_encodable_text_is_utf8_and_keeps_controls(text: str) -> None:
    said = encodable(text)
    said.encode()
    if not any(unicodedata.category(char) == "Cs" for char in text):
        assert said == text


@given(st.lists(st.binary(min_size=1).filter(lambda word: b"\0" not in word), min_size=1, max_size=5))
def test_a_command_that_is_copied_is_what_was_meant(words: list[bytes]) -> None:
    line = shell_join([word.decode("utf-8", "surrogateescape") for word in words])
    assert printable(line) == line
    done = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True)
    assert done.stdout.split(b"\0")[:-1] == words
